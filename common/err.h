/*
 * The error rule of the whole program, in words and in one type.
 *
 *   0         done.
 *   negative  system trouble, a negated errno value; passed up unchanged until somebody can
 *             tell an administrator what failed, on which link, and what to do.
 *   positive  an expected answer of one function, from an enum beside its declaration; its
 *             caller handles it and never passes it on.
 *   bool      "authentic or not", "parsed or not": always must_check.
 *
 * Only the edges (daemon/core, daemon/cli) print. common/, conf/, daemon/proto, daemon/data and
 * daemon/host return reasons.
 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#include <errno.h>

/* The exit codes of vpnd: the subset of sysexits(3) that vpnd(8) promises. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_USAGE = 64,       /* wrong command line; restarting cannot help */
	EXIT_UNAVAILABLE = 69, /* something outside is missing or taken: device, port, name */
	EXIT_SYSTEM = 71,      /* the system refused: memory, descriptors */
	EXIT_PERMISSION = 77,  /* a right is missing */
	EXIT_CONFIG = 78,      /* the file is wrong */
};

#endif
