/* Hearing of a link's table of the packet filter: filter_watch.c. Needs root and nftables. */
#include "tests/unit/full_tunnel.h"

#include "daemon/host/filter.h"
#include "daemon/host/filter_watch.h"

static const char *const none[] = { NULL };

struct world {
	struct field field;
	struct netlink nf;
	struct conf_link conf;
	struct filter_watch watch;
};

static void open_world(struct world *world)
{
	*world = (struct world) { .nf = NETLINK_NULL, .watch = FILTER_WATCH_NULL };
	field_open(&world->field);
	assert_int_equal(filter_open(NULL, &world->nf), 0);
	world->conf = (struct conf_link) { .addresses = prefix_list(none) };
	assert_int_equal(filter_watch_fd(&world->watch), -1);
	assert_int_equal(filter_watch_open(&world->watch, "vta", NULL), 0);
}

static void close_world(struct world *world)
{
	filter_watch_close(&world->watch);
	filter_watch_close(&world->watch);
	netlink_close(&world->nf);
	free(world->conf.addresses.items);
	field_close(&world->field);
}

static void make_table(struct world *world, const char *link)
{
	const struct filter filter = { .link = link,
				       .ifindex = world->field.underlay.ifindex,
				       .conf = &world->conf,
				       .parts = FILTER_CLAMP };
	unsigned int made = 0;

	assert_int_equal(filter_set(&world->nf, &filter, &made), 0);
	if (made == 0) {
		print_message("skipped: the kernel lacks a part of nftables\n");
		skip();
	}
}

static bool is_readable(const struct world *world)
{
	struct pollfd item = { .fd = filter_watch_fd(&world->watch), .events = POLLIN };

	return poll(&item, 1, 0) == 1;
}

static void test_deleted(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	assert_false(is_readable(&world));
	assert_false(filter_watch_read(&world.watch));
	/* Made, and made anew in one step, which deletes the one before. */
	make_table(&world, "vta");
	make_table(&world, "vta");
	assert_true(is_readable(&world));
	assert_false(filter_watch_read(&world.watch));
	assert_false(is_readable(&world));
	assert_int_equal(filter_remove(&world.nf, "vta"), 0);
	assert_true(is_readable(&world));
	assert_true(filter_watch_read(&world.watch));
	/* As long as it is. */
	assert_true(filter_watch_read(&world.watch));
	make_table(&world, "vta");
	assert_false(filter_watch_read(&world.watch));
	close_world(&world);
}

/* Tables of others, whose names begin alike. */
static void test_others(void **state)
{
	static const char *const links[] = { "vt", "vtaa", "vtb" };
	struct world world;

	(void)state;
	open_world(&world);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		make_table(&world, links[i]);
		assert_int_equal(filter_remove(&world.nf, links[i]), 0);
		assert_false(filter_watch_read(&world.watch));
	}
	close_world(&world);
}

/* More than the socket holds: then it may be gone. */
static void test_lost(void **state)
{
	struct world world;
	int size = 1;

	(void)state;
	open_world(&world);
	assert_int_equal(setsockopt(filter_watch_fd(&world.watch), SOL_SOCKET, SO_RCVBUF, &size,
				    sizeof(size)),
			 0);
	for (int i = 0; i < 20; i++)
		make_table(&world, "vta");
	assert_true(filter_watch_read(&world.watch));
	assert_false(filter_watch_read(&world.watch));
	close_world(&world);
}

static int open_without_rights(void *context)
{
	struct filter_watch watch = FILTER_WATCH_NULL;

	(void)context;
	return -filter_watch_open(&watch, "vta", NULL);
}

static void test_without_rights(void **state)
{
	(void)state;
	enter_netns();
	assert_int_equal(without_rights(open_without_rights, NULL), EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deleted),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_without_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
