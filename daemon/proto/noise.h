/*
 * The handshake: Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s as WireGuard uses it (paper section 5.4,
 * Noise specification revision 34).
 *
 *   initiation  -> e, es, s, ss, {timestamp}
 *   response    <- e, ee, se, psk, {}
 *
 * Four functions, one for each end of each message. The responder keeps nothing between the
 * two: it answers and has its keys in one go. Only the initiator has a state in between. What was
 * received is worked on in locals: a caller's struct is written after the last check.
 */
#ifndef PROTO_NOISE_H
#define PROTO_NOISE_H

#include <stdbool.h>

#include "daemon/proto/offer.h"
#include "daemon/proto/primitives.h"
#include "daemon/proto/tai64n.h"

/* Who we are and whom we talk to. Secret; lives in guarded memory. */
struct noise_identity {
	struct key own_private;
	struct key own_public;
	struct key peer_public;
	struct key preshared;       /* all zero when there is none */
	struct key static_shared;   /* DH of the two static keys: "ss", computed once */
	enum offer_carries carries; /* of our end's interface; not secret */
};

/* The initiator's state from its initiation to the response. Secret. */
struct noise_handshake {
	bool is_waiting; /* an initiation was sent, its response has not come */
	uint32_t local_index;
	struct key ephemeral_private;
	uint8_t hash[HASH_LEN];
	uint8_t chaining_key[HASH_LEN];
};

/* An initiation that was opened: what the answer needs. Secret; wipe after use. */
struct noise_opened_initiation {
	uint32_t remote_index;
	uint8_t remote_ephemeral[KEY_LEN];
	uint8_t hash[HASH_LEN];
	uint8_t chaining_key[HASH_LEN];
	struct key remote_static; /* who says that it sent this; valid also for NOISE_UNKNOWN_KEY */
	struct tai64n timestamp;
};

/* The transport keys of a session, and the suite that they are for. Secret. */
struct noise_session_keys {
	uint8_t send[AEAD_KEY_LEN];
	uint8_t receive[AEAD_KEY_LEN];
	enum cipher_suite suite;
};

enum noise_result {
	NOISE_DONE = 0,
	NOISE_BAD_POINT,   /* a Diffie-Hellman result was zero */
	NOISE_BAD_SEAL,    /* something does not open: not meant for us, or the PSK differs */
	NOISE_UNKNOWN_KEY, /* the static key is real but not our peer's */
	NOISE_NOT_WAITING, /* a response that nobody asked for */
	NOISE_OTHER_KIND,  /* the peer's end carries packets where ours carries frames, or so */
};

/*!
 * Completes an identity from own_private, peer_public and preshared.
 * \return false when the peer's key is unusable (of low order)
 */
must_check bool noise_identity_init(struct noise_identity *identity);

/*!
 * Makes an initiation; MACs are left to the cookie maker.
 * \param timestamp    greater than that of any earlier initiation
 * \param local_index  fresh
 * \param handshake    overwritten: an earlier initiation is forgotten
 * \return false when a DH result is zero; then `handshake` is not waiting
 */
must_check bool noise_create_initiation(const struct noise_identity *identity,
					const struct tai64n *timestamp, uint32_t local_index,
					struct noise_handshake *handshake,
					struct msg_initiation *ret);

/*!
 * Opens an initiation whose mac1 is right. Whether its timestamp is acceptable is the caller's
 * question.
 * \param ret  written for NOISE_DONE and, remote_static only, for NOISE_UNKNOWN_KEY
 */
must_check enum noise_result noise_consume_initiation(const struct noise_identity *identity,
						      const struct msg_initiation *initiation,
						      struct noise_opened_initiation *ret);

/*!
 * Makes the response to an opened initiation, and the keys of the session it begins.
 * \param suite  one that the initiation offered, or the baseline
 * \return NOISE_DONE or NOISE_BAD_POINT
 */
must_check enum noise_result noise_create_response(const struct noise_identity *identity,
						   const struct noise_opened_initiation *initiation,
						   enum cipher_suite suite, uint32_t local_index,
						   struct msg_response *ret,
						   struct noise_session_keys *keys);

/*!
 * Makes the response that tells the initiator that its end and ours do not carry the same. Nothing
 * is derived from it.
 * \param local_index  fresh; nobody will address it
 * \return NOISE_DONE or NOISE_BAD_POINT
 */
must_check enum noise_result noise_create_refusal(const struct noise_identity *identity,
						  const struct noise_opened_initiation *initiation,
						  uint32_t local_index, struct msg_response *ret);

/*!
 * Completes the handshake with the response to our latest initiation, as the suite that it opens
 * with: the baseline, or one of `offer`, which is what the initiation offered. On success, and for
 * NOISE_OTHER_KIND, `handshake` is wiped: a second copy of the response finds nobody waiting. After
 * a failure it waits on, since a forged response must not end it.
 * \param keys  written for NOISE_DONE
 */
must_check enum noise_result noise_consume_response(const struct noise_identity *identity,
						    struct noise_handshake *handshake,
						    const struct msg_response *response,
						    offer_t offer, struct noise_session_keys *keys);

/*! Forgets an initiation that is under way. */
void noise_handshake_wipe(struct noise_handshake *handshake);

#endif
