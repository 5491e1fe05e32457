/* Changing what an interface has while it is up: ifsetup_change() and ifsetup_restore(). */
#include "tests/unit/ifsetup_world.h"
#include "tests/unit/ip_command.h"

static void test_routes_again(void **state)
{
	static const char *const allowed[] = { "192.0.2.0/24", "2001:db8::/32", NULL };
	struct world world;
	struct prefix prefixes[2], gone;

	(void)state;
	setup(&world, two_addresses, allowed);
	assert_int_equal(apply(&world, 1420), 0);
	memcpy(prefixes, world.conf.allowed_ips.items, sizeof(prefixes));
	assert_int_equal(nl_route_del(&world.nl, world.own, NL_ROUTE_TABLE_MAIN, prefixes, 2), 0);
	assert_int_equal(way_to(&world, "192.0.2.1"), 0);
	/* Deleting what is not there, or what is the kernel's own, does nothing. */
	prefixes[1] = prefix_of("10.9.0.0/24");
	assert_int_equal(nl_route_del(&world.nl, world.own, NL_ROUTE_TABLE_MAIN, prefixes, 2), 0);
	assert_int_equal(way_to(&world, "10.9.0.7"), world.own);
	assert_int_equal(ifsetup_restore(&world.nl, &world.conf, world.own, &world.failure), 0);
	assert_int_equal(way_to(&world, "192.0.2.1"), world.own);
	assert_int_equal(way_to(&world, "2001:db8::1"), world.own);
	/* Somebody switches it off and on. */
	ip_command("link set vta down");
	assert_int_equal(ifsetup_restore(&world.nl, &world.conf, world.own, &world.failure),
			 -ENETDOWN);
	ip_command("link set vta up");
	assert_int_equal(way_to(&world, "192.0.2.1"), 0);
	assert_int_equal(ifsetup_restore(&world.nl, &world.conf, world.own, &world.failure), 0);
	assert_int_equal(way_to(&world, "192.0.2.1"), world.own);
	/* What sysctl keep_addr_on_down = 0 would have deleted with it. */
	gone = prefix_of("fd00:9::1/64");
	assert_int_equal(nl_addr_del(&world.nl, world.own, &gone), 0);
	assert_int_equal(ifsetup_restore(&world.nl, &world.conf, world.own, &world.failure), 0);
	assert_int_equal(way_to(&world, "fd00:9::7"), world.own);
	assert_int_equal(way_to(&world, "2001:db8::1"), world.own);
	teardown(&world);
}

/* Applies the change from the world's file to one with other lists, and keeps that one. */
static int change(struct world *world, const char *const *addresses, const char *const *allowed)
{
	struct conf_link after = world->conf;
	int result;

	after.addresses = prefixes_of(addresses);
	after.allowed_ips = prefixes_of(allowed);
	result = ifsetup_change(&world->nl, &world->conf, &after, world->own, &world->failure);
	free(world->conf.addresses.items);
	free(world->conf.allowed_ips.items);
	world->conf = after;
	return result;
}

