/*
 * Fuzz target: a host file of any bytes. Whatever is in it, every setting keeps its limits,
 * findings stand in lines of the file and are printable, and the same text always gives the same.
 */
#include "tests/fuzz/file_target.h"

#include "conf/host_file.h"
#include "conf/host_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libconfig 1.5 forgets a string that its grammar does not expect; that is not what we look for. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig\n";
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

static void read_file(const char *text, size_t size, struct diag *diag)
{
	struct conf_host host;

	conf_host_init(&host);
	host_file_parse(text, size, &host, diag);
	check_limits(&host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return read_twice(read_file, data, size);
}
