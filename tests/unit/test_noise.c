/*
 * The handshake: byte for byte against an independent implementation, the published vectors of
 * its Noise pattern, and every way in which a message can be wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/proto/noise.h"
#include "tests/unit/fixed_random.h"
#include "tests/vectors/vectors.h"

#include "tests/vectors/generated.h"
#include "tests/vectors/published.h"

static const struct handshake_vector *const vectors[] = { &handshake_plain, &handshake_psk,
							  &handshake_cookie };

static struct key key_of(const char *text)
{
	struct key key = { .bytes = { 0 } };

	assert_int_equal(hex(text, key.bytes, KEY_LEN), KEY_LEN);
	return key;
}

/* Both ends of a vector. */
struct ends {
	struct noise_identity init, resp;
	struct tai64n stamp;
	struct noise_handshake handshake;
	struct msg_initiation initiation;
	struct noise_opened_initiation opened;
	struct msg_response response;
	struct noise_session_keys init_keys, resp_keys;
};

static void ends_init(struct ends *ends, const struct handshake_vector *vector)
{
	memset(ends, 0, sizeof(*ends));
	ends->init.own_private = key_of(vector->init_static);
	ends->init.peer_public = key_of(vector->resp_public);
	ends->init.preshared = key_of(vector->preshared);
	ends->resp.own_private = key_of(vector->resp_static);
	ends->resp.peer_public = key_of(vector->init_public);
	ends->resp.preshared = key_of(vector->preshared);
	assert_true(noise_identity_init(&ends->init));
	assert_true(noise_identity_init(&ends->resp));
	hex(vector->stamp, &ends->stamp, sizeof(ends->stamp));
}

/* Runs the handshake up to, not including, the initiator's last step. */
static void ends_run(struct ends *ends)
{
	assert_true(noise_create_initiation(&ends->init, &ends->stamp, 0x11, &ends->handshake,
					    &ends->initiation));
	assert_int_equal(noise_consume_initiation(&ends->resp, &ends->initiation, &ends->opened),
			 NOISE_DONE);
	assert_int_equal(noise_create_response(&ends->resp, &ends->opened, CIPHER_CHACHA20_POLY1305,
					       0x22, &ends->response, &ends->resp_keys),
			 NOISE_DONE);
}

static int setup(void **state)
{
	static struct ends ends;

	ends_init(&ends, &handshake_psk);
	ends_run(&ends);
	*state = &ends;
	return 0;
}

static enum noise_result finish(struct ends *ends)
{
	return noise_consume_response(&ends->init, &ends->handshake, &ends->response, 0,
				      &ends->init_keys);
}

static void check_vector(const struct handshake_vector *vector)
{
	struct ends ends;
	struct key ephemeral;
	uint8_t expected[HANDSHAKE_MAX_LEN];
	struct noise_handshake wiped = { 0 };

	ends_init(&ends, vector);
	fixed_random_begin();
	ephemeral = key_of(vector->init_ephemeral);
	fixed_random_push(&ephemeral, sizeof(ephemeral));
	ephemeral = key_of(vector->resp_ephemeral);
	fixed_random_push(&ephemeral, sizeof(ephemeral));

	assert_true(noise_create_initiation(&ends.init, &ends.stamp, vector->init_index,
					    &ends.handshake, &ends.initiation));
	hex(vector->initiation, expected, sizeof(expected));
	assert_memory_equal(&ends.initiation, expected, offsetof(struct msg_initiation, macs));
	assert_true(ends.handshake.is_waiting);
	assert_int_equal(ends.handshake.local_index, vector->init_index);

	assert_int_equal(noise_consume_initiation(&ends.resp, &ends.initiation, &ends.opened),
			 NOISE_DONE);
	assert_int_equal(ends.opened.remote_index, vector->init_index);
	assert_memory_equal(&ends.opened.timestamp, &ends.stamp, sizeof(ends.stamp));
	assert_true(key_equal(&ends.opened.remote_static, &ends.resp.peer_public));

	assert_int_equal(noise_create_response(&ends.resp, &ends.opened, CIPHER_CHACHA20_POLY1305,
					       vector->resp_index, &ends.response, &ends.resp_keys),
			 NOISE_DONE);
	fixed_random_end();
	hex(vector->response, expected, sizeof(expected));
	assert_memory_equal(&ends.response, expected, offsetof(struct msg_response, macs));

	assert_int_equal(finish(&ends), NOISE_DONE);
	assert_memory_equal(&ends.handshake, &wiped, sizeof(wiped));
	hex(vector->to_responder, expected, sizeof(expected));
	assert_memory_equal(ends.init_keys.send, expected, AEAD_KEY_LEN);
	assert_memory_equal(ends.resp_keys.receive, expected, AEAD_KEY_LEN);
	hex(vector->to_initiator, expected, sizeof(expected));
	assert_memory_equal(ends.init_keys.receive, expected, AEAD_KEY_LEN);
	assert_memory_equal(ends.resp_keys.send, expected, AEAD_KEY_LEN);
}

