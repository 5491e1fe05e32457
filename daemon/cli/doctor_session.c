/* `vpnd doctor`: what the running link knows of its session, its last trouble, and its counters. */
#include <string.h>

#include "daemon/cli/doctor.h"
#include "daemon/cli/show_text.h"

/* Sentences of a link that works about trouble longer ago are history, in seconds. */
#define TROUBLE_RECENT 300.0
/* The kernel's WireGuard and ours make a new session after two minutes with traffic, in seconds;
 * without traffic there is none. */
#define SESSION_LIFE 180.0

/* What messages that came tell, while there is no session: the first that has come counts. */
static const struct sign {
	const char *message; /* a counter of the group "messages" */
	const char *text;
	const char *advice;
} signs[] = {
	{ "psk_differs", "the peer answers, but its answers do not open: PresharedKey differs",
	  "Give both ends the same PresharedKey, or neither one." },
	{ "unknown_key", "somebody calls with a public key that is not the PublicKey of [Peer]",
	  "If that is the peer, its PrivateKey was changed, or PublicKey here is wrong: compare "
	  "with what `vpnd show` or `wg show` says there." },
	{ "bad_mac1", "handshakes arrive that are meant for another public key than this end's",
	  "If they are the peer's, PublicKey in its file is wrong; `vpnd show LINK --json` has "
	  "this "
	  "end's as public_key." },
	{ "peer_is_tun",
	  "the peer has Mode = tun, or is a stock WireGuard, and this end Mode = tap",
	  "Give both ends the same Mode." },
	{ "peer_is_tap", "the peer has Mode = tap, and this end Mode = tun",
	  "Give both ends the same Mode." },
	{ "no_common_cipher", "the peer cannot do the Cipher that the link file asks for",
	  "Cipher = auto finds one that both have." },
	{ "old_timestamp", "the peer's initiations are older than one that was seen before",
	  "Set the peer's clock, then restart this link." },
	{ "initiation_answered",
	  "the peer calls and was answered, but has confirmed no session: the answers do not reach "
	  "it, or PresharedKey differs",
	  "Compare PresharedKey, and see on its end whether UDP from here arrives." },
	{ "cookie_stored", "the peer is under load, and asks for cookies",
	  "Find out who floods it, if that lasts." },
};

/* Whether the state is one in which the peer is wanted and missed. */
static bool is_missed(const char *state)
{
	static const char *const states[] = { "handshake", "no-answer", "gave-up", "stale" };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (strcmp(state, states[i]) == 0)
			return true;
	}
	return false;
}

static bool say_sign(struct doctor *doctor)
{
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		if (doctor_count(&doctor->status, "messages", signs[i].message) == 0)
			continue;
		doctor_say(doctor, DOCTOR_FAIL, signs[i].advice, "%s", signs[i].text);
		return true;
	}
	return false;
}

/* A trouble that only says that there is no answer, or nobody to ask: what doctor says itself tells
 * more. */
static bool is_only_silence(const char *trouble)
{
	static const char *const starts[] = { "no answer from ", "no session with ",
					      "nothing came back from ",
					      "dropped packets: the peer has no Endpoint" };

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		if (strncmp(trouble, starts[i], strlen(starts[i])) == 0)
			return true;
	}
	return false;
}

static void say_silence(struct doctor *doctor)
{
	const struct status_answer *status = &doctor->status;
	char advice[DOCTOR_ADVICE_MAX * 2];

	snprintf(
		advice, sizeof(advice),
		"Whoever does not know a key says nothing. On the far end check that its link runs "
		"and listens on that port, that no firewall drops it (`tcpdump -ni any udp`), that "
		"its PublicKey is %s, and that its own public key is %s.",
		status->public_key, status->peer_key);
	doctor_say(doctor, DOCTOR_FAIL, advice,
		   "handshakes are sent to %s, and nothing at all comes back",
		   status->endpoint ? status->endpoint : "the peer");
}

static void say_missed(struct doctor *doctor)
{
	const struct status_answer *status = &doctor->status;

	if (status->trouble && !status->is_trouble_over && !is_only_silence(status->trouble))
		doctor_say(doctor, DOCTOR_FAIL, status->advice, "%s", status->trouble);
	else if (!say_sign(doctor))
		say_silence(doctor);
}

