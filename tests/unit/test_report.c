/* Tests of daemon/core/report.c: what is said, when, and when nothing is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/keytext.h"
#include "daemon/core/report.h"

#define SEC    NSEC_PER_SEC
#define BEGIN  (1000 * SEC) /* some time after boot */
#define CIPHER "chacha20-poly1305"

static int saved_stderr, captured_fd = -1;
static struct report report;
static union netaddr remote, elsewhere, nowhere;
static struct key own_public;

/* stderr becomes a file in memory. */
static int set_up(void **state)
{
	(void)state;
	captured_fd = memfd_create("log", MFD_CLOEXEC);
	saved_stderr = dup(STDERR_FILENO);
	if (captured_fd < 0 || saved_stderr < 0 || dup2(captured_fd, STDERR_FILENO) < 0)
		return -1;
	log_init(NULL, LOG_LEVEL_INFO);
	memset(&report, 0, sizeof(report));
	memset(&remote, 0, sizeof(remote));
	remote.in4.sin_family = AF_INET;
	remote.in4.sin_port = htons(51820);
	inet_pton(AF_INET, "192.0.2.1", &remote.in4.sin_addr);
	elsewhere = remote;
	elsewhere.in4.sin_port = htons(51821);
	memset(&nowhere, 0, sizeof(nowhere));
	for (size_t i = 0; i < KEY_LEN; i++)
		own_public.bytes[i] = (uint8_t)(i + 100);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(captured_fd);
	return 0;
}

/* All that was said since the last call. */
static const char *said(void)
{
	static char text[100000];
	ssize_t n = pread(captured_fd, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_int_equal(ftruncate(captured_fd, 0), 0);
	assert_int_equal(lseek(captured_fd, 0, SEEK_SET), 0);
	return text;
}

static unsigned int n_lines(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* One line, with this in it. */
static void assert_said(const char *what)
{
	const char *text = said();

	if (n_lines(text) != 1 || !strstr(text, what))
		fail_msg("expected one line with \"%s\", got: \"%s\"", what, text);
}

static void assert_silent(void)
{
	assert_string_equal(said(), "");
}

static void up(nsec_t now)
{
	report_session_up(&report, &remote, 12 * NSEC_PER_MSEC, CIPHER, now);
}

static void unanswered(unsigned int n_tries, nsec_t now)
{
	report_unanswered(&report, &remote, n_tries, &own_public, now);
}

static void unanswered_thrice(nsec_t now)
{
	for (unsigned int n_tries = 1; n_tries <= 3; n_tries++)
		unanswered(n_tries, now);
}

static void gave_up(nsec_t now)
{
	report_gave_up(&report, &remote, now);
}

static void stale(nsec_t now)
{
	report_stale(&report, &remote, now);
}

static void keys_erased(nsec_t now)
{
	report_keys_erased(&report, now);
}

/* A message from `remote`, while the peer is believed to be at `peer`. */
static void handshake(enum peer_verdict verdict, const union netaddr *peer, nsec_t now)
{
	struct peer_reply reply = { .len = 0 };

	for (size_t i = 0; i < KEY_LEN; i++)
		reply.claimed_key.bytes[i] = (uint8_t)(i + 7);
	report_handshake(&report, verdict, &reply, &remote, peer, &own_public, now);
}

/* Every event in every state: where it leads, and what of the sentence must be there. */
static const struct {
	void (*event)(nsec_t now);
	enum report_state from, to;
	const char *sentence; /* NULL: silence */
} steps[] = {
	{ up, REPORT_IDLE, REPORT_UP, "handshake done with 192.0.2.1:51820 in 12.0 ms" },
	{ unanswered_thrice, REPORT_IDLE, REPORT_NO_ANSWER, "no answer from 192.0.2.1:51820" },
	{ gave_up, REPORT_IDLE, REPORT_GAVE_UP, "192.0.2.1:51820 for 90 seconds" },
	{ stale, REPORT_IDLE, REPORT_IDLE, NULL },
	{ keys_erased, REPORT_IDLE, REPORT_IDLE, NULL },
	{ up, REPORT_UP, REPORT_UP, NULL }, /* a rekey */
	{ unanswered_thrice, REPORT_UP, REPORT_NO_ANSWER, "no answer from 192.0.2.1:51820" },
	{ gave_up, REPORT_UP, REPORT_GAVE_UP, "192.0.2.1:51820 for 90 seconds" },
	{ stale, REPORT_UP, REPORT_STALE, "nothing came back from 192.0.2.1:51820" },
	{ keys_erased, REPORT_UP, REPORT_IDLE, "keys are erased" },
	{ up, REPORT_STALE, REPORT_UP, "handshake done with 192.0.2.1:51820" },
	{ unanswered_thrice, REPORT_STALE, REPORT_NO_ANSWER, "no answer from 192.0.2.1:51820" },
	{ gave_up, REPORT_STALE, REPORT_GAVE_UP, "192.0.2.1:51820 for 90 seconds" },
	{ stale, REPORT_STALE, REPORT_STALE, NULL },
	{ keys_erased, REPORT_STALE, REPORT_IDLE, "keys are erased" },
	{ up, REPORT_NO_ANSWER, REPORT_UP, "handshake done with 192.0.2.1:51820" },
	{ unanswered_thrice, REPORT_NO_ANSWER, REPORT_NO_ANSWER, NULL },
	{ gave_up, REPORT_NO_ANSWER, REPORT_GAVE_UP, "192.0.2.1:51820 for 90 seconds" },
	{ stale, REPORT_NO_ANSWER, REPORT_NO_ANSWER, NULL },
	{ keys_erased, REPORT_NO_ANSWER, REPORT_IDLE, NULL },
	{ up, REPORT_GAVE_UP, REPORT_UP, "handshake done with 192.0.2.1:51820" },
	{ unanswered_thrice, REPORT_GAVE_UP, REPORT_GAVE_UP, NULL },
	{ stale, REPORT_GAVE_UP, REPORT_GAVE_UP, NULL },
	{ keys_erased, REPORT_GAVE_UP, REPORT_IDLE, NULL },
};

static void each_change_is_one_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		report = (struct report) { .state = steps[i].from, .since = BEGIN };
		steps[i].event(BEGIN + SEC);
		assert_int_equal(report.state, steps[i].to);
		assert_int_equal(report.since, steps[i].from == steps[i].to ? BEGIN : BEGIN + SEC);
		if (steps[i].sentence)
			assert_said(steps[i].sentence);
		else
			assert_silent();
	}
}

