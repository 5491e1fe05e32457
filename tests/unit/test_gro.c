/*
 * Merging, rule by rule. With VPND_TEST_BENCH set it says what a packet costs. Random flows:
 * test_gro_random.c.
 */
#include "tests/unit/gro_batch.h"

#include <time.h>

/* What may differ between two packets, and whether they still become one. */
struct pair {
	const char *what;
	void (*change)(struct ref_packet *second, size_t *len);
	uint8_t protocol; /* 0: either */
	bool merged;
};

static void nothing(struct ref_packet *s, size_t *len)
{
	(void)s;
	(void)len;
}

#define CHANGE(name, statement)                                                                    \
	static void name(struct ref_packet *s, size_t *len)                                        \
	{                                                                                          \
		(void)s;                                                                           \
		(void)len;                                                                         \
		statement;                                                                         \
	}

CHANGE(shorter, *len -= 1)
CHANGE(longer, *len += 1)
CHANGE(empty, *len = 0)
CHANGE(marked, s->tos = 3)
CHANGE(other_dscp, s->tos = 0x20)
CHANGE(other_ttl, s->ttl--)
CHANGE(other_source, s->addresses[3]++)
CHANGE(other_destination, s->addresses[16]++)
CHANGE(other_source_port, s->source_port++)
CHANGE(other_destination_port, s->destination_port++)
CHANGE(other_protocol, s->protocol ^= REF_TCP ^ REF_UDP)
CHANGE(gap, s->seq++)
CHANGE(again, s->seq -= (uint32_t)*len)
CHANGE(other_ack, s->ack++)
CHANGE(other_window, s->window++)
CHANGE(other_option, s->options[11]++)
CHANGE(fewer_options, s->n_options = 8)
CHANGE(pushed, s->flags |= REF_PSH)
CHANGE(finished, s->flags |= REF_FIN)
CHANGE(reset, s->flags |= REF_RST)
CHANGE(syn, s->flags |= REF_SYN)
CHANGE(urgent, s->flags |= REF_URG)
CHANGE(pointed, s->urgent = 1)
CHANGE(echoed, s->flags |= REF_ECE)
CHANGE(reduced, s->flags |= REF_CWR)
CHANGE(accurate, s->flags |= 0x100)
CHANGE(reserved, s->flags |= 0x200)
CHANGE(no_ack, s->flags = 0)

static const struct pair pairs[] = {
	{ "nothing", nothing, 0, true },
	{ "shorter", shorter, 0, true },
	{ "longer", longer, 0, false },
	{ "empty", empty, 0, false },
	{ "ECN", marked, 0, false },
	{ "DSCP", other_dscp, 0, false },
	{ "TTL", other_ttl, 0, false },
	{ "source", other_source, 0, false },
	{ "destination", other_destination, 0, false },
	{ "source port", other_source_port, 0, false },
	{ "destination port", other_destination_port, 0, false },
	{ "protocol", other_protocol, 0, false },
	{ "gap", gap, REF_TCP, false },
	{ "again", again, REF_TCP, false },
	{ "ack", other_ack, REF_TCP, false },
	{ "window", other_window, REF_TCP, false },
	{ "timestamp", other_option, REF_TCP, false },
	{ "options", fewer_options, REF_TCP, false },
	{ "PSH", pushed, REF_TCP, true },
	{ "FIN", finished, REF_TCP, false },
	{ "RST", reset, REF_TCP, false },
	{ "SYN", syn, REF_TCP, false },
	{ "URG", urgent, REF_TCP, false },
	{ "urgent pointer", pointed, REF_TCP, false },
	{ "ECE", echoed, REF_TCP, false },
	{ "CWR", reduced, REF_TCP, false },
	{ "AE", accurate, REF_TCP, false },
	{ "reserved", reserved, REF_TCP, false },
	{ "no ACK", no_ack, REF_TCP, false },
};

static void run_pair(const struct pair *pair, bool v6, uint8_t protocol)
{
	struct ref_packet spec = plain(v6, protocol);
	size_t len = 100, n_writes;

	n_slots = 0;
	put(&spec, len);
	spec.seq += 100;
	spec.id++;
	pair->change(&spec, &len);
	put(&spec, len)->flow = 0;
	add_all(GRO_BOTH);
	n_writes = expect_batch();
	if (n_writes != (pair->merged ? 1 : 2))
		print_error("pair: %s\n", pair->what);
	assert_int_equal(n_writes, pair->merged ? 1 : 2);
}

static void pairs_merge_by_the_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		for (unsigned int kind = 0; kind < 4; kind++) {
			uint8_t protocol = kind & 1 ? REF_TCP : REF_UDP;

			if (pairs[i].protocol == 0 || pairs[i].protocol == protocol)
				run_pair(&pairs[i], kind & 2, protocol);
		}
}

