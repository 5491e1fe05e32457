/* Tests of daemon/cli/address_plan.c: which two addresses come out of a network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "daemon/cli/address_plan.h"

static struct prefix net_of(const char *text)
{
	struct prefix net;
	const char *reason;

	assert_true(prefix_parse(text, &net, &reason));
	return net;
}

static void first_two_of_a_network(void **state)
{
	static const struct {
		const char *net, *here, *there;
	} cases[] = {
		{ "10.9.0.0/30", "10.9.0.1/30", "10.9.0.2/30" },
		{ "10.9.0.0/24", "10.9.0.1/24", "10.9.0.2/24" },
		{ "10.9.0.252/30", "10.9.0.253/30", "10.9.0.254/30" },
		{ "10.9.0.0/31", "10.9.0.0/31", "10.9.0.1/31" },
		{ "10.9.0.254/31", "10.9.0.254/31", "10.9.0.255/31" },
		{ "10.0.0.0/8", "10.0.0.1/8", "10.0.0.2/8" },
		{ "fd09::/64", "fd09::1/64", "fd09::2/64" },
		{ "fd09::/127", "fd09::/127", "fd09::1/127" },
		{ "fd09::fe/127", "fd09::fe/127", "fd09::ff/127" },
		{ "fd09::fc/126", "fd09::fd/126", "fd09::fe/126" },
		{ "2001:db8:1::/48", "2001:db8:1::1/48", "2001:db8:1::2/48" },
		{ "fe80::/64", "fe80::1/64", "fe80::2/64" },
	};
	char text[PREFIX_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct prefix net = net_of(cases[i].net);
		struct address_plan plan;
		const char *reason;

		assert_true(address_plan_make(&net, &plan, &reason));
		assert_string_equal(prefix_format(&plan.here, text), cases[i].here);
		assert_string_equal(prefix_format(&plan.there, text), cases[i].there);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *net, *reason;
	} cases[] = {
		{ "10.9.0.0/32", "no room for two addresses; the smallest network is a /31" },
		{ "10.9.0.0", "no room for two addresses" },
		{ "fd09::1", "no room for two addresses; the smallest network is a /127" },
		{ "10.9.0.1/24", "bits set behind its length" },
		{ "fd09::1/64", "bits set behind its length" },
		{ "127.0.0.0/30", "loopback" },
		{ "0.0.0.0/0", "loopback" },
		{ "224.1.0.0/24", "multicast" },
		{ "240.0.0.0/24", "reserved" },
		{ "ff02::/64", "multicast" },
		{ "::/0", "loopback" },
		{ "::/64", "loopback" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct prefix net = net_of(cases[i].net);
		struct address_plan plan = { .here.len = 77 };
		const char *reason = "";

		assert_false(address_plan_make(&net, &plan, &reason));
		if (strstr(reason, cases[i].reason) == NULL)
			fail_msg("%s: %s", cases[i].net, reason);
		assert_int_equal(plan.here.len, 77);
	}
}

static void random_networks_are_unique_and_local(void **state)
{
	const struct prefix local = net_of("fd00::/8");
	struct prefix last = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct prefix net = address_plan_random();
		struct address_plan plan;
		const char *reason;

		assert_int_equal(net.len, 64);
		assert_true(prefix_contains(&local, net.family, net.addr));
		/* Subnet 0, and no host. */
		assert_true(sodium_is_zero(net.addr + 6, 10));
		assert_memory_not_equal(net.addr, last.addr, sizeof(net.addr));
		assert_true(address_plan_make(&net, &plan, &reason));
		last = net;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_two_of_a_network),
		cmocka_unit_test(refuses),
		cmocka_unit_test(random_networks_are_unique_and_local),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
