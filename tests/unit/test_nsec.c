/* Time: sums that stay at "never", and the two clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/nsec.h"

static void sum_stays_at_never(void **state)
{
	(void)state;
	assert_true(nsec_add(1, 2) == 3);
	assert_true(nsec_add(NSEC_NEVER, 1) == NSEC_NEVER);
	assert_true(nsec_add(1, NSEC_NEVER) == NSEC_NEVER);
	assert_true(nsec_add(NSEC_NEVER - 1, 1) == NSEC_NEVER);
	assert_true(nsec_add(NSEC_NEVER - 1, 2) == NSEC_NEVER);
	assert_true(nsec_add(NSEC_NEVER, NSEC_NEVER) == NSEC_NEVER);
}

static void expires_at_the_end_of_duration(void **state)
{
	(void)state;
	assert_false(nsec_expired(100, 10, 109));
	assert_true(nsec_expired(100, 10, 110));
	assert_true(nsec_expired(100, 10, 111));
	assert_true(nsec_expired(100, 0, 100));
	assert_false(nsec_expired(100, 0, 99));
	assert_false(nsec_expired(100, NSEC_NEVER, NSEC_NEVER - 1));
}

static void boottime_goes_on(void **state)
{
	nsec_t before = nsec_boottime(), after = nsec_boottime();
	struct timespec ts;

	(void)state;
	assert_true(after >= before);
	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &ts), 0);
	assert_true((nsec_t)ts.tv_sec * NSEC_PER_SEC + (nsec_t)ts.tv_nsec >= after);
	assert_true((nsec_t)ts.tv_sec * NSEC_PER_SEC < after + 60 * NSEC_PER_SEC);
}

static void wallclock_is_the_wall_clock(void **state)
{
	struct timespec wall = nsec_wallclock();
	time_t now = time(NULL);

	(void)state;
	assert_true(wall.tv_sec <= now + 1 && wall.tv_sec >= now - 60);
	assert_true(wall.tv_nsec >= 0 && wall.tv_nsec < (long)NSEC_PER_SEC);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sum_stays_at_never),
		cmocka_unit_test(expires_at_the_end_of_duration),
		cmocka_unit_test(boottime_goes_on),
		cmocka_unit_test(wallclock_is_the_wall_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
