/* Tests of daemon/cli/doctor.c: findings, what is printed of them, and the verdict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/doctor.h"

static struct doctor doctor;
static char *text;

static int set_up(void **state)
{
	(void)state;
	doctor = (struct doctor) { .name = "site", .is_running = true, .check = "first" };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	doctor_findings_deinit(&doctor.findings);
	doctor_findings_deinit(&doctor.findings);
	free(text);
	text = NULL;
	return 0;
}

static void print(void (*how)(FILE *stream))
{
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	how(stream);
	assert_int_equal(fclose(stream), 0);
}

static void plainly(FILE *stream)
{
	doctor_print(&doctor, false, stream);
}

static void coloured(FILE *stream)
{
	doctor_print(&doctor, true, stream);
}

static void as_json(FILE *stream)
{
	doctor_print_json(&doctor, stream);
}

static void the_verdict_is_the_first_of_the_worst(void **state)
{
	(void)state;
	assert_null(doctor_verdict(&doctor.findings));
	doctor_say(&doctor, DOCTOR_OK, NULL, "fine");
	doctor_say(&doctor, DOCTOR_NOTE, NULL, "by the way");
	assert_null(doctor_verdict(&doctor.findings));
	doctor_say(&doctor, DOCTOR_WARN, NULL, "odd %d", 1);
	doctor_say(&doctor, DOCTOR_WARN, NULL, "odd %d", 2);
	assert_string_equal(doctor_verdict(&doctor.findings)->text, "odd 1");
	assert_null(doctor_suspect(&doctor.findings));
	doctor_say(&doctor, DOCTOR_SYMPTOM, NULL, "it hurts");
	assert_string_equal(doctor_verdict(&doctor.findings)->text, "it hurts");
	assert_string_equal(doctor_suspect(&doctor.findings)->text, "odd 1");
	doctor_say(&doctor, DOCTOR_FAIL, "Mend it.", "broken %d", 1);
	doctor_say(&doctor, DOCTOR_FAIL, NULL, "broken %d", 2);
	assert_string_equal(doctor_verdict(&doctor.findings)->text, "broken 1");
	assert_string_equal(doctor_verdict(&doctor.findings)->advice, "Mend it.");
}

static void what_does_not_hinder_a_start_is_a_suspect(void **state)
{
	(void)state;
	doctor.is_only_suspect = true;
	doctor_say(&doctor, DOCTOR_FAIL, NULL, "far away");
	doctor_say(&doctor, DOCTOR_SYMPTOM, NULL, "not running");
	assert_string_equal(doctor_verdict(&doctor.findings)->text, "not running");
	assert_string_equal(doctor_suspect(&doctor.findings)->text, "far away");
}

static void people_read_it(void **state)
{
	(void)state;
	doctor_say(&doctor, DOCTOR_OK, NULL, "fine");
	doctor_say(&doctor, DOCTOR_FAIL, "Mend it.", "broken");
	doctor.check = "second";
	doctor_say(&doctor, DOCTOR_NOTE, NULL, "an escape: \033[31m");
	print(plainly);
	assert_string_equal(text, "ok   first      fine\n"
				  "FAIL            broken\n"
				  "                Mend it.\n"
				  "note second     an escape: ?[31m\n"
				  "\n"
				  "site: broken. Mend it.\n");
}

static void long_sentences_are_wrapped(void **state)
{
	size_t column = 0;

	(void)state;
	for (int i = 0; i < 4; i++)
		doctor_say(
			&doctor, i < 2 ? DOCTOR_FAIL : DOCTOR_WARN,
			"a sentence that is rather long and goes on for a while, so that it does "
			"not fit into one line of a terminal",
			"another sentence that is rather long and goes on for a while, so that it "
			"does not fit into one line of a terminal");
	print(plainly);
	for (const char *c = text; *c; c++) {
		column = *c == '\n' ? 0 : column + 1;
		assert_true(column <= 96);
	}
}

static void colours_are_on_demand(void **state)
{
	(void)state;
	doctor_say(&doctor, DOCTOR_OK, NULL, "fine");
	print(coloured);
	assert_non_null(strstr(text, "\033[32mok  \033[0m first"));
	free(text);
	print(plainly);
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "\nsite: nothing is wrong that can be seen from here.\n"));
}

static void programs_read_it(void **state)
{
	const json_t *finding;
	json_t *json;

	(void)state;
	doctor_say(&doctor, DOCTOR_SYMPTOM, "Mend \"it\".", "broken");
	doctor_say(&doctor, DOCTOR_OK, NULL, "bytes that are no text: \xff");
	print(as_json);
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	assert_int_equal(json_integer_value(json_object_get(json, "version")), 1);
	assert_string_equal(json_string_value(json_object_get(json, "link")), "site");
	assert_true(json_is_true(json_object_get(json, "running")));
	assert_string_equal(json_string_value(json_object_get(json, "verdict")), "broken");
	assert_int_equal(json_array_size(json_object_get(json, "findings")), 2);
	finding = json_array_get(json_object_get(json, "findings"), 0);
	assert_string_equal(json_string_value(json_object_get(finding, "check")), "first");
	assert_string_equal(json_string_value(json_object_get(finding, "level")), "failure");
	assert_string_equal(json_string_value(json_object_get(finding, "advice")), "Mend \"it\".");
	finding = json_array_get(json_object_get(json, "findings"), 1);
	assert_true(json_is_null(json_object_get(finding, "text")));
	assert_true(json_is_null(json_object_get(finding, "advice")));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_verdict_is_the_first_of_the_worst, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_does_not_hinder_a_start_is_a_suspect, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(people_read_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_sentences_are_wrapped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(colours_are_on_demand, set_up, tear_down),
		cmocka_unit_test_setup_teardown(programs_read_it, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
