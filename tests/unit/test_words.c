/* Tests of conf/words.c: every list can be read and written back, and has each value once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <strings.h>

#include "conf/host_model.h"
#include "conf/words.h"

static const struct {
	const struct words *words;
	size_t n; /* values of the enum that have words */
} lists[] = {
	{ &words_switch, 2 },
	{ &words_mode, CONF_MODE_TAP + 1 },
	{ &words_mss, 2 },
	{ &words_ready, CONF_READY_HANDSHAKE + 1 },
	{ &words_table, CONF_TABLE_OFF + 1 },
	{ &words_cipher, CONF_CIPHER_AEGIS256 + 1 },
	{ &words_log_level, LOG_LEVEL_DEBUG - LOG_LEVEL_ERROR + 1 },
	{ &words_log_target, LOG_TARGET_JOURNAL + 1 },
};

static void words_and_values_are_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct words *words = lists[i].words;

		assert_int_equal(words->n, lists[i].n);
		for (size_t j = 0; j < words->n; j++) {
			unsigned int value = 99;

			assert_true(words_find(words, words->items[j].word, &value));
			assert_int_equal(value, words->items[j].value);
			assert_string_equal(words_name(words, value), words->items[j].word);
		}
	}
}

/* Four words for two values: the first two are written back. */
static void two_words_may_mean_the_same(void **state)
{
	unsigned int value = 99;

	(void)state;
	assert_true(words_find(&words_yes_no, "Yes", &value));
	assert_int_equal(value, true);
	assert_true(words_find(&words_yes_no, "false", &value));
	assert_int_equal(value, false);
	assert_string_equal(words_name(&words_yes_no, true), "yes");
	assert_string_equal(words_name(&words_yes_no, false), "no");
}

static void case_does_not_count(void **state)
{
	unsigned int value = 99;

	(void)state;
	assert_true(words_find(&words_mode, "TAP", &value));
	assert_int_equal(value, CONF_MODE_TAP);
}

static void what_is_not_there_is_not_found(void **state)
{
	unsigned int value = 99;

	(void)state;
	assert_false(words_find(&words_mode, "", &value));
	assert_false(words_find(&words_mode, "ta", &value));
	assert_false(words_find(&words_mode, "tapp", &value));
	assert_int_equal(value, 99);
	assert_null(words_name(&words_table, CONF_TABLE_ID));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_values_are_pairs),
		cmocka_unit_test(two_words_may_mean_the_same),
		cmocka_unit_test(case_does_not_count),
		cmocka_unit_test(what_is_not_there_is_not_found),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
