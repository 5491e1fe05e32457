/* Tests of daemon/core/mailbox.c: no mail is lost, whoever is faster, and no ring either. */
#include "tests/unit/loop_desk.h"

#include "common/defs.h"
#include "daemon/core/mailbox.h"

#define N_MAILS 20000

/* What is told: a sum, which may be read in any number of pieces. */
struct letters {
	struct mailbox box;
	struct ev_loop *loop;
	unsigned int sum;      /* told and not read */
	unsigned int n_read;   /* the reader's */
	unsigned int n_rings;  /* the reader's */
	unsigned int n_wanted; /* the loop ends when so many were read */
	bool again;            /* the next ring sends once more */
};

static void tell(struct letters *letters, unsigned int n)
{
	mailbox_begin(&letters->box);
	letters->sum += n;
	mailbox_send(&letters->box);
}

static void take(struct letters *letters)
{
	mailbox_take(&letters->box);
	letters->n_read += letters->sum;
	letters->sum = 0;
	mailbox_taken(&letters->box);
}

static void on_mail(void *context)
{
	struct letters *letters = context;

	letters->n_rings++;
	take(letters);
	if (letters->again) {
		letters->again = false;
		tell(letters, 1);
	}
	if (letters->n_read == letters->n_wanted)
		ev_break(letters->loop, EVBREAK_ALL);
}

static int set_up(void **state)
{
	static struct letters letters;

	memset(&letters, 0, sizeof(letters));
	letters.loop = new_loop();
	mailbox_init(&letters.box, letters.loop, on_mail, &letters);
	*state = &letters;
	return 0;
}

static int tear_down(void **state)
{
	struct letters *letters = *state;

	mailbox_deinit(&letters->box);
	ev_loop_destroy(letters->loop);
	return 0;
}

static void nothing_rings_by_itself(void **state)
{
	struct letters *letters = *state;

	turn_loop(letters->loop);
	assert_int_equal(letters->n_rings, 0);
	assert_false(mailbox_has_mail(&letters->box));
}

/* Sent before the reader's loop runs, and many times: one ring for all. */
static void a_slow_reader_is_rung_once(void **state)
{
	struct letters *letters = *state;

	for (int i = 0; i < 1000; i++)
		tell(letters, 1);
	assert_true(mailbox_has_mail(&letters->box));
	turn_loop(letters->loop);
	assert_int_equal(letters->n_rings, 1);
	assert_int_equal(letters->n_read, 1000);
	assert_false(mailbox_has_mail(&letters->box));
	turn_loop(letters->loop);
	assert_int_equal(letters->n_rings, 1);
}

/* Who looks for mail himself hears the bell all the same: what is to be done is done there. */
static void taken_mail_still_rings(void **state)
{
	struct letters *letters = *state;

	tell(letters, 1);
	take(letters);
	assert_false(mailbox_has_mail(&letters->box));
	turn_loop(letters->loop);
	assert_int_equal(letters->n_rings, 1);
	assert_int_equal(letters->n_read, 1);
}

static void mail_sent_by_the_reader_rings_again(void **state)
{
	struct letters *letters = *state;

	letters->again = true;
	letters->n_wanted = 2;
	tell(letters, 1);
	run_loop(letters->loop);
	assert_int_equal(letters->n_rings, 2);
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct letters *letters = container_of(watcher->data, struct letters, box);

	(void)events;
	/* The mail was there before. */
	assert_int_equal(letters->n_rings, 1);
	ev_io_stop(loop, watcher);
}

/* Packets that are waiting are handled with the newest orders. */
static void the_bell_comes_before_other_watchers(void **state)
{
	struct letters *letters = *state;
	int fds[2];
	ev_io readable;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "", 1), 1);
	ev_io_init(&readable, on_readable, fds[0], EV_READ);
	readable.data = &letters->box;
	ev_io_start(letters->loop, &readable);
	tell(letters, 1);
	turn_loop(letters->loop);
	assert_false(ev_is_active(&readable));
	close(fds[0]);
	close(fds[1]);
}

static void *tell_all(void *context)
{
	for (unsigned int i = 0; i < N_MAILS; i++)
		tell(context, 1);
	return NULL;
}

/* Two writers against a loop that sleeps whenever it can: a lost ring would leave it asleep. */
static void threads_lose_nothing(void **state)
{
	struct letters *letters = *state;
	pthread_t writers[2];

	letters->n_wanted = N_MAILS * ARRAY_SIZE(writers);
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
		assert_int_equal(pthread_create(&writers[i], NULL, tell_all, letters), 0);
	run_loop(letters->loop);
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
		pthread_join(writers[i], NULL);
	assert_int_equal(letters->n_read, letters->n_wanted);
	assert_int_equal(letters->sum, 0);
	assert_true(letters->n_rings <= letters->n_wanted);
}

struct ball {
	struct letters *here, *there;
};

static void on_ball(void *context)
{
	struct ball *ball = context;

	take(ball->here);
	if (ball->here->n_read <= N_MAILS)
		tell(ball->there, 1);
	if (ball->here->n_read >= N_MAILS)
		ev_break(ball->here->loop, EVBREAK_ALL);
}

static void *play(void *context)
{
	ev_run(context, 0);
	return NULL;
}

/* Each waits for the other's ring, thousands of times: one that is lost ends the game. */
static void every_single_ring_arrives(void **state)
{
	static struct letters near, far;
	struct ball here = { &near, &far }, there = { &far, &near };
	pthread_t thread;

	(void)state;
	memset(&near, 0, sizeof(near));
	memset(&far, 0, sizeof(far));
	near.loop = new_loop();
	far.loop = new_loop();
	mailbox_init(&near.box, near.loop, on_ball, &here);
	mailbox_init(&far.box, far.loop, on_ball, &there);
	tell(&far, 1);
	assert_int_equal(pthread_create(&thread, NULL, play, far.loop), 0);
	run_loop(near.loop);
	pthread_join(thread, NULL);
	assert_int_equal(near.n_read, N_MAILS);
	assert_true(far.n_read >= N_MAILS);
	mailbox_deinit(&near.box);
	mailbox_deinit(&far.box);
	ev_loop_destroy(near.loop);
	ev_loop_destroy(far.loop);
}

static void deinit_is_safe(void **state)
{
	struct mailbox never = { 0 };
	struct letters *letters = *state;

	mailbox_deinit(&never);
	/* With a ring under way. */
	tell(letters, 1);
	mailbox_deinit(&letters->box);
	turn_loop(letters->loop);
	assert_int_equal(letters->n_rings, 0);
	mailbox_deinit(&letters->box);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_rings_by_itself, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_slow_reader_is_rung_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(taken_mail_still_rings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(mail_sent_by_the_reader_rings_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_bell_comes_before_other_watchers, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(threads_lose_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(deinit_is_safe, set_up, tear_down),
		cmocka_unit_test(every_single_ring_arrives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
