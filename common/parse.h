/*
 * Strict numbers and names: what replaces atoi() and strtol() everywhere.
 * Nothing around a value is skipped, nothing behind it is ignored.
 */
#ifndef COMMON_PARSE_H
#define COMMON_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

/*!
 * A decimal number, or a hexadecimal one after "0x": digits only, no sign, no space.
 * \param text  NUL-terminated
 * \param max   largest accepted value
 * \param ret   written on success only
 */
must_check bool parse_number(const char *text, uint64_t max, uint64_t *ret);

/*! The same with decimal digits alone. */
must_check bool parse_decimal(const char *text, uint64_t max, uint64_t *ret);

/*!
 * Position of `text` in a list of words, compared without case.
 * \return 0 to n_words - 1, or -1
 */
int parse_word(const char *text, const char *const *words, size_t n_words);

/*!
 * The word in the list that was probably meant: smallest edit distance (insert, delete,
 * replace, swap of neighbours), case ignored, at most a third of the word's length.
 * \return the word, or NULL when none is near
 */
const char *parse_nearest(const char *text, const char *const *words, size_t n_words);

/*!
 * Copies untrusted text for a message: printable ASCII stays, everything else becomes \xNN, and
 * what does not fit ends in "...".
 * \param len  number of bytes of `text`
 * \return `buf`
 */
const char *parse_escape(const char *text, size_t len, char *buf, size_t buf_size);

#endif
