/*
 * Tests of daemon/core/wire.c: each error of sendmmsg(2) at each message of a batch has its own
 * answer, and no datagram is lost or sent twice that need not be. The kernel's part is played by
 * fake_sendmmsg.h.
 */
#include "tests/unit/fake_sendmmsg.h"
#include "tests/unit/said.h"

#define LATER (BEGIN + 11 * NSEC_PER_SEC)

static int set_up(void **state)
{
	(void)state;
	memset(&fault, 0, sizeof(fault));
	fault.room = ALWAYS;
	fault.until = sizeof(data);
	fault.n_left = ALWAYS;
	n_sent = n_calls = n_runs_sent = 0;
	memset(&counters, 0, sizeof(counters));
	memset(&troubles, 0, sizeof(troubles));
	latest_init(&latest);
	wire = (struct wire) {
		.latest = &latest,
		.udp = { .fd4 = 1000, .fd6 = 1001, .has_segment = true, .has_gro = true },
		.path = path_to("192.0.2.1", 51820),
		.counters = &counters,
		.troubles = &troubles,
	};
	return 0;
}

/* Everything from `from` to `to` was sent once, in order, cut where the batch says. */
static void expect_sent(size_t first, size_t from, size_t to)
{
	size_t at = from;

	for (size_t i = first; i < n_sent; i++) {
		assert_int_equal(sent[i].at, at);
		at += sent[i].len;
	}
	assert_int_equal(at, to);
}

static void expect_counted(uint64_t bytes, uint64_t too_big, uint64_t failed)
{
	assert_int_equal(counters.n[COUNT_TX_BYTES], bytes);
	assert_int_equal(counters.n[COUNT_TX_TOO_BIG], too_big);
	assert_int_equal(counters.n[COUNT_TX_SEND_FAILED], failed);
}

static void test_no_error(void **state)
{
	struct udp_message messages[N_MESSAGE];
	size_t len = make_batch(messages);

	(void)state;
	assert_int_equal(wire_send(&wire, messages, N_MESSAGE, BEGIN), N_MESSAGE);
	expect_sent(0, 0, len);
	assert_int_equal(n_calls, 1);
	assert_int_equal(n_runs_sent, 3);
	expect_counted(len, 0, 0);
}

/* Where message `i` of the batch begins. */
static size_t begin_of(const struct udp_message *messages, size_t i)
{
	return (size_t)(messages[i].data - data);
}

/* The socket is full after k messages: the rest stays as it is, and goes out once there is room. */
static void test_full(void **state)
{
	struct udp_message messages[N_MESSAGE];

	for (unsigned int k = 0; k < N_MESSAGE; k++) {
		size_t len;

		set_up(state);
		len = make_batch(messages);
		fault.room = k;
		assert_int_equal(wire_send(&wire, messages, N_MESSAGE, BEGIN), k);
		expect_sent(0, 0, begin_of(messages, k));
		assert_int_equal(wire_send(&wire, messages + k, N_MESSAGE - k, BEGIN), 0);
		fault.room = ALWAYS;
		assert_int_equal(wire_send(&wire, messages + k, N_MESSAGE - k, BEGIN),
				 N_MESSAGE - k);
		expect_sent(0, 0, len);
		expect_counted(len, 0, 0);
	}
}

/* Without runs the socket is full in the middle of one: it goes on there. */
static void test_full_singly(void **state)
{
	struct udp_message messages[N_MESSAGE];

	for (unsigned int k = 0; k <= N_DATAGRAM; k++) {
		size_t len, n;

		set_up(state);
		len = make_batch(messages);
		wire.udp.has_segment = false;
		fault.room = k;
		n = wire_send(&wire, messages, N_MESSAGE, BEGIN);
		assert_int_equal(n_sent, MIN(k, N_DATAGRAM));
		fault.room = ALWAYS;
		if (n < N_MESSAGE)
			assert_int_equal(wire_send(&wire, messages + n, N_MESSAGE - n, BEGIN),
					 N_MESSAGE - n);
		expect_sent(0, 0, len);
		assert_int_equal(n_sent, N_DATAGRAM);
		assert_int_equal(n_runs_sent, 0);
		expect_counted(len, 0, 0);
	}
}

