/*
 * What the tests of merging share: a batch of packets of known flows, and the check that all that
 * comes out of it is what went in, in its order, and that a kernel would take it.
 */
#ifndef TESTS_UNIT_GRO_BATCH_H
#define TESTS_UNIT_GRO_BATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/data/gro.h"
#include "tests/unit/offload_ref.h"

#define PACKET_MAX 1600
#define SUPER_MAX  66000
#define N_FLOWS    12
#define ANY_FLOW   N_FLOWS /* of a packet that has no flow */
#define GRO_BOTH   (GRO_TCP | GRO_UDP)

/* A batch: where packets lie, as they were, and of which flow they are. */
struct slot {
	uint8_t room[16 + PACKET_MAX];
	uint8_t original[PACKET_MAX];
	size_t len;
	size_t flow;
	bool written;
};

static struct slot slots[GRO_MAX_PACKETS];
static size_t n_slots;
static struct gro gro;
static uint8_t payload[PACKET_MAX];

static inline uint8_t *data_of(struct slot *slot)
{
	return slot->room + 16;
}

static inline struct slot *slot_of(const struct gro_packet *packet)
{
	size_t index = (size_t)(packet->data - (uint8_t *)slots) / sizeof(slots[0]);

	assert_true(index < n_slots);
	assert_ptr_equal(packet->data, data_of(&slots[index]));
	return &slots[index];
}

static inline struct slot *put(const struct ref_packet *spec, size_t payload_len)
{
	struct slot *slot = &slots[n_slots++];

	slot->len = ref_build(data_of(slot), spec, payload, payload_len);
	memcpy(slot->original, data_of(slot), slot->len);
	slot->flow = 0;
	return slot;
}

static inline void add_all(unsigned int flags)
{
	gro_begin(&gro, flags);
	for (size_t i = 0; i < n_slots; i++)
		assert_true(gro_add(&gro, data_of(&slots[i]), slots[i].len));
}

/* The bytes of a write, as the kernel sees them. */
static inline size_t flatten(const struct gro_write *write, uint8_t *out)
{
	size_t len = 0;

	for (int i = 0; i < write->n_iov; i++) {
		memcpy(out + len, write->iov[i].iov_base, write->iov[i].iov_len);
		len += write->iov[i].iov_len;
	}
	return len;
}

/* The kernel's rules, include/linux/virtio_net.h, and our own. */
static inline void expect_right_header(const uint8_t *wire, size_t len, size_t n_packets)
{
	const struct vnet_hdr header = vnet_decode(wire);
	const uint8_t *ip = wire + VNET_HDR_LEN;
	bool v6 = ip[0] >> 4 == 6, tcp = ref_protocol(ip) == REF_TCP;
	size_t ip_len = ref_ip_len(ip), total = len - VNET_HDR_LEN, payload_len;

	assert_int_equal(header.flags, VNET_FLAG_NEEDS_CSUM);
	assert_int_equal(header.gso_type, !tcp ? VNET_GSO_UDP_L4
					  : v6 ? VNET_GSO_TCPV6
					       : VNET_GSO_TCPV4);
	assert_int_equal(header.csum_start, ip_len);
	assert_int_equal(header.csum_offset, ref_csum_offset(ip));
	assert_int_equal(header.hdr_len, ip_len + (tcp ? (size_t)(ip[ip_len + 12] >> 4) * 4 : 8));
	payload_len = total - header.hdr_len;
	assert_true(n_packets >= 2 && n_packets <= GRO_MAX_SEGMENTS);
	assert_true(payload_len > header.gso_size && total <= 65535);
	assert_true(payload_len <= (size_t)header.gso_size * n_packets &&
		    payload_len > (size_t)header.gso_size * (n_packets - 1));
	assert_int_equal(v6 ? ref_load16(ip + 4) + 40u : ref_load16(ip + 2), total);
	if (!v6)
		assert_int_equal(ref_sum(ip, ip_len, 0), 0xffff);
	if (!tcp)
		assert_int_equal(ref_load16(ip + ip_len + 4), total - ip_len);
	assert_int_equal(ref_load16(ip + header.csum_start + header.csum_offset),
			 ref_pseudo(ip, total - ip_len));
}

/* Undoes the two differences that gro.h admits. */
static inline void normalise(uint8_t *segment, size_t len, const uint8_t *original)
{
	size_t ip_len = ref_ip_len(original);

	if (original[0] >> 4 == 4 && (original[6] & 0x40))
		memcpy(segment + 4, original + 4, 2);
	ref_fix(segment, len,
		ref_protocol(original) == REF_UDP && ref_load16(original + ip_len + 6) == 0);
}

static inline void expect_originals(const struct gro_write *write)
{
	static uint8_t flat[SUPER_MAX], segment[SUPER_MAX];
	size_t len = flatten(write, flat), index = 0;
	struct vnet_hdr header = vnet_decode(flat);

	if (write->n_packets == 1) {
		static const uint8_t zeros[VNET_HDR_LEN];

		assert_int_equal(write->n_iov, 1);
		assert_memory_equal(flat, zeros, VNET_HDR_LEN);
		assert_int_equal(len, VNET_HDR_LEN + slot_of(write->first)->len);
		assert_memory_equal(flat + VNET_HDR_LEN, slot_of(write->first)->original,
				    len - VNET_HDR_LEN);
		assert_null(write->first->next);
		return;
	}
	expect_right_header(flat, len, write->n_packets);
	for (const struct gro_packet *packet = write->first; packet; packet = packet->next) {
		struct slot *slot = slot_of(packet);
		size_t segment_len = ref_segment(flat + VNET_HDR_LEN, len - VNET_HDR_LEN,
						 header.gso_size, index++, segment);

		assert_int_equal(segment_len, slot->len);
		assert_true(ref_valid(slot->original, slot->len) ||
			    ref_load16(slot->original + 26) == 0);
		normalise(segment, segment_len, slot->original);
		assert_memory_equal(segment, slot->original, segment_len);
	}
	assert_int_equal(index, write->n_packets);
}

/* The fallback: each packet of a run alone, as it came. */
static inline void expect_singles(const struct gro_write *write)
{
	for (const struct gro_packet *packet = write->first; packet; packet = packet->next) {
		struct slot *slot = slot_of(packet);
		struct iovec iov = gro_single(packet);

		assert_int_equal(iov.iov_len, VNET_HDR_LEN + slot->len);
		assert_memory_equal((uint8_t *)iov.iov_base + VNET_HDR_LEN, slot->original,
				    slot->len);
	}
}

/* Checks all writes of a batch; returns their number. */
static inline size_t expect_batch(void)
{
	size_t newest[N_FLOWS + 1] = { 0 }, n_writes = 0, n_packets = 0;
	const struct gro_write *write;

	for (size_t i = 0; i < n_slots; i++)
		slots[i].written = false;
	while ((write = gro_next(&gro)) != NULL) {
		expect_originals(write);
		expect_singles(write);
		for (const struct gro_packet *packet = write->first; packet;
		     packet = packet->next) {
			struct slot *slot = slot_of(packet);
			size_t index = (size_t)(slot - slots) + 1;

			assert_false(slot->written);
			slot->written = true;
			n_packets++;
			if (slot->flow == ANY_FLOW)
				continue;
			assert_true(index > newest[slot->flow]);
			newest[slot->flow] = index;
		}
		n_writes++;
	}
	assert_null(gro_next(&gro));
	assert_int_equal(n_packets, n_slots);
	return n_writes;
}

static inline struct ref_packet plain(bool v6, uint8_t protocol)
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
		.n_options = 12,
		.options = { 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8 },
	};
}

#endif
