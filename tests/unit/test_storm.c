/* The limit on frames to everybody: storm.c, with a clock of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/data/storm.h"

static const uint8_t broadcast[14] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t multicast[14] = { 0x01, 0x00, 0x5e, 0, 0, 1 };
static const uint8_t unicast[14] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t unknown[14] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xfe };

/* Who is behind the link: `unicast`. */
static struct stations stations;

#define START (5 * NSEC_PER_SEC)

/* How many of `n` frames at one moment may go. */
static unsigned int admitted(struct storm *storm, const uint8_t *frame, unsigned int n, nsec_t now)
{
	unsigned int n_admitted = 0;

	for (unsigned int i = 0; i < n; i++)
		n_admitted += storm_admits(storm, &stations, frame, 1, now);
	return n_admitted;
}

static void a_burst_of_one_second_passes(void **state)
{
	struct storm storm;

	(void)state;
	storm_init(&storm, 100, START);
	assert_int_equal(admitted(&storm, broadcast, 250, START), 100);
	assert_int_equal(admitted(&storm, broadcast, 1, START), 0);
}

static void tokens_come_back_at_the_rate(void **state)
{
	struct storm storm;

	(void)state;
	storm_init(&storm, 100, START);
	(void)admitted(&storm, broadcast, 100, START);
	assert_int_equal(admitted(&storm, broadcast, 5, START + 9 * NSEC_PER_MSEC), 0);
	assert_int_equal(admitted(&storm, broadcast, 5, START + 10 * NSEC_PER_MSEC), 1);
	assert_int_equal(admitted(&storm, broadcast, 99, START + 510 * NSEC_PER_MSEC), 50);
	/* Not more than a full bucket, however long nothing came. */
	assert_int_equal(admitted(&storm, broadcast, 500, START + 3600 * NSEC_PER_SEC), 100);
}

static void a_steady_stream_gets_the_limit(void **state)
{
	unsigned int n_admitted = 0;
	struct storm storm;

	(void)state;
	storm_init(&storm, 2000, START);
	for (unsigned int i = 0; i < 10 * 50000; i++)
		n_admitted += admitted(&storm, multicast, 1, START + i * (NSEC_PER_SEC / 50000));
	/* Ten seconds, and the bucket that was full at first. */
	assert_in_range(n_admitted, 11 * 2000 - 2, 11 * 2000);
}

static void known_unicast_is_never_dropped_and_costs_nothing(void **state)
{
	struct storm storm;

	(void)state;
	storm_init(&storm, 1, START);
	assert_int_equal(admitted(&storm, unicast, 1000, START), 1000);
	assert_int_equal(admitted(&storm, multicast, 2, START), 1);
	assert_int_equal(admitted(&storm, unicast, 1000, START), 1000);
}

static void zero_is_no_limit(void **state)
{
	struct storm storm;

	(void)state;
	storm_init(&storm, 0, START);
	assert_int_equal(admitted(&storm, broadcast, 100000, START), 100000);
}

/* A bridge floods them, so they go round in a loop like broadcasts. */
static void unknown_unicast_takes_from_the_same_bucket(void **state)
{
	struct storm storm;

	(void)state;
	storm_init(&storm, 100, START);
	assert_int_equal(admitted(&storm, unknown, 60, START), 60);
	assert_int_equal(admitted(&storm, broadcast, 60, START), 40);
	assert_int_equal(admitted(&storm, unknown, 60, START), 0);
	assert_int_equal(admitted(&storm, unicast, 60, START), 60);
}

/* Without them spanning tree could not end the storm. */
static void frames_between_neighbours_always_pass(void **state)
{
	uint8_t address[6] = { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x00 };
	struct storm storm;

	(void)state;
	storm_init(&storm, 1, START);
	assert_int_equal(admitted(&storm, broadcast, 2, START), 1);
	for (address[5] = 0; address[5] <= 0x0f; address[5]++)
		assert_int_equal(admitted(&storm, address, 10, START), 10);
	assert_int_equal(admitted(&storm, address, 1, START), 0);
	address[5] = 0;
	address[4] = 1;
	assert_int_equal(admitted(&storm, address, 1, START), 0);
}

static void a_superpacket_costs_what_its_frames_cost(void **state)
{
	struct storm storm;

	(void)state;
	storm_init(&storm, 100, START);
	assert_true(storm_admits(&storm, &stations, broadcast, 44, START));
	assert_true(storm_admits(&storm, &stations, unknown, 44, START));
	assert_false(storm_admits(&storm, &stations, broadcast, 44, START));
	assert_int_equal(admitted(&storm, broadcast, 44, START), 12);
	/* Of more than the bucket holds, one still passes a full one. */
	storm_init(&storm, 10, START);
	assert_true(storm_admits(&storm, &stations, broadcast, 44, START));
	assert_false(storm_admits(&storm, &stations, broadcast, 1, START));
}

static void the_largest_limit_does_not_overflow(void **state)
{
	struct storm storm;

	(void)state;
	storm_init(&storm, 1000000, START);
	assert_int_equal(admitted(&storm, broadcast, 1100000, START), 1000000);
	assert_int_equal(admitted(&storm, broadcast, 10, UINT64_MAX - 1), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_of_one_second_passes),
		cmocka_unit_test(tokens_come_back_at_the_rate),
		cmocka_unit_test(a_steady_stream_gets_the_limit),
		cmocka_unit_test(known_unicast_is_never_dropped_and_costs_nothing),
		cmocka_unit_test(zero_is_no_limit),
		cmocka_unit_test(unknown_unicast_takes_from_the_same_bucket),
		cmocka_unit_test(frames_between_neighbours_always_pass),
		cmocka_unit_test(a_superpacket_costs_what_its_frames_cost),
		cmocka_unit_test(the_largest_limit_does_not_overflow),
	};

	stations_learn(&stations, unicast, START);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
