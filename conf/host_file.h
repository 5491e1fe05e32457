/*
 * Reads the host file, /etc/vpnd/vpnd.cfg: libconfig's syntax, groups of settings. It is optional.
 */
#ifndef CONF_HOST_FILE_H
#define CONF_HOST_FILE_H

#include <stddef.h>

#include "common/diag.h"
#include "conf/host_model.h"

#define HOST_FILE_PATH "/etc/vpnd/vpnd.cfg"

/* Bytes of the largest file; so no line number exceeds what any libconfig can count. */
#define HOST_FILE_MAX 65535

/*!
 * Reads the host file. A file that is not there is no mistake: the defaults hold. It must be a
 * regular file of root or the caller that nobody else may write to; anybody may read it, since
 * there are no secrets in it. Links are followed when they are root's or the caller's.
 * \param path  the file
 * \param host  fresh from conf_host_init(); usable only if diag->n_errors is 0 afterwards
 * \param diag  gets all mistakes, with exit codes (77 rights, 78 the file is wrong)
 */
void host_file_load(const char *path, struct conf_host *host, struct diag *diag);

/*!
 * The same for text in memory, without any look at files: what unit tests and the fuzzer use.
 * libconfig stops at the first mistake of syntax; all others in front of it are found as well.
 * "@include" is refused.
 * \param text  `len` bytes, need not end in NUL; may be any bytes
 */
void host_file_parse(const char *text, size_t len, struct conf_host *host, struct diag *diag);

#endif
