/*
 * Tests of daemon/core/tx_loop.c: which descriptors are watched when, and that nothing is left
 * lying when none has news. The loop turns in the test's own thread; the interface is readable as
 * long as a pipe has a byte for each packet.
 */
#include "tests/unit/tx_desk.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/core/tx_loop.h"

nsec_t __wrap_nsec_boottime(void);

static struct tx_loop loop;
static int packets[2]; /* a byte for each packet that waits */
static int sockets[2]; /* one that is writable */

nsec_t __wrap_nsec_boottime(void)
{
	return START;
}

static void count_read(void)
{
	uint8_t byte;

	assert_int_equal(read(packets[0], &byte, 1), 1);
}

static void arrive(unsigned int n)
{
	n_waiting += n;
	while (n-- > 0)
		assert_int_equal(write(packets[1], "", 1), 1);
}

/* What control tells. */
static void tell(unsigned int todo)
{
	struct order_state state = { .mtu = MTU, .may_wait = true, .udp = desk.wire.udp };

	orders_give(&loop.worker.orders, &state, &desk.told, todo);
	keypairs_wipe_send_keys(&desk.told);
	keypairs_wipe_receive_keys(&desk.told);
}

/* Until no descriptor has news. */
static void turn(void)
{
	for (int i = 0; i < 20; i++)
		turn_loop(loop.worker.loop);
}

static const struct facts *heard(void)
{
	tray_take(&loop.worker.tray, &desk.facts);
	return &desk.facts;
}

static int set_up_loop(void **state)
{
	struct conf_host host = { .data = { .tun_batch = 256, .udp_send_batch = UDP_BATCH } };

	(void)state;
	desk_init(true, NULL);
	set_up_ends();
	set_path("192.0.2.1", PORT);
	assert_int_equal(pipe2(packets, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sockets), 0);
	tun.fd = packets[0];
	tun.has_vnet = true;
	desk.wire.udp.fd4 = desk.wire.udp.fd6 = sockets[0];
	while_reading = count_read;
	assert_int_equal(tx_loop_init(&loop,
				      &(struct data_loop_env) { .control = desk.control,
								.wire = &desk.wire,
								.tun = &tun,
								.host = &host },
				      desk_on_facts),
			 0);
	return 0;
}

static int set_up_session(void **state)
{
	set_up_loop(state);
	desk_rekey(true, 1);
	tell(0);
	turn();
	return 0;
}

static int tear_down_loop(void **state)
{
	(void)state;
	tx_loop_deinit(&loop);
	tx_loop_deinit(&loop);
	for (int i = 0; i < 2; i++) {
		close(packets[i]);
		close(sockets[i]);
	}
	desk_deinit();
	return 0;
}

/* The interface is empty in the end, and has no more to say. */
static void the_last_superpacket_goes_whole(void **state)
{
	(void)state;
	n_segments = 1800;
	arrive(4);
	turn();
	assert_int_equal(n_sent, 4 * n_segments);
	all_were_sent();
}

static void the_last_superpacket_goes_whole_when_the_budget_is_used_up(void **state)
{
	(void)state;
	loop.tx.reads_max = 2;
	loop.tx.messages_max = 1;
	n_segments = 100;
	arrive(5);
	turn();
	assert_int_equal(n_sent, 5 * n_segments);
	all_were_sent();
}

static void staged_packets_go_in_small_batches(void **state)
{
	(void)state;
	grows = true;
	arrive(100);
	turn();
	assert_int_equal(loop.tx.staged.n, 100);
	assert_true(heard()->wants_session);
	loop.tx.messages_max = 8;
	desk_rekey(true, 1);
	tell(ORDER_FLUSH);
	turn();
	assert_int_equal(loop.tx.staged.n, 0);
	all_were_sent();
}

/* There was nobody to have a session with when they came. */
static void an_order_to_flush_asks_for_a_session(void **state)
{
	static const union netaddr nobody = { .sa.sa_family = AF_UNSPEC };
	struct udp_path path = { .remote = nobody };

	(void)state;
	latest_set_path(&desk.latest, &path);
	tell(0);
	arrive(1);
	turn();
	assert_int_equal(loop.tx.staged.n, 1);
	assert_false(heard()->wants_session);
	set_path("192.0.2.1", PORT);
	tell(ORDER_FLUSH);
	turn();
	assert_true(heard()->wants_session);
	tell(ORDER_DROP_STAGED);
	turn();
	assert_int_equal(loop.tx.staged.n, 0);
	/* Nothing waits, so nobody asks. */
	tell(ORDER_FLUSH);
	turn();
	assert_false(heard()->wants_session);
}

/* In the middle of a superpacket; meanwhile the interface keeps what it has. */
static void a_full_socket_is_waited_for(void **state)
{
	(void)state;
	loop.tx.messages_max = 1;
	n_segments = 300;
	room = 2;
	/* As if the socket were not writable, so that the loop does not try again at once. */
	desk.wire.udp.fd4 = packets[0];
	tell(ORDER_EXCHANGE);
	arrive(2);
	turn();
	assert_int_equal(n_sent, 2 * UDP_RUN_MAX);
	assert_int_equal(n_waiting, 1);
	assert_true(ev_is_active(&loop.udp_writable));
	assert_false(ev_is_active(&loop.tun_readable));
	room = SIZE_MAX;
	turn();
	assert_int_equal(n_sent, 2 * UDP_RUN_MAX);

	/* Control has exchanged the sockets. */
	room = 1;
	desk.wire.udp.fd4 = sockets[0];
	tell(ORDER_EXCHANGE);
	turn_loop(loop.worker.loop);
	assert_int_equal(n_sent, 3 * UDP_RUN_MAX);
	assert_true(ev_is_active(&loop.udp_writable));
	room = SIZE_MAX;
	turn();
	assert_int_equal(n_sent, 600);
	all_were_sent();
	assert_false(ev_is_active(&loop.udp_writable));
	assert_true(ev_is_active(&loop.tun_readable));
}

static void a_keepalive_waits_for_the_socket(void **state)
{
	(void)state;
	is_socket_full = true;
	tell(ORDER_KEEPALIVE);
	turn_loop(loop.worker.loop);
	assert_int_equal(n_sent, 0);
	assert_true(ev_is_active(&loop.udp_writable));
	is_socket_full = false;
	turn();
	assert_int_equal(n_sent, 1);
	assert_false(sent[0].is_data);
	assert_true(ev_is_active(&loop.tun_readable));
}

static void a_lost_interface_is_told(void **state)
{
	(void)state;
	read_error = -EBADFD;
	arrive(1);
	turn();
	assert_false(ev_is_active(&loop.tun_readable));
	assert_int_equal(heard()->lost, EBADFD);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_session, tear_down_loop)
#define BARE(f) cmocka_unit_test_setup_teardown(f, set_up_loop, tear_down_loop)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_last_superpacket_goes_whole),
		TEST(the_last_superpacket_goes_whole_when_the_budget_is_used_up),
		BARE(staged_packets_go_in_small_batches),
		BARE(an_order_to_flush_asks_for_a_session),
		TEST(a_full_socket_is_waited_for),
		TEST(a_keepalive_waits_for_the_socket),
		TEST(a_lost_interface_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