static void test_change(void **state)
{
	static const char *const allowed[] = { "192.0.2.0/24", "10.9.0.2/32", "2001:db8::/32",
					       NULL };
	static const char *const other_allowed[] = { "192.0.2.0/24", "10.6.0.0/16", NULL };
	static const char *const with_default[] = { "192.0.2.0/24", "0.0.0.0/0", NULL };
	static const char *const more[] = { "10.9.0.1/24", "10.9.0.3/24", "10.5.0.1/16", NULL };
	static const char *const less[] = { "10.9.0.3/24", NULL };
	struct prefix gone = prefix_of("fd00:9::1/64");
	struct world world;
	struct nl_link link;

	(void)state;
	setup(&world, two_addresses, allowed);
	assert_int_equal(apply(&world, 1420), 0);
	assert_int_equal(change(&world, two_addresses, other_allowed), 0);
	assert_int_equal(way_to(&world, "192.0.2.1"), world.own);
	assert_int_equal(way_to(&world, "10.6.1.1"), world.own);
	assert_int_equal(way_to(&world, "2001:db8::1"), 0);
	assert_int_equal(change(&world, more, other_allowed), 0);
	assert_int_equal(nl_addr_del(&world.nl, world.own, &gone), -EADDRNOTAVAIL);
	assert_int_equal(way_to(&world, "10.5.1.1"), world.own);
	/* The first address of a subnet goes, and the second stays. */
	assert_int_equal(change(&world, less, other_allowed), 0);
	assert_int_equal(way_to(&world, "10.9.0.9"), world.own);
	assert_int_equal(way_to(&world, "10.5.1.1"), 0);
	assert_int_equal(way_to(&world, "10.6.1.1"), world.own);
	assert_int_equal(change(&world, none, other_allowed), 0);
	assert_int_equal(way_to(&world, "10.9.0.9"), 0);
	assert_int_equal(way_to(&world, "192.0.2.1"), world.own);
	assert_int_equal(change(&world, less, with_default), IFSETUP_NEEDS_POLICY);
	assert_int_equal(way_to(&world, "198.51.100.1"), 0);
	assert_int_equal(way_to(&world, "10.6.1.1"), 0);
	/* The interface was never switched off. */
	assert_int_equal(nl_link_get(&world.nl, world.own, &link), 0);
	assert_true(link.is_up);
	teardown(&world);
}

static void test_change_table(void **state)
{
	static const char *const allowed[] = { "192.0.2.0/24", "10.6.0.0/16", NULL };
	struct conf_link after;
	struct world world;

	(void)state;
	setup(&world, two_addresses, allowed);
	assert_int_equal(apply(&world, 1420), 0);
	after = world.conf;
	after.table_kind = CONF_TABLE_ID;
	after.table = 77;
	assert_int_equal(ifsetup_change(&world.nl, &world.conf, &after, world.own, &world.failure),
			 0);
	assert_int_equal(way_to(&world, "192.0.2.1"), 0);
	assert_true(is_table_used(&world, 77));
	world.conf = after;
	after.table_kind = CONF_TABLE_OFF;
	assert_int_equal(ifsetup_change(&world.nl, &world.conf, &after, world.own, &world.failure),
			 0);
	assert_false(is_table_used(&world, 77));
	world.conf = after;
	after.table_kind = CONF_TABLE_AUTO;
	assert_int_equal(ifsetup_change(&world.nl, &world.conf, &after, world.own, &world.failure),
			 0);
	assert_int_equal(way_to(&world, "192.0.2.1"), world.own);
	teardown(&world);
}

static void test_change_failures(void **state)
{
	static const char *const allowed[] = { "192.0.2.0/24", NULL };
	static const char *const taken[] = { "10.7.0.0/24", NULL };
	static const char *const bad_address[] = { "ff02::1/64", NULL };
	struct conf_link after;
	struct world world;

	(void)state;
	setup(&world, two_addresses, allowed);
	assert_int_equal(apply(&world, 1420), 0);
	after = world.conf;
	after.table_kind = CONF_TABLE_NAME;
	assert_int_equal(ifsetup_change(&world.nl, &world.conf, &after, world.own, &world.failure),
			 IFSETUP_NEEDS_TABLE);
	assert_int_equal(ifsetup_change(&world.nl, &world.conf, &world.conf, 9999, &world.failure),
			 -ENODEV);
	assert_int_equal(change(&world, two_addresses, taken), -EEXIST);
	assert_string_equal(world.failure.text, "cannot add the route 10.7.0.0/24: "
						"it exists already through vtb");
	assert_int_equal(change(&world, bad_address, allowed), -EADDRNOTAVAIL);
	/* What there was is still there. */
	assert_int_equal(way_to(&world, "10.9.0.2"), world.own);
	teardown(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes_again),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_change_table),
		cmocka_unit_test(test_change_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
