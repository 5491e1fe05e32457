/* Tests of common/keytext.c: what is a key as text, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/keytext.h"
#include "common/parse.h"

/* Bytes 0x10 to 0x2f. */
static const char sample[] = "EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8=";

static bool decodes(const char *text)
{
	struct key key;

	return keytext_decode(text, strlen(text), &key);
}

static void sample_decodes_to_its_bytes(void **state)
{
	struct key key;
	char text[KEYTEXT_LEN + 1];

	(void)state;
	assert_true(keytext_decode(sample, KEYTEXT_LEN, &key));
	for (size_t i = 0; i < KEY_LEN; i++)
		assert_int_equal(key.bytes[i], 0x10 + i);
	keytext_encode(&key, text);
	assert_string_equal(text, sample);
}

static void anything_else_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8",   /* no padding */
		"EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8==", /* too much of it */
		"EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi9=",  /* bits behind the last byte */
		"EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8A",  /* 33 bytes */
		"EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLg==",  /* 31 bytes */
		"EBESExQVFhcYGRobHB0eHy AhIiMkJSYnKCkqKywtLi=",  /* space */
		"EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtL-8=",  /* the alphabet for URLs */
		"=EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8",
		"EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8=\n",
	};
	struct key key;
	struct key before;

	(void)state;
	memset(&key, 0x55, sizeof(key));
	before = key;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(keytext_decode(wrong[i], strlen(wrong[i]), &key));
	assert_memory_equal(&key, &before, sizeof(key));
}

static void every_character_counts(void **state)
{
	char text[sizeof(sample)];

	(void)state;
	for (size_t i = 0; i < KEYTEXT_LEN; i++) {
		for (unsigned int c = 0; c < 256; c++) {
			bool good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
				    (c >= '0' && c <= '9') || c == '+' || c == '/';

			memcpy(text, sample, sizeof(text));
			text[i] = (char)c;
			if (i < KEYTEXT_LEN - 2)
				assert_int_equal(good, keytext_decode(text, KEYTEXT_LEN,
								      &(struct key) { 0 }));
			else if (i == KEYTEXT_LEN - 1)
				assert_int_equal(c == '=', keytext_decode(text, KEYTEXT_LEN,
									  &(struct key) { 0 }));
		}
	}
}

static void random_keys_survive_both_ways(void **state)
{
	const char *given = getenv("VPND_TEST_SEED");
	uint64_t number = 0;
	uint32_t seed = given != NULL && parse_number(given, UINT32_MAX, &number)
				? (uint32_t)number
				: randombytes_random();
	uint8_t seed_bytes[randombytes_SEEDBYTES] = { 0 };
	struct key keys[500];

	(void)state;
	print_message("seed %u (set VPND_TEST_SEED to repeat)\n", seed);
	memcpy(seed_bytes, &seed, sizeof(seed));
	randombytes_buf_deterministic(keys, sizeof(keys), seed_bytes);
	for (size_t i = 0; i < 500; i++) {
		char text[KEYTEXT_LEN + 1];
		struct key back;

		keytext_encode(&keys[i], text);
		assert_int_equal(strlen(text), KEYTEXT_LEN);
		assert_true(keytext_decode(text, KEYTEXT_LEN, &back));
		assert_true(key_equal(&keys[i], &back));
	}
}

static void zero_is_seen(void **state)
{
	struct key key = { 0 };

	(void)state;
	assert_true(key_is_zero(&key));
	assert_true(decodes("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
	key.bytes[31] = 1;
	assert_false(key_is_zero(&key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sample_decodes_to_its_bytes),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(every_character_counts),
		cmocka_unit_test(random_keys_survive_both_ways),
		cmocka_unit_test(zero_is_seen),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
