/* The administrator's commands: hooks.c. */
#include "tests/unit/host_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon/host/hooks.h"
#include "tests/unit/temp_dir.h"

#define MAX_COMMANDS 4

/* What was said, lines joined by "|". */
static char heard[4096];

static void hear(void *context, const char *line)
{
	size_t len = strlen(heard);

	assert_ptr_equal(context, heard);
	snprintf(heard + len, sizeof(heard) - len, "%s|", line);
}

static const struct hooks hooks = {
	.link = "site-a",
	.file = "/etc/vpnd/site-a.conf",
	.limit = 5 * NSEC_PER_SEC,
	.say = hear,
	.context = heard,
};

/* Runs a list of commands that ends in NULL. */
static int run(const struct hooks *with, enum conf_hook hook, const char *const *commands,
	       char text[static HOOKS_TEXT_MAX])
{
	char *items[MAX_COMMANDS];
	struct conf_strings strings = { .items = items };
	int result;

	for (; *commands; commands++) {
		assert_true(strings.n < MAX_COMMANDS);
		items[strings.n] = strdup(*commands);
		assert_non_null(items[strings.n++]);
	}
	heard[0] = '\0';
	result = hooks_run(with, hook, &strings, text);
	for (size_t i = 0; i < strings.n; i++)
		free(items[i]);
	return result;
}

static void test_plain(void **state)
{
	static const char *const commands[] = { "echo up %i %i% i %%i; echo err >&2", "echo second",
						NULL };
	static const char *const variables[] = { "echo $INTERFACE $CONFIG_FILE $VPND_HOOK $LC_ALL",
						 NULL };
	static const char *const nothing[] = { NULL };
	char text[HOOKS_TEXT_MAX];

	(void)state;
	assert_int_equal(run(&hooks, CONF_POST_UP, commands, text), 0);
	assert_string_equal(text, "");
	assert_string_equal(heard,
			    "PostUp: up site-a site-a% i %site-a|PostUp: err|PostUp: second|");
	assert_int_equal(run(&hooks, CONF_PRE_UP, variables, text), 0);
	assert_string_equal(heard, "PreUp: site-a /etc/vpnd/site-a.conf PreUp C|");
	assert_int_equal(run(&hooks, CONF_PRE_UP, nothing, text), 0);
	assert_string_equal(heard, "");
}

static void test_failure(void **state)
{
	static const char *const commands[] = { "echo one", "echo secret >/dev/null; exit 3",
						"echo three", NULL };
	char text[HOOKS_TEXT_MAX];

	(void)state;
	assert_int_equal(run(&hooks, CONF_PRE_UP, commands, text), HOOKS_FAILED);
	assert_string_equal(text, "command 2 of 3 of PreUp ended with exit code 3");
	assert_string_equal(heard, "PreUp: one|");
	assert_int_equal(run(&hooks, CONF_POST_UP, commands, text), HOOKS_FAILED);
	assert_string_equal(text, "command 2 of 3 of PostUp ended with exit code 3");
	/* A stop goes on, and tells of the first. */
	assert_int_equal(run(&hooks, CONF_PRE_DOWN, commands, text), HOOKS_FAILED);
	assert_string_equal(text, "command 2 of 3 of PreDown ended with exit code 3");
	assert_string_equal(heard, "PreDown: one|PreDown: three|");
	assert_int_equal(run(&hooks, CONF_POST_DOWN, commands, text), HOOKS_FAILED);
	assert_string_equal(heard, "PostDown: one|PostDown: three|");
}

static void test_limits(void **state)
{
	static const char *const commands[] = { "sleep 1234", NULL };
	struct program_watch watch = { .is_unwanted = NULL };
	struct hooks with = hooks;
	char text[HOOKS_TEXT_MAX];
	int fds[2];

	(void)state;
	with.limit = NSEC_PER_SEC;
	assert_int_equal(run(&with, CONF_POST_UP, commands, text), HOOKS_FAILED);
	assert_string_equal(text, "command 1 of 1 of PostUp did not end within 1 seconds and was "
				  "stopped");
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	close(fds[1]);
	with.limit = 0;
	watch.fd = fds[0];
	with.watch = &watch;
	assert_int_equal(run(&with, CONF_POST_UP, commands, text), HOOKS_CANCELLED);
	close(fds[0]);
}

static void test_used(void **state)
{
	struct conf_link conf = { .name = "site-a" };

	(void)state;
	assert_false(hooks_are_used(&conf));
	conf.hooks[CONF_POST_DOWN].n = 1;
	assert_true(hooks_are_used(&conf));
}

static void test_may_run(void **state)
{
	char dir[TEMP_DIR_LEN], path[64], link_path[64];
	const char *reason;
	int fd;

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: only root may give files away\n");
		skip();
	}
	assert_true(make_temp_dir(dir));
	snprintf(path, sizeof(path), "%s/a.conf", dir);
	snprintf(link_path, sizeof(link_path), "%s/b.conf", dir);
	assert_false(hooks_may_run(path, &reason));
	assert_string_equal(reason, "cannot be looked at");
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_true(hooks_may_run(path, &reason));
	assert_int_equal(symlink(path, link_path), 0);
	assert_true(hooks_may_run(link_path, &reason));
	assert_int_equal(fchmod(fd, 0620), 0);
	assert_false(hooks_may_run(path, &reason));
	assert_string_equal(reason, "may be written by others than root");
	assert_int_equal(fchmod(fd, 0602), 0);
	assert_false(hooks_may_run(link_path, &reason));
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_true(hooks_may_run(path, &reason));
	assert_int_equal(fchown(fd, 65534, 0), 0);
	assert_false(hooks_may_run(path, &reason));
	assert_string_equal(reason, "does not belong to root");
	assert_int_equal(fchown(fd, 0, 0), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_false(hooks_may_run(path, &reason));
	assert_string_equal(reason, "lies in a directory where others than root may write");
	assert_int_equal(chmod(dir, 01777), 0);
	assert_true(hooks_may_run(path, &reason));
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chown(dir, 65534, 0), 0);
	assert_false(hooks_may_run(path, &reason));
	assert_string_equal(reason, "lies in a directory that does not belong to root");
	close(fd);
	unlink(link_path);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),   cmocka_unit_test(test_failure),
		cmocka_unit_test(test_limits),  cmocka_unit_test(test_used),
		cmocka_unit_test(test_may_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
