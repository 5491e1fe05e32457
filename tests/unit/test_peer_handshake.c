/*
 * The peer's handshakes: who is answered when, which response counts, and when it is too late.
 */
#include <errno.h>

#include "tests/unit/fixed_random.h"
#include "tests/unit/peer_pair.h"

#include "tests/vectors/vectors.h"

#include "tests/vectors/published.h"

static struct peer *const a = &pair.a, *const b = &pair.b;

/* mac1 right again after a test changed a message that `from` made. */
static void repair_macs(const struct peer *from, void *message, size_t len)
{
	struct cookie_maker maker = from->secrets->maker;

	cookie_add_macs(&maker, message, len, pair.now);
}

static struct msg_initiation initiation_with_stamp(struct peer *from, uint64_t seconds, uint32_t ns)
{
	struct tai64n stamp = { be64_make(seconds), be32_make(ns) };
	struct noise_handshake handshake;
	struct msg_initiation initiation;

	assert_true(noise_create_initiation(&from->secrets->identity, &stamp, 0x77, &handshake,
					    &initiation));
	repair_macs(from, &initiation, sizeof(initiation));
	return initiation;
}

static void handshake_makes_a_session(void **state)
{
	struct msg_initiation initiation;
	struct peer_reply reply;

	(void)state;
	initiation = initiate(a);
	assert_true(a->last_session_up == 0);
	pair.now += SECONDS(1) / 10;
	reply = hand_initiation(b, &initiation, PEER_RESPONDED);
	/* Unconfirmed: not up for the responder. */
	assert_true(b->last_session_up == 0);
	assert_false(take_actions(b) & PEER_SESSION_UP);
	pair.now += SECONDS(1) / 10;
	hand_reply(a, &reply, PEER_ESTABLISHED);
	assert_true(a->last_session_up == pair.now);
	assert_true(a->handshake_time == SECONDS(1) / 5);
	assert_int_equal(take_actions(a), PEER_SESSION_UP | PEER_SEND_KEEPALIVE);
	assert_non_null(a->secrets->keypairs.current);

	receive_packet(b, send_packet(a, 0), PEER_KEEPALIVE);
	assert_true(b->last_session_up == pair.now);
	assert_true(b->handshake_time == 0);
	assert_int_equal(take_actions(b), PEER_SESSION_UP | PEER_FLUSH);
	receive_packet(a, send_packet(b, 16), PEER_DATA);
}

