/*
 * Two ends and a fake clock: what the protocol does by time and by count. Rekey, expiry, giving
 * up, silence, keepalives, and the end of the keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/sim/sim.h"
#include "tests/sim/sim_random.h"

#define SECONDS(n) ((n)*NSEC_PER_SEC)

static struct sim sim;
static struct sim_end *const a = &sim.ends[0], *const b = &sim.ends[1];

static uint64_t seed(void)
{
	return sim_random_env("VPND_SIM_SEED", 1);
}

static int finish(void **state)
{
	(void)state;
	sim_finish(&sim);
	return 0;
}

/* A session that end 0 began, at SIM_START; both ends are quiet for 10 s after. */
static void connect_at_start(void)
{
	static const struct sim_setup setup = { 0 };

	sim_begin(&sim, seed(), &setup);
	sim_send(&sim, 0);
	sim_advance(&sim, NSEC_PER_SEC);
	assert_int_equal(b->n_delivered, 1);
	assert_int_equal(a->n_session_up, 1);
	assert_int_equal(b->n_session_up, 1);
	sim_advance(&sim, SECONDS(19));
	sim_forget_counts(&sim);
}

static void advance_to(uint64_t seconds)
{
	sim_advance(&sim, SIM_START + SECONDS(seconds) - sim.now);
}

static void test_initiator_rekeys_after_120_s(void **state)
{
	(void)state;
	connect_at_start();
	advance_to(119);
	sim_send(&sim, 0);
	sim_send(&sim, 1);
	sim_advance(&sim, NSEC_PER_SEC / 2);
	assert_int_equal(a->n_initiations + b->n_initiations, 0);
	advance_to(121);
	sim_send(&sim, 1); /* the responder never asks by age */
	sim_advance(&sim, NSEC_PER_SEC / 2);
	assert_int_equal(a->n_initiations + b->n_initiations, 0);
	sim_send(&sim, 0);
	sim_advance(&sim, NSEC_PER_SEC / 2);
	assert_int_equal(a->n_initiations, 1);
	assert_int_equal(b->n_initiations, 0);
	assert_int_equal(b->n_session_up, 1);
}

/* One-way traffic towards the initiator: it asks when it receives at 165 s. */
static void test_initiator_rekeys_when_it_only_receives(void **state)
{
	(void)state;
	connect_at_start();
	/* keepalives would count as sending, so none may come between 120 and 165 s */
	advance_to(164);
	sim_send(&sim, 1);
	sim_advance(&sim, NSEC_PER_SEC / 2);
	assert_int_equal(a->n_initiations, 0);
	advance_to(166);
	sim_send(&sim, 1);
	sim_advance(&sim, NSEC_PER_SEC / 2);
	assert_int_equal(a->n_initiations, 1);
	assert_int_equal(a->n_session_up, 1);
}

static void test_key_dies_at_180_s(void **state)
{
	(void)state;
	connect_at_start();
	advance_to(179);
	sim_send(&sim, 1);
	sim_advance(&sim, NSEC_PER_SEC / 2);
	assert_int_equal(a->n_delivered, 1);
	assert_int_equal(b->n_initiations, 0);
	/* that asked for a new session; the next life is without it */
	finish(NULL);
	connect_at_start();
	advance_to(181);
	sim_send(&sim, 1);
	sim_advance(&sim, NSEC_PER_SEC / 2);
	assert_int_equal(b->n_initiations, 1);
	assert_int_equal(a->n_delivered, 1);
}

/* What was sealed in time but arrives when the key is dead is refused. */
static void test_late_packet_is_refused(void **state)
{
	(void)state;
	connect_at_start();
	advance_to(178);
	sim.links[1].delay = SECONDS(4);
	sim_send(&sim, 1);
	sim_advance(&sim, SECONDS(6));
	assert_int_equal(a->n_delivered, 0);
	assert_int_equal(a->verdicts[PEER_EXPIRED], 1);
}

static void test_rekey_by_count(void **state)
{
	(void)state;
	for (unsigned int end = 0; end < 2; end++) {
		connect_at_start();
		sim_preset_counter(&sim, end, REKEY_AFTER_MESSAGES - 2);
		sim_send(&sim, end);
		sim_advance(&sim, NSEC_PER_SEC);
		assert_int_equal(sim.ends[end].n_initiations, 0);
		sim_send(&sim, end);
		sim_advance(&sim, NSEC_PER_SEC);
		assert_int_equal(sim.ends[end].n_initiations, 1);
		assert_int_equal(sim.ends[end].n_session_up, 1);
		assert_true(sim.ends[end].tx.current->send_counter < 10);
		if (end == 0)
			finish(NULL);
	}
}

