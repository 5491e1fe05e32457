/*
 * Tests of daemon/core/wire.c with the kernel's own errors: a path that is too narrow for runs, and
 * what ICMP says. Needs root; works in a network namespace of its own.
 */
#include "tests/unit/wire_batch.h"

static struct ends ends;
static struct arrived arrived;

static void begin(const char *far)
{
	memset(&counters, 0, sizeof(counters));
	memset(&troubles, 0, sizeof(troubles));
	open_ends(&ends);
	arrived_init(&arrived);
	latest_init(&latest);
	wire = (struct wire) {
		.udp = ends.near,
		.path = path_to(far, ends.far.port),
		.counters = &counters,
		.latest = &latest,
		.troubles = &troubles,
	};
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
}

static void end(void)
{
	close_ends(&ends);
	arrived_deinit(&arrived);
}

/* All of the batch has come, in order. */
static void expect_arrived(int fd, size_t len)
{
	size_t at = 0;

	while (at < len) {
		receive(&arrived, fd);
		for (size_t i = 0; i < arrived.n_runs; i++) {
			assert_true(arrived.runs[i].len <= len - at);
			assert_memory_equal(arrived.runs[i].data, data + at, arrived.runs[i].len);
			at += arrived.runs[i].len;
		}
	}
	assert_false(is_readable(fd, 0));
}

static void test_narrow_path(void **state)
{
	static const char *const addresses[] = { "127.0.0.2", "fd00::2" };
	struct udp_message messages[N_MESSAGE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		size_t len;

		begin(addresses[i]);
		ip_command("link set lo mtu 1300");
		len = make_batch(messages);
		assert_int_equal(wire_send(&wire, messages, N_MESSAGE, BEGIN), N_MESSAGE);
		expect_arrived(fd_of(&ends.far, addresses[i]), len);
		assert_int_equal(counters.n[COUNT_TX_BYTES], len);
		assert_int_equal(counters.n[COUNT_TX_TOO_BIG], 0);
		assert_true(!wire.refuses_runs);
		assert_true(wire.narrow_len > 1000 && wire.narrow_until > BEGIN);
		end();
	}
}

static void test_refusal_is_said(void **state)
{
	struct udp_message messages[N_MESSAGE];

	(void)state;
	begin("127.0.0.2");
	wire.path = path_to("127.0.0.2", 9);
	make_batch(messages);
	assert_int_equal(wire_send(&wire, messages, 1, BEGIN), 1);
	wire_read_errors(&wire, ends.near.fd4, BEGIN);
	assert_int_not_equal(troubles.limits[TROUBLE_ICMP].next, 0);
	end();
}

/* Answers to what went to others say nothing about this link. */
static void test_refusal_of_others(void **state)
{
	struct udp_path stranger = path_to("127.0.0.3", 9);

	(void)state;
	begin("127.0.0.2");
	wire_send_handshake(&wire, &stranger, data, 148, BEGIN);
	wire_read_errors(&wire, ends.near.fd4, BEGIN);
	assert_int_equal(troubles.limits[TROUBLE_ICMP].next, 0);
	assert_false(wire.is_way_stale);
	end();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_narrow_path),
		cmocka_unit_test(test_refusal_is_said),
		cmocka_unit_test(test_refusal_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
