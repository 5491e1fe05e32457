/*
 * Splitting of superpackets against the slow segmenter of offload_ref.h, and every lie that a
 * header can tell. With VPND_TEST_BENCH set it says what a segment costs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "daemon/data/csum.h"
#include "daemon/data/vnet.h"
#include "tests/unit/offload_ref.h"

#define SLOT_SIZE 66000
#define PAD_MAX   15

/* A superpacket as the kernel hands it over, and a copy of it as it was. */
struct super {
	struct vnet_hdr header;
	uint8_t slot[SLOT_SIZE];
	uint8_t original[SLOT_SIZE];
	size_t len;
};

static struct super super;
static uint8_t payload[SLOT_SIZE];
static struct vnet_split split;

static void make_super(const struct ref_packet *spec, size_t payload_len, size_t gso_size)
{
	bool tcp = spec->protocol == REF_TCP;

	super.len = ref_build(super.slot, spec, payload, payload_len);
	ref_make_partial(super.slot, super.len);
	super.header = (struct vnet_hdr) {
		.flags = VNET_FLAG_NEEDS_CSUM,
		.gso_type = !tcp       ? VNET_GSO_UDP_L4
			    : spec->v6 ? VNET_GSO_TCPV6
				       : VNET_GSO_TCPV4,
		.gso_size = (uint16_t)gso_size,
		.csum_start = (uint16_t)ref_ip_len(super.slot),
		.csum_offset = (uint16_t)ref_csum_offset(super.slot),
	};
	memcpy(super.original, super.slot, super.len);
}

/* Pads the segment as the cipher's caller does, and takes the padding away again. */
static void pad_and_restore(uint8_t *segment, size_t len, size_t pad)
{
	uint8_t saved[PAD_MAX];

	memcpy(saved, segment + len, pad);
	memset(segment + len, 0, pad);
	memcpy(segment + len, saved, pad);
}

static void expect_reference_segments(struct seeded *seeded)
{
	static uint8_t expected[SLOT_SIZE];
	size_t index = 0, gso_size = super.header.gso_size, longest, n_segments, expected_len, len;
	uint8_t *segment;

	assert_int_equal(vnet_split_begin(&split, &super.header, super.slot, super.len), VNET_OK);
	longest = vnet_split_segment_len(&split);
	n_segments = vnet_split_count(&split);
	assert_int_equal(vnet_split_gso_size(&split), gso_size);
	while ((segment = vnet_split_next(&split, &len)) != NULL) {
		expected_len = ref_segment(super.original, super.len, gso_size, index, expected);
		assert_int_equal(len, expected_len);
		assert_memory_equal(segment, expected, len);
		assert_true(len == longest || (index + 1 == n_segments && len < longest));
		pad_and_restore(segment, len, seeded_below(seeded, PAD_MAX + 1));
		index++;
	}
	assert_int_equal(index, n_segments);
	assert_int_equal(ref_segment(super.original, super.len, gso_size, index, expected), 0);
	assert_null(vnet_split_next(&split, &len));
}

static void random_superpackets(void **state)
{
	struct seeded seeded = seeded_begin("random_superpackets");

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		struct ref_packet spec = ref_random(&seeded);
		bool large = seeded_below(&seeded, 50) == 0;
		size_t payload_len = 1 + seeded_below(&seeded, large ? 65000 : 6000);
		/* A tiny segment's header overwrites that of the one before. */
		size_t gso_size = 1 + seeded_below(&seeded, seeded_below(&seeded, 2) ? 60 : 1500);

		if (spec.protocol == REF_TCP)
			spec.flags |= (uint16_t)(seeded_next(&seeded) &
						 (REF_PSH | REF_FIN | REF_CWR | REF_ECE | 0x100));
		if (seeded_below(&seeded, 4) == 0)
			spec.n_ip_extra = (uint8_t)(8 * seeded_below(&seeded, 5));
		if (payload_len > 65535 - 140)
			payload_len = 65535 - 140;
		ref_fill(&seeded, payload, payload_len);
		make_super(&spec, payload_len, gso_size);
		super.header.hdr_len = (uint16_t)seeded_next(&seeded); /* means nothing */
		if (spec.protocol == REF_TCP && seeded_below(&seeded, 4) == 0)
			super.header.gso_type |= VNET_GSO_ECN;
		expect_reference_segments(&seeded);
	}
}

