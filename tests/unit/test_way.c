/*
 * Tests of daemon/core/way.c: what is remembered, for how long, and what is forgotten. The routes
 * are real ones, in a network namespace of its own; needs root.
 */
#include "tests/unit/ip_command.h"

#include <arpa/inet.h>

#include "daemon/core/way.h"
#include "tests/unit/net_world.h"

#define BEGIN (1000 * NSEC_PER_SEC)

static struct world world;
static struct ways ways;
static struct nl_path path;

static union netaddr remote(unsigned int last_byte, uint16_t port)
{
	union netaddr address = { .in4 = { .sin_family = AF_INET, .sin_port = htons(port) } };

	address.in4.sin_addr.s_addr = htonl(0xc0000200U + last_byte);
	return address;
}

static bool ask(unsigned int last_byte, nsec_t now)
{
	union netaddr address = remote(last_byte, 51820);

	return way_ask(&ways, &address, now, &path) == 0;
}

/* Not a fixture of cmocka's: there a test cannot be skipped. */
static void open_ways(void)
{
	setup(&world);
	ip_command("link set vta up");
	ip_command("link set vtb up");
	ip_command("route add 192.0.2.0/24 dev vta");
	ways = (struct ways) { .nl = &world.nl };
	path = (struct nl_path) { .ifindex = 77 };
}

/* A second after the question a changed route is seen, and not before. */
static void test_remembered(void **state)
{
	(void)state;
	open_ways();
	assert_true(ask(1, BEGIN));
	assert_int_equal(path.ifindex, world.own);
	ip_command("route replace 192.0.2.0/24 dev vtb");
	assert_true(ask(1, BEGIN));
	assert_int_equal(path.ifindex, world.own);
	assert_true(ask(1, BEGIN + NSEC_PER_SEC - 1));
	assert_int_equal(path.ifindex, world.own);
	/* To be asked again and again does not lengthen it. */
	assert_true(ask(1, BEGIN + NSEC_PER_SEC));
	assert_int_equal(path.ifindex, world.other);
	close_world(&world);
}

/* That there is no way is remembered, too: who sends from nowhere must not make us ask. */
static void test_no_way_remembered(void **state)
{
	(void)state;
	open_ways();
	ip_command("route del 192.0.2.0/24 dev vta");
	assert_false(ask(1, BEGIN));
	assert_int_equal(path.ifindex, 77);
	ip_command("route add 192.0.2.0/24 dev vta");
	assert_false(ask(1, BEGIN + NSEC_PER_SEC - 1));
	assert_int_equal(path.ifindex, 77);
	assert_true(ask(1, BEGIN + NSEC_PER_SEC));
	assert_int_equal(path.ifindex, world.own);
	close_world(&world);
}

static void test_forget(void **state)
{
	(void)state;
	open_ways();
	assert_true(ask(1, BEGIN));
	ip_command("route replace 192.0.2.0/24 dev vtb");
	way_forget(&ways);
	assert_true(ask(1, BEGIN));
	assert_int_equal(path.ifindex, world.other);
	close_world(&world);
}

/* The oldest answer makes room; the others stay. */
static void test_room(void **state)
{
	(void)state;
	open_ways();
	for (unsigned int i = 0; i < WAYS_REMEMBERED; i++)
		assert_true(ask(i, BEGIN + i));
	ip_command("route replace 192.0.2.0/24 dev vtb");
	for (unsigned int i = 0; i < WAYS_REMEMBERED; i++) {
		assert_true(ask(i, BEGIN + WAYS_REMEMBERED));
		assert_int_equal(path.ifindex, world.own);
	}
	assert_true(ask(WAYS_REMEMBERED, BEGIN + WAYS_REMEMBERED));
	assert_int_equal(path.ifindex, world.other);
	for (unsigned int i = 1; i < WAYS_REMEMBERED; i++) {
		assert_true(ask(i, BEGIN + WAYS_REMEMBERED));
		assert_int_equal(path.ifindex, world.own);
	}
	assert_true(ask(0, BEGIN + WAYS_REMEMBERED));
	assert_int_equal(path.ifindex, world.other);
	close_world(&world);
}

static void test_mtu(void **state)
{
	(void)state;
	open_ways();
	ip_command("link set vta mtu 1380");
	assert_true(ask(1, BEGIN));
	assert_int_equal(path.mtu, 1380);
	way_forget(&ways);
	ip_command("route replace 192.0.2.0/24 dev vta mtu 1300");
	assert_true(ask(1, BEGIN));
	assert_int_equal(path.mtu, 1300);
	close_world(&world);
}

/* rx has no use for it, and the question for it takes a lock. */
static void test_no_mtu(void **state)
{
	(void)state;
	open_ways();
	ways.is_of_rx = true;
	assert_true(ask(1, BEGIN));
	assert_int_equal(path.ifindex, world.own);
	assert_int_equal(path.mtu, 0);
	close_world(&world);
}

/* Whoever lets packets come from ever other addresses does not make us ask for each. */
static void test_not_too_often(void **state)
{
	union netaddr address = remote(250, 51820);
	nsec_t now = BEGIN;

	(void)state;
	open_ways();
	for (unsigned int i = 0; i < 4 * WAYS_BURST; i++)
		assert_true(ask(i, now)); /* control */
	way_forget(&ways);
	ways.is_of_rx = true;
	for (unsigned int i = 0; i < WAYS_BURST; i++)
		assert_true(ask(i, now));
	assert_int_equal(way_ask(&ways, &address, now, &path), -EAGAIN);
	assert_int_equal(way_ask(&ways, &address, now + WAYS_INTERVAL - 1, &path), -EAGAIN);
	/* What is known is not asked for. */
	assert_true(ask(WAYS_BURST - 1, now));
	now += WAYS_INTERVAL;
	assert_int_equal(way_ask(&ways, &address, now, &path), 0);
	assert_int_equal(path.ifindex, world.own);
	for (unsigned int i = 0; i < 1000; i++, now += WAYS_INTERVAL / 10)
		assert_int_equal(ask(20 + i % 200, now), i > 0 && i % 10 == 0);
	close_world(&world);
}

static void test_fwmark(void **state)
{
	(void)state;
	open_ways();
	ip_command("rule add fwmark 7 lookup 77");
	ip_command("route add default dev vtb table 77");
	assert_true(ask(1, BEGIN));
	assert_int_equal(path.ifindex, world.own);
	way_forget(&ways);
	ways.fwmark = 7;
	assert_true(ask(1, BEGIN));
	assert_int_equal(path.ifindex, world.other);
	close_world(&world);
}

static void test_ipv6(void **state)
{
	union netaddr address = { .in6 = { .sin6_family = AF_INET6, .sin6_port = htons(1) } };

	(void)state;
	open_ways();
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &address.in6.sin6_addr), 1);
	assert_int_equal(way_ask(&ways, &address, BEGIN, &path), -ENETUNREACH);
	ip_command("route add 2001:db8::/64 dev vtb");
	way_forget(&ways);
	assert_int_equal(way_ask(&ways, &address, BEGIN, &path), 0);
	assert_int_equal(path.ifindex, world.other);
	close_world(&world);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remembered),    cmocka_unit_test(test_no_way_remembered),
		cmocka_unit_test(test_forget),        cmocka_unit_test(test_room),
		cmocka_unit_test(test_mtu),           cmocka_unit_test(test_fwmark),
		cmocka_unit_test(test_ipv6),          cmocka_unit_test(test_no_mtu),
		cmocka_unit_test(test_not_too_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
