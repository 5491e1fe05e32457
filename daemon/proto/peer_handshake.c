/*
 * The peer, second half: initiations, responses and cookies. See peer.h.
 *
 * The order of checks is the protocol's defence: mac1 before any other work, then the load, then
 * mac2 and the limit per address, then the expensive opening, then timestamp and rate of the
 * peer itself.
 */
#include <sodium.h>

#include "daemon/proto/peer.h"
#include "daemon/proto/peer_internal.h"

/* A random index that none of ours has: the far end must not be able to guess it (paper, 5.4). */
static uint32_t fresh_index(struct peer *peer)
{
	const struct noise_handshake *handshake = &peer->secrets->handshake;
	uint32_t index;

	do {
		index = randombytes_random();
	} while (keypairs_find(&peer->secrets->keypairs, index) ||
		 (handshake->is_waiting && handshake->local_index == index));
	return index;
}

/* What data messages carry, and the suites that we would agree on beside the baseline. */
static offer_t own_offer(const struct peer *peer)
{
	offer_t offer = peer->secrets->identity.carries == OFFER_FRAMES ? OFFER_TAP : 0;

	for (size_t i = 0; i < peer->n_suites; i++)
		offer |= (offer_t)(1U << peer->suites[i]);
	return offer;
}

/* Our best suite among those that the peer offers; the baseline if there is none. */
static enum cipher_suite choose_suite(const struct peer *peer, offer_t offer)
{
	for (size_t i = 0; i < peer->n_suites; i++) {
		if (offer & (1U << peer->suites[i]))
			return peer->suites[i];
	}
	return CIPHER_CHACHA20_POLY1305;
}

/* Whether a session with `suite` may be: one that is forced excludes all others. */
static bool is_acceptable(const struct peer *peer, enum cipher_suite suite)
{
	return !peer->is_suite_forced ||
	       suite == (peer->n_suites ? peer->suites[0] : CIPHER_CHACHA20_POLY1305);
}

bool peer_create_initiation(struct peer *peer, const struct timespec *wallclock, nsec_t now,
			    struct msg_initiation *ret)
{
	struct peer_secrets *secrets = peer->secrets;
	struct tai64n stamp = tai64n_from(wallclock);

	/* A clock that was set back must not make us mute: the stamp goes on from the last. */
	if (!tai64n_after(&stamp, &peer->last_stamp_sent))
		stamp = tai64n_next(&peer->last_stamp_sent);
	offer_write(&stamp, own_offer(peer));
	if (!noise_create_initiation(&secrets->identity, &stamp, fresh_index(peer),
				     &secrets->handshake, ret))
		return false;
	cookie_add_macs(&secrets->maker, (uint8_t *)ret, sizeof(*ret), now);
	peer->last_stamp_sent = stamp;
	peer->offered = own_offer(peer);
	peer->was_refused = false;
	peer->last_handshake_sent = now;
	peer->initiation_sent = now;
	timers_authenticated_sent(&peer->timers, now);
	timers_initiation_sent(&peer->timers, now);
	return true;
}

/* What the peer's end carries, which is not what ours does. */
static enum peer_verdict other_kind(const struct peer *peer)
{
	return peer->secrets->identity.carries == OFFER_FRAMES ? PEER_IS_TUN : PEER_IS_TAP;
}

/* An initiation that was wanted but not sent yet comes too soon after a response. */
static void note_response(struct peer *peer, nsec_t now)
{
	peer->last_handshake_sent = now;
	if (peer->wanted & PEER_INITIATE) {
		peer->wanted &= ~(unsigned int)PEER_INITIATE;
		peer_want_handshake(peer, true, now);
	}
}

/* Tells an authentic initiator that there will be no session with its end as it is. */
static enum peer_verdict refuse(struct peer *peer, const struct noise_opened_initiation *opened,
				nsec_t now, struct peer_reply *reply)
{
	struct peer_secrets *secrets = peer->secrets;
	struct msg_response response;

	if (noise_create_refusal(&secrets->identity, opened, fresh_index(peer), &response) !=
	    NOISE_DONE)
		return PEER_LOW_ORDER;
	cookie_add_macs(&secrets->maker, (uint8_t *)&response, sizeof(response), now);
	memcpy(reply->message, &response, sizeof(response));
	reply->len = sizeof(response);
	note_response(peer, now);
	return other_kind(peer);
}

