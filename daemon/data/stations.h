/*
 * The Ethernet addresses from which frames have come through a link: to them, and to no others, a
 * frame is no flood.
 *
 * A bridge sends a frame to an address that it does not know out of all its ports, so such frames
 * go round in a loop like broadcasts; the limit of storm.h counts them. Which addresses a bridge
 * knows, vpnd cannot see, but whoever is behind the link has sent something through it once. An
 * address is known for as long as bridges know one: a station that has moved away is unknown to
 * them too by then, and what is sent to it goes everywhere again.
 *
 * The receiving loop writes, the sending loop reads, without a lock: each entry is one atomic
 * number, address and time together, and one that is seen too late or too early is a frame counted
 * or not counted. The addresses with the same hash lie side by side, so looking one up touches two
 * cache lines at most.
 */
#ifndef DATA_STATIONS_H
#define DATA_STATIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/nsec.h"

/* How long an address is known after its last frame: IEEE 802.1Q, table 8-6, "Ageing time". */
#define STATIONS_LIFETIME (300 * NSEC_PER_SEC)

/* Together room for 4096. */
#define STATIONS_N_SETS  512
#define STATIONS_SET_LEN 8

struct stations {
	/* The address as a number, the time in the 16 bits above it; 0: free. All zero is the empty
	 * table. */
	atomic_uint_least64_t sets[STATIONS_N_SETS][STATIONS_SET_LEN];
};

/*!
 * Notes where a frame came from; group addresses are no source. One caller. In a full set the
 * address makes room that was silent longest.
 * \param address  6 bytes
 * \param now      boot time
 */
void stations_learn(struct stations *stations, const uint8_t *address, nsec_t now);

/*!
 * Whether something came from there lately.
 *
 * \param address  6 bytes
 * \param now      boot time
 */
must_check bool stations_know(const struct stations *stations, const uint8_t *address, nsec_t now);

#endif
