/*
 * Merging of random flows, and of damaged packets: the slow segmenter of offload_ref.h must make of
 * every run what went into it.
 */
#include "tests/unit/gro_batch.h"

/* The next packet of a flow: most go on as they should, some have something odd. */
struct flow {
	size_t payload_len;
	struct ref_packet spec;
	bool fixed_id;
};

static void disturb(struct seeded *seeded, struct ref_packet *spec)
{
	switch (seeded_below(seeded, 16)) {
	case 0:
		spec->tos ^= 3;
		break;
	case 1:
		spec->ttl++;
		break;
	case 2:
		spec->ack++;
		break;
	case 3:
		spec->window++;
		break;
	case 4:
		if (spec->n_options > 0)
			spec->options[spec->n_options - 1]++;
		break;
	case 5:
		spec->id += 5;
		break;
	case 6:
		spec->fragment ^= 0x4000;
		break;
	case 7:
		spec->seq -= 100;
		break;
	case 8:
		spec->seq++;
		break;
	case 9:
		spec->zero_checksum = !spec->zero_checksum;
		break;
	case 10:
		spec->flow_label ^= 1;
		break;
	case 11:
		spec->flags ^= REF_ECE;
		break;
	case 12:
		spec->fragment ^= 0x8000;
		break;
	default:
		spec->n_options = (uint8_t)(spec->n_options >= 40 ? 0 : spec->n_options + 4);
		break;
	}
}

/* What is true of one packet only. */
static struct ref_packet odd_packet(struct seeded *seeded, const struct ref_packet *flow,
				    size_t *len)
{
	static const uint16_t flags[] = { REF_SYN, REF_ACK | REF_FIN, REF_RST,
					  REF_CWR, REF_ACK | REF_URG, REF_ACK | 0x100,
					  0,       REF_ACK | REF_CWR, REF_ACK | REF_RST,
					  REF_ACK, REF_ACK | 0x800 };
	struct ref_packet spec = *flow;

	switch (seeded_below(seeded, 6)) {
	case 0:
		spec.n_ip_extra = 8;
		break;
	case 1:
		*len = 0;
		break;
	case 2:
		if (!spec.v6)
			spec.fragment |= (uint16_t)(seeded_below(seeded, 2) ? 0x2000 : 0x0010);
		break;
	default:
		spec.flags = flags[seeded_below(seeded, sizeof(flags) / sizeof(flags[0]))];
		break;
	}
	return spec;
}

static void put_next(struct seeded *seeded, struct flow *flow, size_t index)
{
	struct ref_packet spec;
	struct slot *slot;
	size_t len = flow->payload_len;

	if (seeded_below(seeded, 20) == 0)
		disturb(seeded, &flow->spec);
	if (seeded_below(seeded, 20) == 0)
		flow->payload_len = 1 + seeded_below(seeded, 1400);
	if (seeded_below(seeded, 20) == 0)
		len = 1 + seeded_below(seeded, len);
	spec = flow->spec;
	if (seeded_below(seeded, 20) == 0)
		spec.flags |= REF_PSH;
	if (seeded_below(seeded, 20) == 0)
		spec = odd_packet(seeded, &flow->spec, &len);
	ref_fill(seeded, payload, len);
	slot = put(&spec, len);
	slot->flow = index;
	if (seeded_below(seeded, 30) == 0) { /* damaged somewhere */
		slot->original[seeded_below(seeded, slot->len)] ^=
			(uint8_t)(1 + seeded_below(seeded, 255));
		memcpy(data_of(slot), slot->original, slot->len);
		/* Damaged addresses or ports make it a packet of another flow. */
		slot->flow = ANY_FLOW;
	}
	flow->spec.seq += (uint32_t)len;
	if (!flow->fixed_id)
		flow->spec.id++;
}

/* Neither TCP nor UDP, or not even a packet. */
static void put_stranger(struct seeded *seeded)
{
	static const uint8_t first[] = { 0x45, 0x60, 0x46, 0x44, 0x40, 0x00, 0x4f, 0x6f };
	struct slot *slot = &slots[n_slots++];

	slot->len = 1 + seeded_below(seeded, 100);
	slot->flow = ANY_FLOW;
	ref_fill(seeded, slot->original, slot->len);
	slot->original[0] = first[seeded_below(seeded, sizeof(first))];
	memcpy(data_of(slot), slot->original, slot->len);
}

static void begin_flow(struct seeded *seeded, struct flow *flow)
{
	flow->spec = ref_random(seeded);
	flow->spec.zero_checksum = seeded_below(seeded, 4) == 0;
	flow->payload_len = 1 + seeded_below(seeded, seeded_below(seeded, 3) ? 1400 : 30);
	flow->fixed_id = seeded_below(seeded, 3) == 0;
}

