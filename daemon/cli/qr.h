/*
 * A text as a QR code on a terminal. Optional at build time: without libqrencode it is qr_none.c
 * that answers, and says so.
 */
#ifndef CLI_QR_H
#define CLI_QR_H

#include <stdbool.h>
#include <stdio.h>

#include "common/defs.h"

/*! Whether this build can make QR codes. */
bool qr_is_available(void);

/*!
 * Prints a QR code with half blocks, two rows of modules in each line, and with the quiet zone of
 * four modules around it that ISO/IEC 18004 asks for.
 * \param text     NUL-terminated, at most 2953 bytes (version 40, level L)
 * \param stream   where to
 * \param colours  sets black and white by escape sequences, which works on a bright terminal as
 *                 well; without them a dark terminal is taken for granted
 * \return 0; -ERANGE when the text is too long for a QR code, -ENOTSUP when this build cannot,
 *         or another negated errno
 */
must_check int qr_print(const char *text, FILE *stream, bool colours);

#endif