/* What earlier ICMP messages left on the socket fails calls and no datagram. */
static void test_pending_error(void **state)
{
	static const struct {
		int error;
		unsigned int in_a_row;
	} errors[] = {
		{ ECONNREFUSED, 1 }, { ECONNREFUSED, 3 }, { ECONNREFUSED, 7 }, { EPROTO, 3 },
		{ ENOPROTOOPT, 3 },  { EHOSTUNREACH, 1 }, { EHOSTUNREACH, 3 }, { ENETUNREACH, 3 },
		{ EACCES, 3 },       { EMSGSIZE, 1 },     { ENOBUFS, 1 },
	};
	struct udp_message messages[N_MESSAGE];

	for (size_t e = 0; e < ARRAY_SIZE(errors); e++) {
		for (size_t k = 0; k < N_MESSAGE; k++) {
			size_t len;

			set_up(state);
			len = make_batch(messages);
			pin(&wire.path, "192.0.2.2");
			fault.error = errors[e].error;
			fault.at = begin_of(messages, k);
			fault.n_left = errors[e].in_a_row;
			assert_int_equal(wire_send(&wire, messages, N_MESSAGE, BEGIN), N_MESSAGE);
			expect_sent(0, 0, len);
			expect_counted(len, 0, 0);
			assert_true(wire.path.has_source);
			assert_int_equal(n_runs_sent, 3);
		}
	}
}

/* They come faster than we can call: nothing is lost, and nothing is concluded. */
static void test_flood_of_icmp(void **state)
{
	struct udp_message messages[N_MESSAGE];

	for (size_t k = 0; k < N_MESSAGE; k++) {
		size_t len;

		set_up(state);
		len = make_batch(messages);
		pin(&wire.path, "192.0.2.2");
		fault.error = ECONNREFUSED;
		fault.at = begin_of(messages, k);
		assert_int_equal(wire_send(&wire, messages, N_MESSAGE, BEGIN), k);
		assert_true(n_calls <= 10);
		expect_counted(fault.at, 0, 0);
		fault.n_left = 0;
		assert_int_equal(wire_send(&wire, messages + k, N_MESSAGE - k, BEGIN),
				 N_MESSAGE - k);
		expect_sent(0, 0, len);
		expect_counted(len, 0, 0);
		assert_true(wire.path.has_source);
		assert_int_equal(n_runs_sent, 3);
	}
}

/* The way has no checksum offload (EIO): runs go out singly, all of each, from the refused one on,
 * and later ones too, without asking again. */
static void test_no_runs(void **state)
{
	struct udp_message messages[N_MESSAGE];

	for (size_t k = 0; k < N_MESSAGE; k++) {
		size_t len;

		set_up(state);
		len = make_batch(messages);
		fault.error = EIO;
		fault.runs_only = true;
		fault.at = begin_of(messages, k);
		assert_int_equal(wire_send(&wire, messages, N_MESSAGE, BEGIN), N_MESSAGE);
		expect_sent(0, 0, len);
		assert_int_equal(n_sent, N_DATAGRAM);
		expect_counted(len, 0, 0);
		assert_int_equal(wire.refuses_runs, k <= 4);
		if (!wire.refuses_runs)
			continue;
		make_batch(messages);
		n_calls = n_sent = n_runs_sent = 0;
		assert_int_equal(wire_send(&wire, messages, N_MESSAGE, BEGIN), N_MESSAGE);
		expect_sent(0, 0, len);
		assert_int_equal(n_runs_sent, 0);
		/* A call for each run, and one for the single datagrams in between. */
		assert_true(n_calls <= 7);
	}
}

