/* Tests of common/diag.c: counting, order, and the limit on findings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/diag.h"

/* What diag_print() writes; freed by the caller. */
static char *printed(const struct diag *diag)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	diag_print(diag, stream);
	fclose(stream);
	return text;
}

static void findings_are_printed_by_line(void **state)
{
	struct diag diag = DIAG_NULL("a.conf");
	char *text;

	(void)state;
	diag_error(&diag, 7, "seven %d", 7);
	diag_warning(&diag, 2, "two");
	diag_error(&diag, 7, "seven again");
	diag_error_code(&diag, EXIT_PERMISSION, "whole file");
	text = printed(&diag);
	assert_string_equal(text, "a.conf: error: whole file\n"
				  "a.conf:2: warning: two\n"
				  "a.conf:7: error: seven 7\n"
				  "a.conf:7: error: seven again\n");
	free(text);
	assert_int_equal(diag.n_items, 4);
	assert_int_equal(diag.n_errors, 3);
	diag_deinit(&diag);
}

static void greatest_code_wins(void **state)
{
	struct diag diag = DIAG_NULL("a.conf");

	(void)state;
	assert_int_equal(diag.code, EXIT_DONE);
	diag_warning(&diag, 1, "nothing much");
	assert_int_equal(diag.code, EXIT_DONE);
	diag_error_code_at(&diag, EXIT_PERMISSION, 3, "not allowed");
	assert_int_equal(diag.code, EXIT_PERMISSION);
	assert_int_equal(diag.items[1].line, 3);
	diag_error(&diag, 1, "wrong");
	assert_int_equal(diag.code, EXIT_CONFIG);
	diag_error_code(&diag, EXIT_SYSTEM, "no memory");
	assert_int_equal(diag.code, EXIT_CONFIG);
	diag_deinit(&diag);
}

static void no_findings_print_nothing(void **state)
{
	struct diag diag = DIAG_NULL("a.conf");
	char *text = printed(&diag);

	(void)state;
	assert_string_equal(text, "");
	free(text);
	diag_deinit(&diag);
	diag_deinit(&diag);
}

static void control_characters_do_not_pass(void **state)
{
	struct diag diag = DIAG_NULL("a.conf");

	(void)state;
	diag_error(&diag, 1, "%s", "a\nb\x1b[31mc\x7f");
	assert_string_equal(diag.items[0].text, "a?b?[31mc?");
	diag_deinit(&diag);
}

static void texts_are_limited_and_errors_are_not(void **state)
{
	struct diag diag = DIAG_NULL("a.conf");

	(void)state;
	for (unsigned int i = 1; i <= 5000; i++)
		diag_error(&diag, i, "wrong");
	assert_int_equal(diag.n_errors, 5000);
	assert_int_equal(diag.n_items, 1001);
	assert_non_null(strstr(diag.items[1000].text, "more findings"));
	assert_int_equal(diag.items[1000].line, 1000);
	diag_deinit(&diag);
	diag_error(&diag, 1, "usable again");
	assert_int_equal(diag.n_items, 1);
	assert_string_equal(diag.file, "a.conf");
	diag_deinit(&diag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_are_printed_by_line),
		cmocka_unit_test(greatest_code_wins),
		cmocka_unit_test(no_findings_print_nothing),
		cmocka_unit_test(control_characters_do_not_pass),
		cmocka_unit_test(texts_are_limited_and_errors_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