static void wrong_mac1_is_silence(void **state)
{
	struct msg_initiation initiation = initiate(a);
	struct peer_reply reply;

	(void)state;
	for (size_t bit = 32; bit < 8 * (sizeof(initiation) - MAC_LEN); bit += 7) {
		((uint8_t *)&initiation)[bit / 8] ^= (uint8_t)(1 << bit % 8);
		hand_initiation(b, &initiation, PEER_BAD_MAC1);
		((uint8_t *)&initiation)[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(take_actions(b), 0);
	reply = hand_initiation(b, &initiation, PEER_RESPONDED);
	reply.message[60] ^= 1;
	hand_reply(a, &reply, PEER_BAD_MAC1);
	reply.message[60] ^= 1;
	hand_reply(a, &reply, PEER_ESTABLISHED);
}

static void low_order_ephemerals_are_silence(void **state)
{
	struct msg_initiation good = initiate(a), bad = good;
	struct peer_reply reply = hand_initiation(b, &good, PEER_RESPONDED), bad_reply = reply;

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(low_order_points); i++) {
		struct key point;

		hex(low_order_points[i / 2], point.bytes, KEY_LEN);
		if (i % 2)
			point.bytes[31] |= 0x80;
		memcpy(bad.ephemeral, point.bytes, KEY_LEN);
		repair_macs(a, &bad, sizeof(bad));
		hand_initiation(b, &bad, PEER_LOW_ORDER);
		memcpy(bad_reply.message + offsetof(struct msg_response, ephemeral), point.bytes,
		       KEY_LEN);
		repair_macs(b, bad_reply.message, bad_reply.len);
		hand_reply(a, &bad_reply, PEER_LOW_ORDER);
		assert_null(a->secrets->keypairs.current);
	}
	hand_reply(a, &reply, PEER_ESTABLISHED);
}

static void unreadable_initiation_is_silence(void **state)
{
	struct msg_initiation initiation = initiate(a);

	(void)state;
	initiation.encrypted_static[3] ^= 1;
	repair_macs(a, &initiation, sizeof(initiation));
	hand_initiation(b, &initiation, PEER_BAD_SEAL);
	initiation.encrypted_static[3] ^= 1;
	initiation.encrypted_timestamp[3] ^= 1;
	repair_macs(a, &initiation, sizeof(initiation));
	hand_initiation(b, &initiation, PEER_BAD_SEAL);
	/* Neither changed what counts as seen. */
	initiation.encrypted_timestamp[3] ^= 1;
	repair_macs(a, &initiation, sizeof(initiation));
	hand_initiation(b, &initiation, PEER_RESPONDED);
}

static void stranger_is_named_but_not_answered(void **state)
{
	struct peer stranger;
	struct key private_key, public_key, none = { .bytes = { 0 } };
	struct peer_config config = { .own_private = &private_key,
				      .peer_public = &b->secrets->identity.own_public,
				      .preshared = &none };
	struct msg_initiation initiation;
	struct peer_reply reply;

	(void)state;
	pair_keys(&private_key, 0xcc, &public_key);
	assert_int_equal(peer_init(&stranger, &config, pair.now), 0);
	initiation = initiate(&stranger);
	reply = hand_initiation(b, &initiation, PEER_UNKNOWN_KEY);
	assert_true(key_equal(&reply.claimed_key, &public_key));
	assert_null(b->secrets->keypairs.next);
	peer_deinit(&stranger);
}

static void timestamps_only_go_up(void **state)
{
	static const struct {
		uint64_t seconds;
		uint32_t ns;
		enum peer_verdict verdict;
	} rows[] = {
		{ 5000, 500, PEER_RESPONDED },
		{ 5000, 500, PEER_OLD_TIMESTAMP },
		{ 5000, 499, PEER_OLD_TIMESTAMP },
		{ 4999, 999999999, PEER_OLD_TIMESTAMP },
		{ 0, 0, PEER_OLD_TIMESTAMP },
		{ 5000, 501, PEER_RESPONDED },
		{ 5001, 0, PEER_RESPONDED },
		{ 1ULL << 63, 0, PEER_RESPONDED },
		{ 5002, 0, PEER_OLD_TIMESTAMP },
		{ UINT64_MAX, UINT32_MAX, PEER_RESPONDED },
		{ UINT64_MAX, UINT32_MAX, PEER_OLD_TIMESTAMP },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct msg_initiation initiation =
			initiation_with_stamp(a, rows[i].seconds, rows[i].ns);

		pair.now += SECONDS(1);
		hand_initiation(b, &initiation, rows[i].verdict);
	}
}

static void timestamp_outlives_the_session(void **state)
{
	struct msg_initiation initiation = initiate(a);

	(void)state;
	hand_initiation(b, &initiation, PEER_RESPONDED);
	pair.now += SECONDS(600);
	assert_true(take_actions(b) & PEER_KEYS_ERASED);
	hand_initiation(b, &initiation, PEER_OLD_TIMESTAMP);
}

/* A refused initiation leaves no trace: the session that is there goes on. */
/* While a session works that we began, an initiation may be a recording, and so may a second one:
 * until the peer confirms a session that it began. */
static void initiations_may_be_recordings_until_one_is_confirmed(void **state)
{
	struct peer_reply reply = { 0 };
	struct msg_initiation initiation = initiate(b);

	(void)state;
	/* Without a session nothing is lost. */
	assert_false(hand_initiation(a, &initiation, PEER_RESPONDED).may_be_replay);
	pair.now += SECONDS(6);
	connect_pair(a, b);
	for (unsigned int i = 0; i < 3; i++) {
		pair.now += NSEC_PER_SEC;
		initiation = initiate(b);
		reply = hand_initiation(a, &initiation, PEER_RESPONDED);
		assert_true(reply.may_be_replay);
	}
	hand_reply(b, &reply, PEER_ESTABLISHED);
	receive_packet(a, send_packet(b, 0), PEER_KEEPALIVE);
	pair.now += NSEC_PER_SEC;
	initiation = initiate(b);
	assert_false(hand_initiation(a, &initiation, PEER_RESPONDED).may_be_replay);
}

/* Another private key of ours does not make the peer's stamps doubtful; another peer does. */
static void what_is_known_of_stamps_is_known_of_a_peer(void **state)
{
	struct key b_public = a->secrets->identity.peer_public, other, other_public;

	(void)state;
	connect_pair(b, a);
	assert_true(a->is_stamp_fresh);
	pair_keys(&other, 0xc3, &other_public);
	assert_int_equal(peer_set_keys(a, &other, &b_public, pair.now), 0);
	assert_true(a->is_stamp_fresh);
	assert_int_equal(peer_set_keys(a, &other, &other_public, pair.now), 0);
	assert_false(a->is_stamp_fresh);
}

static void replayed_initiation_changes_nothing(void **state)
{
	struct msg_initiation initiation = initiate(a);
	struct peer_reply reply = hand_initiation(b, &initiation, PEER_RESPONDED);
	struct keypairs before;

	(void)state;
	hand_reply(a, &reply, PEER_ESTABLISHED);
	receive_packet(b, send_packet(a, 0), PEER_KEEPALIVE);
	before = b->secrets->keypairs;
	pair.now += SECONDS(1);
	hand_initiation(b, &initiation, PEER_OLD_TIMESTAMP);
	assert_memory_equal(&b->secrets->keypairs, &before, sizeof(before));
	receive_packet(a, send_packet(b, 16), PEER_DATA);
}

static void initiations_are_limited_to_50_a_second(void **state)
{
	struct msg_initiation initiation = initiation_with_stamp(a, 1, 0);

	(void)state;
	hand_initiation(b, &initiation, PEER_RESPONDED);
	initiation = initiation_with_stamp(a, 2, 0);
	pair.now += 5 * NSEC_PER_MSEC;
	hand_initiation(b, &initiation, PEER_TOO_SOON);
	pair.now += 15 * NSEC_PER_MSEC - 1;
	hand_initiation(b, &initiation, PEER_TOO_SOON);
	pair.now += 1;
	/* What came too soon was not consumed: its stamp is still new. */
	hand_initiation(b, &initiation, PEER_RESPONDED);
}

static void stamps_are_whitened_and_rise(void **state)
{
	struct tai64n last = { 0 };

	(void)state;
	for (unsigned int i = 0; i < 200; i++) {
		struct msg_initiation initiation = initiate(a);
		struct noise_opened_initiation opened;

		assert_int_equal(
			noise_consume_initiation(&b->secrets->identity, &initiation, &opened),
			NOISE_DONE);
		assert_int_equal(be32_load(opened.timestamp.nanoseconds) & 0xffffff, 0);
		assert_true(be32_load(opened.timestamp.nanoseconds) < NSEC_PER_SEC);
		assert_true(tai64n_after(&opened.timestamp, &last));
		last = opened.timestamp;
		/* Three in one step of the stamp; and once the clock is set back by a day. */
		pair.now += i % 3 ? 0 : 17 * NSEC_PER_MSEC;
		if (i == 100)
			pair.wall -= 86400;
	}
}

static void indices_are_random_and_free(void **state)
{
	uint32_t bits_set = 0, bits_clear = 0, index, last = 0;
	unsigned int n_rises = 0;

	(void)state;
	for (unsigned int i = 0; i < 2000; i++) {
		struct msg_initiation initiation = initiate(a);

		index = le32_load(initiation.sender);
		assert_int_equal(index, a->secrets->handshake.local_index);
		assert_int_not_equal(index, last);
		bits_set |= index;
		bits_clear |= ~index;
		n_rises += index > last;
		last = index;
	}
	assert_int_equal(bits_set, UINT32_MAX);
	assert_int_equal(bits_clear, UINT32_MAX);
	assert_in_range(n_rises, 800, 1200);

	/* One that is in use is drawn again: a's waiting handshake, then its session. */
	fixed_random_begin();
	fixed_random_push_number(last);
	fixed_random_push_number(1234);
	assert_int_equal(le32_load(initiate(a).sender), 1234);
	fixed_random_end();
	shake_hands(a, b);
	index = a->secrets->keypairs.current->local_index;
	fixed_random_begin();
	fixed_random_push_number(index);
	fixed_random_push_number(5678);
	assert_int_equal(le32_load(initiate(a).sender), 5678);
	/* As responder, too. */
	index = b->secrets->keypairs.next->local_index;
	fixed_random_push_number(9999);
	fixed_random_push_number(index);
	fixed_random_push_number(4321);
	pair.now += SECONDS(1);
	shake_hands(a, b);
	fixed_random_end();
	assert_int_equal(b->secrets->keypairs.next->local_index, 4321);
}

static void response_counts_once(void **state)
{
	struct msg_initiation initiation = initiate(a);
	struct peer_reply reply = hand_initiation(b, &initiation, PEER_RESPONDED);
	struct keypair *current;

	(void)state;
	hand_reply(a, &reply, PEER_ESTABLISHED);
	current = a->secrets->keypairs.current;
	pair.now += SECONDS(1);
	hand_reply(a, &reply, PEER_UNASKED);
	assert_ptr_equal(a->secrets->keypairs.current, current);
	assert_null(a->secrets->keypairs.previous);
	assert_true(a->last_session_up == pair.now - SECONDS(1));
}

static void response_to_an_earlier_try(void **state)
{
	struct msg_initiation first = initiate(a), second;
	struct peer_reply first_reply = hand_initiation(b, &first, PEER_RESPONDED), second_reply;

	(void)state;
	pair.now += SECONDS_AND_JITTER(5);
	second = initiate(a);
	hand_reply(a, &first_reply, PEER_UNASKED);
	assert_null(a->secrets->keypairs.current);
	second_reply = hand_initiation(b, &second, PEER_RESPONDED);
	hand_reply(a, &second_reply, PEER_ESTABLISHED);
	hand_reply(a, &first_reply, PEER_UNASKED);
}

static void response_that_nobody_asked_for(void **state)
{
	struct msg_response response = { .type = le32_make(MSG_RESPONSE) };
	struct peer_reply reply;

	(void)state;
	repair_macs(b, &response, sizeof(response));
	assert_int_equal(hand(a, &response, sizeof(response), &reply), PEER_UNASKED);
	assert_int_equal(reply.len, 0);
}

/* The answer is here before anybody asked for actions: what was wished is granted. */
static void session_withdraws_a_wish(void **state)
{
	struct msg_initiation initiation = initiate(a);
	struct peer_reply reply = hand_initiation(b, &initiation, PEER_RESPONDED);

	(void)state;
	pair.now += SECONDS(6);
	assert_null(sending_keypair(a));
	assert_null(sending_keypair(b));
	hand_reply(a, &reply, PEER_ESTABLISHED);
	assert_false(take_actions(a) & PEER_INITIATE);
	receive_packet(b, send_packet(a, 0), PEER_KEEPALIVE);
	assert_false(take_actions(b) & PEER_INITIATE);
}

/* How long a handshake took is known for our own only. */
static void handshake_time_is_of_our_own(void **state)
{
	struct msg_initiation initiation = initiate(a);
	struct peer_reply reply = hand_initiation(b, &initiation, PEER_RESPONDED);

	(void)state;
	pair.now += 3;
	hand_reply(a, &reply, PEER_ESTABLISHED);
	assert_true(a->handshake_time == 3);
	pair.now += SECONDS(120);
	connect_pair(b, a);
	assert_true(a->handshake_time == 0);
}

/* Handshake messages tell as much as packets: the peer lives, and has heard of us. */
static void handshakes_are_authenticated_traffic(void **state)
{
	struct peer *const ends[] = { a, b };
	struct msg_initiation initiation;
	struct peer_reply reply;

	(void)state;
	connect_pair(a, b);
	pair.now += SECONDS(1);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		timers_data_sent(&ends[i]->timers, pair.now);
		timers_data_received(&ends[i]->timers, pair.now);
	}
	initiation = initiate(a);
	assert_true(a->timers.deadlines[TIMER_KEEPALIVE] == NSEC_NEVER);
	assert_true(a->timers.deadlines[TIMER_NEW_HANDSHAKE] != NSEC_NEVER);
	reply = hand_initiation(b, &initiation, PEER_RESPONDED);
	assert_true(b->timers.deadlines[TIMER_KEEPALIVE] == NSEC_NEVER);
	assert_true(b->timers.deadlines[TIMER_NEW_HANDSHAKE] == NSEC_NEVER);
	hand_reply(a, &reply, PEER_ESTABLISHED);
	assert_true(a->timers.deadlines[TIMER_NEW_HANDSHAKE] == NSEC_NEVER);
}

