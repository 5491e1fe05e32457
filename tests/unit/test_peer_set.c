/*
 * Tests of daemon/proto/peer_set.c: what a reload changes, and what the session does then.
 */
#include "tests/unit/peer_pair.h"

#include <errno.h>

static struct peer *const a = &pair.a, *const b = &pair.b;

static struct key psk_of(uint8_t n)
{
	struct key psk;

	memset(psk.bytes, n, KEY_LEN);
	return psk;
}

/* Whether a packet of one reaches the other with the session that there is. */
static void expect_data(struct peer *from, struct peer *to)
{
	receive_packet(to, send_packet(from, 64), PEER_DATA);
}

static void test_preshared(void **state)
{
	struct key other = psk_of(8);
	struct msg_initiation initiation;
	struct peer_reply reply;

	(void)state;
	connect_pair(a, b);
	peer_set_preshared(a, &other);
	expect_data(a, b);
	expect_data(b, a);
	/* The next handshake needs it on both ends. */
	pair.now += 10 * NSEC_PER_SEC;
	initiation = initiate(a);
	reply = hand_initiation(b, &initiation, PEER_RESPONDED);
	hand_reply(a, &reply, PEER_PSK_DIFFERS);
	peer_set_preshared(b, &other);
	pair.now += 10 * NSEC_PER_SEC;
	shake_hands(a, b);
}

static void test_keepalive(void **state)
{
	(void)state;
	connect_pair(a, b);
	take_actions(a);
	peer_set_keepalive(a, 25, pair.now);
	assert_true(take_actions(a) & PEER_SEND_KEEPALIVE);
	receive_packet(b, send_packet(a, 0), PEER_KEEPALIVE);
	pair.now += 25 * NSEC_PER_SEC;
	assert_true(take_actions(a) & PEER_SEND_KEEPALIVE);
	peer_set_keepalive(a, 0, pair.now);
	pair.now += 25 * NSEC_PER_SEC;
	assert_false(take_actions(a) & PEER_SEND_KEEPALIVE);
}

static void test_suites(void **state)
{
	const enum cipher_suite suites[] = { CIPHER_CHACHA20_POLY1305 + 1 };

	(void)state;
	/* Without a session there is no reason for a handshake. */
	peer_set_suites(a, suites, 1, false, pair.now);
	assert_false(take_actions(a) & PEER_INITIATE);
	connect_pair(a, b);
	take_actions(a);
	pair.now += 10 * NSEC_PER_SEC;
	peer_set_suites(a, NULL, 0, true, pair.now);
	assert_int_equal(a->n_suites, 0);
	assert_true(a->is_suite_forced);
	assert_true(take_actions(a) & PEER_INITIATE);
	/* Until then the old one serves. */
	expect_data(a, b);
	expect_data(b, a);
}

static void test_own_key(void **state)
{
	struct key private_key, public_key;
	struct msg_initiation initiation;

	(void)state;
	connect_pair(a, b);
	take_actions(a);
	pair_keys(&private_key, 0xc3, &public_key);
	assert_int_equal(
		peer_set_keys(a, &private_key, &a->secrets->identity.peer_public, pair.now), 0);
	assert_true(key_equal(&a->secrets->identity.own_public, &public_key));
	assert_null(a->secrets->keypairs.current);
	/* At once, however short ago the last handshake was. */
	assert_true(take_actions(a) & PEER_INITIATE);
	/* The far end must know the new key. */
	initiation = initiate(a);
	(void)hand_initiation(b, &initiation, PEER_UNKNOWN_KEY);
	assert_int_equal(peer_set_keys(b, &pair.b_private, &public_key, pair.now), 0);
	pair.now += NSEC_PER_SEC;
	shake_hands(a, b);
	expect_data(a, b);
	expect_data(b, a);
}

/* Another peer's clock may be behind that of the one before. */
static void test_peer_key(void **state)
{
	struct key private_key, public_key;

	(void)state;
	connect_pair(b, a);
	pair_keys(&private_key, 0xc3, &public_key);
	assert_int_equal(
		peer_set_keys(b, &private_key, &b->secrets->identity.peer_public, pair.now), 0);
	assert_int_equal(peer_set_keys(a, &pair.a_private, &public_key, pair.now), 0);
	pair.wall -= 1000;
	memset(&b->last_stamp_sent, 0, sizeof(b->last_stamp_sent));
	shake_hands(b, a);
	expect_data(b, a);
}

static void test_bad_key(void **state)
{
	const struct key low_order = { .bytes = { 1 } };
	struct key before;

	(void)state;
	connect_pair(a, b);
	before = a->secrets->identity.peer_public;
	assert_int_equal(peer_set_keys(a, &pair.a_private, &low_order, pair.now), -EINVAL);
	assert_true(key_equal(&a->secrets->identity.peer_public, &before));
	expect_data(a, b);
	expect_data(b, a);
}

/* Nothing is wanted, nothing answered, whatever comes and however long it lasts. */
static void expect_deaf(struct peer *peer, struct peer *other)
{
	struct msg_initiation initiation;

	assert_false(peer_has_keys(peer));
	assert_null(peer->secrets->keypairs.current);
	pair.now += 10 * NSEC_PER_SEC;
	peer_want_session(peer, 0, pair.now);
	peer_set_keepalive(peer, 25, pair.now);
	peer_set_suites(peer, NULL, 0, false, pair.now);
	assert_int_equal(take_actions(peer), 0);
	assert_int_equal(peer_deadline(peer), NSEC_NEVER);
	initiation = initiate(other);
	(void)hand_initiation(peer, &initiation, PEER_NO_KEYS);
	assert_int_equal(take_actions(peer), 0);
	assert_int_equal(peer_deadline(peer), NSEC_NEVER);
}

