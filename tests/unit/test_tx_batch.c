/*
 * Tests of daemon/core/tx.c: batches. What was read is sent before tx_run() returns, however small
 * batches are and wherever one ends, unless the socket is full.
 */
#include "tests/unit/tx_desk.h"

/* As many segments as cut the second superpacket of a batch. */
#define TINY_SEGMENTS 1800

static int set_up_session(void **state)
{
	set_up(state);
	desk_rekey(true, 1);
	desk_tell(0);
	return 0;
}

/* The same on an interface with superpackets. */
static int set_up_supers(void **state)
{
	set_up_session(state);
	tun.has_vnet = true;
	return 0;
}

/* --- what cuts ------------------------------------------------------------------------------ */

/* Nobody says when the interface is readable again: it is empty by then. */
static void the_rest_of_a_superpacket_does_not_wait(void **state)
{
	(void)state;
	n_segments = TINY_SEGMENTS;
	n_waiting = 2;
	run(TX_DONE);
	assert_int_equal(n_waiting, 0);
	assert_int_equal(n_sent, 2 * TINY_SEGMENTS);
	all_were_sent();
	assert_true(n_calls > 1);
}

/* Full superpackets are not cut: the next one is left to the interface instead. */
static void a_batch_ends_with_a_superpacket(void **state)
{
	(void)state;
	n_segments = 700;
	n_waiting = 9;
	run(TX_DONE);
	assert_int_equal(n_calls, 1);
	assert_true(n_waiting > 0 && n_waiting < 9);
	assert_int_equal(n_sent % n_segments, 0);
	all_were_sent();
}

static void runs_go_whole_in_small_batches(void **state)
{
	static const unsigned int lengths[] = { 10, 45, 64 };

	(void)state;
	for (tx.messages_max = 1; tx.messages_max <= 8; tx.messages_max *= 2) {
		for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
			n_segments = lengths[i];
			n_waiting = 1;
			n_calls = 0;
			run(TX_DONE);
			all_were_sent();
			assert_int_equal(n_calls, 1);
		}
	}
}

static void long_superpackets_go_in_small_batches(void **state)
{
	(void)state;
	tx.messages_max = 1;
	n_segments = 300;
	n_waiting = 3;
	while (n_waiting > 0) {
		run(TX_DONE);
		all_were_sent();
	}
	assert_int_equal(n_sent, 900);
}

static void the_budget_for_reading_is_kept(void **state)
{
	(void)state;
	tx.reads_max = 4;
	n_segments = 3;
	n_waiting = 10;
	for (unsigned int n_read = 4; n_read <= 12; n_read += 4) {
		run(TX_DONE);
		assert_int_equal(n_sent, MIN(n_read, 10U) * n_segments);
		all_were_sent();
	}
}

/* --- a full socket -------------------------------------------------------------------------- */

/* Nothing is read meanwhile: the rest of the superpacket is in the slot. */
static void a_superpacket_waits_for_the_socket(void **state)
{
	(void)state;
	tx.messages_max = 1;
	n_segments = 300;
	n_waiting = 2;
	room = 2;
	run(TX_BLOCKED);
	assert_int_equal(n_sent, 2 * UDP_RUN_MAX);
	run(TX_BLOCKED);
	assert_int_equal(n_waiting, 1);
	room = SIZE_MAX;
	run(TX_DONE);
	assert_int_equal(n_sent, 600);
	all_were_sent();
}

/* The keys may end meanwhile: then the rest waits for others. */
static void a_superpacket_waits_for_the_socket_and_for_keys(void **state)
{
	(void)state;
	tx.messages_max = 1;
	n_segments = 100;
	n_waiting = 1;
	room = 0;
	run(TX_BLOCKED);
	room = SIZE_MAX;
	assert_int_equal(tx_run(&tx, START + 181 * NSEC_PER_SEC), TX_DONE);
	assert_int_equal(n_sent, UDP_RUN_MAX);
	assert_int_equal(tx.staged.n, 100 - UDP_RUN_MAX);
	assert_true(desk_facts()->wants_session);
	desk_rekey(true, 2);
	desk_tell(0);
	worker_look_for_orders(&desk.worker);
	run(TX_DONE);
	all_were_sent();
}

/* --- what was staged ------------------------------------------------------------------------ */

