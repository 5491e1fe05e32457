/*
 * What an administrator does with the two files of a new link, printed as commands to paste.
 */
#ifndef CLI_NEW_ADVICE_H
#define CLI_NEW_ADVICE_H

#include <stdio.h>

#include "daemon/cli/file_pair.h"
#include "daemon/cli/link_writer.h"

/*!
 * Prints which file goes where, what the firewalls must let in, how the link is started on both
 * hosts, and how to see that it works. No secret is in it.
 * \param dir     directory of this host's file, as the administrator named it
 * \param pair    the files as written, in the order of enum link_writer_host
 * \param stream  where to; whether it took everything is for the caller to ask
 */
void new_advice_print(const struct link_writer *writer, const char *dir,
		      const struct file_pair *pair, FILE *stream);

#endif
