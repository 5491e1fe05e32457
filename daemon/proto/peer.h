/*
 * The peer: everything that the protocol knows about the far end, and every decision about it.
 *
 * How this works: the caller tells what happened (a handshake message came, packets were sealed
 * or opened, packets wait) with the boot time at which it did, and asks peer_actions() what is to
 * be done. Nothing in here has a descriptor or looks at a clock, so two peers can be put against
 * each other in a test and live through hours in milliseconds.
 *
 *   handshake messages  peer_receive_handshake()
 *   data                is sealed and opened elsewhere, with copies of the keypairs (keypair.h);
 *                       told by peer_sent(), peer_received(), peer_confirmed(), peer_want_session()
 *   then, always        peer_actions(), and a timer at peer_deadline()
 *
 * Either static key may be missing (all zero): before `wg set` has brought them, and after it has
 * taken them away. Then the peer wants nothing, answers nothing, and is there to be given keys.
 *
 * Keys live in one guarded allocation (`secrets`): pages that are locked in memory where the
 * limit allows, left out of core dumps and of forked children, between guard pages.
 */
#ifndef PROTO_PEER_H
#define PROTO_PEER_H

#include <stdbool.h>

#include "common/netaddr.h"
#include "daemon/proto/cookie.h"
#include "daemon/proto/keypair.h"
#include "daemon/proto/load.h"
#include "daemon/proto/ratelimit.h"
#include "daemon/proto/timers.h"

/* What a datagram turned out to be. */
enum peer_verdict {
	/* authentic: the caller may roam to the source */
	PEER_RESPONDED,   /* an initiation; the response is in the reply */
	PEER_ESTABLISHED, /* the response to our initiation */
	PEER_DATA,        /* a packet for the interface */
	PEER_KEEPALIVE,
	/* not a proof of where the peer is */
	PEER_COOKIE_STORED,
	PEER_COOKIE_SENT,  /* under load; the cookie is in the reply */
	PEER_BAD_MAC1,     /* not made for our public key */
	PEER_RATE_LIMITED, /* under load, cookie right, but too many from that address */
	PEER_BAD_SEAL,     /* an initiation that does not open */
	PEER_LOW_ORDER,    /* a point that makes no secret */
	PEER_UNKNOWN_KEY,  /* an initiation by somebody else; the key is in the reply */
	PEER_OLD_TIMESTAMP,
	PEER_TOO_SOON,    /* initiations of the peer faster than one per 20 ms */
	PEER_UNASKED,     /* a response or cookie that nothing is waiting for */
	PEER_NO_SUITE,    /* the one suite that is forced is not the peer's */
	PEER_PSK_DIFFERS, /* the response to our initiation does not open: preshared keys differ */
	PEER_IS_TUN,      /* the peer carries packets, but our end frames; it may be a stock one */
	PEER_IS_TAP,      /* the peer carries frames, but our end packets */
	PEER_UNKNOWN_INDEX,
	PEER_EXPIRED, /* sealed with a key that is too old, or beyond its counter limit */
	PEER_FORGED,
	PEER_REPLAYED,
	PEER_NO_KEYS, /* there is nobody to be, or nobody to talk to: peer_has_keys() */
	PEER_N_VERDICTS,
};

/* What is to be done and what is new; bits. */
enum peer_action {
	PEER_INITIATE = 1 << 0,       /* peer_create_initiation() and send it */
	PEER_FLUSH = 1 << 1,          /* seal and send what is staged */
	PEER_SEND_KEEPALIVE = 1 << 2, /* the same, or one keepalive when nothing is staged */
	PEER_FORGET_SOURCE = 1 << 3,  /* no answer: the pinned local address may be the reason */
	PEER_SESSION_UP = 1 << 4,     /* news: both ends have the keys of a new session */
	PEER_RETRIED = 1 << 5,        /* news: another initiation without an answer */
	PEER_GAVE_UP = 1 << 6,     /* news: no answer for 90 s; what is staged is to be dropped */
	PEER_KEYS_ERASED = 1 << 7, /* news: no session for nine minutes */
	PEER_STALE = 1 << 8,       /* news: data was sent for 15 s and nothing came back */
};

/* What a handshake message is answered with. */
struct peer_reply {
	uint8_t message[sizeof(struct msg_response)];
	size_t len;             /* 0: silence */
	bool may_be_replay;     /* PEER_RESPONDED: nothing proves yet that the peer is there */
	struct key claimed_key; /* PEER_UNKNOWN_KEY: who that was */
};

struct peer_secrets {
	struct noise_identity identity;
	struct noise_handshake handshake;
	struct keypairs keypairs;
	struct cookie_checker checker;
	struct cookie_maker maker;
};

struct peer {
	struct peer_secrets *secrets; /* guarded, owned */
	struct timers timers;
	struct load_gauge load;
	struct ratelimit ratelimit;
	unsigned int wanted; /* peer_action bits that nobody took yet */

	struct tai64n last_stamp_sent; /* of our initiations: each must be greater */
	struct tai64n last_stamp_seen; /* of the peer's; outlives every session */
	bool is_stamp_fresh;  /* the peer used a session that it began since the start: no greater
				 stamp is a recording */
	offer_t offer_seen;   /* in the peer's latest initiation that we answered; 0: none */
	nsec_t last_consumed; /* when we opened an initiation; 0: never */
	nsec_t last_handshake_sent; /* initiation or response; 0: never */
	nsec_t initiation_sent;     /* our latest one, for the round-trip time */
	bool has_sent_last_minute;  /* the renewal on receiving, once a session: keep_key_fresh() */

