/*
 * The ciphers that data messages may be sealed with.
 *
 * ChaCha20-Poly1305 is WireGuard's, and the baseline that every peer has. The others are what
 * two vpnds agree on (offer.h) because the hardware runs them faster. Each is one row of a table;
 * nothing else in the program asks which cipher it is.
 *
 * The nonce is the message's 64-bit counter, little endian, in the last eight bytes of the
 * cipher's nonce, behind zeros. A key seals for one direction of one session only, under one
 * cipher only, and a counter is never used twice, so no nonce repeats.
 */
#ifndef PROTO_CIPHER_H
#define PROTO_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sodium.h>

#include "common/defs.h"

/* The values are bits of an offer's flags, too: see offer.h. Never renumber. */
enum cipher_suite {
	CIPHER_CHACHA20_POLY1305, /* 16 bytes of tag */
	CIPHER_AES256_GCM,        /* 16 */
	CIPHER_AEGIS128L,         /* 32 */
	CIPHER_AEGIS256,          /* 32 */
	N_CIPHERS,
};

#define CIPHER_KEY_LEN 32
/* The longest tag. */
#define CIPHER_TAG_MAX 32

/* A key, in the form that its cipher works with. Secret. */
union cipher_key {
	uint8_t bytes[CIPHER_KEY_LEN];
	crypto_aead_aes256gcm_state gcm; /* the key schedule, computed once */
};

struct cipher {
	const char *name; /* as `Cipher =` has it */
	size_t tag_len;
	/* Whether this processor and this libsodium have it. */
	bool (*is_available)(void);
	/* Prepares a key from CIPHER_KEY_LEN bytes; a cipher with shorter keys takes the first. */
	void (*init)(union cipher_key *key, const uint8_t *bytes);
	/* Writes len + tag_len bytes to `sealed`, which is `plain` or does not overlap it. */
	void (*seal)(const union cipher_key *key, uint8_t *sealed, const uint8_t *plain, size_t len,
		     uint64_t counter);
	/* Opens `len` bytes, tag included and at least tag_len, in place or elsewhere; on failure
	 * `plain` holds nothing of use. */
	bool (*open)(const union cipher_key *key, uint8_t *plain, const uint8_t *sealed, size_t len,
		     uint64_t counter);
};

/*! The row of a suite; also of one that is not available. */
const struct cipher *cipher_get(enum cipher_suite suite);

/* The rows of AEGIS, from cipher_aegis.c, or from cipher_aegis_fallback.c where libsodium is
 * older than 1.0.19: those are never available. */
extern const struct cipher cipher_aegis128l;
extern const struct cipher cipher_aegis256;

#endif
