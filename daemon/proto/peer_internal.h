/*
 * What peer.c and peer_handshake.c share and nobody else may use: wishes, and what follows from
 * a new session.
 */
#ifndef PROTO_PEER_INTERNAL_H
#define PROTO_PEER_INTERNAL_H

#include "daemon/proto/peer.h"

/*!
 * Asks for an initiation. One that comes within REKEY_TIMEOUT of our last handshake message
 * waits until then (kernel send.c, wg_packet_send_queued_handshake_initiation).
 * \param is_retry  false when a packet or keepalive asks: the 90 seconds begin anew
 */
void peer_want_handshake(struct peer *peer, bool is_retry, nsec_t now);

/*!
 * Completes an identity from its private, public and preshared key, as far as there are any.
 * \return false when the peer's public key is of low order
 */
must_check bool peer_complete_identity(struct noise_identity *identity);

/*! When both ends have the keys of the new session. */
void peer_session_up(struct peer *peer, nsec_t now);

#endif
