/*
 * Tests of daemon/core/rx_loop.c: which sockets are watched, and what ends that. The sockets are
 * real ones on a loopback of its own, the interface is the test's. Needs root.
 */
#include "tests/unit/data_desk.h"

#include "daemon/core/rx_loop.h"

#define SEALED_MAX (DATA_HEADER_LEN + PACKET_LEN + TAG_LEN)

int __wrap_tun_write(const struct tun *to, const struct iovec *iov, size_t n);
nsec_t __wrap_nsec_boottime(void);

static const char *const far_addresses[] = { "127.0.0.1", "fd00::1" };
static const char *const near_addresses[] = { "127.0.0.2", "fd00::2" };

static struct ends ends;
static struct tun tun = TUN_NULL;
static struct netlink no_netlink = NETLINK_NULL;
static struct ways ways;
static struct handshakes handshakes;
static struct rx_loop loop;
static struct facts facts;
static uint32_t last_written;
static unsigned int n_written;
static int write_error;

/* The keys are that old. */
nsec_t __wrap_nsec_boottime(void)
{
	return START;
}

int __wrap_tun_write(const struct tun *to, const struct iovec *iov, size_t n)
{
	assert_ptr_equal(to, &tun);
	assert_int_equal(n, 1);
	n_written++;
	last_written = number_of(iov->iov_base);
	return write_error;
}

/* Keys as control tells them. */
static void tell_keys(unsigned int todo)
{
	const struct order_state state = { .mtu = MTU, .udp = desk.wire.udp };

	orders_give(&loop.worker.orders, &state, &desk.told, todo);
	turn_loop(loop.worker.loop);
}

static void open_loop(void)
{
	static const struct conf_host host = { .data.udp_receive_batch = UDP_BATCH };

	open_ends(&ends);
	desk_init(false, NULL);
	memset(&loop, 0, sizeof(loop));
	memset(&handshakes, 0, sizeof(handshakes));
	mailbox_init(&handshakes.box, desk.control, desk_on_facts, NULL);
	n_written = last_written = 0;
	write_error = 0;
	desk.wire.udp = ends.near;
	/* No netlink: without an answer every way is a way. */
	ways = (struct ways) { .nl = &no_netlink };
	assert_int_equal(rx_loop_init(&loop,
				      &(struct data_loop_env) { .control = desk.control,
								.wire = &desk.wire,
								.tun = &tun,
								.host = &host },
				      &ways, &handshakes, 0, desk_on_facts),
			 0);
	desk_rekey(true, 1);
	tell_keys(0);
}

static void close_loop(void)
{
	rx_loop_deinit(&loop);
	rx_loop_deinit(&loop);
	mailbox_deinit(&handshakes.box);
	desk_deinit();
	close_ends(&ends);
}

/* Sends a sealed packet from the far end to the near one, where it has come afterwards. */
static void send_packet(size_t family, uint32_t number)
{
	struct udp_path path = path_to(near_addresses[family], ends.near.port);
	uint8_t packet[PACKET_LEN], sealed[SEALED_MAX];
	size_t len;

	pin(&path, far_addresses[family]);
	make_packet(packet, number);
	len = keypair_seal(desk.far.current, sealed, packet, sizeof(packet));
	assert_int_equal(
		udp_send(&ends.far, &path,
			 &(struct udp_message) { .data = sealed, .len = len, .segment_len = len },
			 1),
		1);
	assert_true(is_readable(fd_of(&ends.near, near_addresses[family]), PATIENCE_MS));
}

static void expect_written(uint32_t number, unsigned int n)
{
	turn_loop(loop.worker.loop);
	assert_int_equal(n_written, n);
	assert_int_equal(last_written, number);
}

static void both_sockets_are_watched(void **state)
{
	(void)state;
	open_loop();
	for (size_t family = 0; family < 2; family++) {
		send_packet(family, 10 + (uint32_t)family);
		expect_written(10 + (uint32_t)family, 1 + (unsigned int)family);
	}
	close_loop();
}

/* Without a datagram nothing is done. */
static void nothing_is_read_without_need(void **state)
{
	(void)state;
	open_loop();
	turn_loop(loop.worker.loop);
	assert_int_equal(n_written, 0);
	assert_false(mailbox_has_mail(&loop.worker.tray.box));
	close_loop();
}

/* A socket that has taken the place of another is not watched under its number. */
static void exchanged_sockets_are_watched_anew(void **state)
{
	struct udp another;

	(void)state;
	open_loop();
	assert_int_equal(udp_open(&another, 0, 0), 0);
	assert_int_equal(udp_replace(&ends.near, &another), 0);
	desk.wire.udp = ends.near;
	send_packet(0, 20);
	turn_loop(loop.worker.loop);
	assert_int_equal(n_written, 0);
	tell_keys(ORDER_EXCHANGE);
	tray_take(&loop.worker.tray, &facts);
	expect_written(20, 1);
	for (size_t family = 0; family < 2; family++) {
		send_packet(family, 21 + (uint32_t)family);
		expect_written(21 + (uint32_t)family, 2 + (unsigned int)family);
	}
	close_loop();
}

/* This host has only one family. */
static void a_missing_socket_is_not_watched(void **state)
{
	(void)state;
	open_loop();
	close(ends.near.fd6);
	ends.near.fd6 = -1;
	desk.wire.udp = ends.near;
	tell_keys(ORDER_EXCHANGE);
	assert_false(ev_is_active(&loop.udp6_readable));
	send_packet(0, 30);
	expect_written(30, 1);
	close_loop();
}

static void a_deleted_interface_is_told_and_nothing_is_read_any_more(void **state)
{
	(void)state;
	open_loop();
	write_error = -EBADFD;
	send_packet(1, 40);
	expect_written(40, 1);
	tray_take(&loop.worker.tray, &facts);
	assert_int_equal(facts.lost, EBADFD);
	assert_false(ev_is_active(&loop.udp4_readable));
	assert_false(ev_is_active(&loop.udp6_readable));
	write_error = 0;
	send_packet(0, 41);
	send_packet(1, 42);
	expect_written(40, 1);
	close_loop();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sockets_are_watched),
		cmocka_unit_test(nothing_is_read_without_need),
		cmocka_unit_test(exchanged_sockets_are_watched_anew),
		cmocka_unit_test(a_missing_socket_is_not_watched),
		cmocka_unit_test(a_deleted_interface_is_told_and_nothing_is_read_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
