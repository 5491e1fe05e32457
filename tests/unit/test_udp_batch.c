/*
 * Tests of daemon/data/udp_batch.c: runs and single datagrams, and what travels beside them, over
 * loopback. Needs root; works in a network namespace of its own.
 */
#include "tests/unit/runs_desk.h"

#include "tests/unit/seed.h"

#define ECN_CE 3

static void switch_gro(int fd, int value)
{
	assert_int_equal(setsockopt(fd, IPPROTO_UDP, UDP_GRO, &value, sizeof(value)), 0);
}

static void test_nothing(void **state)
{
	(void)state;
	begin();
	assert_int_equal(udp_receive(ends.near.fd4, arrived.runs, UDP_BATCH), -EAGAIN);
	assert_int_equal(udp_receive(ends.near.fd6, arrived.runs, 1), -EAGAIN);
	end();
}

static void test_empty_datagram(void **state)
{
	struct udp_message empty = run_of(0, 0, 0, 0);

	(void)state;
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct udp_path path = path_to(families[i].far, ends.far.port);

		assert_int_equal(udp_send(&ends.near, &path, &empty, 1), 1);
		receive(&arrived, fd_of(&ends.far, families[i].far));
		assert_int_equal(arrived.n_runs, 1);
		assert_int_equal(arrived.runs[0].len, 0);
		/* Whoever steps through a run by it must get on. */
		assert_int_equal(arrived.runs[0].segment_len, 1);
	}
	end();
}

/* Runs of every number of datagrams, with and without a shorter last one, of random lengths: to a
 * socket that takes runs, and to one that wants single datagrams. */
static void runs_arrive(int gro)
{
	struct seeded seeded = seeded_begin(gro ? "test_runs" : "test_runs_cut_up");

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct udp_path path = path_to(families[i].far, ends.far.port);
		int fd = fd_of(&ends.far, families[i].far);

		switch_gro(fd, gro);
		for (size_t n = 1; n <= UDP_RUN_MAX; n++) {
			size_t longest = MIN(UDP_DATAGRAM_MAX / n, 1452);
			size_t segment_len = 2 + seeded_below(&seeded, longest - 1);
			size_t cut = n % 2 ? seeded_below(&seeded, segment_len - 1) : 0;
			size_t len = n * segment_len - cut, at = seeded_below(&seeded, 7);
			struct udp_message run = run_of(at, len, MIN(segment_len, len), 0);

			assert_int_equal(udp_is_run(&run), n > 1);
			assert_int_equal(udp_send(&ends.near, &path, &run, 1), 1);
			expect_datagrams(fd, at, len, segment_len);
		}
	}
	end();
}

static void test_runs(void **state)
{
	(void)state;
	runs_arrive(1);
}

static void test_runs_cut_up(void **state)
{
	(void)state;
	runs_arrive(0);
}

/* The longest run is one message; a kernel that finds it too long with all its headers cuts it up,
 * and one datagram less comes in one piece. */
static void test_longest_run(void **state)
{
	struct udp_message longest = run_of(0, UDP_DATAGRAM_MAX, 1452, 0);
	struct udp_message run = run_of(0, (size_t)45 * 1452, 1452, 0);

	(void)state;
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct udp_path path = path_to(families[i].far, ends.far.port);

		assert_int_equal(udp_send(&ends.near, &path, &longest, 1), 1);
		expect_datagrams(fd_of(&ends.far, families[i].far), 0, longest.len, 1452);
		assert_int_equal(udp_send(&ends.near, &path, &run, 1), 1);
		receive(&arrived, fd_of(&ends.far, families[i].far));
		assert_int_equal(arrived.n_runs, 1);
		assert_int_equal(arrived.runs[0].len, run.len);
		assert_int_equal(arrived.runs[0].segment_len, 1452);
		assert_memory_equal(arrived.runs[0].data, sent, run.len);
	}
	end();
}

/* Runs and single datagrams in one call keep their order, their lengths, and each its own byte of
 * DSCP and ECN. */
static void test_mixed_batch(void **state)
{
	const struct udp_message messages[] = {
		run_of(0, 64, 64, 0),
		run_of(64, 4200, 1400, 0x88 | ECN_CE),
		run_of(4264, 1, 1, 0),
		run_of(4265, 2500, 1000, 1),
		run_of(6765, 1452, 1452, 2),
		run_of(8217, 1452, 1452, 2),
		run_of(9669, (size_t)64 * 96, 96, 0),
		run_of(15813, 9000, 9000, 0xfc),
		run_of(24813, 3001, 1500, 0),
	};

	(void)state;
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct udp_path path = path_to(families[i].far, ends.far.port);
		size_t n = ARRAY_SIZE(messages);

		assert_int_equal(udp_send(&ends.near, &path, messages, n), (int)n);
		receive(&arrived, fd_of(&ends.far, families[i].far));
		assert_int_equal(arrived.n_runs, n);
		for (size_t k = 0; k < n; k++) {
			const struct udp_datagram *run = &arrived.runs[k];

			assert_int_equal(run->len, messages[k].len);
			assert_int_equal(run->segment_len, messages[k].segment_len);
			assert_int_equal(run->tos, messages[k].tos);
			assert_memory_equal(run->data, messages[k].data, run->len);
		}
	}
	end();
}

