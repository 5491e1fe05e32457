/* Timestamps: what they look like, and that the next one is always greater. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/defs.h"
#include "daemon/proto/tai64n.h"
#include "tests/unit/seed.h"

static struct tai64n stamp(uint64_t seconds, uint32_t ns)
{
	return (struct tai64n) { be64_make(seconds), be32_make(ns) };
}

static void looks_like_tai64n(void **state)
{
	/* 2^62 + 10 + 1,700,000,000 seconds; 0x0b345678 ns rounded down to 2^24. */
	static const uint8_t wire[] = { 0x40, 0, 0, 0, 0x65, 0x53, 0xf1, 0x0a, 0x0b, 0, 0, 0 };
	struct timespec wall = { .tv_sec = 1700000000, .tv_nsec = 0x0b345678 };
	struct tai64n made = tai64n_from(&wall);

	(void)state;
	assert_memory_equal(&made, wire, sizeof(wire));
}

static void nanoseconds_are_whitened(void **state)
{
	struct timespec wall = { .tv_sec = 5 };

	(void)state;
	for (wall.tv_nsec = 0; wall.tv_nsec < 1000000000; wall.tv_nsec += 999983) {
		struct tai64n made = tai64n_from(&wall);
		uint32_t ns = be32_load(made.nanoseconds);

		assert_int_equal(ns & 0xffffff, 0);
		assert_true(ns <= wall.tv_nsec && wall.tv_nsec - ns < 0x1000000);
	}
}

static void time_before_1970(void **state)
{
	struct timespec wall = { .tv_sec = -1, .tv_nsec = 999999999 };
	struct tai64n made = tai64n_from(&wall);

	(void)state;
	assert_true(be64_load(made.seconds) == (1ULL << 62) + 10);
	assert_int_equal(be32_load(made.nanoseconds), 0);
}

static void next_is_the_smallest_greater(void **state)
{
	static const struct {
		uint64_t seconds, ns, next_seconds, next_ns;
	} rows[] = {
		{ 0, 0, 0, 0x1000000 },           { 7, 0x1000000, 7, 0x2000000 },
		{ 7, 0x3a000000, 7, 0x3b000000 }, /* 0x3b000000 is 989,855,744 */
		{ 7, 0x3b000000, 8, 0 },          /* the step after would be beyond the second */
		{ 7, 0x1ffffff, 7, 0x2000000 },   /* not ours: not rounded */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tai64n before = stamp(rows[i].seconds, (uint32_t)rows[i].ns);
		struct tai64n next = tai64n_next(&before);

		assert_true(be64_load(next.seconds) == rows[i].next_seconds);
		assert_int_equal(be32_load(next.nanoseconds), rows[i].next_ns);
		assert_true(tai64n_after(&next, &before));
		assert_false(tai64n_after(&before, &next));
	}
}

/* Later is what memcmp() of the twelve bytes says. */
static void compares_as_bytes(void **state)
{
	static const struct tai64n zero;
	struct tai64n last;
	struct seeded seeded = seeded_begin("compares_as_bytes");

	(void)state;
	memset(&last, 0xff, sizeof(last));
	assert_true(tai64n_after(&last, &zero));
	assert_false(tai64n_after(&zero, &last));
	assert_false(tai64n_after(&last, &last));
	assert_false(tai64n_after(&zero, &zero));
	for (size_t i = 0; i < 10000; i++) {
		/* Small alphabets, so that equal seconds happen. */
		struct tai64n a = stamp(seeded_below(&seeded, 3) << 62 | seeded_below(&seeded, 3),
					(uint32_t)seeded_below(&seeded, 3) << 30);
		struct tai64n b = stamp(seeded_below(&seeded, 3) << 62 | seeded_below(&seeded, 3),
					(uint32_t)seeded_below(&seeded, 3) << 30);

		assert_int_equal(tai64n_after(&a, &b), memcmp(&a, &b, sizeof(a)) > 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_like_tai64n), cmocka_unit_test(nanoseconds_are_whitened),
		cmocka_unit_test(time_before_1970),  cmocka_unit_test(next_is_the_smallest_greater),
		cmocka_unit_test(compares_as_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
