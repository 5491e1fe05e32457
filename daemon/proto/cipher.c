/* The table of ciphers, with the two that every libsodium has; see cipher.h. */
#include "daemon/proto/cipher.h"

#include <string.h>

#include "daemon/proto/primitives.h"

static bool always(void)
{
	return true;
}

static void chacha20_init(union cipher_key *key, const uint8_t *bytes)
{
	memcpy(key->bytes, bytes, CIPHER_KEY_LEN);
}

static void chacha20_seal(const union cipher_key *key, uint8_t *sealed, const uint8_t *plain,
			  size_t len, uint64_t counter)
{
	prim_aead_seal(sealed, plain, len, NULL, 0, counter, key->bytes);
}

static bool chacha20_open(const union cipher_key *key, uint8_t *plain, const uint8_t *sealed,
			  size_t len, uint64_t counter)
{
	return prim_aead_open(plain, sealed, len, NULL, 0, counter, key->bytes);
}

static bool gcm_is_available(void)
{
	return crypto_aead_aes256gcm_is_available() == 1;
}

static void gcm_init(union cipher_key *key, const uint8_t *bytes)
{
	crypto_aead_aes256gcm_beforenm(&key->gcm, bytes);
}

static void gcm_nonce(uint8_t nonce[static crypto_aead_aes256gcm_NPUBBYTES], uint64_t counter)
{
	le64_t wire = le64_make(counter);

	memset(nonce, 0, crypto_aead_aes256gcm_NPUBBYTES - sizeof(wire));
	memcpy(nonce + crypto_aead_aes256gcm_NPUBBYTES - sizeof(wire), wire.wire, sizeof(wire));
}

static void gcm_seal(const union cipher_key *key, uint8_t *sealed, const uint8_t *plain, size_t len,
		     uint64_t counter)
{
	uint8_t nonce[crypto_aead_aes256gcm_NPUBBYTES];

	gcm_nonce(nonce, counter);
	crypto_aead_aes256gcm_encrypt_afternm(sealed, NULL, plain, len, NULL, 0, NULL, nonce,
					      &key->gcm);
}

static bool gcm_open(const union cipher_key *key, uint8_t *plain, const uint8_t *sealed, size_t len,
		     uint64_t counter)
{
	uint8_t nonce[crypto_aead_aes256gcm_NPUBBYTES];

	gcm_nonce(nonce, counter);
	return crypto_aead_aes256gcm_decrypt_afternm(plain, NULL, NULL, sealed, len, NULL, 0, nonce,
						     &key->gcm) == 0;
}

static const struct cipher chacha20_poly1305 = {
	.name = "chacha20-poly1305",
	.tag_len = crypto_aead_chacha20poly1305_ietf_ABYTES,
	.is_available = always,
	.init = chacha20_init,
	.seal = chacha20_seal,
	.open = chacha20_open,
};

static const struct cipher aes256_gcm = {
	.name = "aes256-gcm",
	.tag_len = crypto_aead_aes256gcm_ABYTES,
	.is_available = gcm_is_available,
	.init = gcm_init,
	.seal = gcm_seal,
	.open = gcm_open,
};

const struct cipher *cipher_get(enum cipher_suite suite)
{
	static const struct cipher *const ciphers[N_CIPHERS] = {
		[CIPHER_CHACHA20_POLY1305] = &chacha20_poly1305,
		[CIPHER_AES256_GCM] = &aes256_gcm,
		[CIPHER_AEGIS128L] = &cipher_aegis128l,
		[CIPHER_AEGIS256] = &cipher_aegis256,
	};

	return ciphers[suite];
}
