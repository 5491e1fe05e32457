/*
 * Two peers on a desk: a and b know each other, the clock stands where the test puts it, and
 * each message passes through the test's hands.
 */
#ifndef TESTS_PEER_PAIR_H
#define TESTS_PEER_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/proto/peer.h"

#define PAIR_START (1000 * NSEC_PER_SEC)
#define SECONDS(n) ((n)*NSEC_PER_SEC)
/* The latest that a timer of `n` seconds with jitter is due. */
#define SECONDS_AND_JITTER(n) ((n)*NSEC_PER_SEC + REKEY_JITTER)

struct pair {
	struct peer a, b;
	union netaddr a_addr, b_addr;
	struct key a_private, b_private;
	nsec_t now;
	time_t wall;
};

static struct pair pair;

static inline void pair_keys(struct key *private_key, uint8_t n, struct key *public_key)
{
	memset(private_key->bytes, n, KEY_LEN);
	prim_dh_public(public_key, private_key);
}

/*!
 * Makes both ends.
 *
 * \param keepalive  PersistentKeepalive of a
 * \param b_psk      0: none
 */
static inline void pair_init(uint16_t keepalive, uint8_t a_psk, uint8_t b_psk)
{
	struct key a_public, b_public, psk;
	struct peer_config config = { .preshared = &psk };

	memset(&pair, 0, sizeof(pair));
	pair.now = PAIR_START;
	pair.wall = 1700000000;
	pair.a_addr.in4 = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = 1 };
	pair.b_addr.in4 = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = 2 };
	pair_keys(&pair.a_private, 0xa1, &a_public);
	pair_keys(&pair.b_private, 0xb2, &b_public);

	memset(psk.bytes, a_psk, KEY_LEN);
	config.own_private = &pair.a_private;
	config.peer_public = &b_public;
	config.persistent_keepalive = keepalive;
	assert_int_equal(peer_init(&pair.a, &config, pair.now), 0);
	memset(psk.bytes, b_psk, KEY_LEN);
	config.own_private = &pair.b_private;
	config.peer_public = &a_public;
	config.persistent_keepalive = 0;
	assert_int_equal(peer_init(&pair.b, &config, pair.now), 0);
}

static inline int pair_setup(void **state)
{
	(void)state;
	pair_init(0, 7, 7);
	return 0;
}

static inline int pair_teardown(void **state)
{
	(void)state;
	peer_deinit(&pair.a);
	peer_deinit(&pair.b);
	return 0;
}

static inline const union netaddr *address_of_other(const struct peer *peer)
{
	return peer == &pair.a ? &pair.b_addr : &pair.a_addr;
}

/*! The keypair to seal with, or NULL after a session was asked for. */
static inline struct keypair *sending_keypair(struct peer *peer)
{
	struct keypair *current = peer->secrets->keypairs.current;

	if (keypair_can_send(current, pair.now))
		return current;
	peer_want_session(peer, current ? current->serial : 0, pair.now);
	return NULL;
}

/*! All actions until there are none. */
static inline unsigned int take_actions(struct peer *peer)
{
	unsigned int all = 0, some;

	while ((some = peer_actions(peer, pair.now)) != 0)
		all |= some;
	return all;
}

/*! An initiation, whether it was asked for or not. The wall clock follows the boot clock. */
static inline struct msg_initiation initiate(struct peer *peer)
{
	struct timespec wall = { pair.wall + (time_t)((pair.now - PAIR_START) / NSEC_PER_SEC),
				 (long)(pair.now % NSEC_PER_SEC) };
	struct msg_initiation initiation;

	assert_true(peer_create_initiation(peer, &wall, pair.now, &initiation));
	return initiation;
}

/*! Hands a handshake message to `peer` as if it came from the other end. */
static inline enum peer_verdict hand(struct peer *peer, const void *message, size_t len,
				     struct peer_reply *reply)
{
	enum msg_type type = msg_classify(message, len);

	assert_true(type != MSG_NONE && type != MSG_DATA);
	return peer_receive_handshake(peer, type, message, len, address_of_other(peer), pair.now,
				      reply);
}

/*! Hands an initiation over; the verdict must be `expected`. */
static inline struct peer_reply hand_initiation(struct peer *peer,
						const struct msg_initiation *initiation,
						enum peer_verdict expected)
{
	struct peer_reply reply;

	assert_int_equal(hand(peer, initiation, sizeof(*initiation), &reply), expected);
	assert_int_equal(reply.len, expected == PEER_RESPONDED || expected == PEER_IS_TUN ||
						    expected == PEER_IS_TAP
					    ? sizeof(struct msg_response)
				    : expected == PEER_COOKIE_SENT ? sizeof(struct msg_cookie)
								   : 0);
	return reply;
}

/*! Hands over what somebody replied. */
static inline void hand_reply(struct peer *peer, const struct peer_reply *reply,
			      enum peer_verdict expected)
{
	struct peer_reply answer;

	assert_int_equal(hand(peer, reply->message, reply->len, &answer), expected);
	assert_int_equal(answer.len, expected == PEER_COOKIE_SENT ? sizeof(struct msg_cookie) : 0);
}

/*! A data message. */
struct packet {
	uint8_t bytes[128];
	size_t len;
};

/*! Seals with `keypair` and tells nobody. */
static inline struct packet seal_with(struct keypair *keypair, size_t plain_len)
{
	struct packet packet = { { 0 }, 0 };

	memset(packet.bytes + DATA_HEADER_LEN, 0x45, plain_len);
	packet.len = keypair_seal(keypair, packet.bytes, packet.bytes + DATA_HEADER_LEN, plain_len);
	return packet;
}

/*! Sends; there must be a session. 0 makes a keepalive. */
static inline struct packet send_packet(struct peer *peer, size_t plain_len)
{
	struct keypair *keypair = sending_keypair(peer);
	struct packet packet;

	assert_non_null(keypair);
	if (!keypair)
		return (struct packet) { .len = 0 };
	packet = seal_with(keypair, plain_len);
	peer_sent(peer, plain_len > 0, keypair->send_counter, pair.now);
	return packet;
}

static inline void receive_packet(struct peer *peer, struct packet packet,
				  enum peer_verdict expected)
{
	struct sealed_message message = { .bytes = packet.bytes, .len = packet.len };

	keypairs_open(&peer->secrets->keypairs, &message, 1, pair.now);
	assert_int_equal(peer_data_verdict(message.result, message.plain_len), expected);
	if (message.is_first)
		peer_confirmed(peer, message.serial, pair.now);
	if (message.result == KEYPAIR_OPENED)
		peer_received(peer, message.plain_len > 0, pair.now);
}

/*! A handshake begun by `from` up to the response: `to` is not sure of it yet. */
static inline void shake_hands(struct peer *from, struct peer *to)
{
	struct msg_initiation initiation = initiate(from);
	struct peer_reply reply = hand_initiation(to, &initiation, PEER_RESPONDED);

	hand_reply(from, &reply, PEER_ESTABLISHED);
}

/*! The same and the confirming keepalive; no actions are left. */
static inline void connect_pair(struct peer *from, struct peer *to)
{
	shake_hands(from, to);
	receive_packet(to, send_packet(from, 0), PEER_KEEPALIVE);
	take_actions(from);
	take_actions(to);
}

#endif