/* Packets of one plain flow; `change` may alter number `which`. Returns the number of writes. */
static size_t run_of(size_t n, bool v6, uint8_t protocol, size_t which,
		     void (*change)(struct ref_packet *, size_t *), unsigned int flags)
{
	struct ref_packet spec = plain(v6, protocol);

	n_slots = 0;
	for (size_t i = 0; i < n; i++) {
		struct ref_packet one = spec;
		size_t len = 1000;

		if (i == which)
			change(&one, &len);
		put(&one, len);
		spec.seq += (uint32_t)len;
		spec.id++;
	}
	add_all(flags);
	return expect_batch();
}

static void runs_end_where_they_must(void **state)
{
	(void)state;
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		assert_int_equal(run_of(10, v6, REF_TCP, 99, nothing, GRO_BOTH), 1);
		assert_int_equal(run_of(10, v6, REF_UDP, 99, nothing, GRO_BOTH), 1);
		/* PSH and a short packet are the last of their run. */
		assert_int_equal(run_of(10, v6, REF_TCP, 4, pushed, GRO_BOTH), 2);
		assert_int_equal(run_of(10, v6, REF_TCP, 4, shorter, GRO_BOTH), 2);
		assert_int_equal(run_of(10, v6, REF_UDP, 4, shorter, GRO_BOTH), 2);
		/* In the first place, too. */
		assert_int_equal(run_of(10, v6, REF_TCP, 0, pushed, GRO_BOTH), 2);
		/* What does not fit is alone, and what follows is a new run. */
		assert_int_equal(run_of(10, v6, REF_TCP, 4, finished, GRO_BOTH), 3);
		assert_int_equal(run_of(10, v6, REF_TCP, 4, empty, GRO_BOTH), 3);
		assert_int_equal(run_of(10, v6, REF_UDP, 4, empty, GRO_BOTH), 3);
		/* 64 packets, or 65,535 bytes. */
		assert_int_equal(run_of(64, v6, REF_TCP, 99, nothing, GRO_BOTH), 1);
		assert_int_equal(run_of(65, v6, REF_UDP, 99, nothing, GRO_BOTH), 2);
		assert_int_equal(run_of(128, v6, REF_TCP, 999, nothing, GRO_BOTH), 2);
		/* Switched off. */
		assert_int_equal(run_of(10, v6, REF_TCP, 99, nothing, GRO_UDP), 10);
		assert_int_equal(run_of(10, v6, REF_UDP, 99, nothing, GRO_TCP), 10);
		assert_int_equal(run_of(10, v6, REF_UDP, 99, nothing, GRO_UDP), 1);
		assert_int_equal(
			run_of(10, v6, REF_TCP, 99, nothing, GRO_TCP | GRO_TRUST_CHECKSUMS), 1);
	}
}

static void length_limit(void **state)
{
	struct ref_packet spec = plain(false, REF_UDP);

	(void)state;
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		size_t headers = v6 ? 48 : 28;

		/* 45 packets of 1,456 bytes and one that fills the rest exactly, or is too long. */
		for (size_t more = 0; more < 2; more++) {
			spec = plain(v6, REF_UDP);
			n_slots = 0;
			for (size_t i = 0; i < 44; i++, spec.id++)
				put(&spec, 1456);
			put(&spec, 65535 - headers - 44 * (size_t)1456 + more);
			add_all(GRO_BOTH);
			assert_int_equal(expect_batch(), 1 + more);
		}
	}
}

