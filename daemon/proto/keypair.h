/*
 * Keypairs: the transport keys of a session with their counters, and the three slots that they
 * move through (paper section 6.3; kernel noise.c, add_new_keypair and received_with_keypair).
 *
 *   current   the one we send with
 *   previous  still received with, for what was on its way during a rekey
 *   next      ours as responder, until the first packet sealed with it proves that the
 *             initiator has it too; nothing is ever sent with it before
 *
 * Slots are pointers into a fixed pool of three, so that a move is a pointer move and a keypair
 * that falls out is wiped in place.
 */
#ifndef PROTO_KEYPAIR_H
#define PROTO_KEYPAIR_H

#include <stdbool.h>

#include "daemon/proto/noise.h"
#include "daemon/proto/replay.h"

struct keypair {
	const struct cipher *cipher;
	union cipher_key send_key;
	union cipher_key receive_key;
	uint64_t send_counter; /* of the next packet */
	uint32_t local_index;  /* the peer addresses us by this */
	uint32_t remote_index; /* we address the peer by this */
	nsec_t birth;
	bool i_am_initiator;
	bool is_preferred; /* as previous: becomes current with its first packet */
	bool is_used;      /* false: a free place in the pool */
	struct replay_window replay;
};

#define N_KEYPAIRS 3

/* All zero is ready: no session. Aligned as union cipher_key asks. */
struct keypairs {
	struct keypair pool[N_KEYPAIRS];
	struct keypair *current;
	struct keypair *previous;
	struct keypair *next;
};

enum keypair_result {
	KEYPAIR_OPENED = 0,
	KEYPAIR_EXPIRED, /* the key is too old, or the counter beyond its limit */
	KEYPAIR_NOT_AUTHENTIC,
	KEYPAIR_REPLAYED, /* authentic, but seen before or too old for the window */
};

/*!
 * Puts the keys of a completed handshake into their slot.
 * As initiator they become current at once: the response proves that the peer has them; the old
 * current, or a next that was never confirmed, becomes previous. As responder they become next,
 * and previous is dropped.
 * \param keys  copied
 * \return the new keypair
 */
struct keypair *keypairs_install(struct keypairs *keypairs, const struct noise_session_keys *keys,
				 bool i_am_initiator, uint32_t local_index, uint32_t remote_index,
				 nsec_t now);

/*!
 * To be called for the keypair of each authentic packet: confirms `next`, or a preferred one.
 * \return true when it was next and is current now, so the handshake is complete
 */
bool keypairs_confirm(struct keypairs *keypairs, const struct keypair *keypair);

/*!
 * Prefers the session in `previous`, which the peer began, to ours in `current`, because both ends
 * began at once and would otherwise each send with its own: with the first packet that proves
 * that the peer has the keys, it becomes current.
 */
void keypairs_yield(struct keypairs *keypairs);

/*! The keypair with a local index, or NULL. */
struct keypair *keypairs_find(struct keypairs *keypairs, uint32_t local_index);

/*! Forgets all three. */
void keypairs_wipe(struct keypairs *keypairs);

/*! Whether `keypair` (may be NULL) may seal another packet at `now`. */
bool keypair_can_send(const struct keypair *keypair, nsec_t now);

/*!
 * Length of a plaintext with its padding: a multiple of 16, but never beyond the MTU, so that a
 * full packet is not made longer than the path carries (kernel send.c, calculate_skb_padding).
 * \param len  bytes, may exceed `mtu` right after the MTU was lowered
 */
size_t keypair_padded_len(size_t len, size_t mtu);

/*!
 * Seals one packet: header, ciphertext, tag. The cipher is the copy. The keypair must pass
 * keypair_can_send().
 * \param message    room for the header, `plain_len` bytes and the cipher's tag
 * \param plain      the padded plaintext; may lie at message + DATA_HEADER_LEN already, must not
 *                   overlap `message` otherwise
 * \param plain_len  bytes; 0 makes a keepalive
 * \return bytes of the whole message
 */
size_t keypair_seal(struct keypair *keypair, uint8_t *message, const uint8_t *plain,
		    size_t plain_len);

/*!
 * Opens one data message in place, in the order age, counter limit, tag, replay window: only an
 * authentic counter moves the window.
 * \param message    `len` bytes, classified MSG_DATA; the plaintext is left at DATA_HEADER_LEN
 * \param plain_len  set to its length when it was opened
 */
must_check enum keypair_result keypair_open(struct keypair *keypair, uint8_t *message, size_t len,
					    nsec_t now, size_t *plain_len);

#endif
