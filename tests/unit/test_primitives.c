/*
 * The primitives against published vectors and against an independent implementation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/proto/primitives.h"
#include "tests/vectors/vectors.h"

#include "tests/vectors/generated.h"
#include "tests/vectors/published.h"

#define INPUT_MAX 1024

static void check_hex(const void *actual, size_t len, const char *expected)
{
	uint8_t bytes[INPUT_MAX];

	assert_int_equal(hex(expected, bytes, sizeof(bytes)), len);
	assert_memory_equal(actual, bytes, len);
}

static struct key key_of(const char *text)
{
	struct key key = { .bytes = { 0 } };

	assert_int_equal(hex(text, key.bytes, KEY_LEN), KEY_LEN);
	return key;
}

static void hash_is_blake2s(void **state)
{
	uint8_t input[INPUT_MAX], digest[HASH_LEN];

	(void)state;
	prim_hash(digest, "abc", 3, NULL, 0);
	check_hex(digest, HASH_LEN, blake2s_abc);
	fill_counting(input, sizeof(input));
	for (size_t i = 0; i < ARRAY_SIZE(hash_rows); i++) {
		prim_hash(digest, input, hash_rows[i].len, NULL, 0);
		check_hex(digest, HASH_LEN, hash_rows[i].digest);
	}
}

/* Hash(a || b) does not depend on where the cut is, and its result may lie on an input. */
static void hash_joins_its_parts(void **state)
{
	uint8_t input[INPUT_MAX], digest[HASH_LEN];

	(void)state;
	fill_counting(input, sizeof(input));
	for (size_t cut = 0; cut <= 129; cut++) {
		prim_hash(digest, input, cut, input + cut, 129 - cut);
		check_hex(digest, HASH_LEN, hash_rows[13].digest);
	}
	prim_hash(input, input, HASH_LEN, input + HASH_LEN, 129 - HASH_LEN);
	check_hex(input, HASH_LEN, hash_rows[13].digest);
}

static void mac_is_keyed_blake2s(void **state)
{
	uint8_t input[INPUT_MAX], digest[MAC_LEN], longer[HASH_LEN];

	(void)state;
	fill_counting(input, sizeof(input));
	for (size_t i = 0; i < ARRAY_SIZE(mac_rows); i++) {
		prim_mac(digest, input, mac_rows[i].key_len, input, mac_rows[i].len);
		check_hex(digest, MAC_LEN, mac_rows[i].digest);
	}
	/* The length is part of BLAKE2s' parameters: a short MAC is not a cut long one. */
	prim_mac(digest, input, 32, NULL, 0);
	hex(blake2s_keyed_nothing, longer, sizeof(longer));
	assert_memory_not_equal(digest, longer, MAC_LEN);
}

static void hmac_matches(void **state)
{
	uint8_t input[INPUT_MAX], digest[HASH_LEN];

	(void)state;
	fill_counting(input, sizeof(input));
	for (size_t i = 0; i < ARRAY_SIZE(hmac_rows); i++) {
		prim_hmac(digest, input, hmac_rows[i].key_len, input, hmac_rows[i].len);
		check_hex(digest, HASH_LEN, hmac_rows[i].digest);
	}
	/* The result may lie on the input, and on the key. */
	prim_hmac(input, input, 32, input, 32);
	check_hex(input, HASH_LEN, hmac_rows[8].digest);
}

static void kdf_matches(void **state)
{
	uint8_t input[INPUT_MAX], first[HASH_LEN], second[HASH_LEN], third[HASH_LEN];
	uint8_t chaining_key[HASH_LEN];

	(void)state;
	fill_counting(input, sizeof(input));
	for (size_t i = 0; i < ARRAY_SIZE(kdf_rows); i++) {
		const struct kdf_row *row = &kdf_rows[i];

		prim_kdf(input, input, row->len, first, second, third);
		check_hex(first, HASH_LEN, row->outputs[0]);
		check_hex(second, HASH_LEN, row->outputs[1]);
		check_hex(third, HASH_LEN, row->outputs[2]);

		/* Fewer outputs do not change the first ones; in place as Noise does it. */
		memcpy(chaining_key, input, HASH_LEN);
		prim_kdf(chaining_key, input, row->len, chaining_key, second, NULL);
		check_hex(chaining_key, HASH_LEN, row->outputs[0]);
		check_hex(second, HASH_LEN, row->outputs[1]);
		prim_kdf(input, input, row->len, first, NULL, NULL);
		check_hex(first, HASH_LEN, row->outputs[0]);
	}
}