static void matches_independent_implementation(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		check_vector(vectors[i]);
}

/* A Noise symmetric state on the same primitives, with a payload and prologue of any kind:
 * WireGuard's own are fixed, so the published vectors cannot be run through noise.c itself. */
struct runner {
	uint8_t h[HASH_LEN], ck[HASH_LEN], k[AEAD_KEY_LEN];
	uint8_t message[256];
	size_t len;
};

static void run_hash(struct runner *runner, const void *data, size_t len)
{
	prim_hash(runner->h, runner->h, HASH_LEN, data, len);
}

static void run_key(struct runner *runner, const uint8_t *data)
{
	prim_kdf(runner->ck, data, KEY_LEN, runner->ck, runner->k, NULL);
}

static void run_dh(struct runner *runner, const struct key *private_key,
		   const struct key *remote_private)
{
	struct key remote, shared;

	prim_dh_public(&remote, remote_private);
	assert_true(prim_dh(&shared, private_key, remote.bytes));
	run_key(runner, shared.bytes);
}

static void run_ephemeral(struct runner *runner, const struct key *private_key)
{
	struct key ephemeral;

	prim_dh_public(&ephemeral, private_key);
	memcpy(runner->message, ephemeral.bytes, KEY_LEN);
	runner->len = KEY_LEN;
	run_hash(runner, ephemeral.bytes, KEY_LEN);
	run_key(runner, ephemeral.bytes); /* as patterns with a PSK demand */
}

static void run_seal(struct runner *runner, const void *plain, size_t len)
{
	uint8_t *cipher = runner->message + runner->len;

	prim_aead_seal(cipher, plain, len, runner->h, HASH_LEN, 0, runner->k);
	run_hash(runner, cipher, len + TAG_LEN);
	runner->len += len + TAG_LEN;
}

static void run_check(const struct runner *runner, size_t i)
{
	uint8_t expected[256];

	assert_int_equal(hex(ikpsk2_cacophony.messages[i].cipher, expected, sizeof(expected)),
			 runner->len);
	assert_memory_equal(runner->message, expected, runner->len);
}

