/*
 * What `vpnd check` can see of the places that a link file names: its bridge and its namespace.
 *
 * Both may come later than the check and earlier than the link, so what is missing is worth a
 * warning only.
 */
#ifndef CLI_CHECK_PLACE_H
#define CLI_CHECK_PLACE_H

#include "common/diag.h"
#include "conf/model.h"

/*! Adds a warning for a bridge or a namespace that is not there now, or is something else. What
 * cannot be looked at, for lack of a right, is not judged. \param link  read without an error */
void check_place(const struct conf_link *link, struct diag *diag);

#endif
