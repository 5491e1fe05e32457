/*
 * AEGIS (draft-irtf-cfrg-aegis-aead), from libsodium 1.0.19 on: a stream of AES rounds, by far the
 * fastest where the processor has them. Its tag is 32 bytes in libsodium and must not be cut.
 */
#include <string.h>

#include "common/bytes.h"
#include "daemon/proto/cipher.h"

/* In software it would be slower than the baseline, and not in constant time everywhere. */
static bool is_available(void)
{
	return sodium_runtime_has_aesni() == 1 || sodium_runtime_has_armcrypto() == 1;
}

static void init(union cipher_key *key, const uint8_t *bytes)
{
	memcpy(key->bytes, bytes, CIPHER_KEY_LEN);
}

static void make_nonce(uint8_t *nonce, size_t nonce_len, uint64_t counter)
{
	le64_t wire = le64_make(counter);

	memset(nonce, 0, nonce_len - sizeof(wire));
	memcpy(nonce + nonce_len - sizeof(wire), wire.wire, sizeof(wire));
}

static void seal_128l(const union cipher_key *key, uint8_t *sealed, const uint8_t *plain,
		      size_t len, uint64_t counter)
{
	uint8_t nonce[crypto_aead_aegis128l_NPUBBYTES];

	make_nonce(nonce, sizeof(nonce), counter);
	crypto_aead_aegis128l_encrypt(sealed, NULL, plain, len, NULL, 0, NULL, nonce, key->bytes);
}

static bool open_128l(const union cipher_key *key, uint8_t *plain, const uint8_t *sealed,
		      size_t len, uint64_t counter)
{
	uint8_t nonce[crypto_aead_aegis128l_NPUBBYTES];

	make_nonce(nonce, sizeof(nonce), counter);
	return crypto_aead_aegis128l_decrypt(plain, NULL, NULL, sealed, len, NULL, 0, nonce,
					     key->bytes) == 0;
}

static void seal_256(const union cipher_key *key, uint8_t *sealed, const uint8_t *plain, size_t len,
		     uint64_t counter)
{
	uint8_t nonce[crypto_aead_aegis256_NPUBBYTES];

	make_nonce(nonce, sizeof(nonce), counter);
	crypto_aead_aegis256_encrypt(sealed, NULL, plain, len, NULL, 0, NULL, nonce, key->bytes);
}

static bool open_256(const union cipher_key *key, uint8_t *plain, const uint8_t *sealed, size_t len,
		     uint64_t counter)
{
	uint8_t nonce[crypto_aead_aegis256_NPUBBYTES];

	make_nonce(nonce, sizeof(nonce), counter);
	return crypto_aead_aegis256_decrypt(plain, NULL, NULL, sealed, len, NULL, 0, nonce,
					    key->bytes) == 0;
}

const struct cipher cipher_aegis128l = {
	.name = "aegis128l",
	.tag_len = crypto_aead_aegis128l_ABYTES,
	.is_available = is_available,
	.init = init,
	.seal = seal_128l,
	.open = open_128l,
};

const struct cipher cipher_aegis256 = {
	.name = "aegis256",
	.tag_len = crypto_aead_aegis256_ABYTES,
	.is_available = is_available,
	.init = init,
	.seal = seal_256,
	.open = open_256,
};
