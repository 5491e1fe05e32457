/* Tests of daemon/core/handshakes.c: order, a bound, and a bell that rings for what is left. */
#include "tests/unit/datagrams.h"
#include "tests/unit/loop_desk.h"

#include "daemon/core/handshakes.h"

#define ROOM      32
#define N_THREADS 20000

static struct handshakes handshakes;
static struct ev_loop *loop;
static struct udp_path path;
static unsigned int n_rings, n_next, n_wanted;
static bool is_in_order;

/* Messages are numbered; the type and the length follow from the number. */
static enum msg_type type_of(unsigned int n)
{
	return n % 3 == 0 ? MSG_INITIATION : n % 3 == 1 ? MSG_RESPONSE : MSG_COOKIE;
}

static size_t len_of(unsigned int n)
{
	static const size_t lens[] = { sizeof(struct msg_initiation), sizeof(struct msg_response),
				       sizeof(struct msg_cookie) };

	return lens[n % 3];
}

static bool put(unsigned int n)
{
	uint8_t bytes[sizeof(struct msg_initiation)];
	struct udp_path from = path;

	memset(bytes, (uint8_t)n, sizeof(bytes));
	memcpy(bytes, &n, sizeof(n));
	from.source_if = n;
	return handshakes_put(&handshakes, type_of(n), bytes, len_of(n), &from, START + n);
}

static bool is_message(const struct handshake_message *message, unsigned int n)
{
	unsigned int number;

	memcpy(&number, message->bytes, sizeof(number));
	return number == n && message->type == type_of(n) && message->len == len_of(n) &&
	       message->bytes[message->len - 1] == (uint8_t)n && message->path.source_if == n &&
	       message->when == START + n;
}

static void on_mail(void *context)
{
	struct handshake_message messages[ROOM];
	size_t n;

	(void)context;
	n_rings++;
	n = handshakes_take(&handshakes, messages, ROOM);
	for (size_t i = 0; i < n; i++)
		is_in_order &= is_message(&messages[i], n_next++);
	if (n_next == n_wanted)
		ev_break(loop, EVBREAK_ALL);
}

static int set_up(void **state)
{
	(void)state;
	memset(&handshakes, 0, sizeof(handshakes));
	loop = new_loop();
	mailbox_init(&handshakes.box, loop, on_mail, NULL);
	path = path_to("192.0.2.1", 51820);
	n_rings = n_next = n_wanted = 0;
	is_in_order = true;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mailbox_deinit(&handshakes.box);
	ev_loop_destroy(loop);
	return 0;
}

static void one_arrives_as_it_was(void **state)
{
	struct handshake_message message;

	(void)state;
	for (unsigned int n = 0; n < 3; n++) {
		assert_true(put(n));
		assert_int_equal(handshakes_take(&handshakes, &message, 1), 1);
		assert_true(is_message(&message, n));
		assert_true(netaddr_equal(&message.path.remote, &path.remote));
		assert_false(mailbox_has_mail(&handshakes.box));
		assert_int_equal(handshakes_take(&handshakes, &message, 1), 0);
	}
}

static void a_full_queue_refuses(void **state)
{
	struct handshake_message messages[ROOM];

	(void)state;
	for (unsigned int n = 0; n < HANDSHAKES_MAX; n++)
		assert_true(put(n));
	assert_false(put(HANDSHAKES_MAX));
	assert_false(put(HANDSHAKES_MAX + 1));
	/* The oldest are kept. */
	assert_int_equal(handshakes_take(&handshakes, messages, ROOM), ROOM);
	assert_true(is_message(&messages[0], 0));
	assert_true(is_message(&messages[ROOM - 1], ROOM - 1));
	/* There is room again, at the end. */
	for (unsigned int n = 0; n < ROOM; n++)
		assert_true(put(HANDSHAKES_MAX + n));
	assert_false(put(0));
	n_next = ROOM;
	n_wanted = HANDSHAKES_MAX + ROOM;
	run_loop(loop);
	assert_true(is_in_order);
}

/* What does not fit into one turn is taken in the next ones, without a new message. */
static void the_bell_rings_for_what_is_left(void **state)
{
	(void)state;
	n_wanted = 3 * ROOM + 1;
	for (unsigned int n = 0; n < n_wanted; n++)
		assert_true(put(n));
	run_loop(loop);
	assert_true(is_in_order);
	assert_int_equal(n_rings, 4);
	turn_loop(loop);
	assert_int_equal(n_rings, 4);
	assert_false(mailbox_has_mail(&handshakes.box));
}

static void on_timer(struct ev_loop *ev, ev_timer *timer, int events)
{
	(void)events;
	/* One ring, or two, but not all of them. */
	assert_true(n_rings <= 2);
	timer->data = timer;
	(void)ev;
}

/* A full queue leaves room for timers. */
static void a_flood_does_not_hold_up_timers(void **state)
{
	ev_timer timer;

	(void)state;
	for (unsigned int n = 0; n < HANDSHAKES_MAX; n++)
		assert_true(put(n));
	n_wanted = HANDSHAKES_MAX;
	ev_timer_init(&timer, on_timer, 0., 0.);
	timer.data = NULL;
	ev_timer_start(loop, &timer);
	run_loop(loop);
	assert_non_null(timer.data);
	assert_int_equal(n_rings, HANDSHAKES_MAX / ROOM);
}

static void *put_all(void *context)
{
	unsigned int *n_refused = context;

	/* A full queue is tried again, so that all arrive in the end. */
	for (unsigned int n = 0; n < N_THREADS; n++) {
		while (!put(n))
			++*n_refused;
	}
	return NULL;
}

static void a_thread_fills_it_while_it_is_emptied(void **state)
{
	unsigned int n_refused = 0;
	pthread_t thread;

	(void)state;
	n_wanted = N_THREADS;
	assert_int_equal(pthread_create(&thread, NULL, put_all, &n_refused), 0);
	run_loop(loop);
	pthread_join(thread, NULL);
	assert_true(is_in_order);
	assert_int_equal(n_next, N_THREADS);
	assert_int_equal(handshakes.n, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_arrives_as_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_queue_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_bell_rings_for_what_is_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_flood_does_not_hold_up_timers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_thread_fills_it_while_it_is_emptied, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