static void say_idle(struct doctor *doctor)
{
	const struct status_answer *status = &doctor->status;

	if (status->trouble && !status->is_trouble_over && !is_only_silence(status->trouble))
		doctor_say(doctor, DOCTOR_FAIL, status->advice, "%s", status->trouble);
	else if (!status->has_handshake && say_sign(doctor))
		return;
	else if (!status->endpoint)
		doctor_say(
			doctor, DOCTOR_SYMPTOM,
			"Look at the far end: it has to call this one. `tcpdump -ni any udp` here "
			"shows whether its packets arrive.",
			"the peer has never called, and this end does not know where it is");
	else
		doctor_say(
			doctor, DOCTOR_NOTE,
			"The next packet into the link makes one; PersistentKeepalive keeps one.",
			"there is no session, because nobody asked for one");
}

static void say_up(struct doctor *doctor)
{
	const struct status_answer *status = &doctor->status;
	char age[SHOW_TEXT_MAX];

	show_duration(status->handshake_age, age);
	doctor_say(doctor, DOCTOR_OK, NULL,
		   "there is a session with %s, cipher %s, handshake %s ago%s",
		   status->endpoint ? status->endpoint : "the peer",
		   status->cipher ? status->cipher : "none", age,
		   status->handshake_age > SESSION_LIFE ? ", so nobody has used it since" : "");
	if (status->trouble && !status->is_trouble_over && status->trouble_age < TROUBLE_RECENT)
		doctor_say(doctor, DOCTOR_FAIL, status->advice, "%s ago: %s",
			   show_duration(status->trouble_age, age), status->trouble);
}

void doctor_check_session(struct doctor *doctor)
{
	if (!doctor->is_running)
		return;
	if (is_missed(doctor->status.state))
		say_missed(doctor);
	else if (strcmp(doctor->status.state, "up") == 0)
		say_up(doctor);
	else
		say_idle(doctor);
}

/* What was dropped, and what that means. */
static const struct drop {
	const char *counter;
	enum doctor_level level;
	const char *text;
	const char *advice;
} drops[] = {
	{ "rx_not_allowed", DOCTOR_WARN, "packets of the peer from addresses out of AllowedIPs",
	  "If these addresses belong behind the peer, add them to AllowedIPs." },
	{ "tx_not_allowed", DOCTOR_WARN, "packets to addresses out of AllowedIPs",
	  "Add them to AllowedIPs, or correct the route that leads here." },
	{ "rx_not_ip", DOCTOR_WARN, "messages of the peer that are no packets",
	  "Check that both ends have the same Mode." },
	{ "rx_write_failed", DOCTOR_NOTE, "packets that the interface did not take", NULL },
	{ "tx_no_session", DOCTOR_NOTE, "packets while there was no session", NULL },
	{ "tx_no_endpoint", DOCTOR_NOTE, "packets while the peer's address was not known", NULL },
	{ "tx_too_big", DOCTOR_WARN, "packets that were too big for the path",
	  "Leave MTU out of the link file, or set a smaller one on both ends." },
	{ "tx_send_failed", DOCTOR_WARN, "packets that the socket refused",
	  "Check this host's routes and firewall." },
	{ "tx_storm", DOCTOR_WARN, "frames to everybody in a storm",
	  "Look for a loop of bridges: STP finds it." },
	{ "rx_flood", DOCTOR_WARN, "handshake messages in a flood", "Somebody floods the port." },
};

void doctor_check_drops(struct doctor *doctor)
{
	const struct status_answer *status = &doctor->status;
	size_t n_said = 0;

	if (!doctor->is_running)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(drops); i++) {
		long long n = doctor_count(status, "drops", drops[i].counter);

		if (n == 0)
			continue;
		n_said++;
		doctor_say(doctor, drops[i].level, drops[i].advice, "%s were dropped: %lld",
			   drops[i].text, n);
	}
	if (n_said == 0)
		doctor_say(doctor, DOCTOR_OK, NULL, "no packet was dropped");
}
