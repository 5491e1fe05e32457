/*
 * Files that a command reads: what is found in them is said on stderr, and becomes its exit code.
 */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "common/diag.h"
#include "conf/host_model.h"

/*!
 * Prints the findings of one file, and forgets them.
 *
 * \return EXIT_DONE or the exit code that they stand for
 */
enum exit_code load_end(struct diag *diag);

/*!
 * Reads the host file, and says all findings; also those about the user that it names, who must be
 * there.
 * \param host  any bytes; the defaults hold where the file says nothing
 * \return EXIT_DONE, also when there is no file; or the exit code
 */
enum exit_code load_host(const char *path, struct conf_host *host);

#endif
