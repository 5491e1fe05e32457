/*
 * PreUp, PostUp, PreDown and PostDown: the administrator's own commands around a link's life.
 *
 * Each command is run by `/bin/bash -c`, as wg-quick has it, or `/bin/sh -c` where there is no
 * bash, one after the other, with every "%i" replaced by the link's name. The commands see
 * INTERFACE and CONFIG_FILE as they do there, a fixed PATH, LC_ALL=C, and VPND_HOOK, which is the
 * key they stand under. They inherit user and capabilities of the process that runs them.
 *
 * The text of a command is never printed: it may hold a secret.
 */
#ifndef DAEMON_HOST_HOOKS_H
#define DAEMON_HOST_HOOKS_H

#include <stdbool.h>

#include "common/defs.h"
#include "common/nsec.h"
#include "conf/model.h"
#include "daemon/host/program.h"

/* How long one command may take. */
#define HOOKS_LIMIT (30 * NSEC_PER_SEC)

/* Characters of a reason, with a NUL. */
#define HOOKS_TEXT_MAX 200

/* Expected answers of hooks_run(). */
enum hooks_answer {
	HOOKS_FAILED = 1, /* a command did not end with exit code 0 */
	HOOKS_CANCELLED,  /* the watch has said so meanwhile */
};

struct hooks {
	const char *link;                  /* its name */
	const char *file;                  /* the link file, or NULL */
	nsec_t limit;                      /* for each command; 0: HOOKS_LIMIT */
	const struct program_watch *watch; /* says when the start is to be given up; or NULL */
	/* Gets each line of output as "PostUp: LINE": printable ASCII. May be NULL. */
	void (*say)(void *context, const char *line);
	void *context;
};

/*!
 * Runs the commands of one hook, and blocks until they have ended. Of PreUp and PostUp the first
 * failure is the last command, and the caller undoes the start. Of PreDown and PostDown all are
 * run, because a stop goes on in any case. See program.h about signals, descriptors and output.
 * \param commands  as in the link file
 * \param text      HOOKS_TEXT_MAX bytes: which command failed first and how, "" when none did
 * \return 0; an `enum hooks_answer`; a negative errno when a command could not be run at all
 */
int hooks_run(const struct hooks *hooks, enum conf_hook hook, const struct conf_strings *commands,
	      char text[static HOOKS_TEXT_MAX]);

/*! Whether the link file has any hook. */
bool hooks_are_used(const struct conf_link *conf);

/*!
 * Whether commands from a file may be run: it and its directory belong to root, and nobody else
 * may write there. Stricter than what may be read: that a service's own user can change a file
 * must not let him run commands with the service's rights.
 * \param path    the link file; symbolic links are followed
 * \param reason  on failure a static sentence fragment
 */
must_check bool hooks_may_run(const char *path, const char **reason);

#endif
