/*
 * The replay window of one keypair (RFC 6479).
 *
 * Counters that were seen are bits in a ring of 64-bit words. Moving the window forward clears
 * whole words, so nothing is ever shifted; the price is that up to one word of the ring is not
 * usable: of 8192 bits, 8128 counters behind the newest are accepted once each.
 */
#ifndef PROTO_REPLAY_H
#define PROTO_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"

#define REPLAY_BITS  8192
#define REPLAY_WORDS (REPLAY_BITS / 64)
/* How far behind the newest counter one may arrive. */
#define REPLAY_WINDOW (REPLAY_BITS - 64)

/* All zero is ready: nothing was seen. */
struct replay_window {
	uint64_t n_end; /* newest counter plus one; 0 before the first */
	uint64_t ring[REPLAY_WORDS];
};

/*!
 * Takes note of an authenticated counter.
 * \param counter  below REJECT_AFTER_MESSAGES (which leaves room for the plus one)
 * \return false when it was seen before or is too old; the window is unchanged then
 */
must_check bool replay_accept(struct replay_window *window, uint64_t counter);

#endif
