/*
 * mac1, mac2 and cookies: what makes flooding us with handshakes cheap for us (paper sections
 * 5.3, 5.4.4, 5.4.7).
 *
 * The checker is our side as the one who is flooded: it verifies the MACs of what comes in and
 * makes cookie replies. The maker is our side as the one who knocks: it adds the MACs to what
 * goes out and remembers the cookie that the peer asked us to show.
 */
#ifndef PROTO_COOKIE_H
#define PROTO_COOKIE_H

#include <stdbool.h>

#include "common/netaddr.h"
#include "daemon/proto/primitives.h"

struct cookie_checker {
	uint8_t mac1_key[HASH_LEN];   /* Hash("mac1----" || own public key) */
	uint8_t cookie_key[HASH_LEN]; /* Hash("cookie--" || own public key) */
	uint8_t secret[HASH_LEN];     /* random, renewed each COOKIE_SECRET_LIFETIME */
	nsec_t secret_birth;
	bool has_secret;
};

struct cookie_maker {
	uint8_t mac1_key[HASH_LEN];   /* Hash("mac1----" || the peer's public key) */
	uint8_t cookie_key[HASH_LEN]; /* Hash("cookie--" || the peer's public key) */
	uint8_t cookie[MAC_LEN];
	nsec_t cookie_birth;
	bool has_cookie;
	uint8_t last_mac1[MAC_LEN]; /* of the last message sent, until a reply used it */
	bool has_last_mac1;
};

/*! Prepares for messages that are addressed to `own_public`. */
void cookie_checker_init(struct cookie_checker *checker, const struct key *own_public);

/*! Prepares for messages to the peer with `peer_public`. */
void cookie_maker_init(struct cookie_maker *maker, const struct key *peer_public);

/*!
 * Whether mac1 of an initiation or response is right, in constant time. This comes before
 * everything that costs something.
 * \param message  whole message, `len` bytes, sized by msg_classify()
 */
must_check bool cookie_check_mac1(const struct cookie_checker *checker, const uint8_t *message,
				  size_t len);

/*! Whether mac2 proves that the sender owns `source` (address and port). */
must_check bool cookie_check_mac2(struct cookie_checker *checker, const uint8_t *message,
				  size_t len, const union netaddr *source, nsec_t now);

/*!
 * Makes the reply to a message whose mac1 is right and whose mac2 is not.
 * \param receiver  the sender index in that message
 */
void cookie_make_reply(struct cookie_checker *checker, const uint8_t *message, size_t len,
		       le32_t receiver, const union netaddr *source, nsec_t now,
		       struct msg_cookie *ret);

/*! Fills both MACs of an initiation or response that is ready otherwise. */
void cookie_add_macs(struct cookie_maker *maker, uint8_t *message, size_t len, nsec_t now);

/*!
 * Stores the cookie of a reply whose receiver index is one of ours.
 * \return false when no message of ours is outstanding or the reply is not authentic for it
 */
must_check bool cookie_consume_reply(struct cookie_maker *maker, const struct msg_cookie *reply,
				     nsec_t now);

#endif
