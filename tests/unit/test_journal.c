/*
 * Tests of common/journal.c, through the log: a journal of our own listens at the journal's path,
 * in a mount namespace of our own, and stderr is a stream as systemd gives it to a service.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/journal.h"
#include "common/log.h"
#include "common/nsec.h"

#define FOLDER "/run/systemd/journal"
#define PATH   FOLDER "/socket"

static bool is_isolated;
static int saved_stderr;
static int stream[2]; /* [1] is stderr, [0] the journal's end of it */
static int reader;    /* the journal's own socket; -1: stopped */

static int isolate(void **state)
{
	(void)state;
	is_isolated = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
		      mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
		      mount("none", "/run", "tmpfs", 0, NULL) == 0 &&
		      mkdir("/run/systemd", 0755) == 0 && mkdir(FOLDER, 0755) == 0;
	if (!is_isolated)
		print_message("skipped: needs a mount namespace (%s); run as root\n",
			      strerror(errno));
	return 0;
}

static void start_journal(void)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = PATH };

	reader = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(reader >= 0);
	assert_int_equal(bind(reader, (const struct sockaddr *)&address, sizeof(address)), 0);
}

static void stop_journal(void)
{
	close(reader);
	reader = -1;
	unlink(PATH);
}

static int set_up(void **state)
{
	struct stat st;
	char text[64];

	(void)state;
	if (!is_isolated)
		return 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream), 0);
	fcntl(stream[0], F_SETFL, O_NONBLOCK);
	saved_stderr = dup(STDERR_FILENO);
	dup2(stream[1], STDERR_FILENO);
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
	start_journal();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (!is_isolated)
		return 0;
	stop_journal();
	unsetenv("JOURNAL_STREAM");
	log_init(NULL, LOG_LEVEL_INFO);
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(stream[0]);
	close(stream[1]);
	return 0;
}