/* Answers an authentic, timely initiation, and begins its session as responder. */
static enum peer_verdict respond(struct peer *peer, const struct noise_opened_initiation *opened,
				 nsec_t now, struct peer_reply *reply)
{
	struct peer_secrets *secrets = peer->secrets;
	struct noise_session_keys keys;
	struct msg_response response;
	offer_t offer = offer_read(&opened->timestamp);
	enum cipher_suite suite = choose_suite(peer, offer);
	uint32_t index = fresh_index(peer);

	if ((offer & OFFER_TAP) != (own_offer(peer) & OFFER_TAP))
		return refuse(peer, opened, now, reply);
	if (!is_acceptable(peer, suite))
		return PEER_NO_SUITE;
	if (noise_create_response(&secrets->identity, opened, suite, index, &response, &keys) !=
	    NOISE_DONE)
		return PEER_LOW_ORDER;
	cookie_add_macs(&secrets->maker, (uint8_t *)&response, sizeof(response), now);
	memcpy(reply->message, &response, sizeof(response));
	reply->len = sizeof(response);

	keypairs_install(&secrets->keypairs, &keys, false, index, opened->remote_index, now);
	sodium_memzero(&keys, sizeof(keys));
	peer->offer_seen = offer;
	timers_session_derived(&peer->timers, now);
	timers_authenticated_sent(&peer->timers, now);
	timers_authenticated_received(&peer->timers, now);
	note_response(peer, now);
	return PEER_RESPONDED;
}

static enum peer_verdict receive_initiation(struct peer *peer, const uint8_t *message, nsec_t now,
					    struct peer_reply *reply)
{
	struct noise_opened_initiation opened;
	struct msg_initiation initiation;
	enum peer_verdict verdict;

	memcpy(&initiation, message, sizeof(initiation));
	switch (noise_consume_initiation(&peer->secrets->identity, &initiation, &opened)) {
	case NOISE_DONE:
		break;
	case NOISE_BAD_POINT:
		return PEER_LOW_ORDER;
	case NOISE_UNKNOWN_KEY:
		reply->claimed_key = opened.remote_static;
		return PEER_UNKNOWN_KEY;
	default:
		return PEER_BAD_SEAL;
	}

	if (!tai64n_after(&opened.timestamp, &peer->last_stamp_seen)) {
		verdict = PEER_OLD_TIMESTAMP;
	} else if (peer->last_consumed &&
		   !nsec_expired(peer->last_consumed, INITIATION_INTERVAL, now)) {
		verdict = PEER_TOO_SOON;
	} else {
		/* After a restart it may be a recording, and so may others after it, until one is
		 * confirmed. While there is a session, only that moves traffic to where it came
		 * from. */
		reply->may_be_replay = !peer->is_stamp_fresh &&
				       keypair_can_send(peer->secrets->keypairs.current, now);
		peer->last_stamp_seen = opened.timestamp;
		peer->last_consumed = now;
		verdict = respond(peer, &opened, now, reply);
	}
	sodium_memzero(&opened, sizeof(opened));
	return verdict;
}

/*
 * Begins a session as initiator.
 *
 * When both ends initiate at once, there are two sessions, and each end sends with its own: then
 * every rekey crosses again, and packets sealed with a key that the other end has dropped are lost.
 * So one of two vpnds yields to the session of the other. Those that offer alike, ciphers or
 * nothing, decide by their public keys. Of one that offers and one that does not, the latter
 * yields: it knows by the offer that the other is a vpnd, which the first cannot know. Towards a
 * stock peer each keeps its own session, as the paper has it, wherever this end has something to
 * offer.
 */
static void begin_session(struct peer *peer, const struct noise_session_keys *keys,
			  uint32_t local_index, uint32_t remote_index, nsec_t now)
{
	const struct noise_identity *identity = &peer->secrets->identity;
	struct keypairs *keypairs = &peer->secrets->keypairs;
	bool has_crossed = keypairs->next && keypairs->next->birth >= peer->initiation_sent;
	bool has_smaller_key = sodium_compare(identity->own_public.bytes,
					      identity->peer_public.bytes, KEY_LEN) < 0;
	bool are_alike = !peer->offered == !peer->offer_seen;

	keypairs_install(keypairs, keys, true, local_index, remote_index, now);
	if (has_crossed && (are_alike ? has_smaller_key : peer->offer_seen != 0))
		keypairs_yield(keypairs);
}

