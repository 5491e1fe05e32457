/* Bridges in a namespace: bridge.c, nl_bridge.c, and what monitor.c and ifsetup.c make of them.
 * Needs root. */
#include "tests/unit/monitor_events.h"
#include "tests/unit/world.h"

#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/host/bridge.h"
#include "daemon/host/ifsetup.h"
#include "daemon/host/monitor.h"

static char br0[] = "br0", br1[] = "br1", lo[] = "lo";
static struct bridge made; /* by the last claim() */
static char text[BRIDGE_TEXT_MAX];

/* Two TAP interfaces, a file that names br0, and no bridge. */
static void setup(struct world *world)
{
	open_world(world, IFF_TAP);
	world->conf.mode = CONF_MODE_TAP;
	world->conf.bridge = br0;
	made = (struct bridge) { .ifindex = 0 };
}

static int claim(struct world *world)
{
	return bridge_claim(&world->nl, &world->conf, &made, text);
}

static unsigned int master_of(struct world *world, unsigned int ifindex)
{
	struct nl_link link;

	assert_int_equal(nl_link_get(&world->nl, ifindex, &link), 0);
	return link.master;
}

static void only_a_bridge_is_a_bridge(struct world *world)
{
	struct nl_link link;

	assert_int_equal(claim(world), BRIDGE_MISSING);
	assert_non_null(strstr(text, "BridgeCreate = yes"));
	world->conf.bridge = lo;
	assert_int_equal(claim(world), BRIDGE_OTHER);
	assert_non_null(strstr(text, "lo is no bridge"));
	/* Also when it could be made. */
	world->conf.bridge_create = true;
	assert_int_equal(claim(world), BRIDGE_OTHER);
	assert_int_equal(bridge_find(&world->nl, "vta", &link), BRIDGE_OTHER);
	assert_int_equal(bridge_join(&world->nl, "br0", world->own), BRIDGE_MISSING);
	assert_int_equal(bridge_join(&world->nl, "lo", world->own), BRIDGE_OTHER);
}

static void it_is_made_switched_on_and_unmade(struct world *world)
{
	struct nl_link link;

	world->conf.bridge_create = true;
	assert_int_equal(claim(world), BRIDGE_MADE);
	assert_string_equal(made.name, "br0");
	assert_int_equal(bridge_find(&world->nl, "br0", &link), 0);
	assert_int_equal(link.ifindex, made.ifindex);
	assert_true(link.is_up);
	assert_int_equal(claim(world), 0);
	assert_int_equal(bridge_unmake(&world->nl, &made, world->own), 0);
	assert_int_equal(bridge_find(&world->nl, "br0", &link), BRIDGE_MISSING);
	assert_int_equal(bridge_unmake(&world->nl, &made, world->own), 0);
}

static void one_with_other_ports_stays(struct world *world)
{
	world->conf.bridge_create = true;
	assert_int_equal(claim(world), BRIDGE_MADE);
	assert_int_equal(bridge_join(&world->nl, "br0", world->own), 0);
	assert_int_equal(bridge_join(&world->nl, "br0", world->other), 0);
	assert_int_equal(bridge_unmake(&world->nl, &made, world->own), BRIDGE_IN_USE);
	assert_int_equal(bridge_unmake(&world->nl, &made, 0), BRIDGE_IN_USE);
	assert_int_equal(bridge_leave(&world->nl, world->other), 0);
	assert_int_equal(bridge_unmake(&world->nl, &made, 0), BRIDGE_IN_USE);
	assert_int_equal(bridge_unmake(&world->nl, &made, world->own), 0);
	assert_int_equal(master_of(world, world->own), 0);
}

static void one_that_was_made_again_is_not_ours(struct world *world)
{
	struct nl_link link;

	world->conf.bridge_create = true;
	assert_int_equal(claim(world), BRIDGE_MADE);
	assert_int_equal(nl_bridge_del(&world->nl, made.ifindex), 0);
	assert_int_equal(nl_bridge_add(&world->nl, "br0"), 0);
	assert_int_equal(bridge_unmake(&world->nl, &made, 0), 0);
	assert_int_equal(bridge_find(&world->nl, "br0", &link), 0);
}

