/* The gauge of handshake load: when it says "too much", and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/proto/load.h"

#define START (1000 * NSEC_PER_SEC)
#define SHARE (NSEC_PER_SEC / LOAD_PER_SECOND)

static void burst_of_a_second_is_no_load(void **state)
{
	struct load_gauge gauge = { 0 };

	(void)state;
	for (unsigned int i = 0; i < LOAD_PER_SECOND; i++)
		assert_false(load_count(&gauge, START));
	assert_true(load_count(&gauge, START));
}

static void steady_rate_is_no_load(void **state)
{
	struct load_gauge gauge = { 0 };

	(void)state;
	for (unsigned int i = 0; i < 10 * LOAD_PER_SECOND; i++)
		assert_false(load_count(&gauge, START + i * SHARE));
}

static void faster_rate_is_load_soon(void **state)
{
	struct load_gauge gauge = { 0 };
	unsigned int n = 0;

	(void)state;
	while (!load_count(&gauge, START + n * SHARE / 2))
		n++;
	assert_in_range(n, 2 * LOAD_PER_SECOND - 4, 2 * LOAD_PER_SECOND + 4);
}

/* It ends one second after the last overflow, not earlier and not later. */
static void load_lingers(void **state)
{
	struct load_gauge gauge = { 0 };

	(void)state;
	for (unsigned int i = 0; i <= LOAD_PER_SECOND; i++)
		(void)load_count(&gauge, START);
	assert_true(load_count(&gauge, START + LOAD_LINGER - 1));
	assert_false(load_count(&gauge, START + LOAD_LINGER));
	assert_false(load_count(&gauge, START + 5 * LOAD_LINGER));
}

static void flood_is_load_without_end(void **state)
{
	struct load_gauge gauge = { 0 };

	(void)state;
	for (unsigned int i = 0; i < LOAD_PER_SECOND; i++)
		(void)load_count(&gauge, START);
	for (unsigned int i = 0; i < 100 * LOAD_PER_SECOND; i++)
		assert_true(load_count(&gauge, START + i * SHARE / 10));
	/* What overflowed is not remembered: a second of quiet is enough after any flood. */
	assert_false(load_count(&gauge, START + 11 * NSEC_PER_SEC));
}

/* The first message ever, at a boot time of nothing. */
static void begins_unloaded(void **state)
{
	struct load_gauge gauge = { 0 };

	(void)state;
	assert_false(load_count(&gauge, 0));
	assert_false(load_count(&gauge, 0));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_of_a_second_is_no_load),
		cmocka_unit_test(steady_rate_is_no_load),
		cmocka_unit_test(faster_rate_is_load_soon),
		cmocka_unit_test(load_lingers),
		cmocka_unit_test(flood_is_load_without_end),
		cmocka_unit_test(begins_unloaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
