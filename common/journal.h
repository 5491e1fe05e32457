/*
 * Entries for the journal of systemd, by its own socket: one datagram is one entry, and has fields
 * by which it is found again.
 *
 * Part of the log (common/log.h), which alone calls it. It never blocks: an entry that cannot be
 * handed over at once is the caller's to print elsewhere.
 */
#ifndef COMMON_JOURNAL_H
#define COMMON_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/log_level.h"

/*!
 * Whether standard error is a stream to the journal: systemd tells its device and inode in
 * JOURNAL_STREAM (systemd.exec(5)), and one that was redirected since then has others.
 */
bool journal_is_stderr(void);

/*!
 * Opens the socket; later there may be no right to do so.
 *
 * \param link  the value of the field VPND_LINK, or NULL; copied
 * \return 0, or a negative errno: nobody reads the journal
 */
int journal_open(const char *link);

/*! Closes the socket, and forgets the peer. */
void journal_close(void);

/*! The socket, or -1. */
int journal_fd(void);

/*! Sets the field VPND_PEER. \param key  a public key in base64, or NULL; copied */
void journal_set_peer(const char *key);

/*!
 * Sends an entry with the fields PRIORITY, SYSLOG_IDENTIFIER, VPND_LINK, VPND_PEER and MESSAGE. A
 * journal that was stopped and started again is found again.
 *
 * \param text  `len` bytes, the last of which is a newline and the only one
 * \return false: it was not taken, because nobody reads or the queue is full, or nothing is open
 */
bool journal_send(enum log_level level, const char *text, size_t len);

/*!
 * Waits until the journal has read what was sent, at most 100 ms. It finds out the unit of an entry
 * when it reads it, by the process that has sent it: without this, the last words of a process
 * would often belong to none, and be missing in `journalctl -u`.
 */
void journal_flush(void);

#endif
