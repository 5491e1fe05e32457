/* Tests of daemon/core/report.c: the last trouble, as those see it who ask later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "daemon/core/report.h"

#define SEC NSEC_PER_SEC
/* Some time after boot. */
#define BEGIN (1000 * SEC)

static struct report report;
static union netaddr remote;

static int set_up(void **state)
{
	(void)state;
	/* What is said is test_report.c's. */
	log_init(NULL, LOG_LEVEL_ERROR);
	memset(&report, 0, sizeof(report));
	memset(&remote, 0, sizeof(remote));
	remote.in4.sin_family = AF_INET;
	remote.in4.sin_port = htons(51820);
	inet_pton(AF_INET, "192.0.2.1", &remote.in4.sin_addr);
	return 0;
}

static void the_last_trouble_is_kept_with_what_to_do(void **state)
{
	struct troubles *troubles = &report.troubles;

	(void)state;
	assert_int_equal(troubles->last.when, 0);
	troubles_say(troubles, TROUBLE_NOT_ALLOWED_OUT, BEGIN, "dropped %d", 7);
	assert_int_equal(troubles->last.when, BEGIN);
	assert_string_equal(troubles->last.text, "dropped 7");
	assert_string_equal(troubles->last.advice, troubles_advice(TROUBLE_NOT_ALLOWED_OUT));
	assert_true(troubles->has_news);
	/* Said once a minute, but it goes on. */
	troubles->has_news = false;
	troubles_say(troubles, TROUBLE_NOT_ALLOWED_OUT, BEGIN + SEC / 2, "dropped %d", 8);
	assert_int_equal(troubles->last.when, BEGIN);
	assert_false(troubles->has_news);
	troubles_say(troubles, TROUBLE_NOT_ALLOWED_OUT, BEGIN + 5 * SEC, "dropped %d", 9);
	assert_int_equal(troubles->last.when, BEGIN + 5 * SEC);
	assert_string_equal(troubles->last.text, "dropped 7");
	assert_true(troubles->has_news);
	/* One that was held back is not news about another one. */
	troubles_say(troubles, TROUBLE_SEND, BEGIN + 6 * SEC, "not sent");
	troubles_say(troubles, TROUBLE_NOT_ALLOWED_OUT, BEGIN + 10 * SEC, "dropped %d", 10);
	assert_string_equal(troubles->last.text, "not sent");
	assert_int_equal(troubles->last.when, BEGIN + 6 * SEC);
}

static void a_move_is_no_trouble(void **state)
{
	(void)state;
	troubles_say(&report.troubles, TROUBLE_ROAMED, BEGIN, "the peer moved");
	assert_int_equal(report.troubles.last.when, 0);
}

static void a_state_is_trouble_unless_the_reason_is_known(void **state)
{
	(void)state;
	report_session_up(&report, &remote, 1, "aes256-gcm", BEGIN);
	report_stale(&report, &remote, BEGIN + 20 * SEC);
	assert_non_null(strstr(report.troubles.last.text, "nothing came back"));
	assert_non_null(report.troubles.last.advice);

	troubles_say(&report.troubles, TROUBLE_ICMP, BEGIN + 30 * SEC, "refused");
	report_gave_up(&report, &remote, BEGIN + 60 * SEC);
	assert_string_equal(report.troubles.last.text, "refused");
	/* That was long ago. */
	report_session_up(&report, &remote, 1, "aes256-gcm", BEGIN + 70 * SEC);
	report_gave_up(&report, &remote, BEGIN + 91 * SEC);
	assert_non_null(strstr(report.troubles.last.text, "no session with"));
}

static void a_long_sentence_is_cut(void **state)
{
	char text[TROUBLE_TEXT_MAX * 2];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	troubles_say(&report.troubles, TROUBLE_SEND, BEGIN, "%s", text);
	assert_int_equal(strlen(report.troubles.last.text), TROUBLE_TEXT_MAX - 1);
}

/* What a data loop has said is newer or is not; and packets that go nowhere are no news about
 * a peer that calls and is refused. */
static void what_the_loops_say_is_heard(void **state)
{
	struct peer_reply reply = { .len = 0 };
	struct trouble trouble = { .kind = TROUBLE_WRITE, .when = BEGIN + 1, .text = "of a loop" };
	struct key key = { { 0 } };

	(void)state;
	troubles_say(&report.troubles, TROUBLE_SEND, BEGIN + 2, "of control");
	report_hear(&report, &trouble);
	assert_string_equal(report.troubles.last.text, "of control");
	trouble.when = BEGIN + 3;
	report_hear(&report, &trouble);
	assert_string_equal(report.troubles.last.text, "of a loop");

	report_handshake(&report, PEER_IS_TUN, &reply, &remote, &remote, &key, BEGIN + SEC);
	trouble = (struct trouble) { .kind = TROUBLE_NO_ENDPOINT, .when = BEGIN + 2 * SEC };
	report_hear(&report, &trouble);
	assert_int_equal(report.troubles.last.kind, TROUBLE_OTHER_MODE);
	trouble.kind = TROUBLE_NOT_ALLOWED_OUT;
	report_hear(&report, &trouble);
	assert_int_equal(report.troubles.last.kind, TROUBLE_OTHER_MODE);
	/* Other news is news; and after a minute without a call nobody calls. */
	trouble.kind = TROUBLE_WRITE;
	report_hear(&report, &trouble);
	assert_int_equal(report.troubles.last.kind, TROUBLE_WRITE);
	trouble = (struct trouble) { .kind = TROUBLE_NO_ENDPOINT, .when = BEGIN + 62 * SEC };
	report_hear(&report, &trouble);
	assert_int_equal(report.troubles.last.kind, TROUBLE_NO_ENDPOINT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_last_trouble_is_kept_with_what_to_do, set_up),
		cmocka_unit_test_setup(a_move_is_no_trouble, set_up),
		cmocka_unit_test_setup(a_state_is_trouble_unless_the_reason_is_known, set_up),
		cmocka_unit_test_setup(a_long_sentence_is_cut, set_up),
		cmocka_unit_test_setup(what_the_loops_say_is_heard, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
