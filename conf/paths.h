/*
 * Where link files live, and whether a file may be trusted with keys.
 */
#ifndef CONF_PATHS_H
#define CONF_PATHS_H

#include <limits.h>
#include <stddef.h>

#include "common/diag.h"
#include "conf/model.h"

#define PATHS_CONF_DIR "/etc/vpnd"

/*!
 * Turns the argument of `vpnd run` or `vpnd check` into a path. An argument with a slash is a
 * path; any other is a link's name under PATHS_CONF_DIR.
 * \param arg     the argument
 * \param ret     PATH_MAX bytes
 * \param reason  on failure a static sentence fragment
 * \return false: not a link's name ([A-Za-z0-9_=+.-]{1,15}, not "." or ".."), or too long
 */
must_check bool paths_link_file(const char *arg, char ret[static PATH_MAX], const char **reason);

/*!
 * Takes the link's name out of a path: base name without ".conf".
 * \return false when that is no valid interface name
 */
must_check bool paths_link_name(const char *path, char ret[static IFNAMSIZ], const char **reason);

/*!
 * Reads a whole file that holds secrets. It must be a regular file (a last part that is a
 * symbolic link is followed only when the link itself is root's or ours), owned by root or the
 * caller, not writable by group or others, and readable by nobody else but the service's group.
 * Never blocks on FIFOs and devices.
 * \param path  the file
 * \param diag  gets one error with its exit code (78 not there or not a file, 77 rights)
 * \param len   set to the number of bytes
 * \return text from secret_alloc() with a NUL behind it, for secret_free(); NULL after an error
 */
char *paths_read_secret(const char *path, struct diag *diag, size_t *len);

/*!
 * The same for a file without secrets that need not exist: anybody may read it, and when it is not
 * there, that is no finding.
 * \return as paths_read_secret(); NULL also when there is no file
 */
char *paths_read_public(const char *path, struct diag *diag, size_t *len);

#endif
