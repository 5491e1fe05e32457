/*
 * Ciphers: what each seals against vectors of other implementations, where the counter lies in
 * the nonce, and that nothing altered opens. A cipher that this machine does not have is left out;
 * the rows of the table are checked for all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/proto/cipher.h"
#include "tests/unit/seed.h"
#include "tests/vectors/vectors.h"

/* What sealing 00, 01, ... gives. */
struct cipher_row {
	enum cipher_suite suite;
	uint64_t counter;
	size_t len;
	const char *sealed;
};

#include "tests/vectors/ciphers.h"

#define PACKET_MAX 9000
#define SEALED_MAX (PACKET_MAX + CIPHER_TAG_MAX)

/* A cipher under a key, and what it is called when something fails. */
struct desk {
	const struct cipher *cipher;
	union cipher_key key;
};

static struct desk desk_of(enum cipher_suite suite, uint8_t first)
{
	struct desk desk = { .cipher = cipher_get(suite) };
	uint8_t bytes[CIPHER_KEY_LEN];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(first + i);
	desk.cipher->init(&desk.key, bytes);
	return desk;
}

/* Runs a case for each cipher that is available. */
static void with_each(void (*run)(const struct desk *desk))
{
	for (enum cipher_suite suite = 0; suite < N_CIPHERS; suite++) {
		struct desk desk;

		if (!cipher_get(suite)->is_available()) {
			print_message("%s is not available here\n", cipher_get(suite)->name);
			continue;
		}
		desk = desk_of(suite, 0x80);
		run(&desk);
	}
}

static bool opens(const struct desk *desk, const uint8_t *sealed, size_t len, uint64_t counter)
{
	static uint8_t plain[SEALED_MAX];

	return cipher_open(desk->cipher, &desk->key, plain, sealed, len, counter);
}

static void the_table_is_whole(void **state)
{
	static const struct {
		const char *name;
		size_t tag_len;
	} rows[N_CIPHERS] = {
		{ "chacha20-poly1305", 16 },
		{ "aes256-gcm", 16 },
		{ "aegis128l", 32 },
		{ "aegis256", 32 },
	};

	(void)state;
	for (enum cipher_suite suite = 0; suite < N_CIPHERS; suite++) {
		const struct cipher *cipher = cipher_get(suite);

		assert_string_equal(cipher->name, rows[suite].name);
		if (!cipher->is_available())
			continue;
		assert_int_equal(cipher->tag_len, rows[suite].tag_len);
		assert_true(cipher->tag_len <= CIPHER_TAG_MAX);
		assert_non_null(cipher->init);
		assert_non_null(cipher->seal_batch);
		assert_non_null(cipher->open_batch);
	}
	assert_true(cipher_get(CIPHER_CHACHA20_POLY1305)->is_available());
	assert_int_equal(cipher_get(CIPHER_AES256_GCM)->is_available(),
			 crypto_aead_aes256gcm_is_available() == 1);
}

/* A build whose libsodium has AEGIS, 1.0.19 or later, must not fall back on a processor with AES;
 * with an older one both are refused. */
static void aegis_is_there_where_it_can_be(void **state)
{
	bool has_128l = cipher_get(CIPHER_AEGIS128L)->is_available();

	(void)state;
	assert_int_equal(cipher_get(CIPHER_AEGIS256)->is_available(), has_128l);
	if (SODIUM_LIBRARY_VERSION_MAJOR < 26)
		assert_false(has_128l);
	else if (sodium_runtime_has_aesni() == 1)
		assert_true(has_128l);
}

/* NIST's AES-256-GCM test cases 13 and 14 (McGrew and Viega, "The Galois/Counter Mode of
 * Operation", appendix B): key and nonce zero, as our first packet under a zero key. */
