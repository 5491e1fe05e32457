/*
 * Ends that carry frames and ends that carry packets: like ones agree as ever, unlike ones never,
 * and either of them hears why. What is forged, replayed or sealed with another preshared key says
 * nothing.
 */
#include "tests/unit/fixed_random.h"
#include "tests/unit/peer_pair.h"

static struct peer *const a = &pair.a, *const b = &pair.b;

static void begin(enum offer_carries of_a, enum offer_carries of_b)
{
	pair_init(0, 7, 7);
	a->secrets->identity.carries = of_a;
	b->secrets->identity.carries = of_b;
}

static void end(void)
{
	peer_deinit(a);
	peer_deinit(b);
}

static void offer_all(struct peer *peer)
{
	peer->n_suites = 0;
	for (enum cipher_suite suite = 1; suite < N_CIPHERS; suite++) {
		if (cipher_get(suite)->is_available())
			peer->suites[peer->n_suites++] = suite;
	}
}

/* What is said of an end that carries such. */
static enum peer_verdict verdict_on(enum offer_carries carries)
{
	return carries == OFFER_FRAMES ? PEER_IS_TAP : PEER_IS_TUN;
}

static bool has_no_session(const struct peer *peer)
{
	const struct keypairs *keypairs = &peer->secrets->keypairs;

	return !keypairs->current && !keypairs->next && !keypairs->previous;
}

static void ends_of_one_kind_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < 8; i++) {
		enum offer_carries carries = i & 1 ? OFFER_FRAMES : OFFER_PACKETS;

		begin(carries, carries);
		if (i & 2)
			offer_all(a);
		if (i & 4)
			offer_all(b);
		connect_pair(a, b);
		receive_packet(b, send_packet(a, 32), PEER_DATA);
		receive_packet(a, send_packet(b, 32), PEER_DATA);
		pair.now += SECONDS(130);
		connect_pair(b, a);
		receive_packet(b, send_packet(a, 32), PEER_DATA);
		end();
	}
}

static void ends_of_two_kinds_do_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < 8; i++) {
		enum offer_carries of_a = i & 1 ? OFFER_FRAMES : OFFER_PACKETS;
		enum offer_carries of_b = i & 1 ? OFFER_PACKETS : OFFER_FRAMES;
		struct msg_initiation initiation;
		struct peer_reply reply;

		begin(of_a, of_b);
		if (i & 2)
			offer_all(a);
		if (i & 4)
			offer_all(b);
		initiation = initiate(a);
		reply = hand_initiation(b, &initiation, verdict_on(of_a));
		assert_false(reply.may_be_replay);
		assert_int_equal(reply.len, sizeof(struct msg_response));
		hand_reply(a, &reply, verdict_on(of_b));
		assert_true(has_no_session(a) && has_no_session(b));
		assert_int_equal(take_actions(b), 0);
		assert_false(take_actions(a) &
			     (PEER_SESSION_UP | PEER_FLUSH | PEER_SEND_KEEPALIVE));
		/* Neither message does anything a second time. */
		hand_reply(a, &reply, PEER_UNASKED);
		hand_initiation(b, &initiation, PEER_OLD_TIMESTAMP);
		/* Put right at one end, the next try works. */
		b->secrets->identity.carries = of_a;
		pair.now += SECONDS(6);
		connect_pair(a, b);
		end();
	}
}

/* A refused initiator tries on, and gives up after 90 seconds like with a dead peer. */
static void a_refused_initiator_gives_up(void **state)
{
	nsec_t begun;
	bool has_given_up = false;
	size_t n_tries = 0;

	(void)state;
	begin(OFFER_FRAMES, OFFER_PACKETS);
	begun = pair.now;
	assert_null(sending_keypair(a));
	while (!has_given_up && pair.now - begun < SECONDS(300)) {
		unsigned int actions = take_actions(a);

		if (actions & PEER_INITIATE) {
			struct msg_initiation initiation = initiate(a);
			struct peer_reply reply = hand_initiation(b, &initiation, PEER_IS_TAP);

			hand_reply(a, &reply, PEER_IS_TUN);
			n_tries++;
		}
		has_given_up = actions & PEER_GAVE_UP;
		pair.now += 100 * NSEC_PER_MSEC;
	}
	assert_true(has_given_up);
	assert_in_range(n_tries, 15, 20);
	end();
}

