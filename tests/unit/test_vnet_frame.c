/*
 * Splitting of superpackets behind Ethernet headers: each segment is the header, byte for byte, and
 * what the slow segmenter of offload_ref.h makes of the packet. And shorter segments for a narrow
 * path.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/data/frame.h"
#include "daemon/data/vnet.h"
#include "tests/unit/offload_ref.h"

#define SLOT_SIZE 66100
#define PAD_MAX   16

static uint8_t slot[SLOT_SIZE], original[SLOT_SIZE], expected[SLOT_SIZE], payload[SLOT_SIZE];
static struct vnet_split split;

/* A superpacket behind a header with `n_tags` VLAN tags. Returns its length. */
static size_t make(struct seeded *seeded, const struct ref_packet *spec, size_t n_tags,
		   size_t payload_len, size_t gso_size, struct vnet_hdr *ret)
{
	size_t link_len = FRAME_HEADER_LEN + n_tags * FRAME_TAG_LEN;
	uint8_t *ip = slot + link_len;
	size_t len;

	ref_fill(seeded, payload, payload_len);
	ref_fill(seeded, slot, link_len);
	for (size_t i = 0; i < n_tags; i++)
		ref_store16(slot + 12 + i * FRAME_TAG_LEN, i == 0 ? 0x88a8 : 0x8100);
	ref_store16(slot + link_len - 2, spec->v6 ? 0x86dd : 0x0800);
	len = ref_build(ip, spec, payload, payload_len);
	ref_make_partial(ip, len);
	*ret = (struct vnet_hdr) {
		.flags = VNET_FLAG_NEEDS_CSUM,
		.gso_type = spec->protocol == REF_UDP ? VNET_GSO_UDP_L4
			    : spec->v6                ? VNET_GSO_TCPV6
						      : VNET_GSO_TCPV4,
		.gso_size = (uint16_t)gso_size,
		.csum_start = (uint16_t)(link_len + ref_ip_len(ip)),
		.csum_offset = (uint16_t)ref_csum_offset(ip),
	};
	memcpy(original, slot, link_len + len);
	assert_int_equal(frame_ip_offset(slot, link_len + len), link_len);
	return link_len + len;
}

/* Takes all segments, with padding behind each in between. Returns how many there were. */
static size_t expect_segments(size_t link_len, size_t len, size_t gso_size)
{
	size_t index = 0, segment_len, n = vnet_split_count(&split);
	uint8_t *segment;

	while ((segment = vnet_split_next(&split, &segment_len))) {
		size_t ip_len =
			ref_segment(original + link_len, len - link_len, gso_size, index, expected);
		uint8_t saved[PAD_MAX];

		assert_int_equal(segment_len, link_len + ip_len);
		assert_memory_equal(segment, original, link_len);
		assert_memory_equal(segment + link_len, expected, ip_len);
		memcpy(saved, segment + segment_len, PAD_MAX);
		frame_pad(segment, segment_len, segment_len + PAD_MAX);
		memcpy(segment + segment_len, saved, PAD_MAX);
		index++;
	}
	assert_int_equal(index, n);
	assert_int_equal(
		ref_segment(original + link_len, len - link_len, gso_size, index, expected), 0);
	return n;
}

static void every_segment_gets_the_header(void **state)
{
	struct seeded seeded = seeded_begin("every_segment_gets_the_header");

	(void)state;
	for (size_t i = 0; i < 4000; i++) {
		struct ref_packet spec = ref_random(&seeded);
		size_t n_tags = seeded_below(&seeded, FRAME_TAGS_MAX + 1);
		size_t link_len = FRAME_HEADER_LEN + n_tags * FRAME_TAG_LEN;
		size_t gso_size = 1 + seeded_below(&seeded, i % 8 ? 1500 : 60);
		size_t payload_len = 1 + seeded_below(&seeded, 64 * gso_size);
		struct vnet_hdr header;
		size_t len;

		if (seeded_below(&seeded, 4) == 0)
			spec.flags |= REF_PSH | REF_FIN | REF_CWR;
		len = make(&seeded, &spec, n_tags, MIN(payload_len, 64000), gso_size, &header);
		assert_int_equal(vnet_split_begin_frame(&split, &header, slot, link_len, len),
				 VNET_OK);
		expect_segments(link_len, len, gso_size);
	}
}

