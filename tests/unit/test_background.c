/*
 * Tests of daemon/cli/background.c. The process that is started is a child of the test, which forks
 * the service; what comes out of the two is read from a pipe.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/cli/background.h"

/* What ended, and what it printed. */
static struct outcome {
	int code; /* of the process that was started; -1: no exit */
	char output[8192];
} outcome;

static void print(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		_exit(100);
}

/* Runs `service` in the background, and waits for the process that was started. */
static void start(void (*service)(const struct background *background), bool keeps_output)
{
	int out[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(out), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct background background = BACKGROUND_NULL;
		int code = 99, r;

		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		close(out[0]);
		close(out[1]);
		r = background_start(&background, keeps_output, &code);
		if (r == 0) {
			service(&background);
			_exit(98);
		}
		_exit(r == 1 ? code : 97);
	}
	close(out[1]);
	memset(&outcome, 0, sizeof(outcome));
	/* To the end: nobody may hold it longer than the process that was started. */
	while ((n = read(out[0], outcome.output + len, sizeof(outcome.output) - 1 - len)) > 0)
		len += (size_t)n;
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void is_ready(const struct background *background)
{
	print("begins\n");
	background_ready(background);
	(void)signal(SIGPIPE, SIG_IGN);
	alarm(2);
	pause();
}

static void fails(const struct background *background)
{
	(void)background;
	print("cannot begin\n");
	_exit(69);
}

static void crashes(const struct background *background)
{
	(void)background;
	print("begins\n");
	raise(SIGKILL);
}

static void leaves_a_child(const struct background *background)
{
	(void)background;
	if (fork() == 0) {
		alarm(2);
		pause();
	}
	_exit(71);
}

static void prints_much(const struct background *background)
{
	char line[1001];

	(void)background;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (int i = 0; i < 8; i++)
		print(line);
	_exit(71);
}

/* The service is on its own: session, directory, input, output. */
static void looks_around(const struct background *background)
{
	char directory[64], text[256];

	(void)background;
	snprintf(text, sizeof(text), "session %d, directory %s, input %zd\n", getsid(0) == getpid(),
		 getcwd(directory, sizeof(directory)), read(STDIN_FILENO, directory, 1));
	(void)!write(STDOUT_FILENO, "unheard", 7);
	print(text);
	_exit(1);
}

static void it_ends_when_the_service_is_ready(void **state)
{
	(void)state;
	start(is_ready, false);
	assert_int_equal(outcome.code, 0);
	assert_string_equal(outcome.output, "begins\n");
}

static void a_failure_is_that_of_the_service(void **state)
{
	(void)state;
	start(fails, false);
	assert_int_equal(outcome.code, 69);
	assert_string_equal(outcome.output, "cannot begin\n");
	start(fails, true);
	assert_int_equal(outcome.code, 69);
	assert_string_equal(outcome.output, "cannot begin\n");
}

static void a_crash_is_a_failure(void **state)
{
	(void)state;
	start(crashes, false);
	assert_int_equal(outcome.code, 71);
	assert_string_equal(outcome.output, "begins\n");
}

static void what_the_service_has_forked_holds_nobody(void **state)
{
	(void)state;
	start(leaves_a_child, false);
	assert_int_equal(outcome.code, 71);
}

static void no_output_is_lost(void **state)
{
	(void)state;
	start(prints_much, false);
	assert_int_equal(outcome.code, 71);
	assert_int_equal(strlen(outcome.output), 8000);
}

static void the_service_leaves_its_callers_things(void **state)
{
	(void)state;
	start(looks_around, false);
	assert_int_equal(outcome.code, 1);
	assert_string_equal(outcome.output, "session 1, directory /, input 0\n");
	start(looks_around, true);
	assert_string_equal(outcome.output, "unheardsession 1, directory /, input 0\n");
}

static void in_the_foreground_nobody_waits(void **state)
{
	const struct background background = BACKGROUND_NULL;

	(void)state;
	background_ready(&background);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_ends_when_the_service_is_ready),
		cmocka_unit_test(a_failure_is_that_of_the_service),
		cmocka_unit_test(a_crash_is_a_failure),
		cmocka_unit_test(what_the_service_has_forked_holds_nobody),
		cmocka_unit_test(no_output_is_lost),
		cmocka_unit_test(the_service_leaves_its_callers_things),
		cmocka_unit_test(in_the_foreground_nobody_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