static void aes256_gcm_as_published(void **state)
{
	static const char *const sealed[] = {
		"530f8afbc74536b9a963b4f1c4cb738b",
		"cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
	};
	static const uint8_t zeros[CIPHER_KEY_LEN];
	const struct cipher *cipher = cipher_get(CIPHER_AES256_GCM);
	union cipher_key key;
	uint8_t expected[32], got[32];

	(void)state;
	if (!cipher->is_available())
		skip();
	cipher->init(&key, zeros);
	for (size_t i = 0; i < ARRAY_SIZE(sealed); i++) {
		size_t len = hex(sealed[i], expected, sizeof(expected));

		cipher_seal(cipher, &key, got, zeros, len - cipher->tag_len, 0);
		assert_memory_equal(got, expected, len);
	}
}

static void seals_as_independent_implementations(void **state)
{
	uint8_t plain[256], expected[256], got[256];

	(void)state;
	fill_counting(plain, sizeof(plain));
	for (size_t i = 0; i < ARRAY_SIZE(cipher_rows); i++) {
		const struct cipher_row *row = &cipher_rows[i];
		struct desk desk;

		if (!cipher_get(row->suite)->is_available())
			continue;
		desk = desk_of(row->suite, 0x80);
		assert_int_equal(hex(row->sealed, expected, sizeof(expected)),
				 row->len + desk.cipher->tag_len);
		cipher_seal(desk.cipher, &desk.key, got, plain, row->len, row->counter);
		assert_memory_equal(got, expected, row->len + desk.cipher->tag_len);
		assert_true(cipher_open(desk.cipher, &desk.key, got, expected,
					row->len + desk.cipher->tag_len, row->counter));
		assert_memory_equal(got, plain, row->len);
	}
}

static void round_trip(const struct desk *desk, const uint8_t *plain, size_t len, uint64_t counter)
{
	static uint8_t apart[SEALED_MAX + 1], in_place[SEALED_MAX + 1], back[SEALED_MAX + 1];
	const struct cipher *cipher = desk->cipher;
	size_t sealed_len = len + cipher->tag_len;

	apart[sealed_len] = in_place[sealed_len] = back[len] = 0x5a;
	cipher_seal(cipher, &desk->key, apart, plain, len, counter);
	memcpy(in_place, plain, len);
	cipher_seal(cipher, &desk->key, in_place, in_place, len, counter);
	assert_memory_equal(in_place, apart, sealed_len);
	if (len >= 16)
		assert_memory_not_equal(apart, plain, len);

	assert_true(cipher_open(cipher, &desk->key, back, apart, sealed_len, counter));
	assert_memory_equal(back, plain, len);
	assert_true(cipher_open(cipher, &desk->key, in_place, in_place, sealed_len, counter));
	assert_memory_equal(in_place, plain, len);
	/* Not a byte beyond. */
	assert_int_equal(apart[sealed_len], 0x5a);
	assert_int_equal(in_place[sealed_len], 0x5a);
	assert_int_equal(back[len], 0x5a);
}

static void round_trips(const struct desk *desk)
{
	static uint8_t plain[PACKET_MAX];
	struct seeded seeded = seeded_begin(desk->cipher->name);

	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)seeded_next(&seeded);
	for (size_t len = 0; len <= 600; len++)
		round_trip(desk, plain, len, seeded_next(&seeded));
	for (size_t i = 0; i < 300; i++) {
		size_t len = seeded_below(&seeded, PACKET_MAX - 64 + 1);

		/* Also from addresses that are aligned to nothing. */
		round_trip(desk, plain + seeded_below(&seeded, 64), len, seeded_next(&seeded));
	}
	round_trip(desk, plain, PACKET_MAX, UINT64_MAX);
}

static void every_length_comes_back(void **state)
{
	(void)state;
	with_each(round_trips);
}

static void flip_bits(const struct desk *desk)
{
	static const size_t lengths[] = { 0, 1, 16, 45, 64 };
	uint8_t plain[64], sealed[64 + CIPHER_TAG_MAX];

	fill_counting(plain, sizeof(plain));
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		size_t sealed_len = lengths[i] + desk->cipher->tag_len;

		cipher_seal(desk->cipher, &desk->key, sealed, plain, lengths[i], 7);
		for (size_t bit = 0; bit < 8 * sealed_len; bit++) {
			sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(opens(desk, sealed, sealed_len, 7));
			sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		for (unsigned int bit = 0; bit < 64; bit++)
			assert_false(opens(desk, sealed, sealed_len, 7 ^ 1ULL << bit));
		/* Cut short by any number of bytes that leaves a tag. */
		for (size_t len = desk->cipher->tag_len; len < sealed_len; len++)
			assert_false(opens(desk, sealed, len, 7));
		assert_true(opens(desk, sealed, sealed_len, 7));
	}
}

