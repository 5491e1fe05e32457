/* Which addresses frames have come from: stations.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/data/stations.h"

static void only_who_has_sent_is_known(void **state)
{
	static struct stations stations;
	const uint8_t one[6] = { 0x02, 0, 0, 0, 0, 1 }, two[6] = { 0x02, 0, 0, 0, 0, 2 };

	(void)state;
	assert_false(stations_know(&stations, one));
	stations_learn(&stations, one);
	assert_true(stations_know(&stations, one));
	assert_false(stations_know(&stations, two));
}

static void groups_and_nobody_are_no_source(void **state)
{
	static struct stations stations;
	const uint8_t group[6] = { 0x03, 0, 0, 0, 0, 1 }, nobody[6] = { 0 };

	(void)state;
	stations_learn(&stations, group);
	stations_learn(&stations, nobody);
	assert_false(stations_know(&stations, group));
	assert_false(stations_know(&stations, nobody));
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
				stations_learn(&stations, address);
			else
				n_known += stations_know(&stations, address);
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
		stations_learn(&stations, address);
		assert_true(stations_know(&stations, address));
		/* A second frame takes no second place. */
		stations_learn(&stations, address);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_who_has_sent_is_known),
		cmocka_unit_test(groups_and_nobody_are_no_source),
		cmocka_unit_test(a_thousand_have_room),
		cmocka_unit_test(who_sent_last_is_known_however_many_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
