/*
 * The peer's timers: the pace of initiations, silence and keepalives, the end of keys.
 */
#include "tests/unit/peer_pair.h"

static struct peer *const a = &pair.a, *const b = &pair.b;

/* Sets the clock to when the next timer is due, and takes what it asks for. */
static unsigned int next_timer(struct peer *peer)
{
	assert_true(peer_deadline(peer) != NSEC_NEVER);
	pair.now = peer_deadline(peer);
	return take_actions(peer);
}

static void one_initiation_in_five_seconds(void **state)
{
	(void)state;
	assert_null(sending_keypair(a));
	assert_true(take_actions(a) & PEER_INITIATE);
	initiate(a);
	for (unsigned int i = 0; i < 49; i++) {
		pair.now += SECONDS(1) / 10;
		assert_null(sending_keypair(a));
		assert_int_equal(take_actions(a), 0);
	}
	/* Nor does a packet at five seconds hurry it: the retry keeps its jitter. */
	pair.now += SECONDS(1) / 10;
	assert_null(sending_keypair(a));
	assert_int_equal(take_actions(a) & PEER_INITIATE, 0);
	assert_int_equal(next_timer(a), PEER_INITIATE | PEER_RETRIED | PEER_FORGET_SOURCE);
}

static void no_initiation_soon_after_a_response(void **state)
{
	struct msg_initiation initiation = initiate(a);
	nsec_t responded = pair.now;

	(void)state;
	hand_initiation(b, &initiation, PEER_RESPONDED);
	pair.now += SECONDS(5) - 1;
	assert_null(sending_keypair(b));
	assert_int_equal(take_actions(b), 0);
	/* It is not forgotten either, and nobody is said to have failed to answer. */
	assert_int_equal(next_timer(b), PEER_INITIATE);
	assert_in_range(pair.now, responded + SECONDS(5), responded + SECONDS_AND_JITTER(5));
}

/* The wish was there first; the response goes out before anybody asked for actions. */
static void response_withdraws_a_wish(void **state)
{
	struct msg_initiation initiation = initiate(a);
	nsec_t responded = pair.now;

	(void)state;
	assert_null(sending_keypair(b));
	hand_initiation(b, &initiation, PEER_RESPONDED);
	assert_false(take_actions(b) & PEER_INITIATE);
	assert_true(next_timer(b) & PEER_INITIATE);
	assert_in_range(pair.now, responded + SECONDS(5), responded + SECONDS_AND_JITTER(5));
}

static void retries_until_it_gives_up(void **state)
{
	struct msg_initiation last, initiation;
	nsec_t start = pair.now, sent, first_gap = 0;
	unsigned int n = 1, actions;
	bool is_constant = true;

	(void)state;
	assert_null(sending_keypair(a));
	assert_int_equal(take_actions(a), PEER_INITIATE);
	last = initiate(a);
	sent = pair.now;
	while ((actions = next_timer(a)) & PEER_INITIATE) {
		assert_int_equal(actions, PEER_INITIATE | PEER_FORGET_SOURCE | PEER_RETRIED);
		assert_in_range(pair.now - sent, SECONDS(5), SECONDS_AND_JITTER(5));
		if (first_gap && pair.now - sent != first_gap)
			is_constant = false;
		first_gap = pair.now - sent;
		sent = pair.now;
		initiation = initiate(a);
		assert_int_not_equal(le32_load(initiation.sender), le32_load(last.sender));
		assert_memory_not_equal(initiation.ephemeral, last.ephemeral, KEY_LEN);
		assert_memory_not_equal(initiation.encrypted_timestamp, last.encrypted_timestamp,
					TIMESTAMP_LEN);
		last = initiation;
		n++;
	}
	assert_int_equal(actions, PEER_GAVE_UP);
	assert_false(is_constant);
	assert_in_range(n, 18, 20);
	assert_in_range(pair.now - start, SECONDS(90), SECONDS(108));
	/* Silence then, up to the end of the keys. */
	assert_true(peer_deadline(a) == pair.now + SECONDS(540));
	assert_int_equal(next_timer(a), PEER_KEYS_ERASED);
	assert_true(peer_deadline(a) == NSEC_NEVER);
	assert_true(a->last_session_up == 0);
	/* A new packet begins anew. */
	assert_null(sending_keypair(a));
	assert_int_equal(take_actions(a), PEER_INITIATE);
}

