/*
 * The network that tests of daemon/host work on, a fresh one for each: a namespace with two
 * interfaces, and a socket to the kernel.
 */
#ifndef TESTS_UNIT_WORLD_H
#define TESTS_UNIT_WORLD_H

#include "tests/unit/host_env.h"

#include "daemon/host/ifsetup.h"
#include "daemon/host/nl.h"

/* A namespace with two interfaces, vta (the link) and vtb (another one), both down. */
struct world {
	struct netlink nl;
	int own_fd;
	int other_fd;
	unsigned int own;
	unsigned int other;
	struct conf_link conf; /* for tests that apply a file */
	struct ifsetup_failure failure;
};

/* Both interfaces are of this kind: IFF_TUN or IFF_TAP. */
static inline void open_world(struct world *world, short kind)
{
	enter_netns();
	*world = (struct world) { .nl = NETLINK_NULL };
	assert_int_equal(netlink_open(&world->nl), 0);
	world->own_fd = make_interface("vta", kind);
	world->other_fd = make_interface("vtb", kind);
	assert_int_equal(nl_link_index(&world->nl, "vta", &world->own), 0);
	assert_int_equal(nl_link_index(&world->nl, "vtb", &world->other), 0);
}

/* An interface that the test has closed is -1. */
static inline void close_world(struct world *world)
{
	if (world->own_fd >= 0)
		close(world->own_fd);
	if (world->other_fd >= 0)
		close(world->other_fd);
	netlink_close(&world->nl);
	netlink_close(&world->nl);
}

/* A test, and what makes its world. */
struct world_test {
	void (*open)(struct world *world);
	void (*run)(struct world *world);
};

/* Not a fixture of cmocka: in one of those a test cannot be skipped. */
static inline void run_in_world(void **state)
{
	const struct world_test *test = *state;
	struct world world;

	test->open(&world);
	test->run(&world);
	close_world(&world);
}

#define WORLD_TEST(open, run)                                                                      \
	{                                                                                          \
		.name = #run, .test_func = run_in_world, .initial_state = &(struct world_test)     \
		{                                                                                  \
			open, run                                                                  \
		}                                                                                  \
	}

#endif
