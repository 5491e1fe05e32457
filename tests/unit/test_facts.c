/*
 * Tests of daemon/core/facts.c: what was not read is added to, nothing is told twice, and each kind
 * of news is told when it must be. The timer is a real one: it is only ever found to be late.
 */
#include "tests/unit/loop_desk.h"

#include <errno.h>

#include "daemon/core/facts.h"

/* Between two times that the usual is told, and how much earlier a timer may ring. */
#define INTERVAL (50 * NSEC_PER_MSEC)
#define EARLY    (2 * NSEC_PER_MSEC)

struct desk {
	struct ev_loop *control, *loop;
	struct tray tray;
	struct teller teller;
	struct facts facts; /* as read last */
	unsigned int n_rings;
};

static void on_mail(void *context)
{
	struct desk *desk = context;

	desk->n_rings++;
}

static int set_up(void **state)
{
	static struct desk desk;

	memset(&desk, 0, sizeof(desk));
	desk.control = new_loop();
	desk.loop = new_loop();
	mailbox_init(&desk.tray.box, desk.control, on_mail, &desk);
	teller_init(&desk.teller, desk.loop, &desk.tray);
	*state = &desk;
	return 0;
}

static int tear_down(void **state)
{
	struct desk *desk = *state;

	teller_deinit(&desk->teller);
	mailbox_deinit(&desk->tray.box);
	ev_loop_destroy(desk->loop);
	ev_loop_destroy(desk->control);
	return 0;
}

static bool has_mail(struct desk *desk)
{
	return mailbox_has_mail(&desk->tray.box);
}

/* Takes what must be there. */
static const struct facts *take(struct desk *desk)
{
	assert_true(has_mail(desk));
	tray_take(&desk->tray, &desk->facts);
	assert_false(has_mail(desk));
	return &desk->facts;
}

/* The loop's turn ends, a while after it was asleep. */
static void end_turn(struct desk *desk)
{
	ev_now_update(desk->loop);
	teller_end_turn(&desk->teller);
}

/* The timer rings, once. */
static void await_ring(struct desk *desk)
{
	assert_true(ev_is_active(&desk->teller.again));
	ev_run(desk->loop, EVRUN_ONCE);
}

static void nothing_is_told_without_news(void **state)
{
	struct desk *desk = *state;

	end_turn(desk);
	assert_false(has_mail(desk));
	assert_false(ev_is_active(&desk->teller.again));
	tray_take(&desk->tray, &desk->facts);
	assert_int_equal(desk->facts.last, 0);
}

/* --- what is told --------------------------------------------------------------------------- */

static void times_are_first_and_last(void **state)
{
	struct desk *desk = *state;
	const struct facts *facts;

	teller_note(&desk->teller, true, 10);
	teller_note(&desk->teller, true, 20);
	teller_note(&desk->teller, false, 30);
	teller_answer(&desk->teller);
	facts = take(desk);
	assert_int_equal(facts->first_data, 10);
	assert_int_equal(facts->last_data, 20);
	assert_int_equal(facts->n_data, 2);
	assert_int_equal(facts->last, 30);
}

/* Messages of one batch have one time: only their number tells that there were more. */
static void data_of_one_moment_is_counted(void **state)
{
	struct desk *desk = *state;
	const struct facts *facts;

	for (unsigned int i = 0; i < 3; i++) {
		teller_note(&desk->teller, true, 10);
		teller_note(&desk->teller, false, 10);
		teller_answer(&desk->teller);
	}
	facts = take(desk);
	assert_int_equal(facts->first_data, facts->last_data);
	assert_int_equal(facts->n_data, 3);
	teller_note(&desk->teller, true, 20);
	teller_answer(&desk->teller);
	assert_int_equal(take(desk)->n_data, 1);
}

static void unread_facts_are_added_to(void **state)
{
	struct desk *desk = *state;
	const struct facts *facts;

	teller_note(&desk->teller, true, 10);
	desk->teller.news.send_counter = 5;
	teller_answer(&desk->teller);
	teller_note(&desk->teller, true, 20);
	desk->teller.news.send_counter = 6;
	teller_answer(&desk->teller);
	teller_note(&desk->teller, false, 30);
	desk->teller.news.send_counter = 7;
	teller_answer(&desk->teller);
	facts = take(desk);
	assert_int_equal(facts->first_data, 10);
	assert_int_equal(facts->last_data, 20);
	assert_int_equal(facts->last, 30);
	assert_int_equal(facts->send_counter, 7);
}

/* A later fact about something else does not take the counter back. */
static void other_news_leaves_the_counter(void **state)
{
	struct desk *desk = *state;

	teller_note(&desk->teller, true, 10);
	desk->teller.news.send_counter = 5;
	teller_answer(&desk->teller);
	teller_want_session(&desk->teller, 1);
	end_turn(desk);
	assert_int_equal(take(desk)->send_counter, 5);
}

