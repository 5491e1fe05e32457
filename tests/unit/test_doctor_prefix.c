/* Tests of daemon/cli/doctor_prefix.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "daemon/cli/doctor_prefix.h"

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;
	const char *reason;

	assert_true(prefix_parse(text, &prefix, &reason));
	return prefix;
}

static void hosts_and_nets(void **state)
{
	const struct prefix hosts[] = { prefix_of("10.0.0.1"), prefix_of("fd00::1/128") };
	const struct prefix nets[] = { prefix_of("10.0.0.0/31"), prefix_of("0.0.0.0/0"),
				       prefix_of("fd00::/32") };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		assert_true(prefix_is_host(&hosts[i]));
	for (size_t i = 0; i < ARRAY_SIZE(nets); i++)
		assert_false(prefix_is_host(&nets[i]));
}

static void some_overlap(void **state)
{
	static const struct {
		const char *a, *b;
		bool wanted;
	} cases[] = {
		{ "10.9.0.1/24", "10.9.0.2/32", true },     { "10.9.0.2/32", "10.9.0.1/24", true },
		{ "10.9.0.1/24", "10.8.0.0/24", false },    { "0.0.0.0/0", "10.8.0.0/24", true },
		{ "0.0.0.0/0", "fd00::/8", false },         { "fd09::1/64", "fd09::2", true },
		{ "fd09::1/64", "fd09:0:0:1::/64", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct prefix a = prefix_of(cases[i].a);
		struct prefix b = prefix_of(cases[i].b);
		const struct conf_prefixes list = { .items = &b, .n = 1 };

		assert_int_equal(prefix_overlaps(&a, &b), cases[i].wanted);
		assert_int_equal(prefixes_meet(&list, &a), cases[i].wanted);
	}
}

static void an_address_to_try(void **state)
{
	struct prefix own_items[] = { prefix_of("10.9.0.1/24"), prefix_of("fd09::1/64") };
	const struct conf_prefixes own = { .items = own_items, .n = ARRAY_SIZE(own_items) };
	static const struct {
		const char *prefix, *wanted; /* NULL: there is none */
	} cases[] = {
		{ "10.9.0.2/32", "10.9.0.2" }, { "10.9.0.1/32", NULL },
		{ "10.9.0.0/24", "10.9.0.2" }, { "10.7.0.0/16", "10.7.0.1" },
		{ "10.7.0.2/31", "10.7.0.2" }, { "0.0.0.0/0", "9.9.9.9" },
		{ "::/0", "2620:fe::fe" },     { "fd09::/64", "fd09::2" },
		{ "fd09::1/128", NULL },       { "fd08::/16", "fd08::1" },
	};
	char text[INET6_ADDRSTRLEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct prefix prefix = prefix_of(cases[i].prefix);
		union netaddr host;

		assert_int_equal(prefix_first_host(&prefix, &own, &host), cases[i].wanted != NULL);
		if (!cases[i].wanted)
			continue;
		inet_ntop(host.sa.sa_family,
			  host.sa.sa_family == AF_INET ? (const void *)&host.in4.sin_addr
						       : (const void *)&host.in6.sin6_addr,
			  text, sizeof(text));
		assert_string_equal(text, cases[i].wanted);
		assert_int_equal(netaddr_port(&host), 0);
	}
}

static void private_addresses(void **state)
{
	static const struct {
		const char *endpoint;
		bool wanted;
	} cases[] = {
		{ "10.1.2.3:1", true },    { "172.16.0.1:1", true },
		{ "172.32.0.1:1", false }, { "192.168.200.1:1", true },
		{ "100.64.0.1:1", true },  { "192.0.2.1:1", false },
		{ "[fd00::1]:1", true },   { "[2001:db8::1]:1", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct endpoint_spec spec;
		const char *reason;

		assert_true(endpoint_spec_parse(cases[i].endpoint, &spec, &reason));
		assert_int_equal(prefix_is_private(&spec.literal), cases[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_and_nets),
		cmocka_unit_test(some_overlap),
		cmocka_unit_test(an_address_to_try),
		cmocka_unit_test(private_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
