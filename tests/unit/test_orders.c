/*
 * Tests of daemon/core/orders.c: whatever is overwritten before it is taken, no key is lost, none
 * is in two places, and none begins again at zero.
 */
#include "tests/unit/loop_desk.h"

#include "daemon/core/orders.h"

#define N_REKEYS 200

/* Control's side, and a loop's. */
struct desk {
	struct ev_loop *loop;
	struct orders orders;
	struct keypairs control; /* tells */
	struct keypairs own;     /* follows */
	struct order_state state;
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
	desk.loop = new_loop();
	assert_int_equal(orders_init(&desk.orders, desk.loop, on_mail, &desk), 0);
	*state = &desk;
	return 0;
}

static int tear_down(void **state)
{
	struct desk *desk = *state;

	orders_deinit(&desk->orders);
	ev_loop_destroy(desk->loop);
	return 0;
}

/* As control does it: it tells, and keeps no key. */
static void give_keys(struct desk *desk)
{
	orders_give(&desk->orders, NULL, &desk->control, 0);
	keypairs_wipe_send_keys(&desk->control);
	keypairs_wipe_receive_keys(&desk->control);
}

static unsigned int take(struct desk *desk)
{
	return orders_take(&desk->orders, &desk->state, &desk->own);
}

/* The keys of the session `n` are in `keypairs`. */
static void expect_keys(struct keypairs *keypairs, uint8_t n)
{
	struct keypair *keypair = keypairs_find(keypairs, n);

	assert_non_null(keypair);
	assert_true(is_key(&keypair->send_key, n));
	assert_true(is_key(&keypair->receive_key, n + 100));
}

static void expect_no_keys(struct keypairs *keypairs)
{
	for (size_t i = 0; i < N_KEYPAIRS; i++) {
		assert_true(is_wiped(&keypairs->pool[i].send_key));
		assert_true(is_wiped(&keypairs->pool[i].receive_key));
	}
}

static void nothing_told_is_nothing_to_do(void **state)
{
	struct desk *desk = *state;

	assert_false(mailbox_has_mail(&desk->orders.box));
	assert_int_equal(take(desk), 0);
	assert_slots(&desk->own, 0, 0, 0);
	turn_loop(desk->loop);
	assert_int_equal(desk->n_rings, 0);
}

static void todo_bits_add_up(void **state)
{
	struct desk *desk = *state;

	orders_give(&desk->orders, NULL, NULL, ORDER_FLUSH);
	orders_give(&desk->orders, NULL, NULL, ORDER_REPORT);
	orders_give(&desk->orders, NULL, NULL, 0);
	assert_true(mailbox_has_mail(&desk->orders.box));
	turn_loop(desk->loop);
	assert_int_equal(desk->n_rings, 1);
	assert_int_equal(take(desk), ORDER_FLUSH | ORDER_REPORT);
	/* Once. */
	assert_int_equal(take(desk), 0);
}

static void the_last_state_counts_once(void **state)
{
	struct desk *desk = *state;

	orders_give(&desk->orders, &(struct order_state) { .mtu = 1420, .may_wait = true }, NULL,
		    0);
	orders_give(&desk->orders, &(struct order_state) { .mtu = 1280 }, NULL, 0);
	orders_give(&desk->orders, NULL, NULL, ORDER_FLUSH);
	take(desk);
	assert_int_equal(desk->state.mtu, 1280);
	assert_false(desk->state.may_wait);
	/* Taken once: the loop's own view is not written over by orders without a state. */
	desk->state.mtu = 9000;
	take(desk);
	assert_int_equal(desk->state.mtu, 9000);
}

static void keys_are_in_one_place_only(void **state)
{
	struct desk *desk = *state;

	install_two_keys(&desk->control, true, 1);
	give_keys(desk);
	expect_no_keys(&desk->control);
	expect_keys(desk->orders.keypairs, 1);
	take(desk);
	expect_no_keys(desk->orders.keypairs);
	expect_keys(&desk->own, 1);
	assert_slots(&desk->own, 1, 0, 0);
}

