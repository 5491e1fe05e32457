/*
 * Handshakes of both ends at once: whichever message comes first, packets pass both ways. Two vpnds
 * agree on one session; an end that makes no offer, as a stock peer, is met by the book.
 */
#include "tests/unit/peer_pair.h"

static struct peer *const a = &pair.a, *const b = &pair.b;

/* Ends that carry frames say so in every initiation, whatever ciphers there are. */
static void make_offers(void)
{
	a->secrets->identity.carries = OFFER_FRAMES;
	b->secrets->identity.carries = OFFER_FRAMES;
}

/* The peer completed a session that it began: an answer to ours, held back on the way, must not
 * replace it. */
static void response_after_the_peers_own_session(void **state)
{
	struct msg_initiation initiation = initiate(a);
	struct peer_reply late = hand_initiation(b, &initiation, PEER_RESPONDED);
	struct keypair *current;

	(void)state;
	pair.now += SECONDS_AND_JITTER(5);
	connect_pair(b, a);
	current = a->secrets->keypairs.current;
	pair.now += SECONDS(60);
	hand_reply(a, &late, PEER_UNASKED);
	assert_ptr_equal(a->secrets->keypairs.current, current);
}

/* Whose session both ends send with; they must agree. */
static struct peer *owner_of_session(void)
{
	const struct keypair *of_a = a->secrets->keypairs.current;
	const struct keypair *of_b = b->secrets->keypairs.current;

	assert_int_equal(of_a->local_index, of_b->remote_index);
	assert_int_equal(of_b->local_index, of_a->remote_index);
	assert_int_not_equal(of_a->i_am_initiator, of_b->i_am_initiator);
	return of_a->i_am_initiator ? a : b;
}

/* Both began at once, and `first` is answered first; its packet may overtake the other answer. */
static void begin_at_once(struct peer *first, struct peer *second, bool is_overtaken)
{
	struct msg_initiation from_first = initiate(first), from_second = initiate(second);
	struct peer_reply by_first = hand_initiation(first, &from_second, PEER_RESPONDED);
	struct peer_reply by_second = hand_initiation(second, &from_first, PEER_RESPONDED), none;

	hand_reply(first, &by_second, PEER_ESTABLISHED);
	if (is_overtaken)
		receive_packet(second, send_packet(first, 16), PEER_DATA);
	/* It may come too late then; that is no error. */
	hand(second, by_first.message, by_first.len, &none);
	for (unsigned int i = 0; i < 3; i++) {
		receive_packet(second, send_packet(first, 16), PEER_DATA);
		receive_packet(first, send_packet(second, 16), PEER_DATA);
	}
}

/* After a crossed start both send with the same session, so that the next rekey has one
 * initiator; and the session that lost never comes back. */
static void both_agree_on_one_session(void **state)
{
	bool a_is_larger = sodium_compare(a->secrets->identity.own_public.bytes,
					  b->secrets->identity.own_public.bytes, KEY_LEN) > 0;

	for (unsigned int order = 0; order < 8; order++) {
		struct packet late_from_a, late_from_b;
		struct peer *owner;

		pair_teardown(state);
		pair_setup(state);
		if (order & 4)
			make_offers();
		begin_at_once(order & 1 ? a : b, order & 1 ? b : a, order & 2);
		owner = owner_of_session();
		if (!(order & 2))
			assert_ptr_equal(owner, a_is_larger ? a : b);
		late_from_a = send_packet(a, 16);
		late_from_b = send_packet(b, 16);
		pair.now += SECONDS(120);
		connect_pair(owner, owner == a ? b : a);
		receive_packet(a, late_from_b, PEER_DATA);
		receive_packet(b, late_from_a, PEER_DATA);
		assert_ptr_equal(owner_of_session(), owner);
		assert_true(a->secrets->keypairs.current->birth == pair.now);
		assert_true(b->secrets->keypairs.current->birth == pair.now);
	}
}

/* Of two that do not offer alike, the one that offers nothing yields: it knows what the other is.
 */
static void who_offers_keeps_its_session(void **state)
{
	struct peer *const ends[] = { a, b };

	for (unsigned int order = 0; order < 4; order++) {
		struct peer *offering = ends[order & 1];

		pair_teardown(state);
		pair_setup(state);
		offering->suites[0] = CIPHER_AES256_GCM;
		offering->n_suites = 1;
		begin_at_once(ends[order >> 1], ends[1 - (order >> 1)], false);
		assert_ptr_equal(owner_of_session(), offering);
	}
}

/* Sessions that do not cross belong to who began them, whoever began those before. */
static void sessions_one_after_the_other(void **state)
{
	static const char beginners[] = "abbaababb";

	(void)state;
	for (const char *beginner = beginners; *beginner; beginner++) {
		connect_pair(*beginner == 'a' ? a : b, *beginner == 'a' ? b : a);
		assert_ptr_equal(owner_of_session(), *beginner == 'a' ? a : b);
		assert_true(a->secrets->keypairs.current->birth == pair.now);
		pair.now += SECONDS(120);
	}
}

/* Both begin at once, in every order of the four messages: the session works both ways. */
static void both_begin_at_once(void **state)
{
	for (unsigned int order = 0; order < 2; order++) {
		struct msg_initiation from_a, from_b;
		struct peer_reply by_a, by_b;

		pair_teardown(state);
		pair_setup(state);
		from_a = initiate(a);
		from_b = initiate(b);
		by_a = hand_initiation(a, &from_b, PEER_RESPONDED);
		by_b = hand_initiation(b, &from_a, PEER_RESPONDED);
		hand_reply(a, &by_b, PEER_ESTABLISHED);
		if (order == 0) {
			hand_reply(b, &by_a, PEER_ESTABLISHED);
			receive_packet(b, send_packet(a, 0), PEER_KEEPALIVE);
			receive_packet(a, send_packet(b, 0), PEER_KEEPALIVE);
		} else {
			/* a's keepalive overtakes a's response. */
			receive_packet(b, send_packet(a, 0), PEER_KEEPALIVE);
		}
		receive_packet(b, send_packet(a, 16), PEER_DATA);
		receive_packet(a, send_packet(b, 16), PEER_DATA);
	}
}

/* An answer of ours that was lost long before is no crossing: nobody yields to its session. */
static void old_unconfirmed_session_is_no_crossing(void **state)
{
	struct peer *const ends[] = { a, b };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct peer *from = ends[i], *to = ends[1 - i];
		struct msg_initiation initiation;

		pair_teardown(state);
		pair_setup(state);
		make_offers();
		initiation = initiate(to);
		hand_initiation(from, &initiation, PEER_RESPONDED);
		pair.now += SECONDS(6);
		connect_pair(from, to);
		assert_ptr_equal(owner_of_session(), from);
		assert_false(from->secrets->keypairs.previous->is_preferred);
	}
}

#define pair_test(test) cmocka_unit_test_setup_teardown(test, pair_setup, pair_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		pair_test(response_after_the_peers_own_session),
		pair_test(both_agree_on_one_session),
		pair_test(who_offers_keeps_its_session),
		pair_test(sessions_one_after_the_other),
		pair_test(old_unconfirmed_session_is_no_crossing),
		pair_test(both_begin_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
