/* Tests of common/parse.c: numbers, words, guesses, escapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/parse.h"

static void number_accepts_digits_only(void **state)
{
	static const char *const wrong[] = { "",      "-1",  "+1",  " 1",           "1 ",    "1x",
					     "x",     "0x",  "0xg", "1e3",          "1.0",   "0X",
					     "1,000", "x10", "- 1", "\xef\xbc\x91", "\x31\n" };
	uint64_t number = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(parse_number(wrong[i], UINT64_MAX, &number));
	assert_int_equal(number, 7);
	assert_true(parse_number("0", 0, &number));
	assert_int_equal(number, 0);
	assert_true(parse_number("007", 7, &number));
	assert_int_equal(number, 7);
	assert_true(parse_number("0xfF", 255, &number));
	assert_int_equal(number, 255);
}

static void number_keeps_its_limit(void **state)
{
	uint64_t number = 7;

	(void)state;
	assert_true(parse_number("65535", 65535, &number));
	assert_false(parse_number("65536", 65535, &number));
	assert_false(parse_number("1", 0, &number));
	assert_true(parse_number("18446744073709551615", UINT64_MAX, &number));
	assert_true(number == UINT64_MAX);
	assert_false(parse_number("18446744073709551616", UINT64_MAX, &number));
	assert_false(parse_number("99999999999999999999999999", UINT64_MAX, &number));
	assert_true(parse_number("0xffffffffffffffff", UINT64_MAX, &number));
	assert_false(parse_number("0x10000000000000000", UINT64_MAX, &number));
}

static void decimal_takes_no_other_digits(void **state)
{
	static const char *const wrong[] = { "", "0x10", "0X1", "x", "1a", " 1", "1 ", "-1", "+1" };
	uint64_t number = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(parse_decimal(wrong[i], UINT64_MAX, &number));
	assert_false(parse_decimal("65536", 65535, &number));
	assert_int_equal(number, 7);
	assert_true(parse_decimal("065535", 65535, &number));
	assert_int_equal(number, 65535);
	assert_true(parse_decimal("0", 0, &number));
	assert_int_equal(number, 0);
}

static void word_ignores_case(void **state)
{
	static const char *const words[] = { "auto", "off" };

	(void)state;
	assert_int_equal(parse_word("auto", words, 2), 0);
	assert_int_equal(parse_word("OFF", words, 2), 1);
	assert_int_equal(parse_word("offf", words, 2), -1);
	assert_int_equal(parse_word("", words, 2), -1);
	assert_int_equal(parse_word("auto", words, 0), -1);
}

static void nearest_finds_what_was_meant(void **state)
{
	static const char *const words[] = { "AllowedIPs", "Endpoint", "MTU", "DNS", "Mode" };
	static const struct {
		const char *text;
		const char *word;
	} rows[] = {
		{ "AlowedIPs", "AllowedIPs" },
		{ "allowedips", "AllowedIPs" },
		{ "AllowedIP", "AllowedIPs" },
		{ "AllowdeIPs", "AllowedIPs" },
		{ "Endpiont", "Endpoint" },
		{ "MUT", "MTU" },
		{ "MTUs", "MTU" },
		{ "UM", NULL },
		{ "Mod", "Mode" },
		{ "Allowed", "AllowedIPs" },
		{ "AllowXXXXX", NULL },
		{ "", NULL },
		{ "Something else", NULL },
	};
	char long_text[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *word = parse_nearest(rows[i].text, words, ARRAY_SIZE(words));

		if (rows[i].word == NULL)
			assert_null(word);
		else
			assert_string_equal(word, rows[i].word);
	}
	memset(long_text, 'a', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_null(parse_nearest(long_text, words, ARRAY_SIZE(words)));
}

static void nearest_takes_the_least_distance(void **state)
{
	static const char *const words[] = { "PresharedKeyFile", "PresharedKey" };

	(void)state;
	assert_string_equal(parse_nearest("PresharedKeyy", words, 2), "PresharedKey");
	assert_string_equal(parse_nearest("PresharedKeyFil", words, 2), "PresharedKeyFile");
}

static void escape_shows_printable_text_only(void **state)
{
	char buf[64];

	(void)state;
	assert_string_equal(parse_escape("plain text", 10, buf, sizeof(buf)), "plain text");
	assert_string_equal(parse_escape("a\x1b[0m\xff\n\0z", 9, buf, sizeof(buf)),
			    "a\\x1b[0m\\xff\\x0a\\x00z");
	assert_string_equal(parse_escape("\x7f", 1, buf, sizeof(buf)), "\\x7f");
	assert_string_equal(parse_escape("", 0, buf, sizeof(buf)), "");
}

static void escape_never_writes_behind_its_buffer(void **state)
{
	char buf[32];

	(void)state;
	for (size_t size = 0; size < sizeof(buf); size++) {
		memset(buf, '#', sizeof(buf));
		parse_escape("abc\x01"
			     "defghijklmnopqrstuvwxyz",
			     27, buf, size);
		for (size_t i = size; i < sizeof(buf); i++)
			assert_int_equal(buf[i], '#');
		if (size > 0)
			assert_in_range(strlen(buf), 0, size - 1);
		if (size > 3 && size <= 30)
			assert_string_equal(buf + strlen(buf) - 3, "...");
	}
	assert_string_equal(parse_escape("abcdefghij", 10, buf, 8), "abcd...");
	assert_string_equal(parse_escape("abcdefg", 7, buf, 8), "abcdefg");
	assert_string_equal(parse_escape("ab\x01"
					 "cdef",
					 7, buf, 8),
			    "ab...");
	assert_string_equal(parse_escape("abcdef\x01", 7, buf, 8), "abcd...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(number_accepts_digits_only),
		cmocka_unit_test(number_keeps_its_limit),
		cmocka_unit_test(decimal_takes_no_other_digits),
		cmocka_unit_test(word_ignores_case),
		cmocka_unit_test(nearest_finds_what_was_meant),
		cmocka_unit_test(nearest_takes_the_least_distance),
		cmocka_unit_test(escape_shows_printable_text_only),
		cmocka_unit_test(escape_never_writes_behind_its_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
