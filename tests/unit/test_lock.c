/*
 * Tests of daemon/host/lock.c: one process at a time, whatever becomes of it, and nothing left.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/host/lock.h"
#include "tests/unit/temp_dir.h"

static char above[TEMP_DIR_LEN];
static char dir[64];

static int set_up(void **state)
{
	(void)state;
	if (!make_temp_dir(above))
		return -1;
	snprintf(dir, sizeof(dir), "%s/run/site-a", above);
	return 0;
}

static int tear_down(void **state)
{
	char run[64];

	(void)state;
	snprintf(run, sizeof(run), "%s/run", above);
	(void)rmdir(dir);
	(void)rmdir(run);
	return rmdir(above);
}

/* What another process gets: 0 or the errno value. */
static int other_gets(void)
{
	int status, fd;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		fd = lock_take(dir);
		_exit(fd < 0 ? -fd : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_one_at_a_time(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	fd = lock_take(dir);
	assert_true(fd >= 0);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0711);
	assert_int_equal(other_gets(), EBUSY);
	lock_release(dir, fd);
	/* Nothing is left, and the next one gets it. */
	assert_int_equal(stat(dir, &st), -1);
	assert_int_equal(other_gets(), 0);
	lock_release(dir, -1);
	fd = lock_take(dir);
	assert_true(fd >= 0);
	lock_release(dir, fd);
}

/* Two processes hold it together: it stays while either lives. */
static void test_held_together(void **state)
{
	int fd, copy;

	(void)state;
	fd = lock_take(dir);
	assert_true(fd >= 0);
	copy = dup(fd);
	assert_true(copy >= 0);
	close(fd);
	assert_int_equal(other_gets(), EBUSY);
	lock_release(dir, copy);
	assert_int_equal(other_gets(), 0);
	/* That one has left the file. */
	lock_release(dir, lock_take(dir));
}

/* A process that is killed has no time to give anything back. */
static void test_killed(void **state)
{
	int ready[2], status, fd;
	pid_t child;
	char byte;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (lock_take(dir) < 0)
			_exit(1);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(lock_take(dir), -EBUSY);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	fd = lock_take(dir);
	assert_true(fd >= 0);
	lock_release(dir, fd);
	close(ready[0]);
	close(ready[1]);
}

static void test_others_may_write(void **state)
{
	int fd = lock_take(dir);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(lock_take(dir), -EPERM);
	assert_int_equal(chmod(dir, 0700), 0);
	lock_release(dir, fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_at_a_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_held_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_killed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_others_may_write, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
