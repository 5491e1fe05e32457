/*
 * Offers: what they make of a timestamp for every set of flags and every rounded time, and that
 * stamps with offers still only grow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/proto/offer.h"
#include "tests/unit/seed.h"

#define N_FLAG_SETS 0x1000U
/* Sets of flags that are known. */
#define N_OFFERS 0x10U
/* Rounded nanoseconds: 0, 2^24, ... below 10^9. */
#define N_STEPS ((NSEC_PER_SEC + TAI64N_STEP_NS - 1) / TAI64N_STEP_NS)

static struct tai64n stamp_of(uint64_t seconds, uint32_t ns)
{
	return (struct tai64n) { be64_make(seconds), be32_make(ns) };
}

static uint32_t ns_of(const struct tai64n *stamp)
{
	return be32_load(stamp->nanoseconds);
}

static void every_set_of_flags_at_every_time(void **state)
{
	(void)state;
	for (uint32_t step = 0; step < N_STEPS; step++) {
		for (uint32_t flags = 0; flags < N_FLAG_SETS; flags++) {
			struct tai64n stamp = stamp_of(77, step * TAI64N_STEP_NS);

			offer_write(&stamp, (offer_t)flags);
			/* Of flags that are not known nothing is made. */
			if (offer_read(&stamp) != (flags & ~OFFER_KNOWN ? 0 : flags))
				fail_msg("step %u, flags %03x", step, flags);
			if (ns_of(&stamp) >= NSEC_PER_SEC || be64_load(stamp.seconds) != 77)
				fail_msg("step %u, flags %03x: not a time", step, flags);
			/* The time itself stays the same. */
			assert_int_equal(ns_of(&stamp) / TAI64N_STEP_NS, step);
		}
	}
}

static void the_last_step_is_below_a_second(void **state)
{
	struct tai64n stamp = stamp_of(0, 999999999);

	(void)state;
	assert_int_equal((N_STEPS - 1) * TAI64N_STEP_NS, 0x3b000000);
	offer_write(&stamp, 0xfff);
	assert_int_equal(ns_of(&stamp), 0x3b5a7fff);
}

static void nothing_offered_is_a_stock_stamp(void **state)
{
	struct timespec wall = { .tv_sec = 1700000000 };

	(void)state;
	for (wall.tv_nsec = 0; wall.tv_nsec < 1000000000; wall.tv_nsec += 999983) {
		struct tai64n stock = tai64n_from(&wall), stamp = stock;

		offer_write(&stamp, 0);
		assert_memory_equal(&stamp, &stock, sizeof(stamp));
		assert_int_equal(offer_read(&stamp), 0);
		/* Also after an earlier offer. */
		offer_write(&stamp, OFFER_SUITES);
		assert_memory_not_equal(&stamp, &stock, sizeof(stamp));
		offer_write(&stamp, 0);
		assert_memory_equal(&stamp, &stock, sizeof(stamp));
	}
}

static void without_the_marker_nothing_is_offered(void **state)
{
	size_t n_markers = 0;

	(void)state;
	for (uint32_t high = 0; high < 0x1000; high++) {
		struct tai64n stamp = stamp_of(5, 7 * TAI64N_STEP_NS | high << 12 | OFFER_SUITES);

		if (offer_read(&stamp) == 0)
			continue;
		n_markers++;
		assert_int_equal(high, 0x5a7);
	}
	assert_int_equal(n_markers, 1);
}

/* Of all that the low bits can be, few are an offer: others send the time as it is. */
static void few_times_look_like_an_offer(void **state)
{
	size_t n_offers = 0;

	(void)state;
	for (uint32_t low = 0; low < TAI64N_STEP_NS; low++) {
		struct tai64n stamp = stamp_of(5, 7 * TAI64N_STEP_NS | low);

		n_offers += offer_read(&stamp) != 0;
	}
	assert_int_equal(n_offers, N_OFFERS - 1);
	assert_true(n_offers << 20 <= TAI64N_STEP_NS);
}

