/*
 * Two ends and a wire: what goes wrong between hosts. Both sides starting at once, restarts,
 * wall clocks that jump, keys that differ, floods, replays, black holes.
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

static void begin(uint64_t more)
{
	static const struct sim_setup setup = { 0 };

	sim_begin(&sim, seed() + more, &setup);
}

static int finish(void **state)
{
	(void)state;
	sim_finish(&sim);
	return 0;
}

/* 1,000 simultaneous starts leave 1,000 working links after 6 s. */
static void test_both_start_at_once(void **state)
{
	uint64_t n_runs = sim_random_env("VPND_SIM_RUNS", 1000);

	(void)state;
	for (uint64_t i = 0; i < n_runs; i++) {
		begin(i);
		sim_heal(&sim, sim_random_below(300 * NSEC_PER_MSEC));
		sim.links[0].jitter = sim.links[1].jitter = sim_random_below(50 * NSEC_PER_MSEC);
		sim_send(&sim, 0);
		sim_advance(&sim, i % 2 ? sim_random_below(50 * NSEC_PER_MSEC) : 0);
		sim_send(&sim, 1);
		sim_advance(&sim, SECONDS(6));
		assert_int_equal(a->n_delivered, 1);
		assert_int_equal(b->n_delivered, 1);
		sim_send(&sim, 0);
		sim_send(&sim, 1);
		sim_advance(&sim, SECONDS(1));
		assert_int_equal(a->n_delivered, 2);
		assert_int_equal(b->n_delivered, 2);
		sim_finish(&sim);
	}
	begin(0);
}

/* Either end restarts while the other runs on; the other may be the first to notice. */
static void test_restart(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		unsigned int end = i % 2;
		bool survivor_sends = i & 2, restarted_sends = i & 4;

		begin(i);
		sim_traffic(&sim, NSEC_PER_SEC, NSEC_PER_SEC);
		sim_advance(&sim, SECONDS(10));
		sim_restart(&sim, end);
		sim_forget_counts(&sim);
		sim_traffic(&sim, 0, 0);
		sim.ends[!end].packet_interval = survivor_sends ? NSEC_PER_SEC : 0;
		sim.ends[end].packet_interval = restarted_sends ? NSEC_PER_SEC : 0;
		sim_advance(&sim, SECONDS(25));
		if (restarted_sends)
			assert_true(sim.ends[!end].newest_delivered + 1 >= sim.ends[end].n_sent);
		if (survivor_sends)
			assert_true(sim.ends[end].newest_delivered + 1 >= sim.ends[!end].n_sent);
		sim_require_alive(&sim);
		sim_finish(&sim);
	}
	begin(0);
}

/* A clock that goes back years does not make an end mute: stamps go on from the last. */
static void test_wallclock_goes_back(void **state)
{
	(void)state;
	begin(0);
	sim_traffic(&sim, NSEC_PER_SEC, 0);
	sim_advance(&sim, SECONDS(10));
	a->wall_offset_sec = -SIM_WALLCLOCK - 1000; /* before 1970 */
	sim_advance(&sim, SECONDS(600));
	assert_true(a->n_initiations >= 5);
	assert_int_equal(b->verdicts[PEER_OLD_TIMESTAMP], 0);
	assert_true(b->newest_delivered + 1 >= a->n_sent);
	a->wall_offset_sec = 1LL << 33;
	sim_advance(&sim, SECONDS(200));
	a->wall_offset_sec = 0;
	sim_advance(&sim, SECONDS(400));
	assert_int_equal(b->verdicts[PEER_OLD_TIMESTAMP], 0);
	assert_true(b->newest_delivered + 1 >= a->n_sent);
}

/* An end that restarts with an old clock is refused, but the other end can still begin. */
static void test_restart_with_an_old_clock(void **state)
{
	(void)state;
	begin(0);
	sim_traffic(&sim, NSEC_PER_SEC, NSEC_PER_SEC);
	sim_advance(&sim, SECONDS(10));
	a->wall_offset_sec = -86400;
	sim_restart(&sim, 0);
	sim_advance(&sim, SECONDS(25));
	assert_true(b->verdicts[PEER_OLD_TIMESTAMP] >= 1);
	sim_require_alive(&sim);
}

/* Preshared keys differ: nothing ever passes, and each initiator can say why. */
static void test_psk_differs(void **state)
{
	static const struct sim_setup setup = { .is_psk_wrong = true };

	(void)state;
	sim_begin(&sim, seed(), &setup);
	sim_traffic(&sim, NSEC_PER_SEC, NSEC_PER_SEC);
	sim_advance(&sim, SECONDS(300));
	assert_int_equal(a->n_delivered + b->n_delivered, 0);
	assert_int_equal(a->n_session_up + b->n_session_up, 0);
	assert_int_equal(a->n_data_sent + b->n_data_sent, 0);
	assert_true(a->verdicts[PEER_PSK_DIFFERS] + b->verdicts[PEER_PSK_DIFFERS] >= 20);
	/* set right, it works */
	b->preshared = a->preshared;
	sim_restart(&sim, 1);
	sim_require_alive(&sim);
	sim_require_silence(&sim);
}

