/* The sentences of a link; see report.h. */
#include "daemon/core/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/keytext.h"

#define TROUBLE_INTERVAL (60 * NSEC_PER_SEC)
/* Tries without an answer after which it is worth a sentence: one loss is nothing. */
#define UNANSWERED_TO_SAY  3
#define UNCONFIRMED_TO_SAY 3

const char *report_advice(enum report_trouble kind)
{
	static const char *const advice[REPORT_N_TROUBLES] = {
		[REPORT_ICMP] = "Check address and port of the peer, that it runs, and that no "
				"firewall on the way refuses UDP.",
		[REPORT_NOT_CONFIRMED] = "Compare PresharedKey on both ends, and check that UDP "
					 "from here reaches the peer.",
		[REPORT_COOKIE] = "Nothing, unless it lasts: then find out who floods the peer.",
		[REPORT_NOT_ALLOWED_IN] = "If these addresses belong behind the peer, add them to "
					  "AllowedIPs.",
		[REPORT_NOT_ALLOWED_OUT] = "If these addresses belong behind the peer, add them to "
					   "AllowedIPs; if not, correct the route that leads here.",
		[REPORT_NOT_IP] = "Check that both ends have the same Mode.",
		[REPORT_NO_ENDPOINT] = "Add Endpoint to the link file, or wait for the peer to "
				       "call.",
		[REPORT_TOO_BIG] = "Nothing, if it does not last; else set a smaller MTU.",
		[REPORT_STORM] = "Look for a loop of bridges and links, and switch spanning tree "
				 "on: `ip link set BRIDGE type bridge stp_state 1`.",
		[REPORT_SEND] = "Check this host's routes and firewall: `ip route get` with the "
				"peer's address.",
		[REPORT_WRITE] = "Check with `ip link` that the interface is up.",
		[REPORT_NAME] = "Check the name in Endpoint and this host's name servers.",
	};

	return advice[kind];
}

/* Kinds that may be the reason for a state: they tell more than the state does. */
#define REASONS                                                                                    \
	(1U << REPORT_ICMP | 1U << REPORT_BAD_MAC1 | 1U << REPORT_UNKNOWN_KEY |                    \
	 1U << REPORT_OLD_TIMESTAMP | 1U << REPORT_PSK | 1U << REPORT_NO_SUITE |                   \
	 1U << REPORT_OTHER_MODE | 1U << REPORT_NOT_CONFIRMED | 1U << REPORT_NO_ENDPOINT |         \
	 1U << REPORT_LOOP | 1U << REPORT_SEND | 1U << REPORT_NAME)

/* Kinds that only tell that packets of this host went nowhere. */
#define LOST_PACKETS (1U << REPORT_NO_ENDPOINT | 1U << REPORT_NOT_ALLOWED_OUT)

/* Keeps a sentence for those who ask later. */
static void remember(struct troubles *troubles, enum report_trouble kind, const char *advice,
		     const char *text, nsec_t now)
{
	troubles->last.when = now;
	troubles->last.kind = kind;
	troubles->last.advice = advice;
	snprintf(troubles->last.text, sizeof(troubles->last.text), "%s", text);
	troubles->has_news = true;
}

/* It happens again within the minute: that is not said, but that it lasts can be asked. */
static void renew(struct troubles *troubles, enum report_trouble kind, nsec_t now)
{
	struct trouble *last = &troubles->last;

	if (!last->when || last->kind != kind || !nsec_expired(last->when, NSEC_PER_SEC, now))
		return;
	last->when = now;
	troubles->has_news = true;
}

void report_trouble(struct troubles *troubles, enum report_trouble kind, nsec_t now,
		    const char *format, ...)
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
	if (kind != REPORT_ROAMED)
		remember(troubles, kind, report_advice(kind), text, now);
	if (troubles->limits[kind].n_dropped > 0)
		log_warning("%s (and %llu times more before)", text,
			    (unsigned long long)troubles->limits[kind].n_dropped);
	else
		log_warning("%s", text);
}

