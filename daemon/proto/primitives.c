/* Hash, Mac, Hmac, Kdf, DH and the AEADs; see primitives.h. */
#include "daemon/proto/primitives.h"

#include <blake2.h>
#include <sodium.h>

#define BLAKE2S_BLOCK_LEN 64
/* More bytes than a call of libb2 has on the stack. */
#define STACK_OF_HASH 1024

void prim_hash(uint8_t ret[static HASH_LEN], const void *a, size_t a_len, const void *b,
	       size_t b_len)
{
	blake2s_state state;

	blake2s_init(&state, HASH_LEN);
	blake2s_update(&state, a, a_len);
	blake2s_update(&state, b, b_len);
	blake2s_final(&state, ret, HASH_LEN);
	sodium_memzero(&state, sizeof(state));
}

void prim_mac(uint8_t ret[static MAC_LEN], const void *key, size_t key_len, const void *input,
	      size_t input_len)
{
	blake2s_state state;

	blake2s_init_key(&state, MAC_LEN, key, key_len);
	blake2s_update(&state, input, input_len);
	blake2s_final(&state, ret, MAC_LEN);
	sodium_memzero(&state, sizeof(state));
}

void prim_hmac(uint8_t ret[static HASH_LEN], const uint8_t *key, size_t key_len,
	       const uint8_t *input, size_t input_len)
{
	uint8_t inner_pad[BLAKE2S_BLOCK_LEN] = { 0 };
	uint8_t outer_pad[BLAKE2S_BLOCK_LEN];
	uint8_t inner[HASH_LEN];
	size_t i;

	if (key_len > BLAKE2S_BLOCK_LEN)
		prim_hash(inner_pad, key, key_len, NULL, 0);
	else
		memcpy(inner_pad, key, key_len);
	for (i = 0; i < BLAKE2S_BLOCK_LEN; i++) {
		outer_pad[i] = inner_pad[i] ^ 0x5c;
		inner_pad[i] ^= 0x36;
	}
	prim_hash(inner, inner_pad, sizeof(inner_pad), input, input_len);
	prim_hash(ret, outer_pad, sizeof(outer_pad), inner, sizeof(inner));

	sodium_memzero(inner_pad, sizeof(inner_pad));
	sodium_memzero(outer_pad, sizeof(outer_pad));
	sodium_memzero(inner, sizeof(inner));
}

void prim_kdf(const uint8_t chaining_key[static HASH_LEN], const uint8_t *input, size_t input_len,
	      uint8_t first[static HASH_LEN], uint8_t *second, uint8_t *third)
{
	uint8_t secret[HASH_LEN];
	uint8_t block[HASH_LEN + 1]; /* T(n-1) || n, RFC 5869 section 2.3 */

	prim_hmac(secret, chaining_key, HASH_LEN, input, input_len);
	block[0] = 1;
	prim_hmac(block, secret, HASH_LEN, block, 1);
	memcpy(first, block, HASH_LEN);
	if (second) {
		block[HASH_LEN] = 2;
		prim_hmac(block, secret, HASH_LEN, block, sizeof(block));
		memcpy(second, block, HASH_LEN);
	}
	if (third) {
		block[HASH_LEN] = 3;
		prim_hmac(block, secret, HASH_LEN, block, sizeof(block));
		memcpy(third, block, HASH_LEN);
	}
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(block, sizeof(block));
	/* libb2 leaves what it hashed on the stack. */
	sodium_stackzero(STACK_OF_HASH);
}

bool prim_dh(struct key *ret, const struct key *private_key,
	     const uint8_t public_key[static KEY_LEN])
{
	/* libsodium refuses the points of low order by itself; the second test keeps the rule
	 * true whatever it does. */
	if (crypto_scalarmult_curve25519(ret->bytes, private_key->bytes, public_key) == 0 &&
	    !key_is_zero(ret))
		return true;
	sodium_memzero(ret, sizeof(*ret));
	return false;
}

void prim_dh_generate(struct key *ret_private, uint8_t ret_public[static KEY_LEN])
{
	randombytes_buf(ret_private->bytes, KEY_LEN);
	ret_private->bytes[0] &= 248;
	ret_private->bytes[31] = (ret_private->bytes[31] & 127) | 64;
	crypto_scalarmult_curve25519_base(ret_public, ret_private->bytes);
}

void prim_dh_public(struct key *ret_public, const struct key *private_key)
{
	crypto_scalarmult_curve25519_base(ret_public->bytes, private_key->bytes);
}

/* 0^32 || counter, paper section 5.4.6. */
static void make_nonce(uint8_t nonce[static crypto_aead_chacha20poly1305_ietf_NPUBBYTES],
		       uint64_t counter)
{
	le64_t wire = le64_make(counter);

	memset(nonce, 0, 4);
	memcpy(nonce + 4, wire.wire, sizeof(wire.wire));
}

void prim_aead_seal(uint8_t *cipher, const uint8_t *plain, size_t plain_len, const void *ad,
		    size_t ad_len, uint64_t counter, const uint8_t key[static AEAD_KEY_LEN])
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

	make_nonce(nonce, counter);
	crypto_aead_chacha20poly1305_ietf_encrypt(cipher, NULL, plain, plain_len, ad, ad_len, NULL,
						  nonce, key);
}

bool prim_aead_open(uint8_t *plain, const uint8_t *cipher, size_t cipher_len, const void *ad,
		    size_t ad_len, uint64_t counter, const uint8_t key[static AEAD_KEY_LEN])
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

	make_nonce(nonce, counter);
	return crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL, cipher, cipher_len, ad,
							 ad_len, nonce, key) == 0;
}

void prim_xaead_seal(uint8_t cipher[static MAC_LEN + TAG_LEN], const uint8_t plain[static MAC_LEN],
		     const void *ad, size_t ad_len, const uint8_t nonce[static XAEAD_NONCE_LEN],
		     const uint8_t key[static AEAD_KEY_LEN])
{
	crypto_aead_xchacha20poly1305_ietf_encrypt(cipher, NULL, plain, MAC_LEN, ad, ad_len, NULL,
						   nonce, key);
}

bool prim_xaead_open(uint8_t plain[static MAC_LEN], const uint8_t cipher[static MAC_LEN + TAG_LEN],
		     const void *ad, size_t ad_len, const uint8_t nonce[static XAEAD_NONCE_LEN],
		     const uint8_t key[static AEAD_KEY_LEN])
{
	return crypto_aead_xchacha20poly1305_ietf_decrypt(
		       plain, NULL, NULL, cipher, MAC_LEN + TAG_LEN, ad, ad_len, nonce, key) == 0;
}
