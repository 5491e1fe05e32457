/* Tests of daemon/core/worker.c: a real thread that starts, obeys, answers and ends. */
#include "tests/unit/loop_desk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "common/defs.h"
#include "daemon/core/worker.h"

#define NAME "vpnd-test"

struct desk {
	struct ev_loop *control;
	struct latest latest;
	struct wire wire;
	struct worker worker;
	struct facts facts; /* all that was heard, as told last */
	unsigned int n_rings;

	/* what obey() saw; read after the thread has posted */
	sem_t obeyed;
	pthread_t thread;
	char name[16];
	sigset_t blocked;
	unsigned int todo; /* all together */
	bool refuses_runs;
};

static struct desk desk;

static void obey(struct worker *worker, unsigned int todo)
{
	desk.thread = pthread_self();
	pthread_getname_np(desk.thread, desk.name, sizeof(desk.name));
	pthread_sigmask(SIG_BLOCK, NULL, &desk.blocked);
	desk.todo |= todo;
	desk.refuses_runs = worker->wire.refuses_runs;
	sem_post(&desk.obeyed);
}

static void on_facts(void *context)
{
	struct desk *told = context;

	told->n_rings++;
	tray_take(&told->worker.tray, &told->facts);
	if (told->facts.is_answer)
		ev_break(told->control, EVBREAK_ALL);
}

static int init(bool seals)
{
	const struct data_loop_env env = {
		.control = desk.control,
		.context = &desk,
		.wire = &desk.wire,
	};

	return worker_init(&desk.worker, &env, NAME, seals, obey, on_facts);
}

static int set_up(void **state)
{
	memset(&desk, 0, sizeof(desk));
	desk.control = new_loop();
	latest_init(&desk.latest);
	desk.wire.latest = &desk.latest;
	assert_int_equal(sem_init(&desk.obeyed, 0, 0), 0);
	assert_int_equal(init(true), 0);
	*state = &desk;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	worker_stop(&desk.worker);
	worker_deinit(&desk.worker);
	latest_deinit(&desk.latest);
	sem_destroy(&desk.obeyed);
	ev_loop_destroy(desk.control);
	return 0;
}

static void give(unsigned int todo)
{
	orders_give(&desk.worker.orders, NULL, NULL, todo);
}

static void await_obedience(void)
{
	struct timespec limit;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += (time_t)PATIENCE;
	assert_int_equal(sem_timedwait(&desk.obeyed, &limit), 0);
}

static void it_runs_in_a_thread_of_that_name(void **state)
{
	(void)state;
	assert_int_equal(worker_start(&desk.worker), 0);
	assert_true(desk.worker.is_running);
	give(ORDER_FLUSH);
	await_obedience();
	assert_false(pthread_equal(desk.thread, pthread_self()));
	assert_string_equal(desk.name, NAME);
	worker_stop(&desk.worker);
	assert_false(desk.worker.is_running);
	assert_int_equal(desk.todo, ORDER_FLUSH | ORDER_END);
}

/* Orders that were given before the thread was there are obeyed. */
static void orders_wait_for_the_start(void **state)
{
	(void)state;
	give(ORDER_DROP_STAGED);
	assert_int_equal(worker_start(&desk.worker), 0);
	await_obedience();
	assert_true(desk.todo & ORDER_DROP_STAGED);
}

static volatile sig_atomic_t n_signals;
static pthread_t signalled;

static void on_signal(int number)
{
	(void)number;
	signalled = pthread_self();
	n_signals++;
}

static void signals_are_not_its_business(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGUSR1, SIGHUP, SIGCHLD, SIGPIPE };
	struct sigaction before, action = { .sa_handler = on_signal };
	sigset_t mine;

	(void)state;
	assert_int_equal(worker_start(&desk.worker), 0);
	/* The caller's own mask is as it was. */
	pthread_sigmask(SIG_BLOCK, NULL, &mine);
	give(ORDER_FLUSH);
	await_obedience();
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		assert_true(sigismember(&desk.blocked, signals[i]));
		assert_false(sigismember(&mine, signals[i]));
	}
	assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
	for (int i = 1; i <= 100; i++) {
		assert_int_equal(kill(getpid(), SIGUSR1), 0);
		assert_int_equal(n_signals, i);
		assert_true(pthread_equal(signalled, pthread_self()));
	}
	assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