static struct ref_packet plain(bool v6, uint8_t protocol)
{
	return (struct ref_packet) {
		.v6 = v6,
		.protocol = protocol,
		.addresses = { 10, 1, 2, 3, [16] = 10, 4, 5, 6 },
		.source_port = 4000,
		.destination_port = 5000,
		.ttl = 64,
		.fragment = 0x4000,
		.id = 0xfffe,
		.seq = 0xfffffff0,
		.ack = 77,
		.flags = REF_ACK,
		.window = 512,
	};
}

static void flags_go_where_they_belong(void **state)
{
	struct ref_packet spec = plain(false, REF_TCP);
	static const uint8_t flags[] = { REF_ACK | REF_ECE | REF_CWR, REF_ACK | REF_ECE,
					 REF_ACK | REF_ECE | REF_PSH | REF_FIN };
	static const uint32_t seqs[] = { 0xfffffff0, 0x54, 0xb8 };
	static const uint16_t ids[] = { 0xfffe, 0xffff, 0 };
	uint8_t *segment;
	size_t len;

	(void)state;
	spec.flags |= REF_FIN | REF_PSH | REF_CWR | REF_ECE;
	make_super(&spec, 250, 100);
	assert_int_equal(vnet_split_begin(&split, &super.header, super.slot, super.len), VNET_OK);
	for (size_t i = 0; i < 3; i++) {
		segment = vnet_split_next(&split, &len);
		assert_non_null(segment);
		assert_int_equal(segment[20 + 13], flags[i]);
		assert_int_equal(ref_load32(segment + 24), seqs[i]);
		assert_int_equal(ref_load16(segment + 4), ids[i]);
		assert_int_equal(len, i < 2 ? 140 : 90);
		assert_true(ref_valid(segment, len));
	}
	assert_null(vnet_split_next(&split, &len));
}

/* Searches the payload for which the checksum is zero: it must be sent as 0xffff. */
static void udp_checksum_is_never_zero(void **state)
{
	static const bool versions[] = { false, true };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ref_packet spec = plain(versions[i], REF_UDP);
		size_t ip_len = versions[i] ? 40 : 20, len;
		uint16_t before;
		uint8_t *segment;

		memset(payload, 0, 200);
		spec.source_port = 1;
		make_super(&spec, 100, 100);
		len = ref_build(super.slot, &spec, payload, 100);
		before = ref_load16(super.slot + ip_len + 6);
		ref_store16(payload, before); /* now the sum is 0xffff */
		make_super(&spec, 100, 100);
		assert_int_equal(vnet_split_begin(&split, &super.header, super.slot, super.len),
				 VNET_OK);
		segment = vnet_split_next(&split, &len);
		assert_int_equal(ref_load16(segment + ip_len + 6), 0xffff);
		/* The same by the way of a packet that is not split. */
		make_super(&spec, 100, 0);
		super.header.gso_type = VNET_GSO_NONE;
		assert_int_equal(vnet_split_begin(&split, &super.header, super.slot, super.len),
				 VNET_OK);
		segment = vnet_split_next(&split, &len);
		assert_int_equal(ref_load16(segment + ip_len + 6), 0xffff);
	}
}

static void udp_without_checksum_stays_without(void **state)
{
	struct ref_packet spec = plain(false, REF_UDP);
	uint8_t *segment;
	size_t len;

	(void)state;
	memset(payload, 9, 300);
	make_super(&spec, 300, 100);
	ref_store16(super.slot + 26, 0);
	assert_int_equal(vnet_split_begin(&split, &super.header, super.slot, super.len), VNET_OK);
	for (size_t i = 0; i < 3; i++) {
		segment = vnet_split_next(&split, &len);
		assert_int_equal(ref_load16(segment + 26), 0);
		assert_int_equal(ref_load16(segment + 24), 108);
	}
}