static void psk_that_differs(void **state)
{
	struct msg_initiation initiation;
	struct peer_reply reply;

	pair_teardown(state);
	pair_init(0, 7, 0);
	initiation = initiate(a);
	/* The responder cannot know and answers. */
	reply = hand_initiation(b, &initiation, PEER_RESPONDED);
	hand_reply(a, &reply, PEER_PSK_DIFFERS);
	assert_null(a->secrets->keypairs.current);
	assert_true(a->last_session_up == 0);
	assert_true(a->secrets->handshake.is_waiting);
	/* And the retry is not put off by it. */
	assert_true(peer_deadline(a) <= pair.now + SECONDS_AND_JITTER(5));
}

static void low_order_peer_is_refused(void **state)
{
	struct key point, private_key, none = { .bytes = { 0 } };
	struct peer_config config = { .own_private = &private_key,
				      .peer_public = &point,
				      .preshared = &none };
	struct peer peer;

	(void)state;
	pair_keys(&private_key, 3, &point);
	for (size_t i = 0; i < ARRAY_SIZE(low_order_points); i++) {
		hex(low_order_points[i], point.bytes, KEY_LEN);
		/* All zero says that there is no key yet. */
		if (sodium_is_zero(point.bytes, KEY_LEN))
			continue;
		assert_int_equal(peer_init(&peer, &config, pair.now), -EINVAL);
		assert_null(peer.secrets);
		peer_deinit(&peer);
	}
}

#define pair_test(test) cmocka_unit_test_setup_teardown(test, pair_setup, pair_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		pair_test(handshake_makes_a_session),
		pair_test(wrong_mac1_is_silence),
		pair_test(low_order_ephemerals_are_silence),
		pair_test(unreadable_initiation_is_silence),
		pair_test(stranger_is_named_but_not_answered),
		pair_test(timestamps_only_go_up),
		pair_test(timestamp_outlives_the_session),
		pair_test(initiations_may_be_recordings_until_one_is_confirmed),
		pair_test(what_is_known_of_stamps_is_known_of_a_peer),
		pair_test(replayed_initiation_changes_nothing),
		pair_test(initiations_are_limited_to_50_a_second),
		pair_test(stamps_are_whitened_and_rise),
		pair_test(indices_are_random_and_free),
		pair_test(response_counts_once),
		pair_test(response_to_an_earlier_try),
		pair_test(response_that_nobody_asked_for),
		pair_test(session_withdraws_a_wish),
		pair_test(handshake_time_is_of_our_own),
		pair_test(handshakes_are_authenticated_traffic),
		pair_test(psk_that_differs),
		cmocka_unit_test(low_order_peer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