static void test_removed_peer(void **state)
{
	const struct key none = { .bytes = { 0 } };
	struct key peer_key, own_key;

	(void)state;
	connect_pair(a, b);
	peer_key = a->secrets->identity.peer_public;
	own_key = a->secrets->identity.own_public;
	assert_int_equal(peer_set_keys(a, &pair.a_private, &none, pair.now), 0);
	assert_true(key_equal(&a->secrets->identity.own_public, &own_key));
	expect_deaf(a, b);
	/* What was set meanwhile holds when the peer comes back. */
	assert_int_equal(peer_set_keys(a, &pair.a_private, &peer_key, pair.now), 0);
	assert_int_equal(take_actions(a), PEER_SEND_KEEPALIVE);
	shake_hands(a, b);
	expect_data(a, b);
	expect_data(b, a);
}

static void test_cleared_private_key(void **state)
{
	const struct key none = { .bytes = { 0 } };
	struct key peer_key;

	(void)state;
	connect_pair(b, a);
	peer_key = a->secrets->identity.peer_public;
	assert_int_equal(peer_set_keys(a, &none, &peer_key, pair.now), 0);
	assert_true(key_is_zero(&a->secrets->identity.own_public));
	assert_true(key_equal(&a->secrets->identity.peer_public, &peer_key));
	expect_deaf(a, b);
	assert_int_equal(peer_set_keys(a, &pair.a_private, &peer_key, pair.now), 0);
	pair.now += 10 * NSEC_PER_SEC;
	shake_hands(b, a);
}

/* As `wg` configures an interface that has nothing: key, then peer, then preshared key. */
static void test_from_nothing(void **state)
{
	const struct key none = { .bytes = { 0 } };
	const struct peer_config config = { .own_private = &none,
					    .peer_public = &none,
					    .preshared = &none,
					    .persistent_keepalive = 25 };
	struct key b_public = a->secrets->identity.peer_public, psk = psk_of(7);

	(void)state;
	peer_deinit(a);
	assert_int_equal(peer_init(a, &config, pair.now), 0);
	expect_deaf(a, b);
	assert_int_equal(peer_set_keys(a, &pair.a_private, &none, pair.now), 0);
	expect_deaf(a, b);
	assert_int_equal(peer_set_keys(a, &pair.a_private, &b_public, pair.now), 0);
	peer_set_preshared(a, &psk);
	assert_true(peer_has_keys(a));
	assert_int_equal(take_actions(a), PEER_SEND_KEEPALIVE);
	pair.now += 10 * NSEC_PER_SEC;
	shake_hands(b, a);
}

/* Who has nothing to say is silent with new keys as well. */
static void test_keys_alone_call_nobody(void **state)
{
	const struct key none = { .bytes = { 0 } };
	struct key b_public = a->secrets->identity.peer_public;

	(void)state;
	assert_int_equal(peer_set_keys(a, &pair.a_private, &none, pair.now), 0);
	assert_int_equal(peer_set_keys(a, &pair.a_private, &b_public, pair.now), 0);
	assert_int_equal(peer_set_keys(a, &pair.b_private, &b_public, pair.now), 0);
	assert_int_equal(take_actions(a), 0);
	assert_int_equal(peer_deadline(a), NSEC_NEVER);
}

/* A handshake that is under way, or waits for its time, goes on with the new keys. */
static void test_keys_during_a_handshake(void **state)
{
	struct key private_key, public_key;

	(void)state;
	pair_keys(&private_key, 0xc3, &public_key);
	assert_null(sending_keypair(a));
	assert_true(take_actions(a) & PEER_INITIATE);
	(void)initiate(a);
	assert_int_equal(
		peer_set_keys(a, &private_key, &a->secrets->identity.peer_public, pair.now), 0);
	assert_int_equal(take_actions(a), PEER_INITIATE);

	/* One that is wanted but would come too soon after a response. */
	assert_int_equal(
		peer_set_keys(a, &pair.a_private, &a->secrets->identity.peer_public, pair.now), 0);
	shake_hands(a, b);
	assert_null(sending_keypair(b));
	assert_int_equal(take_actions(b), 0);
	assert_int_equal(
		peer_set_keys(b, &private_key, &b->secrets->identity.peer_public, pair.now), 0);
	assert_int_equal(take_actions(b), PEER_INITIATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_preshared, pair_setup, pair_teardown),
		cmocka_unit_test_setup_teardown(test_keepalive, pair_setup, pair_teardown),
		cmocka_unit_test_setup_teardown(test_suites, pair_setup, pair_teardown),
		cmocka_unit_test_setup_teardown(test_own_key, pair_setup, pair_teardown),
		cmocka_unit_test_setup_teardown(test_peer_key, pair_setup, pair_teardown),
		cmocka_unit_test_setup_teardown(test_bad_key, pair_setup, pair_teardown),
		cmocka_unit_test_setup_teardown(test_removed_peer, pair_setup, pair_teardown),
		cmocka_unit_test_setup_teardown(test_cleared_private_key, pair_setup,
						pair_teardown),
		cmocka_unit_test_setup_teardown(test_from_nothing, pair_setup, pair_teardown),
		cmocka_unit_test_setup_teardown(test_keys_alone_call_nobody, pair_setup,
						pair_teardown),
		cmocka_unit_test_setup_teardown(test_keys_during_a_handshake, pair_setup,
						pair_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
