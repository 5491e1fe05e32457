/* Tests of daemon/ctl/uapi_listen.c: the socket's file from its beginning to its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/ctl/uapi_listen.h"
#include "tests/unit/temp_dir.h"

/* Some user that is not root. */
#define OTHER 4242

static char top[TEMP_DIR_LEN];
static char dir[64], path[96];

static int set_up(void **state)
{
	(void)state;
	if (!make_temp_dir(top))
		return -1;
	snprintf(dir, sizeof(dir), "%s/wireguard", top);
	snprintf(path, sizeof(path), "%s/site-a.sock", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	rmdir(dir);
	return rmdir(top);
}

static unsigned int mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(name, &st), 0);
	return st.st_mode & 07777;
}

static bool exists(void)
{
	return access(path, F_OK) == 0;
}

/* Whether a client may connect. */
static bool connects(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int r;

	memcpy(addr.sun_path, path, strlen(path));
	r = connect(fd, (struct sockaddr *)&addr, sizeof(addr));
	close(fd);
	return r == 0;
}

static void modes_are_those_of_wireguard_go(void **state)
{
	mode_t before = umask(022);
	int fd = uapi_listen(dir, "site-a", UAPI_MODE, dir);

	(void)state;
	umask(before);
	assert_true(fd >= 0);
	assert_int_equal(mode_of(dir), 0755);
	assert_int_equal(mode_of(path), 0700);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(connects());
	close(fd);
}

static void the_mode_does_not_depend_on_the_umask(void **state)
{
	mode_t before = umask(077);

	(void)state;
	close(uapi_listen(dir, "site-a", 0660, dir));
	assert_int_equal(umask(before), 077);
	assert_int_equal(mode_of(path), 0660);
}

/* What another user gets who listens and goes away again. */
static int listen_as_other(void)
{
	pid_t pid = fork();
	int fd, status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setgid(OTHER) < 0 || setuid(OTHER) < 0)
			_exit(255);
		fd = uapi_listen(dir, "site-a", UAPI_MODE, dir);
		_exit(fd < 0 ? -fd : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void make_dir_of(uid_t user, mode_t mode)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(top, 0711), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chown(dir, user, user), 0);
	assert_int_equal(chmod(dir, mode), 0);
}

/* The service comes after somebody who has started the link by hand, and was killed. */
static void what_root_makes_belongs_to_whom_the_directory_does(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	make_dir_of(OTHER, 0755);
	fd = uapi_listen(dir, "site-a", UAPI_MODE, dir);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_uid, OTHER);
	assert_int_equal(st.st_gid, OTHER);
	/* Somebody serves there, whoever asks. */
	assert_int_equal(listen_as_other(), -EADDRINUSE);
	close(fd);
	assert_int_equal(listen_as_other(), 0);
	/* What else root makes is root's as before. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_gid, getegid());
	rmdir(path);
}

static void the_owner_of_another_directory_has_it(void **state)
{
	struct stat st;

	(void)state;
	make_dir_of(0, 01777);
	assert_int_equal(chown(top, OTHER, OTHER), 0);
	close(uapi_listen(dir, "site-a", UAPI_MODE, top));
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_uid, OTHER);
	assert_int_equal(listen_as_other(), 0);
	/* Who may make none there has none. */
	assert_int_equal(chmod(dir, 0755), 0);
	close(uapi_listen(dir, "site-a", UAPI_MODE, top));
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
}

static void one_that_tells_nothing_is_in_the_way(void **state)
{
	(void)state;
	make_dir_of(0, 01777);
	close(uapi_listen(dir, "site-a", UAPI_MODE, dir));
	assert_int_equal(listen_as_other(), -EPERM);
	/* It tells that nobody listens, but does not go. */
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(listen_as_other(), -EPERM);
}

static void one_in_use_is_left_alone(void **state)
{
	int fd = uapi_listen(dir, "site-a", UAPI_MODE, dir);
	int waiting[64];
	size_t n = 0;

	(void)state;
	assert_int_equal(uapi_listen(dir, "site-a", UAPI_MODE, dir), -EADDRINUSE);
	assert_true(connects());
	/* Also when so many wait that nobody gets in. */
	for (; n < 64; n++) {
		struct sockaddr_un addr = { .sun_family = AF_UNIX };

		memcpy(addr.sun_path, path, strlen(path));
		waiting[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(waiting[n], (struct sockaddr *)&addr, sizeof(addr)) < 0)
			break;
	}
	assert_in_range(n, 1, 63);
	assert_int_equal(uapi_listen(dir, "site-a", UAPI_MODE, dir), -EADDRINUSE);
	for (size_t i = 0; i <= n; i++)
		close(waiting[i]);
	close(fd);
}

