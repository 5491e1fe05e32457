/*
 * The words that stand for values in both kinds of files, each list once: reading a file, listing
 * what would be right and writing a value back all go through it.
 */
#ifndef CONF_WORDS_H
#define CONF_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"

/* A word and the value of the enum that it stands for. */
struct words_item {
	const char *word;
	unsigned int value;
};

struct words {
	const struct words_item *items;
	size_t n;
};

extern const struct words words_switch;     /* false, true */
extern const struct words words_yes_no;     /* no, yes, and the two above */
extern const struct words words_mode;       /* enum conf_mode */
extern const struct words words_mss;        /* MssClamp, as far as it has words */
extern const struct words words_ready;      /* enum conf_ready */
extern const struct words words_table;      /* enum conf_table_kind, as far as it has words */
extern const struct words words_cipher;     /* enum conf_cipher */
extern const struct words words_log_level;  /* enum log_level */
extern const struct words words_log_target; /* enum log_target */
extern const struct words words_sandbox;    /* enum conf_sandbox */

/*!
 * The value of a word, compared without case.
 * \param ret  written on success only
 * \return false when the list does not have it
 */
must_check bool words_find(const struct words *words, const char *text, unsigned int *ret);

/*! The word that stands for a value, or NULL when none does. */
const char *words_name(const struct words *words, unsigned int value);

#endif