static void single_packets(void **state)
{
	struct seeded seeded = seeded_begin("single_packets");
	static uint8_t whole[SLOT_SIZE];
	size_t len;

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		struct ref_packet spec = ref_random(&seeded);
		size_t payload_len = seeded_below(&seeded, 1500);

		ref_fill(&seeded, payload, payload_len);
		len = ref_build(whole, &spec, payload, payload_len);
		make_super(&spec, payload_len, 0);
		super.header.gso_type = VNET_GSO_NONE;
		assert_int_equal(vnet_split_begin(&split, &super.header, super.slot, super.len),
				 VNET_OK);
		assert_int_equal(vnet_split_count(&split), 1);
		assert_int_equal(vnet_split_gso_size(&split), 0);
		assert_int_equal(vnet_split_segment_len(&split), len);
		assert_ptr_equal(vnet_split_next(&split, &len), super.slot);
		assert_int_equal(len, super.len);
		/* skb_checksum_help() writes a TCP checksum of zero as 0xffff, too. */
		if (ref_load16(super.slot + ref_ip_len(whole) + ref_csum_offset(whole)) != 0xffff)
			assert_memory_equal(super.slot, whole, len);
		assert_true(ref_valid(super.slot, len));
		assert_null(vnet_split_next(&split, &len));

		/* Without the flag nothing is touched, whatever the other numbers are. */
		memcpy(super.slot, super.original, super.len);
		super.header.flags = 0;
		super.header.csum_start = (uint16_t)seeded_next(&seeded);
		assert_int_equal(vnet_split_begin(&split, &super.header, super.slot, super.len),
				 VNET_OK);
		assert_ptr_equal(vnet_split_next(&split, &len), super.slot);
		assert_memory_equal(super.slot, super.original, super.len);
	}
}

enum { IN_VNET, IN_PACKET };

/* A right superpacket in which one thing is changed. */
struct lie {
	bool v6;
	uint8_t protocol;
	uint8_t where;  /* IN_VNET or IN_PACKET */
	uint8_t offset; /* of a byte of struct vnet_hdr (little end first) or of the packet */
	uint8_t value;
	enum vnet_refusal refusal;
};

static const struct lie lies[] = {
	{ false, REF_TCP, IN_VNET, 0, 0, VNET_BAD_CSUM },    /* flags: no checksum wanted */
	{ false, REF_TCP, IN_VNET, 0, 2, VNET_BAD_CSUM },    /* flags: DATA_VALID */
	{ false, REF_TCP, IN_VNET, 1, 2, VNET_BAD_TYPE },    /* unknown */
	{ false, REF_TCP, IN_VNET, 1, 3, VNET_BAD_TYPE },    /* UDP fragmentation, long gone */
	{ false, REF_TCP, IN_VNET, 1, 0x80, VNET_BAD_TYPE }, /* ECN of nothing */
	{ false, REF_UDP, IN_VNET, 1, 0x85, VNET_BAD_TYPE }, /* ECN of UDP */
	{ false, REF_TCP, IN_VNET, 1, 0x41, VNET_BAD_TYPE }, /* an unknown bit */
	{ false, REF_TCP, IN_VNET, 1, 4, VNET_BAD_IP },      /* TCPV6 */
	{ true, REF_TCP, IN_VNET, 1, 1, VNET_BAD_IP },       /* TCPV4 */
	{ false, REF_TCP, IN_VNET, 1, 5, VNET_BAD_CSUM },    /* UDP_L4: the offset tells */
	{ false, REF_TCP, IN_VNET, 4, 0, VNET_BAD_GSO_SIZE },
	{ false, REF_TCP, IN_VNET, 6, 0, VNET_BAD_IP }, /* csum_start */
	{ false, REF_TCP, IN_VNET, 6, 19, VNET_BAD_IP },
	{ false, REF_TCP, IN_VNET, 6, 24, VNET_BAD_IP },
	{ false, REF_TCP, IN_VNET, 7, 1, VNET_BAD_CSUM }, /* 256 + 20: behind the end */
	{ true, REF_TCP, IN_VNET, 6, 20, VNET_BAD_IP },
	{ true, REF_TCP, IN_VNET, 6, 48, VNET_BAD_IP },
	{ false, REF_TCP, IN_VNET, 8, 6, VNET_BAD_CSUM }, /* csum_offset */
	{ false, REF_UDP, IN_VNET, 8, 16, VNET_BAD_CSUM },
	{ false, REF_TCP, IN_PACKET, 0, 0x46, VNET_BAD_IP },
	{ false, REF_TCP, IN_PACKET, 0, 0x44, VNET_BAD_IP },
	{ false, REF_TCP, IN_PACKET, 0, 0x65, VNET_BAD_IP },
	{ false, REF_UDP, IN_PACKET, 0, 0x55, VNET_BAD_IP },
	{ false, REF_TCP, IN_PACKET, 3, 1, VNET_BAD_IP },     /* total length */
	{ false, REF_TCP, IN_PACKET, 6, 0x20, VNET_BAD_IP },  /* more fragments */
	{ false, REF_TCP, IN_PACKET, 7, 1, VNET_BAD_IP },     /* fragment offset */
	{ false, REF_TCP, IN_PACKET, 9, 17, VNET_BAD_IP },    /* protocol */
	{ true, REF_TCP, IN_PACKET, 5, 1, VNET_BAD_IP },      /* payload length */
	{ true, REF_TCP, IN_PACKET, 6, 17, VNET_BAD_IP },     /* next header */
	{ true, REF_TCP, IN_PACKET, 6, 60, VNET_BAD_IP },     /* an extension that is not there */
	{ false, REF_TCP, IN_PACKET, 32, 0x40, VNET_BAD_L4 }, /* data offset 16 */
	{ false, REF_TCP, IN_PACKET, 32, 0xf0, VNET_BAD_L4 }, /* data offset 60: all the rest + */
	{ false, REF_UDP, IN_PACKET, 25, 1, VNET_BAD_L4 },    /* length */
	{ true, REF_UDP, IN_PACKET, 45, 1, VNET_BAD_L4 },
};