/* Says a sentence about a state that is trouble. */
static void printf_like(4, 5)
	say(struct troubles *troubles, const char *advice, nsec_t now, const char *format, ...)
{
	const struct trouble *last = &troubles->last;
	char text[TROUBLE_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	log_warning("%s", text);
	/* What was told of lately is why it is so. */
	if (last->when && last->kind < REPORT_N_TROUBLES && (REASONS >> last->kind & 1) &&
	    !nsec_expired(last->when, TROUBLE_INTERVAL, now))
		return;
	remember(troubles, REPORT_N_TROUBLES, advice, text, now);
}

void report_hear(struct report *report, const struct trouble *trouble)
{
	if (trouble->when <= report->troubles.last.when)
		return;
	if ((LOST_PACKETS >> trouble->kind & 1) && report->reason_at &&
	    !nsec_expired(report->reason_at, TROUBLE_INTERVAL, trouble->when))
		return;
	report->troubles.last = *trouble;
}

static void enter(struct report *report, enum report_state state, nsec_t now)
{
	if (report->state != state)
		report->since = now;
	report->state = state;
}

void report_session_up(struct report *report, const union netaddr *remote, nsec_t took,
		       const char *cipher, nsec_t now)
{
	/* A rekey of a link that works is no news. */
	enum log_level level = report->state == REPORT_UP ? LOG_LEVEL_DEBUG : LOG_LEVEL_NOTICE;
	char text[NETADDR_TEXT_MAX];

	netaddr_format(remote, text);
	if (took)
		log_msg(level, "handshake done with %s in %.1f ms, cipher %s", text,
			(double)took / (double)NSEC_PER_MSEC, cipher);
	else
		log_msg(level, "handshake done with %s, begun by the peer, cipher %s", text,
			cipher);
	enter(report, REPORT_UP, now);
	report->n_unconfirmed = 0;
	report->reason_at = 0;
}

void report_unanswered(struct report *report, const union netaddr *remote, unsigned int n_tries,
		       const struct key *own_public, nsec_t now)
{
	char text[NETADDR_TEXT_MAX], key[KEYTEXT_LEN + 1];

	if (n_tries < UNANSWERED_TO_SAY || report->state == REPORT_NO_ANSWER ||
	    report->state == REPORT_GAVE_UP)
		return;
	/* Somebody does answer, and it was said what is wrong with it. */
	if (report->reason_at && !nsec_expired(report->reason_at, TROUBLE_INTERVAL, now))
		return;
	enter(report, REPORT_NO_ANSWER, now);
	keytext_encode(own_public, key);
	say(&report->troubles, NULL, now,
	    "no answer from %s after %u tries; check that the address is right, that "
	    "nothing on the way filters UDP port %u, that WireGuard or vpnd runs there, and "
	    "that it knows our public key %s; tries go on",
	    netaddr_format(remote, text), n_tries, netaddr_port(remote), key);
}

void report_loop(struct troubles *troubles, const union netaddr *remote, nsec_t now)
{
	char text[NETADDR_TEXT_MAX];

	report_trouble(troubles, REPORT_LOOP, now,
		       "the way to the peer at %s leads through the link itself: nothing is sent "
		       "there; AllowedIPs or a route must not cover that address",
		       netaddr_format(remote, text));
}

void report_gave_up(struct report *report, const union netaddr *remote, nsec_t now)
{
	char text[NETADDR_TEXT_MAX];

	if (report->state == REPORT_GAVE_UP)
		return;
	enter(report, REPORT_GAVE_UP, now);
	say(&report->troubles,
	    "Check that the peer runs and is reachable, and what was said before this.", now,
	    "no session with %s for 90 seconds: waiting packets were dropped, the next "
	    "packet makes a new try",
	    netaddr_format(remote, text));
}

void report_stale(struct report *report, const union netaddr *remote, nsec_t now)
{
	char text[NETADDR_TEXT_MAX];

	if (report->state != REPORT_UP)
		return;
	enter(report, REPORT_STALE, now);
	say(&report->troubles,
	    "Nothing yet; if it lasts, check that the peer still runs and can be reached.", now,
	    "nothing came back from %s for 15 seconds although data was sent; asking for a "
	    "new session",
	    netaddr_format(remote, text));
}

void report_keys_erased(struct report *report, nsec_t now)
{
	if (report->state == REPORT_UP || report->state == REPORT_STALE)
		log_info("no session for nine minutes: its keys are erased; the next packet makes "
			 "a new handshake");
	enter(report, REPORT_IDLE, now);
}

static void report_unknown_key(struct report *report, const struct peer_reply *reply,
			       const char *source, nsec_t now)
{
	char key[KEYTEXT_LEN + 1];

	keytext_encode(&reply->claimed_key, key);
	report_trouble(&report->troubles, REPORT_UNKNOWN_KEY, now,
		       "%s knocks with the public key %s, which is not the PublicKey of this "
		       "link's [Peer]; if that is the peer, one of the two files has the wrong key",
		       source, key);
}

static void report_responded(struct report *report, const char *source, nsec_t now)
{
	if (++report->n_unconfirmed < UNCONFIRMED_TO_SAY)
		return;
	report_trouble(&report->troubles, REPORT_NOT_CONFIRMED, now,
		       "%s asked for %u sessions and used none: our responses do not reach it, or "
		       "PresharedKey differs",
		       source, report->n_unconfirmed);
}

/* Anybody can send garbage: it means something from the peer's own address, or when that is not
 * known yet, because a wrong PublicKey at the caller is the commonest mistake. */
static void report_bad_mac1(struct report *report, const union netaddr *source,
			    const union netaddr *peer, const struct key *own_public, nsec_t now)
{
	bool has_peer = peer->sa.sa_family != AF_UNSPEC;
	char text[NETADDR_TEXT_MAX], key[KEYTEXT_LEN + 1];

	if (has_peer && !netaddr_equal(source, peer))
		return;
	keytext_encode(own_public, key);
	report_trouble(&report->troubles, REPORT_BAD_MAC1, now,
		       "%s at %s does not know our public key (bad mac1): %sits configuration must "
		       "say PublicKey = %s",
		       has_peer ? "the peer" : "somebody", netaddr_format(source, text),
		       has_peer ? "" : "if that is the peer, ", key);
}

void report_handshake(struct report *report, enum peer_verdict verdict,
		      const struct peer_reply *reply, const union netaddr *source,
		      const union netaddr *peer, const struct key *own_public, nsec_t now)
{
	char text[NETADDR_TEXT_MAX];

	netaddr_format(source, text);
	switch (verdict) {
	case PEER_RESPONDED:
		report_responded(report, text, now);
		break;
	case PEER_UNKNOWN_KEY:
		report_unknown_key(report, reply, text, now);
		break;
	case PEER_BAD_MAC1:
		report_bad_mac1(report, source, peer, own_public, now);
		break;
	case PEER_PSK_DIFFERS:
		report->reason_at = now;
		report_trouble(&report->troubles, REPORT_PSK, now,
			       "%s answered, but its response does not open: PresharedKey differs, "
			       "or only one end has one",
			       text);
		break;
	case PEER_NO_SUITE:
		report->reason_at = now;
		report_trouble(&report->troubles, REPORT_NO_SUITE, now,
			       "%s cannot do the Cipher that this link's file asks for: it is no "
			       "vpnd, or has not that cipher, or its file excludes it; Cipher = "
			       "auto would find one that both have",
			       text);
		break;
	case PEER_IS_TUN:
		report->reason_at = now;
		report_trouble(&report->troubles, REPORT_OTHER_MODE, now,
			       "the end at %s is Mode = tun, or a stock WireGuard, which carries "
			       "no Ethernet frames; this end is Mode = tap: give both ends the "
			       "same Mode",
			       text);
		break;
	case PEER_IS_TAP:
		report->reason_at = now;
		report_trouble(&report->troubles, REPORT_OTHER_MODE, now,
			       "the end at %s is Mode = tap, this end is Mode = tun: give both "
			       "ends the same Mode",
			       text);
		break;
	case PEER_OLD_TIMESTAMP:
		report_trouble(&report->troubles, REPORT_OLD_TIMESTAMP, now,
			       "an initiation from %s is not newer than the last one: it was "
			       "replayed, or the peer's clock was set back; a restart of this link "
			       "accepts the peer's clock as it is",
			       text);
		break;
	case PEER_COOKIE_STORED:
		report_trouble(&report->troubles, REPORT_COOKIE, now,
			       "%s is under load and asked for a cookie; the next try carries it",
			       text);
		break;
	default:
		break;
	}
}

const char *report_state_name(enum report_state state)
{
	static const char *const names[] = {
		[REPORT_IDLE] = "no session",          [REPORT_UP] = "up",
		[REPORT_STALE] = "nothing comes back", [REPORT_NO_ANSWER] = "no answer",
		[REPORT_GAVE_UP] = "given up",
	};
	static_assert(ARRAY_SIZE(names) == REPORT_GAVE_UP + 1, "a name for each state");

	return names[state];
}