/* Control has runs tried again whenever the way may be another one: that they are refused again is
 * no news, but for another address. */
static void test_no_runs_is_said_once(void **state)
{
	struct udp_message messages[N_MESSAGE];

	(void)state;
	fault.error = EIO;
	fault.runs_only = true;
	listen_for("does not take runs");
	for (unsigned int i = 0; i < 3; i++) {
		make_batch(messages);
		wire.refuses_runs = false;
		assert_int_equal(wire_send(&wire, messages, N_MESSAGE, BEGIN), N_MESSAGE);
		assert_true(wire.refuses_runs);
	}
	assert_int_equal(n_said, 1);
	make_batch(messages);
	wire.refuses_runs = false;
	wire.path = path_to("192.0.2.3", 51820);
	assert_int_equal(wire_send(&wire, messages, N_MESSAGE, BEGIN), N_MESSAGE);
	assert_int_equal(n_said, 2);
}

/* The path is too narrow for a run, which is no reason to give up runs: shorter ones go on, and
 * after a while the long ones are tried again. Older kernels say EINVAL. */
static void test_narrow(void **state)
{
	static const int errors[] = { EMSGSIZE, EINVAL };
	struct udp_message messages[N_MESSAGE];

	for (size_t e = 0; e < ARRAY_SIZE(errors); e++) {
		size_t len;

		set_up(state);
		len = make_batch(messages);
		pin(&wire.path, "192.0.2.2");
		fault.error = errors[e];
		fault.runs_only = true;
		fault.at_least = 1400;
		assert_int_equal(wire_send(&wire, messages, N_MESSAGE, BEGIN), N_MESSAGE);
		expect_sent(0, 0, len);
		assert_int_equal(n_runs_sent, 1);
		expect_counted(len, 0, 0);
		assert_true(!wire.refuses_runs);

		/* It is remembered: nothing is refused any more. */
		make_batch(messages);
		n_sent = n_runs_sent = 0;
		fault.n_left = 0;
		assert_int_equal(wire_send(&wire, messages, N_MESSAGE, BEGIN + 1), N_MESSAGE);
		expect_sent(0, 0, len);
		assert_int_equal(n_runs_sent, 1);

		/* And forgotten again. */
		make_batch(messages);
		n_sent = n_runs_sent = 0;
		assert_int_equal(wire_send(&wire, messages, N_MESSAGE, LATER), N_MESSAGE);
		expect_sent(0, 0, len);
		assert_int_equal(n_runs_sent, 3);
		expect_counted(3 * len, 0, 0);
		/* The pinned source was not the reason. */
		assert_true(wire.path.has_source);
	}
}

/* Datagrams that may not be fragmented and are too long are lost one by one; all others arrive. */
static void test_too_big(void **state)
{
	struct udp_message messages[N_MESSAGE];
	size_t n = 0;

	(void)state;
	make_batch(messages);
	fault.error = EMSGSIZE;
	fault.at_least = 1001;
	assert_int_equal(wire_send(&wire, messages, N_MESSAGE, BEGIN), N_MESSAGE);
	/* The short ones: 96, three of 1,000 and one of 500, 80. */
	assert_int_equal(n_sent, 6);
	for (size_t i = 0; i < n_sent; i++)
		n += sent[i].len;
	assert_int_equal(n, 96 + 3500 + 80);
	expect_counted(n, 10 + 1 + 4, 0);
	assert_true(!wire.refuses_runs);
}

/* In the middle of a run one datagram is refused for its size: only that one is lost. */
static void test_too_big_in_a_run(void **state)
{
	struct udp_message messages[N_MESSAGE];
	size_t len;

	(void)state;
	len = make_batch(messages);
	wire.udp.has_segment = false;
	fault.error = EMSGSIZE;
	fault.at = 96 + 4 * 1452;
	fault.until = fault.at + 1;
	assert_int_equal(wire_send(&wire, messages, N_MESSAGE, BEGIN), N_MESSAGE);
	assert_int_equal(n_sent, N_DATAGRAM - 1);
	expect_counted(len - 1452, 1, 0);
	assert_int_equal(sent[4].at + sent[4].len, fault.at);
	assert_int_equal(sent[5].at, fault.at + 1452);
}

