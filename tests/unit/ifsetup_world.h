/*
 * The network that test_ifsetup.c and test_ifsetup_change.c work on: a world with the values of
 * a link file; see world.h.
 */
#ifndef TESTS_UNIT_IFSETUP_WORLD_H
#define TESTS_UNIT_IFSETUP_WORLD_H

#include "tests/unit/world.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define MAX_PREFIXES 8

static inline struct conf_prefixes prefixes_of(const char *const *texts)
{
	struct conf_prefixes list = { .items = calloc(MAX_PREFIXES, sizeof(struct prefix)) };

	assert_non_null(list.items);
	for (; *texts; texts++)
		list.items[list.n++] = prefix_of(*texts);
	return list;
}

/* A world whose other interface is up with 10.7.0.1/24. Both lists end in NULL. */
static inline void setup(struct world *world, const char *const *addresses,
			 const char *const *allowed)
{
	struct prefix other_address = prefix_of("10.7.0.1/24");

	open_world(world, IFF_TUN);
	assert_int_equal(nl_addr_add(&world->nl, world->other, &other_address, true), 0);
	assert_int_equal(nl_link_set_up(&world->nl, world->other), 0);
	memcpy(world->conf.name, "vta", sizeof("vta"));
	world->conf.addresses = prefixes_of(addresses);
	world->conf.allowed_ips = prefixes_of(allowed);
}

static inline void teardown(struct world *world)
{
	free(world->conf.addresses.items);
	free(world->conf.allowed_ips.items);
	close_world(world);
}

static inline int apply(struct world *world, unsigned int mtu)
{
	return ifsetup_apply(&world->nl, &world->conf, world->own, mtu, &world->failure);
}

/* The interface that packets to an address would leave through, or 0. */
static inline unsigned int way_to(struct world *world, const char *text)
{
	union netaddr addr = { .sa.sa_family = AF_INET };
	struct nl_path path;

	if (inet_pton(AF_INET, text, &addr.in4.sin_addr) != 1) {
		addr.sa.sa_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &addr.in6.sin6_addr), 1);
	}
	return nl_path_get(&world->nl, &addr, 0, &path) == 0 ? path.ifindex : 0;
}

static const char *const two_addresses[] = { "10.9.0.1/24", "fd00:9::1/64", NULL };
static const char *const none[] = { NULL };

static inline bool is_table_used(struct world *world, uint32_t table)
{
	bool is_used = false;

	assert_int_equal(nl_route_table_used(&world->nl, table, &is_used), 0);
	return is_used;
}

#endif
