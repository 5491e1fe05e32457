/* A link file's values on a real interface in a network namespace: ifsetup.c. */
#include "tests/unit/ifsetup_world.h"

static void test_plain(void **state)
{
	static const char *const allowed[] = { "10.9.0.2/32", "10.9.0.0/24",
					       "10.0.0.0/8",  "192.0.2.0/24",
					       "fd00:9::/64", "fd00::/16",
					       NULL };
	struct world world;
	struct nl_link link;

	(void)state;
	setup(&world, two_addresses, allowed);
	assert_int_equal(apply(&world, 1380), 0);
	assert_int_equal(nl_link_get(&world.nl, world.own, &link), 0);
	assert_int_equal(link.mtu, 1380);
	assert_true(link.is_up);
	assert_int_equal(way_to(&world, "10.9.0.2"), world.own);
	assert_int_equal(way_to(&world, "10.200.0.1"), world.own);
	assert_int_equal(way_to(&world, "192.0.2.1"), world.own);
	assert_int_equal(way_to(&world, "fd00:9::2"), world.own);
	assert_int_equal(way_to(&world, "fd00:a::2"), world.own);
	/* The longer prefix of another interface stays where it is. */
	assert_int_equal(way_to(&world, "10.7.0.9"), world.other);
	assert_int_equal(way_to(&world, "198.51.100.1"), 0);

	/* Once more, with another MTU. */
	assert_int_equal(apply(&world, 1400), 0);
	assert_int_equal(nl_link_get(&world.nl, world.own, &link), 0);
	assert_int_equal(link.mtu, 1400);
	teardown(&world);
}

/* Whether /proc/net/if_inet6 of this namespace shows a link-local address of the interface. */
static bool has_link_local(const char *name)
{
	FILE *file = fopen("/proc/thread-self/net/if_inet6", "re");
	char line[256];
	bool found = false;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		found |= strncmp(line, "fe80", 4) == 0 && strstr(line, name);
	fclose(file);
	return found;
}

static void test_link_local(void **state)
{
	struct world world;

	(void)state;
	setup(&world, two_addresses, none);
	assert_int_equal(apply(&world, 1420), 0);
	assert_false(has_link_local("vta"));
	/* The other one was switched on without ifsetup: what would happen otherwise. */
	assert_true(has_link_local("vtb"));
	teardown(&world);
}

static void test_table_off(void **state)
{
	static const char *const allowed[] = { "0.0.0.0/0", "192.0.2.0/24", NULL };
	struct world world;

	(void)state;
	setup(&world, two_addresses, allowed);
	world.conf.table_kind = CONF_TABLE_OFF;
	assert_int_equal(apply(&world, 1420), 0);
	assert_int_equal(way_to(&world, "10.9.0.2"), world.own);
	assert_int_equal(way_to(&world, "192.0.2.1"), 0);
	teardown(&world);
}

/* Default routes with Table = auto are netup's; all else is done. */
static void test_needs(void **state)
{
	static const char *const allowed[] = { "192.0.2.0/24", "0.0.0.0/0", "::/0", NULL };
	char name[] = "uplink", namespace[] = "blue";
	struct world world;
	struct nl_link link;

	(void)state;
	setup(&world, two_addresses, allowed);
	/* A name that conf has found no number for: nothing is changed. */
	world.conf.table_kind = CONF_TABLE_NAME;
	world.conf.table_name = name;
	assert_int_equal(apply(&world, 1300), IFSETUP_NEEDS_TABLE);
	assert_string_equal(world.failure.text,
			    "no routing table is called uplink: give its number in Table, or name "
			    "it in /etc/iproute2/rt_tables");
	assert_int_equal(nl_link_get(&world.nl, world.own, &link), 0);
	assert_false(link.is_up);
	world.conf.table_kind = CONF_TABLE_AUTO;
	assert_int_equal(apply(&world, 1300), IFSETUP_NEEDS_POLICY);
	assert_string_equal(world.failure.text, "");
	assert_int_equal(nl_link_get(&world.nl, world.own, &link), 0);
	assert_true(link.is_up);
	assert_int_equal(way_to(&world, "192.0.2.1"), world.own);
	assert_int_equal(way_to(&world, "198.51.100.1"), 0);
	assert_int_equal(way_to(&world, "2001:db8::1"), 0);
	assert_int_equal(ifsetup_restore(&world.nl, &world.conf, world.own, &world.failure),
			 IFSETUP_NEEDS_POLICY);
	/* In a namespace of its own they are routes like others. */
	world.conf.namespace = namespace;
	assert_int_equal(apply(&world, 1300), 0);
	assert_int_equal(way_to(&world, "198.51.100.1"), world.own);
	assert_int_equal(way_to(&world, "2001:db8::1"), world.own);
	teardown(&world);
}

/* Another table takes everything, and nobody is sent there. */
static void test_other_table(void **state)
{
	static const char *const allowed[] = { "192.0.2.0/24", "10.9.0.2/32", "0.0.0.0/0", "::/0",
					       NULL };
	char name[] = "uplink";
	struct world world;

	(void)state;
	setup(&world, two_addresses, allowed);
	world.conf.table_kind = CONF_TABLE_ID;
	world.conf.table = 4000000000U;
	assert_false(is_table_used(&world, 4000000000U));
	assert_int_equal(apply(&world, 1420), 0);
	assert_true(is_table_used(&world, 4000000000U));
	assert_int_equal(way_to(&world, "192.0.2.1"), 0);
	assert_int_equal(way_to(&world, "10.9.0.2"), world.own);
	world.conf.table_kind = CONF_TABLE_NAME;
	world.conf.table_name = name;
	world.conf.table = 77;
	assert_int_equal(apply(&world, 1420), 0);
	assert_true(is_table_used(&world, 77));
	assert_false(is_table_used(&world, 78));
	teardown(&world);
}

