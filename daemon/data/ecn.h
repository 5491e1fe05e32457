/*
 * Congestion marks through the tunnel (RFC 6040; kernel inet_ecn.h), and the DSCP of handshakes.
 *
 * A router on the outer path can mark a packet instead of dropping it only if the outer header
 * says that the ends understand marks, and the mark helps only if it reaches the inner header.
 */
#ifndef DATA_ECN_H
#define DATA_ECN_H

#include <stdint.h>

/* DSCP AF41, for handshake messages: small, rare, and the link waits for them. */
#define ECN_TOS_HANDSHAKE 0x88

/*!
 * The outer byte for a packet with the inner byte `inner_tos`: DSCP 0, the inner mark, but for
 * a packet that was marked already ECT(0), so that marks outside and inside count apart.
 */
uint8_t ecn_encapsulate(uint8_t inner_tos);

/*!
 * The inner byte after a packet came with the outer byte `outer_tos`. Combinations that RFC 6040
 * calls invalid leave the packet as it is: the peer's marks are none of our business to police.
 */
uint8_t ecn_decapsulate(uint8_t outer_tos, uint8_t inner_tos);

#endif
