/*
 * Requests to the kernel, against a real kernel in a network namespace: netlink.c, nl_link.c,
 * nl_addr.c and nl_route.c.
 */
#include "tests/unit/net_world.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/nsec.h"

static void up(struct world *world)
{
	assert_int_equal(nl_link_set_up(&world->nl, world->own), 0);
	assert_int_equal(nl_link_set_up(&world->nl, world->other), 0);
}

static union netaddr addr_of(const char *text)
{
	union netaddr addr = { .sa.sa_family = AF_INET };

	if (inet_pton(AF_INET, text, &addr.in4.sin_addr) == 1)
		return addr;
	addr.sa.sa_family = AF_INET6;
	assert_int_equal(inet_pton(AF_INET6, text, &addr.in6.sin6_addr), 1);
	return addr;
}

/* A route with an MTU of its own. */
static int add_route_mtu(struct netlink *nl, unsigned int ifindex, const char *text, uint32_t mtu)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct prefix prefix = prefix_of(text);
	struct rtmsg route = { .rtm_family = prefix.family,
			       .rtm_dst_len = prefix.len,
			       .rtm_table = RT_TABLE_MAIN,
			       .rtm_protocol = RTPROT_STATIC,
			       .rtm_scope = prefix.family == AF_INET ? RT_SCOPE_LINK : 0,
			       .rtm_type = RTN_UNICAST };
	struct nlmsghdr *request = begin(buffer, RTM_NEWROUTE, NLM_F_CREATE, &route, sizeof(route));
	struct nlattr *metrics;

	mnl_attr_put(request, RTA_DST, prefix.family == AF_INET ? 4 : 16, prefix.addr);
	mnl_attr_put_u32(request, RTA_OIF, ifindex);
	metrics = mnl_attr_nest_start(request, RTA_METRICS);
	mnl_attr_put_u32(request, RTAX_MTU, mtu);
	mnl_attr_nest_end(request, metrics);
	return netlink_query(nl, request, NULL, NULL);
}

static int add_blackhole(struct netlink *nl, const char *text)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct prefix prefix = prefix_of(text);
	struct rtmsg route = { .rtm_family = prefix.family,
			       .rtm_dst_len = prefix.len,
			       .rtm_table = RT_TABLE_MAIN,
			       .rtm_protocol = RTPROT_STATIC,
			       .rtm_type = RTN_BLACKHOLE };
	struct nlmsghdr *request = begin(buffer, RTM_NEWROUTE, NLM_F_CREATE, &route, sizeof(route));

	mnl_attr_put(request, RTA_DST, prefix.family == AF_INET ? 4 : 16, prefix.addr);
	return netlink_query(nl, request, NULL, NULL);
}

/* "Packets with this mark use that table." */
static int add_mark_rule(struct netlink *nl, uint32_t mark, uint32_t table)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct fib_rule_hdr rule = { .family = AF_INET, .action = FR_ACT_TO_TBL };
	struct nlmsghdr *request =
		begin(buffer, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, &rule, sizeof(rule));

	mnl_attr_put_u32(request, FRA_FWMARK, mark);
	mnl_attr_put_u32(request, FRA_TABLE, table);
	return netlink_query(nl, request, NULL, NULL);
}

static void test_closed_socket(void **state)
{
	struct netlink nl = NETLINK_NULL;
	unsigned int ifindex = 7;

	(void)state;
	assert_int_equal(netlink_fd(&nl), -1);
	assert_int_equal(nl_link_index(&nl, "lo", &ifindex), -EBADF);
	assert_int_equal(ifindex, 7);
	netlink_close(&nl);
}