	enum cipher_suite suites[N_CIPHERS]; /* as in the configuration */
	size_t n_suites;
	bool is_suite_forced;
	bool was_refused; /* by us: our latest initiation was answered, but with another suite */
	offer_t offered;  /* in the initiation that is under way */

	nsec_t last_session_up; /* when both ends had the keys of a session last; 0: never */
	nsec_t handshake_time;  /* how long our handshake took; 0 when the peer began it */
};

/* What a peer is made from; copied. */
struct peer_config {
	const struct key *own_private;   /* all zero: none */
	const struct key *peer_public;   /* all zero: none */
	const struct key *preshared;     /* all zero: none */
	uint16_t persistent_keepalive;   /* seconds, 0: off */
	const enum cipher_suite *suites; /* that may be agreed on beside the baseline, best first */
	size_t n_suites;                 /* 0 to N_CIPHERS - 1 */
	bool is_suite_forced;            /* nothing but the first suite will do */
	enum offer_carries carries;      /* of our end's interface */
};

/*!
 * Makes a peer without a session.
 * \return 0; -ENOMEM; -EINVAL when the peer's public key is of low order
 */
int peer_init(struct peer *peer, const struct peer_config *config, nsec_t now);

/*! Whether there are both static keys. Without them there are no sessions. */
bool peer_has_keys(const struct peer *peer);

/*! Wipes and frees; safe twice and after a failed init. */
void peer_deinit(struct peer *peer);

/*! Another preshared key, used from the next handshake on. \param preshared  all zero: none */
void peer_set_preshared(struct peer *peer, const struct key *preshared);

/*!
 * Another PersistentKeepalive; one that is switched on starts at once.
 *
 * \param persistent_keepalive  seconds, 0: off
 */
void peer_set_keepalive(struct peer *peer, uint16_t persistent_keepalive, nsec_t now);

/*! Other ciphers, as in struct peer_config. The session goes on until a new one, which is asked for
 * at once, takes its place. */
void peer_set_suites(struct peer *peer, const enum cipher_suite *suites, size_t n_suites,
		     bool is_forced, nsec_t now);

/*!
 * Other static keys, or none (all zero). A session, or the handshake under way, ends, and another
 * handshake is asked for at once. Without either the peer waits for something to send, as ever.
 * \return 0; -ENOMEM; -EINVAL when the peer's public key is of low order: nothing has changed
 */
int peer_set_keys(struct peer *peer, const struct key *own_private, const struct key *peer_public,
		  nsec_t now);

/*!
 * Packets wait, and there is no keypair that may seal them: asks for a handshake.
 * \param serial  of the keypair that may not seal any more, 0 for none; when there is a newer one
 *                by now, whoever asks is about to hear of it
 */
void peer_want_session(struct peer *peer, uint64_t serial, nsec_t now);

/*!
 * After messages were sealed with the current keypair and handed to the network.
 * \param has_data      false when all of them were keepalives
 * \param send_counter  of the next message
 * \param when          may be a little ago, and before what was told last of the other direction
 */
void peer_sent(struct peer *peer, bool has_data, uint64_t send_counter, nsec_t when);

/*!
 * After authentic data messages were received.
 * \param has_data  false when all of them were keepalives
 * \param when      as for peer_sent()
 */
void peer_received(struct peer *peer, bool has_data, nsec_t when);

/*!
 * After the first authentic data message of a keypair: it proves that the peer has the keys.
 * \param serial  of the keypair; one that is gone is ignored
 */
void peer_confirmed(struct peer *peer, uint64_t serial, nsec_t when);

/*!
 * Takes the actions that are due. To be repeated until it returns 0, since some lead to others.
 * \return a set of enum peer_action
 */
unsigned int peer_actions(struct peer *peer, nsec_t now);

/*! When peer_actions() must be asked at the latest, or NSEC_NEVER. */
nsec_t peer_deadline(const struct peer *peer);

/*!
 * Makes the initiation that PEER_INITIATE asked for.
 * \param wallclock  for its timestamp; may jump back, the stamp never does
 * \return false when none can be made
 */
must_check bool peer_create_initiation(struct peer *peer, const struct timespec *wallclock,
				       nsec_t now, struct msg_initiation *ret);

/*!
 * Handles an initiation, response or cookie reply.
 * \param type     by msg_classify(), not MSG_DATA
 * \param source   where it came from
 * \param reply    what to send back to `source`; len 0 for silence
 */
enum peer_verdict peer_receive_handshake(struct peer *peer, enum msg_type type,
					 const uint8_t *message, size_t len,
					 const union netaddr *source, nsec_t now,
					 struct peer_reply *reply);

/*! What keypair_open() found, as a verdict. \param plain_len  of KEYPAIR_OPENED */
enum peer_verdict peer_data_verdict(enum keypair_result result, size_t plain_len);

/*! A verdict in one or two words, as logs call it: "bad mac1". */
const char *peer_verdict_name(enum peer_verdict verdict);

/*! The same for programs: "bad_mac1". It is part of documented formats. */
const char *peer_verdict_key(enum peer_verdict verdict);

#endif
