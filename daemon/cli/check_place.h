/*
 * What can be seen of the host that files name: a link's bridge and its namespace, its key files,
 * and the user to run as.
 *
 * Bridge and namespace may come later than `vpnd check` and earlier than the link, so what is
 * missing is worth a warning only. A user is there or not, for `vpnd run` too.
 */
#ifndef CLI_CHECK_PLACE_H
#define CLI_CHECK_PLACE_H

#include "common/diag.h"
#include "conf/host_model.h"
#include "conf/model.h"

/*!
 * Adds a warning for a bridge or a namespace that is not there now, or is something else. What
 * cannot be looked at, for lack of a right, is not judged.
 *
 * \param link  read without an error
 */
void check_place(const struct conf_link *link, struct diag *diag);

/*!
 * Adds a warning for a key file that root reads, and the unit's user will not. Of a link whose file
 * is not in PATHS_CONF_DIR nothing is said, because the unit does not run it, nor to anybody but
 * root, who sees what the unit sees.
 *
 * \param path  of the link file
 * \param link  read without an error
 */
void check_key_files(const char *path, const struct conf_host *host, const struct conf_link *link,
		     struct diag *diag);

/*!
 * Adds an error when the host file asks for a user that is not there or is root. The default may be
 * missing: the start says so and takes another one.
 *
 * \param host  read without an error
 */
void check_user(const struct conf_host *host, struct diag *diag);

#endif
