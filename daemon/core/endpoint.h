/*
 * Where the peer may be: the addresses that the link file's Endpoint entries stand for.
 *
 * A literal address is there from the start. A name is asked for in the background, again and
 * again until it resolves, and once more when nobody answers there, since addresses behind names
 * change. All addresses together, in the file's order, are the candidates, and the address that the
 * peer was last heard from is one as well. Each gets two initiations; when neither is answered, it
 * is the next one's turn.
 *
 * While there is a key to send with, only initiations go to another candidate: data goes on to
 * where the peer was last heard from. A peer that moved and is quiet for a while is not lost that
 * way to an address of the file where nobody is.
 */
#ifndef CORE_ENDPOINT_H
#define CORE_ENDPOINT_H

#include "conf/model.h"
#include "daemon/core/report.h"
#include "daemon/host/resolver.h"

/* One Endpoint entry. */
struct endpoint_name {
	union netaddr addrs[RESOLVER_ADDRS_MAX];
	size_t n_addrs;
	nsec_t ask_at;   /* NSEC_NEVER: nothing to ask */
	nsec_t asked_at; /* when it was asked last */
	nsec_t backoff;  /* until the next question after a failure */
};

struct endpoint {
	const struct endpoint_spec *specs; /* the file's; not owned */
	size_t n_specs;
	struct endpoint_name names[CONF_ENDPOINTS_MAX];
	struct resolver *resolver; /* not owned */
	uint64_t round;            /* grows when the file's entries change: answers come late */
	unsigned int n_unanswered; /* initiations since the last session */
	union netaddr tried;       /* where the latest that was not answered went, */
	unsigned int n_tries;      /* and how many of them in a row */
	union netaddr detour;      /* where initiations go instead of `detour_from` */
	union netaddr detour_from;
	union netaddr learned; /* where the peer was heard from, if that is no candidate */
};

/*! Takes over the file's entries. Names are due to be asked at once. */
void endpoint_init(struct endpoint *endpoint, const struct conf_link *conf,
		   struct resolver *resolver, nsec_t now);

/*! Takes over other entries. Addresses of the old ones are forgotten. */
void endpoint_change(struct endpoint *endpoint, const struct conf_link *conf, nsec_t now);

/*! Whether a name may still give an address. */
bool endpoint_may_come(const struct endpoint *endpoint);

/*!
 * The candidate after `current`, in a circle.
 * \param current  AF_UNSPEC asks for the first; one that the file does not know is learned
 * \return false when there is no other
 */
must_check bool endpoint_next(struct endpoint *endpoint, const union netaddr *current,
			      union netaddr *ret);

/*! Where initiations go. \param remote  where data goes */
const union netaddr *endpoint_target(const struct endpoint *endpoint, const union netaddr *remote);

/*!
 * An initiation was not answered.
 * \param remote  where data goes
 * \return true when it is another candidate's turn
 */
must_check bool endpoint_unanswered(struct endpoint *endpoint, const union netaddr *remote);

/*! Has initiations go to `candidate` while data goes to `remote`: until that is another address, or
 * endpoint_rejoin(), or there is a session. */
void endpoint_detour(struct endpoint *endpoint, const union netaddr *candidate,
		     const union netaddr *remote);

/*! Initiations go where data goes again. */
void endpoint_rejoin(struct endpoint *endpoint);

/*! There is a session, or another peer: no initiation is without an answer. */
void endpoint_answered(struct endpoint *endpoint);

/*! Asks all names again soon, because nobody answers at their addresses. */
void endpoint_refresh(struct endpoint *endpoint, nsec_t now);

/*! Asks the next name that is due; the resolver's descriptor may be another one afterwards. */
void endpoint_tick(struct endpoint *endpoint, nsec_t now);

/*! When endpoint_tick() is due, or NSEC_NEVER. */
nsec_t endpoint_deadline(const struct endpoint *endpoint);

/*! Takes the resolver's answer; a failure is said once a minute and asked again. */
void endpoint_answer(struct endpoint *endpoint, const struct resolver_answer *answer,
		     struct report *report, nsec_t now);

#endif
