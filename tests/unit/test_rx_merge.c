/*
 * Tests of daemon/core/rx.c: packets that are merged, and an interface that refuses them so.
 * Nothing is lost or written twice.
 */
#include "tests/unit/rx_desk.h"
#include "tests/unit/said.h"

/* Datagrams of one flow, which are merged; only their numbers differ. */
static void arrive_flow(uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++)
		arrive(desk.far.current, i, "192.0.2.1", PORT);
	run();
}

/* All packets were written, once and in order. */
static void expect_written(size_t n, bool alone)
{
	assert_int_equal(n_written, n);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(written[i], i + 1);
		assert_int_equal(is_alone[i], alone);
	}
	n_written = 0;
}

/* What control hears of it. */
static unsigned int told_unmerged(void)
{
	teller_answer(&desk.worker.teller);
	return desk_facts()->unmerged;
}

static void begin_merging(void)
{
	desk_rekey(true, 1);
	desk_tell(0);
	tun.has_vnet = true;
	rx.gro_flags = GRO_TCP | GRO_UDP | GRO_TRUST_CHECKSUMS;
	gro_begin(&rx.gro, rx.gro_flags);
}

/* A kernel that refuses a superpacket gets its packets one by one, and for a while no more
 * superpackets. */
static void what_is_refused_merged_is_written_singly(void **state)
{
	(void)state;
	begin_merging();
	arrive_flow(1, 5);
	expect_written(5, false);
	assert_int_equal(told_unmerged(), 0);

	refuses_merged = true;
	arrive_flow(1, 5);
	expect_written(5, true);
	assert_int_equal(n_refused, 1);
	assert_int_equal(desk_count(COUNT_RX_PACKETS), 10);
	assert_int_equal(desk_count(COUNT_RX_WRITE_FAILED), 0);
	assert_int_equal(told_unmerged(), GRO_UDP);
	clock_now += 9 * NSEC_PER_SEC;
	arrive_flow(1, 5);
	expect_written(5, true);
	assert_int_equal(n_refused, 1);
}

/* Not for ever: one packet may have been the reason. */
static void it_is_merged_again_after_a_while(void **state)
{
	(void)state;
	begin_merging();
	refuses_merged = true;
	arrive_flow(1, 3);
	expect_written(3, true);
	refuses_merged = false;
	clock_now += 11 * NSEC_PER_SEC;
	arrive_flow(1, 5);
	expect_written(5, false);
	assert_int_equal(n_refused, 1);
	assert_int_equal(told_unmerged(), 0);
}

/* It may be refused every ten seconds, by a kernel that takes none at all. */
static void a_refusal_is_said_once(void **state)
{
	(void)state;
	begin_merging();
	listen_for("refuses merged");
	refuses_merged = true;
	for (unsigned int i = 0; i < 3; i++) {
		arrive_flow(1, 3);
		expect_written(3, true);
		clock_now += 11 * NSEC_PER_SEC;
	}
	assert_int_equal(n_refused, 3);
	assert_int_equal(n_said, 1);
}

/* The interface vanishes while packets are written singly. */
static void a_single_write_may_fail_too(void **state)
{
	(void)state;
	begin_merging();
	refuses_merged = true;
	fails_singly = -EBADFD;
	for (uint32_t i = 1; i <= 4; i++)
		arrive(desk.far.current, i, "192.0.2.1", PORT);
	assert_int_equal(rx_run(&rx, -1), -EBADFD);
	assert_int_equal(n_written, 0);
	/* What is refused for another reason is counted, and the next one is tried. */
	fails_singly = -ENOBUFS;
	arrive_flow(1, 4);
	assert_int_equal(desk_count(COUNT_RX_WRITE_FAILED), 4);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_is_refused_merged_is_written_singly),
		TEST(it_is_merged_again_after_a_while),
		TEST(a_refusal_is_said_once),
		TEST(a_single_write_may_fail_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
