/*
 * The primitives under the names that the paper gives them (section 5.4): Hash, Mac, Hmac, Kdf,
 * DH, Aead, Xaead. This is the only file that calls libb2 (BLAKE2s, which libsodium lacks); the
 * ciphers of data messages are in cipher.h.
 *
 * Every intermediate secret on the stack is wiped before a function returns.
 */
#ifndef PROTO_PRIMITIVES_H
#define PROTO_PRIMITIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "daemon/proto/messages.h"

#define AEAD_KEY_LEN    32
#define XAEAD_NONCE_LEN 24

/*! Hash(a || b): BLAKE2s-256 (RFC 7693). Either part may be empty; `ret` may overlap them. */
void prim_hash(uint8_t ret[static HASH_LEN], const void *a, size_t a_len, const void *b,
	       size_t b_len);

/*! Mac(key, input): keyed BLAKE2s with 16 bytes of output (RFC 7693, section 2.9). */
void prim_mac(uint8_t ret[static MAC_LEN], const void *key, size_t key_len, const void *input,
	      size_t input_len);

/*! Hmac(key, input): HMAC (RFC 2104) over BLAKE2s-256. `ret` may overlap key or input. */
void prim_hmac(uint8_t ret[static HASH_LEN], const uint8_t *key, size_t key_len,
	       const uint8_t *input, size_t input_len);

/*!
 * Kdf_n(key, input): HKDF (RFC 5869) over Hmac with an empty info, as Noise uses it.
 * \param chaining_key  HASH_LEN bytes
 * \param first         tau_1; may be `chaining_key` itself
 * \param second        tau_2, or NULL for Kdf_1
 * \param third         tau_3, or NULL for Kdf_1 and Kdf_2
 */
void prim_kdf(const uint8_t chaining_key[static HASH_LEN], const uint8_t *input, size_t input_len,
	      uint8_t first[static HASH_LEN], uint8_t *second, uint8_t *third);

/*!
 * DH(private, public): X25519 (RFC 7748).
 * \param ret  the shared secret; zero on failure
 * \return false when the result is all zero, as it is for the points of low order: the
 *         handshake must stop then
 */
must_check bool prim_dh(struct key *ret, const struct key *private_key,
			const uint8_t public_key[static KEY_LEN]);

/*! DH-Generate: a fresh clamped private key and its public half. */
void prim_dh_generate(struct key *ret_private, uint8_t ret_public[static KEY_LEN]);

/*! The public key that belongs to a private one. */
void prim_dh_public(struct key *ret_public, const struct key *private_key);

/*!
 * Aead(key, counter, plain, ad): ChaCha20-Poly1305 (RFC 8439) with the nonce
 * 0^32 || counter (64 bits, little endian).
 * \param cipher  `plain_len` + TAG_LEN bytes; may be `plain` itself, must not overlap otherwise
 */
void prim_aead_seal(uint8_t *cipher, const uint8_t *plain, size_t plain_len, const void *ad,
		    size_t ad_len, uint64_t counter, const uint8_t key[static AEAD_KEY_LEN]);

/*!
 * The reverse.
 * \param plain   `cipher_len` - TAG_LEN bytes; may be `cipher` itself
 * \param cipher_len  at least TAG_LEN, else nothing is authentic
 * \return false when the tag does not fit; `plain` holds nothing of use then
 */
must_check bool prim_aead_open(uint8_t *plain, const uint8_t *cipher, size_t cipher_len,
			       const void *ad, size_t ad_len, uint64_t counter,
			       const uint8_t key[static AEAD_KEY_LEN]);

/*! Xaead: XChaCha20-Poly1305 for cookies, sealing MAC_LEN bytes. */
void prim_xaead_seal(uint8_t cipher[static MAC_LEN + TAG_LEN], const uint8_t plain[static MAC_LEN],
		     const void *ad, size_t ad_len, const uint8_t nonce[static XAEAD_NONCE_LEN],
		     const uint8_t key[static AEAD_KEY_LEN]);

/*! The reverse; false when it is not authentic. */
must_check bool prim_xaead_open(uint8_t plain[static MAC_LEN],
				const uint8_t cipher[static MAC_LEN + TAG_LEN], const void *ad,
				size_t ad_len, const uint8_t nonce[static XAEAD_NONCE_LEN],
				const uint8_t key[static AEAD_KEY_LEN]);

#endif
