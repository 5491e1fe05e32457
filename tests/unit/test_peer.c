/*
 * The peer's sessions and timers: which key is used when, and what happens by itself.
 */
#include <errno.h>

#include "tests/unit/peer_pair.h"

static struct peer *const a = &pair.a, *const b = &pair.b;

/* Sets the clock to when the next timer is due, and takes what it asks for. */
static unsigned int next_timer(struct peer *peer)
{
	assert_true(peer_deadline(peer) != NSEC_NEVER);
	pair.now = peer_deadline(peer);
	return take_actions(peer);
}

static void starts_quiet(void **state)
{
	(void)state;
	assert_int_equal(take_actions(a), 0);
	assert_true(peer_deadline(a) == NSEC_NEVER);
	assert_null(a->secrets->keypairs.current);
}

static void packet_asks_for_a_session(void **state)
{
	(void)state;
	assert_null(peer_sending_keypair(a, pair.now));
	assert_int_equal(take_actions(a), PEER_INITIATE);
	assert_int_equal(take_actions(a), 0);
}

/* --- sending and receiving with the three keys --- */

static void responder_sends_nothing_before_confirmation(void **state)
{
	(void)state;
	shake_hands(a, b);
	assert_null(peer_sending_keypair(b, pair.now));
	assert_non_null(peer_sending_keypair(a, pair.now));
	receive_packet(b, send_packet(a, 16), PEER_DATA);
	assert_non_null(peer_sending_keypair(b, pair.now));
}

static void responder_sends_with_the_old_key_meanwhile(void **state)
{
	struct keypair *old;

	(void)state;
	connect_pair(a, b);
	old = b->secrets->keypairs.current;
	pair.now += SECONDS(120);
	shake_hands(a, b);
	assert_ptr_equal(peer_sending_keypair(b, pair.now), old);
	receive_packet(a, send_packet(b, 16), PEER_DATA);
	receive_packet(b, send_packet(a, 16), PEER_DATA);
	assert_ptr_not_equal(peer_sending_keypair(b, pair.now), old);
}

static void old_key_is_received_after_the_switch(void **state)
{
	struct packet late_from_a, late_from_b;

	(void)state;
	connect_pair(a, b);
	late_from_a = send_packet(a, 16);
	late_from_b = send_packet(b, 16);
	pair.now += SECONDS(120);
	connect_pair(a, b);
	receive_packet(b, late_from_a, PEER_DATA);
	receive_packet(a, late_from_b, PEER_DATA);
	/* It does not become current again. */
	assert_true(a->secrets->keypairs.current->birth == pair.now);
	assert_true(b->secrets->keypairs.current->birth == pair.now);
	/* After one more, that key is gone. */
	pair.now += SECONDS(50);
	late_from_a = seal_with(b->secrets->keypairs.previous, 16);
	shake_hands(a, b);
	receive_packet(a, late_from_a, PEER_UNKNOWN_INDEX);
}

static void confirmation_needs_an_authentic_packet(void **state)
{
	struct packet packet, forged;

	(void)state;
	shake_hands(a, b);
	packet = send_packet(a, 16);
	forged = packet;
	forged.bytes[20] ^= 1;
	receive_packet(b, forged, PEER_FORGED);
	assert_null(peer_sending_keypair(b, pair.now));
	assert_true(b->last_session_up == 0);
	receive_packet(b, packet, PEER_DATA);
	assert_true(b->last_session_up == pair.now);
	receive_packet(b, packet, PEER_REPLAYED);
}

static void unknown_index_is_nothing(void **state)
{
	struct packet packet;

	(void)state;
	connect_pair(a, b);
	packet = send_packet(a, 16);
	packet.bytes[4] ^= 1;
	receive_packet(b, packet, PEER_UNKNOWN_INDEX);
	assert_int_equal(take_actions(b), 0);
}

/* A packet that is refused changes no timer and asks for nothing. */
static void refused_packets_change_nothing(void **state)
{
	struct packet packet, bad;
	struct timers before;

	(void)state;
	connect_pair(a, b);
	packet = send_packet(a, 16);
	receive_packet(b, packet, PEER_DATA);
	send_packet(b, 16); /* arms NEW_HANDSHAKE */
	pair.now += SECONDS(1);
	before = b->timers;
	receive_packet(b, packet, PEER_REPLAYED);
	bad = send_packet(a, 16);
	bad.bytes[17] ^= 1;
	receive_packet(b, bad, PEER_FORGED);
	assert_memory_equal(&b->timers, &before, sizeof(before));
	assert_int_equal(take_actions(b), 0);
}

/* --- age and count --- */

static void key_dies_at_180_s(void **state)
{
	struct packet at_179, at_180;

	(void)state;
	connect_pair(a, b);
	at_179 = send_packet(a, 16);
	at_180 = send_packet(a, 16);
	pair.now += SECONDS(180) - 1;
	receive_packet(b, at_179, PEER_DATA);
	assert_non_null(peer_sending_keypair(b, pair.now));
	pair.now += 1;
	receive_packet(b, at_180, PEER_EXPIRED);
	take_actions(b);
	assert_null(peer_sending_keypair(b, pair.now));
	assert_true(take_actions(b) & PEER_INITIATE);
}

