/*
 * The network that test_netlink.c and test_monitor.c work on: a namespace with two TUN interfaces,
 * and requests that change it.
 */
#ifndef TESTS_UNIT_NET_WORLD_H
#define TESTS_UNIT_NET_WORLD_H

#include "tests/unit/host_env.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "daemon/host/nl.h"

/* A namespace with two interfaces, vta (the link) and vtb (another one), both down. */
struct world {
	struct netlink nl;
	int own_fd;
	int other_fd;
	unsigned int own;
	unsigned int other;
};

static inline void setup(struct world *world)
{
	enter_netns();
	world->nl = (struct netlink)NETLINK_NULL;
	assert_int_equal(netlink_open(&world->nl), 0);
	world->own_fd = make_tun("vta");
	world->other_fd = make_tun("vtb");
	assert_int_equal(nl_link_index(&world->nl, "vta", &world->own), 0);
	assert_int_equal(nl_link_index(&world->nl, "vtb", &world->other), 0);
}

static inline void teardown(struct world *world)
{
	if (world->own_fd >= 0)
		close(world->own_fd);
	if (world->other_fd >= 0)
		close(world->other_fd);
	netlink_close(&world->nl);
	netlink_close(&world->nl);
}

/* Begins a request that vpnd itself never makes. */
static inline struct nlmsghdr *begin(void *buffer, uint16_t type, uint16_t flags,
				     const void *header, size_t header_size)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

	request->nlmsg_type = type;
	request->nlmsg_flags = flags;
	memcpy(mnl_nlmsg_put_extra_header(request, header_size), header, header_size);
	return request;
}

static inline int add_address(struct world *world, unsigned int ifindex, const char *text)
{
	struct prefix prefix = prefix_of(text);

	return nl_addr_add(&world->nl, ifindex, &prefix, true);
}

static inline int add_route(struct world *world, unsigned int ifindex, const char *text)
{
	struct prefix prefix = prefix_of(text);
	struct nl_route_failure failure;

	return nl_route_add(&world->nl, ifindex, NL_ROUTE_TABLE_MAIN, &prefix, 1, &failure);
}

#endif
