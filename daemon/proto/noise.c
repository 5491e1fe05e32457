/* The four steps of the handshake; see noise.h. Each line carries its Noise token. */
#include "daemon/proto/noise.h"

#include <sodium.h>

static const char construction[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
static const char identifier[] = "WireGuard v1 zx2c4 Jason@zx2c4.com";

/* The running state of one step: both members of the symmetric state, on the stack. */
struct symmetric {
	uint8_t hash[HASH_LEN];
	uint8_t chaining_key[HASH_LEN];
};

static void mix_hash(struct symmetric *state, const void *data, size_t len)
{
	prim_hash(state->hash, state->hash, HASH_LEN, data, len);
}

static void mix_key(struct symmetric *state, const uint8_t *input, uint8_t *ret_key)
{
	prim_kdf(state->chaining_key, input, KEY_LEN, state->chaining_key, ret_key, NULL);
}

/* Both ends begin with what they know already: the responder's static key. */
static void begin(struct symmetric *state, const struct key *responder_static)
{
	prim_hash(state->chaining_key, construction, sizeof(construction) - 1, NULL, 0);
	prim_hash(state->hash, state->chaining_key, HASH_LEN, identifier, sizeof(identifier) - 1);
	mix_hash(state, responder_static->bytes, KEY_LEN);
}

/* e */
static void mix_ephemeral(struct symmetric *state, const uint8_t ephemeral[static KEY_LEN])
{
	mix_hash(state, ephemeral, KEY_LEN);
	mix_key(state, ephemeral, NULL);
}

/* es, ss, ee, se; `ret_key` may be NULL where the key is not used before the next mix. */
static bool must_check mix_dh(struct symmetric *state, const struct key *private_key,
			      const uint8_t public_key[static KEY_LEN], uint8_t *ret_key)
{
	struct key shared;
	bool is_good = prim_dh(&shared, private_key, public_key);

	if (is_good)
		mix_key(state, shared.bytes, ret_key);
	sodium_memzero(&shared, sizeof(shared));
	return is_good;
}

/* psk */
static void mix_psk(struct symmetric *state, const struct key *preshared,
		    uint8_t ret_key[static AEAD_KEY_LEN])
{
	uint8_t to_hash[HASH_LEN];

	prim_kdf(state->chaining_key, preshared->bytes, KEY_LEN, state->chaining_key, to_hash,
		 ret_key);
	mix_hash(state, to_hash, HASH_LEN);
	sodium_memzero(to_hash, sizeof(to_hash));
}

/* EncryptAndHash with nonce zero: every key of the handshake seals once. */
static void seal(struct symmetric *state, uint8_t *cipher, const void *plain, size_t plain_len,
		 const uint8_t key[static AEAD_KEY_LEN])
{
	prim_aead_seal(cipher, plain, plain_len, state->hash, HASH_LEN, 0, key);
	mix_hash(state, cipher, plain_len + TAG_LEN);
}

static bool must_check open_seal(struct symmetric *state, uint8_t *plain, const uint8_t *cipher,
				 size_t cipher_len, const uint8_t key[static AEAD_KEY_LEN])
{
	if (!prim_aead_open(plain, cipher, cipher_len, state->hash, HASH_LEN, 0, key))
		return false;
	mix_hash(state, cipher, cipher_len);
	return true;
}

bool noise_identity_init(struct noise_identity *identity)
{
	prim_dh_public(&identity->own_public, &identity->own_private);
	return prim_dh(&identity->static_shared, &identity->own_private,
		       identity->peer_public.bytes);
}

void noise_handshake_wipe(struct noise_handshake *handshake)
{
	sodium_memzero(handshake, sizeof(*handshake));
}

bool noise_create_initiation(const struct noise_identity *identity, const struct tai64n *timestamp,
			     uint32_t local_index, struct noise_handshake *handshake,
			     struct msg_initiation *ret)
{
	struct symmetric state;
	uint8_t key[AEAD_KEY_LEN];
	bool is_good = false;

	noise_handshake_wipe(handshake);
	ret->type = le32_make(MSG_INITIATION);
	ret->sender = le32_make(local_index);

	begin(&state, &identity->peer_public);
	/* e */
	prim_dh_generate(&handshake->ephemeral_private, ret->ephemeral);
	mix_ephemeral(&state, ret->ephemeral);
	/* es */
	if (!mix_dh(&state, &handshake->ephemeral_private, identity->peer_public.bytes, key))
		goto out;
	/* s */
	seal(&state, ret->encrypted_static, identity->own_public.bytes, KEY_LEN, key);
	/* ss */
	mix_key(&state, identity->static_shared.bytes, key);
	/* {timestamp} */
	seal(&state, ret->encrypted_timestamp, timestamp, sizeof(*timestamp), key);

	memcpy(handshake->hash, state.hash, HASH_LEN);
	memcpy(handshake->chaining_key, state.chaining_key, HASH_LEN);
	handshake->local_index = local_index;
	handshake->is_waiting = true;
	is_good = true;
out:
	if (!is_good)
		noise_handshake_wipe(handshake);
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(key, sizeof(key));
	return is_good;
}

enum noise_result noise_consume_initiation(const struct noise_identity *identity,
					   const struct msg_initiation *initiation,
					   struct noise_opened_initiation *ret)
{
	struct symmetric state;
	uint8_t key[AEAD_KEY_LEN];
	struct key remote_static;
	struct tai64n timestamp;
	enum noise_result result = NOISE_BAD_POINT;

	begin(&state, &identity->own_public);
	/* e */
	mix_ephemeral(&state, initiation->ephemeral);
	/* es */
	if (!mix_dh(&state, &identity->own_private, initiation->ephemeral, key))
		goto out;
	/* s */
	result = NOISE_BAD_SEAL;
	if (!open_seal(&state, remote_static.bytes, initiation->encrypted_static,
		       sizeof(initiation->encrypted_static), key))
		goto out;
	result = NOISE_UNKNOWN_KEY;
	ret->remote_static = remote_static;
	if (!key_equal(&remote_static, &identity->peer_public))
		goto out;
	/* ss */
	mix_key(&state, identity->static_shared.bytes, key);
	/* {timestamp} */
	result = NOISE_BAD_SEAL;
	if (!open_seal(&state, (uint8_t *)&timestamp, initiation->encrypted_timestamp,
		       sizeof(initiation->encrypted_timestamp), key))
		goto out;

	ret->remote_index = le32_load(initiation->sender);
	memcpy(ret->remote_ephemeral, initiation->ephemeral, KEY_LEN);
	memcpy(ret->hash, state.hash, HASH_LEN);
	memcpy(ret->chaining_key, state.chaining_key, HASH_LEN);
	ret->timestamp = timestamp;
	result = NOISE_DONE;
out:
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(key, sizeof(key));
	return result;
}

/* Binds the response to what was agreed on; an empty label binds nothing (offer.h). */
static void mix_label(struct symmetric *state, const char *label, size_t len)
{
	if (len > 0)
		mix_hash(state, label, len);
}

/* Derives the transport keys, paper section 5.4.5: the initiator sends with the first. */
static void derive_session(const struct symmetric *state, bool i_am_initiator,
			   enum offer_carries carries, enum cipher_suite suite,
			   struct noise_session_keys *keys)
{
	uint8_t *first = i_am_initiator ? keys->send : keys->receive;
	uint8_t *second = i_am_initiator ? keys->receive : keys->send;
	size_t len;
	const char *label = offer_label(carries, suite, &len);

	prim_kdf(state->chaining_key, (const uint8_t *)label, len, first, second, NULL);
	keys->suite = suite;
}

/* Makes the response with a label. `ret` keeps the state that keys are derived from. */
static enum noise_result answer(const struct noise_identity *identity,
				const struct noise_opened_initiation *initiation, const char *label,
				size_t label_len, uint32_t local_index, struct msg_response *ret,
				struct symmetric *state)
{
	struct key ephemeral_private;
	uint8_t key[AEAD_KEY_LEN];
	enum noise_result result = NOISE_BAD_POINT;

	memcpy(state->hash, initiation->hash, HASH_LEN);
	memcpy(state->chaining_key, initiation->chaining_key, HASH_LEN);
	ret->type = le32_make(MSG_RESPONSE);
	ret->sender = le32_make(local_index);
	ret->receiver = le32_make(initiation->remote_index);

	/* e */
	prim_dh_generate(&ephemeral_private, ret->ephemeral);
	mix_ephemeral(state, ret->ephemeral);
	/* ee */
	if (!mix_dh(state, &ephemeral_private, initiation->remote_ephemeral, NULL))
		goto out;
	/* se */
	if (!mix_dh(state, &ephemeral_private, identity->peer_public.bytes, NULL))
		goto out;
	/* psk */
	mix_psk(state, &identity->preshared, key);
	/* {} */
	mix_label(state, label, label_len);
	seal(state, ret->encrypted_nothing, NULL, 0, key);
	result = NOISE_DONE;
out:
	sodium_memzero(&ephemeral_private, sizeof(ephemeral_private));
	sodium_memzero(key, sizeof(key));
	return result;
}

enum noise_result noise_create_response(const struct noise_identity *identity,
					const struct noise_opened_initiation *initiation,
					enum cipher_suite suite, uint32_t local_index,
					struct msg_response *ret, struct noise_session_keys *keys)
{
	size_t len;
	const char *label = offer_label(identity->carries, suite, &len);
	struct symmetric state;
	enum noise_result result =
		answer(identity, initiation, label, len, local_index, ret, &state);

	if (result == NOISE_DONE)
		derive_session(&state, false, identity->carries, suite, keys);
	sodium_memzero(&state, sizeof(state));
	return result;
}

enum noise_result noise_create_refusal(const struct noise_identity *identity,
				       const struct noise_opened_initiation *initiation,
				       uint32_t local_index, struct msg_response *ret)
{
	size_t len;
	const char *label = offer_refusal_label(&len);
	struct symmetric state;
	enum noise_result result =
		answer(identity, initiation, label, len, local_index, ret, &state);

	sodium_memzero(&state, sizeof(state));
	return result;
}

/* {}: whether the empty payload opens with a label. `bound` gets the state that goes with it. */
static bool must_check opens_with(const struct symmetric *state, const char *label, size_t len,
				  const struct msg_response *response,
				  const uint8_t key[static AEAD_KEY_LEN], struct symmetric *bound)
{
	uint8_t nothing[1];

	*bound = *state;
	mix_label(bound, label, len);
	return open_seal(bound, nothing, response->encrypted_nothing,
			 sizeof(response->encrypted_nothing), key);
}

/* Finds the suite that the response is for, and begins its session. */
static bool must_check open_as_some_suite(const struct symmetric *state,
					  const struct msg_response *response,
					  enum offer_carries carries, offer_t offer,
					  const uint8_t key[static AEAD_KEY_LEN],
					  struct noise_session_keys *keys)
{
	struct symmetric bound;
	bool is_open = false;

	for (enum cipher_suite suite = 0; suite < N_CIPHERS && !is_open; suite++) {
		size_t len;
		const char *label = offer_label(carries, suite, &len);

		if (suite != CIPHER_CHACHA20_POLY1305 && !(offer & (1U << suite)))
			continue;
		is_open = opens_with(state, label, len, response, key, &bound);
		if (is_open)
			derive_session(&bound, true, carries, suite, keys);
	}
	sodium_memzero(&bound, sizeof(bound));
	return is_open;
}

/* Whether the response says that the other end carries something else: by a refusal or, as a stock
 * peer to an end that carries frames, by no label at all. */
static bool must_check is_of_other_kind(const struct symmetric *state,
					const struct msg_response *response,
					enum offer_carries carries,
					const uint8_t key[static AEAD_KEY_LEN])
{
	struct symmetric bound;
	size_t len;
	const char *label = offer_refusal_label(&len);
	bool is_other =
		opens_with(state, label, len, response, key, &bound) ||
		(carries == OFFER_FRAMES && opens_with(state, NULL, 0, response, key, &bound));

	sodium_memzero(&bound, sizeof(bound));
	return is_other;
}

enum noise_result noise_consume_response(const struct noise_identity *identity,
					 struct noise_handshake *handshake,
					 const struct msg_response *response, offer_t offer,
					 struct noise_session_keys *keys)
{
	struct symmetric state;
	uint8_t key[AEAD_KEY_LEN];
	enum noise_result result = NOISE_BAD_POINT;

	if (!handshake->is_waiting || le32_load(response->receiver) != handshake->local_index)
		return NOISE_NOT_WAITING;
	memcpy(state.hash, handshake->hash, HASH_LEN);
	memcpy(state.chaining_key, handshake->chaining_key, HASH_LEN);

	/* e */
	mix_ephemeral(&state, response->ephemeral);
	/* ee */
	if (!mix_dh(&state, &handshake->ephemeral_private, response->ephemeral, NULL))
		goto out;
	/* se */
	if (!mix_dh(&state, &identity->own_private, response->ephemeral, NULL))
		goto out;
	/* psk */
	mix_psk(&state, &identity->preshared, key);
	/* {} */
	if (open_as_some_suite(&state, response, identity->carries, offer, key, keys))
		result = NOISE_DONE;
	else if (is_of_other_kind(&state, response, identity->carries, key))
		result = NOISE_OTHER_KIND;
	else
		result = NOISE_BAD_SEAL;
	if (result != NOISE_BAD_SEAL)
		noise_handshake_wipe(handshake);
out:
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(key, sizeof(key));
	return result;
}
