/* The bridge that a link makes, from start to stop: netup_bridge.c, with its notes. Needs root. */
#include "tests/unit/host_env.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/host/netup.h"
#include "tests/unit/temp_dir.h"

/* A namespace with a TAP interface, and a run directory. */
struct world {
	struct netlink nl;
	int fd;
	unsigned int ifindex;
	char dir[TEMP_DIR_LEN];
	char run_dir[64];
	struct conf_link conf;
	struct netup netup;
	char text[NETUP_TEXT_MAX];
};

static char br0[] = "br0", br1[] = "br1";

static void open_world(struct world *world)
{
	enter_netns();
	*world = (struct world) { .nl = NETLINK_NULL };
	assert_true(make_temp_dir(world->dir));
	snprintf(world->run_dir, sizeof(world->run_dir), "%s/vta", world->dir);
	assert_int_equal(netlink_open(&world->nl), 0);
	world->fd = make_tap("vta");
	assert_int_equal(nl_link_index(&world->nl, "vta", &world->ifindex), 0);
	world->conf.mode = CONF_MODE_TAP;
	world->conf.mss_clamp = CONF_MSS_NONE;
	world->conf.bridge = br0;
	world->conf.bridge_create = true;
	netup_init(&world->netup, &world->nl, "vta", world->run_dir);
}

static void close_world(struct world *world)
{
	char lock[48];

	if (world->fd >= 0)
		close(world->fd);
	netlink_close(&world->nl);
	rmdir(world->run_dir);
	snprintf(lock, sizeof(lock), "%s/.lock", world->dir);
	unlink(lock);
	assert_int_equal(rmdir(world->dir), 0);
}

static int claim(struct world *world)
{
	uint32_t mark;

	return netup_claim(&world->netup, &world->conf, &mark, world->text);
}

static bool is_there(struct world *world, const char *name)
{
	unsigned int ifindex;

	return nl_link_index(&world->nl, name, &ifindex) == 0;
}

/* What a start does, with what ifsetup.c does in between. */
static void start(struct world *world)
{
	assert_int_equal(claim(world), 0);
	if (world->conf.bridge)
		assert_int_equal(bridge_join(&world->nl, world->conf.bridge, world->ifindex), 0);
	assert_int_equal(netup_start(&world->netup, &world->conf, world->ifindex, world->text), 0);
}

static bool has_notes(const struct world *world)
{
	struct undo undo;

	return undo_load(world->run_dir, &undo) == 0;
}

static void a_stop_deletes_what_the_start_has_made(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	start(&world);
	assert_true(is_there(&world, "br0"));
	assert_true(has_notes(&world));
	assert_int_equal(netup_stop(&world.netup, world.text), 0);
	assert_false(is_there(&world, "br0"));
	assert_false(has_notes(&world));
	assert_int_equal(netup_stop(&world.netup, world.text), 0);
	close_world(&world);
}

static void a_bridge_of_others_stays(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	assert_int_equal(nl_bridge_add(&world.nl, "br0"), 0);
	start(&world);
	assert_false(has_notes(&world));
	assert_int_equal(netup_stop(&world.netup, world.text), 0);
	assert_true(is_there(&world, "br0"));
	close_world(&world);
}

static void one_that_others_have_joined_stays(void **state)
{
	unsigned int other;
	struct world world;
	int fd;

	(void)state;
	open_world(&world);
	start(&world);
	fd = make_tap("vtb");
	assert_int_equal(nl_link_index(&world.nl, "vtb", &other), 0);
	assert_int_equal(bridge_join(&world.nl, "br0", other), 0);
	assert_int_equal(netup_stop(&world.netup, world.text), 0);
	assert_true(is_there(&world, "br0"));
	assert_false(has_notes(&world));
	close(fd);
	close_world(&world);
}

static void what_is_missing_changes_nothing(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	world.conf.bridge_create = false;
	assert_int_equal(claim(&world), NETUP_MISSING);
	assert_non_null(strstr(world.text, "there is no bridge br0"));
	assert_false(has_notes(&world));
	world.conf.bridge = (char[]) { "vta" };
	world.conf.bridge_create = true;
	assert_int_equal(claim(&world), NETUP_MISSING);
	assert_non_null(strstr(world.text, "vta is no bridge"));
	close_world(&world);
}

static void the_next_start_cleans_up_after_a_crash(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	start(&world);
	/* The interface goes with the process; what is noted is all that is known. */
	close(world.fd);
	world.fd = -1;
	netup_init(&world.netup, &world.nl, "vta", world.run_dir);
	assert_int_equal(netup_recover(&world.netup, world.text), NETUP_CLEANED);
	assert_false(is_there(&world, "br0"));
	assert_false(has_notes(&world));
	close_world(&world);
}

static void a_start_that_goes_no_further_leaves_nothing(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	assert_int_equal(claim(&world), 0);
	assert_true(is_there(&world, "br0"));
	assert_int_equal(netup_stop(&world.netup, world.text), 0);
	assert_false(is_there(&world, "br0"));
	close_world(&world);
}

static void a_reload_makes_the_new_one_before_the_old_one_goes(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	start(&world);
	world.conf.bridge = br1;
	assert_int_equal(claim(&world), 0);
	assert_true(is_there(&world, "br0") && is_there(&world, "br1"));
	/* Taken back: nothing was lost. */
	world.conf.bridge = br0;
	assert_int_equal(claim(&world), 0);
	assert_int_equal(netup_start(&world.netup, &world.conf, world.ifindex, world.text), 0);
	assert_true(is_there(&world, "br0"));
	assert_false(is_there(&world, "br1"));
	world.conf.bridge = br1;
	start(&world);
	assert_false(is_there(&world, "br0"));
	assert_true(is_there(&world, "br1"));
	/* None any more. */
	world.conf.bridge = NULL;
	start(&world);
	assert_false(is_there(&world, "br1"));
	assert_false(has_notes(&world));
	assert_int_equal(netup_stop(&world.netup, world.text), 0);
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stop_deletes_what_the_start_has_made),
		cmocka_unit_test(a_bridge_of_others_stays),
		cmocka_unit_test(one_that_others_have_joined_stays),
		cmocka_unit_test(what_is_missing_changes_nothing),
		cmocka_unit_test(the_next_start_cleans_up_after_a_crash),
		cmocka_unit_test(a_start_that_goes_no_further_leaves_nothing),
		cmocka_unit_test(a_reload_makes_the_new_one_before_the_old_one_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
