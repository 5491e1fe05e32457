/*
 * ChaCha20-Poly1305 as composed here: the RFC's vectors, libsodium's own AEAD as the oracle at
 * every length and at odd addresses, forgeries, and that no byte outside of a message is read or
 * written: messages lie against pages that may not be touched, and are sealed from memory that may
 * only be read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/mman.h>

#include "daemon/proto/cipher.h"
#include "tests/unit/seed.h"
#include "tests/vectors/published.h"
#include "tests/vectors/vectors.h"

#define TAG_LEN 16
/* Above what is ciphered in the scratch buffer. */
#define TEXT_MAX   9300
#define SEALED_MAX (TEXT_MAX + TAG_LEN)
#define FILLER     0xa5

/* Memory between two pages that may not be touched. */
#define PAGE       65536 /* a multiple of any system's */
#define ARENA_SIZE PAGE

static uint8_t *arenas[3];
static uint8_t plain[TEXT_MAX], expected[SEALED_MAX];
static const struct cipher *cipher;
static union cipher_key key;
static uint8_t key_bytes[CIPHER_KEY_LEN];

static uint8_t *make_arena(void)
{
	uint8_t *memory =
		mmap(NULL, 3 * (size_t)PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	assert_int_equal(mprotect(memory + PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
	return memory + PAGE;
}

static void may_write(uint8_t *arena, bool yes)
{
	assert_int_equal(mprotect(arena, ARENA_SIZE, yes ? PROT_READ | PROT_WRITE : PROT_READ), 0);
}

static int begin(void **state)
{
	struct seeded seeded = seeded_begin("chacha20");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(arenas); i++)
		arenas[i] = make_arena();
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)seeded_next(&seeded);
	for (size_t i = 0; i < sizeof(key_bytes); i++)
		key_bytes[i] = (uint8_t)seeded_next(&seeded);
	cipher = cipher_get(CIPHER_CHACHA20_POLY1305);
	cipher->init(&key, key_bytes);
	return 0;
}

/* What libsodium's AEAD makes of the first bytes of `plain`. */
static void ask_oracle(size_t len, uint64_t counter)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = { 0 };

	for (size_t i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(counter >> 8 * i);
	crypto_aead_chacha20poly1305_ietf_encrypt(expected, NULL, plain, len, NULL, 0, NULL, nonce,
						  key_bytes);
}

/* Where in its arena a message lies: right behind the first page, in front of the last, or
 * anywhere. */
enum where { AT_BEGIN, AT_END, ANYWHERE };

struct spot {
	uint8_t *arena;
	uint8_t *start;
	size_t len;
};

static struct spot make_spot(size_t i, enum where where, size_t len, struct seeded *seeded)
{
	struct spot spot = { .arena = arenas[i], .len = len };

	memset(spot.arena, FILLER, ARENA_SIZE);
	switch (where) {
	case AT_BEGIN:
		spot.start = spot.arena;
		break;
	case AT_END:
		spot.start = spot.arena + ARENA_SIZE - len;
		break;
	default:
		spot.start = spot.arena + 1024 + seeded_below(seeded, 128);
	}
	return spot;
}

/* Around a message nothing has changed: what is near it here, what is far away is another page. */
static void check_around(const struct spot *spot)
{
	static uint8_t filler[1024];
	size_t before = MIN((size_t)(spot->start - spot->arena), sizeof(filler));
	size_t behind =
		MIN(ARENA_SIZE - (size_t)(spot->start - spot->arena) - spot->len, sizeof(filler));

	memset(filler, FILLER, sizeof(filler));
	assert_memory_equal(spot->start - before, filler, before);
	assert_memory_equal(spot->start + spot->len, filler, behind);
}

static void check_apart(enum where where, size_t len, uint64_t counter, struct seeded *seeded)
{
	struct spot from = make_spot(0, where, len, seeded);
	struct spot to = make_spot(1, where, len + TAG_LEN, seeded);
	struct spot back = make_spot(2, where, len, seeded);

	memcpy(from.start, plain, len);
	may_write(from.arena, false);
	cipher_seal(cipher, &key, to.start, from.start, len, counter);
	may_write(from.arena, true);
	assert_memory_equal(to.start, expected, to.len);
	check_around(&to);

	may_write(to.arena, false);
	assert_true(cipher_open(cipher, &key, back.start, to.start, to.len, counter));
	may_write(to.arena, true);
	assert_memory_equal(back.start, plain, len);
	check_around(&back);
}

static void check_in_place(enum where where, size_t len, uint64_t counter, struct seeded *seeded)
{
	struct spot spot = make_spot(0, where, len + TAG_LEN, seeded);

	memcpy(spot.start, plain, len);
	cipher_seal(cipher, &key, spot.start, spot.start, len, counter);
	assert_memory_equal(spot.start, expected, spot.len);
	check_around(&spot);
	assert_true(cipher_open(cipher, &key, spot.start, spot.start, spot.len, counter));
	assert_memory_equal(spot.start, plain, len);
	check_around(&spot);
}

static void check_lengths(size_t first, size_t last)
{
	struct seeded seeded = seeded_begin("lengths");

	for (size_t len = first; len <= last; len++) {
		uint64_t counter = seeded_next(&seeded);

		ask_oracle(len, counter);
		for (enum where where = AT_BEGIN; where <= ANYWHERE; where++) {
			check_apart(where, len, counter, &seeded);
			check_in_place(where, len, counter, &seeded);
		}
	}
}

static void every_length_as_libsodium(void **state)
{
	(void)state;
	check_lengths(0, 2100);
}

/* Where the scratch buffer ends. */
static void longer_ones_as_libsodium(void **state)
{
	(void)state;
	check_lengths(9000, TEXT_MAX);
}

/* RFC 8439, appendix A.5: the tag there is over additional data, too, which data messages do not
 * have; the ciphertext is the same. */
static void ciphertext_of_the_rfc(void **state)
{
	uint8_t bytes[CIPHER_KEY_LEN], text[300], want[320], got[320];
	size_t len = hex(chacha20poly1305_rfc.plain, text, sizeof(text));
	union cipher_key rfc_key;

	(void)state;
	hex(chacha20poly1305_rfc.key, bytes, sizeof(bytes));
	hex(chacha20poly1305_rfc.cipher, want, sizeof(want));
	cipher->init(&rfc_key, bytes);
	cipher_seal(cipher, &rfc_key, got, text, len, chacha20poly1305_rfc.counter);
	assert_memory_equal(got, want, len);
}

/* RFC 8439, appendix A.1, test vector 2: block 1 under key and nonce of zeros, which is what
 * sealing zeros gives; block 0 (test vector 1) is the key of the tag. */
static void keystream_of_the_rfc(void **state)
{
	static const uint8_t zeros[64];
	uint8_t block1[64], poly1305_key[32], mac_input[80] = { 0 }, tag[TAG_LEN], got[80];
	union cipher_key zero_key;

	(void)state;
	hex("76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7", poly1305_key,
	    sizeof(poly1305_key));
	hex("9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
	    "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f",
	    block1, sizeof(block1));
	memcpy(mac_input, block1, sizeof(block1));
	mac_input[72] = sizeof(block1); /* behind the length of the additional data */
	crypto_onetimeauth_poly1305(tag, mac_input, sizeof(mac_input), poly1305_key);

	cipher->init(&zero_key, zeros);
	cipher_seal(cipher, &zero_key, got, zeros, sizeof(zeros), 0);
	assert_memory_equal(got, block1, sizeof(block1));
	assert_memory_equal(got + sizeof(block1), tag, sizeof(tag));
}

/* One forged message, in place and apart: refused, and nothing decrypted comes out. */
static void refuse(const uint8_t *forged, size_t len, uint64_t counter)
{
	static uint8_t to[SEALED_MAX];

	memset(to, FILLER, sizeof(to));
	assert_false(cipher_open(cipher, &key, to, forged, len + TAG_LEN, counter));
	for (size_t i = 0; i + 16 <= len; i += 16)
		assert_memory_not_equal(to + i, plain + i, 16);
	memcpy(to, forged, len + TAG_LEN);
	assert_false(cipher_open(cipher, &key, to, to, len + TAG_LEN, counter));
	for (size_t i = 0; i + 16 <= len; i += 16)
		assert_memory_not_equal(to + i, plain + i, 16);
}

static void refuse_altered(size_t len, uint64_t counter, struct seeded *seeded)
{
	static uint8_t forged[SEALED_MAX];

	ask_oracle(len, counter);
	memcpy(forged, expected, len + TAG_LEN);
	/* Each bit of the tag. */
	for (size_t bit = 8 * len; bit < 8 * (len + TAG_LEN); bit++) {
		forged[bit / 8] ^= (uint8_t)(1 << bit % 8);
		refuse(forged, len, counter);
		forged[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	/* First, last, and others of the ciphertext. */
	for (size_t i = 0; len > 0 && i < 60; i++) {
		size_t bit = i == 0 ? 0 : i == 1 ? 8 * len - 1 : seeded_below(seeded, 8 * len);

		forged[bit / 8] ^= (uint8_t)(1 << bit % 8);
		refuse(forged, len, counter);
		forged[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	refuse(forged, len, counter ^ 1);
	assert_true(cipher_open(cipher, &key, forged, forged, len + TAG_LEN, counter));
}

static void forgeries_are_refused(void **state)
{
	/* Around a unit of the tag, a block, what is opened first, and the scratch buffer. */
	static const size_t lengths[] = { 0,   1,   15,  16,  17,   63,   64,   65,   447,
					  448, 449, 500, 512, 1420, 1984, 9120, 9121, TEXT_MAX };
	struct seeded seeded = seeded_begin("forgeries");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		refuse_altered(lengths[i], seeded_next(&seeded), &seeded);
}

/* Zeros behind the ciphertext are under the tag as padding, but the length is under it, too. */
static void padding_is_no_ciphertext(void **state)
{
	uint8_t forged[16 + TAG_LEN];

	(void)state;
	ask_oracle(15, 9);
	memcpy(forged, expected, 15);
	forged[15] = 0;
	memcpy(forged + 16, expected + 15, TAG_LEN);
	assert_false(cipher_open(cipher, &key, forged, forged, sizeof(forged), 9));
}

static void less_than_a_tag_is_refused(void **state)
{
	struct seeded seeded = seeded_begin("short");

	(void)state;
	for (size_t len = 0; len < TAG_LEN; len++) {
		struct spot spot = make_spot(0, AT_END, len, &seeded);

		assert_false(cipher_open(cipher, &key, spot.start, spot.start, len, 0));
		check_around(&spot);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_as_libsodium),
		cmocka_unit_test(longer_ones_as_libsodium),
		cmocka_unit_test(ciphertext_of_the_rfc),
		cmocka_unit_test(keystream_of_the_rfc),
		cmocka_unit_test(forgeries_are_refused),
		cmocka_unit_test(padding_is_no_ciphertext),
		cmocka_unit_test(less_than_a_tag_is_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, begin, NULL);
}