static void test_route_taken(void **state)
{
	static const char *const allowed[] = { "192.0.2.0/24", "10.7.0.0/24", NULL };
	struct world world;

	(void)state;
	setup(&world, two_addresses, allowed);
	assert_int_equal(apply(&world, 1420), -EEXIST);
	assert_int_equal(world.failure.step, IFSETUP_ROUTE);
	assert_string_equal(world.failure.text, "cannot add the route 10.7.0.0/24: "
						"it exists already through vtb");
	assert_int_equal(way_to(&world, "10.7.0.9"), world.other);
	teardown(&world);
}

static void test_failures(void **state)
{
	static const char *const bad_address[] = { "10.9.0.1/24", "ff02::1/64", NULL };
	struct world world;

	(void)state;
	setup(&world, bad_address, none);
	assert_int_equal(apply(&world, 1420), -EADDRNOTAVAIL);
	assert_int_equal(world.failure.step, IFSETUP_ADDRESS);
	assert_string_equal(world.failure.text, "cannot add the address ff02::1/64: "
						"no interface can have such an address");
	assert_int_equal(apply(&world, 67), -EINVAL);
	assert_int_equal(world.failure.step, IFSETUP_MTU);
	assert_string_equal(world.failure.text,
			    "cannot set the MTU: the interface cannot carry packets of that size");
	assert_int_equal(ifsetup_apply(&world.nl, &world.conf, 9999, 1420, &world.failure),
			 -ENODEV);
	assert_string_equal(world.failure.text, "cannot set the MTU: the interface is gone");
	netlink_close(&world.nl);
	assert_int_equal(apply(&world, 1420), -EBADF);
	teardown(&world);
}

/* An MTU without room for IPv6 leaves its addresses without an interface to be on. */
static void test_mtu_below_ipv6(void **state)
{
	struct world world;

	(void)state;
	setup(&world, two_addresses, none);
	assert_int_equal(apply(&world, 1279), -EINVAL);
	assert_int_equal(world.failure.step, IFSETUP_ADDRESS);
	assert_string_equal(world.failure.text, "cannot add the address fd00:9::1/64: "
						"IPv6 needs an MTU of at least 1280");
	assert_int_equal(world.failure.prefix.family, AF_INET6);
	teardown(&world);
}

static void test_ipv6_disabled(void **state)
{
	static const char text[] = "cannot add the address fd00:9::1/64: "
				   "IPv6 is switched off here (sysctl "
				   "net.ipv6.conf.*.disable_ipv6)";
	struct world world;
	int fd;

	(void)state;
	setup(&world, two_addresses, none);
	fd = open("/proc/sys/net/ipv6/conf/vta/disable_ipv6", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1) {
		print_message("skipped: cannot write sysctls: %s\n", strerror(errno));
		skip();
	}
	close(fd);
	assert_int_equal(apply(&world, 1420), -EACCES);
	assert_string_equal(world.failure.text, text);
	teardown(&world);
}

static int apply_without_rights(void *context)
{
	struct world *world = context;

	if (apply(world, 1420) != -EPERM || world->failure.step != IFSETUP_MTU)
		return 1;
	return strcmp(world->failure.text, "cannot set the MTU: the right to change network "
					   "interfaces is missing (CAP_NET_ADMIN)") != 0;
}

static void test_without_rights(void **state)
{
	struct world world;

	(void)state;
	setup(&world, two_addresses, none);
	assert_int_equal(without_rights(apply_without_rights, &world), 0);
	teardown(&world);
}

static void test_mtu_auto(void **state)
{
	static const struct {
		unsigned int path;
		int family;
		bool has_ipv6;
		unsigned int want;
	} cases[] = {
		{ 1500, AF_INET, true, 1440 },    { 1500, AF_INET6, true, 1420 },
		{ 1500, AF_INET, false, 1440 },   { 1500, AF_INET6, false, 1420 },
		{ 9000, AF_INET, true, 8940 },    { 1340, AF_INET, true, 1280 },
		{ 1339, AF_INET, true, 1280 },    { 1341, AF_INET, true, 1281 },
		{ 1360, AF_INET6, true, 1280 },   { 1361, AF_INET6, true, 1281 },
		{ 1339, AF_INET, false, 1279 },   { 636, AF_INET, false, 576 },
		{ 635, AF_INET, false, 576 },     { 656, AF_INET6, false, 576 },
		{ 68, AF_INET, false, 576 },      { 0, AF_INET, true, 1280 },
		{ 0, AF_INET6, false, 576 },      { 65536, AF_INET, true, 65475 },
		{ 65535, AF_INET, true, 65475 },  { 65534, AF_INET, true, 65474 },
		{ 65536, AF_INET6, true, 65456 }, { 4294967295U, AF_INET6, true, 65475 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
			ifsetup_mtu_auto(cases[i].path, cases[i].family, cases[i].has_ipv6),
			cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),          cmocka_unit_test(test_link_local),
		cmocka_unit_test(test_table_off),      cmocka_unit_test(test_needs),
		cmocka_unit_test(test_route_taken),    cmocka_unit_test(test_failures),
		cmocka_unit_test(test_mtu_below_ipv6), cmocka_unit_test(test_ipv6_disabled),
		cmocka_unit_test(test_without_rights), cmocka_unit_test(test_mtu_auto),
		cmocka_unit_test(test_other_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
