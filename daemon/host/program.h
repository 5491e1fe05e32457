/*
 * Runs one program to its end: with a time limit, its own process group, nothing inherited but
 * what it needs, and its output handed over line by line.
 *
 * It blocks with poll(2) until the program has ended, so it is for moments when nothing else is
 * being served: before the interface works, after it has stopped working, or in the helper
 * process. Descriptors 0 to 2 of the caller must be open (on /dev/null if need be).
 */
#ifndef DAEMON_HOST_PROGRAM_H
#define DAEMON_HOST_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "common/nsec.h"

/* Output that is handed over, and of more of it the last line; the rest is read and forgotten. */
enum program_limits {
	PROGRAM_LINE_MAX = 240, /* characters of a line, escapes included, with a NUL */
	PROGRAM_LINES_MAX = 100,
};

/* Where programs are looked for: nobody's environment decides that. */
#define PROGRAM_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* From the polite signal to the other one. */
#define PROGRAM_GRACE (2 * NSEC_PER_SEC)

enum program_end {
	PROGRAM_EXITED,    /* by itself; `status` is its exit code */
	PROGRAM_SIGNALLED, /* `status` is the signal */
	PROGRAM_STALLED,   /* the limit was over: its whole process group was ended */
	PROGRAM_CANCELLED, /* the same, because of the watch */
};

/* Somebody who may have something to say while a program runs. */
struct program_watch {
	int fd; /* looked at for being readable */
	/* Called when it is. \return whether the program is no longer wanted; NULL: it is not */
	bool (*is_unwanted)(void *context);
	void *context;
};

struct program_job {
	const char *const *argv;           /* argv[0] is an absolute path; ends in NULL */
	const char *const *envp;           /* its whole environment; ends in NULL */
	const char *input;                 /* its standard input, or NULL: /dev/null */
	size_t input_len;                  /* at most 4096 */
	nsec_t limit;                      /* for it to end by itself */
	const struct program_watch *watch; /* or NULL; not looked at while the program is stopped */
	/* Gets each line of its output and errors: printable ASCII, no newline. May be NULL. */
	void (*say)(void *context, const char *line);
	void *context;
};

struct program_result {
	enum program_end end;
	int status;
};

/*!
 * Runs it. Its signals are all as after boot and none is blocked, and it gets descriptors 0 to 2
 * only. What it leaves running in the background goes on, but its output is no longer read.
 * \param ret  written on success only
 * \return 0: it ran, and `ret` says how it ended; -ENOENT and -EACCES: there is no such program or
 *         it may not be run; -E2BIG: input too long; another negative errno
 */
int program_run(const struct program_job *job, struct program_result *ret);

/*!
 * Looks for a program.
 * \param path      directories, separated by ":"
 * \param name      of the program
 * \param ret       gets its absolute path
 * \param ret_size  bytes of `ret`
 * \return false when no directory has it as a file that may be run
 */
must_check bool program_find(const char *path, const char *name, char *ret, size_t ret_size);

/*!
 * Says in words how a program ended: "ended with exit code 1".
 * \param limit  as in the job
 * \return `buf`
 */
const char *program_end_text(const struct program_result *result, nsec_t limit, char *buf,
			     size_t buf_size);

#endif
