/*
 * A limit on the frames that go to everybody.
 *
 * Two links into the same bridge, or a bridge at each end and a cable between them, make a loop,
 * and an Ethernet frame has no hop limit: each broadcast goes round for ever, and each round every
 * host of both networks gets it once more. Spanning tree (IEEE 802.1D) is the cure; this is the
 * fuse for networks without it. Only group addresses, broadcast and multicast, are counted, because
 * bridges learn where the others are.
 *
 * A token bucket: a frame takes a token, tokens come back at the rate of the limit, and there is
 * room for those of one second, so that a burst (a switch that is turned on) passes. Pure
 * arithmetic on the caller's clock; one caller, no lock.
 */
#ifndef DATA_STORM_H
#define DATA_STORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/nsec.h"

struct storm {
	unsigned int limit; /* frames a second; 0: none are dropped */
	nsec_t tokens;      /* in nanoseconds, of which a frame takes a second's share */
	nsec_t last;        /* when tokens were added */
};

/*! Sets the limit, with a full bucket. \param limit  frames a second; 0: no limit */
void storm_init(struct storm *storm, unsigned int limit, nsec_t now);

/*!
 * Whether a frame may go. Beyond the limit it is to be dropped.
 * \param frame  from the destination address on
 * \param len    bytes of it; one without an address may go: others judge it
 * \param now    not before that of the last call
 */
must_check bool storm_admits(struct storm *storm, const uint8_t *frame, size_t len, nsec_t now);

#endif
