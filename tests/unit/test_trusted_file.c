/*
 * Tests of conf/trusted_file.c: which files are trusted with keys. Owners and groups can only be
 * changed by root; without root those cases are left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf/model.h"
#include "conf/trusted_file.h"
#include "tests/unit/temp_dir.h"

#define STRANGER 64321 /* a user and group that nobody is in */

static char dir[TEMP_DIR_LEN];
static struct diag diag;

static int set_up(void **state)
{
	(void)state;
	return make_temp_dir(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "f", "l", "m", "d/f", "d" };
	char path[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		remove(path);
	}
	diag_deinit(&diag);
	return rmdir(dir);
}

static const char *in_dir(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void make_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* Nothing is read, with this code and this in the one message. */
static void refused(const char *name, enum exit_code code, const char *message)
{
	size_t len = 0;

	diag_deinit(&diag);
	diag.file = "x";
	assert_null(trusted_file_read_secret(in_dir(name), &diag, &len));
	assert_int_equal(diag.n_errors, 1);
	assert_int_equal(diag.code, code);
	if (strstr(diag.items[0].text, message) == NULL)
		fail_msg("%s", diag.items[0].text);
}

static void taken(const char *name, const char *expected)
{
	size_t len = 99;
	char *text;

	diag_deinit(&diag);
	diag.file = "x";
	text = trusted_file_read_secret(in_dir(name), &diag, &len);
	if (text == NULL)
		fail_msg("%s", diag.items[0].text);
	assert_string_equal(text, expected);
	assert_int_equal(len, strlen(expected));
	assert_int_equal(diag.n_items, 0);
	sodium_free(text);
}

static void good_files_are_read(void **state)
{
	(void)state;
	make_file("f", "text\n", 0600);
	taken("f", "text\n");
	assert_int_equal(chmod(in_dir("f"), 0400), 0);
	taken("f", "text\n");
	/* The group is our own. */
	assert_int_equal(chmod(in_dir("f"), 0640), 0);
	taken("f", "text\n");
	assert_int_equal(truncate(in_dir("f"), 0), 0);
	taken("f", "");
}

static void what_is_no_file_is_refused(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	refused("f", EXIT_CONFIG, "does not exist");
	refused("d/f", EXIT_CONFIG, "does not exist");
	assert_int_equal(mkdir(in_dir("d"), 0700), 0);
	refused("d", EXIT_CONFIG, "a directory");
	refused("d/", EXIT_CONFIG, "a directory");
	assert_int_equal(mkfifo(in_dir("f"), 0600), 0);
	alarm(10); /* a read that waits for a writer ends the test */
	refused("f", EXIT_CONFIG, "a device or a FIFO");
	alarm(0);
	refused("f/x", EXIT_CONFIG, "Not a directory");
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/l", dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	refused("l", EXIT_CONFIG, "not a regular file");
	close(fd);
	refused("../../dev/zero", EXIT_CONFIG, "a device");
	refused("../../dev/null", EXIT_CONFIG, "a device");
}

static void rights_of_others_are_refused(void **state)
{
	(void)state;
	make_file("f", "text\n", 0644);
	refused("f", EXIT_PERMISSION, "mode 0644");
	for (mode_t bit = 1; bit <= 4; bit <<= 1) {
		assert_int_equal(chmod(in_dir("f"), 0600 | bit), 0);
		refused("f", EXIT_PERMISSION, "everybody has rights");
	}
	assert_int_equal(chmod(in_dir("f"), 0660), 0);
	refused("f", EXIT_PERMISSION, "the group may write");
	assert_int_equal(chmod(in_dir("f"), 0620), 0);
	refused("f", EXIT_PERMISSION, "the group may write");
}

static void directories_of_everybody_are_refused(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in_dir("d"), 0700), 0);
	make_file("d/f", "text\n", 0600);
	taken("d/f", "text\n");
	assert_int_equal(chmod(in_dir("d"), 0777), 0);
	refused("d/f", EXIT_PERMISSION, "mode 0777");
	assert_int_equal(chmod(in_dir("d"), 0702), 0);
	refused("d/f", EXIT_PERMISSION, "everybody may write to the directory");
	assert_int_equal(symlink("d/f", in_dir("l")), 0);
	refused("l", EXIT_PERMISSION, "everybody may write to the directory");
	assert_int_equal(chmod(in_dir("d"), 01777), 0);
	taken("d/f", "text\n");
	taken("l", "text\n");
}

static void links_are_followed_with_care(void **state)
{
	(void)state;
	make_file("f", "text\n", 0600);
	assert_int_equal(symlink("f", in_dir("l")), 0);
	taken("l", "text\n");
	assert_int_equal(symlink("l", in_dir("m")), 0);
	taken("m", "text\n");
	unlink(in_dir("l"));
	assert_int_equal(symlink("m", in_dir("l")), 0);
	refused("l", EXIT_CONFIG, "in a circle");
	unlink(in_dir("m"));
	refused("l", EXIT_CONFIG, "does not exist");
	unlink(in_dir("l"));
	assert_int_equal(symlink("/dev/zero", in_dir("l")), 0);
	refused("l", EXIT_CONFIG, "a device");
}

static void strangers_are_not_trusted(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	make_file("f", "text\n", 0600);
	assert_int_equal(symlink("f", in_dir("l")), 0);
	assert_int_equal(lchown(in_dir("l"), STRANGER, 0), 0);
	refused("l", EXIT_PERMISSION, "symbolic link of user 64321");
	assert_int_equal(chown(in_dir("f"), STRANGER, 0), 0);
	refused("f", EXIT_PERMISSION, "belongs to user 64321");
	assert_int_equal(chown(in_dir("f"), 0, STRANGER), 0);
	taken("f", "text\n"); /* the group has no rights */
	assert_int_equal(chmod(in_dir("f"), 0640), 0);
	refused("f", EXIT_PERMISSION, "group 64321 may read");
	assert_int_equal(chown(in_dir("f"), 0, 0), 0);
	taken("f", "text\n");
}

static void missing_rights_are_named(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	make_file("f", "text\n", 0600);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(seteuid(STRANGER), 0);
	refused("f", EXIT_PERMISSION, "may not be opened by this user (64321)");
	assert_int_equal(seteuid(0), 0);
}

static void large_files_are_refused(void **state)
{
	(void)state;
	make_file("f", "", 0600);
	assert_int_equal(truncate(in_dir("f"), CONF_FILE_MAX + 1), 0);
	refused("f", EXIT_CONFIG, "larger than 16777216 bytes");
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(good_files_are_read),          IN_DIR(what_is_no_file_is_refused),
		IN_DIR(rights_of_others_are_refused), IN_DIR(directories_of_everybody_are_refused),
		IN_DIR(links_are_followed_with_care), IN_DIR(strangers_are_not_trusted),
		IN_DIR(missing_rights_are_named),     IN_DIR(large_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