/* A place that held a run with marks must not lend them to what comes next. */
static void test_places_are_reused(void **state)
{
	struct udp_path path = path_to("127.0.0.2", 0), local = path_to("fe80::1", 0);
	struct udp_message run = run_of(0, 3000, 1000, ECN_CE), plain = run_of(0, 3000, 3000, 0);

	(void)state;
	begin();
	path.remote.in4.sin_port = htons(ends.far.port);
	assert_int_equal(udp_send(&ends.near, &path, &run, 1), 1);
	receive(&arrived, ends.far.fd4);
	assert_int_equal(arrived.runs[0].tos, ECN_CE);
	arrived.runs[0].path = local;
	arrived.runs[0].path.source_if = 9;
	assert_int_equal(udp_send(&ends.near, &path, &plain, 1), 1);
	receive(&arrived, ends.far.fd4);
	assert_int_equal(arrived.runs[0].tos, 0);
	assert_int_equal(arrived.runs[0].segment_len, 3000);
	assert_int_equal(arrived.runs[0].path.source_if, 0);
	assert_int_equal(arrived.runs[0].path.remote.sa.sa_family, AF_INET);
	end();
}

static void test_tos(void **state)
{
	(void)state;
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct udp_path path = path_to(families[i].far, ends.far.port);

		for (unsigned int tos = 0; tos < 256; tos++) {
			struct udp_message one = run_of(0, 100, 100, (uint8_t)tos);

			assert_int_equal(udp_send(&ends.near, &path, &one, 1), 1);
			receive(&arrived, fd_of(&ends.far, families[i].far));
			assert_int_equal(arrived.n_runs, 1);
			assert_int_equal(arrived.runs[0].tos, tos);
		}
	}
	end();
}

/* Who answers along the path that a datagram came by answers from the address that was asked. */
static void test_source(void **state)
{
	struct udp_message question = run_of(0, 2100, 700, 0), answer = run_of(100, 900, 500, 1);

	(void)state;
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct udp_path path = path_to(families[i].far, ends.far.port), back;
		union netaddr from = address_of(families[i].far, ends.far.port);

		pin(&path, families[i].far); /* not what the kernel would choose */
		assert_int_equal(udp_send(&ends.near, &path, &question, 1), 1);
		receive(&arrived, fd_of(&ends.far, families[i].far));
		back = arrived.runs[0].path;
		from.in4.sin_port = htons(ends.near.port);
		assert_true(netaddr_equal(&back.remote, &from));
		assert_true(back.has_source);

		path = path_to(families[i].far, ends.far.port);
		pin(&path, families[i].near);
		assert_int_equal(udp_send(&ends.near, &path, &question, 1), 1);
		receive(&arrived, fd_of(&ends.far, families[i].far));
		back = arrived.runs[0].path;
		assert_int_equal(udp_send(&ends.far, &back, &answer, 1), 1);
		receive(&arrived, fd_of(&ends.near, families[i].near));
		from = address_of(families[i].far, ends.far.port);
		assert_true(netaddr_equal(&arrived.runs[0].path.remote, &from));
		assert_true(udp_path_equal(&arrived.runs[0].path, &path));
		assert_int_equal(arrived.runs[0].segment_len, 500);
		assert_int_equal(arrived.runs[0].tos, 1);
	}
	end();
}

static void test_source_not_ours(void **state)
{
	static const char *const foreign[] = { "192.0.2.9", "fd00::9" };
	struct udp_message one = run_of(0, 100, 100, 0);

	(void)state;
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct udp_path path = path_to(families[i].far, ends.far.port);
		int r;

		pin(&path, foreign[i]);
		r = udp_send(&ends.near, &path, &one, 1);
		assert_true(r == -EINVAL || r == -ENETUNREACH || r == -EADDRNOTAVAIL);
	}
	end();
}

/* From near to far over an interface that is not quite up yet. */
static void send_until_it_comes(const struct udp_path *path, const struct udp_message *one)
{
	for (int i = 0; i < N_PROBES; i++) {
		udp_send(&ends.near, path, one, 1);
		if (is_readable(ends.far.fd6, PROBE_MS))
			break;
	}
	receive(&arrived, ends.far.fd6);
}

