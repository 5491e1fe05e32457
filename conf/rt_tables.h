/*
 * Names of routing tables: what "Table = NAME" of a link file stands for on this host.
 *
 * The files are iproute2's. Each line is a number, decimal or hexadecimal, and a name; "#" begins
 * a comment. What the distribution ships in /usr counts where /etc has no file of that name, as
 * for ip-route(8).
 */
#ifndef CONF_RT_TABLES_H
#define CONF_RT_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"

/*!
 * Finds a table by name. "main", "local" and "default" are known without any file.
 * \param root  what stands in front of /etc and /usr: "", or another directory in tests
 * \param name  compared with case
 * \param ret   the number, written on success only
 * \return false when no file has the name; a file or a line that cannot be read has none, and
 *         0 ("unspec") is no table
 */
must_check bool rt_tables_find(const char *root, const char *name, uint32_t *ret);

#endif
