/*
 * Findings about a file; see diag.h.
 *
 * A file of sixteen megabytes can hold a million mistakes. The first FINDINGS_MAX are kept, the
 * rest is only counted, so that a wrong file costs neither memory nor a day of reading.
 */
#include "common/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/parse.h"

#define FINDINGS_MAX 1000

/* Messages are ours and one line; this holds even if an argument was not escaped. */
static void make_one_line(char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
}

static void add_text(struct diag *diag, enum diag_level level, unsigned int line, char *text)
{
	struct diag_item *items = grow_list(diag->items, diag->n_items, sizeof(*items));

	if (items == NULL) {
		free(text);
		return;
	}
	diag->items = items;
	diag->items[diag->n_items++] = (struct diag_item) { level, line, text };
}

static void printf_like(4, 0) add(struct diag *diag, enum diag_level level, unsigned int line,
				  const char *format, va_list args)
{
	char *text = NULL;

	if (diag->n_items > FINDINGS_MAX)
		return;
	if (diag->n_items == FINDINGS_MAX) {
		line = diag->items[FINDINGS_MAX - 1].line;
		text = strdup("there are more findings than are shown; repair these first");
	} else if (vasprintf(&text, format, args) < 0) {
		text = NULL;
	}
	if (text == NULL)
		return;
	make_one_line(text);
	add_text(diag, level, line, text);
}

/* An error counts even when there is no memory left to say what it was. */
static void printf_like(4, 0) add_error(struct diag *diag, enum exit_code code, unsigned int line,
					const char *format, va_list args)
{
	diag->n_errors++;
	diag->code = MAX(diag->code, code);
	add(diag, DIAG_ERROR, line, format, args);
}

void diag_error(struct diag *diag, unsigned int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_error(diag, EXIT_CONFIG, line, format, args);
	va_end(args);
}

void diag_error_code(struct diag *diag, enum exit_code code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_error(diag, code, 0, format, args);
	va_end(args);
}

void diag_error_code_at(struct diag *diag, enum exit_code code, unsigned int line,
			const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_error(diag, code, line, format, args);
	va_end(args);
}

void diag_warning(struct diag *diag, unsigned int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(diag, DIAG_WARNING, line, format, args);
	va_end(args);
}

/* Orders by line, then by discovery: both pointers lead into the same array of items. */
static int compare_items(const void *a, const void *b)
{
	const struct diag_item *const *left = a;
	const struct diag_item *const *right = b;

	if ((*left)->line != (*right)->line)
		return (*left)->line < (*right)->line ? -1 : 1;
	return *left < *right ? -1 : *left > *right;
}

static void print_item(const struct diag *diag, const struct diag_item *item, FILE *stream)
{
	const char *level = item->level == DIAG_ERROR ? "error" : "warning";
	char file[256]; /* a name may hold anything, also what a terminal obeys */

	parse_escape(diag->file, strlen(diag->file), file, sizeof(file));
	if (item->line == 0)
		fprintf(stream, "%s: %s: %s\n", file, level, item->text);
	else
		fprintf(stream, "%s:%u: %s: %s\n", file, item->line, level, item->text);
}

void diag_print(const struct diag *diag, FILE *stream)
{
	const struct diag_item **sorted;

	if (diag->n_items == 0)
		return;
	sorted = calloc(diag->n_items, sizeof(const struct diag_item *));
	for (size_t i = 0; sorted != NULL && i < diag->n_items; i++)
		sorted[i] = &diag->items[i];
	if (sorted != NULL)
		qsort(sorted, diag->n_items, sizeof(const struct diag_item *), compare_items);
	/* Without memory for sorting, the order of discovery must do. */
	for (size_t i = 0; i < diag->n_items; i++)
		print_item(diag, sorted != NULL ? sorted[i] : &diag->items[i], stream);
	free(sorted);
}

void diag_deinit(struct diag *diag)
{
	for (size_t i = 0; i < diag->n_items; i++)
		free(diag->items[i].text);
	free(diag->items);
	*diag = (struct diag)DIAG_NULL(diag->file);
}
