/*
 * The peer, first half: what follows from packets and from time. The second half, what follows
 * from handshake messages, is in peer_handshake.c. See peer.h.
 */
#include "daemon/proto/peer.h"

#include <errno.h>

#include "common/secret.h"
#include "daemon/proto/peer_internal.h"

/* When the initiator asks for a new session on receiving, so late that only a link that never
 * sends comes to it (kernel receive.c, keep_key_fresh). */
#define LAST_MINUTE (REJECT_AFTER_TIME - KEEPALIVE_TIMEOUT - REKEY_TIMEOUT)

bool peer_has_keys(const struct peer *peer)
{
	const struct noise_identity *identity = &peer->secrets->identity;

	return !key_is_zero(&identity->own_public) && !key_is_zero(&identity->peer_public);
}

bool peer_complete_identity(struct noise_identity *identity)
{
	bool is_zero = key_is_zero(&identity->own_private);

	if (!is_zero && !key_is_zero(&identity->peer_public))
		return noise_identity_init(identity);
	if (is_zero)
		identity->own_public = identity->own_private;
	else
		prim_dh_public(&identity->own_public, &identity->own_private);
	return true;
}

int peer_init(struct peer *peer, const struct peer_config *config, nsec_t now)
{
	struct noise_identity *identity;

	memset(peer, 0, sizeof(*peer));
	peer->secrets = secret_alloc(sizeof(*peer->secrets));
	if (!peer->secrets)
		return -ENOMEM;

	identity = &peer->secrets->identity;
	identity->own_private = *config->own_private;
	identity->peer_public = *config->peer_public;
	identity->preshared = *config->preshared;
	identity->carries = config->carries;
	if (!peer_complete_identity(identity)) {
		peer_deinit(peer);
		return -EINVAL;
	}
	peer->n_suites = MIN(config->n_suites, N_CIPHERS);
	if (peer->n_suites > 0)
		memcpy(peer->suites, config->suites, peer->n_suites * sizeof(peer->suites[0]));
	peer->is_suite_forced = config->is_suite_forced;
	cookie_checker_init(&peer->secrets->checker, &identity->own_public);
	cookie_maker_init(&peer->secrets->maker, &identity->peer_public);
	ratelimit_init(&peer->ratelimit);
	timers_init(&peer->timers, config->persistent_keepalive * NSEC_PER_SEC);
	/* A keepalive that is switched on starts with one, and so with a handshake. */
	if (config->persistent_keepalive && peer_has_keys(peer))
		peer->timers.deadlines[TIMER_PERSISTENT] = now;
	return 0;
}

void peer_deinit(struct peer *peer)
{
	secret_free(peer->secrets);
	memset(peer, 0, sizeof(*peer));
}

void peer_want_handshake(struct peer *peer, bool is_retry, nsec_t now)
{
	if (!peer_has_keys(peer))
		return;
	if (!is_retry)
		peer->timers.n_retries = 0;
	/* One that is under way is tried again by its timer, with its jitter. */
	if (!is_retry && peer->secrets->handshake.is_waiting && timers_is_retrying(&peer->timers))
		return;
	if (peer->last_handshake_sent &&
	    !nsec_expired(peer->last_handshake_sent, REKEY_TIMEOUT, now))
		timers_initiation_delayed(&peer->timers, peer->last_handshake_sent + REKEY_TIMEOUT);
	else
		peer->wanted |= PEER_INITIATE;
}

void peer_session_up(struct peer *peer, nsec_t now)
{
	timers_handshake_complete(&peer->timers);
	peer->has_sent_last_minute = false;
	peer->last_session_up = now;
	peer->wanted &= ~(unsigned int)PEER_INITIATE;
	peer->wanted |= PEER_SESSION_UP;
}

void peer_want_session(struct peer *peer, uint64_t serial, nsec_t now)
{
	const struct keypair *current = peer->secrets->keypairs.current;

	/* Keys that were erased meanwhile, as after a long suspend, have no newer one either. */
	if (!current || serial == current->serial)
		peer_want_handshake(peer, false, now);
}

void peer_sent(struct peer *peer, bool has_data, uint64_t send_counter, nsec_t when)
{
	const struct keypair *current = peer->secrets->keypairs.current;

	timers_authenticated_sent(&peer->timers, when);
	if (has_data)
		timers_data_sent(&peer->timers, when);
	else
		timers_keepalive_sent(&peer->timers, when);
	if (!current)
		return;
	/* Keep the key fresh: by count both ends ask, by age only the initiator. */
	if (send_counter >= REKEY_AFTER_MESSAGES ||
	    (current->i_am_initiator && nsec_expired(current->birth, REKEY_AFTER_TIME, when)))
		peer_want_handshake(peer, false, when);
}

static void retransmit(struct peer *peer, nsec_t now)
{
	/* One that had to wait for its time is a first try: nobody has failed to answer yet. (An
	 * answer that we had to refuse is a failure.) */
	if (!peer->secrets->handshake.is_waiting && !peer->was_refused) {
		peer_want_handshake(peer, true, now);
		return;
	}
	if (peer->timers.n_retries >= TIMERS_MAX_RETRIES) {
		noise_handshake_wipe(&peer->secrets->handshake);
		timers_gave_up(&peer->timers, now);
		peer->wanted |= PEER_GAVE_UP;
		return;
	}
	peer->timers.n_retries++;
	peer->wanted |= PEER_FORGET_SOURCE | PEER_RETRIED;
	peer_want_handshake(peer, true, now);
}

static void send_keepalive(struct peer *peer, nsec_t now)
{
	(void)now;
	peer->wanted |= PEER_SEND_KEEPALIVE;
}

