/* Timers: which event arms and disarms which, and when they are due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/proto/messages.h"
#include "daemon/proto/timers.h"

#define START    (1000 * NSEC_PER_SEC)
#define INTERVAL (25 * NSEC_PER_SEC)

static nsec_t deadline(void **state, enum timer timer)
{
	return ((struct timers *)*state)->deadlines[timer];
}

static int setup(void **state)
{
	static struct timers timers;

	timers_init(&timers, 0);
	*state = &timers;
	return 0;
}

/* Within [from, from + jitter). */
static void assert_jittered(nsec_t at, nsec_t from)
{
	assert_true(at >= from && at < from + REKEY_JITTER);
}

static void nothing_is_armed_at_first(void **state)
{
	assert_true(timers_deadline(*state) == NSEC_NEVER);
	assert_int_equal(timers_expire(*state, NSEC_NEVER - 1), 0);
}

static void retransmit_is_jittered(void **state)
{
	nsec_t first = 0;
	bool is_constant = true;

	for (unsigned int i = 0; i < 50; i++) {
		timers_initiation_sent(*state, START);
		assert_jittered(deadline(state, TIMER_RETRANSMIT), START + REKEY_TIMEOUT);
		if (i && deadline(state, TIMER_RETRANSMIT) != first)
			is_constant = false;
		first = deadline(state, TIMER_RETRANSMIT);
	}
	assert_false(is_constant);
}

static void delayed_initiation_waits_for_the_earlier(void **state)
{
	nsec_t at;

	timers_initiation_delayed(*state, START + 3 * NSEC_PER_SEC);
	assert_jittered(deadline(state, TIMER_RETRANSMIT), START + 3 * NSEC_PER_SEC);
	at = deadline(state, TIMER_RETRANSMIT);
	timers_initiation_delayed(*state, START + 60 * NSEC_PER_SEC);
	assert_true(deadline(state, TIMER_RETRANSMIT) == at);
	/* With jitter: the same twice is one in 333 million. */
	timers_handshake_complete(*state);
	timers_initiation_delayed(*state, START + 3 * NSEC_PER_SEC);
	assert_true(deadline(state, TIMER_RETRANSMIT) != at);
}

/* From the first packet without an answer, not from the last. */
static void new_handshake_counts_from_the_first(void **state)
{
	nsec_t at;

	timers_data_sent(*state, START);
	at = deadline(state, TIMER_NEW_HANDSHAKE);
	assert_jittered(at, START + 15 * NSEC_PER_SEC);
	timers_data_sent(*state, START + 10 * NSEC_PER_SEC);
	assert_true(deadline(state, TIMER_NEW_HANDSHAKE) == at);
	timers_authenticated_sent(*state, START + 10 * NSEC_PER_SEC);
	assert_true(deadline(state, TIMER_NEW_HANDSHAKE) == at);
	timers_authenticated_received(*state, START + 11 * NSEC_PER_SEC);
	assert_true(deadline(state, TIMER_NEW_HANDSHAKE) == NSEC_NEVER);
	timers_data_sent(*state, START + 12 * NSEC_PER_SEC);
	assert_jittered(deadline(state, TIMER_NEW_HANDSHAKE), START + 27 * NSEC_PER_SEC);
}

static void keepalive_follows_received_data(void **state)
{
	struct timers *timers = *state;

	timers_authenticated_received(timers, START);
	assert_true(deadline(state, TIMER_KEEPALIVE) == NSEC_NEVER);
	timers_data_received(timers, START);
	assert_true(deadline(state, TIMER_KEEPALIVE) == START + 10 * NSEC_PER_SEC);
	assert_false(timers->needs_another_keepalive);
	timers_data_received(timers, START + NSEC_PER_SEC);
	assert_true(deadline(state, TIMER_KEEPALIVE) == START + 10 * NSEC_PER_SEC);
	assert_true(timers->needs_another_keepalive);
}

/* Data that came while a keepalive was due gets one of its own, ten seconds after the first. */
static void more_data_gets_another_keepalive(void **state)
{
	timers_data_received(*state, START);
	timers_data_received(*state, START + NSEC_PER_SEC);
	timers_expire(*state, START + 10 * NSEC_PER_SEC);
	timers_authenticated_sent(*state, START + 10 * NSEC_PER_SEC);
	timers_keepalive_sent(*state, START + 10 * NSEC_PER_SEC);
	assert_true(deadline(state, TIMER_KEEPALIVE) == START + 20 * NSEC_PER_SEC);
	timers_expire(*state, START + 20 * NSEC_PER_SEC);
	timers_authenticated_sent(*state, START + 20 * NSEC_PER_SEC);
	timers_keepalive_sent(*state, START + 20 * NSEC_PER_SEC);
	assert_true(deadline(state, TIMER_KEEPALIVE) == NSEC_NEVER);
}

