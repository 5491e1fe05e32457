/*
 * Reads files that decide what runs here, if they may be trusted: by their owner, their rights and
 * those of their directory.
 */
#ifndef CONF_TRUSTED_FILE_H
#define CONF_TRUSTED_FILE_H

#include <stddef.h>

#include "common/diag.h"

/*!
 * Reads a whole file that holds secrets. It must be a regular file (a last part that is a
 * symbolic link is followed only when the link itself is root's or ours), owned by root or the
 * caller, not writable by group or others, and readable by nobody else but the service's group.
 * Never blocks on FIFOs and devices.
 *
 * \param path  the file
 * \param diag  gets one error with its exit code (78 not there or not a file, 77 rights)
 * \param len   set to the number of bytes
 * \return text from secret_alloc() with a NUL behind it, for secret_free(); NULL after an error
 */
char *trusted_file_read_secret(const char *path, struct diag *diag, size_t *len);

/*!
 * The same for a file without secrets that need not exist: anybody may read it, and when it is not
 * there, that is no finding.
 *
 * \return as trusted_file_read_secret(); NULL also when there is no file
 */
char *trusted_file_read_public(const char *path, struct diag *diag, size_t *len);

#endif
