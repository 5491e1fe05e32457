/* Namespaces by name and by process: netns.c, and monitor.c across two of them. Needs root; works
 * in namespaces of its own, with its own /run. */
#include "tests/unit/host_env.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "daemon/host/monitor.h"
#include "daemon/host/netns.h"

/* The namespace that this thread is in. */
static uint64_t here(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/thread-self/ns/net", &st), 0);
	return st.st_ino;
}

static int tell_inode(void *context)
{
	*(uint64_t *)context = here();
	return 17;
}

static void make_file(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), NETNS_DIR "/%s", name);
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0400);
	assert_true(fd >= 0);
	close(fd);
}

static int mount_own(void *context)
{
	char path[128];

	snprintf(path, sizeof(path), NETNS_DIR "/%s", (const char *)context);
	return unshare(CLONE_NEWNET) < 0 ||
	       mount("/proc/self/ns/net", path, "none", MS_BIND, NULL) < 0;
}

/* As `ip netns add` does it. */
static void add_name(const char *name)
{
	char copy[32];
	int status;
	pid_t child;

	make_file(name);
	snprintf(copy, sizeof(copy), "%s", name);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(mount_own(copy));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* As `ip netns del` does it. */
static void delete_name(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), NETNS_DIR "/%s", name);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	assert_int_equal(unlink(path), 0);
}

