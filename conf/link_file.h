/*
 * Reads a link file: /etc/vpnd/LINK.conf, a superset of what wg-quick reads.
 */
#ifndef CONF_LINK_FILE_H
#define CONF_LINK_FILE_H

#include <stddef.h>

#include "common/diag.h"
#include "conf/model.h"

/*!
 * Reads, checks and completes (key files, names of routing tables) the file of a link. Every
 * mistake is added to `diag`; the result is usable only if diag->n_errors is 0 afterwards.
 *
 * \param path  the file; its base name without ".conf" names the link
 * \param link  fresh from conf_link_init(); filled as far as the file goes
 * \param diag  findings; never contains the value of a secret
 */
void link_file_load(const char *path, struct conf_link *link, struct diag *diag);

/*!
 * The same for a process that will not run the link, and says only whether it could: of a key file
 * that is a credential and may not be opened here nothing is said, and its key stays zero. So are
 * they for commands of ExecReload=: systemd 252 gives the first of them $CREDENTIALS_DIRECTORY and
 * not the right, newer versions neither. The link that runs has both, and judges the key.
 */
void link_file_check(const char *path, struct conf_link *link, struct diag *diag);

/*!
 * The same for text in memory, without any look at files (key files and names of tables are only
 * noted): what unit tests and the fuzzer use.
 *
 * \param text  `len` bytes, need not end in NUL; may be any bytes
 */
void link_file_parse(const char *text, size_t len, struct conf_link *link, struct diag *diag);

#endif
