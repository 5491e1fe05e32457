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
 *
 * How keys reach the packets. Three threads have keypairs: control makes them and moves them
 * between the slots, tx seals, rx opens. They share none: tx and rx work with copies of their
 * own, and get control's keypairs by message (daemon/core/orders.h) after each change, all that
 * are alive at once. These rules make that safe:
 *
 *   - Progress has one owner. Only tx's copy counts what was sealed, only rx's copy moves the
 *     replay window; control's own copies never move. Whoever takes over a message keeps his
 *     progress in the keypairs that he has already (keypairs_follow).
 *   - So has a key: tx keeps the half that seals, rx the half that opens, and control neither once
 *     it has told both.
 *   - A key starts to seal at zero once. Keypairs are numbered as they are made, and one that is
 *     not newer than all that were seen, and yet not there, is never taken in.
 *   - A key is retired by being left out of a message; the copy is wiped when the message is
 *     taken over. Until then tx and rx go by its birth, so an old key ends in time even if no
 *     message comes.
 *   - rx has a key before the peer can have it confirmed: control sends the keys before it sends
 *     the response, and rx looks for mail after it has received a batch, before it opens it.
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
	uint64_t serial;       /* 1 for the first that was made, and so on; 0: a free place */
	uint64_t send_counter; /* of the next packet */
	uint32_t local_index;  /* the peer addresses us by this */
	uint32_t remote_index; /* we address the peer by this */
	nsec_t birth;
	bool i_am_initiator;
	bool is_preferred; /* as previous: becomes current with its first packet */
	struct replay_window replay;
};

#define N_KEYPAIRS 3

/* All zero is ready: no session. Aligned as union cipher_key asks. */
struct keypairs {
	struct keypair pool[N_KEYPAIRS];
	struct keypair *current;
	struct keypair *previous;
	struct keypair *next;
	uint64_t n_made; /* the serial of the newest */
};

enum keypair_result {
	KEYPAIR_OPENED = 0,
	KEYPAIR_UNKNOWN, /* none of ours has that index */
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
 * To be called for the keypair of an authentic packet: confirms `next`, or a preferred one. Control
 * does it, and tx beforehand in its own copies (daemon/core/latest.h).
 * \return true when it was next and is current now, so the handshake is complete
 */
bool keypairs_confirm(struct keypairs *keypairs, const struct keypair *keypair);

/*!
 * Prefers the session in `previous`, which the peer began, to ours in `current`, because both ends
 * began at once and would otherwise each send with its own: with the first packet that proves
 * that the peer has the keys, it becomes current.
 */
void keypairs_yield(struct keypairs *keypairs);

/*! The keypair with a serial, or NULL. */
struct keypair *keypairs_find_serial(struct keypairs *keypairs, uint64_t serial);

/*! The keypair with a local index, or NULL. */
struct keypair *keypairs_find(struct keypairs *keypairs, uint32_t local_index);

/*! Forgets all three, but not how many there were: what was used up stays used up. */
void keypairs_wipe(struct keypairs *keypairs);

/*! Copies pool and slots. */
void keypairs_copy(struct keypairs *to, const struct keypairs *from);

/*!
 * Takes over what control has now, with one's own keys and progress where they are known.
 * \param told  a copy of control's; wiped
 */
void keypairs_follow(struct keypairs *own, struct keypairs *told);

/*! Wipes the keys that seal, of all keypairs: somebody else has them. */
void keypairs_wipe_send_keys(struct keypairs *keypairs);

/*! The same with the keys that open. */
void keypairs_wipe_receive_keys(struct keypairs *keypairs);

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

/* A data message to be opened, and what came of it. */
struct sealed_message {
	uint8_t *bytes; /* classified MSG_DATA */
	size_t len;
	size_t plain_len; /* of KEYPAIR_OPENED; the plaintext is at DATA_HEADER_LEN */
	uint64_t n_ahead; /* by how many counters it is ahead of the newest before; 0: late */
	uint64_t serial;  /* of KEYPAIR_OPENED: the keypair that opened it, */
	enum keypair_result result;
	bool is_first; /* and whether it is that one's first */
};

/* Messages that are opened together: their plaintext is still in the cache when it is read. */
#define OPEN_BATCH 16

/*!
 * Opens data messages in place, each in the order age, counter limit, tag, replay window: only an
 * authentic counter moves the window.
 * \param messages  `bytes` and `len` are read, the rest is set
 * \param n         up to OPEN_BATCH
 */
void keypair_open(struct keypair *keypair, struct sealed_message *messages, size_t n, nsec_t now);

/*!
 * Opens data messages in place, each with the keypair that it names.
 * \param messages  `bytes` and `len` are read, the rest is set
 * \param n         any number; what lies together for one keypair is opened together
 */
void keypairs_open(struct keypairs *keypairs, struct sealed_message *messages, size_t n,
		   nsec_t now);

#endif
