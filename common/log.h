/*
 * The log: one line a message on stderr, with the link's name in front.
 *
 * Called from the edges only (daemon/core, daemon/cli); everything below returns reasons. It
 * keeps errno, never blocks on a full pipe (the line is dropped and counted), and under systemd
 * (JOURNAL_STREAM names stderr) puts the "<3>" level marks in front that the journal understands.
 * What a stranger can trigger must pass log_allowed() first.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/nsec.h"

/* The values are syslog's, as the journal wants them. */
enum log_level {
	LOG_LEVEL_NONE = 0, /* for log_init() alone: nothing is printed */
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* Lets one message through per interval and counts the rest. All zero is ready to use. */
struct log_limit {
	nsec_t next;        /* boot time from which the next message may pass */
	uint64_t n_dropped; /* held back between the last two that passed: print it with the last */
	uint64_t n_held;    /* held back since then */
};

/*!
 * Prepares stderr and the prefix. Called once, before threads and before the first message.
 * \param link   the link's name for the prefix, or NULL; copied
 * \param level  least important level that is printed
 */
void log_init(const char *link, enum log_level level);

/* Where messages go; the values are those of the host file. */
enum log_target {
	LOG_TARGET_AUTO,    /* lines on stderr, with marks where that leads to the journal */
	LOG_TARGET_STDERR,  /* lines without marks */
	LOG_TARGET_JOURNAL, /* entries with fields; lines on stderr where there is no journal */
};

/*!
 * Chooses where messages go; without it lines go to stderr. Called after log_init(), before
 * threads. Entries of the journal have the fields PRIORITY, SYSLOG_IDENTIFIER, VPND_LINK,
 * VPND_PEER (see log_set_peer()) and MESSAGE.
 * \return 0; a negative errno when the journal was asked for and cannot be reached
 */
int log_open(enum log_target target);

/*! The descriptor that messages go to; -1: stderr. For who closes all others. */
int log_fd(void);

/*! Sets the field VPND_PEER of entries in the journal. \param key  the peer's public key in base64;
 * NULL: no such field */
void log_set_peer(const char *key);

/*! Prints one line. The text has no newline and no bytes that came from the network. */
void log_msg(enum log_level level, const char *format, ...) printf_like(2, 3);

#define log_error(...)   log_msg(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_msg(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_msg(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)    log_msg(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_msg(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*!
 * Whether a message that strangers can provoke may be printed now.
 * \param limit     one for each kind of message
 * \param interval  least time between two of them, ns
 * \param now       boot time
 */
bool log_allowed(struct log_limit *limit, nsec_t interval, nsec_t now);

#endif
