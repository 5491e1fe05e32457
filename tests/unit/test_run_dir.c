/*
 * Tests of daemon/host/run_dir.c: whom a run directory and its files may belong to, and whom those
 * belong to that are made there. Needs root, to give files to others.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/host/run_dir.h"
#include "tests/unit/temp_dir.h"

#define SERVICE  4242
#define STRANGER 4243

static char above[TEMP_DIR_LEN];
static char path[64];

static int set_up(void **state)
{
	(void)state;
	if (!make_temp_dir(above) || chmod(above, 0755) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/site-a", above);
	return run_dir_make(path);
}

static int tear_down(void **state)
{
	char file[80];

	(void)state;
	snprintf(file, sizeof(file), "%s/note", path);
	(void)unlink(file);
	(void)rmdir(path);
	return rmdir(above);
}

static void need_root(void)
{
	if (geteuid() != 0)
		skip();
}

/* What run_dir_open() says to a user: 0 or a negative errno. */
static int opens_as(uid_t user)
{
	int fd, error;

	assert_int_equal(seteuid(user), 0);
	fd = run_dir_open(path);
	assert_int_equal(seteuid(0), 0);
	error = fd < 0 ? fd : 0;
	if (fd >= 0)
		close(fd);
	return error;
}

static int reads(int dir)
{
	int fd = run_dir_read(dir, "note");

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

/* Makes a file there. */
static void make(int dir, uid_t owner)
{
	struct stat st;
	int fd = run_dir_create(dir, "note", 0644);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_uid, owner);
	assert_int_equal(st.st_gid, owner);
	assert_int_equal(st.st_mode & 07777, 0644);
	close(fd);
	assert_int_equal(run_dir_create(dir, "note", 0644), -EEXIST);
}

static void modes_do_not_depend_on_the_umask(void **state)
{
	struct stat st;
	mode_t before;

	(void)state;
	assert_int_equal(rmdir(path), 0);
	before = umask(0077);
	assert_int_equal(run_dir_make(path), 0);
	assert_int_equal(run_dir_make(path), 0);
	umask(before);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
}

static void roots_own(void **state)
{
	int dir;

	(void)state;
	need_root();
	dir = run_dir_open(path);
	assert_true(dir >= 0);
	assert_int_equal(reads(dir), -ENOENT);
	make(dir, 0);
	assert_int_equal(reads(dir), 0);
	assert_int_equal(fchownat(dir, "note", STRANGER, STRANGER, 0), 0);
	assert_int_equal(reads(dir), -EPERM);
	close(dir);
	/* Others look for what root has noted. */
	assert_int_equal(opens_as(SERVICE), 0);
}

/* systemd has given the directory to the user of the service, and root runs the link by hand. */
static void of_the_service(void **state)
{
	int dir;

	(void)state;
	need_root();
	assert_int_equal(chown(path, SERVICE, SERVICE), 0);
	assert_int_equal(opens_as(SERVICE), 0);
	assert_int_equal(opens_as(STRANGER), -EPERM);
	dir = run_dir_open(path);
	assert_true(dir >= 0);
	make(dir, SERVICE);
	assert_int_equal(reads(dir), 0);
	assert_int_equal(fchownat(dir, "note", STRANGER, STRANGER, 0), 0);
	assert_int_equal(reads(dir), -EPERM);
	close(dir);
}

/* Whoever may make directories beside it could have made this one. */
static void not_where_others_make_directories(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(chown(path, SERVICE, SERVICE), 0);
	assert_int_equal(chmod(above, 0775), 0);
	assert_int_equal(run_dir_open(path), -EPERM);
	assert_int_equal(chmod(above, 0755), 0);
	assert_int_equal(chown(above, SERVICE, SERVICE), 0);
	assert_int_equal(run_dir_open(path), -EPERM);
}

static void what_others_may_write_is_not_believed(void **state)
{
	int dir = run_dir_open(path);

	(void)state;
	assert_true(dir >= 0);
	make(dir, geteuid());
	assert_int_equal(fchmodat(dir, "note", 0666, 0), 0);
	assert_int_equal(reads(dir), -EPERM);
	close(dir);
	assert_int_equal(chmod(path, 0770), 0);
	assert_int_equal(run_dir_open(path), -EPERM);
}

static void no_links_and_no_pipes(void **state)
{
	char other[80];
	int dir = run_dir_open(path);

	(void)state;
	assert_true(dir >= 0);
	assert_int_equal(symlinkat("/etc/hostname", dir, "note"), 0);
	assert_int_equal(reads(dir), -ELOOP);
	assert_int_equal(unlinkat(dir, "note", 0), 0);
	assert_int_equal(mkfifoat(dir, "note", 0600), 0);
	assert_int_equal(reads(dir), -EPERM);
	close(dir);
	snprintf(other, sizeof(other), "%s/other", above);
	assert_int_equal(symlink(path, other), 0);
	dir = run_dir_open(other);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(dir, -ENOTDIR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(modes_do_not_depend_on_the_umask),
		TEST(roots_own),
		TEST(of_the_service),
		TEST(not_where_others_make_directories),
		TEST(what_others_may_write_is_not_believed),
		TEST(no_links_and_no_pipes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