/* TCP is split into what fits; datagrams, and what fits already, stay as they are. */
static void a_narrow_path_gets_shorter_segments(void **state)
{
	struct seeded seeded = seeded_begin("a_narrow_path_gets_shorter_segments");

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		struct ref_packet spec = ref_random(&seeded);
		size_t n_tags = seeded_below(&seeded, 3);
		size_t link_len = FRAME_HEADER_LEN + n_tags * FRAME_TAG_LEN;
		size_t gso_size = 1200 + seeded_below(&seeded, 300), len, header_len;
		size_t max_len = 1250 + seeded_below(&seeded, 400);
		struct vnet_hdr header;

		len = make(&seeded, &spec, n_tags, 1 + seeded_below(&seeded, 40000), gso_size,
			   &header);
		assert_int_equal(vnet_split_begin_frame(&split, &header, slot, link_len, len),
				 VNET_OK);
		header_len =
			header.csum_start + (spec.protocol == REF_TCP ? 20u + spec.n_options : 8u);
		vnet_split_limit(&split, max_len);
		if (spec.protocol == REF_TCP && header_len + gso_size > max_len) {
			gso_size = max_len - header_len;
			assert_true(vnet_split_segment_len(&split) <= max_len);
		}
		expect_segments(link_len, len, gso_size);
	}
}

static void senseless_limits_are_ignored(void **state)
{
	struct seeded seeded = seeded_begin("senseless_limits_are_ignored");
	struct ref_packet spec = ref_random(&seeded);
	struct vnet_hdr header;
	size_t len;

	(void)state;
	spec.protocol = REF_TCP;
	spec.n_options = 0;
	for (size_t max_len = 0; max_len < 290; max_len++) {
		len = make(&seeded, &spec, 0, 9000, 1000, &header);
		assert_int_equal(
			vnet_split_begin_frame(&split, &header, slot, FRAME_HEADER_LEN, len),
			VNET_OK);
		vnet_split_limit(&split, max_len);
		assert_int_equal(expect_segments(FRAME_HEADER_LEN, len, 1000), 9);
	}
	/* A single packet has no segments. */
	header = (struct vnet_hdr) { 0 };
	assert_int_equal(vnet_split_begin_frame(&split, &header, slot, FRAME_HEADER_LEN, 1514),
			 VNET_OK);
	vnet_split_limit(&split, 600);
	assert_int_equal(vnet_split_count(&split), 1);
	assert_int_equal(vnet_split_segment_len(&split), 1514);
}

/* The numbers of the offload header count from the frame's beginning. */
static void wrong_offsets_are_refused(void **state)
{
	struct seeded seeded = seeded_begin("wrong_offsets_are_refused");

	(void)state;
	for (size_t i = 0; i < 500; i++) {
		struct ref_packet spec = ref_random(&seeded);
		struct vnet_hdr header, wrong;
		size_t len = make(&seeded, &spec, 1, 3000, 1000, &header);

		wrong = header;
		wrong.csum_start = (uint16_t)seeded_below(&seeded, 0x10000);
		if (wrong.csum_start == header.csum_start)
			continue;
		assert_int_not_equal(vnet_split_begin_frame(&split, &wrong, slot, 18, len),
				     VNET_OK);
		assert_memory_equal(slot, original, len);
		/* A header whose length was not told: nothing is where it should be. */
		assert_int_not_equal(vnet_split_begin_frame(&split, &header, slot, 14, len),
				     VNET_OK);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_segment_gets_the_header),
		cmocka_unit_test(a_narrow_path_gets_shorter_segments),
		cmocka_unit_test(senseless_limits_are_ignored),
		cmocka_unit_test(wrong_offsets_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