/* Refused for good, for a reason that is the message's own: it is counted and skipped, everything
 * else is sent once. Nothing is given up. */
static void test_refused_for_good(void **state)
{
	static const int errors[] = { EPERM, ENOBUFS, EACCES, ENOMEM };
	struct udp_message messages[N_MESSAGE];

	for (size_t e = 0; e < ARRAY_SIZE(errors); e++) {
		for (size_t k = 0; k < N_MESSAGE; k++) {
			size_t len, lost, n_before = 0;

			set_up(state);
			len = make_batch(messages);
			lost = messages[k].len;
			fault.error = errors[e];
			fault.at = begin_of(messages, k);
			fault.until = fault.at + lost;
			assert_int_equal(wire_send(&wire, messages, N_MESSAGE, BEGIN), N_MESSAGE);
			for (size_t i = 0; i < n_sent; i++) {
				assert_false(sent[i].at >= fault.at && sent[i].at < fault.until);
				n_before += sent[i].len;
			}
			assert_int_equal(n_before, len - lost);
			expect_counted(len - lost, 0, 1);
			assert_true(!wire.refuses_runs);
			assert_int_equal(wire.narrow_until, 0);
		}
	}
}

/* Everything is refused: the batch comes to its end, with a bounded number of calls. */
static void test_all_refused(void **state)
{
	static const int errors[] = { EPERM,  ENOBUFS,     EINVAL,        EIO,          EMSGSIZE,
				      ENODEV, ENETUNREACH, EADDRNOTAVAIL, EHOSTUNREACH, EBADF };
	struct udp_message messages[N_MESSAGE];

	for (size_t e = 0; e < ARRAY_SIZE(errors); e++) {
		set_up(state);
		make_batch(messages);
		pin(&wire.path, "192.0.2.2");
		fault.error = errors[e];
		assert_int_equal(wire_send(&wire, messages, N_MESSAGE, BEGIN), N_MESSAGE);
		assert_int_equal(n_sent, 0);
		assert_true(counters.n[COUNT_TX_TOO_BIG] + counters.n[COUNT_TX_SEND_FAILED] >=
			    N_MESSAGE);
		assert_true(n_calls <= 60);
	}
}

/* A pinned source that is gone costs one more try, no datagram, and no runs. */
static void test_source_gone(void **state)
{
	static const int errors[] = { EINVAL, EADDRNOTAVAIL, ENETUNREACH, EHOSTUNREACH, ENODEV };
	struct udp_message messages[N_MESSAGE];

	for (size_t e = 0; e < ARRAY_SIZE(errors); e++) {
		size_t len;

		set_up(state);
		len = make_batch(messages);
		pin(&wire.path, "192.0.2.2");
		wire.path.source_if = 3;
		fault.error = errors[e];
		fault.pinned_only = true;
		assert_int_equal(wire_send(&wire, messages, N_MESSAGE, BEGIN), N_MESSAGE);
		expect_sent(0, 0, len);
		assert_int_equal(n_runs_sent, 3);
		expect_counted(len, 0, 0);
		assert_false(wire.path.has_source);
		assert_int_equal(wire.path.source_if, 0);
	}
}

