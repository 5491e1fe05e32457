/* What a link does for packets of other hosts: netup_passing.c, with its notes. Needs root and, for
 * the most part, nftables. */
#include "tests/unit/host_env.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/host/filter.h"
#include "daemon/host/filter_watch.h"
#include "daemon/host/netup.h"
#include "daemon/host/run_dir.h"
#include "tests/unit/temp_dir.h"

#define N_LINKS 4

/* A namespace with links that have nothing but an interface, and a directory for theirs. */
struct world {
	struct netlink nl;
	char dir[TEMP_DIR_LEN];
	struct link {
		char name[IFNAMSIZ];
		char run_dir[64];
		int fd;
		unsigned int ifindex;
		struct netup netup;
	} links[N_LINKS];
	struct conf_link conf;
	char text[NETUP_TEXT_MAX];
};

static void open_world(struct world *world)
{
	enter_netns();
	*world = (struct world) { .nl = NETLINK_NULL };
	assert_true(make_temp_dir(world->dir));
	assert_int_equal(netlink_open(&world->nl), 0);
	for (size_t i = 0; i < N_LINKS; i++) {
		struct link *link = &world->links[i];

		snprintf(link->name, sizeof(link->name), "vt%zu", i);
		snprintf(link->run_dir, sizeof(link->run_dir), "%s/%s", world->dir, link->name);
		link->fd = make_tun(link->name);
		assert_int_equal(nl_link_index(&world->nl, link->name, &link->ifindex), 0);
		netup_init(&link->netup, &world->nl, link->name, link->run_dir);
	}
}

static void close_world(struct world *world)
{
	char lock[48];

	for (size_t i = 0; i < N_LINKS; i++) {
		close(world->links[i].fd);
		rmdir(world->links[i].run_dir);
	}
	netlink_close(&world->nl);
	snprintf(lock, sizeof(lock), "%s/.lock", world->dir);
	unlink(lock);
	assert_int_equal(rmdir(world->dir), 0);
}

static void start(struct world *world, struct link *link)
{
	assert_int_equal(run_dir_make(link->run_dir), 0);
	assert_int_equal(netup_start(&link->netup, &world->conf, link->ifindex, world->text), 0);
	assert_string_equal(world->text, "");
}

static bool has_notes(const struct link *link)
{
	struct undo undo;

	return undo_load(link->run_dir, &undo) == 0;
}

static char forwarding_of(const char *version, const char *name)
{
	char path[80], value = '?';
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/forwarding", version, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, &value, 1), 1);
	close(fd);
	return value;
}

static void nothing_is_forwarded(void)
{
	int fd = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		skip();
	assert_int_equal(write(fd, "0", 1), 1);
	close(fd);
	assert_int_equal(forwarding_of("ipv4", "vt0"), '0');
	assert_int_equal(forwarding_of("ipv6", "all"), '0');
}

/* Stops a link in a process of its own, as soon as the pipe is closed. */
static pid_t stop_when_told(struct link *link, const int go[static 2])
{
	char text[NETUP_TEXT_MAX], byte;
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	close(go[1]);
	(void)!read(go[0], &byte, 1);
	/* The socket of the others is of no use to many at once. */
	netlink_close(link->netup.nl);
	if (netlink_open(link->netup.nl) < 0)
		_exit(2);
	status = netup_stop(&link->netup, text) == 0 ? 0 : 1;
	netlink_close(link->netup.nl);
	_exit(status);
}

static void links_that_stop_at_once_leave_nothing_on(void **state)
{
	struct world world;
	pid_t pids[N_LINKS];
	int go[2], status;

	(void)state;
	open_world(&world);
	nothing_is_forwarded();
	world.conf.mss_clamp = CONF_MSS_NONE;
	world.conf.forward = true;
	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < N_LINKS; i++)
			start(&world, &world.links[i]);
		assert_int_equal(forwarding_of("ipv4", "vt0"), '1');
		assert_int_equal(forwarding_of("ipv6", "all"), '1');
		assert_int_equal(pipe2(go, O_CLOEXEC), 0);
		for (size_t i = 0; i < N_LINKS; i++)
			pids[i] = stop_when_told(&world.links[i], go);
		close(go[0]);
		close(go[1]);
		for (size_t i = 0; i < N_LINKS; i++) {
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_int_equal(status, 0);
			assert_false(has_notes(&world.links[i]));
			netup_init(&world.links[i].netup, &world.nl, world.links[i].name,
				   world.links[i].run_dir);
		}
		assert_int_equal(forwarding_of("ipv4", "vt0"), '0');
		assert_int_equal(forwarding_of("ipv6", "all"), '0');
	}
	close_world(&world);
}

