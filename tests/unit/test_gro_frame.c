/*
 * Merging of Ethernet frames: what is written, split again by vnet.h, is what went in, frame by
 * frame; only equal headers are merged; what has no IP in it stays as it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/data/gro.h"
#include "tests/unit/offload_ref.h"

#define FRAME_MAX 1700
#define HEADROOM  16
#define N_MAX     200
#define N_FLOWS   4
#define SUPER_MAX 66100

static uint8_t rooms[N_MAX][HEADROOM + FRAME_MAX], originals[N_MAX][FRAME_MAX];
static size_t lens[N_MAX], n_frames;
static uint8_t payload[FRAME_MAX], flat[SUPER_MAX + VNET_HDR_LEN];
static struct gro gro;

/* A flow: its packets, and the header in front of them. */
struct flow {
	struct ref_packet spec;
	uint8_t link[FRAME_LINK_MAX];
	size_t link_len;
	size_t payload_len;
};

static void begin_flow(struct seeded *seeded, struct flow *flow)
{
	size_t n_tags = seeded_below(seeded, FRAME_TAGS_MAX + 1);

	flow->spec = ref_random(seeded);
	flow->payload_len = 100 + seeded_below(seeded, 1300);
	flow->link_len = FRAME_HEADER_LEN + n_tags * FRAME_TAG_LEN;
	ref_fill(seeded, flow->link, flow->link_len);
	for (size_t i = 0; i < n_tags; i++)
		ref_store16(flow->link + 12 + i * FRAME_TAG_LEN, 0x8100);
	ref_store16(flow->link + flow->link_len - 2, flow->spec.v6 ? 0x86dd : 0x0800);
}

static void keep(size_t len)
{
	lens[n_frames] = len;
	memcpy(originals[n_frames], rooms[n_frames] + HEADROOM, len);
	n_frames++;
}

static void put(struct seeded *seeded, struct flow *flow, size_t payload_len)
{
	uint8_t *frame = rooms[n_frames] + HEADROOM;

	ref_fill(seeded, payload, payload_len);
	memcpy(frame, flow->link, flow->link_len);
	keep(flow->link_len + ref_build(frame + flow->link_len, &flow->spec, payload, payload_len));
	flow->spec.seq += (uint32_t)payload_len;
	flow->spec.id++;
}

/* ARP, LLDP, a frame with a length, or padding behind a short packet. */
static void put_stranger(struct seeded *seeded)
{
	static const uint16_t types[] = { 0x0806, 0x88cc, 60, 0x0800, 0x86dd, 0x8100 };
	uint8_t *frame = rooms[n_frames] + HEADROOM;
	size_t len = FRAME_HEADER_LEN + seeded_below(seeded, 120);

	ref_fill(seeded, frame, len);
	ref_store16(frame + 12, types[seeded_below(seeded, ARRAY_SIZE(types))]);
	keep(len);
}

static void add_all(unsigned int flags)
{
	gro_begin(&gro, flags);
	for (size_t i = 0; i < n_frames; i++) {
		uint8_t *frame = rooms[i] + HEADROOM;

		assert_true(gro_add_frame(&gro, frame, lens[i], frame_ip_offset(frame, lens[i])));
	}
}

static size_t index_of(const struct gro_packet *packet)
{
	size_t index = (size_t)(packet->data - rooms[0]) / sizeof(rooms[0]);

	assert_true(index < n_frames);
	assert_ptr_equal(packet->data, rooms[index] + HEADROOM);
	assert_int_equal(packet->len, lens[index]);
	return index;
}

static size_t flatten(const struct gro_write *write)
{
	size_t len = 0;

	for (int i = 0; i < write->n_iov; i++) {
		assert_true(len + write->iov[i].iov_len <= sizeof(flat));
		memcpy(flat + len, write->iov[i].iov_base, write->iov[i].iov_len);
		len += write->iov[i].iov_len;
	}
	return len;
}

/* A run gives back its frames; the IPv4 identification may count where it must not be looked at. */
static void expect_frames(const struct gro_write *write, size_t len)
{
	static struct vnet_split split;
	const struct gro_packet *packet = write->first;
	const struct vnet_hdr header = vnet_decode(flat);
	uint8_t *frame = flat + VNET_HDR_LEN;
	size_t offset = frame_ip_offset(frame, len - VNET_HDR_LEN), segment_len;
	uint8_t *segment;

	assert_true(header.flags == VNET_FLAG_NEEDS_CSUM && offset > 0);
	assert_int_equal(header.csum_start, offset + ref_ip_len(frame + offset));
	assert_int_equal(header.hdr_len, write->iov[0].iov_len - VNET_HDR_LEN);
	assert_int_equal(write->protocol, ref_protocol(frame + offset));
	assert_int_equal(vnet_split_begin_frame(&split, &header, frame, offset, len - VNET_HDR_LEN),
			 VNET_OK);
	while ((segment = vnet_split_next(&split, &segment_len))) {
		const uint8_t *original = originals[index_of(packet)];

		assert_int_equal(segment_len, packet->len);
		if (segment[offset] >> 4 == 4 && (original[offset + 6] & 0x40)) {
			memcpy(segment + offset + 4, original + offset + 4, 2);
			ref_fix(segment + offset, segment_len - offset, false);
		}
		assert_memory_equal(segment, original, segment_len);
		packet = packet->next;
	}
	assert_null(packet);
}