static void rekeys_are_no_news(void **state)
{
	(void)state;
	up(BEGIN);
	assert_said("handshake done");
	for (unsigned int i = 1; i < 100; i++) {
		up(BEGIN + 120 * SEC * i);
		report_session_up(&report, &remote, 0, CIPHER, BEGIN + 120 * SEC * i);
		handshake(PEER_ESTABLISHED, &remote, BEGIN + 120 * SEC * i);
	}
	assert_silent();
	/* Who asks for everything gets it. */
	log_init(NULL, LOG_LEVEL_DEBUG);
	up(BEGIN);
	assert_said("handshake done");
}

static void sentence_says_who_began(void **state)
{
	(void)state;
	report_session_up(&report, &remote, 0, CIPHER, BEGIN);
	assert_said("handshake done with 192.0.2.1:51820, begun by the peer, cipher " CIPHER);
	stale(BEGIN);
	said();
	report_session_up(&report, &remote, 1500000, CIPHER, BEGIN);
	assert_said("handshake done with 192.0.2.1:51820 in 1.5 ms, cipher " CIPHER);
}

static void third_try_without_answer_is_said(void **state)
{
	char key[KEYTEXT_LEN + 1];
	const char *text;

	(void)state;
	keytext_encode(&own_public, key);
	for (unsigned int round = 0; round < 2; round++) {
		unanswered(1, BEGIN);
		unanswered(2, BEGIN + 5 * SEC);
		assert_silent();
		assert_int_not_equal(report.state, REPORT_NO_ANSWER);
		unanswered(3, BEGIN + 10 * SEC);
		text = said();
		assert_int_equal(n_lines(text), 1);
		assert_non_null(strstr(text, "no answer from 192.0.2.1:51820 after 3 tries"));
		assert_non_null(strstr(text, "UDP port 51820"));
		assert_non_null(strstr(text, key));
		for (unsigned int i = 4; i < 18; i++)
			unanswered(i, BEGIN + 5 * SEC * i);
		assert_silent();
		up(BEGIN + 100 * SEC);
		said();
	}
}

static void known_reason_is_not_no_answer(void **state)
{
	(void)state;
	for (enum peer_verdict reason = PEER_NO_SUITE; reason <= PEER_IS_TAP; reason++) {
		memset(&report, 0, sizeof(report));
		handshake(reason, &remote, BEGIN);
		assert_said("192.0.2.1:51820");
		for (unsigned int n = 1; n < 12; n++) {
			unanswered(n, BEGIN + 5 * SEC * n);
			assert_silent();
		}
		/* It answers no more, so that is no reason any more. */
		unanswered(12, BEGIN + 60 * SEC);
		assert_said("no answer from");
		assert_int_equal(report.state, REPORT_NO_ANSWER);
		/* After a session that reason is past. */
		handshake(reason, &remote, BEGIN + 61 * SEC);
		up(BEGIN + 62 * SEC);
		said();
		unanswered_thrice(BEGIN + 63 * SEC);
		assert_said("no answer from");
	}
}

