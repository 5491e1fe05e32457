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

/* One message to seal or to open. */
struct cipher_job {
	uint8_t *to;         /* is `from`, or does not overlap it */
	const uint8_t *from; /* never NULL, even when there is nothing to seal */
	size_t len;          /* of `from`: the plaintext, or the ciphertext with its tag */
	uint64_t counter;
	bool is_authentic; /* set when it was opened */
};

/*
 * A row takes any number of messages under one key. What it asks of memory is in the job and
 * nothing else: it neither reads nor writes a byte outside of them, and needs no alignment, so
 * messages may lie back to back, as the datagrams of a run do. It keeps them in order, but jobs
 * must not touch each other's memory: a row may work on several at once.
 *
 * Received runs are opened several messages at once: they are all there. What is sent is sealed
 * one by one: a superpacket is split in place, each segment's header being written over the end
 * of the payload before it, so a segment is gone once the next one is there. With libsodium alone
 * this costs nothing: it has no function that works on two messages, so a row is a loop.
 *
 * Time depends on lengths and on whether a message is authentic, never on keys or texts: all of
 * that is seen on the wire anyway.
 */
struct cipher {
	const char *name; /* as `Cipher =` has it */
	size_t tag_len;
	/* Whether this processor and this libsodium have it. */
	bool (*is_available)(void);
	/* Prepares a key from CIPHER_KEY_LEN bytes; a cipher with shorter keys takes the first. */
	void (*init)(union cipher_key *key, const uint8_t *bytes);
	/* Writes len + tag_len bytes to each `to`. */
	void (*seal_batch)(const union cipher_key *key, const struct cipher_job *jobs, size_t n);
	/* Sets each is_authentic, and writes len - tag_len bytes to `to` if it is true. If not, and
	 * so also where `len` is less than a tag, `to` holds nothing of use, in any case nothing
	 * that was decrypted. */
	void (*open_batch)(const union cipher_key *key, struct cipher_job *jobs, size_t n);
};

/*! The row of a suite; also of one that is not available. */
const struct cipher *cipher_get(enum cipher_suite suite);

/*!
 * Seals a single message.
 * \param sealed  gets len + tag_len bytes; is `plain` or does not overlap it
 * \param len     of `plain`, bytes
 */
static inline void cipher_seal(const struct cipher *cipher, const union cipher_key *key,
			       uint8_t *sealed, const uint8_t *plain, size_t len, uint64_t counter)
{
	const struct cipher_job job = {
		.to = sealed,
		.from = plain,
		.len = len,
		.counter = counter,
	};

	cipher->seal_batch(key, &job, 1);
}

/*!
 * Opens a single message.
 * \param plain  gets len - tag_len bytes; is `sealed` or does not overlap it
 * \param len    of `sealed`, bytes, tag included
 * \return false when it is not authentic; `plain` holds nothing of use then
 */
must_check static inline bool cipher_open(const struct cipher *cipher, const union cipher_key *key,
					  uint8_t *plain, const uint8_t *sealed, size_t len,
					  uint64_t counter)
{
	struct cipher_job job = {
		.to = plain,
		.from = sealed,
		.len = len,
		.counter = counter,
	};

	cipher->open_batch(key, &job, 1);
	return job.is_authentic;
}

#endif
