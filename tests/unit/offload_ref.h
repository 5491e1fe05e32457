/*
 * What the tests of splitting and merging hold the real thing against: packets made to order, and
 * a segmenter that is slow and simple. It shares no code with daemon/data: it sums byte by byte
 * and makes every header of every segment from scratch.
 */
#ifndef TESTS_UNIT_OFFLOAD_REF_H
#define TESTS_UNIT_OFFLOAD_REF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/seed.h"

enum { REF_TCP = 6, REF_UDP = 17 };
enum { REF_FIN = 1, REF_SYN = 2, REF_RST = 4, REF_PSH = 8, REF_ACK = 16, REF_URG = 32 };
enum { REF_ECE = 64, REF_CWR = 128 };

/* How a packet looks. */
struct ref_packet {
	bool v6;
	uint8_t protocol;
	uint8_t addresses[32]; /* source and destination; IPv4 uses four bytes of each half */
	uint16_t source_port, destination_port;
	uint8_t tos, ttl;
	uint32_t flow_label;
	uint16_t id;
	uint16_t fragment;  /* flags and offset as in the header */
	uint8_t n_ip_extra; /* IPv4: bytes of options (by 4). IPv6: destination options (by 8) */
	uint32_t seq, ack;
	uint16_t urgent;
	uint16_t flags, window; /* flags: 12 bits, reserved ones included */
	uint8_t options[40];
	uint8_t n_options;
	bool zero_checksum;
};

static inline uint16_t ref_load16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline void ref_store16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void ref_store32(uint8_t *p, uint32_t value)
{
	ref_store16(p, value >> 16);
	ref_store16(p + 2, value & 0xffff);
}

static inline uint32_t ref_load32(const uint8_t *p)
{
	return (uint32_t)ref_load16(p) << 16 | ref_load16(p + 2);
}

