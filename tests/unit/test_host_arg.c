/* Tests of daemon/cli/host_arg.c: HOST[:PORT] on a command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "daemon/cli/host_arg.h"

static void takes_hosts_with_and_without_port(void **state)
{
	static const struct {
		const char *text, *endpoint;
	} cases[] = {
		{ "east.example.net", "east.example.net:51820" },
		{ "east.example.net:4000", "east.example.net:4000" },
		{ "192.0.2.1", "192.0.2.1:51820" },
		{ "192.0.2.1:1", "192.0.2.1:1" },
		{ "[2001:db8::1]", "[2001:db8::1]:51820" },
		{ "[2001:db8::1]:65535", "[2001:db8::1]:65535" },
		{ "[fe80::1%2]", "[fe80::1%2]:51820" },
	};
	char buf[HOST_ARG_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct endpoint_spec spec, again;
		const char *reason;

		assert_true(host_arg_parse(cases[i].text, HOST_ARG_PORT, &spec, &reason));
		assert_string_equal(host_arg_format(&spec, buf), cases[i].endpoint);
		/* What it writes is an Endpoint of a link file. */
		assert_true(endpoint_spec_parse(buf, &again, &reason));
		assert_memory_equal(&spec, &again, sizeof(spec));
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{ "", "is empty" },
		{ ":4000", "no host" },
		{ "host:", "port that is not a number" },
		{ "host:0", "port that is not a number" },
		{ "host:65536", "port that is not a number" },
		{ "2001:db8::1", "without brackets" },
		{ "2001:db8::", "without brackets" },
		{ "2001:db8::1:51820", "without brackets" },
		{ "[2001:db8::1", "no \"]\"" },
		{ "[2001:db8::g]", "no IPv6 address" },
		{ "10.1", "not four numbers" },
		{ "two words", "other characters" },
		{ "0.0.0.0", "multicast, broadcast or unspecified" },
		{ "255.255.255.255:1", "multicast, broadcast or unspecified" },
		{ "224.0.0.1", "multicast, broadcast or unspecified" },
		{ "[::]", "multicast, broadcast or unspecified" },
		{ "[ff02::1]:1", "multicast, broadcast or unspecified" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct endpoint_spec spec = { .port = 77 };
		const char *reason = "";

		assert_false(host_arg_parse(cases[i].text, HOST_ARG_PORT, &spec, &reason));
		if (strstr(reason, cases[i].reason) == NULL)
			fail_msg("%s: %s", cases[i].text, reason);
		assert_int_equal(spec.port, 77);
	}
}

static void long_names(void **state)
{
	char name[HOST_NAME_LEN + 8], buf[HOST_ARG_TEXT_MAX];
	struct endpoint_spec spec;
	const char *reason;

	(void)state;
	memset(name, 'a', sizeof(name));
	name[HOST_NAME_LEN] = '\0';
	assert_true(host_arg_parse(name, 65535, &spec, &reason));
	assert_int_equal(strlen(host_arg_format(&spec, buf)), HOST_NAME_LEN + 6);
	name[HOST_NAME_LEN] = 'a';
	name[HOST_NAME_LEN + 1] = '\0';
	assert_false(host_arg_parse(name, 65535, &spec, &reason));
	assert_non_null(strstr(reason, "more than 253"));
}

static void without_a_port_to_take(void **state)
{
	struct endpoint_spec spec;
	const char *reason;

	(void)state;
	assert_false(host_arg_parse("host", 0, &spec, &reason));
	assert_non_null(strstr(reason, "no port"));
	assert_true(host_arg_parse("host:5", 0, &spec, &reason));
	assert_int_equal(spec.port, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_hosts_with_and_without_port),
		cmocka_unit_test(refuses),
		cmocka_unit_test(long_names),
		cmocka_unit_test(without_a_port_to_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