static void known_flags_alone_make_an_offer(void **state)
{
	struct tai64n stamp = stamp_of(5, 0x5a7000 | OFFER_KNOWN);

	(void)state;
	assert_int_equal(offer_read(&stamp), OFFER_KNOWN);
	stamp = stamp_of(5, 0x5a7fff);
	assert_int_equal(offer_read(&stamp), 0);
	stamp = stamp_of(5, 0x5a7400 | 1U << CIPHER_AEGIS256);
	assert_int_equal(offer_read(&stamp), 0);
	stamp = stamp_of(5, 0x5a7800);
	assert_int_equal(offer_read(&stamp), OFFER_TAP);
	assert_false(OFFER_KNOWN & (1U << CIPHER_CHACHA20_POLY1305));
	assert_false(OFFER_SUITES & OFFER_TAP);
}

/* As peer_create_initiation makes them: whatever the clock and the offers do, they grow. */
static void stamps_with_offers_grow(void **state)
{
	struct seeded seeded = seeded_begin("stamps_with_offers_grow");
	struct tai64n last = stamp_of(0, 0);
	struct timespec wall = { .tv_sec = 1700000000 };

	(void)state;
	for (size_t i = 0; i < 200000; i++) {
		struct tai64n stamp;

		/* Within a step, a step on, seconds on; sometimes back. */
		wall.tv_nsec = (long)seeded_below(&seeded, NSEC_PER_SEC);
		wall.tv_sec += (time_t)seeded_below(&seeded, 4) - 1;
		stamp = tai64n_from(&wall);
		if (!tai64n_after(&stamp, &last))
			stamp = tai64n_next(&last);
		offer_write(&stamp, (offer_t)seeded_below(&seeded, N_FLAG_SETS));
		assert_true(tai64n_after(&stamp, &last));
		assert_true(ns_of(&stamp) < NSEC_PER_SEC);
		last = stamp;
	}
}

/* The stamp after one with every flag is greater even when it offers nothing, at each step. */
static void the_next_stamp_is_after_any_offer(void **state)
{
	(void)state;
	for (uint32_t step = 0; step < N_STEPS; step++) {
		struct tai64n stamp = stamp_of(9, step * TAI64N_STEP_NS), next;

		offer_write(&stamp, 0xfff);
		next = tai64n_next(&stamp);
		assert_true(tai64n_after(&next, &stamp));
		assert_int_equal(ns_of(&next) % TAI64N_STEP_NS, 0);
		assert_int_equal(be64_load(next.seconds), step == N_STEPS - 1 ? 10 : 9);
	}
}

/* All labels that there are; the refusal's last. */
static size_t all_labels(const char **ret, size_t *ret_len)
{
	size_t n = 0;

	for (enum cipher_suite suite = 0; suite < N_CIPHERS; suite++) {
		ret[n] = offer_label(OFFER_PACKETS, suite, &ret_len[n]);
		n++;
		ret[n] = offer_label(OFFER_FRAMES, suite, &ret_len[n]);
		n++;
	}
	ret[n] = offer_refusal_label(&ret_len[n]);
	return n + 1;
}

static void labels_differ_and_none_begins_another(void **state)
{
	const char *labels[2 * N_CIPHERS + 1];
	size_t lens[2 * N_CIPHERS + 1];
	size_t n = all_labels(labels, lens);

	(void)state;
	/* Packets with the baseline are as the paper has them. */
	assert_int_equal(lens[0], 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(strlen(labels[i]), lens[i]);
		assert_int_equal(lens[i] == 0, i == 0);
		for (size_t j = 1; j < i; j++)
			assert_memory_not_equal(labels[i], labels[j], MIN(lens[i], lens[j]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_set_of_flags_at_every_time),
		cmocka_unit_test(the_last_step_is_below_a_second),
		cmocka_unit_test(nothing_offered_is_a_stock_stamp),
		cmocka_unit_test(without_the_marker_nothing_is_offered),
		cmocka_unit_test(few_times_look_like_an_offer),
		cmocka_unit_test(known_flags_alone_make_an_offer),
		cmocka_unit_test(stamps_with_offers_grow),
		cmocka_unit_test(the_next_stamp_is_after_any_offer),
		cmocka_unit_test(labels_differ_and_none_begins_another),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