/* Each longer than the one before, so each is a message. */
static void staged_packets_of_all_lengths_go_at_once(void **state)
{
	(void)state;
	desk_tell(0);
	grows = true;
	n_waiting = STAGED_MAX;
	run(TX_DONE);
	assert_int_equal(tx.staged.n, STAGED_MAX);
	desk_rekey(true, 1);
	desk_tell(0);
	worker_look_for_orders(&desk.worker);
	tx.messages_max = 8;
	run(TX_DONE);
	assert_int_equal(n_calls, STAGED_MAX / 8);
	all_were_sent();
}

/* The packet that was just read goes behind those that waited, also when these fill the batch. */
static void what_is_read_does_not_overtake(void **state)
{
	(void)state;
	desk_tell(0);
	grows = true;
	tx.messages_max = 2;
	n_waiting = 5;
	for (int i = 0; i < 3; i++)
		run(TX_DONE);
	assert_int_equal(tx.staged.n, 5);
	desk_rekey(true, 1);
	desk_tell(0);
	grows = false;
	n_waiting = 1;
	run(TX_DONE);
	assert_int_equal(n_sent, 6);
	all_were_sent();
}

/* A packet that may not go does not ask for a session, though one that may is waiting: else no
 * attempt to get one would ever end. */
static void only_who_may_go_asks(void **state)
{
	bool *wants_session = &desk.worker.teller.news.wants_session;

	(void)state;
	desk_tell(0);
	n_waiting = 1;
	run(TX_DONE);
	assert_true(*wants_session);
	*wants_session = false;
	desk.forbids = true;
	tx.next_icmp = NSEC_NEVER;
	n_waiting = 3;
	run(TX_DONE);
	assert_false(*wants_session);
	assert_int_equal(tx.staged.n, 1);
	tx_want_session(&tx, START);
	assert_true(*wants_session);
	*wants_session = false;
	desk_rekey(true, 1);
	desk_tell(0);
	tx_want_session(&tx, START);
	assert_false(*wants_session);
}

/* --- errors --------------------------------------------------------------------------------- */

static void refuse_one(void)
{
	read_error = -EINVAL;
}

/* The kernel has dropped a packet that its header cannot express. */
static void an_odd_packet_does_not_end_the_link(void **state)
{
	(void)state;
	tx.reads_max = 3;
	read_error = -EINVAL;
	run(TX_DONE);
	assert_int_equal(desk_count(COUNT_TX_NOT_IP), 3);
	read_error = 0;
	n_waiting = 2;
	while_reading = refuse_one;
	run(TX_DONE);
	assert_int_equal(n_sent, 1);
	assert_int_equal(desk_count(COUNT_TX_NOT_IP), 5);
}

/* Nothing comes back for data that the socket refused, so another address gets its turn. */
static void refused_data_is_noted(void **state)
{
	(void)state;
	n_waiting = 2;
	send_error = -ENETUNREACH;
	run(TX_DONE);
	assert_int_equal(desk_count(COUNT_TX_SEND_FAILED), 1);
	worker_end_turn(&desk.worker);
	assert_int_equal(desk.worker.teller.news.first_data, START);
	assert_int_equal(desk.worker.teller.news.send_counter, 2);
}

static void data_is_noted_when_it_goes(void **state)
{
	(void)state;
	n_waiting = 1;
	is_socket_full = true;
	run(TX_BLOCKED);
	assert_int_equal(desk.worker.teller.news.last, 0);
	is_socket_full = false;
	assert_int_equal(tx_run(&tx, START + 5), TX_DONE);
	assert_int_equal(desk.worker.teller.news.first_data, START + 5);
}

#define TEST(f)  cmocka_unit_test_setup_teardown(f, set_up_session, tear_down)
#define SUPER(f) cmocka_unit_test_setup_teardown(f, set_up_supers, tear_down)
#define BARE(f)  cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SUPER(the_rest_of_a_superpacket_does_not_wait),
		SUPER(a_batch_ends_with_a_superpacket),
		SUPER(runs_go_whole_in_small_batches),
		SUPER(long_superpackets_go_in_small_batches),
		SUPER(the_budget_for_reading_is_kept),
		SUPER(a_superpacket_waits_for_the_socket),
		SUPER(a_superpacket_waits_for_the_socket_and_for_keys),
		BARE(staged_packets_of_all_lengths_go_at_once),
		BARE(what_is_read_does_not_overtake),
		BARE(only_who_may_go_asks),
		TEST(an_odd_packet_does_not_end_the_link),
		TEST(refused_data_is_noted),
		TEST(data_is_noted_when_it_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
