/*
 * The peer's sessions: which key is used when and for how long, and packets that wait.
 */
#include "tests/unit/peer_pair.h"

static struct peer *const a = &pair.a, *const b = &pair.b;

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
	assert_null(sending_keypair(a));
	assert_int_equal(take_actions(a), PEER_INITIATE);
	assert_int_equal(take_actions(a), 0);
}

static void responder_sends_nothing_before_confirmation(void **state)
{
	(void)state;
	shake_hands(a, b);
	assert_null(sending_keypair(b));
	assert_non_null(sending_keypair(a));
	receive_packet(b, send_packet(a, 16), PEER_DATA);
	assert_non_null(sending_keypair(b));
}

static void responder_sends_with_the_old_key_meanwhile(void **state)
{
	struct keypair *old;

	(void)state;
	connect_pair(a, b);
	old = b->secrets->keypairs.current;
	pair.now += SECONDS(120);
	shake_hands(a, b);
	assert_ptr_equal(sending_keypair(b), old);
	receive_packet(a, send_packet(b, 16), PEER_DATA);
	receive_packet(b, send_packet(a, 16), PEER_DATA);
	assert_ptr_not_equal(sending_keypair(b), old);
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
	assert_null(sending_keypair(b));
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

static void key_dies_at_180_s(void **state)
{
	struct packet at_179, at_180;

	(void)state;
	connect_pair(a, b);
	at_179 = send_packet(a, 16);
	at_180 = send_packet(a, 16);
	pair.now += SECONDS(180) - 1;
	receive_packet(b, at_179, PEER_DATA);
	assert_non_null(sending_keypair(b));
	pair.now += 1;
	receive_packet(b, at_180, PEER_EXPIRED);
	take_actions(b);
	assert_null(sending_keypair(b));
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
	assert_null(sending_keypair(a));
	receive_packet(b, last, PEER_DATA);
	a->secrets->keypairs.current->send_counter = REJECT_AFTER_MESSAGES;
	receive_packet(b, seal_with(a->secrets->keypairs.current, 16), PEER_EXPIRED);
	a->secrets->keypairs.current->send_counter = UINT64_MAX;
	receive_packet(b, seal_with(a->secrets->keypairs.current, 16), PEER_EXPIRED);
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
		pair_test(confirmation_flushes),
		pair_test(verdicts_have_names),
		pair_test(deinit_is_safe_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