/* A session goes on when the peer's key knocks with the other kind: it may be a test of theirs. */
static void a_refusal_ends_no_session(void **state)
{
	struct msg_initiation initiation;

	(void)state;
	begin(OFFER_PACKETS, OFFER_PACKETS);
	connect_pair(a, b);
	pair.now += SECONDS(10);
	a->secrets->identity.carries = OFFER_FRAMES;
	initiation = initiate(a);
	hand_initiation(b, &initiation, PEER_IS_TAP);
	assert_non_null(b->secrets->keypairs.current);
	assert_null(b->secrets->keypairs.next);
	receive_packet(b, send_packet(a, 32), PEER_DATA);
	end();
}

/* Every bit of a refusal counts: what is not it leaves the initiator waiting. */
static void a_forged_refusal_says_nothing(void **state)
{
	struct msg_initiation initiation;
	struct peer_reply reply;

	(void)state;
	begin(OFFER_PACKETS, OFFER_FRAMES);
	initiation = initiate(a);
	reply = hand_initiation(b, &initiation, PEER_IS_TUN);
	for (size_t bit = 0; bit < 8 * offsetof(struct msg_response, macs); bit++) {
		struct peer_reply forged = reply, answer;
		struct msg_response response;
		enum peer_verdict verdict;

		forged.message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		memcpy(&response, forged.message, sizeof(response));
		/* The sender's index is in no hash, and a refusal has no use for it. */
		if (msg_classify(forged.message, forged.len) != MSG_RESPONSE || bit / 32 == 1)
			continue;
		/* So slowly that it is no load. */
		pair.now += 200 * NSEC_PER_MSEC;
		/* With mac1 as it is, and as somebody who knows our public key makes it. */
		assert_int_equal(hand(a, forged.message, forged.len, &answer), PEER_BAD_MAC1);
		cookie_add_macs(&b->secrets->maker, (uint8_t *)&response, sizeof(response),
				pair.now);
		verdict = hand(a, &response, sizeof(response), &answer);
		assert_true(verdict == PEER_PSK_DIFFERS || verdict == PEER_UNASKED ||
			    verdict == PEER_LOW_ORDER);
		assert_true(a->secrets->handshake.is_waiting);
	}
	hand_reply(a, &reply, PEER_IS_TAP);
	end();
}

/* One that does not know the preshared key cannot say anything of kinds. */
static void another_preshared_key_hides_the_kind(void **state)
{
	struct msg_initiation initiation;
	struct peer_reply reply;

	(void)state;
	pair_init(0, 7, 8);
	a->secrets->identity.carries = OFFER_FRAMES;
	initiation = initiate(a);
	reply = hand_initiation(b, &initiation, PEER_IS_TAP);
	hand_reply(a, &reply, PEER_PSK_DIFFERS);
	assert_true(a->secrets->handshake.is_waiting);
	end();
}

/* What a stock peer answers has no label: an end of packets takes it, one of frames knows it. */
static void a_stock_response(void **state)
{
	(void)state;
	for (enum offer_carries carries = OFFER_PACKETS; carries <= OFFER_FRAMES; carries++) {
		struct msg_initiation initiation;
		struct noise_opened_initiation opened;
		struct noise_session_keys keys;
		struct peer_reply reply = { .len = sizeof(struct msg_response) };
		struct msg_response response;

		begin(carries, OFFER_PACKETS);
		initiation = initiate(a);
		assert_int_equal(
			noise_consume_initiation(&b->secrets->identity, &initiation, &opened),
			NOISE_DONE);
		assert_int_equal(noise_create_response(&b->secrets->identity, &opened,
						       CIPHER_CHACHA20_POLY1305, 5, &response,
						       &keys),
				 NOISE_DONE);
		cookie_add_macs(&b->secrets->maker, (uint8_t *)&response, sizeof(response),
				pair.now);
		memcpy(reply.message, &response, sizeof(response));
		hand_reply(a, &reply, carries == OFFER_FRAMES ? PEER_IS_TUN : PEER_ESTABLISHED);
		assert_int_equal(has_no_session(a), carries == OFFER_FRAMES);
		end();
	}
}