static void test_link_index(struct world *world)
{
	unsigned int ifindex = 7;

	assert_int_equal(nl_link_index(&world->nl, "nosuch", &ifindex), -ENODEV);
	assert_int_equal(nl_link_index(&world->nl, "", &ifindex), -EINVAL);
	assert_int_equal(nl_link_index(&world->nl, "sixteen-letters!", &ifindex), -EINVAL);
	assert_int_equal(ifindex, 7);
	assert_int_equal(nl_link_index(&world->nl, "lo", &ifindex), 0);
	assert_int_equal(ifindex, if_nametoindex("lo"));
}

static void test_link_changes(struct world *world)
{
	struct nl_link link;

	assert_int_equal(nl_link_get(&world->nl, world->own, &link), 0);
	assert_int_equal(link.ifindex, world->own);
	assert_int_equal(link.mtu, 1500);
	assert_false(link.is_up);
	assert_string_equal(link.name, "vta");

	assert_int_equal(nl_link_no_link_local(&world->nl, world->own), 0);
	assert_int_equal(nl_link_set_mtu(&world->nl, world->own, 1420), 0);
	assert_int_equal(nl_link_set_up(&world->nl, world->own), 0);
	assert_int_equal(nl_link_set_up(&world->nl, world->own), 0);
	assert_int_equal(nl_link_get(&world->nl, world->own, &link), 0);
	assert_int_equal(link.mtu, 1420);
	assert_true(link.is_up);

	assert_int_equal(nl_link_set_mtu(&world->nl, world->own, 67), -EINVAL);
	assert_int_equal(nl_link_set_mtu(&world->nl, world->own, 70000), -EINVAL);

	assert_int_equal(nl_link_get(&world->nl, 9999, &link), -ENODEV);
	assert_int_equal(nl_link_set_mtu(&world->nl, 9999, 1400), -ENODEV);
	assert_int_equal(nl_link_set_up(&world->nl, 9999), -ENODEV);
	assert_int_equal(nl_link_no_link_local(&world->nl, 9999), -ENODEV);
	assert_int_equal(nl_link_get(&world->nl, 0, &link), -ENODEV);
	assert_int_equal(nl_link_set_mtu(&world->nl, 0, 1400), -ENODEV);
	assert_int_equal(nl_link_set_up(&world->nl, 0), -ENODEV);
	assert_int_equal(nl_link_no_link_local(&world->nl, 0), -ENODEV);
}

/* An interface below 1,280 bytes has no IPv6, and so no link-local addresses to keep away. */
static void test_no_link_local_without_ipv6(struct world *world)
{
	assert_int_equal(nl_link_set_mtu(&world->nl, world->own, 1000), 0);
	assert_int_equal(nl_link_no_link_local(&world->nl, world->own), 0);
}

