/*
 * What a reload would change, as JSON: the answer of the socket /run/vpnd/LINK/changes.sock, for
 * `vpnd check --diff`.
 *
 * Only the running link knows what runs, `wg set` included, and it alone compares secrets: no key
 * leaves it. So it reads its file as a reload would, and says what it would do. As with
 * status_json.h, "version" is 1, and within a version members may be added.
 *
 *   version    1
 *   link       its name
 *   file       the link file, as the link was started with
 *   code       0: the file can be used; else the exit code that the findings have
 *   findings   about the file: an array of "FILE:LINE: error: TEXT"
 *   changes    null when the file cannot be used; else an array of { key, text, how }, empty when
 *              nothing would change
 */
#ifndef CTL_CHANGES_JSON_H
#define CTL_CHANGES_JSON_H

#include "common/diag.h"
#include "conf/diff.h"

#define CHANGES_JSON_VERSION 1

/*!
 * Writes what was found in the file, and what would change, as this object.
 * \param diag     of the file
 * \param changes  NULL: the file cannot be used
 * \return the object as text without a newline at its end, for free(); NULL when memory is short
 */
char *changes_json(const char *link, const char *file, const struct diag *diag,
		   const struct conf_changes *changes);

#endif
