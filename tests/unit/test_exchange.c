/*
 * Tests of daemon/core/exchange.c: what was exchanged is freed when both loops have answered, and
 * not before. The allocator is the witness: a second free ends the test, a missing one is a leak
 * that AddressSanitizer tells.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/core/exchange.h"

static struct allowedips *make(uint8_t last)
{
	const struct prefix prefix = { .family = AF_INET, .len = 32, .addr = { 10, 0, 0, last } };
	struct allowedips *allowed;

	assert_int_equal(exchange_make_allowed(&prefix, 1, &allowed), 0);
	return allowed;
}

static bool has(const struct allowedips *allowed, uint8_t last)
{
	const uint8_t address[] = { 10, 0, 0, last };

	return allowedips_contain(allowed, AF_INET, address);
}

static void test_made(void **state)
{
	struct allowedips *allowed = make(7);

	(void)state;
	assert_true(has(allowed, 7));
	assert_false(has(allowed, 8));
	exchange_free_allowed(allowed);
	exchange_free_allowed(NULL);
	assert_int_equal(exchange_make_allowed(NULL, 0, &allowed), 0);
	assert_false(has(allowed, 7));
	exchange_free_allowed(allowed);
}

static void test_kept_until_both_answer(void **state)
{
	struct exchange exchange = { 0 };
	struct allowedips *one = make(1), *two = make(2);

	(void)state;
	assert_int_equal(exchange_keep(&exchange, one), 0);
	assert_int_equal(exchange.n_exchanges, 1);
	assert_int_equal(exchange_keep(&exchange, two), 0);
	assert_int_equal(exchange.n_exchanges, 2);
	exchange_answered(&exchange, EXCHANGE_TX, 2);
	exchange_answered(&exchange, EXCHANGE_RX, 0);
	assert_non_null(exchange.olds);
	assert_true(has(one, 1));
	/* The second loop has seen the first exchange only. */
	exchange_answered(&exchange, EXCHANGE_RX, 1);
	assert_non_null(exchange.olds);
	assert_true(has(two, 2));
	/* An older answer, late, changes nothing. */
	exchange_answered(&exchange, EXCHANGE_TX, 1);
	assert_non_null(exchange.olds);
	exchange_answered(&exchange, EXCHANGE_RX, 2);
	assert_null(exchange.olds);
}

static void test_end_frees_all(void **state)
{
	struct exchange exchange = { 0 };

	(void)state;
	assert_int_equal(exchange_keep(&exchange, make(1)), 0);
	assert_int_equal(exchange_keep(&exchange, NULL), 0);
	assert_int_equal(exchange_keep(&exchange, make(3)), 0);
	exchange_end(&exchange);
	assert_null(exchange.olds);
	exchange_end(&exchange);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_kept_until_both_answer),
		cmocka_unit_test(test_end_frees_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
