/* Tests of conf/pack.c: what is written is read again, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/secret.h"
#include "conf/diff.h"
#include "conf/link_file.h"
#include "conf/pack.h"
#include "tests/unit/whole_file.h"

/* A file that names every key, and lists of lengths that are no powers of two. */
static const char whole_file[] = WHOLE_FILE("77");

static struct conf_link conf;
static char *bytes;
static size_t len;

static int set_up(void **state)
{
	struct diag diag = DIAG_NULL("x");

	(void)state;
	if (conf_link_init(&conf) < 0)
		return -1;
	link_file_parse(whole_file, strlen(whole_file), &conf, &diag);
	diag_deinit(&diag);
	memcpy(conf.name, "site-a", sizeof("site-a"));
	return pack_link(&conf, &bytes, &len);
}

static int tear_down(void **state)
{
	(void)state;
	free(bytes);
	conf_link_deinit(&conf);
	return 0;
}

static void test_round_trip(void **state)
{
	struct conf_changes changes;
	struct conf_link read;

	(void)state;
	assert_int_equal(pack_read_link(bytes, len, &read), 0);
	assert_null(read.secrets);
	read.secrets = secret_alloc(sizeof(*read.secrets));
	*read.secrets = *conf.secrets;
	assert_int_equal(conf_diff(&conf, &read, &changes), 0);
	assert_int_equal(changes.n_items, 0);
	conf_changes_deinit(&changes);
	assert_string_equal(read.name, "site-a");
	assert_string_equal(read.hooks[CONF_PRE_UP].items[2], "c");
	assert_string_equal(read.hooks[CONF_POST_DOWN].items[0], "f %i # g");
	assert_int_equal(read.n_endpoints, 3);
	assert_string_equal(read.endpoints[0].host, "a.example.net");
	assert_true(read.given.mtu);
	assert_false(read.given.persistent_keepalive != conf.given.persistent_keepalive);
	conf_link_deinit(&read);
}

/* Lists grow as those that were read from a file: grow_list() believes in their capacity. */
static void test_lists_grow(void **state)
{
	struct conf_link read;

	(void)state;
	assert_int_equal(pack_read_link(bytes, len, &read), 0);
	for (int i = 0; i < 20; i++) {
		struct conf_prefixes *list = &read.allowed_ips;

		list->items = grow_list(list->items, list->n, sizeof(*list->items));
		assert_non_null(list->items);
		list->items[list->n++] = conf.allowed_ips.items[0];
	}
	conf_link_deinit(&read);
}

static bool has(const void *what, size_t what_len)
{
	return memmem(bytes, len, what, what_len) != NULL;
}

static void test_no_secrets(void **state)
{
	(void)state;
	assert_false(has(conf.secrets->private_key.bytes, 32));
	assert_false(has(conf.secrets->preshared_key.bytes, 32));
	assert_true(has(conf.peer_key.bytes, 32));
}

static void test_empty(void **state)
{
	struct conf_link empty = { .name = "x" }, read;
	size_t empty_len;
	char *text;

	(void)state;
	assert_int_equal(pack_link(&empty, &text, &empty_len), 0);
	assert_int_equal(pack_read_link(text, empty_len, &read), 0);
	assert_null(read.allowed_ips.items);
	assert_null(read.bridge);
	conf_link_deinit(&read);
	free(text);
}

/* Cut anywhere, and with something behind it. */
static void test_cut(void **state)
{
	struct conf_link read;
	char *copy;

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		/* Memory of just that size, so that a read behind it is found. */
		copy = malloc(cut + 1);
		memcpy(copy, bytes, cut);
		assert_int_equal(pack_read_link(copy, cut, &read), -EBADMSG);
		free(copy);
	}
	copy = malloc(len + 1);
	memcpy(copy, bytes, len);
	copy[len] = 0;
	assert_int_equal(pack_read_link(copy, len + 1, &read), -EBADMSG);
	free(copy);
}

