/*
 * Trouble: what goes wrong while a link runs, in sentences for its administrator.
 *
 * Each loop has its own troubles. What does not change the link's state (a stranger's datagrams,
 * packets that AllowedIPs forbids) is said at most once a minute for each kind, and counted
 * otherwise. The last sentence is kept for who asks later; control gathers it from the loops
 * (report.h).
 */
#ifndef CORE_TROUBLES_H
#define CORE_TROUBLES_H

#include <stdbool.h>

#include "common/log.h"
#include "common/netaddr.h"

/* Kinds of trouble that share one limit of a sentence a minute. */
enum trouble_kind {
	TROUBLE_ICMP,
	TROUBLE_BAD_MAC1,
	TROUBLE_UNKNOWN_KEY,
	TROUBLE_OLD_TIMESTAMP,
	TROUBLE_FAR_TIMESTAMP,
	TROUBLE_PSK,
	TROUBLE_NO_SUITE,
	TROUBLE_OTHER_MODE,
	TROUBLE_NOT_CONFIRMED,
	TROUBLE_COOKIE,
	TROUBLE_NOT_ALLOWED_IN,
	TROUBLE_NOT_ALLOWED_OUT,
	TROUBLE_NOT_IP,
	TROUBLE_NO_ENDPOINT,
	TROUBLE_ROAMED,
	TROUBLE_LOOP,
	TROUBLE_TOO_BIG,
	TROUBLE_STORM,
	TROUBLE_SEND,
	TROUBLE_WRITE,
	TROUBLE_NAME,
	N_TROUBLES,
};

/* How long a kind of trouble is not said again, and how long it counts as a reason. */
#define TROUBLE_INTERVAL (60 * NSEC_PER_SEC)

/* Longest sentence about trouble, with its NUL. */
#define TROUBLE_TEXT_MAX 512

/* The last trouble that was said, for who asks later. All zero: there was none. */
struct trouble {
	nsec_t when;            /* it happened last, boot time; 0: never */
	enum trouble_kind kind; /* N_TROUBLES: the link's state itself */
	const char *advice; /* what can be done about it beyond what the sentence says, or NULL */
	char text[TROUBLE_TEXT_MAX];
};

/* What one loop has said lately. All zero is ready. */
struct troubles {
	struct log_limit limits[N_TROUBLES];
	struct trouble last;
	bool has_news; /* `last` is newer than what control knows of it */
};

/*!
 * Says one sentence about a kind of trouble, unless it was said within the last minute.
 * \param now  boot time
 */
void troubles_say(struct troubles *troubles, enum trouble_kind kind, nsec_t now, const char *format,
		  ...) printf_like(4, 5);

/*!
 * Says a sentence about a state of the link that is trouble, without a limit. It is kept unless a
 * sentence of the last minute tells why it is so.
 * \param advice  what can be done beyond what the sentence says, or NULL; not copied
 */
void troubles_say_state(struct troubles *troubles, const char *advice, nsec_t now,
			const char *format, ...) printf_like(4, 5);

/*! The way to an address of the peer leads through the link itself. */
void troubles_say_loop(struct troubles *troubles, const union netaddr *remote, nsec_t now);

/*!
 * What can be done about a kind of trouble.
 *
 * \return a sentence, or NULL when those that are said about it have that in them
 */
const char *troubles_advice(enum trouble_kind kind);

#endif
