/* From a hook's commands to processes; see hooks.h. */
#include "daemon/host/hooks.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/keys.h"
#include "daemon/host/program.h"

/* The first that is there: commands of a file of wg-quick expect bash. */
static const char *const shells[] = { "/bin/bash", "/bin/sh" };

/* What the line reader needs to know. */
struct talk {
	const struct hooks *hooks;
	const char *name; /* of the hook */
};

static void say(void *context, const char *line)
{
	const struct talk *talk = context;
	char text[PROGRAM_LINE_MAX + 16];

	snprintf(text, sizeof(text), "%s: %s", talk->name, line);
	talk->hooks->say(talk->hooks->context, text);
}

/* The command with each %i replaced; NULL when memory is short. For free(). */
static char *expand(const char *command, const char *link)
{
	size_t link_len = strlen(link), len = 0, size = strlen(command) + 1;
	char *text;

	for (const char *at = command; (at = strstr(at, "%i")) != NULL; at += 2)
		size += link_len;
	text = malloc(size);
	if (!text)
		return NULL;
	while (*command) {
		if (command[0] == '%' && command[1] == 'i') {
			memcpy(text + len, link, link_len);
			len += link_len;
			command += 2;
		} else {
			text[len++] = *command++;
		}
	}
	text[len] = '\0';
	return text;
}

static const char *find_shell(void)
{
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(shells) && access(shells[i], X_OK) < 0)
		i++;
	return shells[i];
}

/* Runs one command; 0, an answer, or a negative errno. */
static int run_one(struct talk *talk, const char *command, struct program_result *result)
{
	const struct hooks *hooks = talk->hooks;
	const char *path = find_shell();
	static const char search_path[] = "PATH=" PROGRAM_PATH;
	char shell[sizeof("SHELL=") + 16];
	char interface[sizeof("INTERFACE=") + IFNAMSIZ];
	char file[sizeof("CONFIG_FILE=") + PATH_MAX];
	char hook[sizeof("VPND_HOOK=") + 16];
	const char *const envp[] = { search_path, "LC_ALL=C", "HOME=/", shell,
				     interface,   hook,       file,     NULL };
	const char *argv[] = { path, "-c", command, NULL };
	const struct program_job job = {
		.argv = argv,
		.envp = envp,
		.limit = hooks->limit,
		.watch = hooks->watch,
		.say = hooks->say ? say : NULL,
		.context = talk,
	};
	int error;

	snprintf(shell, sizeof(shell), "SHELL=%s", path);
	snprintf(interface, sizeof(interface), "INTERFACE=%s", hooks->link);
	snprintf(hook, sizeof(hook), "VPND_HOOK=%s", talk->name);
	snprintf(file, sizeof(file), "CONFIG_FILE=%s", hooks->file ? hooks->file : "");
	error = program_run(&job, result);
	if (error < 0)
		return error;
	if (result->end == PROGRAM_CANCELLED)
		return HOOKS_CANCELLED;
	return result->end == PROGRAM_EXITED && result->status == 0 ? 0 : HOOKS_FAILED;
}

/* Expands and runs a command; `text` says what went wrong. */
static int run_command(struct talk *talk, const struct conf_strings *commands, size_t i,
		       char text[static HOOKS_TEXT_MAX])
{
	char *command = expand(commands->items[i], talk->hooks->link);
	struct program_result result;
	char how[80];
	int answer;

	if (!command)
		answer = -ENOMEM;
	else
		answer = run_one(talk, command, &result);
	free(command);
	if (answer < 0)
		snprintf(text, HOOKS_TEXT_MAX, "command %zu of %zu of %s cannot be run: %s", i + 1,
			 commands->n, talk->name, strerror_r(-answer, how, sizeof(how)));
	else if (answer > 0)
		snprintf(text, HOOKS_TEXT_MAX, "command %zu of %zu of %s %s", i + 1, commands->n,
			 talk->name,
			 program_end_text(&result, talk->hooks->limit, how, sizeof(how)));
	return answer;
}

int hooks_run(const struct hooks *hooks, enum conf_hook hook, const struct conf_strings *commands,
	      char text[static HOOKS_TEXT_MAX])
{
	struct hooks with_limit = *hooks;
	struct talk talk = { .hooks = &with_limit, .name = keys_hook_name(hook) };
	bool goes_on = hook == CONF_PRE_DOWN || hook == CONF_POST_DOWN;
	int result = 0;

	text[0] = '\0';
	if (with_limit.limit == 0)
		with_limit.limit = HOOKS_LIMIT;
	for (size_t i = 0; i < commands->n && (goes_on || result == 0); i++) {
		char reason[HOOKS_TEXT_MAX];
		int answer = run_command(&talk, commands, i, reason);

		if (answer == 0 || result != 0)
			continue;
		result = answer;
		memcpy(text, reason, HOOKS_TEXT_MAX);
	}
	return result;
}

bool hooks_are_used(const struct conf_link *conf)
{
	for (size_t i = 0; i < CONF_N_HOOKS; i++) {
		if (conf->hooks[i].n > 0)
			return true;
	}
	return false;
}

bool hooks_may_run(const char *path, const char **reason)
{
	char *target = realpath(path, NULL);
	struct stat file, dir;
	bool found;

	*reason = "cannot be looked at";
	if (!target)
		return false;
	found = stat(target, &file) == 0 && stat(dirname(target), &dir) == 0;
	free(target);
	if (!found)
		return false;
	if (file.st_uid != 0)
		*reason = "does not belong to root";
	else if ((file.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		*reason = "may be written by others than root";
	else if (dir.st_uid != 0)
		*reason = "lies in a directory that does not belong to root";
	else if ((dir.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (dir.st_mode & S_ISVTX) == 0)
		*reason = "lies in a directory where others than root may write";
	else
		return true;
	return false;
}
