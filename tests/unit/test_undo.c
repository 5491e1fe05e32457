/* The notes of what is to be undone: undo.c. */
#include "tests/unit/host_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon/host/run_dir.h"
#include "daemon/host/undo.h"
#include "tests/unit/temp_dir.h"

/* A directory with a run directory in it that does not exist yet. */
struct desk {
	char dir[TEMP_DIR_LEN];
	char run_dir[64];
	char file[80];
};

static void setup(struct desk *desk)
{
	*desk = (struct desk) { .dir = "" };
	assert_true(make_temp_dir(desk->dir));
	snprintf(desk->run_dir, sizeof(desk->run_dir), "%s/vpnd/site-a", desk->dir);
	snprintf(desk->file, sizeof(desk->file), "%s/undo", desk->run_dir);
}

static void teardown(struct desk *desk)
{
	char *slash;

	unlink(desk->file);
	rmdir(desk->run_dir);
	slash = strrchr(desk->run_dir, '/');
	*slash = '\0';
	rmdir(desk->run_dir);
	assert_int_equal(rmdir(desk->dir), 0);
}

static const struct undo full = {
	.netns = 4026531840U,
	.ifindex = 7,
	.policy = { .mark = 51820, .priority = 32700 },
	.has_filter = true,
	.namespace = "blue",
	.forward = { .items = { { 0, true, true }, { 7, true, false }, { 9, false, true } },
		     .n = 3,
		     .is_ipv6 = true },
	.bridge = { .ifindex = 12, .name = "br0" },
	.has_set_valid_mark = true,
	.dns = UNDO_DNS_RESOLVCONF,
	.record = "tun.site-a",
};

static void assert_same(const struct undo *a, const struct undo *b)
{
	assert_int_equal(a->netns, b->netns);
	assert_int_equal(a->ifindex, b->ifindex);
	assert_int_equal(a->policy.mark, b->policy.mark);
	assert_int_equal(a->policy.priority, b->policy.priority);
	assert_int_equal(a->has_filter, b->has_filter);
	assert_string_equal(a->namespace, b->namespace);
	assert_int_equal(a->forward.is_ipv6, b->forward.is_ipv6);
	assert_int_equal(a->forward.n, b->forward.n);
	for (size_t i = 0; i < a->forward.n; i++) {
		assert_int_equal(a->forward.items[i].ifindex, b->forward.items[i].ifindex);
		assert_int_equal(a->forward.items[i].is_ipv4, b->forward.items[i].is_ipv4);
		assert_int_equal(a->forward.items[i].is_ra, b->forward.items[i].is_ra);
	}
	assert_int_equal(a->bridge.ifindex, b->bridge.ifindex);
	assert_string_equal(a->bridge.name, b->bridge.name);
	assert_int_equal(a->has_set_valid_mark, b->has_set_valid_mark);
	assert_int_equal(a->dns, b->dns);
	assert_string_equal(a->record, b->record);
}

