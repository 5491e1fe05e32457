/* Tests of common/netaddr.c: endpoints, prefixes, comparison and text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/netaddr.h"

static struct endpoint_spec endpoint(const char *text)
{
	struct endpoint_spec spec;
	const char *reason = "";

	if (!endpoint_spec_parse(text, &spec, &reason))
		fail_msg("%s %s", text, reason);
	return spec;
}

static struct prefix prefix(const char *text)
{
	struct prefix parsed;
	const char *reason = "";

	if (!prefix_parse(text, &parsed, &reason))
		fail_msg("%s %s", text, reason);
	return parsed;
}

static void literal_endpoints_are_addresses(void **state)
{
	static const struct {
		const char *text;
		const char *formatted;
	} rows[] = {
		{ "192.0.2.1:51820", "192.0.2.1:51820" },
		{ "0.0.0.0:1", "0.0.0.0:1" },
		{ "255.255.255.255:65535", "255.255.255.255:65535" },
		{ "[2001:db8::1]:51820", "[2001:db8::1]:51820" },
		{ "[2001:DB8:0:0:0:0:0:1]:00001", "[2001:db8::1]:1" },
		{ "[::]:1", "[::]:1" },
		{ "[fe80::1]:5", "[fe80::1]:5" },
		{ "[fe80::1%7]:5", "[fe80::1%7]:5" },
		{ "[::ffff:192.0.2.1]:5", "192.0.2.1:5" },
	};
	char text[NETADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct endpoint_spec spec = endpoint(rows[i].text);

		assert_string_equal(netaddr_format(&spec.literal, text), rows[i].formatted);
		assert_int_equal(netaddr_port(&spec.literal), spec.port);
	}
}

static void names_stay_text(void **state)
{
	static const char *const names[] = { "vpn.example.com", "a",    "vpn_1-x.example.",
					     "10.example",      "x0x1", "1a" };
	char text[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct endpoint_spec spec;

		snprintf(text, sizeof(text), "%s:51820", names[i]);
		spec = endpoint(text);
		assert_string_equal(spec.host, names[i]);
		assert_int_equal(spec.port, 51820);
		assert_int_equal(spec.literal.sa.sa_family, AF_UNSPEC);
	}
}

static void name_may_have_253_characters(void **state)
{
	struct endpoint_spec spec;
	const char *reason = NULL;
	char text[300];

	(void)state;
	memset(text, 'a', HOST_NAME_LEN);
	memcpy(text + HOST_NAME_LEN, ":1", 3);
	assert_int_equal(strlen(endpoint(text).host), HOST_NAME_LEN);
	memset(text, 'a', HOST_NAME_LEN + 1);
	memcpy(text + HOST_NAME_LEN + 1, ":1", 3);
	assert_false(endpoint_spec_parse(text, &spec, &reason));
	assert_non_null(strstr(reason, "253"));
}

static void scope_is_an_interface_or_waits_for_one(void **state)
{
	struct endpoint_spec spec = endpoint("[fe80::1%lo]:5");

	(void)state;
	assert_string_equal(spec.host, "fe80::1%lo");
	assert_int_equal(spec.literal.in6.sin6_scope_id, if_nametoindex("lo"));
	spec = endpoint("[fe80::1%not-here]:5");
	assert_string_equal(spec.host, "fe80::1%not-here");
	assert_int_equal(spec.literal.sa.sa_family, AF_UNSPEC);
}

static const struct {
	const char *text;
	const char *reason; /* part of it */
} wrong_endpoints[] = {
	{ "", "no port" },
	{ "192.0.2.1", "no port" },
	{ "[2001:db8::1]", "no port" },
	{ "192.0.2.1:", "port that is not" },
	{ "192.0.2.1:0", "port that is not" },
	{ "192.0.2.1:65536", "port that is not" },
	{ "192.0.2.1:0x10", "port that is not" },
	{ "192.0.2.1:+1", "port that is not" },
	{ "192.0.2.1: 1", "port that is not" },
	{ "192.0.2.1:1 ", "port that is not" },
	{ "host:https", "port that is not" },
	{ ":1", "no host" },
	{ "[]:1", "no host" },
	{ "[2001:db8::1:1", "no \"]\"" },
	{ "[2001:db8::1]x:1", "between" },
	{ "[2001:db8::1]:x:1", "between" },
	{ "2001:db8::1:1", "without brackets" },
	{ "[192.0.2.1]:1", "no IPv6 address" },
	{ "[vpn.example]:1", "no IPv6 address" },
	{ "[2001:db8::1/64]:1", "no IPv6 address" },
	{ "[2001:db8::1%lo]:1", "link-local" },
	{ "[fe80::1%]:1", "interface name" },
	{ "[fe80::1%0123456789abcdef]:1", "interface name" },
	{ "[fe80::1%a b]:1", "strange" },
	{ "192.0.2.256:1", "four numbers" },
	{ "192.0.2:1", "four numbers" },
	{ "192.0.2.01:1", "four numbers" },
	{ "192.0.2.1.5:1", "four numbers" },
	{ "3221225985:1", "four numbers" },
	{ "0xc0000201:1", "four numbers" },
	{ "192.0.2.0x1:1", "four numbers" },
	{ "192.0.2.:1", "four numbers" },
	{ "a..b:1", "empty part" },
	{ ".a:1", "empty part" },
	{ "a b:1", "other characters" },
	{ "a\x1b[0m:1", "other characters" },
	{ "b\xc3\xbc"
	  "cher.example:1",
	  "other characters" },
	{ "http://a:1", "other characters" },
	{ "a,b:1", "other characters" },
};

