/*
 * `vpnd check --diff`: what a reload of a running link would change, one line for each change with
 * how it is applied, in the words of the reload itself. The running link is asked
 * (daemon/ctl/changes_json.h): it alone knows what runs.
 */
#ifndef CLI_CHECK_DIFF_H
#define CLI_CHECK_DIFF_H

#include "common/err.h"
#include "conf/model.h"

/*!
 * Asks and prints, on stdout what would change, on stderr why that cannot be told.
 * \param path  of the link file, which was found good
 * \param link  what it says
 * \return EXIT_DONE, also when nothing would change; EXIT_UNAVAILABLE: the link does not run or
 *         does not answer; EXIT_PERMISSION: it may not be asked, or its commands would be refused;
 *         EXIT_USAGE: the link runs from another file; or the code of what the link itself finds
 *         in the file
 */
enum exit_code check_diff(const char *path, const struct conf_link *link);

#endif