/* The flag is there with whatever suites, and nothing else is for a stock peer to see. */
static void the_flag_is_in_the_stamp(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct noise_opened_initiation opened;
		struct msg_initiation initiation;
		offer_t offer;

		begin(i & 1 ? OFFER_FRAMES : OFFER_PACKETS, OFFER_PACKETS);
		if (i & 2)
			offer_all(a);
		initiation = initiate(a);
		assert_int_equal(
			noise_consume_initiation(&b->secrets->identity, &initiation, &opened),
			NOISE_DONE);
		offer = offer_read(&opened.timestamp);
		assert_int_equal((offer & OFFER_TAP) != 0, i & 1);
		if (i == 0)
			assert_int_equal(be32_load(opened.timestamp.nanoseconds) % TAI64N_STEP_NS,
					 0);
		end();
	}
}

/* The same handshake of one kind and of the other has other keys, and no refusal has any. */
static void kinds_share_no_key(void **state)
{
	static const uint8_t ephemeral[KEY_LEN] = { 0x5e, 0x11 };
	struct noise_session_keys keys[2 * N_CIPHERS];
	struct noise_opened_initiation opened;
	struct msg_initiation initiation;
	struct msg_response responses[2 * N_CIPHERS + 1];
	size_t n = 0;

	(void)state;
	begin(OFFER_PACKETS, OFFER_PACKETS);
	initiation = initiate(a);
	assert_int_equal(noise_consume_initiation(&b->secrets->identity, &initiation, &opened),
			 NOISE_DONE);
	for (enum cipher_suite suite = 0; suite < N_CIPHERS; suite++) {
		for (enum offer_carries i = OFFER_PACKETS; i <= OFFER_FRAMES; i++) {
			b->secrets->identity.carries = i;
			fixed_random_begin();
			fixed_random_push(ephemeral, KEY_LEN);
			assert_int_equal(noise_create_response(&b->secrets->identity, &opened,
							       suite, 5, &responses[n], &keys[n]),
					 NOISE_DONE);
			fixed_random_end();
			n++;
		}
	}
	fixed_random_begin();
	fixed_random_push(ephemeral, KEY_LEN);
	assert_int_equal(noise_create_refusal(&b->secrets->identity, &opened, 5, &responses[n]),
			 NOISE_DONE);
	fixed_random_end();
	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j < i; j++) {
			assert_memory_equal(responses[i].ephemeral, responses[j].ephemeral,
					    KEY_LEN);
			assert_memory_not_equal(responses[i].encrypted_nothing,
						responses[j].encrypted_nothing, TAG_LEN);
			if (i == n)
				continue;
			assert_memory_not_equal(keys[i].send, keys[j].send, AEAD_KEY_LEN);
			assert_memory_not_equal(keys[i].receive, keys[j].receive, AEAD_KEY_LEN);
			assert_memory_not_equal(keys[i].send, keys[j].receive, AEAD_KEY_LEN);
		}
	}
	end();
}

/* A change of keys does not change what the end carries. */
static void other_keys_same_kind(void **state)
{
	struct key own_private = pair.a_private, peer_public;

	(void)state;
	begin(OFFER_FRAMES, OFFER_FRAMES);
	peer_public = b->secrets->identity.own_public;
	memset(own_private.bytes, 0x55, KEY_LEN);
	assert_int_equal(peer_set_keys(a, &own_private, &peer_public, pair.now), 0);
	assert_int_equal(a->secrets->identity.carries, OFFER_FRAMES);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_of_one_kind_agree),
		cmocka_unit_test(ends_of_two_kinds_do_not),
		cmocka_unit_test(a_refused_initiator_gives_up),
		cmocka_unit_test(a_refusal_ends_no_session),
		cmocka_unit_test(a_forged_refusal_says_nothing),
		cmocka_unit_test(another_preshared_key_hides_the_kind),
		cmocka_unit_test(a_stock_response),
		cmocka_unit_test(the_flag_is_in_the_stamp),
		cmocka_unit_test(kinds_share_no_key),
		cmocka_unit_test(other_keys_same_kind),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