static void no_altered_bit_opens(void **state)
{
	(void)state;
	with_each(flip_bits);
}

/* Each bit of the key's bytes that the cipher takes. */
static void flip_key_bits(const struct desk *desk)
{
	size_t key_len = desk->cipher == cipher_get(CIPHER_AEGIS128L) ? 16 : CIPHER_KEY_LEN;
	uint8_t plain[20], sealed[20 + CIPHER_TAG_MAX], bytes[CIPHER_KEY_LEN];
	struct desk other = *desk;

	fill_counting(plain, sizeof(plain));
	cipher_seal(desk->cipher, &desk->key, sealed, plain, sizeof(plain), 0);
	for (size_t bit = 0; bit < 8 * key_len; bit++) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)(0x80 + i);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		other.cipher->init(&other.key, bytes);
		assert_false(opens(&other, sealed, sizeof(plain) + desk->cipher->tag_len, 0));
	}
}

static void another_key_does_not_open(void **state)
{
	(void)state;
	with_each(flip_key_bits);
}

/* Sealed under one cipher, it does not open as another with the same key. */
static void another_cipher_does_not_open(void **state)
{
	uint8_t plain[64], sealed[64 + CIPHER_TAG_MAX];

	(void)state;
	fill_counting(plain, sizeof(plain));
	for (enum cipher_suite suite = 0; suite < N_CIPHERS; suite++) {
		struct desk desk;

		if (!cipher_get(suite)->is_available())
			continue;
		desk = desk_of(suite, 1);
		cipher_seal(desk.cipher, &desk.key, sealed, plain, sizeof(plain), 3);
		for (enum cipher_suite other = 0; other < N_CIPHERS; other++) {
			struct desk wrong;

			if (other == suite || !cipher_get(other)->is_available())
				continue;
			wrong = desk_of(other, 1);
			assert_false(
				opens(&wrong, sealed, sizeof(plain) + desk.cipher->tag_len, 3));
		}
	}
}

/* The nonce itself: libsodium called with one that is written down here. */
static void counters_are_the_end_of_the_nonce(void **state)
{
	static const uint8_t nonce[12] = { 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1 };
	struct desk desk = desk_of(CIPHER_CHACHA20_POLY1305, 0);
	uint8_t key[CIPHER_KEY_LEN], plain[40], got[56], expected[56];

	(void)state;
	fill_counting(key, sizeof(key));
	fill_counting(plain, sizeof(plain));
	cipher_seal(desk.cipher, &desk.key, got, plain, sizeof(plain), 0x0102030405060708);
	crypto_aead_chacha20poly1305_ietf_encrypt(expected, NULL, plain, sizeof(plain), NULL, 0,
						  NULL, nonce, key);
	assert_memory_equal(got, expected, sizeof(got));

	desk = desk_of(CIPHER_AES256_GCM, 0);
	if (!desk.cipher->is_available())
		return;
	cipher_seal(desk.cipher, &desk.key, got, plain, sizeof(plain), 0x0102030405060708);
	crypto_aead_aes256gcm_encrypt(expected, NULL, plain, sizeof(plain), NULL, 0, NULL, nonce,
				      key);
	assert_memory_equal(got, expected, sizeof(got));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_whole),
		cmocka_unit_test(aegis_is_there_where_it_can_be),
		cmocka_unit_test(aes256_gcm_as_published),
		cmocka_unit_test(seals_as_independent_implementations),
		cmocka_unit_test(every_length_comes_back),
		cmocka_unit_test(no_altered_bit_opens),
		cmocka_unit_test(another_key_does_not_open),
		cmocka_unit_test(another_cipher_does_not_open),
		cmocka_unit_test(counters_are_the_end_of_the_nonce),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
