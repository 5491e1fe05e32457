/*
 * Tests of daemon/host/rights.c, landlock.c and sandbox.c: what an intruder would try, each in a
 * child that has given up its rights. Needs root for what only root can give up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/host/rights.h"
#include "daemon/host/sandbox.h"

/* Exit codes of the children. */
enum outcome { REFUSED, DONE, UNPREPARED = 77, MISSING = 78 };

static int open_file(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int make_file(void)
{
	return open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static int run_program(void)
{
	return execl("/bin/true", "true", NULL);
}

static int open_udp(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0);
}

static int open_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int make_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static int trace(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int send_signal(void)
{
	return kill(getppid(), SIGCONT);
}

static int become_root(void)
{
	return setuid(0);
}

static int make_executable(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? -1 : 0;
}

static int remove_file(void)
{
	return unlink("/tmp/test-rights-nothing") == 0 || errno == ENOENT ? 0 : -1;
}

static int change_mode(void)
{
	return chmod("/tmp", 01777);
}

/* All that stays possible. */
static int work(void)
{
	char byte;
	int fds[2];
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED || munmap(page, 4096) < 0)
		return -1;
	fds[0] = memfd_create("x", MFD_CLOEXEC);
	if (fds[0] < 0 || write(fds[0], "x", 1) != 1 || pread(fds[0], &byte, 1, 0) != 1)
		return -1;
	return close(fds[0]);
}

/* Not by _exit(), at which a sanitizer makes system calls of its own. */
static void end(int outcome)
{
	syscall(SYS_exit_group, outcome);
}

/* Runs `body` in a child. \return what it returned (0 to 255), or the negative number of the signal
 * that ended it */
static int run_child(int (*body)(const void *), const void *context)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		end(body(context));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return -WTERMSIG(status);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* An attempt of somebody who has given up all rights: some files may be left to read. */
struct attempt {
	int (*try)(void);
	const char *const *paths;
	size_t n_paths;
};

static int try_without_files(const void *context)
{
	const struct attempt *attempt = context;
	char text[RIGHTS_TEXT_MAX];
	int r = rights_drop("nobody", text);

	if (r >= 0)
		r = attempt->paths ? rights_limit_files(attempt->paths, attempt->n_paths)
				   : rights_close_files();
	if (r < 0)
		return r == -ENOSYS || r == -EOPNOTSUPP ? MISSING : UNPREPARED;
	return attempt->try() >= 0 ? DONE : REFUSED;
}

/* An attempt of a thread of a link. */
struct confined {
	enum sandbox_thread thread;
	enum conf_sandbox mode;
	int (*try)(void);
};

static int try_confined(const void *context)
{
	const struct confined *confined = context;
	char text[RIGHTS_TEXT_MAX];
	int r;

	if (rights_drop("nobody", text) < 0)
		return UNPREPARED;
	r = sandbox_enter(confined->thread, confined->mode);
	if (r != 0)
		return r == SANDBOX_MISSING ? MISSING : UNPREPARED;
	return confined->try() >= 0 ? DONE : REFUSED;
}

/* What becomes of an attempt in a child that is confined as a thread of a link is. */
static int try_it(enum sandbox_thread thread, enum conf_sandbox mode, int (*attempt)(void))
{
	const struct confined confined = { thread, mode, attempt };

	return run_child(try_confined, &confined);
}

static int (*const attempts[])(void) = {
	open_file,       make_file, run_program, open_udp,    open_unix,   make_process,
	make_executable, trace,     send_signal, become_root, remove_file, change_mode,
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		for (int thread = SANDBOX_CONTROL; thread <= SANDBOX_RX; thread++) {
			int is = try_it((enum sandbox_thread)thread, CONF_SANDBOX_REFUSE,
					attempts[i]);

			if (is == MISSING)
				skip();
			if (is != REFUSED)
				fail_msg("attempt %zu of thread %d: %d", i, thread, is);
		}
	}
}