/* One end carries frames and the other packets: nothing ever passes, and both can say why. */
static void test_modes_differ(void **state)
{
	static const struct sim_setup setups[] = {
		{ .carries = { OFFER_FRAMES, OFFER_PACKETS } },
		{ .carries = { OFFER_PACKETS, OFFER_FRAMES } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(setups); i++) {
		enum peer_verdict at_a = i == 0 ? PEER_IS_TUN : PEER_IS_TAP;
		enum peer_verdict at_b = i == 0 ? PEER_IS_TAP : PEER_IS_TUN;

		sim_begin(&sim, seed() + i, &setups[i]);
		sim_traffic(&sim, NSEC_PER_SEC, NSEC_PER_SEC);
		sim_advance(&sim, SECONDS(300));
		assert_int_equal(a->n_delivered + b->n_delivered, 0);
		assert_int_equal(a->n_session_up + b->n_session_up, 0);
		assert_int_equal(a->n_data_sent + b->n_data_sent, 0);
		assert_int_equal(a->verdicts[PEER_PSK_DIFFERS] + b->verdicts[PEER_PSK_DIFFERS], 0);
		assert_true(a->verdicts[at_a] >= 10 && b->verdicts[at_b] >= 10);
		/* set right, it works */
		b->carries = a->carries;
		sim_restart(&sim, 1);
		sim_require_alive(&sim);
		sim_require_silence(&sim);
		sim_finish(&sim);
	}
	sim_begin(&sim, seed(), &setups[0]);
}

/* An end that never begins itself still makes the other one tell. */
static void test_modes_differ_and_one_is_mute(void **state)
{
	static const struct sim_setup setup = { .carries = { OFFER_FRAMES, OFFER_PACKETS } };

	(void)state;
	for (unsigned int id = 0; id < 2; id++) {
		sim_begin(&sim, seed() + id, &setup);
		sim_send(&sim, id);
		sim_advance(&sim, SECONDS(30));
		assert_int_equal(sim.ends[!id].n_initiations, 0);
		assert_true(a->verdicts[PEER_IS_TUN] >= 3 && b->verdicts[PEER_IS_TAP] >= 3);
		assert_int_equal(a->n_session_up + b->n_session_up, 0);
		if (id == 0)
			sim_finish(&sim);
	}
}

static void flood(unsigned int per_second, nsec_t duration, bool to_both)
{
	nsec_t until = sim.now + duration;

	while (sim.now < until) {
		sim_inject_noise(&sim, 0);
		if (to_both)
			sim_inject_noise(&sim, 1);
		sim_advance(&sim, NSEC_PER_SEC / per_second);
	}
}

/* Under load a link comes up all the same: by the cookie, with the next try. */
static void load(bool to_both, unsigned int starter)
{
	begin(0);
	flood(300, SECONDS(2), to_both);
	sim_send(&sim, starter);
	flood(300, SECONDS(17), to_both);
	assert_true(a->verdicts[PEER_COOKIE_SENT] > 300);
	assert_true(sim.n_to_strangers > 300);
	assert_true(b->verdicts[PEER_COOKIE_STORED] + a->verdicts[PEER_COOKIE_STORED] >= 1);
	assert_int_equal(sim.ends[!starter].n_delivered, 1);
	sim_advance(&sim, SECONDS(3));
	/* the load is over: noise is opened and refused without a word */
	sim_forget_counts(&sim);
	sim_inject_noise(&sim, 0);
	sim_advance(&sim, SECONDS(1));
	assert_int_equal(a->verdicts[PEER_BAD_SEAL] + a->verdicts[PEER_LOW_ORDER], 1);
}

static void test_responder_under_load(void **state)
{
	(void)state;
	load(false, 1);
}

static void test_initiator_under_load(void **state)
{
	(void)state;
	load(false, 0);
}

static void test_both_under_load(void **state)
{
	(void)state;
	load(true, 1);
}

/* 300 packets into a black hole, then a path: the newest 128 arrive, in order. */
static void test_black_hole(void **state)
{
	(void)state;
	begin(0);
	sim_cut(&sim);
	for (int i = 0; i < 300; i++) {
		sim_send(&sim, 0);
		sim_advance(&sim, NSEC_PER_SEC / 10);
	}
	sim_heal(&sim, 20 * NSEC_PER_MSEC);
	sim_advance(&sim, SECONDS(6));
	assert_int_equal(b->n_delivered, 128);
	assert_int_equal(b->newest_delivered, 300);
	assert_int_equal(b->n_out_of_order, 0);
	assert_int_equal(a->n_staged_lost, 172);
}

/* The same for the responder, which must wait for the initiator's first packet. */
static void test_black_hole_of_the_responder(void **state)
{
	(void)state;
	begin(0);
	sim_cut(&sim);
	sim_send(&sim, 1); /* its initiation is lost, and the next is 5 s away */
	sim_advance(&sim, SECONDS(1));
	for (int i = 0; i < 200; i++)
		sim_send(&sim, 1);
	sim_heal(&sim, 20 * NSEC_PER_MSEC);
	sim_send(&sim, 0);
	sim_advance(&sim, SECONDS(1));
	assert_int_equal(b->n_responses, 1);
	assert_int_equal(a->n_delivered, 128);
	assert_int_equal(a->newest_delivered, 201);
	assert_int_equal(a->n_out_of_order, 0);
}

/* A recording of everything, played again at once and later, changes nothing. */
static void test_replay_of_everything(void **state)
{
	static struct sim_datagram recorded[4096];
	size_t n_recorded;
	uint32_t n_delivered;

	(void)state;
	begin(0);
	sim.is_manual = true;
	sim_traffic(&sim, NSEC_PER_SEC, NSEC_PER_SEC);
	for (n_recorded = 0; sim.now < SIM_START + SECONDS(300);) {
		sim_advance(&sim, NSEC_PER_SEC / 10);
		while (sim.n_flying > 0 && n_recorded < 4096) {
			recorded[n_recorded++] = sim.flying[0];
			sim_deliver(&sim, 0);
		}
	}
	assert_in_range(n_recorded, 500, 4000);
	sim_traffic(&sim, 0, 0);
	n_delivered = a->n_delivered + b->n_delivered;
	sim_forget_counts(&sim);
	for (size_t i = 0; i < n_recorded; i++)
		sim_inject(&sim, recorded[i].to, recorded[i].bytes, recorded[i].len,
			   &recorded[i].source);
	sim_advance(&sim, 1);
	assert_int_equal(a->n_delivered + b->n_delivered, n_delivered);
	assert_int_equal(a->n_responses + b->n_responses, 0);
	assert_int_equal(a->n_session_up + b->n_session_up, 0);
	for (enum peer_verdict v = PEER_RESPONDED; v <= PEER_COOKIE_STORED; v++)
		assert_int_equal(a->verdicts[v] + b->verdicts[v], 0);
	sim.is_manual = false;
	sim_require_alive(&sim);
}

/* Only one direction works: no session, no end to it, and it heals. */
static void test_one_way(void **state)
{
	(void)state;
	for (unsigned int dead = 0; dead < 2; dead++) {
		begin(dead);
		sim.links[dead].loss_permille = 1000;
		sim_traffic(&sim, NSEC_PER_SEC, NSEC_PER_SEC);
		sim_advance(&sim, SECONDS(400));
		assert_int_equal(a->n_delivered + b->n_delivered, 0);
		sim_require_alive(&sim);
		sim_require_silence(&sim);
		sim_finish(&sim);
	}
	begin(0);
}

/* Hours over a wire that loses a third, doubles a third and reorders all. */
static void test_bad_wire_for_hours(void **state)
{
	(void)state;
	begin(0);
	for (size_t i = 0; i < 2; i++)
		sim.links[i] = (struct sim_link) { 333, 333, 20 * NSEC_PER_MSEC, SECONDS(1) };
	sim_traffic(&sim, NSEC_PER_SEC / 3, NSEC_PER_SEC / 5);
	sim_advance(&sim, SECONDS(14400));
	assert_true(b->n_delivered > a->n_sent / 10 * 6);
	assert_true(a->n_delivered > b->n_sent / 10 * 6);
	assert_int_equal(a->n_gave_up + b->n_gave_up, 0);
	sim_require_alive(&sim);
	sim_require_silence(&sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_both_start_at_once, finish),
		cmocka_unit_test_teardown(test_restart, finish),
		cmocka_unit_test_teardown(test_wallclock_goes_back, finish),
		cmocka_unit_test_teardown(test_restart_with_an_old_clock, finish),
		cmocka_unit_test_teardown(test_psk_differs, finish),
		cmocka_unit_test_teardown(test_modes_differ, finish),
		cmocka_unit_test_teardown(test_modes_differ_and_one_is_mute, finish),
		cmocka_unit_test_teardown(test_responder_under_load, finish),
		cmocka_unit_test_teardown(test_initiator_under_load, finish),
		cmocka_unit_test_teardown(test_both_under_load, finish),
		cmocka_unit_test_teardown(test_black_hole, finish),
		cmocka_unit_test_teardown(test_black_hole_of_the_responder, finish),
		cmocka_unit_test_teardown(test_replay_of_everything, finish),
		cmocka_unit_test_teardown(test_one_way, finish),
		cmocka_unit_test_teardown(test_bad_wire_for_hours, finish),
	};

	sim_random_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
