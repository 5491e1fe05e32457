/*
 * The handshake bound to a suite: with what it opens and with what not, and that no two suites
 * share a key. Tried with all suites, since nothing is sealed with their ciphers here.
 */
#include "tests/unit/fixed_random.h"
#include "tests/unit/peer_pair.h"

#define OFFER_OF(suite) ((offer_t)(1U << (suite)))

struct ends {
	struct noise_identity init, resp;
	struct noise_handshake handshake;
	struct noise_opened_initiation opened;
	struct msg_response response;
	struct noise_session_keys init_keys, resp_keys;
};

static const uint8_t resp_ephemeral[KEY_LEN] = { 0x5e, 0x11 };

static void ends_init(struct ends *ends)
{
	struct tai64n stamp = { be64_make(1), be32_make(0) };
	struct msg_initiation initiation;

	memset(ends, 0, sizeof(*ends));
	pair_keys(&ends->init.own_private, 0xa1, &ends->resp.peer_public);
	pair_keys(&ends->resp.own_private, 0xb2, &ends->init.peer_public);
	memset(&ends->init.preshared, 7, KEY_LEN);
	memset(&ends->resp.preshared, 7, KEY_LEN);
	assert_true(noise_identity_init(&ends->init));
	assert_true(noise_identity_init(&ends->resp));
	memset(&initiation, 0, sizeof(initiation));
	assert_true(
		noise_create_initiation(&ends->init, &stamp, 0x11, &ends->handshake, &initiation));
	assert_int_equal(noise_consume_initiation(&ends->resp, &initiation, &ends->opened),
			 NOISE_DONE);
}

/* Always with the same ephemeral key, so that only the suite makes a difference. */
static void respond_as(struct ends *ends, enum cipher_suite suite)
{
	fixed_random_begin();
	fixed_random_push(resp_ephemeral, KEY_LEN);
	assert_int_equal(noise_create_response(&ends->resp, &ends->opened, suite, 0x22,
					       &ends->response, &ends->resp_keys),
			 NOISE_DONE);
	fixed_random_end();
	assert_int_equal(ends->resp_keys.suite, suite);
}

static enum noise_result finish(struct ends *ends, offer_t offer)
{
	return noise_consume_response(&ends->init, &ends->handshake, &ends->response, offer,
				      &ends->init_keys);
}

/* A response opens as the suite it was made for if that was offered, and else not at all. */
static void opens_as_what_was_offered(void **state)
{
	struct ends ends;

	(void)state;
	for (offer_t offer = 0; offer < 1U << N_CIPHERS; offer++) {
		for (enum cipher_suite suite = 0; suite < N_CIPHERS; suite++) {
			ends_init(&ends);
			respond_as(&ends, suite);
			if (suite != CIPHER_CHACHA20_POLY1305 && !(offer & OFFER_OF(suite))) {
				assert_int_equal(finish(&ends, offer), NOISE_BAD_SEAL);
				/* It waits on for a real one. */
				assert_true(ends.handshake.is_waiting);
				offer |= OFFER_OF(suite);
				assert_int_equal(finish(&ends, offer), NOISE_DONE);
				offer &= (offer_t)~OFFER_OF(suite);
			} else {
				assert_int_equal(finish(&ends, offer), NOISE_DONE);
			}
			assert_int_equal(ends.init_keys.suite, suite);
			assert_memory_equal(ends.init_keys.send, ends.resp_keys.receive, KEY_LEN);
			assert_memory_equal(ends.init_keys.receive, ends.resp_keys.send, KEY_LEN);
		}
	}
}