static void it_answers_when_asked(void **state)
{
	(void)state;
	worker_counters(&desk.worker)->n[COUNT_RX_PACKETS] = 7;
	assert_int_equal(worker_start(&desk.worker), 0);
	for (int i = 0; i < 100; i++) {
		give(ORDER_REPORT);
		run_loop(desk.control);
		assert_true(desk.facts.is_answer);
		assert_int_equal(desk.facts.counters.n[COUNT_RX_PACKETS], 7);
	}
}

/* The last facts are told before the thread ends: they are there when worker_stop() returns. */
static void its_last_words_are_heard(void **state)
{
	struct facts facts;

	(void)state;
	worker_counters(&desk.worker)->n[COUNT_TX_PACKETS] = 9;
	teller_note(&desk.worker.teller, true, 5);
	desk.worker.teller.news.send_counter = 3;
	assert_int_equal(worker_start(&desk.worker), 0);
	worker_stop(&desk.worker);
	tray_take(&desk.worker.tray, &facts);
	assert_true(facts.is_answer);
	assert_int_equal(facts.counters.n[COUNT_TX_PACKETS], 9);
	assert_int_equal(facts.first_data, 5);
	assert_int_equal(facts.send_counter, 3);
}

static void on_busy(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop;
	(void)watcher;
	(void)events;
	worker_end_turn(&desk.worker);
}

/* Something to do in every turn, for ever. */
static void it_ends_under_load(void **state)
{
	ev_io busy;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	ev_io_init(&busy, on_busy, fds[1], EV_WRITE);
	ev_io_start(desk.worker.loop, &busy);
	assert_int_equal(worker_start(&desk.worker), 0);
	give(ORDER_REPORT);
	run_loop(desk.control);
	worker_stop(&desk.worker);
	assert_false(desk.worker.is_running);
	close(fds[0]);
	close(fds[1]);
}

static void stop_without_start(void **state)
{
	struct worker never;

	(void)state;
	worker_stop(&desk.worker);
	worker_stop(&desk.worker);
	assert_false(mailbox_has_mail(&desk.worker.orders.box));
	worker_deinit(&desk.worker);
	worker_stop(&desk.worker);
	worker_deinit(&desk.worker);
	memset(&never, 0, sizeof(never));
	worker_stop(&never);
	worker_deinit(&never);
}

static void stop_twice_and_again(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(worker_start(&desk.worker), 0);
		worker_stop(&desk.worker);
		worker_stop(&desk.worker);
	}
}

/* --- orders, without a thread: the loop is turned by hand ------------------------------------- */

static void give_keypair(uint8_t n)
{
	static struct keypairs control;

	memset(&control, 0, sizeof(control));
	install_two_keys(&control, true, n);
	orders_give(&desk.worker.orders, &(struct order_state) { .mtu = 1400 }, &control, 0);
	keypairs_wipe(&control);
}

static void it_keeps_its_half_of_the_keys(void **state)
{
	struct keypair *keypair;

	(void)state;
	for (int seals = 0; seals <= 1; seals++) {
		worker_deinit(&desk.worker);
		assert_int_equal(init(seals), 0);
		give_keypair(1);
		turn_loop(desk.worker.loop);
		keypair = desk.worker.keypairs->current;
		assert_non_null(keypair);
		if (seals) {
			assert_true(is_key(&keypair->send_key, 1));
			assert_true(is_wiped(&keypair->receive_key));
		} else {
			assert_true(is_wiped(&keypair->send_key));
			assert_true(is_key(&keypair->receive_key, 101));
		}
		assert_int_equal(desk.worker.state.mtu, 1400);
	}
}