/* A link-local address means something with its interface only, elsewhere none is pinned. */
static void test_link_local(void **state)
{
	struct udp_message one = run_of(0, 100, 100, 0);
	struct udp_path path = path_to("fe80::2", 0), back;

	(void)state;
	begin();
	ip_command("link add vpnd-left type veth peer name vpnd-right");
	ip_command("link set vpnd-right up");
	ip_command("link set vpnd-left up");
	ip_command("address add fe80::2/64 dev vpnd-left nodad");
	path.remote.in6.sin6_port = htons(ends.far.port);
	path.remote.in6.sin6_scope_id = if_nametoindex("vpnd-left");
	send_until_it_comes(&path, &one);
	back = arrived.runs[0].path;
	assert_true(back.has_source);
	assert_int_equal(back.source_if, if_nametoindex("vpnd-left"));
	assert_int_equal(udp_send(&ends.far, &back, &one, 1), 1);
	receive(&arrived, ends.near.fd6);
	path = path_to("fd00::2", ends.far.port);
	assert_int_equal(udp_send(&ends.near, &path, &one, 1), 1);
	receive(&arrived, ends.far.fd6);
	assert_int_equal(arrived.runs[0].path.source_if, 0);
	end();
}

/* What came to a group's address is not answered from there. */
static void test_group(void **state)
{
	struct ipv6_mreq group = { 0 };
	struct udp_message one = run_of(0, 100, 100, 0);
	struct udp_path path = path_to("ff02::77", 0);

	(void)state;
	begin();
	group.ipv6mr_multiaddr = path.remote.in6.sin6_addr;
	ip_command("link add vpnd-left type veth peer name vpnd-right");
	ip_command("link set vpnd-right up");
	ip_command("link set vpnd-left up");
	ip_command("address add fe80::2/64 dev vpnd-left nodad");
	group.ipv6mr_interface = if_nametoindex("vpnd-left");
	assert_int_equal(
		setsockopt(ends.far.fd6, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof(group)), 0);
	path.remote.in6.sin6_port = htons(ends.far.port);
	path.remote.in6.sin6_scope_id = group.ipv6mr_interface;
	send_until_it_comes(&path, &one);
	assert_false(arrived.runs[0].path.has_source);
	end();
}

static void test_singly(void **state)
{
	(void)state;
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct udp_path path = path_to(families[i].far, ends.far.port);
		int fd = fd_of(&ends.far, families[i].far);

		for (size_t n = 1; n <= UDP_RUN_MAX; n += 9) {
			struct udp_message run = run_of(3, n * 800 - 300, 800, 2);

			switch_gro(fd, 0);
			assert_int_equal(udp_send_singly(&ends.near, &path, &run), (int)n);
			receive(&arrived, fd);
			assert_int_equal(arrived.n_runs, n);
			for (size_t k = 0; k < n; k++) {
				const struct udp_datagram *one = &arrived.runs[k];

				assert_int_equal(one->len, k + 1 < n ? 800 : 500);
				assert_int_equal(one->segment_len, one->len);
				assert_int_equal(one->tos, 2);
				assert_memory_equal(one->data, sent + 3 + k * 800, one->len);
			}
		}
	}
	end();
}

/* More than a system call takes goes out in two. */
static void test_singly_too_many(void **state)
{
	struct udp_message run = run_of(0, (size_t)(UDP_BATCH + 10) * 20, 20, 0);
	struct udp_path path = path_to("127.0.0.2", 0);

	(void)state;
	begin();
	path.remote.in4.sin_port = htons(ends.far.port);
	assert_int_equal(udp_send_singly(&ends.near, &path, &run), UDP_BATCH);
	end();
}

static void test_no_such_family(void **state)
{
	struct udp_message one = run_of(0, 100, 100, 0);
	struct udp_path path = path_to("fd00::2", 1);

	(void)state;
	begin();
	close(ends.near.fd6);
	ends.near.fd6 = -1;
	assert_int_equal(udp_send(&ends.near, &path, &one, 1), -EAFNOSUPPORT);
	assert_int_equal(udp_send_singly(&ends.near, &path, &one), -EAFNOSUPPORT);
	end();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_empty_datagram),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_runs_cut_up),
		cmocka_unit_test(test_longest_run),
		cmocka_unit_test(test_mixed_batch),
		cmocka_unit_test(test_places_are_reused),
		cmocka_unit_test(test_tos),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_source_not_ours),
		cmocka_unit_test(test_link_local),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_singly),
		cmocka_unit_test(test_singly_too_many),
		cmocka_unit_test(test_no_such_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
