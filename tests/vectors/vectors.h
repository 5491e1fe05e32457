/*
 * The types of the vectors' rows, and hex(), which turns their text into bytes. Where the vectors
 * come from: README.md.
 */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

/* Hash of 00, 01, 02, ... */
struct hash_row {
	size_t len;
	const char *digest;
};

/* Keyed function of 00, 01, ... under the key 00, 01, ... */
struct mac_row {
	size_t key_len;
	size_t len;
	const char *digest;
};

/* The three outputs of a key derivation. */
struct kdf_row {
	size_t len;
	const char *outputs[3];
};

/* What sealing gives. */
struct aead_row {
	uint64_t counter;
	size_t plain_len;
	size_t ad_len;
	const char *cipher;
};

/* A WireGuard handshake with everything that is random in it fixed. */
struct handshake_vector {
	const char *init_static, *resp_static; /* private keys */
	const char *init_public, *resp_public;
	const char *init_ephemeral, *resp_ephemeral; /* private, as drawn: not clamped */
	const char *preshared;
	const char *stamp;
	const char *cookie; /* that the initiator shows; empty: none */
	const char *initiation, *response;
	const char *to_responder, *to_initiator; /* transport keys */
	const char *keepalive;                   /* by the initiator, counter 0 */
	const char *data;                        /* by the responder, counter 7: 00 to 2f */
	uint32_t init_index, resp_index;
};

/*! Reads hexadecimal text of `size` bytes at most; a vector that is no such text is a bug here. */
static inline size_t hex(const char *text, void *ret, size_t size)
{
	size_t len;

	if (sodium_hex2bin(ret, size, text, strlen(text), NULL, &len, NULL) != 0)
		abort();
	return len;
}

/*! Fills 00, 01, 02, ... */
static inline void fill_counting(uint8_t *ret, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ret[i] = (uint8_t)i;
}

#endif
