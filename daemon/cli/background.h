/*
 * Going to the background: the caller's command ends when the service is ready, and not before.
 *
 * The service is forked off before it has keys, threads or descriptors. The process that was
 * started waits: it passes on what the service prints, and ends when that is ready, or with the
 * exit code of its failure. What is printed later reaches nobody, unless the service keeps the
 * caller's output: whoever reads the output of the command to its end must not wait for ever.
 */
#ifndef CLI_BACKGROUND_H
#define CLI_BACKGROUND_H

#include <stdbool.h>

#include "common/defs.h"

/* The service's end. */
struct background {
	int fd; /* to the process that waits; -1: in the foreground */
};

#define BACKGROUND_NULL                                                                            \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/*!
 * Forks. The child becomes the service, in a session of its own and in the root directory.
 * \param keeps_output  stdout and stderr of the service stay those of the caller
 * \param ret_code      in the process that was started: its exit code
 * \return 0 in the service; 1 in the process that was started, when the service is ready or has
 *         ended; a negated errno value: there is no service
 */
must_check int background_start(struct background *background, bool keeps_output, int *ret_code);

/*! The service is ready: the process that was started ends with 0. One write(2). */
void background_ready(const struct background *background);

#endif