static void initiator_rekeys_on_sending_at_120_s(void **state)
{
	(void)state;
	connect_pair(a, b);
	pair.now += SECONDS(120) - 1;
	send_packet(a, 16);
	assert_false(take_actions(a) & PEER_INITIATE);
	pair.now += 1;
	send_packet(a, 0); /* a keepalive counts too */
	assert_true(take_actions(a) & PEER_INITIATE);
}

static void responder_never_rekeys_by_age(void **state)
{
	(void)state;
	connect_pair(a, b);
	pair.now += SECONDS(179);
	send_packet(b, 16);
	assert_false(take_actions(b) & PEER_INITIATE);
}

static void initiator_rekeys_on_receiving_at_165_s(void **state)
{
	struct packet packets[4];

	(void)state;
	connect_pair(a, b);
	for (size_t i = 0; i < ARRAY_SIZE(packets); i++)
		packets[i] = send_packet(b, 16);
	pair.now += SECONDS(165) - 1;
	receive_packet(a, packets[0], PEER_DATA);
	assert_false(take_actions(a) & PEER_INITIATE);
	pair.now += 1;
	receive_packet(a, packets[1], PEER_DATA);
	assert_true(peer_actions(a, pair.now) & PEER_INITIATE);
	/* Once in a session. */
	pair.now += SECONDS(6);
	receive_packet(a, packets[2], PEER_DATA);
	assert_false(peer_actions(a, pair.now) & PEER_INITIATE);
	/* And again in the next one. */
	connect_pair(a, b);
	packets[3] = send_packet(b, 16);
	pair.now += SECONDS(165);
	receive_packet(a, packets[3], PEER_DATA);
	assert_true(peer_actions(a, pair.now) & PEER_INITIATE);
}

static void responder_never_rekeys_on_receiving(void **state)
{
	struct packet packet;

	(void)state;
	connect_pair(a, b);
	packet = send_packet(a, 16);
	pair.now += SECONDS(179);
	receive_packet(b, packet, PEER_DATA);
	assert_false(take_actions(b) & PEER_INITIATE);
}

static void both_rekey_by_count(void **state)
{
	struct peer *const peers[] = { a, b };

	(void)state;
	connect_pair(a, b);
	pair.now += SECONDS(10);
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		peers[i]->secrets->keypairs.current->send_counter = REKEY_AFTER_MESSAGES - 2;
		send_packet(peers[i], 16);
		assert_false(take_actions(peers[i]) & PEER_INITIATE);
		send_packet(peers[i], 16);
		send_packet(peers[i], 16);
		assert_true(take_actions(peers[i]) & PEER_INITIATE);
	}
}

static void counter_ends(void **state)
{
	struct packet last;

	(void)state;
	connect_pair(a, b);
	a->secrets->keypairs.current->send_counter = REJECT_AFTER_MESSAGES - 1;
	last = send_packet(a, 16);
	assert_null(peer_sending_keypair(a, pair.now));
	receive_packet(b, last, PEER_DATA);
	a->secrets->keypairs.current->send_counter = REJECT_AFTER_MESSAGES;
	receive_packet(b, seal_with(a->secrets->keypairs.current, 16), PEER_EXPIRED);
	a->secrets->keypairs.current->send_counter = UINT64_MAX;
	receive_packet(b, seal_with(a->secrets->keypairs.current, 16), PEER_EXPIRED);
}

/* --- initiations and their pace --- */

static void one_initiation_in_five_seconds(void **state)
{
	(void)state;
	assert_null(peer_sending_keypair(a, pair.now));
	assert_true(take_actions(a) & PEER_INITIATE);
	initiate(a);
	for (unsigned int i = 0; i < 49; i++) {
		pair.now += SECONDS(1) / 10;
		assert_null(peer_sending_keypair(a, pair.now));
		assert_int_equal(take_actions(a), 0);
	}
	pair.now += SECONDS(1) / 10;
	assert_null(peer_sending_keypair(a, pair.now));
	assert_int_equal(take_actions(a) & PEER_INITIATE, PEER_INITIATE);
}

static void no_initiation_soon_after_a_response(void **state)
{
	struct msg_initiation initiation = initiate(a);
	nsec_t responded = pair.now;

	(void)state;
	hand_initiation(b, &initiation, PEER_RESPONDED);
	pair.now += SECONDS(5) - 1;
	assert_null(peer_sending_keypair(b, pair.now));
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
	assert_null(peer_sending_keypair(b, pair.now));
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
	uint8_t packet[1] = { 0 };

	(void)state;
	assert_null(peer_sending_keypair(a, pair.now));
	peer_stage(a, packet, sizeof(packet));
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
	assert_int_equal(a->staged.n, 0);
	assert_int_equal(a->n_staged_lost, 1);
	/* Silence then, up to the end of the keys. */
	assert_true(peer_deadline(a) == pair.now + SECONDS(540));
	assert_int_equal(next_timer(a), PEER_KEYS_ERASED);
	assert_true(peer_deadline(a) == NSEC_NEVER);
	assert_true(a->last_session_up == 0);
	/* A new packet begins anew. */
	assert_null(peer_sending_keypair(a, pair.now));
	assert_int_equal(take_actions(a), PEER_INITIATE);
}