static void random_flows(void **state)
{
	struct seeded seeded = seeded_begin("random_flows");
	size_t n_merged = 0, n_all = 0;

	(void)state;
	for (size_t i = 0; i < 3000; i++) {
		size_t n_flows = 1 + seeded_below(&seeded, N_FLOWS);
		size_t n = 1 + seeded_below(&seeded, i % 64 == 0 ? GRO_MAX_PACKETS : 100);
		struct flow flows[N_FLOWS];
		size_t index = 0;

		for (size_t j = 0; j < n_flows; j++)
			begin_flow(&seeded, &flows[j]);
		n_slots = 0;
		while (n_slots < n) {
			if (seeded_below(&seeded, 3) == 0)
				index = seeded_below(&seeded, n_flows);
			if (seeded_below(&seeded, 100) == 0)
				put_stranger(&seeded);
			else
				put_next(&seeded, &flows[index], index);
		}
		add_all(GRO_BOTH);
		n_all += n_slots;
		n_merged += n_slots - expect_batch();
	}
	print_message("%zu packets, %zu fewer writes\n", n_all, n_merged);
	assert_true(n_merged > n_all / 10);
}

/* Damaged packets of undamaged flows never vanish in a run; without them all would be one. */
static void damage_is_never_repaired(void **state)
{
	struct seeded seeded = seeded_begin("damage_is_never_repaired");

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		struct flow flow;
		size_t bad = seeded_below(&seeded, 3), bit;
		const struct gro_write *write;

		begin_flow(&seeded, &flow);
		flow.spec.zero_checksum = false;
		flow.fixed_id = false;
		n_slots = 0;
		for (size_t j = 0; j < 3; j++) {
			ref_fill(&seeded, payload, flow.payload_len);
			put(&flow.spec, flow.payload_len);
			flow.spec.seq += (uint32_t)flow.payload_len;
			flow.spec.id++;
		}
		bit = seeded_below(&seeded, slots[bad].len * 8);
		slots[bad].original[bit / 8] ^= (uint8_t)(1 << bit % 8);
		data_of(&slots[bad])[bit / 8] ^= (uint8_t)(1 << bit % 8);
		add_all(GRO_BOTH);
		while ((write = gro_next(&gro)) != NULL)
			for (const struct gro_packet *packet = write->first; packet;
			     packet = packet->next)
				/*
				 * Flow label, traffic class and hop limit are in no checksum: such
				 * a packet differs from its neighbours, and is alone for that.
				 */
				if (slot_of(packet) == &slots[bad])
					assert_int_equal(write->n_packets, 1);
	}
}

/* Split, sealed, opened, merged: the superpacket is as it was. */
static void split_then_merge(void **state)
{
	struct seeded seeded = seeded_begin("split_then_merge");
	static uint8_t super[SUPER_MAX], original[SUPER_MAX], flat[SUPER_MAX];
	static struct vnet_split split;

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		struct ref_packet spec = ref_random(&seeded);
		size_t gso_size = 1 + seeded_below(&seeded, 1400), len, segment_len;
		size_t n = 2 + seeded_below(&seeded, 40);
		size_t payload_len = gso_size * (n - 1) + 1 + seeded_below(&seeded, gso_size);
		struct vnet_hdr header = { .flags = VNET_FLAG_NEEDS_CSUM };
		const struct gro_write *write;
		uint8_t *segment;

		if (spec.protocol == REF_TCP && seeded_below(&seeded, 2))
			spec.flags |= REF_PSH;
		ref_fill(&seeded, flat, payload_len);
		len = ref_build(super, &spec, flat, payload_len);
		ref_make_partial(super, len);
		memcpy(original, super, len);
		header.gso_type = spec.protocol == REF_UDP ? VNET_GSO_UDP_L4
				  : spec.v6                ? VNET_GSO_TCPV6
							   : VNET_GSO_TCPV4;
		header.gso_size = (uint16_t)gso_size;
		header.csum_start = (uint16_t)ref_ip_len(super);
		header.csum_offset = (uint16_t)ref_csum_offset(super);
		assert_int_equal(vnet_split_begin(&split, &header, super, len), VNET_OK);
		n_slots = 0;
		while ((segment = vnet_split_next(&split, &segment_len))) {
			memcpy(data_of(&slots[n_slots]), segment, segment_len);
			slots[n_slots++].len = segment_len;
		}
		assert_int_equal(n_slots, n);
		add_all(GRO_BOTH);
		write = gro_next(&gro);
		assert_non_null(write);
		/* A TCP checksum of 0xffff, which one in 65,536 has, stays alone. */
		if (write->n_packets != n)
			continue;
		assert_int_equal(flatten(write, flat), VNET_HDR_LEN + len);
		assert_memory_equal(flat + VNET_HDR_LEN, original, len);
		header.hdr_len = vnet_decode(flat).hdr_len;
		assert_memory_equal(flat, &header, VNET_HDR_LEN);
		assert_null(gro_next(&gro));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_flows),
		cmocka_unit_test(damage_is_never_repaired),
		cmocka_unit_test(split_then_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