/* The last counters are used and none beyond; what does not fit waits for the next session. */
static void test_counter_runs_out(void **state)
{
	(void)state;
	connect_at_start();
	sim_preset_counter(&sim, 0, REJECT_AFTER_MESSAGES - 3);
	for (int i = 0; i < 50; i++)
		sim_send(&sim, 0);
	assert_int_equal(a->n_staged, 47);
	sim_advance(&sim, NSEC_PER_SEC);
	assert_int_equal(b->n_delivered, 51);
	assert_int_equal(b->n_out_of_order, 0);
	assert_int_equal(a->n_initiations, 1);
}

static void test_counter_limit_is_refused(void **state)
{
	struct keypair *keypair;
	uint8_t message[DATA_OVERHEAD];
	static const uint64_t counters[] = { REJECT_AFTER_MESSAGES, UINT64_MAX };

	(void)state;
	connect_at_start();
	for (size_t i = 0; i < 2; i++) {
		keypair = a->tx.current;
		keypair->send_counter = counters[i];
		sim_inject(&sim, 1, message,
			   keypair_seal(keypair, message, message + DATA_HEADER_LEN, 0),
			   &a->address);
		keypair->send_counter = 10;
	}
	sim_advance(&sim, NSEC_PER_SEC);
	assert_int_equal(b->verdicts[PEER_EXPIRED], 2);
	assert_int_equal(b->verdicts[PEER_KEEPALIVE], 0);
}

/* One packet into a black hole: 18 to 20 initiations, 5 to 5.4 s apart, then nothing. */
static void test_gives_up(void **state)
{
	static const struct sim_setup setup = { 0 };
	uint64_t n_before = 0;
	nsec_t last = 0;

	(void)state;
	sim_begin(&sim, seed(), &setup);
	sim_cut(&sim);
	sim_send(&sim, 0);
	while (sim.now < SIM_START + SECONDS(200)) {
		sim_advance(&sim, NSEC_PER_SEC / 100);
		if (a->n_initiations == n_before)
			continue;
		if (n_before++ > 0)
			assert_in_range(sim.now - last, SECONDS(5) - NSEC_PER_SEC / 100,
					SECONDS(5) + 350 * NSEC_PER_MSEC);
		last = sim.now;
	}
	assert_in_range(a->n_initiations, 18, 20);
	assert_int_equal(a->n_retried, a->n_initiations - 1);
	assert_int_equal(a->n_gave_up, 1);
	assert_int_equal(a->n_session_up, 0);
	assert_int_equal(a->staging.n, 0);
	sim_advance(&sim, SECONDS(3600));
	assert_int_equal(sim.n_transmitted, a->n_initiations);
	sim_require_erased(&sim, 0);
	assert_int_equal(a->n_erased, 1);
	/* and it is not dead: the next packet begins anew */
	sim_require_alive(&sim);
}

/* While new packets come, trying does not end. */
static void test_traffic_keeps_trying(void **state)
{
	static const struct sim_setup setup = { 0 };

	(void)state;
	sim_begin(&sim, seed(), &setup);
	sim_cut(&sim);
	sim_traffic(&sim, SECONDS(1), 0);
	sim_advance(&sim, SECONDS(600));
	assert_int_equal(a->n_gave_up, 0);
	assert_in_range(a->n_initiations, 600 / 6, 600 / 5 + 1);
	sim_require_alive(&sim);
}

/* Data that nothing answers: a new handshake 15 to 15.4 s after the first such packet. */
static void test_unanswered_data(void **state)
{
	(void)state;
	connect_at_start();
	advance_to(30);
	sim_cut(&sim);
	sim_traffic(&sim, SECONDS(1), 0);
	sim_advance(&sim, SECONDS(15) - 1);
	assert_int_equal(a->n_initiations, 0);
	sim_advance(&sim, 350 * NSEC_PER_MSEC);
	assert_int_equal(a->n_initiations, 1);
}

static void test_passive_keepalive(void **state)
{
	(void)state;
	connect_at_start();
	advance_to(30);
	sim_send(&sim, 0);
	sim_advance(&sim, SECONDS(10));
	assert_int_equal(b->n_data_sent, 0);
	sim_advance(&sim, NSEC_PER_SEC / 10);
	assert_int_equal(b->n_keepalives_sent, 1);
	/* none for a keepalive */
	sim_advance(&sim, SECONDS(60));
	assert_int_equal(b->n_keepalives_sent, 1);
	assert_int_equal(a->n_data_sent, 1);
	/* more data while the timer runs: the one at 10 s answers both, and a second may follow */
	sim_send(&sim, 0);
	sim_advance(&sim, NSEC_PER_SEC);
	sim_send(&sim, 0);
	sim_advance(&sim, SECONDS(30));
	assert_in_range(b->n_keepalives_sent, 2, 3);
}

