/* Tests of conf/prefixes.c: the order, and differences of random lists against a slow count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/parse.h"
#include "conf/prefixes.h"

static struct prefix make(const char *text)
{
	struct prefix prefix = { 0 };
	const char *reason = NULL;

	assert_true(prefix_parse(text, &prefix, &reason));
	return prefix;
}

static void order_is_total(void **state)
{
	static const char *const ascending[] = { "0.0.0.0/0",  "10.0.0.0/8", "11.0.0.0/8",
						 "1.0.0.0/16", "::/0",       "fd00::/8" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ascending); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(ascending); j++) {
			struct prefix a = make(ascending[i]);
			struct prefix b = make(ascending[j]);
			int order = prefixes_compare(&a, &b);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
	}
}

static void bytes_behind_ipv4_do_not_count(void **state)
{
	struct prefix a = make("10.0.0.0/8");
	struct prefix b = a;

	(void)state;
	b.addr[4] = 1;
	assert_int_equal(prefixes_compare(&a, &b), 0);
	b.addr[3] = 1; /* but host bits do */
	assert_true(prefixes_compare(&a, &b) < 0);
}

static size_t count(const struct conf_prefixes *list, const struct prefix *prefix)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += prefixes_compare(&list->items[i], prefix) == 0;
	return n;
}

/* Whether `found` has each item of `a` that `b` lacks, once and in order, and no other. */
static void expect_difference(const struct conf_prefixes *a, const struct conf_prefixes *b,
			      const struct conf_prefixes *found)
{
	for (size_t i = 0; i < a->n; i++)
		assert_int_equal(count(found, &a->items[i]), count(b, &a->items[i]) == 0);
	for (size_t i = 0; i < found->n; i++) {
		assert_true(count(a, &found->items[i]) > 0);
		if (i > 0)
			assert_true(prefixes_compare(&found->items[i - 1], &found->items[i]) < 0);
	}
}

/* VPND_SEED repeats a run. Few different items, so that lists meet and repeat. */
static void random_lists_differ_in_what_they_differ(void **state)
{
	const char *given = getenv("VPND_SEED"); /* NOLINT(concurrency-mt-unsafe) */
	uint64_t seed = (uint64_t)time(NULL);
	struct prefix items[2][32];

	(void)state;
	if (given != NULL)
		assert_true(parse_number(given, UINT64_MAX, &seed));
	print_message("VPND_SEED=%llu\n", (unsigned long long)seed);
	for (unsigned int run = 0; run < 3000; run++) {
		struct conf_prefixes lists[2], added, removed;

		for (size_t i = 0; i < 2; i++) {
			lists[i] = (struct conf_prefixes) { items[i], 0 };
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			for (size_t n = (seed >> 33) % 32; n > 0; n--) {
				struct prefix *item = &items[i][lists[i].n++];

				seed = seed * 6364136223846793005u + 1442695040888963407u;
				memset(item, 0, sizeof(*item));
				item->family = seed >> 63 != 0 ? AF_INET : AF_INET6;
				item->len = (uint8_t)(31 + (seed >> 62 & 1));
				item->addr[3] = (uint8_t)(seed >> 40 & 7);
			}
		}
		assert_int_equal(prefixes_diff(&lists[0], &lists[1], &added, &removed), 0);
		expect_difference(&lists[1], &lists[0], &added);
		expect_difference(&lists[0], &lists[1], &removed);
		free(added.items);
		free(removed.items);
	}
}

static void empty_lists_do_not_differ(void **state)
{
	const struct conf_prefixes none = { NULL, 0 };
	struct conf_prefixes added, removed;

	(void)state;
	assert_int_equal(prefixes_diff(&none, &none, &added, &removed), 0);
	assert_null(added.items);
	assert_null(removed.items);
}

static void lists_grow_and_know_their_families(void **state)
{
	const struct prefix some4 = { .family = AF_INET, .len = 8, .addr = { 10 } };
	const struct prefix all6 = { .family = AF_INET6, .len = 0 };
	struct conf_prefixes list = { NULL, 0 };

	(void)state;
	assert_false(prefixes_has_family(&list, AF_INET));
	assert_false(prefixes_has_default(&list, AF_INET6));
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(prefixes_append(&list, &some4), 0);
	assert_true(prefixes_has_family(&list, AF_INET));
	assert_false(prefixes_has_family(&list, AF_INET6));
	assert_false(prefixes_has_default(&list, AF_INET));
	assert_int_equal(prefixes_append(&list, &all6), 0);
	assert_int_equal(list.n, 101);
	assert_int_equal(prefixes_compare(&list.items[99], &some4), 0);
	assert_true(prefixes_has_family(&list, AF_INET6));
	assert_true(prefixes_has_default(&list, AF_INET6));
	assert_false(prefixes_has_default(&list, AF_INET));
	free(list.items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_total),
		cmocka_unit_test(bytes_behind_ipv4_do_not_count),
		cmocka_unit_test(random_lists_differ_in_what_they_differ),
		cmocka_unit_test(empty_lists_do_not_differ),
		cmocka_unit_test(lists_grow_and_know_their_families),
	};

	return cmocka_run_group_tests_name("prefixes", tests, NULL, NULL);
}
