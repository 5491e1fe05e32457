/*
 * Findings about a file: collected while it is read, printed by whoever asked for the reading,
 * so that an administrator sees all mistakes of a file at once. All errors count, the texts of
 * the first thousand findings are kept.
 */
#ifndef COMMON_DIAG_H
#define COMMON_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/defs.h"
#include "common/err.h"

enum diag_level {
	DIAG_WARNING, /* worth saying, the file is usable */
	DIAG_ERROR,   /* the file is refused */
};

/* One finding. */
struct diag_item {
	enum diag_level level;
	unsigned int line; /* 1 is the first; 0: about the whole file */
	char *text;        /* one sentence, no newline, owned */
};

/* The findings of one file. Start with DIAG_NULL; diag_deinit() may be called at any time. */
struct diag {
	const char *file;        /* as the administrator named it; not owned */
	struct diag_item *items; /* in order of discovery */
	size_t n_items;
	size_t n_errors;
	enum exit_code code; /* the greatest of the errors' exit codes; EXIT_DONE if none */
};

#define DIAG_NULL(name)                                                                            \
	{                                                                                          \
		.file = (name)                                                                     \
	}

/*! Adds an error with the exit code EXIT_CONFIG. `line` 0 is the whole file. */
void diag_error(struct diag *diag, unsigned int line, const char *format, ...) printf_like(3, 4);

/*! Adds an error about the file itself (missing, unreadable, wrong owner) with its exit code. */
void diag_error_code(struct diag *diag, enum exit_code code, const char *format, ...)
	printf_like(3, 4);

/*!
 * Adds an error that has both a line and an exit code of its own: a key file that is named in
 * line `line` and may not be read.
 */
void diag_error_code_at(struct diag *diag, enum exit_code code, unsigned int line,
			const char *format, ...) printf_like(4, 5);

/*! Adds a warning. */
void diag_warning(struct diag *diag, unsigned int line, const char *format, ...) printf_like(3, 4);

/*! Prints every finding by line as "FILE:LINE: error: TEXT", sorted by line. */
void diag_print(const struct diag *diag, FILE *stream);

/*! Frees the findings; the struct may be used again. */
void diag_deinit(struct diag *diag);

#endif
