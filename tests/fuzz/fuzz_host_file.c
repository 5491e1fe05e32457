/*
 * Fuzz target: a host file of any bytes. Whatever is in it, every setting keeps its limits,
 * findings stand in lines of the file and are printable, and the same text always gives the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/host_file.h"
#include "conf/host_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libconfig 1.5 forgets a string that its grammar does not expect; that is not what we look for. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig\n";
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_findings(const struct diag *diag, size_t n_lines)
{
	for (size_t i = 0; i < diag->n_items; i++) {
		const struct diag_item *item = &diag->items[i];

		check(item->line <= n_lines);
		check(item->text[0] != '\0');
		for (const char *c = item->text; *c != '\0'; c++)
			check(*c >= ' ' && *c < 0x7f);
	}
	check((diag->n_errors == 0) == (diag->code == EXIT_DONE));
}

static void check_value(const struct host_keys_row *row, unsigned int value)
{
	if (row->type == HOST_KEYS_WORD)
		check(words_name(row->words, value) != NULL);
	if (row->type == HOST_KEYS_NUMBER)
		check((value == 0 && row->may_be_zero) || (value >= row->min && value <= row->max));
}

static void check_limits(const struct conf_host *host)
{
	for (size_t i = 0; i < HOST_KEYS_N; i++) {
		const struct host_keys_row *row = &host_keys_table[i];

		check_value(row, host_keys_get(row, host));
	}
}

/* What is said about a text, to be compared with what is said the next time. */
static char *read_once(const char *text, size_t size, size_t n_lines)
{
	struct diag diag = DIAG_NULL("x");
	struct conf_host host;
	char *said = NULL;
	size_t said_size = 0;
	FILE *stream = open_memstream(&said, &said_size);

	check(stream != NULL);
	conf_host_init(&host);
	host_file_parse(text, size, &host, &diag);
	check_findings(&diag, n_lines);
	check_limits(&host);
	diag_print(&diag, stream);
	fclose(stream);
	diag_deinit(&diag);
	return said;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t n_lines = 1;
	char *first;
	char *second;

	for (size_t i = 0; i < size; i++)
		n_lines += text[i] == '\n';
	first = read_once(text, size, n_lines);
	second = read_once(text, size, n_lines);
	check(strcmp(first, second) == 0);
	free(first);
	free(second);
	return 0;
}
