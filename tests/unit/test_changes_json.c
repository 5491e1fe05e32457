/* Tests of daemon/ctl/changes_json.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/changes_json.h"

static json_t *parsed(const char *file, const struct diag *diag, const struct conf_changes *changes)
{
	char *text = changes_json("site", file, diag, changes);
	json_t *json;

	assert_non_null(text);
	assert_null(strchr(text, '\n'));
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	free(text);
	assert_int_equal(json_integer_value(json_object_get(json, "version")), 1);
	assert_string_equal(json_string_value(json_object_get(json, "link")), "site");
	return json;
}

static void changes_are_listed(void **state)
{
	char text[] = "MTU changes from 1400 to 1380";
	const struct conf_changes changes = {
		.items = { { .key = KEYS_MTU, .text = text, .how = "applied at once" } },
		.n_items = 1,
	};
	struct diag diag = DIAG_NULL("/x/site.conf");
	const json_t *change;
	json_t *json;

	(void)state;
	diag_warning(&diag, 3, "odd");
	json = parsed("/x/site.conf", &diag, &changes);
	assert_string_equal(json_string_value(json_object_get(json, "file")), "/x/site.conf");
	assert_int_equal(json_integer_value(json_object_get(json, "code")), 0);
	assert_int_equal(json_array_size(json_object_get(json, "findings")), 1);
	assert_int_equal(json_array_size(json_object_get(json, "changes")), 1);
	change = json_array_get(json_object_get(json, "changes"), 0);
	assert_string_equal(json_string_value(json_object_get(change, "key")), "MTU");
	assert_string_equal(json_string_value(json_object_get(change, "text")), text);
	assert_string_equal(json_string_value(json_object_get(change, "how")), "applied at once");
	json_decref(json);
	diag_deinit(&diag);
}

static void no_change_is_an_empty_list(void **state)
{
	const struct conf_changes changes = { 0 };
	struct diag diag = DIAG_NULL("/x/site.conf");
	json_t *json = parsed("/x/site.conf", &diag, &changes);

	(void)state;
	assert_true(json_is_array(json_object_get(json, "changes")));
	assert_int_equal(json_array_size(json_object_get(json, "changes")), 0);
	assert_int_equal(json_array_size(json_object_get(json, "findings")), 0);
	json_decref(json);
}

static void a_broken_file_has_findings(void **state)
{
	struct diag diag = DIAG_NULL("/x/site.conf");
	json_t *json;

	(void)state;
	diag_error(&diag, 3, "first");
	diag_error(&diag, 4, "second");
	json = parsed("/x/site.conf", &diag, NULL);
	assert_int_equal(json_integer_value(json_object_get(json, "code")), EXIT_CONFIG);
	assert_true(json_is_null(json_object_get(json, "changes")));
	assert_int_equal(json_array_size(json_object_get(json, "findings")), 2);
	assert_string_equal(json_string_value(json_array_get(json_object_get(json, "findings"), 1)),
			    "/x/site.conf:4: error: second");
	json_decref(json);
	diag_deinit(&diag);
}

static void a_path_that_is_no_text(void **state)
{
	const struct conf_changes changes = { 0 };
	struct diag diag = DIAG_NULL("/x/\xff.conf");
	json_t *json = parsed("/x/\xff.conf", &diag, &changes);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(json, "file")), "?");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_are_listed),
		cmocka_unit_test(no_change_is_an_empty_list),
		cmocka_unit_test(a_broken_file_has_findings),
		cmocka_unit_test(a_path_that_is_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
