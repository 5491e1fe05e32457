/*
 * Fuzz target: configurations that one process of a link sends to the other. The input is a link
 * file; what follows a NUL in it are changes, three bytes each, that somebody makes to the packed
 * bytes: where (16 bits) and to what. Whatever comes of it, it is refused, or it is a configuration
 * that packs to the same bytes again.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/link_file.h"
#include "conf/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* What a file packs to. */
static char *pack_file(const char *text, size_t size, size_t *ret_len)
{
	struct diag diag = DIAG_NULL("x");
	struct conf_link link;
	char *bytes = NULL;

	check(conf_link_init(&link) == 0);
	link_file_parse(text, size, &link, &diag);
	check(pack_link(&link, &bytes, ret_len) == 0);
	conf_link_deinit(&link);
	diag_deinit(&diag);
	return bytes;
}

static void read_again(const char *bytes, size_t len, bool must_be_good)
{
	struct conf_link link;
	size_t again_len;
	char *again;

	if (pack_read_link(bytes, len, &link) < 0) {
		check(!must_be_good);
		return;
	}
	check(pack_link(&link, &again, &again_len) == 0);
	check(again_len == len && memcmp(again, bytes, len) == 0);
	free(again);
	conf_link_deinit(&link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *changes = size > 0 ? memchr(data, '\0', size) : NULL;
	size_t text_len = changes ? (size_t)(changes - data) : size, len;
	char *bytes = pack_file(size > 0 ? (const char *)data : "", text_len, &len);

	read_again(bytes, len, true);
	for (size_t at = text_len + 1; at + 3 <= size; at += 3)
		bytes[((size_t)data[at] << 8 | data[at + 1]) % len] = (char)data[at + 2];
	read_again(bytes, len, false);
	free(bytes);
	return 0;
}