static void begin_anew(struct peer *peer, nsec_t now)
{
	peer->wanted |= PEER_FORGET_SOURCE | PEER_STALE;
	peer_want_handshake(peer, false, now);
}

static void zero_keys(struct peer *peer, nsec_t now)
{
	(void)now;
	noise_handshake_wipe(&peer->secrets->handshake);
	keypairs_wipe(&peer->secrets->keypairs);
	peer->wanted |= PEER_KEYS_ERASED;
}

static void (*const on_timer[N_TIMERS])(struct peer *, nsec_t) = {
	[TIMER_RETRANSMIT] = retransmit,     [TIMER_KEEPALIVE] = send_keepalive,
	[TIMER_NEW_HANDSHAKE] = begin_anew,  [TIMER_ZERO_KEYS] = zero_keys,
	[TIMER_PERSISTENT] = send_keepalive,
};

unsigned int peer_actions(struct peer *peer, nsec_t now)
{
	unsigned int due = timers_expire(&peer->timers, now);
	unsigned int actions;

	for (enum timer timer = 0; timer < N_TIMERS; timer++) {
		if (due & (1U << timer))
			on_timer[timer](peer, now);
		/* To a peer that was given up nothing is owed. */
		if (peer->wanted & PEER_GAVE_UP)
			due &= ~(1U << TIMER_KEEPALIVE);
	}
	actions = peer->wanted;
	peer->wanted = 0;
	return actions;
}

nsec_t peer_deadline(const struct peer *peer)
{
	return timers_deadline(&peer->timers);
}

void peer_confirmed(struct peer *peer, uint64_t serial, nsec_t when)
{
	struct keypairs *keypairs = &peer->secrets->keypairs;
	const struct keypair *keypair = keypairs_find_serial(keypairs, serial);

	if (!keypair)
		return;
	/* Who has the keys has made the initiation for them. */
	peer->is_stamp_fresh |= !keypair->i_am_initiator;
	if (!keypairs_confirm(keypairs, keypair))
		return;
	peer->handshake_time = 0;
	/* Should ours be under way as well, it is not needed any more. */
	noise_handshake_wipe(&peer->secrets->handshake);
	peer_session_up(peer, when);
	peer->wanted |= PEER_FLUSH;
}

void peer_received(struct peer *peer, bool has_data, nsec_t when)
{
	const struct keypair *current = peer->secrets->keypairs.current;

	if (!peer->has_sent_last_minute && current && current->i_am_initiator &&
	    nsec_expired(current->birth, LAST_MINUTE, when)) {
		peer->has_sent_last_minute = true;
		peer_want_handshake(peer, false, when);
	}
	timers_authenticated_received(&peer->timers, when);
	if (has_data)
		timers_data_received(&peer->timers, when);
}

enum peer_verdict peer_data_verdict(enum keypair_result result, size_t plain_len)
{
	static const enum peer_verdict refusals[] = {
		[KEYPAIR_UNKNOWN] = PEER_UNKNOWN_INDEX,
		[KEYPAIR_EXPIRED] = PEER_EXPIRED,
		[KEYPAIR_NOT_AUTHENTIC] = PEER_FORGED,
		[KEYPAIR_REPLAYED] = PEER_REPLAYED,
	};

	if (result == KEYPAIR_OPENED)
		return plain_len == 0 ? PEER_KEEPALIVE : PEER_DATA;
	return refusals[result];
}

static const struct {
	const char *key;
	const char *text;
} verdicts[] = {
	[PEER_RESPONDED] = { "initiation_answered", "initiation answered" },
	[PEER_ESTABLISHED] = { "response", "response" },
	[PEER_DATA] = { "data", "data" },
	[PEER_KEEPALIVE] = { "keepalive", "keepalive" },
	[PEER_COOKIE_STORED] = { "cookie_stored", "cookie stored" },
	[PEER_COOKIE_SENT] = { "cookie_sent", "cookie sent" },
	[PEER_BAD_MAC1] = { "bad_mac1", "bad mac1" },
	[PEER_RATE_LIMITED] = { "rate_limited", "rate limited" },
	[PEER_BAD_SEAL] = { "bad_seal", "bad seal" },
	[PEER_LOW_ORDER] = { "low_order", "low-order point" },
	[PEER_UNKNOWN_KEY] = { "unknown_key", "unknown key" },
	[PEER_OLD_TIMESTAMP] = { "old_timestamp", "old timestamp" },
	[PEER_TOO_SOON] = { "too_soon", "too soon" },
	[PEER_UNASKED] = { "unasked", "unasked" },
	[PEER_NO_SUITE] = { "no_common_cipher", "no common cipher" },
	[PEER_PSK_DIFFERS] = { "psk_differs", "preshared key differs" },
	[PEER_IS_TUN] = { "peer_is_tun", "peer is tun" },
	[PEER_IS_TAP] = { "peer_is_tap", "peer is tap" },
	[PEER_UNKNOWN_INDEX] = { "unknown_index", "unknown index" },
	[PEER_EXPIRED] = { "expired", "expired key" },
	[PEER_FORGED] = { "forged", "forged" },
	[PEER_REPLAYED] = { "replayed", "replayed" },
	[PEER_NO_KEYS] = { "no_keys", "no keys yet" },
};
static_assert(ARRAY_SIZE(verdicts) == PEER_N_VERDICTS, "names for each verdict");

const char *peer_verdict_key(enum peer_verdict verdict)
{
	return verdicts[verdict].key;
}

const char *peer_verdict_name(enum peer_verdict verdict)
{
	return verdicts[verdict].text;
}
