/*
 * Counts the sentences of the log that contain a text, put in place of the log by --wrap=log_msg.
 */
#ifndef TESTS_UNIT_SAID_H
#define TESTS_UNIT_SAID_H

#include <string.h>

#include "common/log.h"

void __wrap_log_msg(enum log_level level, const char *format, ...) printf_like(2, 3);

static const char *listened_for; /* in the format of a sentence */
static unsigned int n_said;

void __wrap_log_msg(enum log_level level, const char *format, ...)
{
	(void)level;
	n_said += listened_for && strstr(format, listened_for);
}

/* From here on. */
static inline void listen_for(const char *text)
{
	listened_for = text;
	n_said = 0;
}

#endif
