/*
 * What the rows of the table of ciphers share, and nobody else needs: the nonce, and the rows that
 * have files of their own.
 */
#ifndef PROTO_CIPHER_ROWS_H
#define PROTO_CIPHER_ROWS_H

#include <string.h>

#include "common/bytes.h"
#include "daemon/proto/cipher.h"

extern const struct cipher cipher_chacha20_poly1305;
/* From cipher_aegis.c, or from cipher_aegis_fallback.c where libsodium is older than 1.0.19: those
 * are never available. */
extern const struct cipher cipher_aegis128l;
extern const struct cipher cipher_aegis256;

/*!
 * Puts a message's counter into a nonce, at its end, little endian (WireGuard paper, section
 * 5.4.6).
 * \param nonce  `nonce_len` bytes, zero but for the counter of another message
 */
static inline void cipher_set_nonce(uint8_t *nonce, size_t nonce_len, uint64_t counter)
{
	le64_t wire = le64_make(counter);

	memcpy(nonce + nonce_len - sizeof(wire), wire.wire, sizeof(wire));
}

#endif