/* Who looks for orders gets keys and state at once; what is to be done is done at the bell, once.
 */
static void orders_that_were_looked_for_are_still_obeyed(void **state)
{
	(void)state;
	give_keypair(1);
	give(ORDER_FLUSH);
	worker_look_for_orders(&desk.worker);
	assert_non_null(desk.worker.keypairs->current);
	assert_true(is_wiped(&desk.worker.keypairs->current->receive_key));
	assert_int_equal(desk.todo, 0);
	give(ORDER_KEEPALIVE);
	worker_look_for_orders(&desk.worker);
	assert_int_equal(desk.todo, 0);
	turn_loop(desk.worker.loop);
	assert_int_equal(desk.todo, ORDER_FLUSH | ORDER_KEEPALIVE);
	desk.todo = 0;
	turn_loop(desk.worker.loop);
	assert_int_equal(desk.todo, 0);
	/* Without mail nothing is looked at. */
	worker_look_for_orders(&desk.worker);
	assert_int_equal(desk.worker.todo, 0);
}

static void runs_are_tried_again_before_anything_is_sent(void **state)
{
	(void)state;
	desk.worker.wire.refuses_runs = true;
	give(ORDER_FLUSH);
	turn_loop(desk.worker.loop);
	assert_true(desk.refuses_runs);
	give(ORDER_FLUSH | ORDER_RETRY_RUNS);
	turn_loop(desk.worker.loop);
	assert_false(desk.refuses_runs);
}

/* For the status: what the wire found out is told with the counters. */
static void whether_runs_are_refused_is_told(void **state)
{
	(void)state;
	desk.worker.wire.refuses_runs = true;
	give(ORDER_REPORT);
	turn_loop(desk.worker.loop);
	tray_take(&desk.worker.tray, &desk.facts);
	assert_true(desk.facts.refuses_runs);
	/* It is how things are, not news: told again, until it is otherwise. */
	give(ORDER_REPORT);
	turn_loop(desk.worker.loop);
	tray_take(&desk.worker.tray, &desk.facts);
	assert_true(desk.facts.refuses_runs);
	give(ORDER_REPORT | ORDER_RETRY_RUNS);
	turn_loop(desk.worker.loop);
	tray_take(&desk.worker.tray, &desk.facts);
	assert_false(desk.facts.refuses_runs);
}

static void a_stale_way_is_told_at_once_and_once(void **state)
{
	(void)state;
	desk.worker.wire.is_way_stale = true;
	worker_end_turn(&desk.worker);
	assert_true(mailbox_has_mail(&desk.worker.tray.box));
	tray_take(&desk.worker.tray, &desk.facts);
	assert_true(desk.facts.is_way_stale);
	worker_end_turn(&desk.worker);
	assert_false(mailbox_has_mail(&desk.worker.tray.box));
}

/* A loop without anything special to do. */
static void obedience_is_optional(void **state)
{
	(void)state;
	desk.worker.obey = NULL;
	give(ORDER_FLUSH | ORDER_REPORT);
	turn_loop(desk.worker.loop);
	turn_loop(desk.control);
	assert_true(desk.facts.is_answer);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(it_runs_in_a_thread_of_that_name),
		TEST(orders_wait_for_the_start),
		TEST(signals_are_not_its_business),
		TEST(it_answers_when_asked),
		TEST(its_last_words_are_heard),
		TEST(it_ends_under_load),
		TEST(stop_without_start),
		TEST(stop_twice_and_again),
		TEST(it_keeps_its_half_of_the_keys),
		TEST(orders_that_were_looked_for_are_still_obeyed),
		TEST(runs_are_tried_again_before_anything_is_sent),
		TEST(whether_runs_are_refused_is_told),
		TEST(a_stale_way_is_told_at_once_and_once),
		TEST(obedience_is_optional),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
