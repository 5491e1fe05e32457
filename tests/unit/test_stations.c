/* Which addresses frames have come from: stations.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/data/stations.h"

#define NOW      (1000 * NSEC_PER_SEC)
#define LIFETIME STATIONS_LIFETIME
/* How much longer an address may be known: a unit of the stamps, and one between the clocks. */
#define COARSE (18 * NSEC_PER_SEC)

static void only_who_has_sent_is_known(void **state)
{
	static struct stations stations;
	const uint8_t one[6] = { 0x02, 0, 0, 0, 0, 1 }, two[6] = { 0x02, 0, 0, 0, 0, 2 };

	(void)state;
	assert_false(stations_know(&stations, one, NOW));
	stations_learn(&stations, one, NOW);
	assert_true(stations_know(&stations, one, NOW));
	assert_false(stations_know(&stations, two, NOW));
}

static void groups_and_nobody_are_no_source(void **state)
{
	static struct stations stations;
	const uint8_t group[6] = { 0x03, 0, 0, 0, 0, 1 }, nobody[6] = { 0 };

	(void)state;
	stations_learn(&stations, group, NOW);
	stations_learn(&stations, nobody, NOW);
	assert_false(stations_know(&stations, group, NOW));
	assert_false(stations_know(&stations, nobody, NOW));
}

/* A thousand neighbours are a large network; all of them have room. */
static void a_thousand_have_room(void **state)
{
	static struct stations stations;
	uint8_t address[6] = { 0x52, 0x54, 0x00, 0x12 };
	unsigned int n_known = 0;

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < 1000; i++) {
			address[4] = (uint8_t)(i >> 8);
			address[5] = (uint8_t)i;
			if (round == 0)
				stations_learn(&stations, address, NOW);
			else
				n_known += stations_know(&stations, address, NOW);
		}
	}
	assert_int_equal(n_known, 1000);
}

/* Whoever invents addresses pushes others out, but never who has just sent. */
static void who_sent_last_is_known_however_many_there_are(void **state)
{
	static struct stations stations;
	uint8_t address[6] = { 0x02 };

	(void)state;
	for (unsigned int i = 0; i < 100000; i++) {
		address[3] = (uint8_t)(i >> 16);
		address[4] = (uint8_t)(i >> 8);
		address[5] = (uint8_t)i;
		stations_learn(&stations, address, NOW);
		assert_true(stations_know(&stations, address, NOW));
		/* A second frame takes no second place. */
		stations_learn(&stations, address, NOW);
	}
}

/* As a bridge forgets an address, so that what is sent there is a flood again. */
static void who_is_silent_for_long_is_forgotten(void **state)
{
	static struct stations stations;
	const uint8_t one[6] = { 0x02, 0, 0, 0, 0, 1 };

	(void)state;
	for (nsec_t start = 0; start < 20 * NSEC_PER_SEC; start += NSEC_PER_SEC) {
		stations_learn(&stations, one, start);
		assert_true(stations_know(&stations, one, start + LIFETIME - NSEC_PER_SEC));
		assert_false(stations_know(&stations, one, start + LIFETIME + COARSE));
	}
	/* Each frame begins the time anew, in the same place. */
	for (nsec_t now = NOW; now < NOW + 1000 * NSEC_PER_SEC; now += 10 * NSEC_PER_SEC) {
		stations_learn(&stations, one, now);
		assert_true(stations_know(&stations, one, now + LIFETIME - NSEC_PER_SEC));
	}
	/* The stamps come round, and it is not young again before that. */
	for (nsec_t days = 1; days <= 6; days++)
		assert_false(stations_know(&stations, one, NOW + days * 86400 * NSEC_PER_SEC));
}

/* The loops read their clocks at different moments. */
static void a_clock_that_is_a_little_behind_does_no_harm(void **state)
{
	static struct stations stations;
	const uint8_t one[6] = { 0x02, 0, 0, 0, 0, 1 };

	(void)state;
	for (nsec_t now = NOW; now < NOW + 20 * NSEC_PER_SEC; now += NSEC_PER_SEC / 2) {
		stations_learn(&stations, one, now);
		assert_true(stations_know(&stations, one, now - NSEC_PER_SEC));
	}
}

/* Of a full set the one that was silent longest makes room, not the one that came first. */
static void who_goes_on_sending_stays(void **state)
{
	static struct stations stations;
	const uint8_t busy[6] = { 0x02, 1, 1, 1, 1, 1 };
	uint8_t address[6] = { 0x02 };
	nsec_t now = NOW;

	(void)state;
	stations_learn(&stations, busy, now);
	for (unsigned int i = 0; i < 50000; i++, now += NSEC_PER_SEC / 100) {
		address[3] = (uint8_t)(i >> 16);
		address[4] = (uint8_t)(i >> 8);
		address[5] = (uint8_t)i;
		stations_learn(&stations, address, now);
		/* Of eight places in 512 sets one is needed anew every 41 s. */
		if (i % 1000 == 0)
			stations_learn(&stations, busy, now);
		assert_true(stations_know(&stations, busy, now));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_who_has_sent_is_known),
		cmocka_unit_test(groups_and_nobody_are_no_source),
		cmocka_unit_test(a_thousand_have_room),
		cmocka_unit_test(who_sent_last_is_known_however_many_there_are),
		cmocka_unit_test(who_is_silent_for_long_is_forgotten),
		cmocka_unit_test(a_clock_that_is_a_little_behind_does_no_harm),
		cmocka_unit_test(who_goes_on_sending_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