static void data_makes_another_keepalive_needless(void **state)
{
	timers_data_received(*state, START);
	timers_data_received(*state, START);
	timers_authenticated_sent(*state, START);
	timers_data_sent(*state, START);
	timers_authenticated_sent(*state, START + NSEC_PER_SEC);
	timers_keepalive_sent(*state, START + NSEC_PER_SEC);
	assert_true(deadline(state, TIMER_KEEPALIVE) == NSEC_NEVER);
}

static void keepalive_is_not_needed_after_sending(void **state)
{
	timers_data_received(*state, START);
	timers_authenticated_sent(*state, START + NSEC_PER_SEC);
	assert_true(deadline(state, TIMER_KEEPALIVE) == NSEC_NEVER);
}

static void completion_ends_the_retries(void **state)
{
	struct timers *timers = *state;

	timers_initiation_sent(timers, START);
	timers->n_retries = 7;
	timers_handshake_complete(timers);
	assert_true(deadline(state, TIMER_RETRANSMIT) == NSEC_NEVER);
	assert_int_equal(timers->n_retries, 0);
}

static void keys_go_nine_minutes_after_the_last_session(void **state)
{
	timers_session_derived(*state, START);
	assert_true(deadline(state, TIMER_ZERO_KEYS) == START + 540 * NSEC_PER_SEC);
	timers_session_derived(*state, START + 100 * NSEC_PER_SEC);
	assert_true(deadline(state, TIMER_ZERO_KEYS) == START + 640 * NSEC_PER_SEC);
}

static void giving_up(void **state)
{
	struct timers *timers = *state;

	timers_data_received(timers, START);
	timers->n_retries = TIMERS_MAX_RETRIES;
	timers_gave_up(timers, START + NSEC_PER_SEC);
	assert_true(deadline(state, TIMER_KEEPALIVE) == NSEC_NEVER);
	assert_true(deadline(state, TIMER_ZERO_KEYS) == START + 541 * NSEC_PER_SEC);
	assert_int_equal(timers->n_retries, 0);
	/* What was armed by a session stays where it is. */
	timers_gave_up(timers, START + 100 * NSEC_PER_SEC);
	assert_true(deadline(state, TIMER_ZERO_KEYS) == START + 541 * NSEC_PER_SEC);
}

static void persistent_only_when_asked_for(void **state)
{
	struct timers *timers = *state;

	timers_authenticated_sent(timers, START);
	timers_authenticated_received(timers, START);
	assert_true(deadline(state, TIMER_PERSISTENT) == NSEC_NEVER);

	timers_init(timers, INTERVAL);
	assert_true(deadline(state, TIMER_PERSISTENT) == NSEC_NEVER);
	timers_authenticated_sent(timers, START);
	assert_true(deadline(state, TIMER_PERSISTENT) == START + INTERVAL);
	timers_authenticated_received(timers, START + NSEC_PER_SEC);
	assert_true(deadline(state, TIMER_PERSISTENT) == START + NSEC_PER_SEC + INTERVAL);
}

static void due_timers_are_disarmed(void **state)
{
	struct timers *timers = *state;

	timers_data_received(timers, START);
	timers_session_derived(timers, START);
	assert_true(timers_deadline(timers) == START + 10 * NSEC_PER_SEC);
	assert_int_equal(timers_expire(timers, START + 10 * NSEC_PER_SEC - 1), 0);
	assert_int_equal(timers_expire(timers, START + 10 * NSEC_PER_SEC), 1 << TIMER_KEEPALIVE);
	assert_int_equal(timers_expire(timers, START + 10 * NSEC_PER_SEC), 0);
	assert_true(timers_deadline(timers) == START + 540 * NSEC_PER_SEC);
	timers_initiation_sent(timers, START);
	assert_int_equal(timers_expire(timers, START + 600 * NSEC_PER_SEC),
			 1 << TIMER_RETRANSMIT | 1 << TIMER_ZERO_KEYS);
	assert_true(timers_deadline(timers) == NSEC_NEVER);
}