/* The first keys were not taken when the next are told, without the first ones: control has wiped
 * its own by then. */
static void overwritten_orders_keep_their_keys(void **state)
{
	struct desk *desk = *state;

	for (uint8_t n = 1; n <= 3; n++) {
		install_two_keys(&desk->control, n != 3, n);
		give_keys(desk);
	}
	/* The third came as responder's: it waits as next, and previous made room. */
	take(desk);
	assert_slots(&desk->own, 2, 0, 3);
	expect_keys(&desk->own, 2);
	expect_keys(&desk->own, 3);
	expect_no_keys(desk->orders.keypairs);
	assert_null(keypairs_find(&desk->own, 1));
}

/* Told in one go, some keys new and some taken long ago. */
static void old_keys_stay_with_their_owner(void **state)
{
	struct desk *desk = *state;

	install_two_keys(&desk->control, true, 1);
	give_keys(desk);
	take(desk);
	desk->own.current->send_counter = 77;
	assert_true(replay_accept(&desk->own.current->replay, 5));
	keypairs_wipe_receive_keys(&desk->own); /* as tx does */
	install_two_keys(&desk->control, true, 2);
	give_keys(desk);
	/* What has been taken is not told again. */
	assert_true(is_wiped(&keypairs_find(desk->orders.keypairs, 1)->send_key));
	take(desk);
	assert_slots(&desk->own, 2, 1, 0);
	assert_int_equal(desk->own.previous->send_counter, 77);
	assert_true(is_key(&desk->own.previous->send_key, 1));
	assert_true(is_wiped(&desk->own.previous->receive_key));
	assert_false(replay_accept(&desk->own.previous->replay, 5));
	expect_keys(&desk->own, 2);
}

/* A message about something else says nothing about keys. */
static void other_orders_leave_keys_alone(void **state)
{
	struct desk *desk = *state;

	install_two_keys(&desk->control, true, 1);
	give_keys(desk);
	orders_give(&desk->orders, &(struct order_state) { .mtu = 1 }, NULL, ORDER_FLUSH);
	expect_keys(desk->orders.keypairs, 1);
	take(desk);
	expect_keys(&desk->own, 1);
	orders_give(&desk->orders, &(struct order_state) { .mtu = 2 }, NULL, ORDER_FLUSH);
	take(desk);
	expect_keys(&desk->own, 1);
	assert_slots(&desk->own, 1, 0, 0);
}

static void dropped_keys_are_wiped_everywhere(void **state)
{
	struct desk *desk = *state;

	install_two_keys(&desk->control, true, 1);
	give_keys(desk);
	/* Before they were taken, */
	keypairs_wipe(&desk->control);
	give_keys(desk);
	expect_no_keys(desk->orders.keypairs);
	take(desk);
	assert_slots(&desk->own, 0, 0, 0);
	/* and after. */
	install_two_keys(&desk->control, true, 2);
	give_keys(desk);
	take(desk);
	keypairs_wipe(&desk->control);
	give_keys(desk);
	take(desk);
	assert_slots(&desk->own, 0, 0, 0);
	expect_no_keys(&desk->own);
}

/* tx confirms on its own and drops the previous keypair, which control still tells of: it must not
 * come back, since it would begin at counter zero. */
static void what_the_loop_dropped_does_not_come_back(void **state)
{
	struct desk *desk = *state;

	install_two_keys(&desk->control, true, 1);
	install_two_keys(&desk->control, true, 2);
	give_keys(desk);
	take(desk);
	/* Nobody but the loop drops it here; control repeats itself. */
	desk->own.previous->send_counter = 9;
	sodium_memzero(desk->own.previous, sizeof(*desk->own.previous));
	desk->own.previous = NULL;
	give_keys(desk);
	take(desk);
	assert_slots(&desk->own, 2, 0, 0);
	expect_keys(&desk->own, 2);
}

