/*
 * Tests of what a UDP socket refuses (udp_batch.c) and of what ICMP says (udp_errors.c): a full
 * socket, a path that is too narrow for a run, a closed port. Needs root; works in a network
 * namespace of its own.
 */
#include "tests/unit/datagrams.h"

#define LEN_MAX 65536

static struct ends ends;
static struct arrived arrived;
static uint8_t sent[LEN_MAX];

static const struct family {
	const char *near, *far;
} families[] = { { "127.0.0.1", "127.0.0.2" }, { "fd00::1", "fd00::2" } };

static void begin(void)
{
	open_ends(&ends);
	arrived_init(&arrived);
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 7 + i / 251);
}

static void end(void)
{
	close_ends(&ends);
	arrived_deinit(&arrived);
}

static struct udp_message run_of(size_t at, size_t len, size_t segment_len, uint8_t tos)
{
	return (struct udp_message) {
		.data = sent + at, .len = len, .segment_len = segment_len, .tos = tos
	};
}

/* Receives datagrams until all `len` bytes behind `at` have come, each as long as it must be. */
static void expect_datagrams(int fd, size_t at, size_t len, size_t segment_len)
{
	size_t done = 0;

	while (done < len) {
		receive(&arrived, fd);
		for (size_t i = 0; i < arrived.n_runs; i++) {
			const struct udp_datagram *run = &arrived.runs[i];

			assert_int_equal(run->segment_len, MIN(segment_len, len - done));
			assert_true(run->len <= len - done);
			/* Whatever comes is whole datagrams; only the last one is shorter. */
			assert_true(run->len % segment_len == 0 || done + run->len == len);
			assert_memory_equal(run->data, sent + at + done, run->len);
			done += run->len;
		}
	}
	assert_int_equal(udp_receive(fd, arrived.runs, UDP_BATCH), -EAGAIN);
}

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