/* The next entry, or "". */
static const char *entry(void)
{
	static char text[4096];
	ssize_t n = recv(reader, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* All that came over stderr since the last look. */
static const char *lines(void)
{
	static char text[4096];
	ssize_t n = read(stream[0], text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

#define SKIP_UNLESS_ISOLATED()                                                                     \
	do {                                                                                       \
		if (!is_isolated)                                                                  \
			skip();                                                                    \
	} while (0)

static void service_sends_entries_with_fields(void **state)
{
	(void)state;
	SKIP_UNLESS_ISOLATED();
	log_init("site-a", LOG_LEVEL_INFO);
	assert_int_equal(log_open(LOG_TARGET_AUTO), 0);
	assert_true(log_fd() > STDERR_FILENO);
	log_warning("no answer");
	log_set_peer("KEY=");
	log_debug("not this");
	log_info("handshake done");
	log_set_peer(NULL);
	log_info("deleted");
	assert_string_equal(entry(), "PRIORITY=4\nSYSLOG_IDENTIFIER=vpnd\nVPND_LINK=site-a\n"
				     "MESSAGE=site-a: no answer\n");
	assert_string_equal(entry(), "PRIORITY=6\nSYSLOG_IDENTIFIER=vpnd\nVPND_LINK=site-a\n"
				     "VPND_PEER=KEY=\nMESSAGE=site-a: handshake done\n");
	assert_string_equal(entry(), "PRIORITY=6\nSYSLOG_IDENTIFIER=vpnd\nVPND_LINK=site-a\n"
				     "MESSAGE=site-a: deleted\n");
	assert_string_equal(lines(), "");
}

static void other_stderr_gets_lines(void **state)
{
	(void)state;
	SKIP_UNLESS_ISOLATED();
	setenv("JOURNAL_STREAM", "1:2", 1);
	log_init("a", LOG_LEVEL_INFO);
	assert_int_equal(log_open(LOG_TARGET_AUTO), 0);
	assert_int_equal(log_fd(), -1);
	log_info("line");
	assert_string_equal(lines(), "a: line\n");
	assert_string_equal(entry(), "");
	unsetenv("JOURNAL_STREAM");
	log_init("a", LOG_LEVEL_INFO);
	assert_int_equal(log_open(LOG_TARGET_AUTO), 0);
	assert_int_equal(log_fd(), -1);
}

static void target_overrules(void **state)
{
	(void)state;
	SKIP_UNLESS_ISOLATED();
	log_init("a", LOG_LEVEL_INFO);
	assert_int_equal(log_open(LOG_TARGET_STDERR), 0);
	log_info("line");
	assert_string_equal(lines(), "a: line\n");
	assert_string_equal(entry(), "");
	unsetenv("JOURNAL_STREAM");
	log_init(NULL, LOG_LEVEL_INFO);
	assert_int_equal(log_open(LOG_TARGET_JOURNAL), 0);
	log_info("line");
	assert_string_equal(entry(), "PRIORITY=6\nSYSLOG_IDENTIFIER=vpnd\nMESSAGE=line\n");
	assert_string_equal(lines(), "");
}

static void without_journal_lines_go_to_stderr(void **state)
{
	(void)state;
	SKIP_UNLESS_ISOLATED();
	stop_journal();
	log_init("a", LOG_LEVEL_INFO);
	assert_int_equal(log_open(LOG_TARGET_AUTO), 0);
	assert_int_equal(log_fd(), -1);
	log_error("line");
	assert_string_equal(lines(), "<3>a: line\n");
	assert_true(log_open(LOG_TARGET_JOURNAL) < 0);
	log_error("line");
	assert_string_equal(lines(), "<3>a: line\n");
	assert_false(journal_send(LOG_LEVEL_INFO, "x\n", 2));
	log_flush();
}

static void journal_that_stops_is_found_again(void **state)
{
	(void)state;
	SKIP_UNLESS_ISOLATED();
	log_init("a", LOG_LEVEL_INFO);
	assert_int_equal(log_open(LOG_TARGET_AUTO), 0);
	log_info("1");
	assert_non_null(strstr(entry(), "MESSAGE=a: 1\n"));
	stop_journal();
	log_info("2");
	log_notice("3");
	assert_string_equal(lines(), "<6>a: 2\n<5>a: 3\n");
	start_journal();
	log_info("4");
	log_info("5");
	assert_non_null(strstr(entry(), "MESSAGE=a: 4\n"));
	assert_non_null(strstr(entry(), "MESSAGE=a: 5\n"));
	assert_string_equal(lines(), "");
}

static void journal_that_hangs_blocks_nothing(void **state)
{
	char text[4096];

	(void)state;
	SKIP_UNLESS_ISOLATED();
	log_init("a", LOG_LEVEL_INFO);
	assert_int_equal(log_open(LOG_TARGET_AUTO), 0);
	alarm(20); /* a write that blocks ends the test */
	for (unsigned int i = 0; i < 50000; i++)
		log_info("line");
	/* The rest went to stderr until that was full too. */
	assert_memory_equal(lines(), "<6>a: line\n", 11);
	while (read(stream[0], text, sizeof(text)) > 0)
		;
	while (entry()[0] != '\0')
		;
	log_info("again");
	assert_non_null(strstr(entry(), " lines before this one were lost) again\n"));
	alarm(0);
}

/* Reads one entry after a while. */
static void *read_late(void *context)
{
	const struct timespec while_ns = { .tv_nsec = 20 * NSEC_PER_MSEC };

	(void)context;
	nanosleep(&while_ns, NULL);
	entry();
	return NULL;
}

static void flush_waits_until_all_is_read(void **state)
{
	pthread_t thread;
	nsec_t start;

	(void)state;
	SKIP_UNLESS_ISOLATED();
	log_init("a", LOG_LEVEL_INFO);
	assert_int_equal(log_open(LOG_TARGET_AUTO), 0);
	log_error("the last words");
	assert_int_equal(pthread_create(&thread, NULL, read_late, NULL), 0);
	start = nsec_boottime();
	log_flush();
	assert_true(nsec_boottime() - start >= 15 * NSEC_PER_MSEC);
	pthread_join(thread, NULL);
	assert_string_equal(entry(), "");
	log_error("nobody reads this");
	log_flush(); /* and this does not wait for ever */
	assert_non_null(strstr(entry(), "nobody reads this"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(service_sends_entries_with_fields),
		TEST(other_stderr_gets_lines),
		TEST(target_overrules),
		TEST(without_journal_lines_go_to_stderr),
		TEST(journal_that_stops_is_found_again),
		TEST(journal_that_hangs_blocks_nothing),
		TEST(flush_waits_until_all_is_read),
	};

	return cmocka_run_group_tests(tests, isolate, NULL);
}
