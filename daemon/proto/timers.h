/*
 * The timers of a peer as facts in and deadlines out (paper section 6; kernel timers.c).
 *
 * What happened is told to the timers by one function for each kind of event. They answer with
 * the next deadline, and at that time with the timers that are due. There are five:
 *
 *   RETRANSMIT     an initiation was not answered
 *   KEEPALIVE      we received data and sent nothing since: tell the peer that it arrived
 *   NEW_HANDSHAKE  we sent data and nothing came back: the session may be dead
 *   ZERO_KEYS      the last session is long over: its keys must not lie around
 *   PERSISTENT     PersistentKeepalive, for NATs and firewalls on the way
 *
 * What is sent and what is received is told by two threads, each a little after it happened. So
 * an event comes with its own time, and may come after a later one of the other direction: it
 * then does what it would have done in its turn. For that, what is sent must be stamped before it
 * is sent, and what is received after it was received: so an answer is never older than what it
 * answers.
 */
#ifndef PROTO_TIMERS_H
#define PROTO_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/nsec.h"

enum timer {
	TIMER_RETRANSMIT,
	TIMER_KEEPALIVE,
	TIMER_NEW_HANDSHAKE,
	TIMER_ZERO_KEYS,
	TIMER_PERSISTENT,
	N_TIMERS,
};

/* Retries after the first initiation: REKEY_ATTEMPT_TIME / REKEY_TIMEOUT. */
#define TIMERS_MAX_RETRIES 18

struct timers {
	nsec_t deadlines[N_TIMERS];                /* boot time; NSEC_NEVER: not armed */
	nsec_t persistent_interval;                /* 0: off */
	nsec_t last_sent, last_received;           /* anything authentic; 0: never */
	nsec_t last_data_sent, last_data_received; /* not keepalives */
	nsec_t unanswered_since; /* the data sent for which NEW_HANDSHAKE is armed */
	nsec_t owed_since;       /* the data received for which KEEPALIVE is armed */
	unsigned int n_retries;  /* since a packet last asked for a session */
	nsec_t data_jitter;      /* of NEW_HANDSHAKE, drawn once a session: it is armed often */
	bool needs_another_keepalive; /* more data came while KEEPALIVE was armed */
};

/*! Disarms all. \param persistent_interval  ns, 0: off */
void timers_init(struct timers *timers, nsec_t persistent_interval);

/*! After a data packet, not a keepalive, was sent. */
void timers_data_sent(struct timers *timers, nsec_t now);

/*! After a keepalive was sent: more data may have come since the one it was meant for. */
void timers_keepalive_sent(struct timers *timers, nsec_t now);

/*! After a data packet, not a keepalive, was received. */
void timers_data_received(struct timers *timers, nsec_t now);

/*! After anything that the peer can authenticate was sent. */
void timers_authenticated_sent(struct timers *timers, nsec_t now);

/*! After anything authentic was received. */
void timers_authenticated_received(struct timers *timers, nsec_t now);

/*! After an initiation was sent. */
void timers_initiation_sent(struct timers *timers, nsec_t now);

/*! When an initiation is wanted that may not be sent before `earliest`. */
void timers_initiation_delayed(struct timers *timers, nsec_t earliest);

/*! Whether an initiation is going to be sent when RETRANSMIT is due. */
bool timers_is_retrying(const struct timers *timers);

/*! When both ends are known to have the keys of a new session. */
void timers_handshake_complete(struct timers *timers);

/*! After keys of a session were derived, as initiator or responder. */
void timers_session_derived(struct timers *timers, nsec_t now);

/*! When the peer was given up: nothing is owed to it any more, and keys go in due time. */
void timers_gave_up(struct timers *timers, nsec_t now);

/*! The earliest deadline, or NSEC_NEVER. */
nsec_t timers_deadline(const struct timers *timers);

/*!
 * Disarms the timers that are due at `now`.
 * \return a set of bits, 1 << timer
 */
unsigned int timers_expire(struct timers *timers, nsec_t now);

#endif
