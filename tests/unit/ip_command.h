/*
 * Runs ip(8) for tests that need interfaces which the daemon itself never makes. The calling test
 * is skipped where there is no ip(8).
 */
#ifndef TESTS_UNIT_IP_COMMAND_H
#define TESTS_UNIT_IP_COMMAND_H

#include "tests/unit/host_env.h"

#include <spawn.h>
#include <stdio.h>

extern char **environ;

#define IP_MAX_WORDS 24

/*! Runs "ip ARGUMENTS", words separated by single spaces. The command must succeed. */
static inline void ip_command(const char *arguments)
{
	char text[256];
	char *argv[IP_MAX_WORDS + 2] = { (char[]) { "ip" } };
	char *save = NULL;
	size_t n = 1;
	int status;
	pid_t child;

	assert_true(snprintf(text, sizeof(text), "%s", arguments) < (int)sizeof(text));
	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		assert_true(n <= IP_MAX_WORDS);
		argv[n++] = word;
	}
	if (posix_spawnp(&child, "ip", NULL, NULL, argv, environ) != 0) {
		print_message("skipped: there is no ip(8)\n");
		skip();
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		print_error("ip %s\n", arguments);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif
