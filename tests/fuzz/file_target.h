/*
 * What fuzz targets of files share: a text is read twice, its findings are looked at, and both
 * times the same must have been said.
 */
#ifndef TESTS_FUZZ_FILE_TARGET_H
#define TESTS_FUZZ_FILE_TARGET_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"

static inline void check(bool holds)
{
	if (!holds)
		abort();
}

/* Findings stand in lines of the text and are printable, and the code fits them. */
static inline void check_findings(const struct diag *diag, size_t n_lines)
{
	size_t n_errors = 0;

	for (size_t i = 0; i < diag->n_items; i++) {
		const struct diag_item *item = &diag->items[i];

		n_errors += item->level == DIAG_ERROR;
		check(item->line <= n_lines);
		check(item->text[0] != '\0');
		for (const char *c = item->text; *c != '\0'; c++)
			check(*c >= ' ' && *c < 0x7f);
	}
	check(n_errors <= diag->n_errors);
	check((diag->n_errors == 0) == (diag->code == EXIT_DONE));
}

/* What is said about a text, to be compared with what is said the next time. */
static inline char *read_once(void (*read)(const char *text, size_t size, struct diag *diag),
			      const char *text, size_t size, size_t n_lines)
{
	struct diag diag = DIAG_NULL("x");
	char *said = NULL;
	size_t said_size = 0;
	FILE *stream = open_memstream(&said, &said_size);

	check(stream != NULL);
	read(text, size, &diag);
	check_findings(&diag, n_lines);
	diag_print(&diag, stream);
	fclose(stream);
	diag_deinit(&diag);
	return said;
}

/* `read` parses the text, checks what comes of it, and gives everything back but the findings. */
static inline int read_twice(void (*read)(const char *text, size_t size, struct diag *diag),
			     const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t n_lines = 1;
	char *first, *second;

	for (size_t i = 0; i < size; i++)
		n_lines += text[i] == '\n';
	first = read_once(read, text, size, n_lines);
	second = read_once(read, text, size, n_lines);
	check(strcmp(first, second) == 0);
	free(first);
	free(second);
	return 0;
}

#endif