static void test_persistent_keepalive(void **state)
{
	static const struct sim_setup setup = { .persistent_keepalive = { 25, 0 } };
	uint32_t n;

	(void)state;
	sim_begin(&sim, seed(), &setup);
	sim_advance(&sim, SECONDS(100));
	assert_int_equal(a->n_session_up, 1);
	n = a->n_keepalives_sent; /* 0 (confirmation), 25, 50, 75 s */
	assert_int_equal(n, 4);
	/* with traffic none is needed, except the one that confirms a new session */
	sim_forget_counts(&sim);
	sim_traffic(&sim, SECONDS(3), SECONDS(3));
	sim_advance(&sim, SECONDS(60));
	assert_int_equal(a->n_session_up, 1);
	assert_int_equal(a->n_keepalives_sent, 1);
	/* it keeps a silent link up for an hour */
	sim_traffic(&sim, 0, 0);
	sim_advance(&sim, SECONDS(3600));
	sim_forget_counts(&sim);
	sim_send(&sim, 1);
	sim_advance(&sim, NSEC_PER_SEC);
	assert_int_equal(b->n_initiations, 0);
	assert_true(a->newest_delivered == b->n_sent);
}

static void test_keys_are_erased_after_540_s(void **state)
{
	(void)state;
	connect_at_start();
	advance_to(539);
	assert_int_equal(a->n_erased + b->n_erased, 0);
	advance_to(541);
	assert_int_equal(a->n_erased, 1);
	assert_int_equal(b->n_erased, 1);
	sim_require_erased(&sim, 0);
	sim_require_erased(&sim, 1);
	sim_require_silence(&sim);
	sim_require_alive(&sim);
}

/* Minutes of traffic at a steady rate, on a wire that loses nothing. */
static void carry_traffic(const struct sim_setup *setup, nsec_t delay, bool both_start)
{
	sim_begin(&sim, seed(), setup);
	sim_heal(&sim, delay);
	sim_send(&sim, 0);
	if (both_start)
		sim_send(&sim, 1);
	sim_advance(&sim, SECONDS(7));
	sim_traffic(&sim, NSEC_PER_SEC / 100, NSEC_PER_SEC / 100);
	sim_advance(&sim, SECONDS(500));
	sim_traffic(&sim, 0, 0);
	sim_advance(&sim, SECONDS(1));
	assert_true(a->n_initiations + b->n_initiations >= 4);
}

static void require_no_loss(void)
{
	assert_int_equal(a->n_delivered, b->n_sent);
	assert_int_equal(b->n_delivered, a->n_sent);
	assert_int_equal(a->n_out_of_order + b->n_out_of_order, 0);
}

static void test_rekey_loses_nothing(void **state)
{
	static const struct sim_setup setup = { 0 };

	(void)state;
	carry_traffic(&setup, 20 * NSEC_PER_MSEC, false);
	require_no_loss();
}

/* Whether both offer something (here that they carry frames) or nothing. */
static void test_rekey_loses_nothing_after_a_crossed_start(void **state)
{
	static const struct sim_setup setups[] = {
		{ 0 },
		{ .carries = { OFFER_FRAMES, OFFER_FRAMES } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(setups); i++) {
		if (i > 0)
			finish(state);
		carry_traffic(&setups[i], 20 * NSEC_PER_MSEC, true);
		require_no_loss();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_initiator_rekeys_after_120_s, finish),
		cmocka_unit_test_teardown(test_initiator_rekeys_when_it_only_receives, finish),
		cmocka_unit_test_teardown(test_key_dies_at_180_s, finish),
		cmocka_unit_test_teardown(test_late_packet_is_refused, finish),
		cmocka_unit_test_teardown(test_rekey_by_count, finish),
		cmocka_unit_test_teardown(test_counter_runs_out, finish),
		cmocka_unit_test_teardown(test_counter_limit_is_refused, finish),
		cmocka_unit_test_teardown(test_gives_up, finish),
		cmocka_unit_test_teardown(test_traffic_keeps_trying, finish),
		cmocka_unit_test_teardown(test_unanswered_data, finish),
		cmocka_unit_test_teardown(test_passive_keepalive, finish),
		cmocka_unit_test_teardown(test_persistent_keepalive, finish),
		cmocka_unit_test_teardown(test_keys_are_erased_after_540_s, finish),
		cmocka_unit_test_teardown(test_rekey_loses_nothing, finish),
		cmocka_unit_test_teardown(test_rekey_loses_nothing_after_a_crossed_start, finish),
	};

	sim_random_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
