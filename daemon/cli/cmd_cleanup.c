/*
 * `vpnd cleanup`: takes back what a killed process of a link has left on this host. The next start
 * does the same first; this is for a link that is not to be started again (ExecStopPost= of its
 * unit).
 *
 * While systemd restarts a service it holds the interface, and then rules and settings are to stay
 * as well, so that nothing goes another way meanwhile. But it holds the interface until all of
 * ExecStopPost= has ended, restart or not, and tells no command which it will be. So it is asked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "conf/paths.h"
#include "daemon/cli/cmds.h"
#include "daemon/core/outside.h"
#include "daemon/ctl/status_server.h"
#include "daemon/ctl/uapi_listen.h"
#include "daemon/host/program.h"

#define ASK_LIMIT (5 * NSEC_PER_SEC)

/* What systemd says of the unit. */
struct plan {
	bool is_known;
	bool restarts; /* Restart= is not "no" */
	bool has_job;  /* somebody wants it stopped, or started anew */
};

static void read_plan(void *context, const char *line)
{
	struct plan *plan = context;

	if (strcmp(line, "LoadState=loaded") == 0)
		plan->is_known = true;
	else if (strncmp(line, "Restart=", 8) == 0)
		plan->restarts = strcmp(line + 8, "no") != 0;
	else if (strncmp(line, "Job=", 4) == 0)
		plan->has_job = line[4] != '\0' && strcmp(line + 4, "0") != 0;
}

/* Whether systemd leaves a service alone that ended by a signal. */
static bool is_left_alone(const char *link)
{
	char systemctl[PATH_MAX], unit[32];
	const char *const argv[] = { systemctl, "show", "--property=LoadState,Restart,Job", unit,
				     NULL };
	const char *const envp[] = { "PATH=" PROGRAM_PATH, "LC_ALL=C", NULL };
	struct plan plan = { .is_known = false };
	const struct program_job job = {
		.argv = argv, .envp = envp, .limit = ASK_LIMIT, .say = read_plan, .context = &plan
	};
	struct program_result result;

	snprintf(unit, sizeof(unit), "vpnd@%s.service", link);
	if (!program_find(PROGRAM_PATH, "systemctl", systemctl, sizeof(systemctl)) ||
	    program_run(&job, &result) != 0)
		return false;
	return plan.is_known && (!plan.restarts || plan.has_job);
}

/* Whether no process takes over: what ended by itself or was stopped has nothing to hand over, and
 * one that was killed is restarted as a rule. By hand there is no SERVICE_RESULT. */
static bool is_final(const char *link)
{
	static const char *const killed[] = { "signal", "core-dump", "watchdog", "oom-kill" };
	const char *result = getenv("SERVICE_RESULT"); /* NOLINT(concurrency-mt-unsafe) */

	if (!result)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(killed); i++) {
		if (strcmp(result, killed[i]) == 0)
			return is_left_alone(link);
	}
	return true;
}

/* Sockets, and the directory of those of vpnd's own unless the service manager has it. */
static void remove_sockets(const char *link, bool is_final)
{
	char dir[sizeof(STATUS_DIR) + IFNAMSIZ];

	snprintf(dir, sizeof(dir), "%s/%s", STATUS_DIR, link);
	uapi_remove_orphan(UAPI_DIR, link, is_final);
	uapi_remove_orphan(dir, STATUS_SOCKET, is_final);
	uapi_remove_orphan(dir, STATUS_CHANGES_SOCKET, is_final);
	(void)rmdir(dir);
}

int cmd_cleanup(int argc, char **argv)
{
	const char *reason;
	char path[PATH_MAX];
	char name[IFNAMSIZ];
	enum exit_code code;
	bool is_last;

	if (argc != 2 || argv[1][0] == '-')
		return cmd_usage("cleanup LINK|PATH");
	/* The file need not be there any more: only its name counts. */
	if (!paths_link_file(argv[1], path, &reason) || !paths_link_name(path, name, &reason)) {
		fprintf(stderr, "vpnd: the argument of `vpnd cleanup` %s\n", reason);
		return EXIT_USAGE;
	}
	log_init(name, LOG_LEVEL_INFO);
	is_last = is_final(name);
	code = outside_clean_up(name, is_last);
	if (code == EXIT_DONE)
		remove_sockets(name, is_last);
	return (int)code;
}
