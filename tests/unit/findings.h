/* What a file is told about itself, for the tests of files: the findings as one text. */
#ifndef TESTS_UNIT_FINDINGS_H
#define TESTS_UNIT_FINDINGS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"

/* All findings, as diag_print() writes them; freed by the caller. */
static inline char *findings_text(const struct diag *diag)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	diag_print(diag, stream);
	fclose(stream);
	return text;
}

/* Fails with the file, or with what else tells one case from another. */
static inline void findings_expect(const struct diag *diag, const char *what, const char *expected)
{
	char *text = findings_text(diag);

	if (strcmp(text, expected) != 0)
		fail_msg("%s\n%sinstead of\n%s", what, text, expected);
	free(text);
}

/* A copy of exactly that size, so that ASan sees every byte too many; freed by the caller. */
static inline char *exact_copy(const char *text, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	return copy;
}

#endif