static void dh_is_x25519(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(x25519_rows); i++) {
		struct key private_key = key_of(x25519_rows[i].private_key);
		struct key public_key = key_of(x25519_rows[i].public_key);
		struct key shared;

		assert_true(prim_dh(&shared, &private_key, public_key.bytes));
		check_hex(shared.bytes, KEY_LEN, x25519_rows[i].shared);
	}
}

static void dh_iterates(void **state)
{
	struct key k = { .bytes = { 9 } }, u = { .bytes = { 9 } }, result;

	(void)state;
	for (size_t i = 1; i <= 1000; i++) {
		assert_true(prim_dh(&result, &k, u.bytes));
		u = k;
		k = result;
		if (i == 1)
			check_hex(k.bytes, KEY_LEN, x25519_after_1);
	}
	check_hex(k.bytes, KEY_LEN, x25519_after_1000);
}

static void dh_refuses_low_order(void **state)
{
	struct key private_key = key_of(x25519_rows[0].private_key), point, shared;

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(low_order_points); i++) {
		point = key_of(low_order_points[i / 2]);
		if (i % 2)
			point.bytes[31] |= 0x80;
		memset(&shared, 0xaa, sizeof(shared));
		assert_false(prim_dh(&shared, &private_key, point.bytes));
		assert_true(key_is_zero(&shared));
	}
}

/* Other points beyond the field's prime, and the unused bit, count modulo: RFC 7748 section 5. */
static void dh_takes_unreduced_points(void **state)
{
	struct key private_key = key_of(x25519_rows[0].private_key);
	struct key nine = { .bytes = { 9 } }, unreduced, expected, shared;

	(void)state;
	assert_true(prim_dh(&expected, &private_key, nine.bytes));
	memset(unreduced.bytes, 0xff, KEY_LEN);
	unreduced.bytes[0] = 0xf6; /* 2^255 - 19 + 9, and the bit above */
	assert_true(prim_dh(&shared, &private_key, unreduced.bytes));
	assert_true(key_equal(&shared, &expected));
	unreduced.bytes[31] = 0x7f;
	assert_true(prim_dh(&shared, &private_key, unreduced.bytes));
	assert_true(key_equal(&shared, &expected));
}

static void dh_generates_pairs(void **state)
{
	struct key a, b, a_shared, b_shared, a_again;
	uint8_t a_public[KEY_LEN], b_public[KEY_LEN];

	(void)state;
	prim_dh_generate(&a, a_public);
	prim_dh_generate(&b, b_public);
	assert_false(key_equal(&a, &b));
	assert_int_equal(a.bytes[0] & 7, 0);
	assert_int_equal(a.bytes[31] & 0xc0, 0x40);
	prim_dh_public(&a_again, &a);
	assert_memory_equal(a_again.bytes, a_public, KEY_LEN);
	assert_true(prim_dh(&a_shared, &a, b_public));
	assert_true(prim_dh(&b_shared, &b, a_public));
	assert_true(key_equal(&a_shared, &b_shared));
}

static void public_key_needs_no_clamped_private(void **state)
{
	struct key private_key = { .bytes = { 0 } }, clamped = { .bytes = { 0 } }, a, b;

	(void)state;
	memset(private_key.bytes, 0xff, KEY_LEN);
	memset(clamped.bytes, 0xff, KEY_LEN);
	clamped.bytes[0] = 0xf8;
	clamped.bytes[31] = 0x7f;
	prim_dh_public(&a, &private_key);
	prim_dh_public(&b, &clamped);
	assert_true(key_equal(&a, &b));
}

static void aead_matches_rfc(void **state)
{
	uint8_t plain[INPUT_MAX], ad[INPUT_MAX], cipher[INPUT_MAX];
	struct key key = key_of(chacha20poly1305_rfc.key);
	size_t plain_len = hex(chacha20poly1305_rfc.plain, plain, sizeof(plain));
	size_t ad_len = hex(chacha20poly1305_rfc.ad, ad, sizeof(ad));

	(void)state;
	prim_aead_seal(cipher, plain, plain_len, ad, ad_len, chacha20poly1305_rfc.counter,
		       key.bytes);
	check_hex(cipher, plain_len + TAG_LEN, chacha20poly1305_rfc.cipher);
}

