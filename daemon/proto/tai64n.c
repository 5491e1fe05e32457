/* Timestamps of initiations; see tai64n.h. */
#include "daemon/proto/tai64n.h"

#define TAI64_EPOCH ((1ULL << 62) + 10) /* 1970-01-01 in TAI64 */

struct tai64n tai64n_from(const struct timespec *wallclock)
{
	bool is_valid = wallclock->tv_sec >= 0;
	uint64_t seconds = is_valid ? (uint64_t)wallclock->tv_sec : 0;
	uint32_t ns = is_valid ? (uint32_t)wallclock->tv_nsec : 0;

	return (struct tai64n) {
		.seconds = be64_make(TAI64_EPOCH + seconds),
		.nanoseconds = be32_make(ns & ~(TAI64N_STEP_NS - 1)),
	};
}

struct tai64n tai64n_next(const struct tai64n *stamp)
{
	uint64_t seconds = be64_load(stamp->seconds);
	uint64_t ns = (be32_load(stamp->nanoseconds) & ~(TAI64N_STEP_NS - 1)) + TAI64N_STEP_NS;

	if (ns >= NSEC_PER_SEC) {
		seconds++;
		ns = 0;
	}
	return (struct tai64n) { be64_make(seconds), be32_make((uint32_t)ns) };
}

uint64_t tai64n_seconds_ahead(const struct tai64n *stamp, const struct timespec *wallclock)
{
	struct tai64n now = tai64n_from(wallclock);
	uint64_t stamp_seconds = be64_load(stamp->seconds);
	uint64_t now_seconds = be64_load(now.seconds);

	return stamp_seconds > now_seconds ? stamp_seconds - now_seconds : 0;
}

bool tai64n_after(const struct tai64n *a, const struct tai64n *b)
{
	uint64_t a_seconds = be64_load(a->seconds);
	uint64_t b_seconds = be64_load(b->seconds);

	if (a_seconds != b_seconds)
		return a_seconds > b_seconds;
	return be32_load(a->nanoseconds) > be32_load(b->nanoseconds);
}
