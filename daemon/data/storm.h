/*
 * A limit on the frames that go to everybody.
 *
 * Two links into the same bridge, or a bridge at each end and a cable between them, make a loop,
 * and an Ethernet frame has no hop limit: each broadcast goes round for ever, and each round every
 * host of both networks gets it once more. Spanning tree (IEEE 802.1D) is the cure; this is the
 * fuse for networks without it. Counted are the frames that bridges send out of all their ports:
 * those to group addresses, broadcast and multicast, and those to addresses that nothing has come
 * from (stations.h). Not counted are the addresses 01:80:c2:00:00:00 to 0f: no bridge forwards
 * them, and spanning tree itself speaks there.
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
#include "daemon/data/stations.h"

struct storm {
	unsigned int limit; /* frames a second; 0: none are dropped */
	nsec_t tokens;      /* in nanoseconds, of which a frame takes a second's share */
	nsec_t last;        /* when tokens were added */
};

/*! Sets the limit, with a full bucket. \param limit  frames a second; 0: no limit */
void storm_init(struct storm *storm, unsigned int limit, nsec_t now);

/*!
 * Whether frames may go, all or none. Beyond the limit they are to be dropped.
 * \param stations  who is known
 * \param address   where they go to, 6 bytes
 * \param n_frames  at least 1; more than the bucket holds take a full one
 * \param now       not before that of the last call
 */
must_check bool storm_admits(struct storm *storm, const struct stations *stations,
			     const uint8_t *address, size_t n_frames, nsec_t now);

#endif
