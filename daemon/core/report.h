/*
 * It says why: the sentences of a link, and when they are said.
 *
 * A link is in one of a few states; each change of the state is one sentence in the log. Trouble
 * that does not change the state (a stranger's datagrams, packets that AllowedIPs forbids) is
 * said at most once a minute for each kind, and counted otherwise.
 */
#ifndef CORE_REPORT_H
#define CORE_REPORT_H

#include <stdbool.h>

#include "common/key.h"
#include "common/log.h"
#include "common/netaddr.h"
#include "daemon/proto/peer.h"

enum report_state {
	REPORT_IDLE,      /* no session, and nobody asked for one */
	REPORT_UP,        /* there is a session */
	REPORT_STALE,     /* there was one, but nothing comes back */
	REPORT_NO_ANSWER, /* several initiations were not answered */
	REPORT_GAVE_UP,   /* none was answered for 90 seconds */
};

/* Kinds of trouble that share one limit of a sentence a minute. */
enum report_trouble {
	REPORT_ICMP,
	REPORT_BAD_MAC1,
	REPORT_UNKNOWN_KEY,
	REPORT_OLD_TIMESTAMP,
	REPORT_FAR_TIMESTAMP,
	REPORT_PSK,
	REPORT_NO_SUITE,
	REPORT_OTHER_MODE,
	REPORT_NOT_CONFIRMED,
	REPORT_COOKIE,
	REPORT_NOT_ALLOWED_IN,
	REPORT_NOT_ALLOWED_OUT,
	REPORT_NOT_IP,
	REPORT_NO_ENDPOINT,
	REPORT_ROAMED,
	REPORT_LOOP,
	REPORT_TOO_BIG,
	REPORT_STORM,
	REPORT_SEND,
	REPORT_WRITE,
	REPORT_NAME,
	REPORT_N_TROUBLES,
};

/* Longest sentence about trouble, with its NUL. */
#define TROUBLE_TEXT_MAX 512

/* The last trouble that was said, for who asks later. All zero: there was none. */
struct trouble {
	nsec_t when;              /* it happened last, boot time; 0: never */
	enum report_trouble kind; /* REPORT_N_TROUBLES: the link's state itself */
	const char *advice; /* what can be done about it beyond what the sentence says, or NULL */
	char text[TROUBLE_TEXT_MAX];
};

/* What one loop has said lately. All zero is ready. */
struct troubles {
	struct log_limit limits[REPORT_N_TROUBLES];
	struct trouble last;
	bool has_news; /* `last` is newer than what control knows of it */
};

struct report {
	enum report_state state;
	nsec_t since;               /* when the state was entered */
	unsigned int n_unconfirmed; /* responses of ours that no data followed */
	nsec_t reason_at;           /* when a reason for no session was said last; 0: never */
	struct troubles troubles;
};

/*!
 * Says one sentence about a kind of trouble, unless it was said within the last minute.
 * \param now  boot time
 */
void report_trouble(struct troubles *troubles, enum report_trouble kind, nsec_t now,
		    const char *format, ...) printf_like(4, 5);

/*!
 * Takes over the last trouble of a data loop, if it is newer than what is known. That
 * packets went nowhere is not worth telling while it is known why there is no session for them.
 */
void report_hear(struct report *report, const struct trouble *trouble);

/*! What can be done about a kind of trouble. \return a sentence, or NULL when those that are said
 * about it have that in them */
const char *report_advice(enum report_trouble kind);

/*! A session began. \param took  how long our handshake took; 0 when the peer began it
 * \param cipher  its name */
void report_session_up(struct report *report, const union netaddr *remote, nsec_t took,
		       const char *cipher, nsec_t now);

/*!
 * Another initiation was not answered.
 * \param n_tries     without an answer since the last session
 * \param own_public  named as what the far end must know
 */
void report_unanswered(struct report *report, const union netaddr *remote, unsigned int n_tries,
		       const struct key *own_public, nsec_t now);

/*! The way to an address of the peer leads through the link itself. */
void report_loop(struct troubles *troubles, const union netaddr *remote, nsec_t now);

/*! The peer was given up. */
void report_gave_up(struct report *report, const union netaddr *remote, nsec_t now);

/*! Data was sent, and nothing came back. */
void report_stale(struct report *report, const union netaddr *remote, nsec_t now);

/*! The last session is long over. */
void report_keys_erased(struct report *report, nsec_t now);

/*!
 * What a handshake message tells about the far end, where it tells something.
 * \param reply       with the claimed key for PEER_UNKNOWN_KEY
 * \param peer        where we believe the peer to be; AF_UNSPEC: no idea
 * \param own_public  ours, named in the sentence about a bad mac1
 */
void report_handshake(struct report *report, enum peer_verdict verdict,
		      const struct peer_reply *reply, const union netaddr *source,
		      const union netaddr *peer, const struct key *own_public, nsec_t now);

/*! A state in words: "no answer". */
const char *report_state_name(enum report_state state);

#endif