static void other_trouble_is_no_reason(void **state)
{
	(void)state;
	for (enum peer_verdict i = 0; i < PEER_N_VERDICTS; i++) {
		if (i >= PEER_NO_SUITE && i <= PEER_IS_TAP)
			continue;
		memset(&report, 0, sizeof(report));
		handshake(i, &remote, BEGIN);
		said();
		unanswered_thrice(BEGIN);
		assert_said("no answer from");
	}
}

static void trouble_is_said_once_a_minute(void **state)
{
	(void)state;
	for (enum trouble_kind kind = 0; kind < N_TROUBLES; kind++) {
		troubles_say(&report.troubles, kind, BEGIN, "first %d of %s", (int)kind, "a kind");
		assert_said(" of a kind");
	}
	for (enum trouble_kind kind = 0; kind < N_TROUBLES; kind++) {
		for (unsigned int i = 0; i < 1000; i++)
			troubles_say(&report.troubles, kind, BEGIN + 60 * SEC * i / 1000, "again");
		troubles_say(&report.troubles, kind, BEGIN + 60 * SEC - 1, "again");
		assert_silent();
		troubles_say(&report.troubles, kind, BEGIN + 60 * SEC, "a minute later");
		assert_said("a minute later (and 1001 times more before)");
		troubles_say(&report.troubles, kind, BEGIN + 119 * SEC, "again");
		assert_silent();
	}
	/* A stranger's trouble changes nothing else. */
	assert_int_equal(report.state, REPORT_IDLE);
}

static void long_trouble_stays_one_line(void **state)
{
	char text[4000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	troubles_say(&report.troubles, TROUBLE_SEND, BEGIN, "%s %%n", text);
	assert_said("xxx");
	/* What a name server or the peer made of it is no format. */
	troubles_say(&report.troubles, TROUBLE_NAME, BEGIN, "%s", "%s%n%d");
	assert_said("%s%n%d");
}

/* Each verdict, from the peer's address and from elsewhere. */
static const struct {
	enum peer_verdict verdict;
	const char *from_peer, *from_elsewhere; /* NULL: silence */
} verdicts[] = {
	{ PEER_RESPONDED, NULL, NULL }, /* the first */
	{ PEER_ESTABLISHED, NULL, NULL },
	{ PEER_DATA, NULL, NULL },
	{ PEER_KEEPALIVE, NULL, NULL },
	{ PEER_COOKIE_STORED, "192.0.2.1:51820 is under load", "is under load" },
	{ PEER_COOKIE_SENT, NULL, NULL },
	{ PEER_BAD_MAC1, "the peer at 192.0.2.1:51820 does not know our public key", NULL },
	{ PEER_RATE_LIMITED, NULL, NULL },
	{ PEER_BAD_SEAL, NULL, NULL },
	{ PEER_LOW_ORDER, NULL, NULL },
	{ PEER_UNKNOWN_KEY, "192.0.2.1:51820 knocks", "192.0.2.1:51820 knocks" },
	{ PEER_OLD_TIMESTAMP, "from 192.0.2.1:51820 is not newer", "is not newer" },
	{ PEER_TOO_SOON, NULL, NULL },
	{ PEER_UNASKED, NULL, NULL },
	{ PEER_NO_SUITE, "192.0.2.1:51820 cannot do the Cipher", "cannot do the Cipher" },
	{ PEER_PSK_DIFFERS, "PresharedKey differs", "PresharedKey differs" },
	{ PEER_IS_TUN, "is Mode = tun, or a stock WireGuard", "this end is Mode = tap" },
	{ PEER_IS_TAP, "192.0.2.1:51820 is Mode = tap", "this end is Mode = tun" },
	{ PEER_UNKNOWN_INDEX, NULL, NULL },
	{ PEER_EXPIRED, NULL, NULL },
	{ PEER_FORGED, NULL, NULL },
	{ PEER_REPLAYED, NULL, NULL },
	{ PEER_NO_KEYS, NULL, NULL },
};

static void verdicts_are_said_where_they_tell_something(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_SIZE(verdicts), PEER_N_VERDICTS);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(verdicts); i++) {
		const union netaddr *peer = i & 1 ? &remote : &elsewhere;
		const char *sentence =
			i & 1 ? verdicts[i / 2].from_peer : verdicts[i / 2].from_elsewhere;

		memset(&report, 0, sizeof(report));
		handshake(verdicts[i / 2].verdict, peer, BEGIN);
		if (sentence)
			assert_said(sentence);
		else
			assert_silent();
		/* At most once a minute, however often it comes. */
		for (unsigned int j = 0; j < 1000; j++)
			handshake(verdicts[i / 2].verdict, peer, BEGIN + j * SEC / 20);
		if (verdicts[i / 2].verdict == PEER_RESPONDED)
			assert_said("asked for 3 sessions and used none");
		else
			assert_silent();
		handshake(verdicts[i / 2].verdict, peer, BEGIN + 61 * SEC);
		assert_int_equal(n_lines(said()),
				 sentence || verdicts[i / 2].verdict == PEER_RESPONDED);
		assert_int_equal(report.state, REPORT_IDLE);
	}
}