static void deinit_is_safe(void **state)
{
	struct orders never = { 0 };
	struct desk *desk = *state;

	orders_deinit(&never);
	install_two_keys(&desk->control, true, 1);
	give_keys(desk);
	orders_deinit(&desk->orders);
	orders_deinit(&desk->orders);
}

/* --- with threads --------------------------------------------------------------------------- */

struct race {
	struct orders orders;
	struct ev_loop *loop; /* the taker's */
	struct keypairs own;  /* the taker's */
	struct order_state state;
	uint64_t last_serial;
	uint64_t counters[N_REKEYS + 1]; /* by serial: what was sealed */
	unsigned int n_todo[2];          /* how often the two bits came */
	unsigned int n_wrong;
};

/* As tx does: takes, keeps its half, and seals a packet with what is current. */
static void on_race_mail(void *context)
{
	struct race *race = context;
	unsigned int todo = orders_take(&race->orders, &race->state, &race->own);
	struct keypair *current = race->own.current;

	keypairs_wipe_receive_keys(&race->own);
	race->n_todo[0] += !!(todo & ORDER_FLUSH);
	race->n_todo[1] += !!(todo & ORDER_REPORT);
	if (current) {
		uint8_t n = (uint8_t)current->serial;

		/* The right key; never an older keypair than before; no counter twice. */
		race->n_wrong += !is_key(&current->send_key, n);
		race->n_wrong += current->serial < race->last_serial;
		race->n_wrong += current->send_counter != race->counters[current->serial];
		race->last_serial = current->serial;
		race->counters[current->serial] = ++current->send_counter;
	}
	if (todo & ORDER_END)
		ev_break(race->loop, EVBREAK_ALL);
}

static void *run_race(void *context)
{
	struct race *race = context;

	ev_run(race->loop, 0);
	return NULL;
}

/* Control rekeys as fast as it can while the loop takes what it gets hold of. */
static void rekeys_at_full_speed(void **state)
{
	static struct race race;
	struct keypairs control = { 0 };
	pthread_t thread;

	(void)state;
	memset(&race, 0, sizeof(race));
	race.loop = new_loop();
	assert_int_equal(orders_init(&race.orders, race.loop, on_race_mail, &race), 0);
	assert_int_equal(pthread_create(&thread, NULL, run_race, &race), 0);
	for (unsigned int i = 1; i <= N_REKEYS; i++) {
		install_two_keys(&control, true, (uint8_t)i);
		orders_give(&race.orders, &(struct order_state) { .mtu = i }, &control,
			    i % 2 ? ORDER_FLUSH : ORDER_REPORT);
		keypairs_wipe_send_keys(&control);
		keypairs_wipe_receive_keys(&control);
		/* The same again, as when only a slot has changed. */
		orders_give(&race.orders, NULL, &control, 0);
	}
	orders_give(&race.orders, NULL, NULL, ORDER_END);
	pthread_join(thread, NULL);
	assert_int_equal(race.n_wrong, 0);
	assert_int_equal(race.last_serial, N_REKEYS);
	assert_int_equal(race.state.mtu, N_REKEYS);
	assert_true(race.n_todo[0] > 0 && race.n_todo[1] > 0);
	orders_deinit(&race.orders);
	ev_loop_destroy(race.loop);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_told_is_nothing_to_do, set_up, tear_down),
		cmocka_unit_test_setup_teardown(todo_bits_add_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_last_state_counts_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_are_in_one_place_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(overwritten_orders_keep_their_keys, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(old_keys_stay_with_their_owner, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_orders_leave_keys_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(dropped_keys_are_wiped_everywhere, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_the_loop_dropped_does_not_come_back, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(deinit_is_safe, set_up, tear_down),
		cmocka_unit_test(rekeys_at_full_speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