/* The first message is a run: what EINVAL means shows when its datagrams are sent singly. */
static void test_source_gone_at_a_run(void **state)
{
	struct udp_message messages[N_MESSAGE];
	size_t len;

	(void)state;
	len = make_batch(messages);
	pin(&wire.path, "192.0.2.2");
	fault.error = EINVAL;
	fault.pinned_only = true;
	assert_int_equal(wire_send(&wire, messages + 1, N_MESSAGE - 1, BEGIN), N_MESSAGE - 1);
	expect_sent(0, messages[0].len, len);
	expect_counted(len - messages[0].len, 0, 0);
	assert_false(wire.path.has_source);
	/* It was not the length of the run: they go on. */
	assert_int_equal(n_runs_sent, 3);
	assert_int_equal(wire.narrow_until, 0);
}

/* Handshake messages: one try, a second one without the pinned source, and no waiting. */
static void test_handshake(void **state)
{
	static const struct {
		int error;
		bool pinned_only;
		unsigned int n_left;
		size_t n_sent;
		enum counter counter;
		uint64_t count;
	} cases[] = {
		{ 0, false, ALWAYS, 1, COUNT_TX_BYTES, 148 },
		{ ECONNREFUSED, false, 3, 1, COUNT_TX_BYTES, 148 },
		{ ECONNREFUSED, false, ALWAYS, 0, COUNT_TX_BLOCKED, 1 },
		{ EINVAL, true, ALWAYS, 1, COUNT_TX_BYTES, 148 },
		{ ENETUNREACH, true, ALWAYS, 1, COUNT_TX_BYTES, 148 },
		{ ENETUNREACH, false, ALWAYS, 0, COUNT_TX_SEND_FAILED, 1 },
		{ EPERM, false, ALWAYS, 0, COUNT_TX_SEND_FAILED, 1 },
		{ EMSGSIZE, false, ALWAYS, 0, COUNT_TX_TOO_BIG, 1 },
		{ EIO, false, ALWAYS, 0, COUNT_TX_SEND_FAILED, 1 },
		{ EAGAIN, false, ALWAYS, 0, COUNT_TX_BLOCKED, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		set_up(state);
		pin(&wire.path, "192.0.2.2");
		fault.error = cases[i].error;
		fault.pinned_only = cases[i].pinned_only;
		fault.n_left = cases[i].n_left;
		wire_send_handshake(&wire, &wire.path, data, 148, BEGIN);
		assert_int_equal(n_sent, cases[i].n_sent);
		assert_int_equal(counters.n[cases[i].counter], cases[i].count);
		/* Whether data may be sent from there is for data to find out. */
		assert_true(wire.path.has_source);
		assert_true(!wire.refuses_runs);
	}
}

/* To a stranger nothing is owed, not even a sentence; the trouble is not this link's. */
static void test_handshake_to_a_stranger(void **state)
{
	struct udp_path stranger = path_to("198.51.100.7", 7);

	(void)state;
	fault.error = EMSGSIZE;
	wire_send_handshake(&wire, &stranger, data, 148, BEGIN);
	expect_counted(0, 0, 1);
	assert_int_equal(troubles.limits[TROUBLE_TOO_BIG].next, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_no_error, set_up),
		cmocka_unit_test_setup(test_full, set_up),
		cmocka_unit_test_setup(test_full_singly, set_up),
		cmocka_unit_test_setup(test_pending_error, set_up),
		cmocka_unit_test_setup(test_flood_of_icmp, set_up),
		cmocka_unit_test_setup(test_no_runs, set_up),
		cmocka_unit_test_setup(test_no_runs_is_said_once, set_up),
		cmocka_unit_test_setup(test_narrow, set_up),
		cmocka_unit_test_setup(test_too_big, set_up),
		cmocka_unit_test_setup(test_too_big_in_a_run, set_up),
		cmocka_unit_test_setup(test_refused_for_good, set_up),
		cmocka_unit_test_setup(test_all_refused, set_up),
		cmocka_unit_test_setup(test_source_gone, set_up),
		cmocka_unit_test_setup(test_source_gone_at_a_run, set_up),
		cmocka_unit_test_setup(test_handshake, set_up),
		cmocka_unit_test_setup(test_handshake_to_a_stranger, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