static void test_killed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		int is = try_it(SANDBOX_CONTROL, CONF_SANDBOX_KILL, attempts[i]);

		if (is == MISSING)
			skip();
		if (is != -SIGSYS)
			fail_msg("attempt %zu: %d", i, is);
	}
}

static void test_work_goes_on(void **state)
{
	int is = try_it(SANDBOX_CONTROL, CONF_SANDBOX_KILL, work);

	(void)state;
	if (is == MISSING)
		skip();
	assert_int_equal(is, DONE);
}

static void test_off(void **state)
{
	(void)state;
	assert_int_equal(try_it(SANDBOX_RX, CONF_SANDBOX_OFF, open_file), DONE);
	assert_int_equal(try_it(SANDBOX_RX, CONF_SANDBOX_OFF, become_root), REFUSED);
}

/* The file system alone, without the filter of system calls. */
static void test_files(void **state)
{
	static const struct attempt files[] = {
		{ .try = open_file },
		{ .try = make_file },
		{ .try = run_program },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int is = run_child(try_without_files, &files[i]);

		if (is == MISSING)
			skip();
		assert_int_equal(is, REFUSED);
	}
}

static int read_directory(void)
{
	return open("/usr/share", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int read_linked_file(void)
{
	return open("/etc/os-release", O_RDONLY | O_CLOEXEC);
}

static int read_other_file(void)
{
	return open("/etc/group", O_RDONLY | O_CLOEXEC);
}

/* Some files can be read, nothing else and nothing more. */
static void test_limited_files(void **state)
{
	static const char *const paths[] = { "/etc/passwd", "/usr", "/no/such/file" };
	static const struct {
		int (*attempt)(void);
		enum outcome wanted;
	} cases[] = {
		{ open_file, DONE },          { read_directory, DONE }, { read_linked_file, DONE },
		{ read_other_file, REFUSED }, { make_file, REFUSED },   { run_program, REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct attempt attempt = { cases[i].attempt, paths, ARRAY_SIZE(paths) };
		int is = run_child(try_without_files, &attempt);

		if (is == MISSING)
			skip();
		if (is != (int)cases[i].wanted)
			fail_msg("case %zu: %d", i, is);
	}
}

static int become_somebody(void)
{
	char text[RIGHTS_TEXT_MAX];
	uid_t real, effective, saved;

	/* A second time: there is nothing left to give up, and that is fine. */
	if (rights_drop("nobody", text) < 0 || getresuid(&real, &effective, &saved) < 0)
		return -1;
	return real != 0 && effective == real && saved == real && getgroups(0, NULL) == 0 ? 0 : -1;
}

static int miss_user(const void *context)
{
	char text[RIGHTS_TEXT_MAX];

	(void)context;
	if (rights_drop("no-such-user", text) != RIGHTS_NO_USER || !text[0])
		return REFUSED;
	return getuid() != 0 ? DONE : REFUSED;
}

static void test_user(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(try_it(SANDBOX_CONTROL, CONF_SANDBOX_OFF, become_somebody), DONE);
	assert_int_equal(run_child(miss_user, NULL), DONE);
}

static void test_user_of_the_file(void **state)
{
	char text[RIGHTS_TEXT_MAX];

	(void)state;
	assert_int_equal(rights_check_user("daemon", text), 0);
	assert_string_equal(text, "");
	assert_int_equal(rights_check_user("no-such-user", text), -ENOENT);
	assert_non_null(strstr(text, "there is no user no-such-user"));
	assert_int_equal(rights_check_user("root", text), -EPERM);
	assert_non_null(strstr(text, "root is root"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),       cmocka_unit_test(test_killed),
		cmocka_unit_test(test_work_goes_on),  cmocka_unit_test(test_off),
		cmocka_unit_test(test_files),         cmocka_unit_test(test_user),
		cmocka_unit_test(test_limited_files), cmocka_unit_test(test_user_of_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
