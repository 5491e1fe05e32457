/* Running other programs to their end: program.c. */
#include "tests/unit/host_env.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon/host/program.h"

/* What a program has said, lines joined by "|". */
struct heard {
	char text[65536];
	size_t len;
	size_t n_lines;
};

static void hear(void *context, const char *line)
{
	struct heard *heard = context;

	heard->len += (size_t)snprintf(heard->text + heard->len, sizeof(heard->text) - heard->len,
				       "%s|", line);
	assert_true(heard->len < sizeof(heard->text));
	heard->n_lines++;
}

static const char *const environment[] = { "PATH=" PROGRAM_PATH, "COLOUR=blue", NULL };

/* Runs a shell command; the job's other fields are as given. */
static int run(struct program_job job, const char *command, struct heard *heard,
	       struct program_result *result)
{
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };

	*heard = (struct heard) { .len = 0 };
	job.argv = argv;
	job.envp = environment;
	job.say = hear;
	job.context = heard;
	if (job.limit == 0)
		job.limit = 20 * NSEC_PER_SEC;
	return program_run(&job, result);
}

static void test_ends(void **state)
{
	static const struct {
		const char *command;
		enum program_end end;
		int status;
		const char *text;
	} cases[] = {
		{ "true", PROGRAM_EXITED, 0, "ended with exit code 0" },
		{ "exit 7", PROGRAM_EXITED, 7, "ended with exit code 7" },
		{ "kill -9 $$", PROGRAM_SIGNALLED, 9, "was ended by signal 9" },
	};
	struct program_job job = { .argv = NULL };
	struct program_result result;
	struct heard heard;
	char text[80];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(run(job, cases[i].command, &heard, &result), 0);
		assert_int_equal(result.end, cases[i].end);
		assert_int_equal(result.status, cases[i].status);
		program_end_text(&result, NSEC_PER_SEC, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void test_output(void **state)
{
	struct program_job job = { .argv = NULL };
	struct program_result result;
	struct heard heard;

	(void)state;
	assert_int_equal(
		run(job, "echo one; echo two >&2; printf 'th\\033[1mree'", &heard, &result), 0);
	assert_string_equal(heard.text, "one|two|th\\x1b[1mree|");
	assert_int_equal(run(job, "echo $COLOUR $HOME-", &heard, &result), 0);
	assert_string_equal(heard.text, "blue -|");
	/* Lines and their number are bounded. */
	assert_int_equal(
		run(job, "head -c 9000 /dev/zero | tr '\\0' x; echo; echo end", &heard, &result),
		0);
	assert_int_equal(heard.n_lines, 2);
	assert_true(heard.len < PROGRAM_LINE_MAX + 8);
	assert_int_equal(run(job, "seq 1 5000", &heard, &result), 0);
	/* The last one is often the error. */
	assert_int_equal(heard.n_lines, PROGRAM_LINES_MAX + 2);
	assert_non_null(strstr(heard.text, "|100|... (4899 lines left out)|5000|"));
	assert_int_equal(run(job, "seq 1 101", &heard, &result), 0);
	assert_int_equal(heard.n_lines, PROGRAM_LINES_MAX + 1);
	assert_non_null(strstr(heard.text, "|100|101|"));
}

static void test_input(void **state)
{
	struct program_job job = { .input = "a\nb\n", .input_len = 4 };
	struct program_result result;
	struct heard heard;

	(void)state;
	assert_int_equal(run(job, "cat; echo end", &heard, &result), 0);
	assert_string_equal(heard.text, "a|b|end|");
	/* Nobody reads it: no harm. */
	assert_int_equal(run(job, "true", &heard, &result), 0);
	job = (struct program_job) { .argv = NULL };
	assert_int_equal(run(job, "cat; echo end", &heard, &result), 0);
	assert_string_equal(heard.text, "end|");
	job = (struct program_job) { .input = "x", .input_len = 4097 };
	assert_int_equal(run(job, "true", &heard, &result), -E2BIG);
}

/* Nothing of the caller's is inherited: mask, ignored signals, descriptors, process group. */
static void test_inheritance(void **state)
{
	struct program_job job = { .argv = NULL };
	int fd = open("/dev/null", O_RDONLY); /* NOLINT(android-cloexec-open): on purpose */
	struct program_result result;
	struct heard heard;
	sigset_t all, before;

	(void)state;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	signal(SIGPIPE, SIG_IGN);
	/* libc keeps signals 32 and 33 for itself. */
	assert_int_equal(run(job,
			     "for name in Blk Ign; do bits=$(grep Sig$name /proc/self/status); "
			     "echo $name $((0x${bits##*[!0-9a-f]} & 0x7fffffff)); done; "
			     "ls /proc/$$/fd | tr '\\n' ' '; echo; "
			     "[ $(cut -d' ' -f5 /proc/$$/stat) = $$ ] && echo leader",
			     &heard, &result),
			 0);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fd);
	assert_string_equal(heard.text, "Blk 0|Ign 0|0 1 2 |leader|");
}

static void test_stalled(void **state)
{
	struct program_job job = { .limit = 200 * NSEC_PER_MSEC };
	struct program_result result;
	struct heard heard;
	nsec_t start = nsec_boottime();
	char text[80];

	(void)state;
	/* It has a child, which ends with it. */
	assert_int_equal(run(job, "sleep 1234 & echo $!; wait", &heard, &result), 0);
	assert_int_equal(result.end, PROGRAM_STALLED);
	assert_true(nsec_boottime() - start < 2 * NSEC_PER_SEC);
	assert_string_equal(program_end_text(&result, 30 * NSEC_PER_SEC, text, sizeof(text)),
			    "did not end within 30 seconds and was stopped");
	/* It does not want to: SIGKILL after the grace. */
	start = nsec_boottime();
	assert_int_equal(
		run(job, "trap '' TERM; while :; do read x </dev/zero; done", &heard, &result), 0);
	assert_int_equal(result.end, PROGRAM_STALLED);
	assert_true(nsec_boottime() - start >= PROGRAM_GRACE);
}

/* Reads what there is to read; the end of it is the end of the program. */
static bool count_reads(void *context)
{
	int *counts = context;
	char byte;

	if (read(counts[1], &byte, 1) == 0)
		return true;
	counts[0]++;
	return false;
}

/* Somebody is served while the program runs, and may end it. */
static void test_watch(void **state)
{
	int fds[2], counts[2] = { 0 };
	struct program_watch watch = { .is_unwanted = count_reads, .context = counts };
	struct program_job job = { .watch = &watch };
	struct program_result result;
	struct heard heard;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	watch.fd = counts[1] = fds[0];
	assert_int_equal(write(fds[1], "ab", 2), 2);
	assert_int_equal(run(job, "sleep 0.2; exit 3", &heard, &result), 0);
	assert_int_equal(result.end, PROGRAM_EXITED);
	assert_int_equal(counts[0], 2);
	close(fds[1]);
	assert_int_equal(run(job, "sleep 1234", &heard, &result), 0);
	assert_int_equal(result.end, PROGRAM_CANCELLED);
	close(fds[0]);
}

static void test_cancelled(void **state)
{
	struct program_watch watch = { .is_unwanted = NULL };
	struct program_job job = { .watch = &watch };
	struct program_result result;
	struct heard heard;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	watch.fd = fds[0];
	assert_int_equal(run(job, "exit 3", &heard, &result), 0);
	assert_int_equal(result.end, PROGRAM_EXITED);
	close(fds[1]);
	assert_int_equal(run(job, "sleep 1234", &heard, &result), 0);
	assert_int_equal(result.end, PROGRAM_CANCELLED);
	close(fds[0]);
}

/* What goes on in the background holds the pipe, and nobody waits for it. */
static void test_background(void **state)
{
	struct program_job job = { .argv = NULL };
	struct program_result result;
	struct heard heard;
	nsec_t start = nsec_boottime();

	(void)state;
	assert_int_equal(run(job, "sleep 3 & echo done", &heard, &result), 0);
	assert_int_equal(result.end, PROGRAM_EXITED);
	assert_string_equal(heard.text, "done|");
	assert_true(nsec_boottime() - start < 2 * NSEC_PER_SEC);
}

static void test_cannot_run(void **state)
{
	static const char *const nowhere[] = { "/nonexistent/program", NULL };
	static const char *const no_program[] = { "/etc/passwd", NULL };
	struct program_job job = { .argv = nowhere, .envp = environment };
	struct program_result result;

	(void)state;
	assert_int_equal(program_run(&job, &result), -ENOENT);
	job.argv = no_program;
	assert_int_equal(program_run(&job, &result), -EACCES);
}

static void test_find(void **state)
{
	char path[64];

	(void)state;
	assert_true(program_find(PROGRAM_PATH, "sh", path, sizeof(path)));
	assert_int_equal(access(path, X_OK), 0);
	assert_true(program_find("/nonexistent::/bin", "sh", path, sizeof(path)));
	assert_string_equal(path, "/bin/sh");
	assert_false(program_find("/nonexistent:/usr", "sh", path, sizeof(path)));
	assert_false(program_find("", "sh", path, sizeof(path)));
	assert_false(program_find("/etc", "passwd", path, sizeof(path)));
	assert_false(program_find("/bin", "sh", path, 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),       cmocka_unit_test(test_output),
		cmocka_unit_test(test_input),      cmocka_unit_test(test_inheritance),
		cmocka_unit_test(test_stalled),    cmocka_unit_test(test_watch),
		cmocka_unit_test(test_cancelled),  cmocka_unit_test(test_background),
		cmocka_unit_test(test_cannot_run), cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
