/* Headers for merging; see gro_header.h. */
#include "daemon/data/gro_header.h"

#include <netinet/in.h>
#include <string.h>

#include "daemon/data/csum.h"
#include "daemon/data/ip_header.h"

/* A packet with other flags speaks of more than data. */
#define FLAGS_PLAIN (TCP_FLAG_PSH | TCP_FLAG_ACK | TCP_FLAG_ECE)

#define PACKET_MAX_LEN 65535

static uint32_t raw32(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static uint64_t raw64(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

uint32_t gro_tcp_seq(const uint8_t *packet, size_t ip_len)
{
	return header_load32(packet + ip_len + TCP_SEQ);
}

/* IPv6 next headers behind which TCP or UDP of any flow may hide (RFC 8200, 4302, 5533, 7401). */
static bool is_extension(uint8_t next)
{
	static const uint8_t extensions[] = { 0, 43, 44, 51, 60, 135, 139, 140, 253, 254 };

	return memchr(extensions, next, sizeof(extensions)) != NULL;
}

/* The part of gro_classify() for what the fast way did not take: IPv4 with something special. */
static enum gro_class classify_odd_v4(const uint8_t *packet, size_t len, struct gro_shape *shape)
{
	size_t ip_len = (size_t)(packet[0] & 0x0f) * 4;

	if (len < IPV4_HEADER_LEN)
		return GRO_UNKNOWN;
	shape->protocol = packet[IPV4_PROTOCOL];
	if (shape->protocol != IPPROTO_TCP && shape->protocol != IPPROTO_UDP)
		return GRO_UNRELATED;
	/* Fragments are alike in that not each of them has ports. */
	if (ip_len < IPV4_HEADER_LEN || ip_len + 4 > len ||
	    (header_load16(packet + IPV4_FRAGMENT) & IPV4_FRAGMENT_MASK) != 0)
		return GRO_UNKNOWN;
	shape->ports = raw32(packet + ip_len);
	return GRO_IN_FLOW;
}

static enum gro_class classify_odd_v6(const uint8_t *packet, size_t len, struct gro_shape *shape)
{
	if (len < IPV6_HEADER_LEN)
		return GRO_UNKNOWN;
	shape->protocol = packet[IPV6_NEXT];
	if (shape->protocol != IPPROTO_TCP && shape->protocol != IPPROTO_UDP)
		return is_extension(shape->protocol) ? GRO_UNKNOWN : GRO_UNRELATED;
	if (len < IPV6_HEADER_LEN + 4)
		return GRO_UNKNOWN;
	shape->ports = raw32(packet + IPV6_HEADER_LEN);
	return GRO_IN_FLOW;
}

/* A plain IP header is in front: what of the transport header? */
static enum gro_class classify_l4(const uint8_t *packet, size_t len, struct gro_shape *shape)
{
	const uint8_t *l4 = packet + shape->ip_len;
	size_t l4_len = len - shape->ip_len;
	size_t header_len = UDP_HEADER_LEN;
	uint16_t flags;

	shape->ports = raw32(l4);
	shape->ends_run = false;
	if (shape->protocol == IPPROTO_TCP) {
		if (l4_len < TCP_HEADER_LEN)
			return GRO_IN_FLOW;
		flags = header_load16(l4 + TCP_FLAGS);
		header_len = (size_t)(flags >> 12) * 4;
		if (header_len < TCP_HEADER_LEN || (flags & TCP_FLAG_ACK) == 0 ||
		    (flags & TCP_FLAGS_MASK & ~FLAGS_PLAIN) != 0)
			return GRO_IN_FLOW;
		shape->ends_run = (flags & TCP_FLAG_PSH) != 0;
	} else if (l4_len < UDP_HEADER_LEN || header_load16(l4 + UDP_LENGTH) != l4_len) {
		return GRO_IN_FLOW;
	}
	if (header_len >= l4_len)
		return GRO_IN_FLOW;
	shape->headers_len = (uint8_t)(shape->ip_len + header_len);
	shape->payload_len = (uint16_t)(l4_len - header_len);
	return GRO_MERGEABLE;
}

enum gro_class gro_classify(const uint8_t *packet, size_t len, struct gro_shape *shape)
{
	shape->v6 = packet[0] >> 4 == 6;
	if (packet[0] == 0x45) {
		shape->ip_len = IPV4_HEADER_LEN;
		if (len < IPV4_HEADER_LEN + 4 || header_load16(packet + IPV4_TOTAL_LEN) != len ||
		    (header_load16(packet + IPV4_FRAGMENT) & IPV4_FRAGMENT_MASK) != 0)
			return classify_odd_v4(packet, len, shape);
		shape->protocol = packet[IPV4_PROTOCOL];
	} else if (shape->v6) {
		shape->ip_len = IPV6_HEADER_LEN;
		if (len < IPV6_HEADER_LEN + 4 ||
		    (size_t)header_load16(packet + IPV6_PAYLOAD_LEN) + IPV6_HEADER_LEN != len ||
		    len > PACKET_MAX_LEN)
			return classify_odd_v6(packet, len, shape);
		shape->protocol = packet[IPV6_NEXT];
	} else {
		return classify_odd_v4(packet, len, shape);
	}
	if (shape->protocol != IPPROTO_TCP && shape->protocol != IPPROTO_UDP)
		return shape->v6 && is_extension(shape->protocol) ? GRO_UNKNOWN : GRO_UNRELATED;
	return classify_l4(packet, len, shape);
}

bool gro_same_addresses(const uint8_t *a, const uint8_t *b, bool v6)
{
	if (!v6)
		return raw64(a + IPV4_ADDRESSES) == raw64(b + IPV4_ADDRESSES);
	a += IPV6_ADDRESSES;
	b += IPV6_ADDRESSES;
	return ((raw64(a) ^ raw64(b)) | (raw64(a + 8) ^ raw64(b + 8)) |
		(raw64(a + 16) ^ raw64(b + 16)) | (raw64(a + 24) ^ raw64(b + 24))) == 0;
}

size_t gro_slot(const uint8_t *packet, const struct gro_shape *shape)
{
	uint64_t mix = (uint64_t)shape->ports << 8 | shape->protocol;

	/* The low halves of two IPv6 addresses tell hosts apart. Nobody can gain by collisions. */
	if (shape->v6)
		mix ^= raw64(packet + IPV6_ADDRESSES + 8) ^ raw64(packet + IPV6_ADDRESSES + 24) * 3;
	else
		mix ^= raw64(packet + IPV4_ADDRESSES);
	mix *= 0x9e3779b97f4a7c15ULL;
	return mix >> 32 & (GRO_TABLE_SIZE - 1);
}

/* The fields of IPv4 that must be equal, and the identification that must go on. */
static bool continues_v4(const struct gro_run *run, const uint8_t *first, const uint8_t *packet,
			 uint8_t *id_step)
{
	uint16_t distance =
		(uint16_t)(header_load16(packet + IPV4_ID) - header_load16(first + IPV4_ID));
	uint8_t step;

	/* TOS, so that a congestion mark is not lost; flags, time to live, protocol. */
	if (first[1] != packet[1] || raw32(first + IPV4_FRAGMENT) != raw32(packet + IPV4_FRAGMENT))
		return false;
	if (distance == run->n_packets)
		step = GRO_ID_COUNTS;
	else if (distance == 0 && (header_load16(packet + IPV4_FRAGMENT) & IPV4_DONT_FRAGMENT))
		step = GRO_ID_FIXED;
	else
		return false;
	*id_step = step;
	return run->id_step == GRO_ID_UNKNOWN || run->id_step == step;
}

/* Traffic class and flow label; hop limit. */
static bool continues_v6(const uint8_t *first, const uint8_t *packet)
{
	return raw32(first) == raw32(packet) &&
	       csum_load(first + IPV6_NEXT) == csum_load(packet + IPV6_NEXT);
}

/* All of the header but sequence number, PSH and checksum must be equal. */
static bool continues_tcp(const uint8_t *first, const uint8_t *tcp, size_t header_len)
{
	uint16_t flags_differ = header_load16(first + TCP_FLAGS) ^ header_load16(tcp + TCP_FLAGS);
	uint32_t differ = raw32(first + TCP_ACK) ^ raw32(tcp + TCP_ACK);

	differ |= (uint32_t)(flags_differ & ~TCP_FLAG_PSH);
	differ |= csum_load(first + TCP_WINDOW) ^ csum_load(tcp + TCP_WINDOW);
	differ |= csum_load(first + TCP_URGENT) ^ csum_load(tcp + TCP_URGENT);
	for (size_t i = TCP_HEADER_LEN; i < header_len; i += 4)
		differ |= raw32(first + i) ^ raw32(tcp + i);
	return differ == 0;
}

/* Stations and tags, where there are any. */
static bool has_same_link(const struct gro_run *run, const uint8_t *packet,
			  const struct gro_shape *shape)
{
	return run->link_len == shape->link_len &&
	       memcmp(run->first->data, packet - shape->link_len, shape->link_len) == 0;
}

bool gro_continues(const struct gro_run *run, const uint8_t *packet, const struct gro_shape *shape,
		   uint8_t *id_step)
{
	const uint8_t *first = run->first->data + run->link_len;
	const uint8_t *first_l4 = first + shape->ip_len, *l4 = packet + shape->ip_len;

	*id_step = run->id_step;
	if (run->closed || run->n_packets == GRO_MAX_SEGMENTS ||
	    shape->payload_len > run->gso_size ||
	    run->headers_len != shape->link_len + shape->headers_len ||
	    run->len - run->link_len + shape->payload_len > PACKET_MAX_LEN ||
	    !has_same_link(run, packet, shape))
		return false;
	if (shape->protocol == IPPROTO_TCP) {
		if (gro_tcp_seq(packet, shape->ip_len) != run->next_seq ||
		    !continues_tcp(first_l4, l4, (size_t)shape->headers_len - shape->ip_len))
			return false;
	} else if ((csum_load(first_l4 + UDP_CSUM) == 0) != (csum_load(l4 + UDP_CSUM) == 0)) {
		return false;
	}
	return shape->v6 ? continues_v6(first, packet) : continues_v4(run, first, packet, id_step);
}

bool gro_verify(const uint8_t *packet, size_t len, const struct gro_run *run)
{
	const uint8_t *l4 = packet + run->ip_len;
	size_t l4_len = len - run->ip_len;
	bool v6 = run->ip_len == IPV6_HEADER_LEN;

	/*
	 * A zero may be written in two ways, but only UDP's senders may choose: elsewhere 0xffff is
	 * right and yet not what would come out again.
	 */
	if (run->protocol == IPPROTO_TCP && csum_load(l4 + TCP_CSUM) == 0xffff)
		return false;
	if (!v6) {
		if (csum_load(packet + IPV4_CSUM) == 0xffff ||
		    csum_fold(csum_partial(packet, IPV4_HEADER_LEN)) != 0xffff)
			return false;
		/* RFC 768: none was computed. RFC 8200 section 8.1 allows that no more. */
		if (run->protocol == IPPROTO_UDP && csum_load(l4 + UDP_CSUM) == 0)
			return true;
	} else if (run->protocol == IPPROTO_UDP && csum_load(l4 + UDP_CSUM) == 0) {
		return false;
	}
	return csum_fold(csum_pseudo(packet, v6, run->protocol, (uint32_t)l4_len) +
			 csum_partial(l4, l4_len)) == 0xffff;
}

static void write_ip(const struct gro_run *run, uint8_t *ip)
{
	if (run->ip_len == IPV6_HEADER_LEN) {
		header_store16(ip + IPV6_PAYLOAD_LEN,
			       (uint16_t)(run->len - run->link_len - IPV6_HEADER_LEN));
		return;
	}
	header_store16(ip + IPV4_TOTAL_LEN, (uint16_t)(run->len - run->link_len));
	header_store16(ip + IPV4_CSUM, 0);
	csum_store(ip + IPV4_CSUM, csum_finish(csum_partial(ip, IPV4_HEADER_LEN)));
}

void gro_write_headers(const struct gro_run *run, uint8_t *wire)
{
	bool tcp = run->protocol == IPPROTO_TCP, v6 = run->ip_len == IPV6_HEADER_LEN;
	const struct vnet_hdr header = {
		.flags = VNET_FLAG_NEEDS_CSUM,
		.gso_type = !tcp ? VNET_GSO_UDP_L4
			    : v6 ? VNET_GSO_TCPV6
				 : VNET_GSO_TCPV4,
		.hdr_len = run->headers_len,
		.gso_size = run->gso_size,
		.csum_start = (uint16_t)(run->link_len + run->ip_len),
		.csum_offset = tcp ? TCP_CSUM : UDP_CSUM,
	};
	uint8_t *ip = wire + VNET_HDR_LEN + run->link_len;
	uint8_t *l4 = ip + run->ip_len;
	uint32_t l4_len = run->len - run->link_len - run->ip_len;

	vnet_encode(wire, &header);
	memcpy(wire + VNET_HDR_LEN, run->first->data, run->headers_len);
	write_ip(run, ip);
	if (tcp) /* Only the last packet of a run can have PSH. */
		l4[TCP_FLAGS + 1] |=
			run->last->data[header.csum_start + TCP_FLAGS + 1] & TCP_FLAG_PSH;
	else
		header_store16(l4 + UDP_LENGTH, (uint16_t)l4_len);
	/* The kernel, or the card, adds payload and header to this: CHECKSUM_PARTIAL. */
	csum_store(l4 + header.csum_offset, csum_fold(csum_pseudo(ip, v6, run->protocol, l4_len)));
}