static void new_packets_keep_it_trying(void **state)
{
	(void)state;
	assert_null(peer_sending_keypair(a, pair.now));
	assert_int_equal(take_actions(a), PEER_INITIATE);
	for (unsigned int i = 0; i < 100; i++) {
		initiate(a);
		pair.now += SECONDS(1);
		assert_null(peer_sending_keypair(a, pair.now));
		assert_true(next_timer(a) & PEER_INITIATE);
	}
}

static void session_ends_the_retries(void **state)
{
	(void)state;
	assert_null(peer_sending_keypair(a, pair.now));
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

/* --- silence --- */

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
	assert_null(peer_sending_keypair(a, pair.now));
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
			assert_null(peer_sending_keypair(a, pair.now));
			actions |= take_actions(a);
		}
		assert_in_range(pair.now - last, 0, SECONDS(26));
		if (actions & PEER_INITIATE) {
			initiate(a);
			last = pair.now;
		}
	}
}

/* --- the end of keys --- */

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
				   sizeof(b->secrets->keypairs)));
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

/* --- staged packets --- */

static void newest_128_packets_wait_in_order(void **state)
{
	size_t len;

	(void)state;
	for (uint32_t i = 0; i < 300; i++)
		peer_stage(a, (const uint8_t *)&i, sizeof(i));
	assert_int_equal(a->n_staged_lost, 300 - STAGED_MAX);
	shake_hands(a, b);
	assert_true(take_actions(a) & PEER_SEND_KEEPALIVE);
	for (uint32_t i = 300 - STAGED_MAX; i < 300; i++) {
		const uint8_t *packet = staged_pop(&a->staged, &len);

		assert_int_equal(len, sizeof(i));
		assert_memory_equal(packet, &i, sizeof(i));
	}
	assert_null(staged_pop(&a->staged, &len));
}

static void confirmation_flushes(void **state)
{
	(void)state;
	shake_hands(a, b);
	assert_false(take_actions(b) & PEER_FLUSH);
	receive_packet(b, send_packet(a, 0), PEER_KEEPALIVE);
	assert_true(take_actions(b) & PEER_FLUSH);
	receive_packet(b, send_packet(a, 0), PEER_KEEPALIVE);
	assert_false(take_actions(b) & PEER_FLUSH);
}

/* --- the rest --- */

static void verdicts_have_names(void **state)
{
	(void)state;
	for (enum peer_verdict i = 0; i < PEER_N_VERDICTS; i++) {
		assert_non_null(peer_verdict_name(i));
		for (enum peer_verdict j = 0; j < i; j++)
			assert_string_not_equal(peer_verdict_name(i), peer_verdict_name(j));
	}
	assert_string_equal(peer_verdict_name(PEER_REPLAYED), "replayed");
	assert_string_equal(peer_verdict_name(PEER_RESPONDED), "initiation answered");
}

static void deinit_is_safe_twice(void **state)
{
	(void)state;
	connect_pair(a, b);
	peer_deinit(a);
	peer_deinit(a);
	assert_null(a->secrets);
}

#define pair_test(test) cmocka_unit_test_setup_teardown(test, pair_setup, pair_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		pair_test(starts_quiet),
		pair_test(packet_asks_for_a_session),
		pair_test(responder_sends_nothing_before_confirmation),
		pair_test(responder_sends_with_the_old_key_meanwhile),
		pair_test(old_key_is_received_after_the_switch),
		pair_test(confirmation_needs_an_authentic_packet),
		pair_test(unknown_index_is_nothing),
		pair_test(refused_packets_change_nothing),
		pair_test(key_dies_at_180_s),
		pair_test(initiator_rekeys_on_sending_at_120_s),
		pair_test(responder_never_rekeys_by_age),
		pair_test(initiator_rekeys_on_receiving_at_165_s),
		pair_test(responder_never_rekeys_on_receiving),
		pair_test(both_rekey_by_count),
		pair_test(counter_ends),
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
		pair_test(data_back_is_acknowledgement_enough),
		pair_test(persistent_keepalive),
		pair_test(persistent_keepalive_never_gives_up),
		pair_test(keys_are_erased_after_540_s),
		pair_test(new_session_puts_the_end_off),
		pair_test(newest_128_packets_wait_in_order),
		pair_test(confirmation_flushes),
		pair_test(verdicts_have_names),
		pair_test(deinit_is_safe_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
