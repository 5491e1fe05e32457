/* The table of ciphers, with AES-256-GCM; see cipher.h. */
#include "daemon/proto/cipher.h"

#include "daemon/proto/cipher_rows.h"

static bool gcm_is_available(void)
{
	return crypto_aead_aes256gcm_is_available() == 1;
}

static void gcm_init(union cipher_key *key, const uint8_t *bytes)
{
	crypto_aead_aes256gcm_beforenm(&key->gcm, bytes);
}

static void gcm_seal_batch(const union cipher_key *key, const struct cipher_job *jobs, size_t n)
{
	uint8_t nonce[crypto_aead_aes256gcm_NPUBBYTES] = { 0 };

	for (const struct cipher_job *job = jobs; job < jobs + n; job++) {
		cipher_set_nonce(nonce, sizeof(nonce), job->counter);
		crypto_aead_aes256gcm_encrypt_afternm(job->to, NULL, job->from, job->len, NULL, 0,
						      NULL, nonce, &key->gcm);
	}
}

static void gcm_open_batch(const union cipher_key *key, struct cipher_job *jobs, size_t n)
{
	uint8_t nonce[crypto_aead_aes256gcm_NPUBBYTES] = { 0 };

	for (struct cipher_job *job = jobs; job < jobs + n; job++) {
		cipher_set_nonce(nonce, sizeof(nonce), job->counter);
		job->is_authentic = crypto_aead_aes256gcm_decrypt_afternm(job->to, NULL, NULL,
									  job->from, job->len, NULL,
									  0, nonce, &key->gcm) == 0;
	}
}

static const struct cipher aes256_gcm = {
	.name = "aes256-gcm",
	.tag_len = crypto_aead_aes256gcm_ABYTES,
	.is_available = gcm_is_available,
	.init = gcm_init,
	.seal_batch = gcm_seal_batch,
	.open_batch = gcm_open_batch,
};

const struct cipher *cipher_get(enum cipher_suite suite)
{
	static const struct cipher *const ciphers[N_CIPHERS] = {
		[CIPHER_CHACHA20_POLY1305] = &cipher_chacha20_poly1305,
		[CIPHER_AES256_GCM] = &aes256_gcm,
		[CIPHER_AEGIS128L] = &cipher_aegis128l,
		[CIPHER_AEGIS256] = &cipher_aegis256,
	};

	return ciphers[suite];
}