static void wrong_endpoints_have_a_reason(void **state)
{
	struct endpoint_spec spec;
	struct endpoint_spec before;

	(void)state;
	memset(&spec, 0x55, sizeof(spec));
	before = spec;
	for (size_t i = 0; i < ARRAY_SIZE(wrong_endpoints); i++) {
		const char *reason = NULL;

		if (endpoint_spec_parse(wrong_endpoints[i].text, &spec, &reason))
			fail_msg("\"%s\" was taken", wrong_endpoints[i].text);
		if (strstr(reason, wrong_endpoints[i].reason) == NULL)
			fail_msg("\"%s\" %s", wrong_endpoints[i].text, reason);
	}
	assert_memory_equal(&spec, &before, sizeof(spec));
}

static void prefixes_survive_both_ways(void **state)
{
	static const struct {
		const char *text;
		const char *formatted;
		const char *masked;
	} rows[] = {
		{ "10.1.2.3", "10.1.2.3/32", "10.1.2.3/32" },
		{ "10.1.2.3/8", "10.1.2.3/8", "10.0.0.0/8" },
		{ "10.1.2.3/0", "10.1.2.3/0", "0.0.0.0/0" },
		{ "255.255.255.255/23", "255.255.255.255/23", "255.255.254.0/23" },
		{ "2001:db8::ff", "2001:db8::ff/128", "2001:db8::ff/128" },
		{ "2001:db8:ffff::/33", "2001:db8:ffff::/33", "2001:db8:8000::/33" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127" },
		{ "::/0", "::/0", "::/0" },
		{ "::ffff:192.0.2.1/100", "::ffff:192.0.2.1/100", "::ffff:192.0.0.0/100" },
	};
	char text[PREFIX_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix parsed = prefix(rows[i].text);

		assert_string_equal(prefix_format(&parsed, text), rows[i].formatted);
		assert_int_equal(prefix_has_host_bits(&parsed),
				 strcmp(rows[i].formatted, rows[i].masked) != 0);
		prefix_mask(&parsed);
		assert_false(prefix_has_host_bits(&parsed));
		assert_string_equal(prefix_format(&parsed, text), rows[i].masked);
	}
}

static void wrong_prefixes_are_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"/",
		"/8",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/+8",
		"10.0.0.0/0x8",
		"10.0.0.0/8 ",
		" 10.0.0.0/8",
		"10.0.0.0/8/8",
		"10.0.0/8",
		"10/8",
		"10.0.0.08/8",
		"10.0.0.256/8",
		"10.0.0.0.0/8",
		"::/129",
		"::1::/64",
		"2001:db8/32",
		"fe80::1%lo/64",
		"[::1]/128",
		"::g/8",
		"10.0.0.0/255.0.0.0",
		"10.0.0.0\\8",
		"any",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000/0",
		"10.0.0.0/4294967304",
		"10.0.0.0/18446744073709551624",
		"1111111111111111111111111111111111111111111111111111111111111111",
	};
	struct prefix parsed = { .len = 99 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		const char *reason = NULL;

		if (prefix_parse(wrong[i], &parsed, &reason))
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_non_null(reason);
	}
	assert_int_equal(parsed.len, 99);
}