static void facts_are_read_once(void **state)
{
	struct desk *desk = *state;
	const struct facts *facts;

	teller_note(&desk->teller, true, 10);
	teller_want_session(&desk->teller, 3);
	teller_confirm(&desk->teller, 4);
	teller_lost(&desk->teller, EBADFD);
	desk->teller.news.is_way_stale = true;
	teller_answer(&desk->teller);
	facts = take(desk);
	assert_true(facts->wants_session && facts->is_way_stale && facts->is_answer);
	assert_int_equal(facts->serial, 3);
	assert_int_equal(facts->n_confirmed, 1);
	assert_int_equal(facts->confirmed[0], 4);
	assert_int_equal(facts->lost, EBADFD);
	teller_note(&desk->teller, false, 20);
	teller_answer(&desk->teller);
	facts = take(desk);
	assert_false(facts->wants_session || facts->is_way_stale || facts->lost);
	assert_int_equal(facts->n_confirmed, 0);
	assert_int_equal(facts->first_data, 0);
	assert_int_equal(facts->last_data, 0);
	assert_int_equal(facts->last, 20);
}

static void confirmations_are_all_told(void **state)
{
	struct desk *desk = *state;
	const struct facts *facts;

	teller_confirm(&desk->teller, 1);
	end_turn(desk);
	teller_confirm(&desk->teller, 2);
	teller_confirm(&desk->teller, 3);
	end_turn(desk);
	facts = take(desk);
	assert_int_equal(facts->n_confirmed, 3);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(facts->confirmed[i], i + 1);
}

/* There is no room for more, and none is written to. */
static void confirmations_are_bounded(void **state)
{
	struct desk *desk = *state;

	for (uint64_t i = 1; i <= 2 * N_KEYPAIRS; i++) {
		teller_confirm(&desk->teller, i);
		end_turn(desk);
	}
	assert_int_equal(take(desk)->n_confirmed, N_KEYPAIRS);
}

static void the_last_wish_counts(void **state)
{
	struct desk *desk = *state;

	teller_want_session(&desk->teller, 3);
	teller_answer(&desk->teller);
	teller_want_session(&desk->teller, 4);
	teller_answer(&desk->teller);
	/* This one wants nothing. */
	teller_answer(&desk->teller);
	assert_int_equal(take(desk)->serial, 4);
	assert_true(desk->facts.wants_session);
}

static void counters_go_on(void **state)
{
	struct desk *desk = *state;

	for (uint64_t i = 1; i <= 3; i++) {
		desk->teller.news.counters.n[COUNT_TX_PACKETS]++;
		teller_answer(&desk->teller);
		assert_int_equal(take(desk)->counters.n[COUNT_TX_PACKETS], i);
	}
}

/* --- when it is told ------------------------------------------------------------------------ */

/* The first news waits for the interval, so that control is not woken for each packet. */
static void the_usual_is_told_once_in_an_interval(void **state)
{
	struct desk *desk = *state;
	nsec_t begun = nsec_boottime();

	for (int i = 0; i < 5; i++) {
		teller_note(&desk->teller, true, (nsec_t)i + 1);
		end_turn(desk);
		assert_false(has_mail(desk));
	}
	await_ring(desk);
	assert_true(nsec_boottime() - begun >= INTERVAL - EARLY);
	assert_int_equal(take(desk)->last, 5);
	/* Steady traffic: at the next ring, not before. */
	begun = nsec_boottime();
	teller_note(&desk->teller, true, 6);
	end_turn(desk);
	assert_false(has_mail(desk));
	await_ring(desk);
	assert_int_equal(take(desk)->last, 6);
}

/* No traffic any more: the last news has been told, and the timer stops by itself. */
static void the_timer_stops_in_a_pause(void **state)
{
	struct desk *desk = *state;

	teller_note(&desk->teller, true, 1);
	end_turn(desk);
	await_ring(desk);
	teller_note(&desk->teller, true, 2);
	end_turn(desk);
	/* Nothing else is on the loop: it ends when the timer does. */
	ev_run(desk->loop, 0);
	assert_false(ev_is_active(&desk->teller.again));
	assert_int_equal(take(desk)->last, 2);
	/* After the pause it begins anew. */
	teller_note(&desk->teller, true, 3);
	end_turn(desk);
	ev_run(desk->loop, 0);
	assert_int_equal(take(desk)->last, 3);
}

static void urgent_news_is_told_at_the_end_of_the_turn(void **state)
{
	struct desk *desk = *state;

	teller_note(&desk->teller, true, 1);
	end_turn(desk);
	teller_confirm(&desk->teller, 7);
	assert_false(has_mail(desk));
	end_turn(desk);
	/* What waited goes along. */
	assert_int_equal(take(desk)->last, 1);
	assert_int_equal(desk->facts.n_confirmed, 1);
	teller_lost(&desk->teller, EBADFD);
	end_turn(desk);
	assert_int_equal(take(desk)->lost, EBADFD);
	/* Not told again by the timer. */
	ev_run(desk->loop, 0);
	assert_false(has_mail(desk));
}

