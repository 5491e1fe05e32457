/* The sentences of a link; see report.h. */
#include "daemon/core/report.h"

#include <string.h>

#include "common/defs.h"
#include "common/keytext.h"

/* Tries without an answer after which it is worth a sentence: one loss is nothing. */
#define UNANSWERED_TO_SAY  3
#define UNCONFIRMED_TO_SAY 3

/* Kinds that only tell that packets of this host went nowhere. */
#define LOST_PACKETS (1U << TROUBLE_NO_ENDPOINT | 1U << TROUBLE_NOT_ALLOWED_OUT)

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
	troubles_say_state(
		&report->troubles, NULL, now,
		"no answer from %s after %u tries; check that the address is right, that "
		"nothing on the way filters UDP port %u, that WireGuard or vpnd runs there, and "
		"that it knows our public key %s; tries go on",
		netaddr_format(remote, text), n_tries, netaddr_port(remote), key);
}

void report_gave_up(struct report *report, const union netaddr *remote, nsec_t now)
{
	char text[NETADDR_TEXT_MAX];

	if (report->state == REPORT_GAVE_UP)
		return;
	enter(report, REPORT_GAVE_UP, now);
	troubles_say_state(
		&report->troubles,
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
	troubles_say_state(
		&report->troubles,
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
	troubles_say(&report->troubles, TROUBLE_UNKNOWN_KEY, now,
		     "%s knocks with the public key %s, which is not the PublicKey of this "
		     "link's [Peer]; if that is the peer, one of the two files has the wrong key",
		     source, key);
}

static void report_responded(struct report *report, const char *source, nsec_t now)
{
	if (++report->n_unconfirmed < UNCONFIRMED_TO_SAY)
		return;
	troubles_say(&report->troubles, TROUBLE_NOT_CONFIRMED, now,
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
	troubles_say(&report->troubles, TROUBLE_BAD_MAC1, now,
		     "%s at %s does not know our public key (bad mac1): %sits configuration must "
		     "say PublicKey = %s",
		     has_peer ? "the peer" : "somebody", netaddr_format(source, text),
		     has_peer ? "" : "if that is the peer, ", key);
}

/* What a verdict says about the far end, where its address is all that the sentence needs. */
struct sentence {
	enum peer_verdict verdict;
	enum trouble_kind kind;
	bool is_reason;   /* for having no session until something is mended */
	const char *text; /* %s stands for the address */
};

static const struct sentence sentences[] = {
	{ PEER_PSK_DIFFERS, TROUBLE_PSK, true,
	  "%s answered, but its response does not open: PresharedKey differs, or only one end has "
	  "one" },
	{ PEER_NO_SUITE, TROUBLE_NO_SUITE, true,
	  "%s cannot do the Cipher that this link's file asks for: it is no vpnd, or has not that "
	  "cipher, or its file excludes it; Cipher = auto would find one that both have" },
	{ PEER_IS_TUN, TROUBLE_OTHER_MODE, true,
	  "the end at %s is Mode = tun, or a stock WireGuard, which carries no Ethernet frames; "
	  "this end is Mode = tap: give both ends the same Mode" },
	{ PEER_IS_TAP, TROUBLE_OTHER_MODE, true,
	  "the end at %s is Mode = tap, this end is Mode = tun: give both ends the same Mode" },
	{ PEER_OLD_TIMESTAMP, TROUBLE_OLD_TIMESTAMP, false,
	  "an initiation from %s is not newer than the last one: it was replayed, or the peer's "
	  "clock was set back; a restart of this link accepts the peer's clock as it is" },
	{ PEER_COOKIE_STORED, TROUBLE_COOKIE, false,
	  "%s is under load and asked for a cookie; the next try carries it" },
};

static void report_sentence(struct report *report, enum peer_verdict verdict, const char *source,
			    nsec_t now)
{
	for (size_t i = 0; i < ARRAY_SIZE(sentences); i++) {
		const struct sentence *sentence = &sentences[i];
		const char *gap = strstr(sentence->text, "%s");

		if (sentence->verdict != verdict)
			continue;
		if (sentence->is_reason)
			report->reason_at = now;
		troubles_say(&report->troubles, sentence->kind, now, "%.*s%s%s",
			     (int)(gap - sentence->text), sentence->text, source, gap + 2);
	}
}

void report_handshake(struct report *report, enum peer_verdict verdict,
		      const struct peer_reply *reply, const union netaddr *source,
		      const union netaddr *peer, const struct key *own_public, nsec_t now)
{
	char text[NETADDR_TEXT_MAX];

	netaddr_format(source, text);
	if (verdict == PEER_RESPONDED)
		report_responded(report, text, now);
	else if (verdict == PEER_UNKNOWN_KEY)
		report_unknown_key(report, reply, text, now);
	else if (verdict == PEER_BAD_MAC1)
		report_bad_mac1(report, source, peer, own_public, now);
	else
		report_sentence(report, verdict, text, now);
}
