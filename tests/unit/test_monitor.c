/* What the kernel tells unasked, and the facts made of it: nl_event.c and monitor.c. */
#include "tests/unit/monitor_events.h"
#include "tests/unit/net_world.h"

#include <poll.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/parse.h"
#include "daemon/host/monitor.h"

static int rename_link(struct netlink *nl, unsigned int ifindex, const char *name)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct ifinfomsg info = { .ifi_index = (int)ifindex };
	struct nlmsghdr *request = begin(buffer, RTM_NEWLINK, 0, &info, sizeof(info));

	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	return netlink_query(nl, request, NULL, NULL);
}

static int set_down(struct netlink *nl, unsigned int ifindex)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct ifinfomsg info = { .ifi_index = (int)ifindex, .ifi_change = IFF_UP };

	return netlink_query(nl, begin(buffer, RTM_NEWLINK, 0, &info, sizeof(info)), NULL, NULL);
}

static int move_link(struct netlink *nl, unsigned int ifindex, int netns_fd)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct ifinfomsg info = { .ifi_index = (int)ifindex };
	struct nlmsghdr *request = begin(buffer, RTM_NEWLINK, 0, &info, sizeof(info));

	mnl_attr_put_u32(request, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	return netlink_query(nl, request, NULL, NULL);
}

/* From now on the world is watched, and nothing is left to read. */
static void watch(struct world *world, struct monitor *monitor)
{
	struct monitor_facts facts;

	assert_int_equal(monitor_open(monitor, NULL, world->own), 0);
	assert_int_equal(monitor_read(monitor, &facts), 0);
}

/* Waits for news and reads them. */
static struct monitor_facts read_facts(struct monitor *monitor)
{
	struct pollfd readable = { .fd = monitor_fd(monitor), .events = POLLIN };
	struct monitor_facts facts;

	assert_int_equal(poll(&readable, 1, 5000), 1);
	assert_int_equal(monitor_read(monitor, &facts), 0);
	return facts;
}

static void test_monitor_own(struct world *world)
{
	struct monitor monitor = MONITOR_NULL;
	struct monitor_facts facts;

	watch(world, &monitor);
	assert_int_equal(monitor_read(&monitor, &facts), 0);
	assert_false(facts.own_up_changed || facts.own_mtu_changed || facts.own_renamed ||
		     facts.own_deleted || facts.own_moved || facts.underlay_changed);

	assert_int_equal(rename_link(&world->nl, world->own, "vtnew"), 0);
	facts = read_facts(&monitor);
	assert_true(facts.own_renamed);
	assert_string_equal(facts.own_name, "vtnew");
	assert_false(facts.own_up_changed || facts.own_mtu_changed || facts.underlay_changed);

	assert_int_equal(nl_link_set_mtu(&world->nl, world->own, 1400), 0);
	facts = read_facts(&monitor);
	assert_true(facts.own_mtu_changed);
	assert_int_equal(facts.own_mtu, 1400);
	assert_false(facts.own_renamed);

	assert_int_equal(nl_link_no_link_local(&world->nl, world->own), 0);
	assert_int_equal(nl_link_set_up(&world->nl, world->own), 0);
	facts = read_facts(&monitor);
	assert_true(facts.own_up_changed && facts.own_is_up);
	monitor_close(&monitor);
}

static void test_monitor_own_routes(struct world *world)
{
	struct monitor monitor = MONITOR_NULL;
	struct monitor_facts facts;

	watch(world, &monitor);
	assert_int_equal(nl_link_no_link_local(&world->nl, world->own), 0);
	assert_int_equal(nl_link_set_up(&world->nl, world->own), 0);
	(void)read_facts(&monitor);
	/* Own addresses and routes are not the underlay's. */
	assert_int_equal(add_address(world, world->own, "10.9.0.1/24"), 0);
	assert_int_equal(add_address(world, world->own, "fd00:9::1/64"), 0);
	assert_int_equal(add_route(world, world->own, "10.10.0.0/16"), 0);
	assert_int_equal(add_route(world, world->own, "fd00:10::/32"), 0);
	facts = read_facts(&monitor);
	assert_false(facts.underlay_changed || facts.own_up_changed);

	assert_int_equal(set_down(&world->nl, world->own), 0);
	facts = read_facts(&monitor);
	assert_true(facts.own_up_changed && !facts.own_is_up);

	/* Up and down between two reads is no change. */
	assert_int_equal(nl_link_set_up(&world->nl, world->own), 0);
	assert_int_equal(set_down(&world->nl, world->own), 0);
	facts = read_facts(&monitor);
	assert_false(facts.own_up_changed);
	monitor_close(&monitor);
}

static void test_monitor_deleted(struct world *world)
{
	struct monitor monitor = MONITOR_NULL;
	struct monitor_facts facts;

	watch(world, &monitor);
	close(world->own_fd);
	world->own_fd = -1;
	facts = read_facts(&monitor);
	assert_true(facts.own_deleted && !facts.own_moved);
	monitor_close(&monitor);
	monitor_close(&monitor);
	assert_int_equal(monitor_fd(&monitor), -1);
	assert_int_equal(monitor_read(&monitor, &facts), -EBADF);
}

