/*
 * AEGIS (draft-irtf-cfrg-aegis-aead), from libsodium 1.0.19 on: a stream of AES rounds, by far the
 * fastest where the processor has them. Its tag is 32 bytes in libsodium and must not be cut.
 */
#include <string.h>

#include "daemon/proto/cipher_rows.h"

/* In software it would be slower than the baseline, and not in constant time everywhere. */
static bool is_available(void)
{
	return sodium_runtime_has_aesni() == 1 || sodium_runtime_has_armcrypto() == 1;
}

static void init(union cipher_key *key, const uint8_t *bytes)
{
	memcpy(key->bytes, bytes, CIPHER_KEY_LEN);
}

static void seal_batch_128l(const union cipher_key *key, const struct cipher_job *jobs, size_t n)
{
	uint8_t nonce[crypto_aead_aegis128l_NPUBBYTES] = { 0 };

	for (const struct cipher_job *job = jobs; job < jobs + n; job++) {
		cipher_set_nonce(nonce, sizeof(nonce), job->counter);
		crypto_aead_aegis128l_encrypt(job->to, NULL, job->from, job->len, NULL, 0, NULL,
					      nonce, key->bytes);
	}
}

static void open_batch_128l(const union cipher_key *key, struct cipher_job *jobs, size_t n)
{
	uint8_t nonce[crypto_aead_aegis128l_NPUBBYTES] = { 0 };

	for (struct cipher_job *job = jobs; job < jobs + n; job++) {
		cipher_set_nonce(nonce, sizeof(nonce), job->counter);
		job->is_authentic =
			crypto_aead_aegis128l_decrypt(job->to, NULL, NULL, job->from, job->len,
						      NULL, 0, nonce, key->bytes) == 0;
	}
}

static void seal_batch_256(const union cipher_key *key, const struct cipher_job *jobs, size_t n)
{
	uint8_t nonce[crypto_aead_aegis256_NPUBBYTES] = { 0 };

	for (const struct cipher_job *job = jobs; job < jobs + n; job++) {
		cipher_set_nonce(nonce, sizeof(nonce), job->counter);
		crypto_aead_aegis256_encrypt(job->to, NULL, job->from, job->len, NULL, 0, NULL,
					     nonce, key->bytes);
	}
}

static void open_batch_256(const union cipher_key *key, struct cipher_job *jobs, size_t n)
{
	uint8_t nonce[crypto_aead_aegis256_NPUBBYTES] = { 0 };

	for (struct cipher_job *job = jobs; job < jobs + n; job++) {
		cipher_set_nonce(nonce, sizeof(nonce), job->counter);
		job->is_authentic =
			crypto_aead_aegis256_decrypt(job->to, NULL, NULL, job->from, job->len, NULL,
						     0, nonce, key->bytes) == 0;
	}
}

const struct cipher cipher_aegis128l = {
	.name = "aegis128l",
	.tag_len = crypto_aead_aegis128l_ABYTES,
	.is_available = is_available,
	.init = init,
	.seal_batch = seal_batch_128l,
	.open_batch = open_batch_128l,
};

const struct cipher cipher_aegis256 = {
	.name = "aegis256",
	.tag_len = crypto_aead_aegis256_ABYTES,
	.is_available = is_available,
	.init = init,
	.seal_batch = seal_batch_256,
	.open_batch = open_batch_256,
};
