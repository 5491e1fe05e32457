/*
 * A 32-byte Curve25519 or preshared key.
 *
 * One type for public, private and preshared keys; which one it is stands in the name of the
 * variable. Secret ones live in memory from secret_alloc() only and are wiped with
 * sodium_memzero() by whoever owns that memory.
 */
#ifndef COMMON_KEY_H
#define COMMON_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include <sodium.h>

#define KEY_LEN 32

struct key {
	uint8_t bytes[KEY_LEN];
};

/*! Whether two keys are the same, in constant time. */
static inline bool key_equal(const struct key *a, const struct key *b)
{
	return sodium_memcmp(a->bytes, b->bytes, KEY_LEN) == 0;
}

/*! Whether a key is all zero, in constant time: "no key", and never a valid public one. */
static inline bool key_is_zero(const struct key *key)
{
	return sodium_is_zero(key->bytes, KEY_LEN) == 1;
}

/*!
 * Whether a public key is a point of low order, as all zero is: times any private key it is zero,
 * so everybody would know the secret (RFC 7748 section 6.1). libsodium refuses exactly these.
 */
static inline bool key_is_low_order(const struct key *key)
{
	static const uint8_t scalar[KEY_LEN] = { 8 }; /* whichever: they are all multiples of it */
	struct key result;

	return crypto_scalarmult(result.bytes, scalar, key->bytes) != 0;
}

#endif
