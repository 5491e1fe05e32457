/*
 * Where link files live: from a link's name to its file, and back.
 */
#ifndef CONF_PATHS_H
#define CONF_PATHS_H

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>

#include "common/defs.h"

#define PATHS_CONF_DIR "/etc/vpnd"

/*!
 * Turns the argument of `vpnd run` or `vpnd check` into a path. An argument with a slash is a
 * path; any other is a link's name under PATHS_CONF_DIR.
 *
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

#endif