static void lies_are_refused(void **state)
{
	(void)state;
	memset(payload, 5, 100);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct ref_packet spec = plain(lies[i].v6, lies[i].protocol);
		enum vnet_refusal refusal;

		make_super(&spec, 30, 10);
		if (lies[i].where == IN_VNET)
			((uint8_t *)&super.header)[lies[i].offset] = lies[i].value;
		else
			super.slot[lies[i].offset] = lies[i].value;
		memcpy(super.original, super.slot, super.len);
		refusal = vnet_split_begin(&split, &super.header, super.slot, super.len);
		if (refusal != lies[i].refusal)
			print_error("lie %zu\n", i);
		assert_int_equal(refusal, lies[i].refusal);
		assert_memory_equal(super.slot, super.original, super.len);
	}
}

/* The packet is cut everywhere, with lengths that admit it: nothing may be read behind it. */
static void cut_packets_are_refused(void **state)
{
	(void)state;
	for (unsigned int kind = 0; kind < 4; kind++) {
		struct ref_packet spec = plain(kind & 1, kind & 2 ? REF_TCP : REF_UDP);
		size_t headers = (kind & 1 ? 40u : 20u) + (kind & 2 ? 20u : 8u);

		make_super(&spec, 100, 30);
		for (size_t len = 0; len <= headers; len++) {
			uint8_t *cut = malloc(len > 0 ? len : 1);

			assert_non_null(cut);
			memcpy(cut, super.original, len);
			if (len >= 4 && !spec.v6)
				ref_store16(cut + 2, (uint32_t)len);
			if (len >= 40 && spec.v6)
				ref_store16(cut + 4, (uint32_t)len - 40);
			if (spec.protocol == REF_UDP && len >= headers - 2)
				ref_store16(cut + headers - 4, (uint32_t)(len - headers + 8));
			assert_int_not_equal(vnet_split_begin(&split, &super.header, cut, len),
					     VNET_OK);
			free(cut);
		}
	}
}

static void single_checksum_must_fit(void **state)
{
	struct ref_packet spec = plain(false, REF_UDP);

	(void)state;
	make_super(&spec, 10, 0);
	super.header.gso_type = VNET_GSO_NONE;
	super.header.csum_start = (uint16_t)(super.len - 7);
	assert_int_equal(vnet_split_begin(&split, &super.header, super.slot, super.len),
			 VNET_BAD_CSUM);
	super.header.csum_start = 0xffff;
	super.header.csum_offset = 0xffff;
	assert_int_equal(vnet_split_begin(&split, &super.header, super.slot, super.len),
			 VNET_BAD_CSUM);
	super.header.csum_start = 19; /* inside the IP header */
	super.header.csum_offset = 6;
	assert_int_equal(vnet_split_begin(&split, &super.header, super.slot, super.len),
			 VNET_BAD_CSUM);
	assert_memory_equal(super.slot, super.original, super.len);
	super.header.csum_start = (uint16_t)(super.len - 8);
	assert_int_equal(vnet_split_begin(&split, &super.header, super.slot, super.len), VNET_OK);
}

