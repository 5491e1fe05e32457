/*
 * Tests of daemon/core/tx.c: with which key and along which path a packet goes, and what waits. The
 * interface and the socket are the test's; see also test_tx_random.c.
 */
#include "tests/unit/tx_desk.h"

#define OTHER_PORT 7777

static void packets_are_sealed_in_order(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	n_waiting = 10;
	run(TX_DONE);
	assert_int_equal(n_sent, 10);
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(sent[i].number, i + 1);
		assert_int_equal(netaddr_port(&sent[i].path.remote), PORT);
	}
	assert_int_equal(desk_count(COUNT_TX_PACKETS), 10);
	assert_int_equal(desk.worker.teller.news.send_counter, 10);
}

/* --- which key ------------------------------------------------------------------------------ */

static void confirm_second(void)
{
	if (n_waiting == 3) {
		/* rx has written a packet of the second session, to which this one answers. */
		desk_tell(0);
		latest_confirm(&desk.latest, 2);
	}
}

/* In the middle of a batch: earlier packets went with the old key, this one must not. */
static void the_answer_to_a_confirmed_keypair_is_sealed_with_it(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	desk_rekey(false, 2);
	n_waiting = 5;
	while_reading = confirm_second;
	run(TX_DONE);
	assert_int_equal(n_sent, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(sent[i].index, i < 2 ? 1 : 2);
}

/* As responder nothing is sent with a key before the peer has proven that it has it. */
static void an_unconfirmed_key_is_not_used(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_rekey(false, 2);
	desk_tell(0);
	n_waiting = 3;
	run(TX_DONE);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(sent[i].index, 1);
}

/* Late news: a keypair that is not current any more, nor there at all. */
static void an_old_confirmation_changes_nothing(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_rekey(true, 2);
	desk_tell(0);
	for (uint64_t serial = 0; serial <= 9; serial++) {
		latest_confirm(&desk.latest, serial);
		n_waiting = 1;
		run(TX_DONE);
		assert_int_equal(sent[n_sent - 1].index, 2);
	}
}

/* Control has not heard of the confirmation, and tells its old view once more: what tx has dropped
 * stays away, and the counters go on. */
static void an_older_view_takes_no_counter_back(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_rekey(true, 2);
	desk_rekey(true, 3);
	desk_tell(0);
	n_waiting = 4;
	run(TX_DONE);
	desk_rekey(false, 4);
	desk_tell(0);
	latest_confirm(&desk.latest, 4);
	n_waiting = 4;
	run(TX_DONE);
	assert_int_equal(sent[7].index, 4);
	desk_tell(0);
	n_waiting = 4;
	run(TX_DONE);
	for (size_t i = 8; i < 12; i++)
		assert_int_equal(sent[i].index, 4);
}

static void a_key_ends_by_its_age(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	n_waiting = 1;
	assert_int_equal(tx_run(&tx, START + 181 * NSEC_PER_SEC), TX_DONE);
	assert_int_equal(n_sent, 0);
	assert_int_equal(tx.staged.n, 1);
	assert_true(desk_facts()->wants_session);
	assert_int_equal(desk.facts.serial, 1);
}

/* --- which path ----------------------------------------------------------------------------- */

static void roam(void)
{
	set_path("203.0.113.5", OTHER_PORT);
}

/* rx learns a path and writes a packet: the answer to it, read next, goes there. */
static void the_answer_goes_along_the_new_path(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	n_waiting = 1;
	run(TX_DONE);
	n_waiting = 1;
	while_reading = roam;
	run(TX_DONE);
	assert_int_equal(n_sent, 2);
	assert_int_equal(netaddr_port(&sent[0].path.remote), PORT);
	assert_int_equal(netaddr_port(&sent[1].path.remote), OTHER_PORT);
}

/* --- what waits ----------------------------------------------------------------------------- */

static void packets_wait_for_a_session(void **state)
{
	(void)state;
	desk_tell(0);
	n_waiting = 3;
	run(TX_DONE);
	assert_int_equal(n_sent, 0);
	assert_true(desk_facts()->wants_session);
	desk_rekey(true, 1);
	desk_tell(0);
	n_waiting = 2;
	/* The orders are found without the bell. */
	run(TX_DONE);
	assert_int_equal(n_sent, 5);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(sent[i].number, i + 1);
	assert_int_equal(tx.staged.n, 0);
}

static void begin_session(void)
{
	if (n_waiting == 1) {
		desk_rekey(true, 1);
		desk_tell(0);
	}
}

/* The session comes in the middle of a batch: what is read after that does not overtake. */
static void what_waited_goes_first(void **state)
{
	(void)state;
	desk_tell(0);
	n_waiting = 4;
	while_reading = begin_session;
	run(TX_DONE);
	assert_int_equal(n_sent, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(sent[i].number, i + 1);
}

static void without_a_path_nothing_is_asked_for(void **state)
{
	(void)state;
	desk_tell(0);
	worker_look_for_orders(&desk.worker);
	n_waiting = 1;
	run(TX_DONE);
	assert_int_equal(tx.staged.n, 1);
	assert_false(desk_facts()->wants_session);
	tx_drop_staged(&tx);
	assert_int_equal(tx.staged.n, 0);
	assert_int_equal(desk_count(COUNT_TX_NO_SESSION), 1);
}

/* While the socket is full nothing is read, nothing is sealed again, and nothing is lost. */
static void a_full_socket_holds_everything(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	n_waiting = 2;
	is_socket_full = true;
	run(TX_BLOCKED);
	n_waiting = 2;
	for (int i = 0; i < 3; i++)
		run(TX_BLOCKED);
	assert_int_equal(n_waiting, 2);
	tx_keepalive(&tx, START);
	is_socket_full = false;
	run(TX_DONE);
	assert_int_equal(n_sent, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(sent[i].number, i + 1);
}

static void a_keepalive_is_empty(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	worker_look_for_orders(&desk.worker);
	tx_keepalive(&tx, START);
	assert_int_equal(n_sent, 1);
	assert_false(sent[0].is_data);
	worker_end_turn(&desk.worker);
	assert_int_equal(desk.worker.teller.news.last, START);
	assert_int_equal(desk.worker.teller.news.first_data, 0);
}

static void a_keepalive_without_a_session_asks_for_one(void **state)
{
	(void)state;
	desk_tell(0);
	tx_keepalive(&tx, START);
	assert_int_equal(n_sent, 0);
	assert_true(desk_facts()->wants_session);
}

static void a_keepalive_finds_the_socket_full(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	is_socket_full = true;
	for (int i = 0; i < 3; i++)
		tx_keepalive(&tx, START);
	assert_int_equal(n_sent, 0);
	is_socket_full = false;
	run(TX_DONE);
	assert_int_equal(n_sent, 1);
}

static void a_deleted_interface_is_said(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	read_error = -EBADFD;
	assert_int_equal(tx_run(&tx, START), -EBADFD);
}

static void what_allowedips_forbid_is_dropped(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	desk.forbids = true;
	n_waiting = 3;
	/* The answer to the program is not of interest here: one at most. */
	tx.next_icmp = NSEC_NEVER;
	run(TX_DONE);
	assert_int_equal(n_sent, 0);
	assert_int_equal(desk_count(COUNT_TX_NOT_ALLOWED), 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(packets_are_sealed_in_order),
		TEST(the_answer_to_a_confirmed_keypair_is_sealed_with_it),
		TEST(an_unconfirmed_key_is_not_used),
		TEST(an_old_confirmation_changes_nothing),
		TEST(an_older_view_takes_no_counter_back),
		TEST(a_key_ends_by_its_age),
		TEST(the_answer_goes_along_the_new_path),
		TEST(packets_wait_for_a_session),
		TEST(what_waited_goes_first),
		cmocka_unit_test_setup_teardown(without_a_path_nothing_is_asked_for,
						set_up_without_path, tear_down),
		TEST(a_full_socket_holds_everything),
		TEST(a_keepalive_is_empty),
		TEST(a_keepalive_without_a_session_asks_for_one),
		TEST(a_keepalive_finds_the_socket_full),
		TEST(a_deleted_interface_is_said),
		TEST(what_allowedips_forbid_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
