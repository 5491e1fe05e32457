/* Tests of common/log.c: each replaces stderr by a pipe, a socket or a file and reads it back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

static int saved_stderr;
static int ends[2]; /* what is logged into [1] is read from [0] */

static void take_stderr(void)
{
	saved_stderr = dup(STDERR_FILENO);
	assert_true(saved_stderr >= 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
}

static int set_up_pipe(void **state)
{
	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	take_stderr();
	return 0;
}

static int set_up_socket(void **state)
{
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	take_stderr();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	if (ends[0] >= 0)
		close(ends[0]);
	close(ends[1]);
	unsetenv("JOURNAL_STREAM");
	log_init(NULL, LOG_LEVEL_INFO);
	return 0;
}

/* All that was logged until now. */
static const char *logged(void)
{
	static char text[200000];
	size_t len = 0;
	ssize_t n;

	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	while ((n = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return text;
}

static void line_has_the_name_of_the_link(void **state)
{
	(void)state;
	log_init("site-a", LOG_LEVEL_INFO);
	log_notice("handshake done in %d ms", 12);
	log_init(NULL, LOG_LEVEL_INFO);
	log_notice("plain");
	assert_string_equal(logged(), "site-a: handshake done in 12 ms\nplain\n");
}

static void less_important_lines_are_left_out(void **state)
{
	(void)state;
	log_init(NULL, LOG_LEVEL_NOTICE);
	log_error("e");
	log_warning("w");
	log_notice("n");
	log_info("i");
	log_debug("d");
	assert_string_equal(logged(), "e\nw\nn\n");
}

static void journal_gets_levels(void **state)
{
	struct stat st;
	char stream[64];

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init("a", LOG_LEVEL_DEBUG);
	log_error("e");
	log_debug("d");
	setenv("JOURNAL_STREAM", "1:2", 1); /* of a stderr that was redirected since */
	log_init("a", LOG_LEVEL_DEBUG);
	log_error("e");
	assert_string_equal(logged(), "<3>a: e\n<7>a: d\na: e\n");
}

static void errno_is_kept_and_known(void **state)
{
	(void)state;
	log_init(NULL, LOG_LEVEL_INFO);
	errno = ENOENT;
	log_error("no file: %m");
	assert_int_equal(errno, ENOENT);
	assert_string_equal(logged(), "no file: No such file or directory\n");
}

static void long_and_strange_text_stays_one_line(void **state)
{
	char text[5000];
	const char *got;

	(void)state;
	log_init("site-a", LOG_LEVEL_INFO);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	log_info("a\nb\x1b");
	got = logged();
	assert_int_equal(strchr(got, '\n') - got, 1022);
	assert_string_equal(strchr(got, '\n'), "\nsite-a: a?b?\n");
}

static void full_stderr_loses_lines_and_never_blocks(void **state)
{
	const char *got;
	size_t n_lines = 0, n_lost = 0;

	(void)state;
	log_init(NULL, LOG_LEVEL_INFO);
	alarm(20); /* a write that blocks ends the test */
	for (unsigned int i = 0; i < 100000; i++)
		log_info("line");
	got = logged();
	for (const char *c = got; *c != '\0'; c++)
		n_lines += *c == '\n';
	assert_in_range(n_lines, 10, 99999);
	log_info("again");
	got = logged();
	assert_non_null(strstr(got, " lines before this one were lost) again\n"));
	assert_int_equal(sscanf(got, "(%zu", &n_lost), 1);
	assert_int_equal(n_lost + n_lines, 100000);
	log_info("and again");
	assert_string_equal(logged(), "and again\n");
	alarm(0);
}

static void closed_stderr_does_no_harm(void **state)
{
	(void)state;
	log_init(NULL, LOG_LEVEL_INFO);
	close(ends[0]);
	ends[0] = -1;
	log_info("nobody reads this"); /* SIGPIPE would end the test */
}

static void limit_lets_one_through_per_interval(void **state)
{
	struct log_limit limit = { 0 };

	(void)state;
	assert_true(log_allowed(&limit, 10, 1000));
	assert_int_equal(limit.n_dropped, 0);
	assert_false(log_allowed(&limit, 10, 1000));
	assert_false(log_allowed(&limit, 10, 1009));
	assert_true(log_allowed(&limit, 10, 1010));
	assert_int_equal(limit.n_dropped, 2);
	assert_true(log_allowed(&limit, 10, 5000));
	assert_int_equal(limit.n_dropped, 0);
	assert_true(log_allowed(&limit, NSEC_NEVER, 6000));
	assert_false(log_allowed(&limit, NSEC_NEVER, NSEC_NEVER - 1));
}

#define WITH(test, set_up) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(line_has_the_name_of_the_link, set_up_pipe),
		WITH(less_important_lines_are_left_out, set_up_pipe),
		WITH(journal_gets_levels, set_up_socket),
		WITH(errno_is_kept_and_known, set_up_pipe),
		WITH(long_and_strange_text_stays_one_line, set_up_socket),
		WITH(full_stderr_loses_lines_and_never_blocks, set_up_pipe),
		WITH(full_stderr_loses_lines_and_never_blocks, set_up_socket),
		WITH(closed_stderr_does_no_harm, set_up_pipe),
		WITH(closed_stderr_does_no_harm, set_up_socket),
		cmocka_unit_test(limit_lets_one_through_per_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