static bool contains(const char *network, const char *address)
{
	struct prefix outer = prefix(network);
	struct prefix inner = prefix(address);

	return prefix_contains(&outer, inner.family, inner.addr);
}

static void prefix_contains_what_it_covers(void **state)
{
	(void)state;
	assert_true(contains("10.0.0.0/8", "10.255.255.255"));
	assert_false(contains("10.0.0.0/8", "11.0.0.0"));
	assert_true(contains("10.1.2.3/8", "10.9.9.9"));
	assert_true(contains("0.0.0.0/0", "203.0.113.9"));
	assert_false(contains("0.0.0.0/0", "::1"));
	assert_false(contains("::/0", "10.0.0.1"));
	assert_true(contains("192.0.2.128/25", "192.0.2.128"));
	assert_false(contains("192.0.2.128/25", "192.0.2.127"));
	assert_true(contains("192.0.2.1/32", "192.0.2.1"));
	assert_false(contains("192.0.2.1/32", "192.0.2.0"));
	assert_true(contains("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(contains("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(contains("::1/128", "::1"));
	assert_false(contains("::1/128", "::"));
}

static bool equal(const char *a, const char *b)
{
	struct endpoint_spec left = endpoint(a);
	struct endpoint_spec right = endpoint(b);

	return netaddr_equal(&left.literal, &right.literal);
}

static void equal_looks_at_all_that_counts(void **state)
{
	union netaddr none = { .sa.sa_family = AF_UNSPEC };
	struct endpoint_spec global = endpoint("[2001:db8::1]:1");
	struct endpoint_spec scoped = global;

	(void)state;
	assert_true(equal("192.0.2.1:1", "192.0.2.1:1"));
	assert_false(equal("192.0.2.1:1", "192.0.2.1:2"));
	assert_false(equal("192.0.2.1:1", "192.0.2.2:1"));
	assert_false(equal("192.0.2.1:1", "[2001:db8::1]:1"));
	assert_true(equal("[2001:db8::1]:1", "[2001:db8::1]:1"));
	assert_false(equal("[2001:db8::1]:1", "[2001:db8::1]:2"));
	assert_false(equal("[2001:db8::1]:1", "[2001:db8::2]:1"));
	assert_false(equal("[fe80::1%1]:1", "[fe80::1%2]:1"));
	assert_true(equal("[fe80::1%2]:1", "[fe80::1%2]:1"));
	scoped.literal.in6.sin6_scope_id = 3;
	assert_true(netaddr_equal(&global.literal, &scoped.literal));
	assert_true(netaddr_equal(&none, &none));
	assert_false(netaddr_equal(&none, &global.literal));
}

static void sizes_follow_the_family(void **state)
{
	union netaddr none = { .sa.sa_family = AF_UNSPEC };
	struct endpoint_spec v4 = endpoint("192.0.2.1:1");
	struct endpoint_spec v6 = endpoint("[::1]:1");
	char text[NETADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(netaddr_len(&none), 0);
	assert_int_equal(netaddr_port(&none), 0);
	assert_string_equal(netaddr_format(&none, text), "(none)");
	assert_int_equal(netaddr_len(&v4.literal), sizeof(struct sockaddr_in));
	assert_int_equal(netaddr_len(&v6.literal), sizeof(struct sockaddr_in6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literal_endpoints_are_addresses),
		cmocka_unit_test(names_stay_text),
		cmocka_unit_test(name_may_have_253_characters),
		cmocka_unit_test(scope_is_an_interface_or_waits_for_one),
		cmocka_unit_test(wrong_endpoints_have_a_reason),
		cmocka_unit_test(prefixes_survive_both_ways),
		cmocka_unit_test(wrong_prefixes_are_refused),
		cmocka_unit_test(prefix_contains_what_it_covers),
		cmocka_unit_test(equal_looks_at_all_that_counts),
		cmocka_unit_test(sizes_follow_the_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