/* A process in a namespace of its own; it waits to be killed. */
static pid_t start_container(void)
{
	int fds[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (unshare(CLONE_NEWNET) < 0 || write(fds[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	close(fds[1]);
	return child;
}

static void end_container(pid_t child)
{
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static int own_run(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0) {
		print_message("skipped: unshare says %s; run as root\n", strerror(errno));
		return 0;
	}
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	       mount("none", "/run", "tmpfs", 0, NULL) < 0 || mkdir(NETNS_DIR, 0755) < 0;
}

static void need_root(void)
{
	if (geteuid() != 0 || access(NETNS_DIR, W_OK) < 0)
		skip();
}

static void no_name_is_here(void **state)
{
	uint64_t inode = 0;

	(void)state;
	need_root();
	assert_int_equal(netns_call(NULL, tell_inode, &inode), 17);
	assert_int_equal(inode, here());
}

static void a_name_is_elsewhere_and_we_stay_here(void **state)
{
	uint64_t before, inode = 0;

	(void)state;
	need_root();
	add_name("blue");
	before = here();
	assert_int_equal(netns_call("blue", tell_inode, &inode), 17);
	assert_int_not_equal(inode, 0);
	assert_int_not_equal(inode, before);
	assert_int_equal(here(), before);
	delete_name("blue");
}

static void a_process_is_a_namespace_too(void **state)
{
	uint64_t inode = 0;
	char name[16];
	pid_t child;

	(void)state;
	need_root();
	child = start_container();
	snprintf(name, sizeof(name), "%d", (int)child);
	assert_int_equal(netns_call(name, tell_inode, &inode), 17);
	assert_int_not_equal(inode, here());
	/* A file of that name counts more. */
	make_file(name);
	assert_int_equal(netns_open(name), -EINVAL);
	end_container(child);
}

static void what_cannot_be_entered_is_told_apart(void **state)
{
	uint64_t inode = 0;

	(void)state;
	need_root();
	make_file("plain");
	assert_int_equal(netns_call("nosuchname", tell_inode, &inode), -ENOENT);
	assert_int_equal(netns_call("2147483646", tell_inode, &inode), -ENOENT);
	assert_int_equal(netns_call("0", tell_inode, &inode), -ENOENT);
	assert_int_equal(netns_call("99999999999999999999", tell_inode, &inode), -ENOENT);
	assert_int_equal(netns_call("0x1", tell_inode, &inode), -ENOENT);
	assert_int_equal(netns_call("plain", tell_inode, &inode), -EINVAL);
	assert_int_equal(inode, 0);
	assert_int_equal(unlink(NETNS_DIR "/plain"), 0);
}

/* A namespace of another kind must not do. */
static void other_kinds_are_refused(void **state)
{
	(void)state;
	need_root();
	make_file("mounts");
	assert_int_equal(mount("/proc/self/ns/uts", NETNS_DIR "/mounts", "none", MS_BIND, NULL), 0);
	assert_int_equal(netns_open("mounts"), -EINVAL);
	delete_name("mounts");
}

static int try_to_enter(void *context)
{
	uint64_t inode;

	return -netns_call(context, tell_inode, &inode);
}

static void without_the_right_it_is_refused(void **state)
{
	char name[] = "blue";

	(void)state;
	need_root();
	add_name(name);
	assert_int_equal(without_rights(try_to_enter, name), EPERM);
	delete_name(name);
}

static void explanations_name_the_cause(void **state)
{
	char text[NETNS_TEXT_MAX];

	(void)state;
	netns_explain("blue", -ENOENT, text);
	assert_non_null(strstr(text, "`ip netns add blue`"));
	netns_explain("123", -ENOENT, text);
	assert_non_null(strstr(text, "no process 123"));
	netns_explain("blue", -EPERM, text);
	assert_non_null(strstr(text, "CAP_SYS_ADMIN"));
	netns_explain("123", -EACCES, text);
	assert_non_null(strstr(text, "CAP_SYS_PTRACE"));
	netns_explain("blue", -EINVAL, text);
	assert_non_null(strstr(text, "no network namespace"));
	netns_explain("blue", -EMFILE, text);
	assert_non_null(strstr(text, strerror(EMFILE)));
}

static void interfaces_are_found_inside(void **state)
{
	(void)state;
	need_root();
	add_name("blue");
	assert_true(netns_has_interface("blue", "lo"));
	assert_false(netns_has_interface("blue", "nosuch"));
	assert_false(netns_has_interface("nosuchname", "lo"));
	delete_name("blue");
}

static void the_end_of_a_name_is_seen(void **state)
{
	struct netns_watch watch = NETNS_WATCH_NULL;

	(void)state;
	need_root();
	add_name("blue");
	add_name("green");
	assert_int_equal(netns_watch_open(&watch, "blue"), 0);
	assert_false(netns_watch_read(&watch, "blue"));
	delete_name("green");
	assert_false(netns_watch_read(&watch, "blue"));
	delete_name("blue");
	assert_true(netns_watch_read(&watch, "blue"));
	assert_false(netns_watch_read(&watch, "blue"));
	netns_watch_close(&watch);
	netns_watch_close(&watch);
	assert_false(netns_watch_read(&watch, "blue"));
}

static void the_end_of_a_process_is_seen(void **state)
{
	struct netns_watch watch = NETNS_WATCH_NULL;
	char name[16];
	pid_t child;

	(void)state;
	need_root();
	child = start_container();
	snprintf(name, sizeof(name), "%d", (int)child);
	assert_int_equal(netns_watch_open(&watch, name), 0);
	assert_false(netns_watch_read(&watch, name));
	end_container(child);
	assert_true(netns_watch_read(&watch, name));
	netns_watch_close(&watch);
	assert_int_equal(netns_watch_open(&watch, name), -ENOENT);
	netns_watch_close(&watch);
}

static int make_inside(void *context)
{
	int fd = make_tun("vta");

	(void)context;
	return fd;
}

static void wait_for_news(struct monitor *monitor, struct monitor_facts *facts)
{
	struct pollfd readable = { .fd = monitor_fd(monitor), .events = POLLIN };

	assert_int_equal(poll(&readable, 1, 5000), 1);
	assert_int_equal(monitor_read(monitor, facts), 0);
}

static void the_monitor_hears_both_sides(void **state)
{
	struct netlink inside = NETLINK_NULL;
	struct monitor monitor = MONITOR_NULL;
	struct monitor_facts facts;
	unsigned int ifindex;
	int own_fd, other_fd;

	(void)state;
	need_root();
	add_name("blue");
	own_fd = netns_call("blue", make_inside, NULL);
	assert_true(own_fd >= 0);
	assert_int_equal(netns_open_netlink("blue", &inside), 0);
	assert_int_equal(nl_link_index(&inside, "vta", &ifindex), 0);
	assert_int_equal(monitor_open(&monitor, "blue", ifindex), 0);
	assert_int_equal(monitor_read(&monitor, &facts), 0);
	assert_false(facts.underlay_changed || facts.own_mtu_changed || facts.namespace_gone);

	assert_int_equal(nl_link_set_mtu(&inside, ifindex, 1300), 0);
	wait_for_news(&monitor, &facts);
	assert_true(facts.own_mtu_changed);
	assert_int_equal(facts.own_mtu, 1300);
	assert_false(facts.underlay_changed);

	/* The same index outside is another interface. */
	other_fd = make_tun("vtb");
	wait_for_news(&monitor, &facts);
	assert_true(facts.underlay_changed);
	assert_false(facts.own_mtu_changed || facts.own_renamed || facts.own_deleted);
	close(other_fd);

	delete_name("blue");
	do {
		wait_for_news(&monitor, &facts);
	} while (!facts.namespace_gone);
	assert_false(facts.own_deleted);

	close(own_fd);
	do {
		wait_for_news(&monitor, &facts);
	} while (!facts.own_deleted);
	monitor_close(&monitor);
	monitor_close(&monitor);
	netlink_close(&inside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_name_is_here),
		cmocka_unit_test(a_name_is_elsewhere_and_we_stay_here),
		cmocka_unit_test(a_process_is_a_namespace_too),
		cmocka_unit_test(what_cannot_be_entered_is_told_apart),
		cmocka_unit_test(other_kinds_are_refused),
		cmocka_unit_test(without_the_right_it_is_refused),
		cmocka_unit_test(explanations_name_the_cause),
		cmocka_unit_test(interfaces_are_found_inside),
		cmocka_unit_test(the_end_of_a_name_is_seen),
		cmocka_unit_test(the_end_of_a_process_is_seen),
		cmocka_unit_test(the_monitor_hears_both_sides),
	};

	return cmocka_run_group_tests(tests, own_run, NULL);
}