/* Packets without a session come by the thousand: control hears of it at once, and then as of
 * everything else. */
static void a_wish_is_urgent_once_in_an_interval(void **state)
{
	struct desk *desk = *state;

	teller_want_session(&desk->teller, 0);
	end_turn(desk);
	assert_true(take(desk)->wants_session);
	for (int i = 0; i < 100; i++) {
		teller_want_session(&desk->teller, 0);
		end_turn(desk);
		assert_false(has_mail(desk));
	}
	await_ring(desk);
	assert_true(take(desk)->wants_session);
	ev_run(desk->loop, 0);
	assert_false(has_mail(desk));
	/* After a pause it is urgent again. */
	teller_want_session(&desk->teller, 0);
	end_turn(desk);
	assert_true(take(desk)->wants_session);
}

static void an_answer_is_told_without_news(void **state)
{
	struct desk *desk = *state;

	teller_answer(&desk->teller);
	assert_true(take(desk)->is_answer);
	assert_int_equal(desk->facts.last, 0);
	turn_loop(desk->control);
	assert_int_equal(desk->n_rings, 1);
}

static void deinit_is_safe(void **state)
{
	struct desk *desk = *state;
	struct teller never;

	memset(&never, 0, sizeof(never));
	teller_deinit(&never);
	teller_note(&desk->teller, true, 1);
	end_turn(desk);
	teller_deinit(&desk->teller);
	ev_run(desk->loop, 0);
	assert_false(has_mail(desk));
}

/* --- with threads --------------------------------------------------------------------------- */

#define N_NOTES 20000

struct race {
	struct ev_loop *control;
	struct tray tray;
	struct teller teller; /* the other thread's */
	nsec_t last;
	uint64_t confirmed;
	unsigned int n_wrong;
};

static void *note_all(void *context)
{
	struct race *race = context;
	for (nsec_t now = 1; now <= N_NOTES; now++) {
		race->teller.news.counters.n[COUNT_RX_PACKETS]++;
		if (now % 1000 == 0)
			teller_confirm(&race->teller, now / 1000);
		teller_note(&race->teller, true, now);
		/* One in ten is told. */
		race->teller.is_urgent |= now % 10 == 0;
		teller_end_turn(&race->teller);
	}
	teller_answer(&race->teller);
	return NULL;
}

static void on_race_mail(void *context)
{
	struct race *race = context;
	struct facts facts;

	tray_take(&race->tray, &facts);
	if (facts.last) {
		/* The pieces fit each other without a gap. */
		race->n_wrong += facts.first_data != race->last + 1;
		race->n_wrong += facts.last_data != facts.last;
		race->n_wrong += facts.counters.n[COUNT_RX_PACKETS] != facts.last;
		race->last = facts.last;
	}
	for (size_t i = 0; i < facts.n_confirmed; i++) {
		race->n_wrong += facts.confirmed[i] <= race->confirmed;
		race->confirmed = facts.confirmed[i];
	}
	if (facts.is_answer)
		ev_break(race->control, EVBREAK_ALL);
}

static void nothing_is_lost_between_threads(void **state)
{
	static struct race race;
	struct ev_loop *loop = new_loop();
	pthread_t thread;

	(void)state;
	memset(&race, 0, sizeof(race));
	race.control = new_loop();
	mailbox_init(&race.tray.box, race.control, on_race_mail, &race);
	teller_init(&race.teller, loop, &race.tray);
	assert_int_equal(pthread_create(&thread, NULL, note_all, &race), 0);
	run_loop(race.control);
	pthread_join(thread, NULL);
	assert_int_equal(race.n_wrong, 0);
	assert_int_equal(race.last, N_NOTES);
	teller_deinit(&race.teller);
	mailbox_deinit(&race.tray.box);
	ev_loop_destroy(loop);
	ev_loop_destroy(race.control);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(nothing_is_told_without_news),
		TEST(times_are_first_and_last),
		TEST(data_of_one_moment_is_counted),
		TEST(unread_facts_are_added_to),
		TEST(other_news_leaves_the_counter),
		TEST(facts_are_read_once),
		TEST(confirmations_are_all_told),
		TEST(confirmations_are_bounded),
		TEST(the_last_wish_counts),
		TEST(counters_go_on),
		TEST(the_usual_is_told_once_in_an_interval),
		TEST(the_timer_stops_in_a_pause),
		TEST(urgent_news_is_told_at_the_end_of_the_turn),
		TEST(a_wish_is_urgent_once_in_an_interval),
		TEST(an_answer_is_told_without_news),
		TEST(deinit_is_safe),
		cmocka_unit_test(nothing_is_lost_between_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