static void test_monitor_moved(struct world *world)
{
	struct monitor monitor = MONITOR_NULL;
	struct monitor_facts facts;
	int here;
	int there;

	watch(world, &monitor);
	here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	enter_netns();
	there = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	assert_int_equal(move_link(&world->nl, world->own, there), 0);
	facts = read_facts(&monitor);
	assert_true(facts.own_moved && !facts.own_deleted);
	close(here);
	close(there);
	monitor_close(&monitor);
}

static void test_monitor_underlay(struct world *world)
{
	struct monitor monitor = MONITOR_NULL;

	watch(world, &monitor);
	assert_int_equal(nl_link_no_link_local(&world->nl, world->other), 0);
	assert_int_equal(nl_link_set_up(&world->nl, world->other), 0);
	assert_true(read_facts(&monitor).underlay_changed);
	assert_int_equal(add_address(world, world->other, "10.7.0.1/32"), 0);
	assert_true(read_facts(&monitor).underlay_changed);
	assert_int_equal(add_address(world, world->other, "fd00:7::1/64"), 0);
	assert_true(read_facts(&monitor).underlay_changed);
	assert_int_equal(add_route(world, world->other, "10.8.0.0/16"), 0);
	assert_true(read_facts(&monitor).underlay_changed);
	assert_int_equal(add_route(world, world->other, "fd00:8::/64"), 0);
	assert_true(read_facts(&monitor).underlay_changed);
	close(world->other_fd);
	world->other_fd = -1;
	assert_true(read_facts(&monitor).underlay_changed);
	monitor_close(&monitor);
}

static void test_monitor_unknown(void **state)
{
	struct monitor monitor = MONITOR_NULL;

	(void)state;
	enter_netns();
	assert_int_equal(monitor_open(&monitor, NULL, 9999), -ENODEV);
	assert_int_equal(monitor_fd(&monitor), -1);
	assert_int_equal(monitor_open(&monitor, NULL, 0), -ENODEV);
	monitor_close(&monitor);
}

static void test_monitor_overrun(struct world *world)
{
	struct monitor monitor = MONITOR_NULL;
	struct monitor_facts facts;

	watch(world, &monitor);
	overrun(&world->nl, world->own, &monitor);
	assert_int_equal(nl_link_set_up(&world->nl, world->own), 0);
	facts = read_facts(&monitor);
	assert_true(facts.underlay_changed);
	assert_true(facts.own_mtu_changed);
	assert_int_equal(facts.own_mtu, 1499);
	assert_true(facts.own_up_changed && facts.own_is_up);

	/* The one event that must not be lost. */
	overrun(&world->nl, world->own, &monitor);
	close(world->own_fd);
	world->own_fd = -1;
	facts = read_facts(&monitor);
	assert_true(facts.own_deleted);
	monitor_close(&monitor);
}

/* Messages with any content: nothing is read behind their end, nothing odd becomes a fact. */
static void test_event_garbage(void **state)
{
	static const uint16_t types[] = { RTM_NEWLINK,  RTM_DELLINK,  RTM_NEWADDR, RTM_DELADDR,
					  RTM_NEWROUTE, RTM_DELROUTE, NLMSG_ERROR, RTM_NEWNEIGH };
	const char *given = getenv("TEST_SEED");
	uint64_t seed = 1;

	(void)state;
	if (given)
		assert_true(parse_number(given, UINT32_MAX, &seed));
	print_message("seed %u (TEST_SEED)\n", (unsigned int)seed);
	srandom((unsigned int)seed);
	for (int round = 0; round < 20000; round++) {
		size_t len = sizeof(struct nlmsghdr) + (size_t)random() % 96;
		struct nlmsghdr *message = malloc(len);
		struct nl_event event;
		uint8_t *bytes = (uint8_t *)message;

		assert_non_null(message);
		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)(random() % 4 ? random() % 24 : random());
		message->nlmsg_len = (uint32_t)len;
		message->nlmsg_type = types[(size_t)random() % ARRAY_SIZE(types)];
		nl_event_parse(message, &event);
		assert_true(message->nlmsg_type != RTM_NEWNEIGH || event.kind == NL_EVENT_OTHER);
		assert_true(event.kind != NL_EVENT_REFUSED || event.error < 0);
		assert_int_equal(event.link.name[IFNAMSIZ - 1], '\0');
		free(message);
	}
}

/* A port that leaves its bridge is announced as a deleted link, but it is not. */
static void test_event_bridge(void **state)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct ifinfomsg info = { .ifi_family = AF_BRIDGE, .ifi_index = 5 };
	struct nl_event event;

	(void)state;
	nl_event_parse(begin(buffer, RTM_DELLINK, 0, &info, sizeof(info)), &event);
	assert_int_equal(event.kind, NL_EVENT_OTHER);
	info.ifi_family = AF_UNSPEC;
	nl_event_parse(begin(buffer, RTM_DELLINK, 0, &info, sizeof(info)), &event);
	assert_int_equal(event.kind, NL_EVENT_LINK_GONE);
	assert_int_equal(event.ifindex, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(setup, test_monitor_own),
		WORLD_TEST(setup, test_monitor_own_routes),
		WORLD_TEST(setup, test_monitor_deleted),
		WORLD_TEST(setup, test_monitor_moved),
		WORLD_TEST(setup, test_monitor_underlay),
		cmocka_unit_test(test_monitor_unknown),
		WORLD_TEST(setup, test_monitor_overrun),
		cmocka_unit_test(test_event_garbage),
		cmocka_unit_test(test_event_bridge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
