/*
 * The one type of time: nanoseconds of the boot-time clock.
 *
 * CLOCK_BOOTTIME goes on while the machine is suspended, so a key that was 170 s old at lid
 * close is dead at lid open. Code that decides takes `now` as an argument and never asks the
 * clock itself; that is what lets a test run ten minutes of rekeys in a millisecond.
 */
#ifndef COMMON_NSEC_H
#define COMMON_NSEC_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef uint64_t nsec_t;

#define NSEC_PER_SEC  1000000000ULL
#define NSEC_PER_MSEC 1000000ULL
/* A deadline that never comes. */
#define NSEC_NEVER UINT64_MAX

/*! The boot-time clock now, in nanoseconds. */
nsec_t nsec_boottime(void);

/*!
 * The wall clock now, for timestamps that go to the peer and to people only.
 * It may jump; nothing in vpnd measures a duration with it.
 */
struct timespec nsec_wallclock(void);

/*! Processor time of the calling thread: for measuring work on a machine that does other work. */
nsec_t nsec_thread_cpu(void);

/*! `a + b`, staying at NSEC_NEVER instead of wrapping. */
static inline nsec_t nsec_add(nsec_t a, nsec_t b)
{
	return a > NSEC_NEVER - b ? NSEC_NEVER : a + b;
}

/*! Whether at least `duration` has passed between `since` and `now`. */
static inline bool nsec_expired(nsec_t since, nsec_t duration, nsec_t now)
{
	return now >= nsec_add(since, duration);
}

#endif
