/*
 * The log: one line a message, with the link's name in front.
 *
 * Under systemd a line is an entry of the journal with fields (journal.h); else, and when the
 * journal does not take it, it goes to stderr, with the "<3>" level marks in front that the journal
 * understands if that is where stderr leads.
 *
 * Called from the edges only (daemon/core, daemon/cli); everything below returns reasons. It keeps
 * errno and never blocks: a line that nobody takes is dropped and counted. What a stranger can
 * trigger must pass log_allowed() first.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/log_level.h"
#include "common/nsec.h"

/* Lets one message through per interval and counts the rest. All zero is ready to use. */
struct log_limit {
	nsec_t next;        /* boot time from which the next message may pass */
	uint64_t n_dropped; /* held back between the last two that passed: print it with the last */
	uint64_t n_held;    /* held back since then */
};

/*!
 * Begins the log, or begins it anew: with lines on stderr. Called before threads and before the
 * first message.
 *
 * \param link   the link's name for the prefix, or NULL; copied
 * \param level  least important level that is printed
 */
void log_init(const char *link, enum log_level level);

/*!
 * Chooses where messages go; without it lines go to stderr. Called after log_init(), before threads
 * and before rights are given up.
 *
 * \return 0; a negative errno when LOG_TARGET_JOURNAL was asked for and nobody reads the journal
 */
int log_open(enum log_target target);

/*! The descriptor that messages go to; -1: stderr. For who closes all others. */
int log_fd(void);

/*! Called last in a process: the journal must read what was logged while the process is there. */
void log_flush(void);

/*!
 * Sets the field VPND_PEER of entries in the journal.
 *
 * \param key  the peer's public key in base64; NULL: no such field
 */
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