static void ports_join_and_leave(struct world *world)
{
	struct nl_link link;
	size_t n = 9;

	assert_int_equal(nl_bridge_add(&world->nl, "br0"), 0);
	assert_int_equal(nl_bridge_add(&world->nl, "br0"), -EEXIST);
	assert_int_equal(nl_bridge_add(&world->nl, "br1"), 0);
	assert_int_equal(bridge_find(&world->nl, "br0", &link), 0);
	assert_int_equal(nl_bridge_ports(&world->nl, link.ifindex, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(bridge_join(&world->nl, "br0", world->own), 0);
	assert_int_equal(bridge_join(&world->nl, "br0", world->own), 0);
	assert_int_equal(master_of(world, world->own), link.ifindex);
	assert_int_equal(nl_bridge_ports(&world->nl, link.ifindex, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(bridge_join(&world->nl, "br1", world->own), 0);
	assert_int_not_equal(master_of(world, world->own), link.ifindex);
	assert_int_equal(bridge_leave(&world->nl, 9999), -ENODEV);
	assert_int_equal(bridge_leave(&world->nl, world->own), 0);
	assert_int_equal(bridge_leave(&world->nl, world->own), 0);
	assert_int_equal(master_of(world, world->own), 0);
}

static void odd_requests_are_refused(struct world *world)
{
	int fd;

	assert_int_equal(nl_bridge_add(&world->nl, ""), -EINVAL);
	assert_int_equal(nl_bridge_add(&world->nl, "sixteen-letters-"), -EINVAL);
	assert_int_equal(nl_bridge_del(&world->nl, 0), -ENODEV);
	assert_int_equal(nl_bridge_join(&world->nl, 0, 1), -ENODEV);
	assert_int_equal(nl_bridge_add(&world->nl, "br0"), 0);
	assert_int_equal(bridge_join(&world->nl, "br0", 9999), -ENODEV);
	fd = make_tun("packets");
	assert_int_equal(nl_link_index(&world->nl, "packets", &world->own), 0);
	assert_true(bridge_join(&world->nl, "br0", world->own) < 0);
	close(fd);
}

static int try_to_make(void *context)
{
	struct world *world = context;

	return claim(world) == -EPERM && strstr(text, "CAP_NET_ADMIN") ? 0 : 1;
}

static void without_the_right_it_is_refused(struct world *world)
{
	world->conf.bridge_create = true;
	assert_int_equal(without_rights(try_to_make, world), 0);
}

static void set_up_joins_and_a_change_moves(struct world *world)
{
	struct ifsetup_failure failure;
	struct conf_link after;
	struct nl_link link;

	world->conf.table_kind = CONF_TABLE_OFF;
	assert_int_equal(ifsetup_apply(&world->nl, &world->conf, world->own, 1500, &failure),
			 -ENXIO);
	assert_int_equal(failure.step, IFSETUP_BRIDGE);
	assert_int_equal(nl_bridge_add(&world->nl, "br0"), 0);
	assert_int_equal(nl_bridge_add(&world->nl, "br1"), 0);
	assert_int_equal(ifsetup_apply(&world->nl, &world->conf, world->own, 1500, &failure), 0);
	assert_int_equal(bridge_find(&world->nl, "br0", &link), 0);
	assert_int_equal(master_of(world, world->own), link.ifindex);

	after = world->conf;
	after.bridge = br1;
	assert_int_equal(ifsetup_change(&world->nl, &world->conf, &after, world->own, &failure), 0);
	assert_int_equal(bridge_find(&world->nl, "br1", &link), 0);
	assert_int_equal(master_of(world, world->own), link.ifindex);
	world->conf.bridge = NULL;
	assert_int_equal(ifsetup_change(&world->nl, &after, &world->conf, world->own, &failure), 0);
	assert_int_equal(master_of(world, world->own), 0);
	assert_int_equal(ifsetup_change(&world->nl, &world->conf, &after, world->own, &failure), 0);
	assert_int_equal(master_of(world, world->own), link.ifindex);

	/* Gone, and then there again. */
	assert_int_equal(nl_bridge_del(&world->nl, link.ifindex), 0);
	assert_int_equal(ifsetup_restore(&world->nl, &after, world->own, &failure), 0);
	assert_int_equal(nl_bridge_add(&world->nl, "br1"), 0);
	assert_int_equal(ifsetup_restore(&world->nl, &after, world->own, &failure), 0);
	assert_int_equal(bridge_find(&world->nl, "br1", &link), 0);
	assert_int_equal(master_of(world, world->own), link.ifindex);
}

/* All facts until the monitor has no more to tell, the newest of each kind. */
static struct monitor_facts read_all(struct monitor *monitor)
{
	struct pollfd readable = { .fd = monitor_fd(monitor), .events = POLLIN };
	struct monitor_facts facts, all = { 0 };

	while (poll(&readable, 1, 200) > 0) {
		assert_int_equal(monitor_read(monitor, &facts), 0);
		all.bridge_came |= facts.bridge_came;
		all.own_joined |= facts.own_joined;
		all.own_master = facts.own_master;
		all.own_deleted |= facts.own_deleted;
	}
	return all;
}

/* The link is a port of br0, and the monitor is told of that bridge. \return the bridge's index */
static unsigned int monitor_on_bridge(struct world *world, struct monitor *monitor)
{
	struct nl_link bridge;

	assert_int_equal(nl_bridge_add(&world->nl, "br0"), 0);
	assert_int_equal(bridge_find(&world->nl, "br0", &bridge), 0);
	assert_int_equal(bridge_join(&world->nl, "br0", world->own), 0);
	*monitor = (struct monitor)MONITOR_NULL;
	assert_int_equal(monitor_open(monitor, NULL, world->own), 0);
	monitor->bridge = br0;
	return bridge.ifindex;
}

static void the_monitor_tells_of_the_bridge(struct world *world)
{
	struct monitor monitor;
	struct monitor_facts facts;
	unsigned int bridge;

	bridge = monitor_on_bridge(world, &monitor);
	facts = read_all(&monitor);
	assert_false(facts.bridge_came || facts.own_joined);

	/* Taken out by hand: whatever happens to that bridge, it is not joined again. */
	assert_int_equal(bridge_leave(&world->nl, world->own), 0);
	assert_int_equal(nl_link_set_mtu(&world->nl, bridge, 1400), 0);
	facts = read_all(&monitor);
	assert_true(facts.own_joined);
	assert_int_equal(facts.own_master, 0);
	assert_false(facts.bridge_came || facts.own_deleted);

	assert_int_equal(bridge_join(&world->nl, "br0", world->own), 0);
	facts = read_all(&monitor);
	assert_true(facts.own_joined);
	assert_int_equal(facts.own_master, bridge);
	assert_false(facts.bridge_came);

	/* Deleted and made again. */
	assert_int_equal(nl_bridge_del(&world->nl, bridge), 0);
	facts = read_all(&monitor);
	assert_true(facts.own_joined);
	assert_false(facts.bridge_came || facts.own_deleted);
	assert_int_equal(nl_bridge_add(&world->nl, "br1"), 0);
	assert_false(read_all(&monitor).bridge_came);
	assert_int_equal(nl_bridge_add(&world->nl, "br0"), 0);
	assert_true(read_all(&monitor).bridge_came);
	monitor_close(&monitor);
}

/* By hand into another bridge, and out of that: it stays out of the first all the same. */
static void a_detour_does_not_bring_it_back(struct world *world)
{
	struct monitor monitor;
	struct monitor_facts facts;
	unsigned int bridge;

	assert_int_equal(nl_bridge_add(&world->nl, "br1"), 0);
	bridge = monitor_on_bridge(world, &monitor);
	assert_int_equal(bridge_join(&world->nl, "br1", world->own), 0);
	assert_true(read_all(&monitor).own_joined);
	assert_int_equal(bridge_leave(&world->nl, world->own), 0);
	facts = read_all(&monitor);
	assert_true(facts.own_joined && facts.own_master == 0);
	assert_int_equal(nl_link_set_mtu(&world->nl, bridge, 1400), 0);
	assert_false(read_all(&monitor).bridge_came);
	/* Another one of that name is news. */
	assert_int_equal(nl_bridge_del(&world->nl, bridge), 0);
	assert_int_equal(nl_bridge_add(&world->nl, "br0"), 0);
	assert_true(read_all(&monitor).bridge_came);
	monitor_close(&monitor);
}

static void lost_events_do_not_bring_it_back(struct world *world)
{
	struct monitor monitor;
	struct monitor_facts facts;
	unsigned int bridge;

	bridge = monitor_on_bridge(world, &monitor);
	assert_int_equal(bridge_leave(&world->nl, world->own), 0);
	overrun(&world->nl, world->own, &monitor);
	facts = read_all(&monitor);
	assert_int_equal(facts.own_master, 0);
	assert_false(facts.bridge_came || facts.own_deleted);
	/* Deleted and made again where nobody could see it. */
	overrun(&world->nl, world->own, &monitor);
	assert_int_equal(nl_bridge_del(&world->nl, bridge), 0);
	assert_int_equal(nl_bridge_add(&world->nl, "br0"), 0);
	facts = read_all(&monitor);
	assert_true(facts.bridge_came);
	assert_false(facts.own_deleted);
	monitor_close(&monitor);
}

/* What the next request answers instead of being sent; 0: nothing. */
static int faked_answer;

int __real_netlink_query(struct netlink *nl, struct nlmsghdr *request, netlink_reader reader,
			 void *context);
int __wrap_netlink_query(struct netlink *nl, struct nlmsghdr *request, netlink_reader reader,
			 void *context);

int __wrap_netlink_query(struct netlink *nl, struct nlmsghdr *request, netlink_reader reader,
			 void *context)
{
	int answer = faked_answer;
	int result;

	faked_answer = 0;
	if (answer == -EINTR)
		(void)__real_netlink_query(nl, request, reader, context);
	result = answer ? answer : __real_netlink_query(nl, request, reader, context);
	return result;
}

static void somebody_else_is_faster(struct world *world)
{
	world->conf.bridge_create = true;
	assert_int_equal(nl_bridge_add(&world->nl, "br0"), 0);
	/* It is not there yet when it is looked for, and is when it is to be made. */
	faked_answer = -ENODEV;
	assert_int_equal(claim(world), 0);
	assert_int_equal(made.ifindex, 0);
}

static void ports_are_counted_again_when_they_change_meanwhile(struct world *world)
{
	struct nl_link link;
	size_t n = 0;

	assert_int_equal(nl_bridge_add(&world->nl, "br0"), 0);
	assert_int_equal(bridge_join(&world->nl, "br0", world->own), 0);
	assert_int_equal(bridge_find(&world->nl, "br0", &link), 0);
	faked_answer = -EINTR;
	assert_int_equal(nl_bridge_ports(&world->nl, link.ifindex, &n), 0);
	assert_int_equal(n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(setup, only_a_bridge_is_a_bridge),
		WORLD_TEST(setup, it_is_made_switched_on_and_unmade),
		WORLD_TEST(setup, one_with_other_ports_stays),
		WORLD_TEST(setup, one_that_was_made_again_is_not_ours),
		WORLD_TEST(setup, ports_join_and_leave),
		WORLD_TEST(setup, odd_requests_are_refused),
		WORLD_TEST(setup, without_the_right_it_is_refused),
		WORLD_TEST(setup, set_up_joins_and_a_change_moves),
		WORLD_TEST(setup, the_monitor_tells_of_the_bridge),
		WORLD_TEST(setup, a_detour_does_not_bring_it_back),
		WORLD_TEST(setup, lost_events_do_not_bring_it_back),
		WORLD_TEST(setup, somebody_else_is_faster),
		WORLD_TEST(setup, ports_are_counted_again_when_they_change_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