/* Two threads tell what happened, each a little later: an answer that came in between counts. */
static void sent_is_told_after_its_answer(void **state)
{
	struct timers *timers = *state;
	nsec_t sent = START, answered = START + NSEC_PER_MSEC;

	timers_authenticated_received(timers, answered);
	timers_authenticated_sent(timers, sent);
	timers_data_sent(timers, sent);
	assert_true(deadline(state, TIMER_NEW_HANDSHAKE) == NSEC_NEVER);
	timers_data_sent(timers, answered + 1);
	assert_true(deadline(state, TIMER_NEW_HANDSHAKE) ==
		    answered + 1 + KEEPALIVE_TIMEOUT + REKEY_TIMEOUT);
}

static void answer_is_told_after_later_data(void **state)
{
	struct timers *timers = *state;
	nsec_t answered = START + NSEC_PER_MSEC, last = START + 40 * NSEC_PER_MSEC;

	timers_data_sent(timers, START);
	timers_data_sent(timers, last);
	timers_authenticated_received(timers, answered);
	/* The last packet has no answer yet. */
	assert_true(deadline(state, TIMER_NEW_HANDSHAKE) ==
		    last + KEEPALIVE_TIMEOUT + REKEY_TIMEOUT);
	timers_authenticated_received(timers, last);
	assert_true(deadline(state, TIMER_NEW_HANDSHAKE) == NSEC_NEVER);
}

static void received_is_told_after_its_answer(void **state)
{
	struct timers *timers = *state;

	timers_authenticated_sent(timers, START + NSEC_PER_MSEC);
	timers_data_received(timers, START);
	assert_true(deadline(state, TIMER_KEEPALIVE) == NSEC_NEVER);
	timers_data_received(timers, START + NSEC_PER_MSEC);
	assert_true(deadline(state, TIMER_KEEPALIVE) == START + NSEC_PER_MSEC + KEEPALIVE_TIMEOUT);
}

static void answer_to_earlier_data_leaves_the_keepalive(void **state)
{
	struct timers *timers = *state;
	nsec_t last = START + 40 * NSEC_PER_MSEC;

	timers_data_received(timers, START);
	timers_data_received(timers, last);
	timers_authenticated_sent(timers, START + NSEC_PER_MSEC);
	assert_true(deadline(state, TIMER_KEEPALIVE) == last + KEEPALIVE_TIMEOUT);
	/* What was sent before the data answers nothing. */
	timers_authenticated_sent(timers, START - 1);
	assert_true(deadline(state, TIMER_KEEPALIVE) == last + KEEPALIVE_TIMEOUT);
	timers_authenticated_sent(timers, last);
	assert_true(deadline(state, TIMER_KEEPALIVE) == NSEC_NEVER);
}

static void persistent_counts_from_the_latest(void **state)
{
	struct timers timers;

	(void)state;
	timers_init(&timers, INTERVAL);
	timers_authenticated_received(&timers, START + NSEC_PER_SEC);
	timers_authenticated_sent(&timers, START);
	assert_true(timers.deadlines[TIMER_PERSISTENT] == START + NSEC_PER_SEC + INTERVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_is_armed_at_first, setup),
		cmocka_unit_test_setup(retransmit_is_jittered, setup),
		cmocka_unit_test_setup(delayed_initiation_waits_for_the_earlier, setup),
		cmocka_unit_test_setup(new_handshake_counts_from_the_first, setup),
		cmocka_unit_test_setup(keepalive_follows_received_data, setup),
		cmocka_unit_test_setup(more_data_gets_another_keepalive, setup),
		cmocka_unit_test_setup(data_makes_another_keepalive_needless, setup),
		cmocka_unit_test_setup(keepalive_is_not_needed_after_sending, setup),
		cmocka_unit_test_setup(completion_ends_the_retries, setup),
		cmocka_unit_test_setup(keys_go_nine_minutes_after_the_last_session, setup),
		cmocka_unit_test_setup(giving_up, setup),
		cmocka_unit_test_setup(persistent_only_when_asked_for, setup),
		cmocka_unit_test_setup(due_timers_are_disarmed, setup),
		cmocka_unit_test_setup(sent_is_told_after_its_answer, setup),
		cmocka_unit_test_setup(answer_is_told_after_later_data, setup),
		cmocka_unit_test_setup(received_is_told_after_its_answer, setup),
		cmocka_unit_test_setup(answer_to_earlier_data_leaves_the_keepalive, setup),
		cmocka_unit_test_setup(persistent_counts_from_the_latest, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