/* One handshake, each suite: no key and no tag occurs twice. */
static void no_key_is_that_of_another_suite(void **state)
{
	struct noise_session_keys keys[N_CIPHERS];
	struct msg_response responses[N_CIPHERS];
	struct ends ends;

	(void)state;
	ends_init(&ends);
	for (enum cipher_suite suite = 0; suite < N_CIPHERS; suite++) {
		respond_as(&ends, suite);
		keys[suite] = ends.resp_keys;
		responses[suite] = ends.response;
	}
	for (size_t i = 0; i < N_CIPHERS; i++) {
		assert_memory_not_equal(keys[i].send, keys[i].receive, KEY_LEN);
		for (size_t j = 0; j < i; j++) {
			assert_memory_equal(responses[i].ephemeral, responses[j].ephemeral,
					    KEY_LEN);
			assert_memory_not_equal(responses[i].encrypted_nothing,
						responses[j].encrypted_nothing, TAG_LEN);
			assert_memory_not_equal(keys[i].send, keys[j].send, KEY_LEN);
			assert_memory_not_equal(keys[i].receive, keys[j].receive, KEY_LEN);
			assert_memory_not_equal(keys[i].send, keys[j].receive, KEY_LEN);
			assert_memory_not_equal(keys[i].receive, keys[j].send, KEY_LEN);
		}
	}
}

/* The response once more, written down from the paper and offer.h, with any label. */
static void respond_by_hand(struct ends *ends, const char *label, size_t label_len,
			    struct noise_session_keys *ret)
{
	uint8_t *hash = ends->opened.hash, *chain = ends->opened.chaining_key, psk[HASH_LEN];
	struct key ephemeral, shared;
	uint8_t key[KEY_LEN];

	memcpy(ephemeral.bytes, resp_ephemeral, KEY_LEN);
	prim_hash(hash, hash, HASH_LEN, ends->response.ephemeral, KEY_LEN);
	prim_kdf(chain, ends->response.ephemeral, KEY_LEN, chain, NULL, NULL);
	assert_true(prim_dh(&shared, &ephemeral, ends->opened.remote_ephemeral));
	prim_kdf(chain, shared.bytes, KEY_LEN, chain, NULL, NULL);
	assert_true(prim_dh(&shared, &ephemeral, ends->resp.peer_public.bytes));
	prim_kdf(chain, shared.bytes, KEY_LEN, chain, NULL, NULL);
	prim_kdf(chain, ends->resp.preshared.bytes, KEY_LEN, chain, psk, key);
	prim_hash(hash, hash, HASH_LEN, psk, HASH_LEN);
	if (label_len > 0)
		prim_hash(hash, hash, HASH_LEN, label, label_len);
	prim_aead_seal(ends->response.encrypted_nothing, NULL, 0, hash, HASH_LEN, 0, key);
	prim_kdf(chain, (const uint8_t *)label, label_len, ret->receive, ret->send, NULL);
}

static void the_label_is_in_tag_and_keys(void **state)
{
	struct ends ends;

	(void)state;
	for (enum cipher_suite suite = 0; suite < N_CIPHERS; suite++) {
		struct noise_session_keys by_hand;
		uint8_t tag[TAG_LEN];
		size_t len;
		const char *label = offer_label(OFFER_PACKETS, suite, &len);

		ends_init(&ends);
		respond_as(&ends, suite);
		memcpy(tag, ends.response.encrypted_nothing, TAG_LEN);
		respond_by_hand(&ends, label, len, &by_hand);
		assert_memory_equal(ends.response.encrypted_nothing, tag, TAG_LEN);
		assert_memory_equal(ends.resp_keys.send, by_hand.send, KEY_LEN);
		assert_memory_equal(ends.resp_keys.receive, by_hand.receive, KEY_LEN);
	}
}

static void no_other_label_opens(void **state)
{
	(void)state;
	for (enum cipher_suite suite = 1; suite < N_CIPHERS; suite++) {
		struct noise_session_keys by_hand;
		char label[64];
		size_t len;

		offer_label(OFFER_PACKETS, suite, &len);
		assert_true(len <= sizeof(label));
		for (size_t bit = 0; bit < 8 * len; bit += 5) {
			struct ends ends;

			memcpy(label, offer_label(OFFER_PACKETS, suite, &len), len);
			label[bit / 8] = (char)(label[bit / 8] ^ 1 << bit % 8);
			ends_init(&ends);
			respond_as(&ends, suite);
			respond_by_hand(&ends, label, len, &by_hand);
			assert_int_equal(finish(&ends, OFFER_SUITES), NOISE_BAD_SEAL);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_as_what_was_offered),
		cmocka_unit_test(no_key_is_that_of_another_suite),
		cmocka_unit_test(the_label_is_in_tag_and_keys),
		cmocka_unit_test(no_other_label_opens),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
