/*
 * Gives a program other clocks than the machine's; see preload.h. The file $PRELOAD_CLOCK has two
 * 64-bit numbers of this machine's byte order, which the test changes while the program runs: by
 * how many seconds the wall clock is ahead, and by how many the time since boot. A jump of the
 * latter makes timers ring that a suspended machine would have slept through.
 * $PRELOAD_ENTROPY_SECONDS, one digit, is for how long after its start the kernel has no random
 * numbers yet.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <time.h>

#include "preload.h"

#define NS_PER_S 1000000000LL

enum { GETRANDOM_WAITED }; /* the counters */

static int64_t no_shifts[2];
static const volatile int64_t *shifts = no_shifts;
/* The threads of a link that carry packets may not set timers. */
static _Thread_local bool is_first_thread;

enum { TIMERS_MAX = 64 };                    /* by descriptor; a greater one follows no jump */
static struct itimerspec timers[TIMERS_MAX]; /* as the program has set them; zero: none */
static int64_t boot_shift;                   /* that they were set with */

__attribute__((constructor)) static void open_shifts(void)
{
	const char *path = getenv("PRELOAD_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *memory;

	is_first_thread = true;
	if (fd < 0)
		return;
	memory = mmap(NULL, sizeof(no_shifts), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (memory != MAP_FAILED)
		shifts = memory;
}

static int set_kernel_timer(int fd, const struct itimerspec *spec, struct itimerspec *old)
{
	static __typeof__(timerfd_settime) *next;
	struct itimerspec shifted = *spec;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "timerfd_settime");
	if (spec->it_value.tv_sec || spec->it_value.tv_nsec) {
		shifted.it_value.tv_sec -= boot_shift;
		/* Zero would disarm it. */
		if (shifted.it_value.tv_sec < 0)
			shifted.it_value = (struct timespec) { .tv_nsec = 1 };
	}
	return next(fd, TFD_TIMER_ABSTIME, &shifted, old);
}

/* All timers of vpnd are on CLOCK_BOOTTIME, and absolute. */
int timerfd_settime(int fd, int flags, const struct itimerspec *spec, struct itimerspec *old)
{
	if (flags != TFD_TIMER_ABSTIME) {
		errno = EINVAL;
		return -1;
	}
	if (fd >= 0 && fd < TIMERS_MAX)
		timers[fd] = *spec;
	return set_kernel_timer(fd, spec, old);
}

static void follow_jump(void)
{
	if (!is_first_thread || boot_shift == shifts[1])
		return;
	boot_shift = shifts[1];
	for (int fd = 0; fd < TIMERS_MAX; fd++) {
		if (timers[fd].it_value.tv_sec || timers[fd].it_value.tv_nsec)
			(void)set_kernel_timer(fd, &timers[fd], NULL);
	}
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	static __typeof__(clock_gettime) *next;
	int r;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
	r = next(clock, ret);
	if (clock == CLOCK_REALTIME)
		ret->tv_sec += shifts[0];
	if (clock == CLOCK_BOOTTIME) {
		follow_jump();
		ret->tv_sec += shifts[1];
	}
	return r;
}

/* Nanoseconds until there are random numbers. */
static long long entropy_missing_ns(void)
{
	static long long there_at;
	const char *text = getenv("PRELOAD_ENTROPY_SECONDS");
	struct timespec now;

	if (!text)
		return 0;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (!there_at)
		there_at = now.tv_sec * NS_PER_S + now.tv_nsec + (text[0] - '0') * NS_PER_S;
	return there_at - (now.tv_sec * NS_PER_S + now.tv_nsec);
}

/* As before the kernel's "crng init done": it waits, unless asked not to; see getrandom(2). */
ssize_t getrandom(void *buf, size_t len, unsigned int flags)
{
	static __typeof__(getrandom) *next;
	long long ns = entropy_missing_ns();

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "getrandom");
	if (ns > 0) {
		struct timespec rest = { .tv_sec = (time_t)(ns / NS_PER_S),
					 .tv_nsec = (long)(ns % NS_PER_S) };

		if (flags & GRND_NONBLOCK) {
			errno = EAGAIN;
			return -1;
		}
		preload_count(GETRANDOM_WAITED);
		(void)nanosleep(&rest, NULL);
	}
	return next(buf, len, flags);
}
