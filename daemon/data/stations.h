/*
 * The Ethernet addresses from which frames have come through a link: to them, and to no others, a
 * frame is no flood.
 *
 * A bridge sends a frame to an address that it does not know out of all its ports, so such frames
 * go round in a loop like broadcasts; the limit of storm.h counts them. Which addresses a bridge
 * knows, vpnd cannot see, but whoever is behind the link has sent something through it once. An
 * address is kept until others need its place: one that is known for too long only goes
 * uncounted, as all did without this table.
 *
 * The receiving loop writes, the sending loop reads, without a lock: each entry is one atomic
 * number, and one that is seen too late or too early is a frame counted or not counted. The
 * addresses with the same hash lie side by side, so looking one up touches two cache lines at most.
 */
#ifndef DATA_STATIONS_H
#define DATA_STATIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"

/* Together room for 4096. */
#define STATIONS_N_SETS  512
#define STATIONS_SET_LEN 8

struct stations {
	/* The address as a number; 0: free. All zero is the empty table. */
	atomic_uint_least64_t sets[STATIONS_N_SETS][STATIONS_SET_LEN];
	uint8_t next[STATIONS_N_SETS]; /* the entry to be replaced next; the writer's */
};

/*! Notes where a frame came from; group addresses are no source. \param address  6 bytes */
void stations_learn(struct stations *stations, const uint8_t *address);

/*! Whether something came from there. \param address  6 bytes */
must_check bool stations_know(const struct stations *stations, const uint8_t *address);

#endif