/* Checks all writes; returns their number. */
static size_t expect_all(void)
{
	const struct gro_write *write;
	size_t n_writes = 0, n = 0;

	while ((write = gro_next(&gro))) {
		size_t len = flatten(write);

		if (write->n_packets > 1) {
			expect_frames(write, len);
		} else {
			size_t i = index_of(write->first);

			assert_int_equal(len, VNET_HDR_LEN + lens[i]);
			assert_memory_equal(flat + VNET_HDR_LEN, originals[i], lens[i]);
		}
		n += write->n_packets;
		n_writes++;
	}
	assert_int_equal(n, n_frames);
	return n_writes;
}

static void flows_are_merged_behind_their_headers(void **state)
{
	struct seeded seeded = seeded_begin("flows_are_merged_behind_their_headers");
	size_t n_all = 0, n_fewer = 0;

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		struct flow flows[N_FLOWS];
		size_t index = 0;

		for (size_t j = 0; j < N_FLOWS; j++)
			begin_flow(&seeded, &flows[j]);
		n_frames = 0;
		while (n_frames < 1 + i % N_MAX) {
			struct flow *flow = &flows[index];

			if (seeded_below(&seeded, 8) == 0)
				index = seeded_below(&seeded, N_FLOWS);
			if (seeded_below(&seeded, 30) == 0)
				flow->link[seeded_below(&seeded, 12)] ^= 1;
			if (seeded_below(&seeded, 30) == 0)
				put_stranger(&seeded);
			else if (seeded_below(&seeded, 20) == 0)
				put(&seeded, flow, 1 + seeded_below(&seeded, flow->payload_len));
			else
				put(&seeded, flow, flow->payload_len);
		}
		add_all(GRO_TCP | GRO_UDP);
		n_all += n_frames;
		n_fewer += n_frames - expect_all();
	}
	print_message("%zu frames, %zu fewer writes\n", n_all, n_fewer);
	assert_true(n_fewer > n_all / 4);
}

/* Stations and tags: a bit of difference anywhere, and the frames stay apart. */
static void other_headers_are_not_merged(void **state)
{
	struct seeded seeded = seeded_begin("other_headers_are_not_merged");
	struct flow flow;

	(void)state;
	begin_flow(&seeded, &flow);
	flow.spec.protocol = REF_TCP;
	flow.spec.seq = 1;
	flow.link_len = 18;
	ref_store16(flow.link + 12, 0x8100);
	ref_store16(flow.link + 16, flow.spec.v6 ? 0x86dd : 0x0800);
	for (size_t bit = 0; bit <= 128; bit++) {
		if (bit / 8 == 12 || bit / 8 == 13) /* that would be no tag any more */
			continue;
		n_frames = 0;
		put(&seeded, &flow, 500);
		if (bit < 128)
			flow.link[bit / 8] ^= (uint8_t)(1 << bit % 8);
		put(&seeded, &flow, 500);
		add_all(GRO_TCP | GRO_UDP | GRO_TRUST_CHECKSUMS);
		assert_int_equal(expect_all(), bit < 128 ? 2 : 1);
		if (bit < 128)
			flow.link[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* The longest run that IP allows does not count the Ethernet header. */
static void the_longest_run(void **state)
{
	struct seeded seeded = seeded_begin("the_longest_run");
	struct flow flow;

	(void)state;
	begin_flow(&seeded, &flow);
	flow.spec.protocol = REF_TCP;
	flow.spec.n_options = 0;
	n_frames = 0;
	for (size_t i = 0; i < 45; i++)
		put(&seeded, &flow, 1448);
	/* 65,535 and not a byte more: the last one has what is left, or one more. */
	put(&seeded, &flow, 65535 - (flow.spec.v6 ? 60u : 40u) - 45 * 1448u);
	add_all(GRO_TCP | GRO_TRUST_CHECKSUMS);
	assert_int_equal(expect_all(), 1);
	n_frames--;
	flow.spec.seq -= (uint32_t)(lens[n_frames] - flow.link_len - (flow.spec.v6 ? 60u : 40u));
	flow.spec.id--;
	put(&seeded, &flow, 65536 - (flow.spec.v6 ? 60u : 40u) - 45 * 1448u);
	add_all(GRO_TCP | GRO_TRUST_CHECKSUMS);
	assert_int_equal(expect_all(), 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_are_merged_behind_their_headers),
		cmocka_unit_test(other_headers_are_not_merged),
		cmocka_unit_test(the_longest_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