static void a_left_over_one_is_replaced(void **state)
{
	int fd = uapi_listen(dir, "site-a", UAPI_MODE, dir);

	(void)state;
	close(fd); /* as after kill -9 */
	assert_true(exists());
	assert_false(connects());
	fd = uapi_listen(dir, "site-a", UAPI_MODE, dir);
	assert_true(fd >= 0);
	assert_true(connects());
	close(fd);
}

static int inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (int)st.st_ino;
}

/* The service manager hands over the one of the process before. */
static void one_that_is_handed_over_goes_on(void **state)
{
	int fd = uapi_listen(dir, "site-a", UAPI_MODE, dir), same, other;

	(void)state;
	assert_true(connects());
	same = uapi_listen_again(fd, dir, "site-a", UAPI_MODE, dir);
	assert_int_equal(same, fd);
	/* Who connected before still waits there. */
	other = accept(same, NULL, NULL);
	assert_true(other >= 0);
	close(other);
	close(same);
	/* There is none. */
	fd = uapi_listen_again(-1, dir, "site-a", UAPI_MODE, dir);
	assert_true(fd >= 0);
	assert_true(connects());
	close(fd);
}

static void one_that_is_of_no_use_is_made_anew(void **state)
{
	int fd = uapi_listen(dir, "site-a", UAPI_MODE, dir), before = inode_of(fd);

	(void)state;
	/* Nobody would find it any more. */
	assert_int_equal(unlink(path), 0);
	fd = uapi_listen_again(fd, dir, "site-a", UAPI_MODE, dir);
	assert_true(fd >= 0);
	assert_int_not_equal(inode_of(fd), before);
	assert_true(connects());
	/* Of another name. */
	before = inode_of(fd);
	fd = uapi_listen_again(fd, dir, "site-b", UAPI_MODE, dir);
	assert_true(fd >= 0);
	assert_int_not_equal(inode_of(fd), before);
	assert_false(connects());
	close(fd);
	uapi_remove_orphan(dir, "site-b", false);
	/* No socket that listens. */
	fd = uapi_listen_again(socket(AF_UNIX, SOCK_STREAM, 0), dir, "site-a", UAPI_MODE, dir);
	assert_true(fd >= 0);
	assert_true(connects());
	close(fd);
}

/* Another process has taken the name since. */
static void one_whose_name_is_taken_is_not_handed_over(void **state)
{
	struct uapi_place place;
	int fd = uapi_listen(dir, "site-a", UAPI_MODE, dir), other;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(unlink(path), 0);
	other = uapi_listen(dir, "site-a", UAPI_MODE, dir);
	assert_int_equal(uapi_place_open(&place, fd), -ENOENT);
	assert_int_equal(uapi_listen_again(fd, dir, "site-a", UAPI_MODE, dir), -EADDRINUSE);
	assert_true(connects());
	close(other);
}

/* Somebody makes the socket, and leaves it to another one, which holds it until `*end` is closed.
 */
static void leave_to_another(int *end)
{
	int ends[2], status;
	pid_t maker;

	assert_int_equal(pipe(ends), 0);
	maker = fork();
	assert_true(maker >= 0);
	if (maker == 0) {
		char byte;

		close(ends[1]);
		if (uapi_listen(dir, "site-a", UAPI_MODE, dir) < 0)
			_exit(1);
		if (fork() == 0)
			(void)!read(ends[0], &byte, 1);
		_exit(0);
	}
	close(ends[0]);
	*end = ends[1];
	assert_int_equal(waitpid(maker, &status, 0), maker);
	assert_int_equal(status, 0);
}

static void orphans_are_removed(void **state)
{
	int end, fd = uapi_listen(dir, "site-a", UAPI_MODE, dir);

	(void)state;
	uapi_remove_orphan(dir, "site-a", true);
	assert_true(exists());
	close(fd);
	uapi_remove_orphan(dir, "site-a", false);
	assert_false(exists());
	/* The service manager has it, and may hand it over. */
	leave_to_another(&end);
	assert_true(connects());
	uapi_remove_orphan(dir, "site-a", false);
	assert_true(exists());
	uapi_remove_orphan(dir, "site-a", true);
	assert_false(exists());
	close(end);
	/* Nothing there, and what is no socket. */
	uapi_remove_orphan(dir, "site-a", true);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	uapi_remove_orphan(dir, "site-a", true);
	assert_true(exists());
}

static void what_is_no_socket_is_kept(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(mkdir(dir, 0755), 0);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(uapi_listen(dir, "site-a", UAPI_MODE, dir), -ENOTSOCK);
	assert_true(exists());
	unlink(path);
	assert_int_equal(symlink("/nonexistent", path), 0);
	assert_int_equal(uapi_listen(dir, "site-a", UAPI_MODE, dir), -ENOTSOCK);
}

