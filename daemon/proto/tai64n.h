/*
 * TAI64N: the timestamp of an initiation, 12 bytes that compare as one big-endian number
 * (https://cr.yp.to/libtai/tai64.html; paper section 5.1).
 *
 * The nanoseconds are rounded down to 2^24 ns, about 16.8 ms, so that an initiation does not
 * tell how this machine's clock ticks (kernel noise.c, tai64n_now).
 */
#ifndef PROTO_TAI64N_H
#define PROTO_TAI64N_H

#include <stdbool.h>
#include <time.h>

#include "common/bytes.h"
#include "daemon/proto/messages.h"

#define TAI64N_STEP_NS (1U << 24)

struct tai64n {
	be64_t seconds;     /* 2^62 + 10 + Unix seconds */
	be32_t nanoseconds; /* low 24 bits zero */
};

static_assert(sizeof(struct tai64n) == TIMESTAMP_LEN, "TAI64N is 12 bytes");

/*! The stamp of a wall-clock time; times before 1970 count as 1970. */
struct tai64n tai64n_from(const struct timespec *wallclock);

/*! The smallest rounded stamp that is greater than `stamp`. */
struct tai64n tai64n_next(const struct tai64n *stamp);

/*! How many seconds a stamp is ahead of a wall-clock time; 0 when it is not. */
uint64_t tai64n_seconds_ahead(const struct tai64n *stamp, const struct timespec *wallclock);

/*! Whether `a` is later than `b`. */
bool tai64n_after(const struct tai64n *a, const struct tai64n *b);

#endif
