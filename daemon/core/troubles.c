/* Sentences about trouble, and how often they are said; see troubles.h. */
#include "daemon/core/troubles.h"

#include <stdarg.h>
#include <stdio.h>

const char *troubles_advice(enum trouble_kind kind)
{
	static const char *const advice[N_TROUBLES] = {
		[TROUBLE_ICMP] = "Check address and port of the peer, that it runs, and that no "
				 "firewall on the way refuses UDP.",
		[TROUBLE_NOT_CONFIRMED] = "Compare PresharedKey on both ends, and check that UDP "
					  "from here reaches the peer.",
		[TROUBLE_COOKIE] = "Nothing, unless it lasts: then find out who floods the peer.",
		[TROUBLE_NOT_ALLOWED_IN] = "If these addresses belong behind the peer, add them to "
					   "AllowedIPs.",
		[TROUBLE_NOT_ALLOWED_OUT] =
			"If these addresses belong behind the peer, add them to "
			"AllowedIPs; if not, correct the route that leads here.",
		[TROUBLE_NOT_IP] = "Check that both ends have the same Mode.",
		[TROUBLE_NO_ENDPOINT] = "Add Endpoint to the link file, or wait for the peer to "
					"call.",
		[TROUBLE_TOO_BIG] = "Nothing, if it does not last; else set a smaller MTU.",
		[TROUBLE_STORM] = "Look for a loop of bridges and links, and switch spanning tree "
				  "on: `ip link set BRIDGE type bridge stp_state 1`.",
		[TROUBLE_SEND] = "Check this host's routes and firewall: `ip route get` with the "
				 "peer's address.",
		[TROUBLE_WRITE] = "Check with `ip link` that the interface is up.",
		[TROUBLE_NAME] = "Check the name in Endpoint and this host's name servers.",
	};

	return advice[kind];
}

/* Kinds that may be the reason for a state: they tell more than the state does. */
#define REASONS                                                                                    \
	(1U << TROUBLE_ICMP | 1U << TROUBLE_BAD_MAC1 | 1U << TROUBLE_UNKNOWN_KEY |                 \
	 1U << TROUBLE_OLD_TIMESTAMP | 1U << TROUBLE_PSK | 1U << TROUBLE_NO_SUITE |                \
	 1U << TROUBLE_OTHER_MODE | 1U << TROUBLE_NOT_CONFIRMED | 1U << TROUBLE_NO_ENDPOINT |      \
	 1U << TROUBLE_LOOP | 1U << TROUBLE_SEND | 1U << TROUBLE_NAME)

/* Keeps a sentence for those who ask later. */
static void remember(struct troubles *troubles, enum trouble_kind kind, const char *advice,
		     const char *text, nsec_t now)
{
	troubles->last.when = now;
	troubles->last.kind = kind;
	troubles->last.advice = advice;
	snprintf(troubles->last.text, sizeof(troubles->last.text), "%s", text);
	troubles->has_news = true;
}

/* It happens again within the minute: that is not said, but that it lasts can be asked. */
static void renew(struct troubles *troubles, enum trouble_kind kind, nsec_t now)
{
	struct trouble *last = &troubles->last;

	if (!last->when || last->kind != kind || !nsec_expired(last->when, NSEC_PER_SEC, now))
		return;
	last->when = now;
	troubles->has_news = true;
}

void troubles_say(struct troubles *troubles, enum trouble_kind kind, nsec_t now, const char *format,
		  ...)
{
	char text[TROUBLE_TEXT_MAX];
	va_list arguments;

	if (!log_allowed(&troubles->limits[kind], TROUBLE_INTERVAL, now)) {
		renew(troubles, kind, now);
		return;
	}
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	/* That the peer moves is news and no trouble. */
	if (kind != TROUBLE_ROAMED)
		remember(troubles, kind, troubles_advice(kind), text, now);
	if (troubles->limits[kind].n_dropped > 0)
		log_warning("%s (and %llu times more before)", text,
			    (unsigned long long)troubles->limits[kind].n_dropped);
	else
		log_warning("%s", text);
}

void troubles_say_state(struct troubles *troubles, const char *advice, nsec_t now,
			const char *format, ...)
{
	const struct trouble *last = &troubles->last;
	char text[TROUBLE_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	log_warning("%s", text);
	/* What was told of lately is why it is so. */
	if (last->when && last->kind < N_TROUBLES && (REASONS >> last->kind & 1) &&
	    !nsec_expired(last->when, TROUBLE_INTERVAL, now))
		return;
	remember(troubles, N_TROUBLES, advice, text, now);
}

void troubles_say_loop(struct troubles *troubles, const union netaddr *remote, nsec_t now)
{
	char text[NETADDR_TEXT_MAX];

	troubles_say(troubles, TROUBLE_LOOP, now,
		     "the way to the peer at %s leads through the link itself: nothing is sent "
		     "there; AllowedIPs or a route must not cover that address",
		     netaddr_format(remote, text));
}
