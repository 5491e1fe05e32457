/*
 * Text with keys in it, built line by line in memory from secret_alloc(): no copy of a key stays
 * behind in stdio's buffers or on the heap.
 */
#ifndef CLI_SECRET_TEXT_H
#define CLI_SECRET_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "common/key.h"

/* A text that grows up to `size`. Start with secret_text_init(). */
struct secret_text {
	char *bytes; /* `len` characters and a NUL */
	size_t len;
	size_t size;
	bool is_cut; /* something did not fit: the text is useless */
};

#define SECRET_TEXT_NULL                                                                           \
	{                                                                                          \
		.bytes = NULL                                                                      \
	}

/*!
 * Makes an empty text.
 * \param size  bytes that it may grow to, with its NUL
 * \return 0, or -ENOMEM
 */
must_check int secret_text_init(struct secret_text *text, size_t size);

/*! Wipes and frees; safe twice and after SECRET_TEXT_NULL. */
void secret_text_deinit(struct secret_text *text);

/*! Appends what the format says; what does not fit sets `is_cut`. */
void secret_text_add(struct secret_text *text, const char *format, ...) printf_like(2, 3);

/*! Appends a line "NAME = KEY", the key in base64. */
void secret_text_key(struct secret_text *text, const char *name, const struct key *key);

/*!
 * Writes the whole text to a descriptor, however many calls that takes.
 * \return 0, or the negated errno of write(2)
 */
must_check int secret_text_write(const struct secret_text *text, int fd);

#endif