/* Whether a socket can be bound to the address this very moment. */
static bool can_bind(const char *text)
{
	union netaddr addr = addr_of(text);
	int fd = socket(addr.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result;

	assert_true(fd >= 0);
	result = bind(fd, &addr.sa, netaddr_len(&addr));
	close(fd);
	return result == 0;
}

static void test_addresses(struct world *world)
{
	struct prefix odd = prefix_of("10.9.0.9/24");

	up(world);
	assert_int_equal(add_address(world, world->own, "10.9.0.1/24"), 0);
	assert_int_equal(add_address(world, world->own, "10.9.0.2/32"), 0);
	assert_int_equal(add_address(world, world->own, "fd00:9::1/64"), 0);
	assert_true(can_bind("10.9.0.1"));
	assert_true(can_bind("10.9.0.2"));
	assert_true(can_bind("fd00:9::1"));
	assert_false(can_bind("10.9.0.3"));

	assert_int_equal(add_address(world, world->own, "10.9.0.1/24"), -EEXIST);
	assert_int_equal(add_address(world, world->own, "fd00:9::1/64"), -EEXIST);
	assert_int_equal(add_address(world, world->own, "ff02::9/64"), -EADDRNOTAVAIL);
	assert_int_equal(add_address(world, 9999, "10.9.0.1/24"), -ENODEV);
	assert_int_equal(add_address(world, 9999, "fd00:9::1/64"), -ENODEV);
	odd.len = 33;
	assert_int_equal(nl_addr_add(&world->nl, world->own, &odd, true), -EINVAL);
	odd.family = AF_UNIX;
	assert_int_equal(nl_addr_add(&world->nl, world->own, &odd, true), -EAFNOSUPPORT);
}

static void test_address_without_ipv6(struct world *world)
{
	assert_int_equal(nl_link_set_mtu(&world->nl, world->own, 1000), 0);
	assert_true(add_address(world, world->own, "fd00:9::1/64") < 0);
	assert_int_equal(add_address(world, world->own, "10.9.0.1/24"), 0);
}

static void test_routes(struct world *world)
{
	struct prefix list[] = { prefix_of("10.0.0.0/8"), prefix_of("fd00:8::/32"),
				 prefix_of("10.1.0.0/16"), prefix_of("10.0.0.0/8"),
				 prefix_of("192.0.2.7/32") };
	struct nl_route_failure failure;
	struct nl_path path;
	union netaddr far = addr_of("10.200.1.1");

	up(world);
	assert_int_equal(nl_path_get(&world->nl, &far, 0, &path), -ENETUNREACH);
	for (int round = 0; round < 2; round++) {
		/* The second time everything is there already, and that is fine. */
		assert_int_equal(nl_route_add(&world->nl, world->own, NL_ROUTE_TABLE_MAIN, list,
					      ARRAY_SIZE(list) - (size_t)round, &failure),
				 0);
		assert_int_equal(list[0].len, 32);
		assert_int_equal(list[0].family, AF_INET);
		assert_int_equal(list[1].len, 32);
		assert_int_equal(list[2].len, 16);
		assert_int_equal(list[3].len, 8);
	}
	assert_int_equal(nl_path_get(&world->nl, &far, 0, &path), 0);
	assert_int_equal(path.ifindex, world->own);
	far = addr_of("fd00:8::1");
	assert_int_equal(nl_path_get(&world->nl, &far, 0, &path), 0);
	assert_int_equal(path.ifindex, world->own);
	assert_int_equal(
		nl_route_add(&world->nl, world->own, NL_ROUTE_TABLE_MAIN, list, 0, &failure), 0);
}

/* The kernel's own route for an address counts as ours, another interface's does not. */
static void test_route_taken(struct world *world)
{
	struct prefix list[3];
	struct nl_route_failure failure;

	up(world);
	assert_int_equal(add_address(world, world->own, "10.9.0.1/24"), 0);
	assert_int_equal(add_route(world, world->own, "10.9.0.0/24"), 0);

	assert_int_equal(add_address(world, world->other, "10.7.0.1/24"), 0);
	assert_int_equal(add_route(world, world->other, "fd00:7::/64"), 0);
	list[0] = prefix_of("10.6.0.0/16");
	list[1] = prefix_of("10.7.0.0/24");
	list[2] = prefix_of("10.9.0.0/24");
	assert_int_equal(
		nl_route_add(&world->nl, world->own, NL_ROUTE_TABLE_MAIN, list, 3, &failure),
		NL_ROUTE_TAKEN);
	assert_int_equal(failure.ifindex, world->other);
	assert_int_equal(failure.prefix.len, 24);
	assert_int_equal(failure.prefix.addr[1], 7);
	list[0] = prefix_of("fd00:7::/64");
	assert_int_equal(
		nl_route_add(&world->nl, world->own, NL_ROUTE_TABLE_MAIN, list, 1, &failure),
		NL_ROUTE_TAKEN);
	assert_int_equal(failure.ifindex, world->other);
	assert_int_equal(failure.prefix.family, AF_INET6);

	assert_int_equal(add_blackhole(&world->nl, "10.66.0.0/16"), 0);
	list[0] = prefix_of("10.66.0.0/16");
	assert_int_equal(
		nl_route_add(&world->nl, world->own, NL_ROUTE_TABLE_MAIN, list, 1, &failure),
		NL_ROUTE_TAKEN);
	assert_int_equal(failure.ifindex, 0);

	/* What is taken in the main table is free in another one. */
	assert_int_equal(nl_route_add(&world->nl, world->own, 51820, list, 1, &failure), 0);
	assert_int_equal(nl_route_add(&world->nl, world->own, 51820, list, 1, &failure), 0);
}

static void test_route_errors(struct world *world)
{
	struct prefix list[] = { prefix_of("10.1.0.0/16"), prefix_of("10.2.0.0/15") };
	struct nl_route_failure failure;

	assert_int_equal(add_route(world, world->own, "10.9.0.0/24"), -ENETDOWN);
	assert_int_equal(add_route(world, 9999, "10.9.0.0/24"), -ENODEV);
	up(world);
	/* Host bits: the kernel refuses; the longer prefix in front of it has been added. */
	list[1].addr[3] = 1;
	assert_int_equal(
		nl_route_add(&world->nl, world->own, NL_ROUTE_TABLE_MAIN, list, 2, &failure),
		-EINVAL);
	assert_int_equal(failure.prefix.len, 15);
}

/* As many routes as a list of all the prefixes of a country or two. */
static void test_many_routes(struct world *world)
{
	enum { N_ROUTES = 130000 };
	struct prefix *list = calloc(N_ROUTES, sizeof(*list));
	struct nl_route_failure failure;

	assert_non_null(list);
	up(world);
	for (int round = 0; round < 2; round++) {
		nsec_t start;
		double seconds;

		for (uint32_t i = 0; i < N_ROUTES; i++) {
			bool is_ipv4 = i % 2;

			list[i] = (struct prefix) { .family = is_ipv4 ? AF_INET : AF_INET6,
						    .len = is_ipv4 ? 32 : 64 };
			list[i].addr[0] = is_ipv4 ? 10 : 0xfd;
			list[i].addr[1] = (uint8_t)(i >> 16);
			list[i].addr[2] = (uint8_t)(i >> 8);
			list[i].addr[3] = (uint8_t)i;
		}
		start = nsec_boottime();
		assert_int_equal(nl_route_add(&world->nl, world->own, NL_ROUTE_TABLE_MAIN, list,
					      N_ROUTES, &failure),
				 0);
		seconds = (double)(nsec_boottime() - start) / NSEC_PER_SEC;
		print_message("%d routes, %s: %.2f s\n", N_ROUTES, round ? "again" : "new",
			      seconds);
		assert_true(seconds < 60);
	}
	free(list);
}

/* Where packets to an address go, and how long they may be there. */
struct path_case {
	const char *to;
	uint32_t mark;
	bool is_other;
	uint32_t mtu;
};

static void expect_path(struct world *world, const struct path_case *row)
{
	struct nl_path path = { .ifindex = 0 };
	union netaddr addr = addr_of(row->to);

	assert_int_equal(nl_path_get(&world->nl, &addr, row->mark, &path), 0);
	if (path.ifindex != (row->is_other ? world->other : world->own) || path.mtu != row->mtu)
		fail_msg("to %s, mark %u: interface %u, MTU %u", row->to, row->mark, path.ifindex,
			 path.mtu);
}

static void test_path(struct world *world)
{
	static const struct path_case rows[] = {
		{ "10.1.0.1", 0, false, 1400 },
		/* A smaller MTU of the route, and a larger one. */
		{ "10.1.1.1", 0, false, 1300 },
		{ "10.1.2.1", 0, false, 1400 },
		{ "fd00:1::1", 0, false, 1320 },
		/* A mark that has a table of its own. */
		{ "10.3.0.1", 0, false, 1400 },
		{ "10.3.0.1", 0x51, true, 1500 },
		{ "10.3.0.1", 0x52, false, 1400 },
	};
	struct prefix marked = prefix_of("10.3.0.0/16");
	struct nl_route_failure failure;

	up(world);
	assert_int_equal(nl_link_set_mtu(&world->nl, world->own, 1400), 0);
	assert_int_equal(add_route(world, world->own, "10.1.0.0/16"), 0);
	assert_int_equal(add_route_mtu(&world->nl, world->own, "10.1.1.0/24", 1300), 0);
	assert_int_equal(add_route_mtu(&world->nl, world->own, "10.1.2.0/24", 9000), 0);
	assert_int_equal(add_route_mtu(&world->nl, world->own, "fd00:1::/64", 1320), 0);
	assert_int_equal(add_route(world, world->own, "10.3.0.0/16"), 0);
	assert_int_equal(nl_route_add(&world->nl, world->other, 100, &marked, 1, &failure), 0);
	assert_int_equal(add_mark_rule(&world->nl, 0x51, 100), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_path(world, &rows[i]);
}

/* A link-local destination goes where its scope says. */
static void test_path_of_scope(struct world *world)
{
	union netaddr addr = addr_of("fe80::1");
	struct nl_path path;

	up(world);
	addr.in6.sin6_scope_id = world->other;
	assert_int_equal(nl_path_get(&world->nl, &addr, 0, &path), 0);
	assert_int_equal(path.ifindex, world->other);
	addr.in6.sin6_scope_id = 9999;
	assert_true(nl_path_get(&world->nl, &addr, 0, &path) < 0);
}

static void test_no_path(struct world *world)
{
	union netaddr addr = { .sa.sa_family = AF_UNSPEC };
	struct nl_path path = { .ifindex = 7 };

	up(world);
	assert_int_equal(nl_path_get(&world->nl, &addr, 0, &path), -EAFNOSUPPORT);
	assert_int_equal(path.ifindex, 7);
	addr = addr_of("2001:db8::1");
	assert_int_equal(nl_path_get(&world->nl, &addr, 0, &path), -ENETUNREACH);
}

/* Returns the number of the first check that failed, or 0. */
static int try_without_rights(void *context)
{
	struct world *world = context;
	struct nl_link link;
	struct nl_path path;
	union netaddr addr = { .in4 = { .sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };

	if (nl_link_set_mtu(&world->nl, world->own, 1400) != -EPERM)
		return 1;
	if (nl_link_set_up(&world->nl, world->own) != -EPERM)
		return 2;
	if (nl_link_no_link_local(&world->nl, world->own) != -EPERM)
		return 3;
	if (add_address(world, world->own, "10.9.0.1/24") != -EPERM)
		return 4;
	if (add_route(world, world->own, "10.9.0.0/24") != -EPERM)
		return 5;
	if (nl_link_get(&world->nl, world->own, &link) != 0)
		return 6;
	if (nl_path_get(&world->nl, &addr, 0, &path) != -ENETUNREACH)
		return 7;
	return 0;
}

static void test_without_rights(struct world *world)
{
	/* The kernel also looks at the rights of whoever opened the socket, so the child's own
	 * rights decide here. */
	assert_int_equal(without_rights(try_without_rights, world), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closed_socket),
		WORLD_TEST(setup, test_link_index),
		WORLD_TEST(setup, test_link_changes),
		WORLD_TEST(setup, test_no_link_local_without_ipv6),
		WORLD_TEST(setup, test_addresses),
		WORLD_TEST(setup, test_address_without_ipv6),
		WORLD_TEST(setup, test_routes),
		WORLD_TEST(setup, test_route_taken),
		WORLD_TEST(setup, test_route_errors),
		WORLD_TEST(setup, test_many_routes),
		WORLD_TEST(setup, test_path),
		WORLD_TEST(setup, test_path_of_scope),
		WORLD_TEST(setup, test_no_path),
		WORLD_TEST(setup, test_without_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
