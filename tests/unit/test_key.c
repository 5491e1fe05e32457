/* Tests of common/key.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/defs.h"
#include "common/key.h"

static void points_of_low_order_are_known(void **state)
{
	/* Orders 4, 1 and 2: 0, 1 and the prime less one; and one of order 8. */
	static const struct key low[] = {
		{ { 0 } },
		{ { 1 } },
		{ { 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f } },
		{ { 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
		    0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
		    0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 } },
	};
	struct key private_key, public_key;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(low); i++)
		assert_true(key_is_low_order(&low[i]));
	for (int i = 0; i < 50; i++) {
		memset(private_key.bytes, i, KEY_LEN);
		crypto_scalarmult_base(public_key.bytes, private_key.bytes);
		assert_false(key_is_low_order(&public_key));
	}
}

static void keys_are_compared_whole(void **state)
{
	struct key a = { { 0 } };
	struct key b = { { 0 } };

	(void)state;
	assert_true(key_is_zero(&a));
	for (size_t i = 0; i < KEY_LEN; i++) {
		b.bytes[i] ^= 0x80;
		assert_false(key_equal(&a, &b));
		assert_false(key_is_zero(&b));
		a.bytes[i] ^= 0x80;
		assert_true(key_equal(&a, &b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_of_low_order_are_known),
		cmocka_unit_test(keys_are_compared_whole),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
