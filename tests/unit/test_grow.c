/* Tests of common/grow.c. A sanitizer or valgrind sees what is written behind a list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "common/grow.h"

/* Adds until there are `n_end`, and looks at all that was added. */
static void fill(unsigned int *items, size_t n, size_t n_end)
{
	for (size_t i = n; i < n_end; i++) {
		items = grow_list(items, i, sizeof(*items));
		assert_non_null(items);
		items[i] = (unsigned int)i;
	}
	for (size_t i = n; i < n_end; i++)
		assert_int_equal(items[i], i);
	free(items);
}

static void lists_grow_from_nothing(void **state)
{
	(void)state;
	fill(NULL, 0, 1);
	fill(NULL, 0, 1000);
}

static void lists_of_a_known_length_grow_on(void **state)
{
	(void)state;
	for (size_t n = 1; n < 70; n++) {
		unsigned int *items = grow_list_for(n, sizeof(*items));

		assert_non_null(items);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(items[i], 0);
		fill(items, n, 3 * n);
	}
}

/* Where AddressSanitizer is linked, it asks this: what cannot be had is NULL, as without it. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void what_does_not_fit_is_refused(void **state)
{
	const size_t quarter = SIZE_MAX / 4 + 1; /* a power of two: full */

	(void)state;
	assert_null(grow_list(NULL, quarter, 4));
	assert_null(grow_list_for(quarter, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_grow_from_nothing),
		cmocka_unit_test(lists_of_a_known_length_grow_on),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
