/*
 * The wire format of WireGuard: four messages, their sizes, and the constants of the paper
 * (J. A. Donenfeld, "WireGuard: Next Generation Kernel Network Tunnel", sections 5 and 6).
 *
 * msg_classify() is the only judge of "this datagram is message T": everything behind it may
 * rely on the size.
 */
#ifndef PROTO_MESSAGES_H
#define PROTO_MESSAGES_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/key.h"
#include "common/nsec.h"

/* Section 6: the constants, by their names in the paper. */
#define REKEY_AFTER_MESSAGES  (1ULL << 60)
#define REJECT_AFTER_MESSAGES (UINT64_MAX - (1ULL << 13)) /* 2^64 - 2^13 - 1 */
#define REKEY_AFTER_TIME      (120 * NSEC_PER_SEC)
#define REJECT_AFTER_TIME     (180 * NSEC_PER_SEC)
#define REKEY_ATTEMPT_TIME    (90 * NSEC_PER_SEC)
#define REKEY_TIMEOUT         (5 * NSEC_PER_SEC)
#define KEEPALIVE_TIMEOUT     (10 * NSEC_PER_SEC)

#define COOKIE_SECRET_LIFETIME (120 * NSEC_PER_SEC)
/* A cookie is used for less than its secret lives, so that it does not die on the way (kernel:
 * COOKIE_SECRET_MAX_AGE - COOKIE_SECRET_LATENCY). */
#define COOKIE_LIFETIME (115 * NSEC_PER_SEC)

/* Initiations are sent at most this much later than their timer says, so that two ends that
 * started at once do not stay in step (kernel: a third of a second). */
#define REKEY_JITTER (333 * NSEC_PER_MSEC)

/* Consumed initiations of one peer: at most one per 20 ms (kernel: INITIATIONS_PER_SECOND). */
#define INITIATION_INTERVAL (NSEC_PER_SEC / 50)

enum msg_sizes {
	MAC_LEN = 16,       /* mac1, mac2 and the cookie */
	TAG_LEN = 16,       /* Poly1305 */
	HASH_LEN = 32,      /* BLAKE2s */
	TIMESTAMP_LEN = 12, /* TAI64N */
	PADDING_UNIT = 16,  /* section 5.4.6: plaintext is padded to a multiple of this */
	DATA_HEADER_LEN = 16,
	DATA_OVERHEAD = DATA_HEADER_LEN + TAG_LEN,
	HANDSHAKE_MAX_LEN = 148, /* longest message that is not data */
};

enum msg_type {
	MSG_NONE = 0, /* not one of ours */
	MSG_INITIATION = 1,
	MSG_RESPONSE = 2,
	MSG_COOKIE = 3,
	MSG_DATA = 4,
};

struct msg_macs {
	uint8_t mac1[MAC_LEN];
	uint8_t mac2[MAC_LEN];
};

/* The type is read as a little-endian 32-bit number, which makes the three reserved bytes part
 * of it: they must be zero. */
struct msg_initiation {
	le32_t type;
	le32_t sender;
	uint8_t ephemeral[KEY_LEN];
	uint8_t encrypted_static[KEY_LEN + TAG_LEN];
	uint8_t encrypted_timestamp[TIMESTAMP_LEN + TAG_LEN];
	struct msg_macs macs;
};

struct msg_response {
	le32_t type;
	le32_t sender;
	le32_t receiver;
	uint8_t ephemeral[KEY_LEN];
	uint8_t encrypted_nothing[TAG_LEN];
	struct msg_macs macs;
};

struct msg_cookie {
	le32_t type;
	le32_t receiver;
	uint8_t nonce[24];
	uint8_t encrypted_cookie[MAC_LEN + TAG_LEN];
};

/* Followed by the ciphertext and the tag. */
struct msg_data {
	le32_t type;
	le32_t receiver;
	le64_t counter;
};

static_assert(sizeof(struct msg_initiation) == 148, "paper, section 5.4.2");
static_assert(sizeof(struct msg_response) == 92, "paper, section 5.4.3");
static_assert(sizeof(struct msg_cookie) == 64, "paper, section 5.4.7");
static_assert(sizeof(struct msg_data) == DATA_HEADER_LEN, "paper, section 5.4.6");

/*!
 * Decides what a datagram is by type and exact size.
 * \param datagram  `len` bytes from the network
 * \return MSG_NONE for everything that is not exactly one of the four messages
 */
static inline enum msg_type msg_classify(const uint8_t *datagram, size_t len)
{
	le32_t type;

	if (len < sizeof(type))
		return MSG_NONE;
	memcpy(&type, datagram, sizeof(type));
	switch (le32_load(type)) {
	case MSG_INITIATION:
		return len == sizeof(struct msg_initiation) ? MSG_INITIATION : MSG_NONE;
	case MSG_RESPONSE:
		return len == sizeof(struct msg_response) ? MSG_RESPONSE : MSG_NONE;
	case MSG_COOKIE:
		return len == sizeof(struct msg_cookie) ? MSG_COOKIE : MSG_NONE;
	case MSG_DATA:
		return len >= DATA_OVERHEAD ? MSG_DATA : MSG_NONE;
	default:
		return MSG_NONE;
	}
}

#endif