static void primitives_make_published_ikpsk2(void **state)
{
	static const char name[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
	struct key si = key_of(ikpsk2_cacophony.init_static);
	struct key ei = key_of(ikpsk2_cacophony.init_ephemeral);
	struct key sr = key_of(ikpsk2_cacophony.resp_static);
	struct key er = key_of(ikpsk2_cacophony.resp_ephemeral);
	struct key psk = key_of(ikpsk2_cacophony.preshared), static_public;
	uint8_t payload[64], to_hash[HASH_LEN], split[2][AEAD_KEY_LEN];
	struct runner runner;
	size_t len;

	(void)state;
	prim_hash(runner.h, name, sizeof(name) - 1, NULL, 0);
	memcpy(runner.ck, runner.h, HASH_LEN);
	len = hex(ikpsk2_cacophony.prologue, payload, sizeof(payload));
	run_hash(&runner, payload, len);
	prim_dh_public(&static_public, &sr);
	run_hash(&runner, static_public.bytes, KEY_LEN);

	run_ephemeral(&runner, &ei);
	run_dh(&runner, &ei, &sr);
	prim_dh_public(&static_public, &si);
	run_seal(&runner, static_public.bytes, KEY_LEN);
	run_dh(&runner, &si, &sr);
	len = hex(ikpsk2_cacophony.messages[0].payload, payload, sizeof(payload));
	run_seal(&runner, payload, len);
	run_check(&runner, 0);

	run_ephemeral(&runner, &er);
	run_dh(&runner, &er, &ei);
	run_dh(&runner, &er, &si);
	prim_kdf(runner.ck, psk.bytes, KEY_LEN, runner.ck, to_hash, runner.k);
	run_hash(&runner, to_hash, HASH_LEN);
	len = hex(ikpsk2_cacophony.messages[1].payload, payload, sizeof(payload));
	run_seal(&runner, payload, len);
	run_check(&runner, 1);

	prim_kdf(runner.ck, NULL, 0, split[0], split[1], NULL);
	for (size_t i = 2; i < ARRAY_SIZE(ikpsk2_cacophony.messages); i++) {
		len = hex(ikpsk2_cacophony.messages[i].payload, payload, sizeof(payload));
		prim_aead_seal(runner.message, payload, len, NULL, 0, i / 2 - 1, split[i % 2]);
		runner.len = len + TAG_LEN;
		run_check(&runner, i);
	}
}

static void identity_is_completed(void **state)
{
	const struct ends *ends = *state;

	assert_true(key_equal(&ends->init.own_public, &ends->resp.peer_public));
	assert_true(key_equal(&ends->init.static_shared, &ends->resp.static_shared));
	assert_false(key_is_zero(&ends->init.static_shared));
}

static void identity_refuses_low_order_peer(void **state)
{
	struct noise_identity identity = ((struct ends *)*state)->init;

	for (size_t i = 0; i < ARRAY_SIZE(low_order_points); i++) {
		identity.peer_public = key_of(low_order_points[i]);
		assert_false(noise_identity_init(&identity));
	}
}

static void initiations_differ(void **state)
{
	struct ends *ends = *state;
	struct msg_initiation again;

	assert_true(
		noise_create_initiation(&ends->init, &ends->stamp, 0x11, &ends->handshake, &again));
	assert_memory_not_equal(again.ephemeral, ends->initiation.ephemeral, KEY_LEN);
	assert_memory_not_equal(again.encrypted_static, ends->initiation.encrypted_static, KEY_LEN);
}

/* Should the peer's key be of low order in spite of all: nothing is sent, nobody waits. */
static void initiation_to_low_order_peer(void **state)
{
	struct ends *ends = *state;

	ends->init.peer_public = key_of(low_order_points[2]);
	assert_false(noise_create_initiation(&ends->init, &ends->stamp, 0x11, &ends->handshake,
					     &ends->initiation));
	assert_false(ends->handshake.is_waiting);
	assert_true(key_is_zero(&ends->handshake.ephemeral_private));
}

static void initiation_flipped_anywhere(void **state)
{
	struct ends *ends = *state;
	uint8_t *bytes = (uint8_t *)&ends->initiation;

	for (size_t bit = 8 * offsetof(struct msg_initiation, ephemeral);
	     bit < 8 * offsetof(struct msg_initiation, macs); bit++) {
		struct noise_opened_initiation opened = { 0 };
		enum noise_result result;

		/* X25519 ignores the highest bit of a point, but the hash does not. */
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		result = noise_consume_initiation(&ends->resp, &ends->initiation, &opened);
		assert_int_equal(result, NOISE_BAD_SEAL);
		assert_int_equal(opened.remote_index, 0);
		assert_true(sodium_is_zero(opened.hash, HASH_LEN));
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(noise_consume_initiation(&ends->resp, &ends->initiation, &ends->opened),
			 NOISE_DONE);
}

static void initiation_with_low_order_ephemeral(void **state)
{
	struct ends *ends = *state;

	for (size_t i = 0; i < 2 * ARRAY_SIZE(low_order_points); i++) {
		struct key point = key_of(low_order_points[i / 2]);

		if (i % 2)
			point.bytes[31] |= 0x80;
		memcpy(ends->initiation.ephemeral, point.bytes, KEY_LEN);
		assert_int_equal(
			noise_consume_initiation(&ends->resp, &ends->initiation, &ends->opened),
			NOISE_BAD_POINT);
	}
}

static void initiation_for_somebody_else(void **state)
{
	struct ends *ends = *state;

	ends->resp.own_private.bytes[5] ^= 1;
	assert_true(noise_identity_init(&ends->resp));
	assert_int_equal(noise_consume_initiation(&ends->resp, &ends->initiation, &ends->opened),
			 NOISE_BAD_SEAL);
}

static void initiation_by_a_stranger(void **state)
{
	struct ends *ends = *state;
	struct noise_opened_initiation opened = { 0 };

	ends->init.own_private.bytes[5] ^= 1;
	assert_true(noise_identity_init(&ends->init));
	assert_true(noise_create_initiation(&ends->init, &ends->stamp, 0x11, &ends->handshake,
					    &ends->initiation));
	assert_int_equal(noise_consume_initiation(&ends->resp, &ends->initiation, &opened),
			 NOISE_UNKNOWN_KEY);
	assert_true(key_equal(&opened.remote_static, &ends->init.own_public));
	assert_int_equal(opened.remote_index, 0);
	assert_true(sodium_is_zero(opened.chaining_key, HASH_LEN));
}

/* Somebody who knows the peer's public key but not the private one cannot make the second seal:
 * "ss" is wrong. */
static void initiation_that_pretends_to_be_the_peer(void **state)
{
	struct ends *ends = *state;
	struct noise_identity liar = ends->init;

	liar.static_shared.bytes[0] ^= 1;
	assert_true(noise_create_initiation(&liar, &ends->stamp, 0x11, &ends->handshake,
					    &ends->initiation));
	assert_int_equal(noise_consume_initiation(&ends->resp, &ends->initiation, &ends->opened),
			 NOISE_BAD_SEAL);
}

/* The PSK comes in with the second message only. */
static void initiation_does_not_need_the_psk(void **state)
{
	struct ends *ends = *state;

	ends->resp.preshared.bytes[0] ^= 1;
	assert_int_equal(noise_consume_initiation(&ends->resp, &ends->initiation, &ends->opened),
			 NOISE_DONE);
	assert_int_equal(noise_create_response(&ends->resp, &ends->opened, CIPHER_CHACHA20_POLY1305,
					       0x22, &ends->response, &ends->resp_keys),
			 NOISE_DONE);
	assert_int_equal(finish(ends), NOISE_BAD_SEAL);
	assert_true(ends->handshake.is_waiting);
}

static void response_to_low_order_points(void **state)
{
	struct ends *ends = *state;
	struct noise_opened_initiation opened = ends->opened;

	memset(opened.remote_ephemeral, 0, KEY_LEN);
	assert_int_equal(noise_create_response(&ends->resp, &opened, CIPHER_CHACHA20_POLY1305, 0x22,
					       &ends->response, &ends->resp_keys),
			 NOISE_BAD_POINT);
	ends->resp.peer_public = key_of(low_order_points[1]);
	assert_int_equal(noise_create_response(&ends->resp, &ends->opened, CIPHER_CHACHA20_POLY1305,
					       0x22, &ends->response, &ends->resp_keys),
			 NOISE_BAD_POINT);
}

static void response_completes_once(void **state)
{
	struct ends *ends = *state;

	assert_int_equal(finish(ends), NOISE_DONE);
	assert_memory_equal(ends->init_keys.send, ends->resp_keys.receive, AEAD_KEY_LEN);
	assert_memory_equal(ends->init_keys.receive, ends->resp_keys.send, AEAD_KEY_LEN);
	assert_memory_not_equal(ends->init_keys.receive, ends->init_keys.send, AEAD_KEY_LEN);
	assert_int_equal(finish(ends), NOISE_NOT_WAITING);
}

/* A forgery is refused, and does not end the waiting for the real one. */
static void response_flipped_anywhere(void **state)
{
	struct ends *ends = *state;
	uint8_t *bytes = (uint8_t *)&ends->response;

	for (size_t bit = 8 * offsetof(struct msg_response, receiver);
	     bit < 8 * offsetof(struct msg_response, macs); bit++) {
		bool is_index = bit < 8 * offsetof(struct msg_response, ephemeral);

		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(finish(ends), is_index ? NOISE_NOT_WAITING : NOISE_BAD_SEAL);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(sodium_is_zero((uint8_t *)&ends->init_keys, sizeof(ends->init_keys)));
	assert_int_equal(finish(ends), NOISE_DONE);
}

static void response_with_low_order_ephemeral(void **state)
{
	struct ends *ends = *state;
	struct msg_response good = ends->response;

	for (size_t i = 0; i < ARRAY_SIZE(low_order_points); i++) {
		struct key point = key_of(low_order_points[i]);

		memcpy(ends->response.ephemeral, point.bytes, KEY_LEN);
		assert_int_equal(finish(ends), NOISE_BAD_POINT);
	}
	ends->response = good;
	assert_int_equal(finish(ends), NOISE_DONE);
}

static void response_to_an_earlier_initiation(void **state)
{
	struct ends *ends = *state;
	struct msg_initiation retry;

	assert_true(
		noise_create_initiation(&ends->init, &ends->stamp, 0x33, &ends->handshake, &retry));
	assert_int_equal(finish(ends), NOISE_NOT_WAITING);
	/* With the same index the keys still differ. */
	assert_true(
		noise_create_initiation(&ends->init, &ends->stamp, 0x11, &ends->handshake, &retry));
	assert_int_equal(finish(ends), NOISE_BAD_SEAL);
}

static void response_after_wipe(void **state)
{
	struct ends *ends = *state;

	noise_handshake_wipe(&ends->handshake);
	assert_true(sodium_is_zero((uint8_t *)&ends->handshake, sizeof(ends->handshake)));
	ends->response.receiver = le32_make(0);
	assert_int_equal(finish(ends), NOISE_NOT_WAITING);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_independent_implementation),
		cmocka_unit_test(primitives_make_published_ikpsk2),
		cmocka_unit_test_setup(identity_is_completed, setup),
		cmocka_unit_test_setup(identity_refuses_low_order_peer, setup),
		cmocka_unit_test_setup(initiations_differ, setup),
		cmocka_unit_test_setup(initiation_to_low_order_peer, setup),
		cmocka_unit_test_setup(initiation_flipped_anywhere, setup),
		cmocka_unit_test_setup(initiation_with_low_order_ephemeral, setup),
		cmocka_unit_test_setup(initiation_for_somebody_else, setup),
		cmocka_unit_test_setup(initiation_by_a_stranger, setup),
		cmocka_unit_test_setup(initiation_that_pretends_to_be_the_peer, setup),
		cmocka_unit_test_setup(initiation_does_not_need_the_psk, setup),
		cmocka_unit_test_setup(response_to_low_order_points, setup),
		cmocka_unit_test_setup(response_completes_once, setup),
		cmocka_unit_test_setup(response_flipped_anywhere, setup),
		cmocka_unit_test_setup(response_with_low_order_ephemeral, setup),
		cmocka_unit_test_setup(response_to_an_earlier_initiation, setup),
		cmocka_unit_test_setup(response_after_wipe, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