/* A caller with a wrong PublicKey, at an end that does not know where its peer is. */
static void bad_mac1_counts_while_the_peer_is_nowhere(void **state)
{
	(void)state;
	handshake(PEER_BAD_MAC1, &nowhere, BEGIN);
	assert_said("somebody at 192.0.2.1:51820 does not know our public key");
}

static void loop_is_said_once_a_minute(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 100; i++)
		troubles_say_loop(&report.troubles, &remote, BEGIN + i * SEC / 2);
	assert_said("the peer at 192.0.2.1:51820 leads through the link itself");
	assert_int_equal(report.state, REPORT_IDLE);
}

static void unconfirmed_responses_are_counted_between_sessions(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		handshake(PEER_RESPONDED, &remote, BEGIN + i * SEC);
		handshake(PEER_RESPONDED, &remote, BEGIN + i * SEC);
		report_session_up(&report, &remote, 0, CIPHER, BEGIN + i * SEC);
	}
	assert_said("begun by the peer");
}

/* Keys are printed as files have them, so that they can be compared by eye. */
static void keys_that_help_are_printed_as_text(void **state)
{
	struct key claimed;
	char claimed_text[KEYTEXT_LEN + 1], own_text[KEYTEXT_LEN + 1];
	const char *text;

	(void)state;
	for (size_t i = 0; i < KEY_LEN; i++)
		claimed.bytes[i] = (uint8_t)(i + 7);
	keytext_encode(&claimed, claimed_text);
	keytext_encode(&own_public, own_text);
	handshake(PEER_UNKNOWN_KEY, &elsewhere, BEGIN);
	text = said();
	assert_non_null(strstr(text, claimed_text));
	assert_null(strstr(text, own_text));
	handshake(PEER_BAD_MAC1, &remote, BEGIN);
	text = said();
	assert_non_null(strstr(text, own_text));
	assert_null(strstr(text, claimed_text));
}

/* Whether a run of 44 characters could be a key. */
static unsigned int n_keys(const char *text)
{
	unsigned int n = 0;

	while (*text) {
		size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					  "0123456789+/=");

		n += len >= KEYTEXT_LEN - 1;
		text += len > 0 ? len : 1;
	}
	return n;
}

/* All there is to say at all levels has no key but the two public ones, and no raw byte. */
static void nothing_secret_or_raw_is_said(void **state)
{
	struct peer_reply reply;
	const char *text;

	(void)state;
	memset(&reply, 0xf5, sizeof(reply));
	log_init(NULL, LOG_LEVEL_DEBUG);
	for (enum peer_verdict i = 0; i < PEER_N_VERDICTS; i++) {
		if (i != PEER_UNKNOWN_KEY && i != PEER_BAD_MAC1)
			report_handshake(&report, i, &reply, &remote, &remote, &own_public, BEGIN);
	}
	up(BEGIN);
	stale(BEGIN);
	up(BEGIN);
	keys_erased(BEGIN);
	gave_up(BEGIN);
	text = said();
	/* Each kind has a limit of its own, so none swallowed another. */
	assert_int_equal(n_lines(text), 4 + 6);
	assert_null(strstr(text, "  "));
	assert_int_equal(n_keys(text), 0);
	report_handshake(&report, PEER_UNKNOWN_KEY, &reply, &remote, &remote, &own_public, BEGIN);
	report_handshake(&report, PEER_BAD_MAC1, &reply, &remote, &remote, &own_public, BEGIN);
	report.state = REPORT_UP;
	report.reason_at = 0;
	unanswered_thrice(BEGIN);
	text = said();
	assert_int_equal(n_lines(text), 3);
	assert_null(strstr(text, "  "));
	assert_int_equal(n_keys(text), 3);
	for (; *text; text++)
		assert_true((*text >= ' ' && *text < 0x7f) || *text == '\n');
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(each_change_is_one_sentence),
		WITH(rekeys_are_no_news),
		WITH(sentence_says_who_began),
		WITH(third_try_without_answer_is_said),
		WITH(known_reason_is_not_no_answer),
		WITH(other_trouble_is_no_reason),
		WITH(trouble_is_said_once_a_minute),
		WITH(long_trouble_stays_one_line),
		WITH(verdicts_are_said_where_they_tell_something),
		WITH(bad_mac1_counts_while_the_peer_is_nowhere),
		WITH(loop_is_said_once_a_minute),
		WITH(unconfirmed_responses_are_counted_between_sessions),
		WITH(keys_that_help_are_printed_as_text),
		WITH(nothing_secret_or_raw_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
