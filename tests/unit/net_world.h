/*
 * A world with two TUN interfaces (see world.h), and requests to the kernel that vpnd itself never
 * makes.
 */
#ifndef TESTS_UNIT_NET_WORLD_H
#define TESTS_UNIT_NET_WORLD_H

#include "tests/unit/world.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

static inline void setup(struct world *world)
{
	open_world(world, IFF_TUN);
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