static void new_packets_keep_it_trying(void **state)
{
	(void)state;
	assert_null(sending_keypair(a));
	assert_int_equal(take_actions(a), PEER_INITIATE);
	for (unsigned int i = 0; i < 100; i++) {
		initiate(a);
		pair.now += SECONDS(1);
		assert_null(sending_keypair(a));
		assert_true(next_timer(a) & PEER_INITIATE);
	}
}

static void session_ends_the_retries(void **state)
{
	(void)state;
	assert_null(sending_keypair(a));
	take_actions(a);
	shake_hands(a, b);
	assert_false(take_actions(a) & PEER_INITIATE);
	pair.now += SECONDS(9);
	assert_int_equal(take_actions(a), 0);
	/* As responder, by the confirmation. */
	receive_packet(b, send_packet(a, 0), PEER_KEEPALIVE);
	take_actions(b);
	pair.now += SECONDS(9);
	assert_int_equal(take_actions(b), 0);
}

static void unanswered_data_begins_anew(void **state)
{
	nsec_t first;

	(void)state;
	connect_pair(a, b);
	pair.now += SECONDS(20);
	first = pair.now;
	send_packet(a, 16);
	pair.now += SECONDS(10);
	send_packet(a, 16);
	assert_int_equal(next_timer(a), PEER_INITIATE | PEER_FORGET_SOURCE | PEER_STALE);
	assert_in_range(pair.now, first + SECONDS(15), first + SECONDS_AND_JITTER(15));
}

static void any_answer_is_an_answer(void **state)
{
	(void)state;
	connect_pair(a, b);
	pair.now += SECONDS(20);
	send_packet(a, 16);
	pair.now += SECONDS(14);
	receive_packet(a, send_packet(b, 0), PEER_KEEPALIVE);
	pair.now += SECONDS(60);
	assert_int_equal(take_actions(a), 0);
}

static void keepalives_need_no_answer(void **state)
{
	(void)state;
	connect_pair(a, b);
	send_packet(a, 0);
	pair.now += SECONDS(60);
	assert_int_equal(take_actions(a), 0);
}

static void received_data_is_acknowledged_in_10_s(void **state)
{
	(void)state;
	connect_pair(a, b);
	receive_packet(b, send_packet(a, 16), PEER_DATA);
	pair.now += SECONDS(10) - 1;
	assert_int_equal(take_actions(b), 0);
	pair.now += 1;
	assert_int_equal(take_actions(b), PEER_SEND_KEEPALIVE);
	receive_packet(a, send_packet(b, 0), PEER_KEEPALIVE);
	/* Which is not answered in turn: two quiet ends are quiet. */
	pair.now += SECONDS(100);
	assert_int_equal(take_actions(a), 0);
	assert_int_equal(take_actions(b), 0);
}

static void more_data_gets_another_keepalive(void **state)
{
	unsigned int n = 0;

	(void)state;
	connect_pair(a, b);
	receive_packet(b, send_packet(a, 16), PEER_DATA);
	pair.now += SECONDS(5);
	receive_packet(b, send_packet(a, 16), PEER_DATA);
	for (unsigned int i = 0; i < 60; i++) {
		pair.now += SECONDS(1);
		if (take_actions(b) & PEER_SEND_KEEPALIVE) {
			receive_packet(a, send_packet(b, 0), PEER_KEEPALIVE);
			n++;
			assert_int_equal(i + 1, n == 1 ? 5 : 15);
		}
	}
	assert_int_equal(n, 2);
}

static void data_back_is_acknowledgement_enough(void **state)
{
	(void)state;
	connect_pair(a, b);
	receive_packet(b, send_packet(a, 16), PEER_DATA);
	pair.now += SECONDS(5);
	receive_packet(a, send_packet(b, 16), PEER_DATA);
	pair.now += SECONDS(9);
	assert_int_equal(take_actions(b), 0);
}

static void persistent_keepalive(void **state)
{
	pair_teardown(state);
	pair_init(25, 7, 7);
	/* It begins with a handshake at once. */
	assert_int_equal(take_actions(a), PEER_SEND_KEEPALIVE);
	assert_null(sending_keypair(a));
	assert_int_equal(take_actions(a), PEER_INITIATE);
	connect_pair(a, b);
	for (unsigned int i = 0; i < 3; i++) {
		pair.now += SECONDS(25) - 1;
		assert_int_equal(take_actions(a), 0);
		pair.now += 1;
		assert_int_equal(take_actions(a), PEER_SEND_KEEPALIVE);
		receive_packet(b, send_packet(a, 0), PEER_KEEPALIVE);
	}
	/* Traffic in either direction puts it off. */
	pair.now += SECONDS(20);
	receive_packet(a, send_packet(b, 0), PEER_KEEPALIVE);
	pair.now += SECONDS(20);
	send_packet(a, 0);
	pair.now += SECONDS(25) - 1;
	assert_int_equal(take_actions(a), 0);
	pair.now += 1;
	assert_int_equal(take_actions(a), PEER_SEND_KEEPALIVE);
	/* The other end has none. */
	pair.now += SECONDS(100);
	assert_false(take_actions(b) & PEER_SEND_KEEPALIVE);
}

