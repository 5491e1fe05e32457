/*
 * Tests of daemon/host/service.c: what a service manager hears, which this program plays, and the
 * descriptors that it hands over. Each test is a child process, which has the row of descriptors
 * from 3 on and the environment for itself.
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/parse.h"
#include "daemon/host/service.h"

static char path[64];
static int manager = -1; /* the socket of the manager */

static void set_number(const char *name, unsigned long long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", number);
	setenv(name, text, 1);
}

static int open_manager(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test-service.%d", (int)getpid());
	unlink(path);
	memcpy(address.sun_path, path, sizeof(path));
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(manager, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	setenv("NOTIFY_SOCKET", path, 1);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	unsetenv("LISTEN_FDS");
	return 0;
}

static int close_manager(void **state)
{
	(void)state;
	service_deinit();
	close(manager);
	unlink(path);
	return 0;
}

/* What came, and the descriptor with it, or -1. */
static int hear(char text[static 512])
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = text, .iov_len = 511 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(manager, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fd = -1;

	assert_true(n >= 0);
	text[n] = '\0';
	if (message.msg_controllen > 0) {
		assert_int_equal(control.header.cmsg_type, SCM_RIGHTS);
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	}
	return fd;
}

static void expect_heard(const char *wanted)
{
	char text[512];

	assert_int_equal(hear(text), -1);
	assert_string_equal(text, wanted);
}

static void expect_silence(void)
{
	char byte;

	assert_int_equal(recv(manager, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void messages_are_as_the_protocol_has_them(void **state)
{
	const char reloading[] = "RELOADING=1\nMONOTONIC_USEC=";
	char text[512];
	uint64_t usec;

	(void)state;
	assert_int_equal(service_init(), 0);
	assert_true(service_is_there());
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_false(service_keeps());
	assert_int_equal(service_ready("up"), 0);
	expect_heard("READY=1\nSTATUS=up");
	assert_int_equal(service_status("idle"), 0);
	expect_heard("STATUS=idle");
	assert_int_equal(service_stopping(), 0);
	expect_heard("STOPPING=1\nSTATUS=ending");
	assert_int_equal(service_feed(), 0);
	expect_heard("WATCHDOG=1");
	assert_int_equal(service_extend(3 * NSEC_PER_SEC), 0);
	expect_heard("EXTEND_TIMEOUT_USEC=3000000");
	assert_int_equal(service_reloading(), 0);
	assert_int_equal(hear(text), -1);
	assert_int_equal(strncmp(text, reloading, strlen(reloading)), 0);
	assert_true(parse_number(text + strlen(reloading), UINT64_MAX, &usec) && usec > 0);
	expect_silence();
}

static void the_unit_says_whether_a_killed_process_leaves_something(void **state)
{
	(void)state;
	setenv("VPND_KEEPS", "1", 1);
	assert_int_equal(service_init(), 0);
	assert_true(service_keeps());
	assert_null(getenv("VPND_KEEPS"));
	service_deinit();
	assert_false(service_keeps());
	setenv("VPND_KEEPS", "1", 1);
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(service_init(), 0);
	assert_false(service_keeps());
}

static void a_status_that_is_too_long_is_refused(void **state)
{
	char status[1024];

	(void)state;
	memset(status, 'x', sizeof(status) - 1);
	status[sizeof(status) - 1] = '\0';
	assert_int_equal(service_init(), 0);
	assert_int_equal(service_status(status), -EMSGSIZE);
	expect_silence();
	status[SERVICE_STATUS_MAX - 1] = '\0';
	assert_int_equal(service_ready(status), 0);
}

static void without_a_manager_nothing_happens(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(service_init(), 0);
	assert_false(service_is_there());
	assert_int_equal(service_ready("up"), 0);
	assert_int_equal(service_store(0, "x"), 0);
	assert_int_equal(service_unstore("x"), 0);
	assert_int_equal(service_settle(), 0);
	assert_int_equal(service_drop_rest(), 0);
	assert_int_equal(service_take("x"), -1);
	assert_int_equal(service_watchdog(), 0);
	expect_silence();
}

static void addresses_of_other_kinds_are_refused(void **state)
{
	char text[300];

	(void)state;
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	assert_int_equal(service_init(), -EAFNOSUPPORT);
	assert_false(service_is_there());
	memset(text, '/', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	setenv("NOTIFY_SOCKET", text, 1);
	assert_int_equal(service_init(), -ENAMETOOLONG);
	assert_false(service_is_there());
}

static void the_abstract_namespace_is_an_address_too(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int len = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "test-service-%d",
			   (int)getpid());
	char name[sizeof(address.sun_path) + 1];

	(void)state;
	close(manager);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
		bind(manager, (struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)),
		0);
	snprintf(name, sizeof(name), "@%s", address.sun_path + 1);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(service_init(), 0);
	assert_int_equal(service_feed(), 0);
	expect_heard("WATCHDOG=1");
}

static void a_manager_that_went_away_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(service_init(), 0);
	close(manager);
	assert_int_equal(service_feed(), -ECONNREFUSED);
}

static void a_slow_manager_holds_up_no_status(void **state)
{
	int r = 0;

	(void)state;
	assert_int_equal(service_init(), 0);
	for (int i = 0; i < 100000 && r == 0; i++)
		r = service_status("idle");
	assert_int_equal(r, -EAGAIN);
}

static void the_watchdog_is_for_one_process(void **state)
{
	(void)state;
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(service_init(), 0);
	assert_int_equal(service_watchdog(), 30 * NSEC_PER_SEC);
	assert_null(getenv("WATCHDOG_USEC"));
	service_deinit();

	setenv("NOTIFY_SOCKET", path, 1);
	setenv("WATCHDOG_USEC", "30000000", 1);
	set_number("WATCHDOG_PID", (unsigned long long)getpid() + 1);
	assert_int_equal(service_init(), 0);
	assert_int_equal(service_watchdog(), 0);
	service_deinit();

	setenv("NOTIFY_SOCKET", path, 1);
	setenv("WATCHDOG_USEC", "soon", 1);
	assert_int_equal(service_init(), 0);
	assert_int_equal(service_watchdog(), 0);
}

static void a_descriptor_is_stored_under_its_name(void **state)
{
	struct stat mine, theirs;
	char text[512];
	int fd;

	(void)state;
	assert_int_equal(service_init(), 0);
	assert_int_equal(service_store(manager, "udp4"), 0);
	fd = hear(text);
	assert_string_equal(text, "FDSTORE=1\nFDPOLL=0\nFDNAME=udp4");
	assert_true(fd >= 0);
	assert_int_equal(fstat(manager, &mine), 0);
	assert_int_equal(fstat(fd, &theirs), 0);
	assert_int_equal(mine.st_ino, theirs.st_ino);
	close(fd);
}

static void a_manager_that_does_not_act_is_not_waited_for(void **state)
{
	char text[512];
	int fd;

	(void)state;
	assert_int_equal(service_init(), 0);
	assert_int_equal(service_unstore("udp4"), 0);
	expect_heard("FDSTOREREMOVE=1\nFDNAME=udp4");
	assert_int_equal(service_settle(), -ETIMEDOUT);
	fd = hear(text);
	assert_string_equal(text, "BARRIER=1");
	assert_true(fd >= 0);
	close(fd);
}

/* Puts pipes into the row from 3 on, `n` of them, in a child process, and runs `test` there. */
static void with_descriptors(int n, const char *names, void (*test)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		for (int fd = 3; fd < 3 + n; fd++) {
			if (fd != manager)
				dup2(STDERR_FILENO, fd);
		}
		set_number("LISTEN_PID", (unsigned long long)getpid());
		set_number("LISTEN_FDS", (unsigned long long)n);
		if (names)
			setenv("LISTEN_FDNAMES", names, 1);
		unsetenv("NOTIFY_SOCKET");
		service_init();
		test();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			_exit(__LINE__ & 0x7f ? __LINE__ & 0x7f : 1);                              \
	} while (0)

static void take_some(void)
{
	CHECK(getenv("LISTEN_FDS") == NULL);
	CHECK(fcntl(3, F_GETFD) == FD_CLOEXEC);
	CHECK(service_take("nobody") == -1);
	CHECK(service_take("udp4") == 4);
	CHECK(service_take("udp4") == -1);
	CHECK(service_drop_rest() == 2);
	CHECK(fcntl(3, F_GETFD) == -1);
	CHECK(fcntl(4, F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(5, F_GETFD) == -1);
	CHECK(service_take("tun") == -1);
	CHECK(service_drop_rest() == 0);
}

static void take_none(void)
{
	CHECK(service_take("") == 3);
	CHECK(service_drop_rest() == 1);
}

static void take_many(void)
{
	CHECK(service_drop_rest() == SERVICE_FDS_MAX);
	for (int fd = 3; fd < 3 + SERVICE_FDS_MAX + 4; fd++)
		CHECK(fcntl(fd, F_GETFD) == -1);
}

static void descriptors_are_taken_by_name(void **state)
{
	(void)state;
	manager = fcntl(manager, F_DUPFD_CLOEXEC, 100);
	with_descriptors(3, "tun:udp4:udp6", take_some);
	with_descriptors(2, NULL, take_none);
	with_descriptors(SERVICE_FDS_MAX + 4, "a:b", take_many);
}

static void descriptors_for_another_process_are_none(void **state)
{
	int before = fcntl(STDERR_FILENO, F_DUPFD, 3), flags = fcntl(before, F_GETFD);

	(void)state;
	set_number("LISTEN_PID", (unsigned long long)getpid() + 1);
	setenv("LISTEN_FDS", "5", 1);
	assert_int_equal(service_init(), 0);
	assert_int_equal(fcntl(before, F_GETFD), flags);
	assert_int_equal(service_drop_rest(), 0);
	close(before);
}

#define WITH_MANAGER(test) cmocka_unit_test_setup_teardown(test, open_manager, close_manager)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_MANAGER(messages_are_as_the_protocol_has_them),
		WITH_MANAGER(the_unit_says_whether_a_killed_process_leaves_something),
		WITH_MANAGER(a_status_that_is_too_long_is_refused),
		WITH_MANAGER(without_a_manager_nothing_happens),
		WITH_MANAGER(addresses_of_other_kinds_are_refused),
		WITH_MANAGER(the_abstract_namespace_is_an_address_too),
		WITH_MANAGER(a_manager_that_went_away_is_an_error),
		WITH_MANAGER(a_slow_manager_holds_up_no_status),
		WITH_MANAGER(the_watchdog_is_for_one_process),
		WITH_MANAGER(a_descriptor_is_stored_under_its_name),
		WITH_MANAGER(a_manager_that_does_not_act_is_not_waited_for),
		WITH_MANAGER(descriptors_are_taken_by_name),
		WITH_MANAGER(descriptors_for_another_process_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