static void test_round(void **state)
{
	const struct undo nothing = { .netns = 0 };
	struct undo undo = full;
	struct desk desk;
	struct stat st;

	(void)state;
	setup(&desk);
	assert_int_equal(undo_load(desk.run_dir, &undo), UNDO_NOTHING);
	assert_same(&undo, &nothing);
	assert_int_equal(undo_forget(desk.run_dir), 0);
	assert_int_equal(undo_save(desk.run_dir, &full), 0);
	assert_int_equal(stat(desk.run_dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	assert_int_equal(stat(desk.file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(undo_load(desk.run_dir, &undo), 0);
	assert_same(&undo, &full);
	/* In place of what was there. */
	undo.has_filter = false;
	undo.record[0] = '\0';
	assert_int_equal(undo_save(desk.run_dir, &undo), 0);
	assert_int_equal(undo_load(desk.run_dir, &undo), 0);
	assert_false(undo.has_filter);
	assert_string_equal(undo.record, "");
	assert_int_equal(undo_forget(desk.run_dir), 0);
	assert_int_equal(undo_load(desk.run_dir, &undo), UNDO_NOTHING);
	assert_true(undo_netns(NULL) != 0);
	assert_int_equal(undo_netns(""), undo_netns(NULL));
	assert_int_equal(undo_netns("no-such-namespace"), 0);
	teardown(&desk);
}

static void write_file(const struct desk *desk, const char *text)
{
	FILE *file = fopen(desk->file, "we");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* What makes no sense counts as not there. */
static void test_odd_text(void **state)
{
	struct desk desk;
	struct undo undo;

	(void)state;
	setup(&desk);
	assert_int_equal(undo_save(desk.run_dir, &full), 0);
	write_file(&desk, "mark 51820x\npriority\ndns 3\nifindex 99999999999\nfuture 7\n\n"
			  "record -rf\nnamespace ../../blue\nforward-ipv4 x\nfilter 1");
	assert_int_equal(undo_load(desk.run_dir, &undo), 0);
	assert_int_equal(undo.policy.mark, 0);
	assert_int_equal(undo.policy.priority, 0);
	assert_int_equal(undo.dns, UNDO_DNS_NONE);
	assert_int_equal(undo.ifindex, 0);
	assert_string_equal(undo.record, "");
	assert_true(undo.has_filter);
	assert_string_equal(undo.namespace, "");
	assert_true(forward_is_empty(&undo.forward));
	write_file(&desk, "record a/../b\n");
	assert_int_equal(undo_load(desk.run_dir, &undo), 0);
	assert_string_equal(undo.record, "");
	teardown(&desk);
}

/* Files that others may have put there. */
static void test_distrust(void **state)
{
	char other[96];
	struct desk desk;
	struct undo undo;

	(void)state;
	setup(&desk);
	assert_int_equal(undo_save(desk.run_dir, &full), 0);
	assert_int_equal(chmod(desk.file, 0666), 0);
	assert_int_equal(undo_load(desk.run_dir, &undo), -EPERM);
	assert_int_equal(chmod(desk.file, 0600), 0);
	assert_int_equal(chmod(desk.run_dir, 0777), 0);
	assert_int_equal(undo_load(desk.run_dir, &undo), -EPERM);
	assert_int_equal(undo_save(desk.run_dir, &full), -EPERM);
	assert_int_equal(chmod(desk.run_dir, 0700), 0);
	snprintf(other, sizeof(other), "%s/elsewhere", desk.dir);
	assert_int_equal(rename(desk.file, other), 0);
	assert_int_equal(symlink(other, desk.file), 0);
	assert_int_equal(undo_load(desk.run_dir, &undo), -ELOOP);
	/* Saving replaces the link, and not what it leads to. */
	assert_int_equal(undo_save(desk.run_dir, &full), 0);
	assert_int_equal(undo_load(desk.run_dir, &undo), 0);
	unlink(other);
	unlink(desk.file);
	assert_int_equal(mkfifo(desk.file, 0600), 0);
	assert_int_equal(undo_load(desk.run_dir, &undo), -EPERM);
	teardown(&desk);
}

static void test_others(void **state)
{
	struct undo other = full;
	char other_dir[64];
	struct desk desk;

	(void)state;
	setup(&desk);
	assert_false(undo_others_set_valid_mark(desk.run_dir, full.netns));
	assert_int_equal(undo_save(desk.run_dir, &full), 0);
	/* One's own notes are not another's. */
	assert_false(undo_others_set_valid_mark(desk.run_dir, full.netns));
	snprintf(other_dir, sizeof(other_dir), "%s/vpnd/site-b", desk.dir);
	assert_int_equal(undo_save(other_dir, &other), 0);
	assert_true(undo_others_set_valid_mark(desk.run_dir, full.netns));
	assert_false(undo_others_set_valid_mark(desk.run_dir, full.netns + 1));
	other.has_set_valid_mark = false;
	assert_int_equal(undo_save(other_dir, &other), 0);
	assert_false(undo_others_set_valid_mark(desk.run_dir, full.netns));
	assert_int_equal(undo_forget(other_dir), 0);
	rmdir(other_dir);
	teardown(&desk);
}

/* A link that root runs by hand, and one of the service's user, beside each other. */
static void test_others_of_another_user(void **state)
{
	const uid_t service = 4242;
	char other_dir[64], other_file[80];
	struct desk desk;

	(void)state;
	if (geteuid() != 0)
		skip();
	setup(&desk);
	assert_int_equal(chmod(desk.dir, 0711), 0);
	snprintf(other_dir, sizeof(other_dir), "%s/vpnd/site-b", desk.dir);
	snprintf(other_file, sizeof(other_file), "%s/undo", other_dir);
	assert_int_equal(undo_save(other_dir, &full), 0);
	assert_int_equal(chmod(other_dir, 0750), 0);
	assert_int_equal(chown(other_dir, service, service), 0);
	/* Root looks at the service's, which only its user may read; and writes them for it. */
	assert_int_equal(undo_save(other_dir, &full), 0);
	assert_int_equal(chmod(other_file, 0600), 0);
	assert_true(undo_others_set_valid_mark(desk.run_dir, full.netns));
	/* The service looks at root's. */
	assert_int_equal(undo_save(desk.run_dir, &full), 0);
	assert_int_equal(seteuid(service), 0);
	assert_true(undo_others_set_valid_mark(other_dir, full.netns));
	assert_int_equal(undo_forget(other_dir), 0);
	assert_int_equal(undo_forget(desk.run_dir), -EACCES);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(rmdir(other_dir), 0);
	teardown(&desk);
}

/* As many interfaces as there can be, and what other links say about them. */
static void test_forward(void **state)
{
	struct undo own = { .netns = 5 }, other = { .netns = 5 };
	struct forward found;
	char other_dir[64];
	struct desk desk;

	(void)state;
	setup(&desk);
	for (unsigned int i = 0; i < FORWARD_ITEMS_MAX; i++)
		assert_int_equal(forward_note(&own.forward, UINT32_MAX - i, true, true), 0);
	assert_int_equal(forward_note(&own.forward, 1, true, true), -E2BIG);
	assert_int_equal(undo_save(desk.run_dir, &own), 0);
	assert_int_equal(undo_load(desk.run_dir, &other), 0);
	assert_same(&own, &other);
	undo_others_forward(desk.run_dir, 5, &found);
	assert_true(forward_is_empty(&found));
	snprintf(other_dir, sizeof(other_dir), "%s/vpnd/site-b", desk.dir);
	assert_int_equal(undo_save(other_dir, &full), 0);
	undo_others_forward(desk.run_dir, 5, &found);
	assert_true(forward_is_empty(&found));
	undo_others_forward(desk.run_dir, full.netns, &found);
	assert_int_equal(found.n, full.forward.n);
	assert_true(found.is_ipv6);
	assert_true(undo_others_bridge(desk.run_dir, full.netns, full.bridge.ifindex));
	assert_false(undo_others_bridge(desk.run_dir, full.netns, full.bridge.ifindex + 1));
	assert_false(undo_others_bridge(desk.run_dir, full.netns, 0));
	assert_false(undo_others_bridge(desk.run_dir, 5, full.bridge.ifindex));
	assert_false(undo_others_bridge(other_dir, full.netns, full.bridge.ifindex));
	assert_int_equal(undo_forget(other_dir), 0);
	rmdir(other_dir);
	teardown(&desk);
}

/* A process that has the lock, until it is told to end; it has it when this returns. */
static pid_t hold_lock(const char *run_dir, int ends[static 2])
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		byte = undo_lock(run_dir) >= 0 ? 'y' : 'n';
		close(ends[1]);
		(void)!write(ready[1], &byte, 1);
		(void)!read(ends[0], &byte, 1);
		_exit(0);
	}
	close(ends[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	close(ready[0]);
	return pid;
}

/* One at a time, as long as it is there and is quick. */
static void test_lock(void **state)
{
	char other_dir[64], file[64];
	struct desk desk;
	int lock, ends[2];
	pid_t pid;

	(void)state;
	setup(&desk);
	/* Nothing to lock, and nowhere to make it. */
	assert_int_equal(undo_lock(desk.run_dir), -1);
	assert_int_equal(undo_lock("site-a"), -1);
	undo_unlock(-1);
	assert_int_equal(run_dir_make(desk.run_dir), 0);
	snprintf(other_dir, sizeof(other_dir), "%s/vpnd/site-b", desk.dir);
	for (int i = 0; i < 2; i++) {
		lock = undo_lock(desk.run_dir);
		assert_true(lock >= 0);
		undo_unlock(lock);
	}
	pid = hold_lock(other_dir, ends);
	assert_int_equal(undo_lock(desk.run_dir), -1);
	close(ends[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	lock = undo_lock(desk.run_dir);
	assert_true(lock >= 0);
	undo_unlock(lock);
	snprintf(file, sizeof(file), "%s/vpnd/.lock", desk.dir);
	assert_int_equal(unlink(file), 0);
	teardown(&desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_odd_text),
		cmocka_unit_test(test_distrust),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_forward),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_others_of_another_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
