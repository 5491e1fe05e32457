/*
 * Many short lives of a link, each made at random from a seed: phases of traffic, silence, loss,
 * reordering, restarts, jumps of the wall clock, counters near their limits. The rules are
 * checked by tests/sim/sim_check.c all the time; at the end of every run the wire heals, and the
 * link must carry packets both ways and then fall silent and forget its keys.
 *
 * VPND_SIM_RUNS sets how many runs (default 10,000), VPND_SIM_SEED the seed of the first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/defs.h"
#include "tests/sim/sim.h"
#include "tests/sim/sim_random.h"

static struct sim sim;

/* One of a table's numbers. */
#define PICK(table) ((table)[sim_random_below(ARRAY_SIZE(table))])

static nsec_t random_time(nsec_t least, nsec_t most)
{
	return least + sim_random_below(most - least);
}

static struct sim_link random_link(void)
{
	static const unsigned int losses[] = { 0, 0, 10, 100, 300, 500, 1000 };
	static const unsigned int duplicates[] = { 0, 0, 0, 200, 1000 };
	static const nsec_t delays[] = { 0, 1, 20, 20, 200, 2000 };
	static const nsec_t jitters[] = { 0, 0, 5, 300, 6000 };

	return (struct sim_link) {
		.loss_permille = PICK(losses),
		.duplicate_permille = PICK(duplicates),
		.delay = PICK(delays) * NSEC_PER_MSEC,
		.jitter = PICK(jitters) * NSEC_PER_MSEC,
	};
}

static void event_none(void)
{
}

static void event_restart(void)
{
	sim_restart(&sim, (unsigned int)sim_random_below(2));
}

static void event_restart_both(void)
{
	sim_restart(&sim, 0);
	sim_restart(&sim, 1);
}

static void event_wallclock(void)
{
	static const int64_t steps[] = { -1, 1, -90, 3600, -86400, -SIM_WALLCLOCK, 1LL << 33 };

	sim.ends[sim_random_below(2)].wall_offset_sec += PICK(steps);
}

static void event_counter(void)
{
	uint64_t limit = sim_random_below(2) ? REJECT_AFTER_MESSAGES : REKEY_AFTER_MESSAGES;

	sim_preset_counter(&sim, (unsigned int)sim_random_below(2), limit - sim_random_below(6));
}

static void event_burst(void)
{
	unsigned int end = (unsigned int)sim_random_below(2);

	for (uint64_t n = 1 + sim_random_below(200); n > 0; n--)
		sim_send(&sim, end);
}

static void event_both_send(void)
{
	sim_send(&sim, 0);
	sim_send(&sim, 1);
}

/* Above 128 in a second an end is under load and asks for cookies; short of that it computes. */
static void event_flood(void)
{
	unsigned int end = (unsigned int)sim_random_below(2);

	for (unsigned int i = 0; i < 30; i++)
		sim_inject_noise(&sim, end);
}

static void event_silence(void)
{
	static const unsigned int seconds[] = { 15, 60, 119, 125, 170, 185, 560 };

	sim_traffic(&sim, 0, 0);
	sim_advance(&sim, PICK(seconds) * NSEC_PER_SEC);
}

static void (*const events[])(void) = {
	event_none,         event_none,      event_none,    event_restart,
	event_restart_both, event_wallclock, event_counter, event_burst,
	event_both_send,    event_silence,   event_silence, event_both_send,
};

static void phase(void)
{
	static const nsec_t intervals[] = { 0, 0, 100, 1000, 4000, 12000 };

	if (sim_random_below(2))
		sim.links[0] = random_link();
	if (sim_random_below(2))
		sim.links[1] = random_link();
	if (sim_random_below(4) == 0)
		sim_heal(&sim, random_time(0, 200 * NSEC_PER_MSEC));
	sim_traffic(&sim, PICK(intervals) * NSEC_PER_MSEC, PICK(intervals) * NSEC_PER_MSEC);
	PICK(events)();
	if (sim_random_below(200) == 0)
		event_flood();
	sim_advance(&sim, random_time(0, 8 * NSEC_PER_SEC));
}

static void run(uint64_t seed)
{
	static const nsec_t batches[] = { 0, 0, 1, 5 };
	static const struct sim_setup setup = { 0 };

	sim_begin(&sim, seed, &setup);
	sim.max_batch = PICK(batches) * NSEC_PER_MSEC;
	sim.max_late = PICK(batches) * NSEC_PER_MSEC;
	for (uint64_t n_phases = 1 + sim_random_below(5); n_phases > 0; n_phases--)
		phase();
	sim_require_alive(&sim);
	sim_require_silence(&sim);
	sim_finish(&sim);
}

static void test_random_lives(void **state)
{
	uint64_t seed = sim_random_env("VPND_SIM_SEED", 1);
	uint64_t n_runs = sim_random_env("VPND_SIM_RUNS", 10000);

	(void)state;
	printf("%llu runs from seed %#llx\n", (unsigned long long)n_runs, (unsigned long long)seed);
	for (uint64_t i = 0; i < n_runs; i++)
		run(seed + i);
}

/* The seed is all there is to a run: twice the same seed is twice the same run. */
static void test_is_deterministic(void **state)
{
	static uint8_t delivered[SIM_PACKETS_MAX / 8];
	uint64_t n_transmitted;
	nsec_t now;

	(void)state;
	run(4711);
	memcpy(delivered, sim.ends[0].delivered, sizeof(delivered));
	n_transmitted = sim.n_transmitted;
	now = sim.now;
	run(4712);
	run(4711);
	assert_int_equal(sim.n_transmitted, n_transmitted);
	assert_int_equal(sim.now, now);
	assert_memory_equal(sim.ends[0].delivered, delivered, sizeof(delivered));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_deterministic),
		cmocka_unit_test(test_random_lives),
	};

	sim_random_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
