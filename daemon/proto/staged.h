/*
 * Packets that wait for a session: at most STAGED_MAX, the oldest is dropped for a new one
 * (kernel queueing.h, MAX_STAGED_PACKETS).
 *
 * Each place has room for one packet of the largest size, in memory that is touched only when
 * it is used, so waiting costs nothing on a link that works.
 */
#ifndef PROTO_STAGED_H
#define PROTO_STAGED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

#define STAGED_MAX 128
/* Largest packet: what fits sealed into one UDP datagram over IPv4 (65,507 - 32). */
#define STAGED_PACKET_MAX 65475

/* A ring. Start with staged_init(). */
struct staged {
	uint8_t *memory; /* STAGED_MAX places of STAGED_PACKET_MAX bytes, owned */
	uint16_t len[STAGED_MAX];
	size_t first; /* place of the oldest */
	size_t n;
	bool is_dirty; /* the memory holds plaintext */
};

/*! Reserves the memory. \return 0 or -ENOMEM */
int staged_init(struct staged *staged);

/*! Gives the memory back, wiped: it held plaintext. Safe twice and after a failed init. */
void staged_deinit(struct staged *staged);

/*!
 * Copies a packet to the end.
 * \param len  1 to STAGED_PACKET_MAX bytes
 * \return false when the oldest packet had to go for it
 */
bool staged_push(struct staged *staged, const uint8_t *packet, size_t len);

/*!
 * Finds the oldest packet, which stays.
 * \param len  set to its length
 * \return the packet, with room behind it up to STAGED_PACKET_MAX; NULL when there is none
 */
uint8_t *staged_first(const struct staged *staged, size_t *len);

/*!
 * Takes the oldest packet.
 * \param len  set to its length
 * \return the packet, valid until the next push; NULL when there is none
 */
const uint8_t *staged_pop(struct staged *staged, size_t *len);

/*!
 * Drops what is left, and hands the memory back to the kernel: plaintext of the link must not
 * outlive its use. To be called after the last pop, too.
 * \return how many packets were left
 */
size_t staged_clear(struct staged *staged);

#endif