/* Without an answer, the persistent keepalive keeps a link trying for ever. */
static void persistent_keepalive_never_gives_up(void **state)
{
	nsec_t last, end;
	unsigned int actions;

	pair_teardown(state);
	pair_init(25, 7, 7);
	last = pair.now;
	end = pair.now + SECONDS(1800);
	while (pair.now < end) {
		actions = next_timer(a);
		if (actions & PEER_SEND_KEEPALIVE) {
			assert_null(sending_keypair(a));
			actions |= take_actions(a);
		}
		assert_in_range(pair.now - last, 0, SECONDS(26));
		if (actions & PEER_INITIATE) {
			initiate(a);
			last = pair.now;
		}
	}
}

static void keys_are_erased_after_540_s(void **state)
{
	struct key private_key;
	struct packet late;

	(void)state;
	connect_pair(a, b);
	late = send_packet(a, 0);
	pair.now += SECONDS(540) - 1;
	assert_false(take_actions(b) & PEER_KEYS_ERASED);
	assert_non_null(b->secrets->keypairs.current);
	pair.now += 1;
	assert_true(take_actions(b) & PEER_KEYS_ERASED);
	assert_true(sodium_is_zero((uint8_t *)&b->secrets->keypairs,
				   offsetof(struct keypairs, n_made)));
	receive_packet(b, late, PEER_UNKNOWN_INDEX);
	/* The ephemeral of a waiting handshake goes too; the identity stays. */
	initiate(a);
	private_key = a->secrets->handshake.ephemeral_private;
	assert_false(key_is_zero(&private_key));
	assert_true(take_actions(a) & PEER_KEYS_ERASED);
	assert_true(key_is_zero(&a->secrets->handshake.ephemeral_private));
	assert_false(a->secrets->handshake.is_waiting);
	assert_false(key_is_zero(&a->secrets->identity.own_private));
	connect_pair(a, b);
}

/* After a long suspend control erases the keys before tx, which still has them, asks because they
 * are too old. A newer session makes the same question needless. */
static void asking_with_an_erased_key_is_asking(void **state)
{
	uint64_t serial;

	(void)state;
	connect_pair(a, b);
	serial = a->secrets->keypairs.current->serial;
	pair.now += SECONDS(600);
	assert_true(take_actions(a) & PEER_KEYS_ERASED);
	peer_want_session(a, serial, pair.now);
	assert_int_equal(take_actions(a), PEER_INITIATE);
	connect_pair(a, b);
	pair.now += SECONDS(10);
	peer_want_session(a, serial, pair.now);
	assert_int_equal(take_actions(a) & PEER_INITIATE, 0);
}

static void new_session_puts_the_end_off(void **state)
{
	(void)state;
	connect_pair(a, b);
	pair.now += SECONDS(500);
	connect_pair(a, b);
	pair.now += SECONDS(100);
	assert_int_equal(take_actions(a) & PEER_KEYS_ERASED, 0);
	assert_int_equal(take_actions(b) & PEER_KEYS_ERASED, 0);
}

#define pair_test(test) cmocka_unit_test_setup_teardown(test, pair_setup, pair_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		pair_test(one_initiation_in_five_seconds),
		pair_test(no_initiation_soon_after_a_response),
		pair_test(response_withdraws_a_wish),
		pair_test(retries_until_it_gives_up),
		pair_test(new_packets_keep_it_trying),
		pair_test(session_ends_the_retries),
		pair_test(unanswered_data_begins_anew),
		pair_test(any_answer_is_an_answer),
		pair_test(keepalives_need_no_answer),
		pair_test(received_data_is_acknowledged_in_10_s),
		pair_test(more_data_gets_another_keepalive),
		pair_test(data_back_is_acknowledgement_enough),
		pair_test(persistent_keepalive),
		pair_test(persistent_keepalive_never_gives_up),
		pair_test(keys_are_erased_after_540_s),
		pair_test(asking_with_an_erased_key_is_asking),
		pair_test(new_session_puts_the_end_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
