/*
 * Which ciphers a link offers: what a named one means, and that auto's order is what was
 * measured, checked by measuring again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/suites.h"

static const enum cipher_suite named[] = {
	[CONF_CIPHER_CHACHA20_POLY1305] = CIPHER_CHACHA20_POLY1305,
	[CONF_CIPHER_AES256_GCM] = CIPHER_AES256_GCM,
	[CONF_CIPHER_AEGIS128L] = CIPHER_AEGIS128L,
	[CONF_CIPHER_AEGIS256] = CIPHER_AEGIS256,
};

static bool is_available(enum cipher_suite suite)
{
	return cipher_get(suite)->is_available();
}

static bool has_long_tag(enum cipher_suite suite)
{
	return suite == CIPHER_AEGIS128L || suite == CIPHER_AEGIS256;
}

/* Whatever stood there before. */
static bool choose(enum conf_cipher wanted, bool has_room, struct suites *ret)
{
	memset(ret, 0xa5, sizeof(*ret));
	return suites_choose(wanted, has_room, ret);
}

static void a_named_one_is_forced(void **state)
{
	struct suites suites;

	(void)state;
	for (size_t i = CONF_CIPHER_CHACHA20_POLY1305; i < ARRAY_SIZE(named); i++) {
		/* The file wants it, room or not. */
		for (int has_room = 0; has_room <= 1; has_room++) {
			bool is_chosen = choose((enum conf_cipher)i, has_room, &suites);

			assert_int_equal(is_chosen, is_available(named[i]));
			if (!is_chosen)
				continue;
			assert_true(suites.is_forced);
			assert_int_equal(suites.n, named[i] != CIPHER_CHACHA20_POLY1305);
			if (suites.n > 0)
				assert_int_equal(suites.items[0], named[i]);
			assert_int_equal(suites.extra_tag_len, has_long_tag(named[i]) ? 16 : 0);
		}
	}
}

static void the_baseline_is_always_there(void **state)
{
	struct suites suites;

	(void)state;
	assert_true(choose(CONF_CIPHER_CHACHA20_POLY1305, false, &suites));
	assert_true(suites.is_forced);
	assert_int_equal(suites.n, 0);
	assert_int_equal(suites.extra_tag_len, 0);
}

static void one_that_is_not_available_is_refused(void **state)
{
	struct suites suites;

	(void)state;
	if (is_available(CIPHER_AEGIS128L))
		skip();
	assert_false(choose(CONF_CIPHER_AEGIS128L, true, &suites));
	assert_false(choose(CONF_CIPHER_AEGIS256, true, &suites));
}

static bool contains(const struct suites *suites, enum cipher_suite suite)
{
	for (size_t i = 0; i < suites->n; i++) {
		if (suites->items[i] == suite)
			return true;
	}
	return false;
}

static void auto_offers_what_is_there(void **state)
{
	struct suites suites;

	(void)state;
	assert_true(choose(CONF_CIPHER_AUTO, true, &suites));
	assert_false(suites.is_forced);
	assert_in_range(suites.n, 0, N_CIPHERS - 1);
	assert_false(contains(&suites, CIPHER_CHACHA20_POLY1305));
	for (size_t i = 0; i < suites.n; i++) {
		assert_true(is_available(suites.items[i]));
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(suites.items[i], suites.items[j]);
	}
	assert_int_equal(
		suites.extra_tag_len,
		contains(&suites, CIPHER_AEGIS128L) || contains(&suites, CIPHER_AEGIS256) ? 16 : 0);
}

/* Speeds are measured anew, so only what differs clearly can be said: 1.5 times. A disturbed
 * measurement gets further tries. */
static bool order_is_plausible(const struct suites *suites, const double *speeds)
{
	for (enum cipher_suite suite = 1; suite < N_CIPHERS; suite++) {
		double ratio = speeds[suite] / speeds[CIPHER_CHACHA20_POLY1305];

		if (ratio > 1.5 && !contains(suites, suite))
			return false;
		if (ratio < 1 / 1.5 && contains(suites, suite))
			return false;
	}
	for (size_t i = 1; i < suites->n; i++) {
		if (speeds[suites->items[i]] > 1.5 * speeds[suites->items[i - 1]])
			return false;
	}
	return true;
}

static void auto_is_in_the_order_of_speed(void **state)
{
	struct suites suites;
	bool is_plausible = false;

	(void)state;
	for (size_t try = 0; try < 20 && !is_plausible; try++) {
		double speeds[N_CIPHERS] = { 0 };

		assert_true(choose(CONF_CIPHER_AUTO, true, &suites));
		for (enum cipher_suite suite = 0; suite < N_CIPHERS; suite++) {
			if (is_available(suite))
				speeds[suite] = suites_measure(suite, 1420, 5 * NSEC_PER_MSEC);
		}
		is_plausible = order_is_plausible(&suites, speeds);
	}
	assert_true(is_plausible);
}

static void auto_without_room_has_no_long_tags(void **state)
{
	struct suites suites;

	(void)state;
	assert_true(choose(CONF_CIPHER_AUTO, false, &suites));
	for (size_t i = 0; i < suites.n; i++)
		assert_false(has_long_tag(suites.items[i]));
	assert_int_equal(suites.extra_tag_len, 0);
}

static void measuring_takes_the_time_that_it_may(void **state)
{
	static const size_t lengths[] = { 1, 64, 1420, SUITES_MEASURE_MAX };

	(void)state;
	for (enum cipher_suite suite = 0; suite < N_CIPHERS; suite++) {
		if (!is_available(suite))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
			nsec_t begun = nsec_thread_cpu(), took;

			assert_true(suites_measure(suite, lengths[i], NSEC_PER_MSEC) > 0);
			took = nsec_thread_cpu() - begun;
			assert_true(took >= NSEC_PER_MSEC);
			/* Much longer, but not for ever, under an emulator. */
			assert_true(took < 10 * NSEC_PER_SEC);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_named_one_is_forced),
		cmocka_unit_test(the_baseline_is_always_there),
		cmocka_unit_test(one_that_is_not_available_is_refused),
		cmocka_unit_test(auto_offers_what_is_there),
		cmocka_unit_test(auto_is_in_the_order_of_speed),
		cmocka_unit_test(auto_without_room_has_no_long_tags),
		cmocka_unit_test(measuring_takes_the_time_that_it_may),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
