/*
 * It says why: the sentences of a link, and when they are said.
 *
 * A link is in one of a few states; each change of the state is one sentence in the log. Other
 * trouble is in troubles.h.
 */
#ifndef CORE_REPORT_H
#define CORE_REPORT_H

#include "common/key.h"
#include "daemon/core/troubles.h"
#include "daemon/proto/peer.h"

enum report_state {
	REPORT_IDLE,      /* no session, and nobody asked for one */
	REPORT_UP,        /* there is a session */
	REPORT_STALE,     /* there was one, but nothing comes back */
	REPORT_NO_ANSWER, /* several initiations were not answered */
	REPORT_GAVE_UP,   /* none was answered for 90 seconds */
};

struct report {
	enum report_state state;
	nsec_t since;               /* when the state was entered */
	unsigned int n_unconfirmed; /* responses of ours that no data followed */
	nsec_t reason_at;           /* when a reason for no session was said last; 0: never */
	struct troubles troubles;
};

/*!
 * Takes over the last trouble of a data loop, if it is newer than what is known. That
 * packets went nowhere is not worth telling while it is known why there is no session for them.
 */
void report_hear(struct report *report, const struct trouble *trouble);

/*!
 * A session began.
 *
 * \param took    how long our handshake took; 0 when the peer began it
 * \param cipher  its name
 */
void report_session_up(struct report *report, const union netaddr *remote, nsec_t took,
		       const char *cipher, nsec_t now);

/*!
 * Another initiation was not answered.
 * \param n_tries     without an answer since the last session
 * \param own_public  named as what the far end must know
 */
void report_unanswered(struct report *report, const union netaddr *remote, unsigned int n_tries,
		       const struct key *own_public, nsec_t now);

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

#endif