static void aead_matches(void **state)
{
	uint8_t input[INPUT_MAX], buf[INPUT_MAX];

	(void)state;
	fill_counting(input, sizeof(input));
	for (size_t i = 0; i < ARRAY_SIZE(aead_rows); i++) {
		const struct aead_row *row = &aead_rows[i];
		size_t len = row->plain_len + TAG_LEN;

		prim_aead_seal(buf, input, row->plain_len, input, row->ad_len, row->counter, input);
		check_hex(buf, len, row->cipher);
		assert_true(prim_aead_open(buf, buf, len, input, row->ad_len, row->counter, input));
		assert_memory_equal(buf, input, row->plain_len);
		/* In place. */
		prim_aead_seal(buf, buf, row->plain_len, input, row->ad_len, row->counter, input);
		check_hex(buf, len, row->cipher);
	}
}

static void aead_refuses_forgeries(void **state)
{
	uint8_t input[64], cipher[32 + TAG_LEN], plain[32 + TAG_LEN];

	(void)state;
	fill_counting(input, sizeof(input));
	prim_aead_seal(cipher, input, 32, input, 32, 5, input);
	for (size_t bit = 0; bit < 8 * sizeof(cipher); bit++) {
		cipher[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(prim_aead_open(plain, cipher, sizeof(cipher), input, 32, 5, input));
		cipher[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_false(prim_aead_open(plain, cipher, sizeof(cipher), input, 32, 4, input));
	assert_false(prim_aead_open(plain, cipher, sizeof(cipher), input, 31, 5, input));
	assert_false(prim_aead_open(plain, cipher, sizeof(cipher), input, 32, 5, input + 1));
	assert_false(prim_aead_open(plain, cipher, sizeof(cipher), NULL, 0, 5, input));
	for (size_t len = 0; len < sizeof(cipher); len++)
		assert_false(prim_aead_open(plain, cipher, len, input, 32, 5, input));
	assert_true(prim_aead_open(plain, cipher, sizeof(cipher), input, 32, 5, input));
}

static void xaead_matches(void **state)
{
	uint8_t key[AEAD_KEY_LEN], nonce[XAEAD_NONCE_LEN], plain[MAC_LEN], ad[16];
	uint8_t cipher[MAC_LEN + TAG_LEN], opened[MAC_LEN];
	size_t ad_len;

	(void)state;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(0x80 + i);
	for (size_t i = 0; i < sizeof(nonce); i++)
		nonce[i] = (uint8_t)(0x40 + i);
	hex(xchacha_draft_plain, plain, sizeof(plain));
	ad_len = hex(xchacha_draft_ad, ad, sizeof(ad));
	prim_xaead_seal(cipher, plain, ad, ad_len, nonce, key);
	check_hex(cipher, MAC_LEN, xchacha_draft_cipher);
	check_hex(cipher, sizeof(cipher), xaead_draft_ad);
	fill_counting(ad, sizeof(ad));
	prim_xaead_seal(cipher, plain, ad, sizeof(ad), nonce, key);
	check_hex(cipher, sizeof(cipher), xaead_mac_ad);
	assert_true(prim_xaead_open(opened, cipher, ad, sizeof(ad), nonce, key));
	assert_memory_equal(opened, plain, MAC_LEN);

	for (size_t bit = 0; bit < 8 * sizeof(cipher); bit++) {
		cipher[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(prim_xaead_open(opened, cipher, ad, sizeof(ad), nonce, key));
		cipher[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ad[15] ^= 1;
	assert_false(prim_xaead_open(opened, cipher, ad, sizeof(ad), nonce, key));
	ad[15] ^= 1;
	nonce[0] ^= 1;
	assert_false(prim_xaead_open(opened, cipher, ad, sizeof(ad), nonce, key));
	nonce[0] ^= 1;
	nonce[23] ^= 1;
	assert_false(prim_xaead_open(opened, cipher, ad, sizeof(ad), nonce, key));
	nonce[23] ^= 1;
	key[31] ^= 1;
	assert_false(prim_xaead_open(opened, cipher, ad, sizeof(ad), nonce, key));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_is_blake2s),
		cmocka_unit_test(hash_joins_its_parts),
		cmocka_unit_test(mac_is_keyed_blake2s),
		cmocka_unit_test(hmac_matches),
		cmocka_unit_test(kdf_matches),
		cmocka_unit_test(dh_is_x25519),
		cmocka_unit_test(dh_iterates),
		cmocka_unit_test(dh_refuses_low_order),
		cmocka_unit_test(dh_takes_unreduced_points),
		cmocka_unit_test(dh_generates_pairs),
		cmocka_unit_test(public_key_needs_no_clamped_private),
		cmocka_unit_test(aead_matches_rfc),
		cmocka_unit_test(aead_matches),
		cmocka_unit_test(aead_refuses_forgeries),
		cmocka_unit_test(xaead_matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
