/*
 * The replay window: the cases that the kernel tests its own with, and random counters against a
 * set that forgets nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/proto/messages.h"
#include "daemon/proto/replay.h"
#include "tests/unit/seed.h"

/* One beyond what may be behind: the kernel's name for its edge. */
#define EDGE  (REPLAY_WINDOW + 1ULL)
#define LIMIT REJECT_AFTER_MESSAGES

/* The counter limit belongs to the caller (keypair_open), the rest to the window. */
static bool accept_below_limit(struct replay_window *window, uint64_t counter)
{
	return counter < LIMIT && replay_accept(window, counter);
}

static void kernel_cases(void **state)
{
	static const struct {
		uint64_t counter;
		bool is_accepted;
	} cases[] = {
		{ 0, true },
		{ 1, true },
		{ 1, false },
		{ 9, true },
		{ 8, true },
		{ 7, true },
		{ 7, false },
		{ EDGE, true },
		{ EDGE - 1, true },
		{ EDGE - 1, false },
		{ EDGE - 2, true },
		{ 2, true },
		{ 2, false },
		{ EDGE + 16, true },
		{ 3, false },
		{ EDGE + 16, false },
		{ EDGE * 4, true },
		{ EDGE * 4 - (EDGE - 1), true },
		{ 10, false },
		{ EDGE * 4 - EDGE, false },
		{ EDGE * 4 - (EDGE + 1), false },
		{ EDGE * 4 - (EDGE - 2), true },
		{ EDGE * 4 + 1 - EDGE, false },
		{ 0, false },
		{ LIMIT, false },
		{ LIMIT - 1, true },
		{ LIMIT, false },
		{ LIMIT - 1, false },
		{ LIMIT - 2, true },
		{ LIMIT + 1, false },
		{ LIMIT + 2, false },
		{ LIMIT - 2, false },
		{ LIMIT - 3, true },
		{ 0, false },
	};
	struct replay_window window = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (accept_below_limit(&window, cases[i].counter) != cases[i].is_accepted)
			fail_msg("case %zu", i + 1);
	}
}

/* Runs of counters, up or down, and then single ones at the edge. */
static void kernel_runs(void **state)
{
	static const struct {
		uint64_t from, to; /* both included; down when from > to */
		struct {
			uint64_t counter;
			bool is_accepted;
		} then[2];
	} runs[] = {
		{ 1, REPLAY_WINDOW, { { 0, true }, { 0, false } } },
		{ 2, REPLAY_WINDOW + 1, { { 1, true }, { 0, false } } },
		{ REPLAY_WINDOW, 0, { { 0, false }, { REPLAY_WINDOW, false } } },
		{ REPLAY_WINDOW + 1, 1, { { 0, false }, { 1, false } } },
		{ REPLAY_WINDOW - 1, 1, { { REPLAY_WINDOW + 1, true }, { 0, false } } },
		{ REPLAY_WINDOW - 1, 1, { { 0, true }, { REPLAY_WINDOW + 1, true } } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		struct replay_window window = { 0 };
		uint64_t step = runs[i].from < runs[i].to ? 1 : UINT64_MAX;

		for (uint64_t n = runs[i].from; n != runs[i].to + step; n += step)
			assert_true(replay_accept(&window, n));
		for (size_t j = 0; j < 2; j++)
			assert_int_equal(replay_accept(&window, runs[i].then[j].counter),
					 runs[i].then[j].is_accepted);
	}
}

/* The far edge with the newest counter at each position of its word. */
static void far_edge_at_each_alignment(void **state)
{
	(void)state;
	for (uint64_t newest = 100000; newest < 100000 + 130; newest++) {
		struct replay_window window = { 0 };

		assert_true(replay_accept(&window, newest));
		assert_false(replay_accept(&window, newest - REPLAY_WINDOW - 1));
		for (uint64_t n = newest - REPLAY_WINDOW; n < newest; n++)
			assert_true(replay_accept(&window, n));
		for (uint64_t n = newest - REPLAY_WINDOW - 200; n <= newest; n++)
			assert_false(replay_accept(&window, n));
	}
}

/* Counters that were skipped on the way forward are still new, also after jumps of a ring. */
static void jumps_forget_nothing_they_should_keep(void **state)
{
	static const uint64_t jumps[] = { 1,    63,   64,   65,   8000, 8127,
					  8128, 8129, 8191, 8192, 8193, 100000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(jumps); i++) {
		struct replay_window window = { 0 };

		for (uint64_t n = 0; n < 9000; n++)
			assert_true(replay_accept(&window, n));
		assert_true(replay_accept(&window, 8999 + jumps[i]));
		for (uint64_t n = 0; n < 9000; n++)
			assert_false(replay_accept(&window, n));
		for (uint64_t n = 9000; n < 8999 + jumps[i]; n++)
			assert_int_equal(replay_accept(&window, n),
					 8999 + jumps[i] - n <= REPLAY_WINDOW);
	}
}

static void refusal_changes_nothing(void **state)
{
	struct replay_window window = { 0 }, before;

	(void)state;
	assert_true(replay_accept(&window, 50000));
	assert_true(replay_accept(&window, 49000));
	before = window;
	assert_false(replay_accept(&window, 50000));
	assert_false(replay_accept(&window, 49000));
	assert_false(replay_accept(&window, 1));
	assert_memory_equal(&window, &before, sizeof(window));
}

#define MODEL_MAX 100000

static void agrees_with_a_set(void **state)
{
	static bool seen[MODEL_MAX];
	struct seeded seeded = seeded_begin("agrees_with_a_set");

	(void)state;
	for (unsigned int round = 0; round < 20; round++) {
		struct replay_window window = { 0 };
		uint64_t newest = 0;
		bool is_empty = true;

		memset(seen, 0, sizeof(seen));
		while (newest < MODEL_MAX - 10000) {
			uint64_t kind = seeded_below(&seeded, 100);
			uint64_t step = seeded_below(&seeded, 9000), counter;
			bool expected;

			if (kind < 70) /* a little forward or back, as networks reorder */
				counter = newest + 8 - MIN(newest, step % 16);
			else if (kind < 95) /* anywhere near the window */
				counter = newest - MIN(newest, step);
			else
				counter = newest + step;
			expected = !seen[counter] &&
				   (counter >= newest || newest - counter <= REPLAY_WINDOW);
			assert_int_equal(replay_accept(&window, counter), expected);
			if (expected)
				seen[counter] = true;
			if (expected && (is_empty || counter > newest))
				newest = counter;
			is_empty = false;
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_cases),
		cmocka_unit_test(kernel_runs),
		cmocka_unit_test(far_edge_at_each_alignment),
		cmocka_unit_test(jumps_forget_nothing_they_should_keep),
		cmocka_unit_test(refusal_changes_nothing),
		cmocka_unit_test(agrees_with_a_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