/* Whether a table was there to be removed by hand. */
static bool remove_by_hand(const struct link *link)
{
	struct filter_watch watch = FILTER_WATCH_NULL;
	struct netlink nf = NETLINK_NULL;
	bool was_there;

	assert_int_equal(filter_watch_open(&watch, link->name, NULL), 0);
	assert_int_equal(filter_open(NULL, &nf), 0);
	assert_int_equal(filter_remove(&nf, link->name), 0);
	was_there = filter_watch_read(&watch);
	filter_watch_close(&watch);
	netlink_close(&nf);
	return was_there;
}

static void mss_clamp_auto_is_made_before_anybody_forwards(void **state)
{
	struct world world;
	struct link *link;

	(void)state;
	open_world(&world);
	link = &world.links[0];
	nothing_is_forwarded();
	start(&world, link);
	if (!link->netup.undo.has_filter)
		skip();
	assert_true(has_notes(link));
	assert_true(remove_by_hand(link));
	/* What another program has deleted. */
	assert_int_equal(netup_repair(&link->netup, &world.conf, link->ifindex, world.text), 0);
	assert_true(remove_by_hand(link));
	start(&world, link);
	assert_int_equal(netup_stop(&link->netup, world.text), 0);
	assert_false(remove_by_hand(link));
	assert_false(has_notes(link));
	/* There is to be none. */
	assert_int_equal(netup_repair(&link->netup, &world.conf, link->ifindex, world.text), 0);
	assert_false(remove_by_hand(link));
	close_world(&world);
}

/* A run directory that cannot be used matters only for what somebody has asked for. */
static void nobody_misses_mss_clamp_auto(void **state)
{
	struct world world;
	struct link *link;
	int fd;

	(void)state;
	open_world(&world);
	link = &world.links[0];
	fd = open(link->run_dir, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(netup_start(&link->netup, &world.conf, link->ifindex, world.text), 0);
	assert_string_equal(world.text, "");
	assert_false(remove_by_hand(link));
	world.conf.mss_clamp = 1300;
	assert_int_equal(netup_start(&link->netup, &world.conf, link->ifindex, world.text),
			 -ENOTDIR);
	assert_non_null(strstr(world.text, "cannot note"));
	unlink(link->run_dir);
	close_world(&world);
}

/* A process in a namespace of its own, whose number is a name for that. */
static pid_t make_namespace(char name[static 16])
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (unshare(CLONE_NEWNET) < 0)
			_exit(1);
		close(ready[1]);
		for (;;)
			(void)poll(NULL, 0, -1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 0);
	close(ready[0]);
	snprintf(name, 16, "%d", (int)pid);
	return pid;
}

/* Everything that may be noted, of a namespace; and a bridge here that has its bridge's name. */
static void note_everything(struct world *world, struct link *link, const char *namespace)
{
	struct undo undo = { .netns = undo_netns(namespace),
			     .ifindex = 4711,
			     .has_filter = true,
			     .bridge = { .ifindex = 1, .name = "br0" } };

	snprintf(undo.namespace, sizeof(undo.namespace), "%s", namespace);
	undo.forward.is_ipv6 = true;
	assert_int_equal(forward_note(&undo.forward, 0, true, false), 0);
	if (nl_bridge_add(&world->nl, "br0") < 0)
		skip();
	assert_int_equal(nl_link_index(&world->nl, "br0", &undo.bridge.ifindex), 0);
	assert_int_equal(undo_save(link->run_dir, &undo), 0);
	link->netup.undo = undo;
}

static void nothing_is_left_of_a_namespace_that_is_gone(void **state)
{
	struct world world;
	struct link *link;
	char name[16];
	unsigned int ifindex;
	pid_t pid;

	(void)state;
	open_world(&world);
	link = &world.links[0];
	pid = make_namespace(name);
	note_everything(&world, link, name);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* The link itself stops... */
	assert_int_equal(netup_stop(&link->netup, world.text), 0);
	assert_string_equal(world.text, "");
	assert_false(has_notes(link));
	assert_int_equal(nl_link_index(&world.nl, "br0", &ifindex), 0);
	assert_int_equal(nl_bridge_del(&world.nl, ifindex), 0);
	/* ...or a cleanup finds its notes. */
	pid = make_namespace(name);
	note_everything(&world, link, name);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	netup_init(&link->netup, &world.nl, link->name, link->run_dir);
	assert_int_equal(netup_recover(&link->netup, world.text), 0);
	assert_int_equal(netup_stop(&link->netup, world.text), 0);
	assert_string_equal(world.text, "");
	assert_false(has_notes(link));
	assert_int_equal(nl_link_index(&world.nl, "br0", &ifindex), 0);
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_that_stop_at_once_leave_nothing_on),
		cmocka_unit_test(mss_clamp_auto_is_made_before_anybody_forwards),
		cmocka_unit_test(nobody_misses_mss_clamp_auto),
		cmocka_unit_test(nothing_is_left_of_a_namespace_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