static enum peer_verdict receive_response(struct peer *peer, const uint8_t *message, nsec_t now)
{
	struct peer_secrets *secrets = peer->secrets;
	uint32_t local_index = secrets->handshake.local_index;
	struct noise_session_keys keys;
	struct msg_response response;

	memcpy(&response, message, sizeof(response));
	switch (noise_consume_response(&secrets->identity, &secrets->handshake, &response,
				       peer->offered, &keys)) {
	case NOISE_DONE:
		break;
	case NOISE_BAD_POINT:
		return PEER_LOW_ORDER;
	case NOISE_BAD_SEAL:
		return PEER_PSK_DIFFERS;
	case NOISE_OTHER_KIND:
		peer->was_refused = true;
		return other_kind(peer);
	default:
		return PEER_UNASKED;
	}

	if (!is_acceptable(peer, keys.suite)) {
		sodium_memzero(&keys, sizeof(keys));
		peer->was_refused = true;
		return PEER_NO_SUITE;
	}
	begin_session(peer, &keys, local_index, le32_load(response.sender), now);
	sodium_memzero(&keys, sizeof(keys));
	peer->handshake_time = now - peer->initiation_sent;
	timers_session_derived(&peer->timers, now);
	timers_authenticated_received(&peer->timers, now);
	peer_session_up(peer, now);
	/* The responder may send only after it has heard from us with the new key. */
	peer->wanted |= PEER_SEND_KEEPALIVE;
	return PEER_ESTABLISHED;
}

static enum peer_verdict receive_cookie(struct peer *peer, const uint8_t *message, nsec_t now)
{
	struct peer_secrets *secrets = peer->secrets;
	const struct noise_handshake *handshake = &secrets->handshake;
	struct msg_cookie cookie;
	uint32_t index;

	memcpy(&cookie, message, sizeof(cookie));
	index = le32_load(cookie.receiver);
	if (!(handshake->is_waiting && handshake->local_index == index) &&
	    !keypairs_find(&secrets->keypairs, index))
		return PEER_UNASKED;
	/* The message that was refused is not sent again: its timer does that, with mac2. */
	return cookie_consume_reply(&secrets->maker, &cookie, now) ? PEER_COOKIE_STORED
								   : PEER_UNASKED;
}

/* Under load: lets a message pass that shows a cookie and keeps to its rate. */
static bool passes_load(struct peer *peer, const uint8_t *message, size_t len,
			const union netaddr *source, nsec_t now, struct peer_reply *reply,
			enum peer_verdict *verdict)
{
	struct cookie_checker *checker = &peer->secrets->checker;
	struct msg_cookie cookie;
	le32_t sender;

	if (!load_count(&peer->load, now))
		return true;
	if (cookie_check_mac2(checker, message, len, source, now)) {
		*verdict = PEER_RATE_LIMITED;
		return ratelimit_allow(&peer->ratelimit, source, now);
	}
	memcpy(&sender, message + sizeof(le32_t), sizeof(sender));
	cookie_make_reply(checker, message, len, sender, source, now, &cookie);
	memcpy(reply->message, &cookie, sizeof(cookie));
	reply->len = sizeof(cookie);
	*verdict = PEER_COOKIE_SENT;
	return false;
}

enum peer_verdict peer_receive_handshake(struct peer *peer, enum msg_type type,
					 const uint8_t *message, size_t len,
					 const union netaddr *source, nsec_t now,
					 struct peer_reply *reply)
{
	enum peer_verdict verdict;

	reply->len = 0;
	reply->may_be_replay = false;
	if (!peer_has_keys(peer))
		return PEER_NO_KEYS;
	if (type == MSG_COOKIE)
		return receive_cookie(peer, message, now);
	if (!cookie_check_mac1(&peer->secrets->checker, message, len))
		return PEER_BAD_MAC1;
	if (!passes_load(peer, message, len, source, now, reply, &verdict))
		return verdict;
	return type == MSG_INITIATION ? receive_initiation(peer, message, now, reply)
				      : receive_response(peer, message, now);
}