static void identifications(void **state)
{
	static const struct {
		uint16_t fragment;
		uint16_t ids[3];
		size_t n_writes;
	} rows[] = {
		{ 0x4000, { 7, 8, 9 }, 1 },      { 0x4000, { 7, 7, 7 }, 1 },
		{ 0x4000, { 0xffff, 0, 1 }, 1 }, { 0x4000, { 7, 7, 8 }, 2 },
		{ 0x4000, { 7, 8, 7 }, 2 },      { 0x4000, { 7, 7, 9 }, 2 },
		{ 0x4000, { 7, 8, 8 }, 2 },      { 0x4000, { 7, 9, 11 }, 3 },
		{ 0x4000, { 7, 6, 5 }, 3 },      { 0, { 7, 8, 9 }, 1 },
		{ 0, { 7, 7, 7 }, 3 }, /* RFC 791: may be fragmented, so the number counts */
		{ 0x8000, { 7, 8, 9 }, 1 },      { 0x2000, { 7, 8, 9 }, 3 },
		{ 0x0001, { 7, 8, 9 }, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (unsigned int tcp = 0; tcp < 2; tcp++) {
			struct ref_packet spec = plain(false, tcp ? REF_TCP : REF_UDP);

			n_slots = 0;
			spec.fragment = rows[i].fragment;
			for (size_t j = 0; j < 3; j++, spec.seq += 50) {
				spec.id = rows[i].ids[j];
				put(&spec, 50);
			}
			add_all(GRO_BOTH);
			assert_int_equal(expect_batch(), rows[i].n_writes);
		}
}

/* What speaks of more than data is alone, even among its like. */
static void odd_flags(void **state)
{
	static const struct {
		uint16_t flags;
		size_t n_writes;
	} rows[] = {
		{ REF_ACK, 1 },
		{ REF_ACK | REF_ECE, 1 },
		{ REF_ACK | REF_PSH, 3 },
		{ REF_ACK | REF_CWR, 3 },
		{ REF_ACK | REF_URG, 3 },
		{ REF_ACK | REF_FIN, 3 },
		{ REF_ACK | REF_SYN, 3 },
		{ REF_ACK | REF_RST, 3 },
		{ REF_ACK | 0x100, 3 },
		{ REF_ACK | 0x200, 3 },
		{ REF_ACK | 0x400, 3 },
		{ REF_ACK | 0x800, 3 },
		{ 0, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (unsigned int v6 = 0; v6 < 2; v6++) {
			struct ref_packet spec = plain(v6, REF_TCP);

			n_slots = 0;
			spec.flags = rows[i].flags;
			for (size_t j = 0; j < 3; j++, spec.seq += 50, spec.id++)
				put(&spec, 50);
			add_all(GRO_BOTH);
			assert_int_equal(expect_batch(), rows[i].n_writes);
		}
}

/* A checksum that is right as 0xffff would come out again as zero. */
static void zero_in_its_other_form(void **state)
{
	struct ref_packet spec = plain(false, REF_TCP);
	struct slot *slot;

	(void)state;
	for (unsigned int tcp = 0; tcp < 2; tcp++) {
		size_t field = tcp ? 36 : 10;
		uint16_t *adjusted = tcp ? &spec.window : &spec.id;

		spec = plain(false, REF_TCP);
		n_slots = 0;
		/* What is missing to 0xffff goes into a field that was zero. */
		*adjusted = 0;
		*adjusted = ref_load16(data_of(put(&spec, 50)) + field);
		n_slots = 0;
		for (size_t i = 0; i < 2; i++, spec.seq += 50, spec.id++) {
			slot = put(&spec, 50);
			if (ref_load16(slot->original + field) == 0)
				ref_store16(slot->original + field, 0xffff);
			memcpy(data_of(slot), slot->original, slot->len);
		}
		assert_int_equal(ref_load16(slots[0].original + field), 0xffff);
		assert_true(ref_valid(slots[0].original, slots[0].len));
		add_all(GRO_BOTH);
		assert_int_equal(expect_batch(), 2);
	}
}

/* A fragment may be of any flow; other protocols are of none. */
static void order_with_others(void **state)
{
	struct ref_packet spec = plain(false, REF_TCP);

	(void)state;
	for (unsigned int kind = 0; kind < 4; kind++) {
		struct ref_packet other = plain(kind == 3, REF_UDP);
		struct slot *slot;

		spec.seq = 5;
		n_slots = 0;
		put(&spec, 100);
		other.fragment = kind == 0 ? 0x0010 : kind == 1 ? 0x2000 : 0;
		slot = put(&other, 200);
		slot->flow = ANY_FLOW;
		if (kind >= 2) { /* ICMP; an IPv6 fragment */
			slot->original[kind == 2 ? 9 : 6] = kind == 2 ? 1 : 44;
			memcpy(data_of(slot), slot->original, slot->len);
		}
		spec.seq += 100;
		spec.id++;
		put(&spec, 100);
		spec.id--;
		add_all(GRO_BOTH);
		assert_int_equal(expect_batch(), kind == 2 ? 2 : 3);
	}
}

static void udp_without_checksum(void **state)
{
	struct ref_packet spec = plain(false, REF_UDP);

	(void)state;
	n_slots = 0;
	for (size_t i = 0; i < 6; i++, spec.id++) {
		spec.zero_checksum = i < 3;
		put(&spec, 100);
	}
	add_all(GRO_BOTH);
	assert_int_equal(expect_batch(), 2);
	/* IPv6 has no such thing (RFC 8200 section 8.1): it is damage. */
	spec = plain(true, REF_UDP);
	n_slots = 0;
	for (size_t i = 0; i < 2; i++) {
		struct slot *slot = put(&spec, 100);

		ref_store16(slot->original + 46, 0);
		memcpy(data_of(slot), slot->original, slot->len);
	}
	add_all(GRO_BOTH);
	assert_int_equal(expect_batch(), 2);
}

/* Only with the switch is damage merged: the test for the switch, not for the damage. */
static void trusted_checksums_are_not_read(void **state)
{
	struct ref_packet spec = plain(false, REF_TCP);
	size_t n_writes = 0;

	(void)state;
	n_slots = 0;
	for (size_t i = 0; i < 3; i++, spec.seq += 100, spec.id++)
		data_of(put(&spec, 100))[60] ^= 1;
	add_all(GRO_BOTH);
	while (gro_next(&gro))
		n_writes++;
	assert_int_equal(n_writes, 3);
	add_all(GRO_BOTH | GRO_TRUST_CHECKSUMS);
	for (n_writes = 0; gro_next(&gro);)
		n_writes++;
	assert_int_equal(n_writes, 1);
}

static void many_flows_at_once(void **state)
{
	(void)state;
	n_slots = 0;
	for (size_t round = 0; round < 8; round++)
		for (size_t i = 0; i < 64; i++) {
			struct ref_packet spec = plain(i & 1, REF_TCP);

			spec.source_port = (uint16_t)(1000 + i);
			spec.seq += (uint32_t)(round * 50);
			spec.id += (uint16_t)round;
			put(&spec, 50)->flow = ANY_FLOW;
		}
	assert_int_equal(n_slots, GRO_MAX_PACKETS);
	add_all(GRO_BOTH);
	assert_false(gro_add(&gro, data_of(&slots[0]), slots[0].len));
	assert_true(expect_batch() < (size_t)64 * 3);
	/* The next batch knows nothing of it. */
	n_slots = 1;
	add_all(GRO_BOTH);
	assert_int_equal(expect_batch(), 1);
	n_slots = 0;
	add_all(GRO_BOTH);
	assert_int_equal(expect_batch(), 0);
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void bench_batch(const char *what, unsigned int flags, size_t rounds)
{
	const struct gro_write *write;
	size_t n_writes = 0;
	double begin = now_ns();

	for (size_t i = 0; i < rounds; i++) {
		n_writes = 0;
		gro_begin(&gro, flags);
		for (size_t j = 0; j < n_slots; j++)
			if (!gro_add(&gro, data_of(&slots[j]), slots[j].len))
				fail();
		while ((write = gro_next(&gro)))
			n_writes += (size_t)write->n_iov > 0;
	}
	print_message("merge %s, %zu packets, %zu writes: %.1f ns a packet\n", what, n_slots,
		      n_writes, (now_ns() - begin) / (double)(rounds * n_slots));
}

static void bench(void **state)
{
	(void)state;
	if (getenv("VPND_TEST_BENCH") == NULL)
		skip();
	for (unsigned int kind = 0; kind < 4; kind++) {
		const char *const names[] = { "UDPv4", "TCPv4", "UDPv6", "TCPv6" };
		struct ref_packet spec = plain(kind & 2, kind & 1 ? REF_TCP : REF_UDP);

		n_slots = 0;
		for (size_t i = 0; i < 45; i++, spec.seq += 1400, spec.id++)
			put(&spec, 1400);
		print_message("%s: ", names[kind]);
		bench_batch("verified", GRO_BOTH, 20000);
		bench_batch("trusted", GRO_BOTH | GRO_TRUST_CHECKSUMS, 20000);
		spec.seq = 0;
		n_slots = 0;
		for (size_t i = 0; i < 64; i++) {
			spec.ack++;
			put(&spec, 0);
		}
		bench_batch("empty (ACKs)", GRO_BOTH, 10000);
	}
	n_slots = 0;
	for (size_t i = 0; i < 64; i++) {
		struct ref_packet spec = plain(false, REF_TCP);

		spec.source_port = (uint16_t)(spec.source_port + i % 8);
		spec.seq = (uint32_t)(i / 8 * 1400);
		spec.id = (uint16_t)(i / 8);
		put(&spec, 1400);
	}
	bench_batch("8 flows in turn, trusted", GRO_BOTH | GRO_TRUST_CHECKSUMS, 10000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_merge_by_the_rules),
		cmocka_unit_test(runs_end_where_they_must),
		cmocka_unit_test(length_limit),
		cmocka_unit_test(identifications),
		cmocka_unit_test(odd_flags),
		cmocka_unit_test(zero_in_its_other_form),
		cmocka_unit_test(order_with_others),
		cmocka_unit_test(udp_without_checksum),
		cmocka_unit_test(trusted_checksums_are_not_read),
		cmocka_unit_test(many_flows_at_once),
		cmocka_unit_test(bench),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
