/*
 * `vpnd show --watch`: the links on a terminal, once a second, with rates, until somebody presses q
 * or Ctrl-C. The terminal is as it was afterwards, however this ends but by SIGKILL.
 */
#ifndef CLI_SHOW_WATCH_H
#define CLI_SHOW_WATCH_H

#include <stdbool.h>

#include "common/err.h"

/*!
 * Watches, on stdin and stdout.
 * \param dir       of the control sockets
 * \param conf_dir  of the link files
 * \param name      of the one link to watch, or NULL for all
 * \param colours   whether colours may be used
 * \return EXIT_DONE; EXIT_USAGE when stdout is no terminal; EXIT_SYSTEM
 */
enum exit_code show_watch(const char *dir, const char *conf_dir, const char *name, bool colours);

#endif
