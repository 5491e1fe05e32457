/* Tests of daemon/core/alarm.c, on a loop and a clock that are real: deadlines are milliseconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/defs.h"
#include "daemon/core/alarm.h"

/* Seconds that pass only when something is broken. */
#define PATIENCE 20.
#define MSEC     NSEC_PER_MSEC

struct world {
	struct ev_loop *loop;
	struct alarm alarm;
	unsigned int n_rings;
	nsec_t rang_at; /* the last time */
	nsec_t next;    /* the deadline that the ring itself sets, or 0 */
};

static void on_ring(void *context)
{
	struct world *world = context;

	world->n_rings++;
	world->rang_at = nsec_boottime();
	if (world->next)
		alarm_at(&world->alarm, world->next);
	world->next = 0;
	ev_break(world->loop, EVBREAK_ALL);
}

static int set_up(void **state)
{
	static struct world world;

	memset(&world, 0, sizeof(world));
	world.loop = ev_loop_new(EVFLAG_AUTO);
	assert_non_null(world.loop);
	assert_int_equal(alarm_init(&world.alarm, world.loop, on_ring, &world), 0);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	alarm_deinit(&world->alarm, world->loop);
	ev_loop_destroy(world->loop);
	return 0;
}

static void on_time_over(struct ev_loop *loop, ev_timer *watcher, int events)
{
	(void)watcher;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

/* Runs the loop until the alarm rings, at most for `seconds`; whether it rang. */
static bool rings_within(struct world *world, double seconds)
{
	unsigned int before = world->n_rings;
	ev_timer time_over;

	ev_now_update(world->loop);
	ev_timer_init(&time_over, on_time_over, seconds, 0.);
	ev_timer_start(world->loop, &time_over);
	ev_run(world->loop, 0);
	ev_timer_stop(world->loop, &time_over);
	return world->n_rings == before + 1;
}

/* What the kernel has been told: true when the timer is set. */
static bool is_armed(const struct world *world)
{
	struct itimerspec spec;

	assert_int_equal(timerfd_gettime(world->alarm.watcher.fd, &spec), 0);
	assert_true(spec.it_interval.tv_sec == 0 && spec.it_interval.tv_nsec == 0);
	return spec.it_value.tv_sec != 0 || spec.it_value.tv_nsec != 0;
}

static void rings_at_the_deadline(void **state)
{
	struct world *world = *state;

	for (unsigned int i = 0; i < 5; i++) {
		nsec_t deadline = nsec_boottime() + 7 * MSEC + i;

		alarm_at(&world->alarm, deadline);
		assert_true(rings_within(world, PATIENCE));
		assert_true(world->rang_at >= deadline);
		assert_true(world->rang_at < deadline + 10 * NSEC_PER_SEC);
	}
}

/* Monotonic and boot time differ only by time asleep, so the kernel is asked which it is. */
static void counts_time_asleep(void **state)
{
	struct world *world = *state;
	char path[64], line[128];
	int clock = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", world->alarm.watcher.fd);
	file = fopen(path, "re");
	assert_non_null(file);
	while (clock < 0 && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "clockid: ", 9) == 0)
			clock = line[9] - '0';
	}
	fclose(file);
	assert_int_equal(clock, CLOCK_BOOTTIME);
}

static void earlier_deadline_moves_it(void **state)
{
	struct world *world = *state;
	nsec_t now = nsec_boottime();

	alarm_at(&world->alarm, now + 3600 * NSEC_PER_SEC);
	alarm_at(&world->alarm, now + 1800 * NSEC_PER_SEC);
	alarm_at(&world->alarm, now + 5 * MSEC);
	assert_true(rings_within(world, PATIENCE));
	assert_true(world->rang_at >= now + 5 * MSEC);
	/* The later ones are gone: who wants them asks again. */
	assert_false(is_armed(world));
}

static void later_deadline_rings_once(void **state)
{
	struct world *world = *state;
	nsec_t now = nsec_boottime();

	alarm_at(&world->alarm, now + 5 * MSEC);
	alarm_at(&world->alarm, now + 10 * MSEC);
	alarm_at(&world->alarm, now + 5 * MSEC);
	alarm_at(&world->alarm, NSEC_NEVER);
	assert_true(is_armed(world));
	assert_true(rings_within(world, PATIENCE));
	assert_true(world->rang_at >= now + 5 * MSEC);
	assert_false(is_armed(world));
	assert_false(rings_within(world, 0.03));
	assert_int_equal(world->n_rings, 1);
}

static void later_deadline_does_not_move_it(void **state)
{
	struct world *world = *state;
	nsec_t now = nsec_boottime();

	alarm_at(&world->alarm, now + 5 * MSEC);
	alarm_at(&world->alarm, now + 3600 * NSEC_PER_SEC);
	assert_true(rings_within(world, PATIENCE));
}

static void past_deadline_rings_at_once(void **state)
{
	/* Zero is the kernel's word for "off". */
	const nsec_t deadlines[] = { 0, 1, NSEC_PER_SEC, nsec_boottime() - 1, nsec_boottime() };
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(deadlines); i++) {
		alarm_at(&world->alarm, deadlines[i]);
		assert_true(rings_within(world, PATIENCE));
		assert_false(rings_within(world, 0.005));
	}
}

static void never_is_never(void **state)
{
	struct world *world = *state;

	alarm_at(&world->alarm, NSEC_NEVER);
	assert_false(is_armed(world));
	assert_false(rings_within(world, 0.03));
	assert_int_equal(world->n_rings, 0);
	/* Very late is late, not past. */
	alarm_at(&world->alarm, NSEC_NEVER - 1);
	alarm_at(&world->alarm, INT64_MAX);
	assert_false(rings_within(world, 0.03));
	alarm_at(&world->alarm, 1);
	assert_true(rings_within(world, PATIENCE));
}

static void can_be_set_while_it_rings(void **state)
{
	struct world *world = *state;
	nsec_t now = nsec_boottime();

	alarm_at(&world->alarm, now);
	world->next = now + 10 * MSEC;
	assert_true(rings_within(world, PATIENCE));
	assert_true(is_armed(world));
	assert_true(rings_within(world, PATIENCE));
	assert_true(world->rang_at >= now + 10 * MSEC);
	assert_int_equal(world->n_rings, 2);
}

static void takes_itself_off_the_loop(void **state)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct alarm alarm;
	int fd;

	(void)state;
	assert_non_null(loop);
	assert_int_equal(alarm_init(&alarm, loop, on_ring, NULL), 0);
	fd = alarm.watcher.fd;
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	alarm_at(&alarm, 1);
	alarm_deinit(&alarm, loop);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	ev_run(loop, 0); /* ends because nothing is watched */
	ev_loop_destroy(loop);
}

static void says_when_there_is_no_descriptor(void **state)
{
	struct world *world = *state;
	struct rlimit before, none;
	struct alarm alarm;
	int r;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = alarm_init(&alarm, world->loop, on_ring, NULL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EMFILE);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(rings_at_the_deadline),
		WITH(counts_time_asleep),
		WITH(earlier_deadline_moves_it),
		WITH(later_deadline_rings_once),
		WITH(later_deadline_does_not_move_it),
		WITH(past_deadline_rings_at_once),
		WITH(never_is_never),
		WITH(can_be_set_while_it_rings),
		cmocka_unit_test(takes_itself_off_the_loop),
		WITH(says_when_there_is_no_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
