/*
 * The peer under load: cookies asked for and shown, and how often one source is heard.
 */
#include "tests/unit/peer_pair.h"

static struct peer *const a = &pair.a, *const b = &pair.b;

/* Copies of an initiation that b has seen: each costs it a mac1 and nothing else. */
static void put_under_load(struct peer *peer, const struct msg_initiation *initiation)
{
	struct peer_reply reply;

	for (unsigned int i = 0; i < LOAD_PER_SECOND; i++)
		assert_int_equal(hand(peer, initiation, sizeof(*initiation), &reply),
				 PEER_OLD_TIMESTAMP);
	hand_initiation(peer, initiation, PEER_COOKIE_SENT);
}

static struct msg_initiation seen_initiation(struct peer *from, struct peer *to)
{
	struct msg_initiation initiation = initiate(from);

	hand_initiation(to, &initiation, PEER_RESPONDED);
	return initiation;
}

/* A second after an initiation that it has seen, b is under load. */
static void put_b_under_load(void)
{
	struct msg_initiation old = seen_initiation(a, b);

	pair.now += SECONDS(1);
	put_under_load(b, &old);
}

/* The initiation that b asks a cookie for, and its reply. */
static struct peer_reply ask_for_cookie(struct msg_initiation *ret)
{
	*ret = initiate(a);
	return hand_initiation(b, ret, PEER_COOKIE_SENT);
}

static void cookie_is_asked_for_under_load(void **state)
{
	struct msg_initiation initiation;
	struct peer_reply reply;

	(void)state;
	put_b_under_load();
	reply = ask_for_cookie(&initiation);
	assert_true(reply.len < sizeof(initiation));
	assert_memory_equal(reply.message + 4, &initiation.sender, 4);
	hand_reply(a, &reply, PEER_COOKIE_STORED);
	/* Nothing is sent at once: the retry carries mac2. */
	assert_int_equal(take_actions(a), 0);
	assert_true(peer_deadline(a) >= pair.now + SECONDS(5));

	initiation = initiate(a);
	reply = hand_initiation(b, &initiation, PEER_RESPONDED);
	hand_reply(a, &reply, PEER_ESTABLISHED);
}

static void response_is_under_load_too(void **state)
{
	struct msg_initiation old = seen_initiation(b, a), initiation;
	struct peer_reply response, cookie;

	(void)state;
	pair.now += SECONDS(1);
	initiation = initiate(a);
	response = hand_initiation(b, &initiation, PEER_RESPONDED);
	put_under_load(a, &old);
	assert_int_equal(hand(a, response.message, response.len, &cookie), PEER_COOKIE_SENT);
	assert_int_equal(cookie.len, sizeof(struct msg_cookie));
	assert_null(a->secrets->keypairs.current);
	hand_reply(b, &cookie, PEER_COOKIE_STORED);
	pair.now += SECONDS(5) / 10;
	/* The next response shows the cookie, while a is still under load. */
	initiation = initiate(a);
	response = hand_initiation(b, &initiation, PEER_RESPONDED);
	hand_reply(a, &response, PEER_ESTABLISHED);
}

static void wrong_mac1_gets_no_cookie(void **state)
{
	struct msg_initiation initiation;

	(void)state;
	put_b_under_load();
	initiation = initiate(a);
	initiation.macs.mac1[0] ^= 1;
	hand_initiation(b, &initiation, PEER_BAD_MAC1);
}

static void wrong_mac2_is_nothing_without_load(void **state)
{
	struct msg_initiation initiation = initiate(a);

	(void)state;
	memset(initiation.macs.mac2, 0xee, MAC_LEN);
	hand_initiation(b, &initiation, PEER_RESPONDED);
}

static void load_ends_after_a_second(void **state)
{
	struct msg_initiation initiation;

	(void)state;
	put_b_under_load();
	initiation = initiate(a);
	pair.now += SECONDS(1) - 1;
	hand_initiation(b, &initiation, PEER_COOKIE_SENT);
	pair.now += 1;
	hand_initiation(b, &initiation, PEER_RESPONDED);
}

static void cookie_from_another_port(void **state)
{
	struct msg_initiation initiation;
	struct peer_reply reply;

	(void)state;
	put_b_under_load();
	reply = ask_for_cookie(&initiation);
	hand_reply(a, &reply, PEER_COOKIE_STORED);
	initiation = initiate(a);
	pair.a_addr.in4.sin_port++;
	hand_initiation(b, &initiation, PEER_COOKIE_SENT);
	pair.a_addr.in4.sin_port--;
	hand_initiation(b, &initiation, PEER_RESPONDED);
}

static void shown_cookie_is_limited(void **state)
{
	struct msg_initiation initiation;
	struct peer_reply reply;

	(void)state;
	put_b_under_load();
	reply = ask_for_cookie(&initiation);
	hand_reply(a, &reply, PEER_COOKIE_STORED);
	initiation = initiate(a);
	hand_initiation(b, &initiation, PEER_RESPONDED);
	for (unsigned int i = 1; i < RATELIMIT_BURST; i++)
		hand_initiation(b, &initiation, PEER_OLD_TIMESTAMP);
	hand_initiation(b, &initiation, PEER_RATE_LIMITED);
	pair.now += SECONDS(1) / RATELIMIT_PER_SECOND;
	hand_initiation(b, &initiation, PEER_OLD_TIMESTAMP);
	hand_initiation(b, &initiation, PEER_RATE_LIMITED);
}

static void cookie_reply_for_nobody(void **state)
{
	struct msg_initiation initiation;
	struct peer_reply reply, forged;

	(void)state;
	put_b_under_load();
	reply = ask_for_cookie(&initiation);
	forged = reply;
	forged.message[4] ^= 1; /* the index */
	hand_reply(a, &forged, PEER_UNASKED);
	forged = reply;
	forged.message[40] ^= 1;
	hand_reply(a, &forged, PEER_UNASKED);
	assert_false(a->secrets->maker.has_cookie);
	hand_reply(a, &reply, PEER_COOKIE_STORED);
	hand_reply(a, &reply, PEER_UNASKED);

	/* To a message that is not the latest. */
	initiation = initiate(a);
	initiation.macs.mac2[0] ^= 1;
	reply = hand_initiation(b, &initiation, PEER_COOKIE_SENT);
	initiation = initiate(a);
	hand_reply(a, &reply, PEER_UNASKED);
}

static void cookie_reply_without_any_handshake(void **state)
{
	struct msg_cookie cookie = { .type = le32_make(MSG_COOKIE) };
	struct peer_reply reply;

	(void)state;
	assert_int_equal(hand(a, &cookie, sizeof(cookie), &reply), PEER_UNASKED);
	assert_int_equal(reply.len, 0);
}

#define pair_test(test) cmocka_unit_test_setup_teardown(test, pair_setup, pair_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		pair_test(cookie_is_asked_for_under_load),
		pair_test(response_is_under_load_too),
		pair_test(wrong_mac1_gets_no_cookie),
		pair_test(wrong_mac2_is_nothing_without_load),
		pair_test(load_ends_after_a_second),
		pair_test(cookie_from_another_port),
		pair_test(shown_cookie_is_limited),
		pair_test(cookie_reply_for_nobody),
		pair_test(cookie_reply_without_any_handshake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