/* RFC 1071, one word after the other, in network order. */
static inline uint32_t ref_sum(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static inline size_t ref_ip_len(const uint8_t *p)
{
	size_t len = 40;
	uint8_t next;

	if (p[0] >> 4 == 4)
		return (size_t)(p[0] & 15) * 4;
	for (next = p[6]; next == 60; len += (size_t)p[len + 1] * 8 + 8)
		next = p[len];
	return len;
}

static inline uint8_t ref_protocol(const uint8_t *p)
{
	if (p[0] >> 4 == 4)
		return p[9];
	return p[6] == 60 ? p[40] : p[6];
}

static inline uint32_t ref_pseudo(const uint8_t *p, size_t l4_len)
{
	uint8_t tail[8] = { 0 };
	uint32_t sum = p[0] >> 4 == 4 ? ref_sum(p + 12, 8, 0) : ref_sum(p + 8, 32, 0);

	ref_store32(tail, (uint32_t)l4_len);
	tail[7] = ref_protocol(p);
	return ref_sum(tail, 8, sum);
}

static inline size_t ref_csum_offset(const uint8_t *p)
{
	return ref_protocol(p) == REF_TCP ? 16 : 6;
}

/* Puts right checksums into a packet: of IPv4, and of TCP or UDP. */
static inline void ref_fix(uint8_t *p, size_t len, bool zero_udp)
{
	size_t ip_len = ref_ip_len(p);
	uint8_t *field = p + ip_len + ref_csum_offset(p);
	uint32_t sum;

	if (p[0] >> 4 == 4) {
		ref_store16(p + 10, 0);
		ref_store16(p + 10, ~ref_sum(p, ip_len, 0) & 0xffff);
	}
	ref_store16(field, 0);
	if (zero_udp)
		return;
	sum = ~ref_sum(p + ip_len, len - ip_len, ref_pseudo(p, len - ip_len)) & 0xffff;
	ref_store16(field, sum == 0 && ref_protocol(p) == REF_UDP ? 0xffff : sum);
}

static inline bool ref_valid(const uint8_t *p, size_t len)
{
	size_t ip_len = ref_ip_len(p);

	if (p[0] >> 4 == 4 && ref_sum(p, ip_len, 0) != 0xffff)
		return false;
	return ref_sum(p + ip_len, len - ip_len, ref_pseudo(p, len - ip_len)) == 0xffff;
}

/* Writes a whole packet with right checksums. Returns its length. */
static inline size_t ref_build(uint8_t *out, const struct ref_packet *spec, const uint8_t *payload,
			       size_t payload_len)
{
	size_t ip_len = (spec->v6 ? 40u : 20u) + spec->n_ip_extra;
	size_t l4_len = spec->protocol == REF_TCP ? 20u + spec->n_options : 8u;
	size_t len = ip_len + l4_len + payload_len;
	uint8_t *l4 = out + ip_len;

	memset(out, 0, ip_len + l4_len);
	if (spec->v6) {
		ref_store32(out, 6u << 28 | (uint32_t)spec->tos << 20 | spec->flow_label);
		ref_store16(out + 4, (uint32_t)(len - 40));
		out[6] = spec->n_ip_extra ? 60 : spec->protocol;
		out[7] = spec->ttl;
		memcpy(out + 8, spec->addresses, 32);
		if (spec->n_ip_extra) { /* one header full of Pad1 */
			out[40] = spec->protocol;
			out[41] = (uint8_t)(spec->n_ip_extra / 8 - 1);
		}
	} else {
		out[0] = (uint8_t)(0x40 | ip_len / 4);
		out[1] = spec->tos;
		ref_store16(out + 2, (uint32_t)len);
		ref_store16(out + 4, spec->id);
		ref_store16(out + 6, spec->fragment);
		out[8] = spec->ttl;
		out[9] = spec->protocol;
		memcpy(out + 12, spec->addresses, 4);
		memcpy(out + 16, spec->addresses + 16, 4);
		memset(out + 20, 1, spec->n_ip_extra); /* no-operation */
	}
	ref_store16(l4, spec->source_port);
	ref_store16(l4 + 2, spec->destination_port);
	if (spec->protocol == REF_TCP) {
		ref_store32(l4 + 4, spec->seq);
		ref_store32(l4 + 8, spec->ack);
		ref_store16(l4 + 12, (uint32_t)l4_len / 4 << 12 | spec->flags);
		ref_store16(l4 + 14, spec->window);
		ref_store16(l4 + 18, spec->urgent);
		memcpy(l4 + 20, spec->options, spec->n_options);
	} else {
		ref_store16(l4 + 4, (uint32_t)(len - ip_len));
	}
	if (payload_len > 0)
		memcpy(l4 + l4_len, payload, payload_len);
	ref_fix(out, len, spec->zero_checksum && spec->protocol == REF_UDP && !spec->v6);
	return len;
}

/* Makes of a whole packet what the kernel hands over: the field holds the pseudo header's sum. */
static inline void ref_make_partial(uint8_t *p, size_t len)
{
	size_t ip_len = ref_ip_len(p);

	ref_store16(p + ip_len + ref_csum_offset(p), ref_pseudo(p, len - ip_len));
}

/*
 * Segment number `index` of a superpacket. Returns its length, or 0 when there is none.
 * `out` must have room for the longest segment.
 */
static inline size_t ref_segment(const uint8_t *super, size_t len, size_t gso_size, size_t index,
				 uint8_t *out)
{
	size_t ip_len = ref_ip_len(super);
	bool tcp = ref_protocol(super) == REF_TCP;
	size_t header_len = ip_len + (tcp ? (size_t)(super[ip_len + 12] >> 4) * 4 : 8);
	size_t begin = header_len + index * gso_size;
	size_t payload_len, total;
	uint8_t *l4 = out + ip_len;

	if (begin >= len)
		return 0;
	payload_len = len - begin < gso_size ? len - begin : gso_size;
	total = header_len + payload_len;
	memcpy(out, super, header_len);
	memcpy(out + header_len, super + begin, payload_len);
	if (super[0] >> 4 == 4) {
		ref_store16(out + 2, (uint32_t)total);
		ref_store16(out + 4, (uint32_t)(ref_load16(super + 4) + index) & 0xffff);
	} else {
		ref_store16(out + 4, (uint32_t)(total - 40));
	}
	if (tcp) {
		ref_store32(l4 + 4, (uint32_t)(ref_load32(super + ip_len + 4) + index * gso_size));
		if (index > 0)
			l4[13] &= (uint8_t)~REF_CWR;
		if (begin + payload_len < len)
			l4[13] &= (uint8_t) ~(REF_FIN | REF_PSH);
	} else {
		ref_store16(l4 + 4, (uint32_t)(8 + payload_len));
	}
	ref_fix(out, total, false);
	return total;
}

/* Random looks; TCP flags are ACK. */
static inline struct ref_packet ref_random(struct seeded *seeded)
{
	struct ref_packet spec = {
		.v6 = seeded_below(seeded, 2),
		.protocol = seeded_below(seeded, 2) ? REF_TCP : REF_UDP,
		.source_port = (uint16_t)seeded_next(seeded),
		.destination_port = (uint16_t)seeded_next(seeded),
		.tos = (uint8_t)seeded_below(seeded, 4),
		.ttl = (uint8_t)seeded_next(seeded),
		.flow_label = (uint32_t)seeded_below(seeded, 1 << 20),
		.id = (uint16_t)seeded_next(seeded),
		.fragment = seeded_below(seeded, 2) ? 0x4000 : 0,
		.ack = (uint32_t)seeded_next(seeded),
		.flags = REF_ACK,
		.window = (uint16_t)seeded_next(seeded),
	};

	for (size_t i = 0; i < sizeof(spec.addresses); i++)
		spec.addresses[i] = (uint8_t)seeded_next(seeded);
	/* Half of the sequence numbers wrap soon. */
	spec.seq = (uint32_t)(seeded_below(seeded, 2) ? seeded_next(seeded)
						      : 0 - seeded_below(seeded, 20000));
	if (seeded_below(seeded, 2)) {
		spec.n_options = (uint8_t)(4 * seeded_below(seeded, 11));
		for (size_t i = 0; i < spec.n_options; i++)
			spec.options[i] = (uint8_t)seeded_next(seeded);
	}
	return spec;
}

/* Random bytes, sometimes with long runs of zeros and ones, where carries hide. */
static inline void ref_fill(struct seeded *seeded, uint8_t *p, size_t len)
{
	uint64_t kind = seeded_below(seeded, 4);

	if (kind < 2) {
		memset(p, kind == 0 ? 0xff : 0, len);
		for (size_t i = 0; i < len; i += 1 + seeded_below(seeded, 400))
			p[i] = (uint8_t)seeded_next(seeded);
		return;
	}
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)((i & 7) == 0 ? seeded_next(seeded) : p[i - 1] * 77ULL + 17);
}

#endif
