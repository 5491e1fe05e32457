/*
 * Tests of what a UDP socket refuses (udp_batch.c) and of what ICMP says (udp_errors.c): a full
 * socket, a path that is too narrow for a run, a closed port. Needs root; works in a network
 * namespace of its own.
 */
#include "tests/unit/runs_desk.h"

/* Behind this address nobody answers: what is sent there waits for the neighbour, and fills the
 * socket. */
static struct udp_path full_way(void)
{
	int tiny = 1;

	ip_command("link add vpnd-left type veth peer name vpnd-right");
	ip_command("link set vpnd-right up");
	ip_command("link set vpnd-left up");
	ip_command("address add 192.0.2.1/24 dev vpnd-left");
	assert_int_equal(setsockopt(ends.near.fd4, SOL_SOCKET, SO_SNDBUF, &tiny, sizeof(tiny)), 0);
	return path_to("192.0.2.2", 51820);
}

static void test_full_socket(void **state)
{
	struct udp_message messages[UDP_BATCH];
	struct udp_path path;
	int n_sent;

	(void)state;
	begin();
	path = full_way();
	for (size_t i = 0; i < UDP_BATCH; i++)
		messages[i] = run_of(i, 1000, 1000, 0);
	n_sent = udp_send(&ends.near, &path, messages, UDP_BATCH);
	assert_true(n_sent > 0 && n_sent < UDP_BATCH);
	assert_int_equal(udp_send(&ends.near, &path, messages + n_sent, 1), -EAGAIN);
	/* The other family's socket has its own room. */
	path = path_to("fd00::2", ends.far.port);
	assert_int_equal(udp_send(&ends.near, &path, messages, 1), 1);
	end();
}

static void test_full_socket_singly(void **state)
{
	struct udp_message run = run_of(0, (size_t)60 * 1000, 1000, 0);
	struct udp_path path;
	int n_sent;

	(void)state;
	begin();
	path = full_way();
	n_sent = udp_send_singly(&ends.near, &path, &run);
	assert_true(n_sent > 0 && n_sent < 60);
	assert_int_equal(udp_send_singly(&ends.near, &path, &run), -EAGAIN);
	end();
}

/* What ICMP says about one datagram fails no later one, and is told once. */
static void test_refused(void **state)
{
	struct udp_message one = run_of(0, 100, 100, 0);

	(void)state;
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct udp_path closed = path_to(families[i].far, 9);
		struct udp_path path = path_to(families[i].far, ends.far.port);
		int fd = fd_of(&ends.near, families[i].near);
		struct udp_error error;

		assert_false(udp_read_error(fd, &error));
		assert_int_equal(udp_send(&ends.near, &closed, &one, 1), 1);
		assert_int_equal(udp_send(&ends.near, &path, &one, 1), 1);
		receive(&arrived, fd_of(&ends.far, families[i].far));
		assert_int_equal(arrived.n_runs, 1);
		assert_true(udp_read_error(fd, &error));
		assert_int_equal(error.error, ECONNREFUSED);
		assert_true(netaddr_equal(&error.remote, &closed.remote));
		assert_false(udp_read_error(fd, &error));
		assert_int_equal(udp_send(&ends.near, &path, &one, 1), 1);
		receive(&arrived, fd_of(&ends.far, families[i].far));
	}
	end();
}

/* A run that does not fit the way is refused, its datagrams are not: they may be fragmented. */
static void test_narrow(void **state)
{
	struct udp_message run = run_of(0, 14000, 1400, 0), small = run_of(0, 12000, 1200, 0);

	(void)state;
	begin();
	ip_command("link set lo mtu 1300");
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct udp_path path = path_to(families[i].far, ends.far.port);
		int fd = fd_of(&ends.far, families[i].far);
		int r = udp_send(&ends.near, &path, &run, 1);

		assert_true(r == -EMSGSIZE || r == -EINVAL);
		assert_int_equal(udp_send_singly(&ends.near, &path, &run), 10);
		expect_datagrams(fd, 0, 14000, 1400);
		assert_int_equal(udp_send(&ends.near, &path, &small, 1), 1);
		expect_datagrams(fd, 0, 12000, 1200);
	}
	end();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_socket),
		cmocka_unit_test(test_full_socket_singly),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_narrow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
