/*
 * Fuzz target: endpoints and prefixes as text. What is taken must be written and read back as
 * the same; a masked prefix has no host bits and contains what it was made from; a refusal has a
 * reason and leaves the result alone.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/netaddr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_prefix(const char *text)
{
	struct prefix prefix = { .len = 0xaa };
	struct prefix back;
	char buf[PREFIX_TEXT_MAX];
	const char *reason = NULL;

	if (!prefix_parse(text, &prefix, &reason)) {
		check(reason != NULL && prefix.len == 0xaa);
		return;
	}
	check(prefix_parse(prefix_format(&prefix, buf), &back, &reason));
	check(memcmp(&prefix, &back, sizeof(prefix)) == 0);
	prefix_mask(&back);
	check(!prefix_has_host_bits(&back));
	check(prefix_has_host_bits(&prefix) == (memcmp(&prefix, &back, sizeof(prefix)) != 0));
	check(prefix_contains(&back, prefix.family, prefix.addr));
	check(prefix_contains(&prefix, back.family, back.addr));
}

static void check_endpoint(const char *text)
{
	struct endpoint_spec spec = { .port = 0xaaaa };
	struct endpoint_spec back;
	char buf[NETADDR_TEXT_MAX];
	char again[sizeof(spec.host) + 16];
	const char *reason = NULL;

	if (!endpoint_spec_parse(text, &spec, &reason)) {
		check(reason != NULL && spec.port == 0xaaaa);
		return;
	}
	check(spec.port != 0 && strlen(spec.host) <= HOST_NAME_LEN);
	for (const char *c = spec.host; *c != '\0'; c++)
		check(*c > ' ' && *c < 0x7f);
	/* The parts make the whole again. */
	snprintf(again, sizeof(again), strchr(spec.host, ':') != NULL ? "[%s]:%u" : "%s:%u",
		 spec.host, spec.port);
	check(endpoint_spec_parse(again, &back, &reason));
	check(strcmp(spec.host, back.host) == 0 && spec.port == back.port);
	check(netaddr_equal(&spec.literal, &back.literal));
	if (netaddr_len(&spec.literal) == 0)
		return;
	check(netaddr_port(&spec.literal) == spec.port);
	check(endpoint_spec_parse(netaddr_format(&spec.literal, buf), &back, &reason));
	check(netaddr_equal(&spec.literal, &back.literal));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	check_prefix(text);
	check_endpoint(text);
	free(text);
	return 0;
}