/* Extensions longer than the template has room for. */
static void long_headers_are_refused(void **state)
{
	struct ref_packet spec = plain(true, REF_TCP);

	(void)state;
	spec.n_ip_extra = 192;
	make_super(&spec, 100, 10);
	assert_int_equal(vnet_split_begin(&split, &super.header, super.slot, super.len), VNET_OK);
	spec.n_ip_extra = 200;
	make_super(&spec, 100, 10);
	assert_int_equal(vnet_split_begin(&split, &super.header, super.slot, super.len),
			 VNET_BAD_L4);
}

static void codec_is_the_kernels_layout(void **state)
{
	const struct vnet_hdr header = { 1, 0x81, 0x0102, 0x0304, 0x0506, 0x0708 };
	uint8_t wire[VNET_HDR_LEN];
	struct vnet_hdr back;
	uint16_t gso_size;

	(void)state;
	vnet_encode(wire, &header);
	back = vnet_decode(wire);
	assert_memory_equal(&back, &header, sizeof(header));
	memcpy(&gso_size, wire + 4, sizeof(gso_size));
	assert_int_equal(gso_size, 0x0304);
	assert_int_equal(wire[1], 0x81);
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* One superpacket over and over, so that it lies in a cache as after read(). */
static void bench_split(bool v6, uint8_t protocol, const char *what)
{
	struct ref_packet spec = plain(v6, protocol);
	size_t n_segments = 0, len;
	double begin, ns;

	spec.n_options = 12;
	make_super(&spec, (size_t)46 * 1400, 1400);
	begin = now_ns();
	for (size_t i = 0; i < 20000; i++) {
		memcpy(super.slot, super.original, VNET_HEADERS_MAX);
		if (vnet_split_begin(&split, &super.header, super.slot, super.len) != VNET_OK)
			fail();
		while (vnet_split_next(&split, &len))
			n_segments++;
	}
	ns = now_ns() - begin;
	print_message("split %s: %.1f ns a segment of 1,400 bytes\n", what,
		      ns / (double)n_segments);
}

static void bench_sums(void)
{
	uint64_t (*const sums[])(const uint8_t *, size_t) = { csum_partial, csum_partial_scalar };
	static const size_t lens[] = { 20, 64, 1400, 65000 };

	for (size_t i = 0; i < 8; i++) {
		size_t len = lens[i / 2], n = 200000000 / (len + 300);
		uint64_t sum = 0;
		double begin = now_ns();

		for (size_t j = 0; j < n; j++)
			sum += sums[i & 1](payload + (j & 15), len);
		print_message("csum %s, %zu bytes: %.1f ns (%d)\n", i & 1 ? "scalar" : "best", len,
			      (now_ns() - begin) / (double)n, csum_fold(sum) & 1);
	}
}

static void bench(void **state)
{
	(void)state;
	if (getenv("VPND_TEST_BENCH") == NULL)
		skip();
	bench_sums();
	bench_split(false, REF_TCP, "TCPv4");
	bench_split(true, REF_TCP, "TCPv6");
	bench_split(false, REF_UDP, "UDPv4");
	bench_split(true, REF_UDP, "UDPv6");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_superpackets),
		cmocka_unit_test(flags_go_where_they_belong),
		cmocka_unit_test(udp_checksum_is_never_zero),
		cmocka_unit_test(udp_without_checksum_stays_without),
		cmocka_unit_test(single_packets),
		cmocka_unit_test(lies_are_refused),
		cmocka_unit_test(cut_packets_are_refused),
		cmocka_unit_test(single_checksum_must_fit),
		cmocka_unit_test(long_headers_are_refused),
		cmocka_unit_test(codec_is_the_kernels_layout),
		cmocka_unit_test(bench),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