/* Whatever one byte becomes, what is read is within its limits. */
static void test_changed(void **state)
{
	static const unsigned char values[] = { 0, 1, 2, 0x7f, 0x80, 0xff };
	struct conf_link read;
	char *copy = malloc(len);
	int r;

	(void)state;
	for (size_t at = 0; at < len; at++) {
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			memcpy(copy, bytes, len);
			copy[at] = (char)values[i];
			r = pack_read_link(copy, len, &read);
			assert_true(r == 0 || r == -EBADMSG || r == -ENOMEM);
			if (r < 0)
				continue;
			assert_true(read.cipher <= CONF_CIPHER_AEGIS256);
			assert_true(read.mode <= CONF_MODE_TAP && read.mtu <= CONF_MTU_MAX);
			assert_non_null(memchr(read.name, '\0', sizeof(read.name)));
			for (size_t j = 0; j < read.allowed_ips.n; j++)
				assert_true(read.allowed_ips.items[j].len <= 128);
			conf_link_deinit(&read);
		}
	}
	free(copy);
}

/* 130,000 AllowedIPs, and a count that promises more than there is. */
static void test_many(void **state)
{
	struct conf_link many = { .name = "x" }, read;
	size_t many_len;
	char *text;

	(void)state;
	many.allowed_ips.n = 130000;
	many.allowed_ips.items = calloc(many.allowed_ips.n, sizeof(struct prefix));
	for (size_t i = 0; i < many.allowed_ips.n; i++)
		many.allowed_ips.items[i] = (struct prefix) { .family = AF_INET, .len = 32 };
	assert_int_equal(pack_link(&many, &text, &many_len), 0);
	assert_int_equal(pack_read_link(text, many_len, &read), 0);
	assert_int_equal(read.allowed_ips.n, 130000);
	conf_link_deinit(&read);
	many.allowed_ips.items[129999].len = 33;
	free(text);
	assert_int_equal(pack_link(&many, &text, &many_len), 0);
	assert_int_equal(pack_read_link(text, many_len, &read), -EBADMSG);
	free(text);
	free(many.allowed_ips.items);
}

/* What goes into a line of another file must not end it. */
static void test_words(void **state)
{
	static const char *const bad[] = { "10.0.0.53\nnameserver 1.2.3.4", "a b", "\t", "a\x01" };
	char good[] = "10.0.0.53", text[64];
	char *items[] = { good };
	struct conf_link one = { .name = "x", .dns = { items, 1 } }, read;
	size_t one_len;
	char *packed;

	(void)state;
	assert_int_equal(pack_link(&one, &packed, &one_len), 0);
	assert_int_equal(pack_read_link(packed, one_len, &read), 0);
	conf_link_deinit(&read);
	free(packed);
	items[0] = text;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(text, bad[i], strlen(bad[i]) + 1);
		assert_int_equal(pack_link(&one, &packed, &one_len), 0);
		assert_int_equal(pack_read_link(packed, one_len, &read), -EBADMSG);
		free(packed);
	}
}

/* Every member has one row, but the secrets. */
static void test_cover(void **state)
{
	static unsigned char map[sizeof(struct conf_link)];
	struct conf_link link;
	unsigned char *bytes_of = (unsigned char *)&link;

	(void)state;
	pack_cover(map);
	memset(&link, 0xff, sizeof(link));
#if defined(__has_builtin)
#if __has_builtin(__builtin_clear_padding)
	__builtin_clear_padding(&link);
#else
	memset(&link, 0, sizeof(link));
#endif
#endif
	memset(&link.secrets, 0, sizeof(link.secrets));
	for (size_t i = 0; i < sizeof(link); i++) {
		if (map[i] > 1 || (map[i] == 0 && bytes_of[i] != 0))
			fail_msg("byte %zu of conf_link is in %u rows", i, map[i]);
	}
	for (size_t i = 0; i < sizeof(link.secrets); i++)
		assert_int_equal(map[offsetof(struct conf_link, secrets) + i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_lists_grow),
		cmocka_unit_test(test_no_secrets), cmocka_unit_test(test_empty),
		cmocka_unit_test(test_cut),        cmocka_unit_test(test_changed),
		cmocka_unit_test(test_many),       cmocka_unit_test(test_words),
		cmocka_unit_test(test_cover),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
