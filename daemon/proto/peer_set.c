/*
 * The peer, third part: what a reload changes. See peer.h. Sessions go on where the protocol lets
 * them.
 */
#include <errno.h>
#include <string.h>

#include "common/secret.h"
#include "daemon/proto/peer.h"
#include "daemon/proto/peer_internal.h"

void peer_set_preshared(struct peer *peer, const struct key *preshared)
{
	peer->secrets->identity.preshared = *preshared;
}

void peer_set_keepalive(struct peer *peer, uint16_t persistent_keepalive, nsec_t now)
{
	struct timers *timers = &peer->timers;

	timers->persistent_interval = persistent_keepalive * NSEC_PER_SEC;
	timers->deadlines[TIMER_PERSISTENT] =
		persistent_keepalive && peer_has_keys(peer) ? now : NSEC_NEVER;
}

void peer_set_suites(struct peer *peer, const enum cipher_suite *suites, size_t n_suites,
		     bool is_forced, nsec_t now)
{
	peer->n_suites = MIN(n_suites, N_CIPHERS);
	for (size_t i = 0; i < peer->n_suites; i++)
		peer->suites[i] = suites[i];
	peer->is_suite_forced = is_forced;
	if (peer->secrets->keypairs.current)
		peer_want_handshake(peer, false, now);
}

/* Whether there is a session, or a handshake that is to make one. */
static bool is_wanted(const struct peer *peer)
{
	const struct keypairs *keypairs = &peer->secrets->keypairs;

	return keypairs->current || keypairs->previous || keypairs->next ||
	       peer->secrets->handshake.is_waiting || (peer->wanted & PEER_INITIATE) ||
	       timers_is_retrying(&peer->timers);
}

/* Nothing of the old session may be used, nor is anything owed to it. */
static void forget_session(struct peer *peer)
{
	noise_handshake_wipe(&peer->secrets->handshake);
	keypairs_wipe(&peer->secrets->keypairs);
	timers_init(&peer->timers, peer->timers.persistent_interval);
	peer->wanted = 0;
	peer->has_sent_last_minute = false;
	peer->was_refused = false;
	peer->last_handshake_sent = 0;
	peer->last_consumed = 0;
}

/* The stamps of one peer, and when there was a session with it, say nothing about another one. */
static void forget_peer(struct peer *peer)
{
	memset(&peer->last_stamp_seen, 0, sizeof(peer->last_stamp_seen));
	peer->is_stamp_fresh = false;
	peer->last_session_up = 0;
}

int peer_set_keys(struct peer *peer, const struct key *own_private, const struct key *peer_public,
		  nsec_t now)
{
	struct peer_secrets *secrets = peer->secrets;
	struct noise_identity *identity = secret_alloc(sizeof(*identity));
	bool needs_session = is_wanted(peer);
	int r = 0;

	if (!identity)
		return -ENOMEM;
	identity->own_private = *own_private;
	identity->peer_public = *peer_public;
	identity->preshared = secrets->identity.preshared;
	identity->carries = secrets->identity.carries;
	if (!peer_complete_identity(identity))
		r = -EINVAL;
	if (r == 0) {
		if (!key_equal(&secrets->identity.peer_public, peer_public))
			forget_peer(peer);
		secrets->identity = *identity;
		cookie_checker_init(&secrets->checker, &identity->own_public);
		cookie_maker_init(&secrets->maker, &identity->peer_public);
		forget_session(peer);
		peer_set_keepalive(
			peer, (uint16_t)(peer->timers.persistent_interval / NSEC_PER_SEC), now);
		/* Who was silent stays so: keys alone are no reason to call. */
		if (needs_session)
			peer_want_handshake(peer, false, now);
	}
	secret_free(identity);
	return r;
}
