/* What a reload would change; see check_diff.h. */
#include "daemon/cli/check_diff.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/cli/status_ask.h"
#include "daemon/ctl/changes_json.h"
#include "daemon/ctl/status_server.h"
#include "daemon/host/hooks.h"

/* Whether two paths lead to the same file; what cannot be looked at counts as the same. */
static bool is_same_file(const char *a, const char *b)
{
	struct stat a_stat, b_stat;

	if (strcmp(a, b) == 0 || stat(a, &a_stat) < 0 || stat(b, &b_stat) < 0)
		return true;
	return a_stat.st_dev == b_stat.st_dev && a_stat.st_ino == b_stat.st_ino;
}

static enum exit_code say_error(const char *name, int error)
{
	bool is_refused = error == -EACCES || error == -EPERM;

	if (is_refused)
		fprintf(stderr, "%s: the running link may be asked by root and its own user only\n",
			name);
	else
		fprintf(stderr, "%s: %s: there is nothing to compare the file with\n", name,
			status_ask_error(error));
	return is_refused ? EXIT_PERMISSION : EXIT_UNAVAILABLE;
}

/* What the running link finds in the file that it could not use: its rights are not ours. */
static enum exit_code say_findings(const char *name, const json_t *answer)
{
	const json_t *findings = json_object_get(answer, "findings");
	json_int_t code = json_integer_value(json_object_get(answer, "code"));

	fprintf(stderr, "%s: the running link cannot use the file: a reload would change nothing\n",
		name);
	for (size_t i = 0; i < json_array_size(findings); i++) {
		const char *finding = json_string_value(json_array_get(findings, i));

		fprintf(stderr, "%s\n", finding ? finding : "?");
	}
	return code > 0 && code <= EXIT_CONFIG ? (enum exit_code)code : EXIT_UNAVAILABLE;
}

static void print_changes(const char *name, const json_t *changes)
{
	if (json_array_size(changes) == 0)
		printf("%s: nothing would change\n", name);
	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *change = json_array_get(changes, i);
		const char *text = json_string_value(json_object_get(change, "text"));
		const char *how = json_string_value(json_object_get(change, "how"));

		printf("%s: %s; %s\n", name, text ? text : "?", how ? how : "?");
	}
}

static enum exit_code judge(const char *path, const struct conf_link *link, const json_t *answer)
{
	const char *file = json_string_value(json_object_get(answer, "file"));
	const json_t *changes = json_object_get(answer, "changes");
	const char *reason;

	if (json_integer_value(json_object_get(answer, "version")) != CHANGES_JSON_VERSION || !file)
		return say_error(link->name, -EPROTONOSUPPORT);
	if (!is_same_file(path, file)) {
		fprintf(stderr, "%s: the running link has another file: `vpnd check --diff %s`\n",
			link->name, file);
		return EXIT_USAGE;
	}
	if (!json_is_array(changes))
		return say_findings(link->name, answer);
	if (hooks_are_used(link) && !hooks_may_run(path, &reason)) {
		fprintf(stderr,
			"%s: a reload would refuse the file, because it has commands and %s\n",
			link->name, reason);
		return EXIT_PERMISSION;
	}
	print_changes(link->name, changes);
	return EXIT_DONE;
}

enum exit_code check_diff(const char *path, const struct conf_link *link)
{
	json_t *answer;
	int r = status_ask_json(STATUS_DIR, link->name, STATUS_CHANGES_SOCKET, &answer);
	enum exit_code code;

	if (r < 0)
		return say_error(link->name, r);
	code = judge(path, link, answer);
	json_decref(answer);
	return code;
}