static void places_that_cannot_be(void **state)
{
	char longest[200];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(uapi_listen(dir, longest, UAPI_MODE, dir), -ENAMETOOLONG);
	assert_int_equal(uapi_listen("/nonexistent/wireguard", "a", UAPI_MODE, dir), -ENOENT);
	/* As the other tests leave it. */
	mkdir(dir, 0755);
}

static void only_listening_unix_sockets_are_adopted(void **state)
{
	int pair[2], fd;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(uapi_listen_adopt(pair[0]), -EINVAL);
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(uapi_listen_adopt(pair[0]), -EBADF);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(uapi_listen_adopt(fd), -EINVAL);
	close(fd);
	fd = open("/dev/null", O_RDONLY);
	assert_int_equal(uapi_listen_adopt(fd), -EINVAL);
	close(fd);

	fd = uapi_listen(dir, "site-a", UAPI_MODE, dir);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	assert_int_equal(fcntl(fd, F_SETFD, 0), 0);
	assert_int_equal(uapi_listen_adopt(fd), 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

static void the_name_is_watched(void **state)
{
	struct uapi_place place;
	int fd = uapi_listen(dir, "site-a", UAPI_MODE, dir);
	char elsewhere[sizeof(path) + 2];

	(void)state;
	assert_true(uapi_place_open(&place, fd) == 0 && uapi_place_watch(&place) == 0);
	assert_string_equal(place.path, path);
	assert_false(uapi_place_is_gone(&place));
	/* Another mode or owner is nothing. */
	assert_int_equal(chmod(path, 0770), 0);
	assert_false(uapi_place_is_gone(&place));
	unlink(path);
	assert_true(uapi_place_is_gone(&place));
	assert_true(uapi_place_is_gone(&place));
	uapi_place_close(&place, true);
	assert_int_equal(uapi_place_open(&place, fd), -ENOENT);
	uapi_place_close(&place, true);
	close(fd);

	fd = uapi_listen(dir, "site-a", UAPI_MODE, dir);
	assert_true(uapi_place_open(&place, fd) == 0 && uapi_place_watch(&place) == 0);
	snprintf(elsewhere, sizeof(elsewhere), "%s~", path);
	assert_int_equal(rename(path, elsewhere), 0);
	assert_true(uapi_place_is_gone(&place));
	unlink(elsewhere);
	uapi_place_close(&place, true);
	close(fd);
}

static void only_its_own_name_is_removed(void **state)
{
	struct uapi_place place, other_place;
	int fd = uapi_listen(dir, "site-a", UAPI_MODE, dir);
	int other;

	(void)state;
	assert_int_equal(uapi_place_open(&place, fd), 0);
	uapi_place_close(&place, false);
	assert_true(exists());
	assert_int_equal(uapi_place_open(&place, fd), 0);
	unlink(path);
	other = uapi_listen(dir, "site-a", UAPI_MODE, dir);
	assert_true(other >= 0);
	uapi_place_close(&place, true);
	assert_true(exists());
	assert_int_equal(uapi_place_open(&other_place, other), 0);
	uapi_place_close(&other_place, true);
	assert_false(exists());
	uapi_place_close(&other_place, true);
	close(fd);
	close(other);
}

static void a_socket_without_a_name_is_fine(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct uapi_place place;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	/* The kernel chooses an abstract name. */
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr.sun_family)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(uapi_listen_adopt(fd), 0);
	assert_true(uapi_place_open(&place, fd) == 0 && uapi_place_watch(&place) == 0);
	assert_int_equal(place.inotify_fd, -1);
	assert_false(uapi_place_is_gone(&place));
	uapi_place_close(&place, true);
	close(fd);
	mkdir(dir, 0755);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(modes_are_those_of_wireguard_go),
		TEST(the_mode_does_not_depend_on_the_umask),
		TEST(what_root_makes_belongs_to_whom_the_directory_does),
		TEST(the_owner_of_another_directory_has_it),
		TEST(one_that_tells_nothing_is_in_the_way),
		TEST(one_in_use_is_left_alone),
		TEST(a_left_over_one_is_replaced),
		TEST(one_that_is_handed_over_goes_on),
		TEST(one_that_is_of_no_use_is_made_anew),
		TEST(one_whose_name_is_taken_is_not_handed_over),
		TEST(orphans_are_removed),
		TEST(what_is_no_socket_is_kept),
		TEST(places_that_cannot_be),
		TEST(only_listening_unix_sockets_are_adopted),
		TEST(the_name_is_watched),
		TEST(only_its_own_name_is_removed),
		TEST(a_socket_without_a_name_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
