/* Superpackets from the interface; see vnet.h. */
#include "daemon/data/vnet.h"

#include <endian.h>
#include <netinet/in.h>
#include <string.h>

#include "daemon/data/csum.h"
#include "daemon/data/ip_header.h"

/* Payload below which no path is as narrow as that: RFC 791's 576 bytes, less a lot. */
#define LIMIT_MIN 256

/* What every gso_type promises about the packet. */
static const struct gso_kind {
	uint8_t gso_type;
	uint8_t version; /* 0: either */
	uint8_t protocol;
	uint8_t csum_offset;
} gso_kinds[] = {
	{ VNET_GSO_TCPV4, 4, IPPROTO_TCP, TCP_CSUM },
	{ VNET_GSO_TCPV4 | VNET_GSO_ECN, 4, IPPROTO_TCP, TCP_CSUM },
	{ VNET_GSO_TCPV6, 6, IPPROTO_TCP, TCP_CSUM },
	{ VNET_GSO_TCPV6 | VNET_GSO_ECN, 6, IPPROTO_TCP, TCP_CSUM },
	{ VNET_GSO_UDP_L4, 0, IPPROTO_UDP, UDP_CSUM },
};

struct vnet_hdr vnet_decode(const uint8_t *wire)
{
	struct vnet_hdr header;

	memcpy(&header, wire, sizeof(header));
	return header;
}

void vnet_encode(uint8_t *wire, const struct vnet_hdr *header)
{
	memcpy(wire, header, sizeof(*header));
}

/* A single packet: nothing to do but, perhaps, its checksum (kernel skb_checksum_help()). */
static enum vnet_refusal begin_single(struct vnet_split *split, const struct vnet_hdr *header,
				      uint8_t *packet, size_t len)
{
	size_t start = header->csum_start;
	size_t field = start + header->csum_offset;

	if (header->flags & VNET_FLAG_NEEDS_CSUM) {
		if (start < IPV4_HEADER_LEN || field + 2 > len)
			return VNET_BAD_CSUM;
		csum_store(packet + field,
			   csum_finish_nonzero(csum_partial(packet + start, len - start)));
	}
	split->packet = packet;
	split->header_len = 0;
	split->gso_size = 0;
	split->n_segments = 1;
	split->index = 0;
	split->payload_offset = 0;
	split->payload_left = (uint32_t)len;
	return VNET_OK;
}

static const struct gso_kind *find_kind(uint8_t gso_type)
{
	for (size_t i = 0; i < ARRAY_SIZE(gso_kinds); i++)
		if (gso_kinds[i].gso_type == gso_type)
			return &gso_kinds[i];
	return NULL;
}

static bool is_ipv4_fit(const uint8_t *packet, size_t len, size_t l4_offset, uint8_t protocol)
{
	return (size_t)(packet[0] & 0x0f) * 4 == l4_offset && l4_offset >= IPV4_HEADER_LEN &&
	       header_load16(packet + IPV4_TOTAL_LEN) == len && packet[IPV4_PROTOCOL] == protocol &&
	       (header_load16(packet + IPV4_FRAGMENT) & IPV4_FRAGMENT_MASK) == 0;
}

/* The extension headers, if there are any, must lead exactly to `l4_offset`. */
static bool is_ipv6_fit(const uint8_t *packet, size_t len, size_t l4_offset, uint8_t protocol)
{
	uint8_t next = packet[IPV6_NEXT];
	size_t offset = IPV6_HEADER_LEN;

	if (l4_offset < IPV6_HEADER_LEN ||
	    (size_t)header_load16(packet + IPV6_PAYLOAD_LEN) + IPV6_HEADER_LEN != len)
		return false;
	while (offset + 8 <= l4_offset &&
	       (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS)) {
		next = packet[offset];
		offset += (size_t)(packet[offset + 1] + 1) * 8;
	}
	return offset == l4_offset && next == protocol;
}

/* The length of TCP or UDP header, or 0 when there is none that fits. */
static size_t measure_l4(const uint8_t *l4, size_t l4_len, uint8_t protocol)
{
	size_t len;

	if (protocol == IPPROTO_UDP)
		return l4_len >= UDP_HEADER_LEN && header_load16(l4 + UDP_LENGTH) == l4_len
			       ? UDP_HEADER_LEN
			       : 0;
	if (l4_len < TCP_HEADER_LEN)
		return 0;
	len = (size_t)(l4[TCP_FLAGS] >> 4) * 4;
	return len >= TCP_HEADER_LEN && len <= l4_len ? len : 0;
}

static enum vnet_refusal check(const struct vnet_hdr *header, const struct gso_kind *kind,
			       const uint8_t *packet, size_t len, size_t link_len,
			       size_t *header_len)
{
	size_t l4_offset = (size_t)header->csum_start - link_len;
	size_t l4_header_len;
	uint8_t version;

	if (!(header->flags & VNET_FLAG_NEEDS_CSUM) || header->csum_offset != kind->csum_offset ||
	    header->csum_start < link_len || l4_offset >= len)
		return VNET_BAD_CSUM;
	version = packet[0] >> 4;
	if (kind->version != 0 && kind->version != version)
		return VNET_BAD_IP;
	/* Both look at the fixed header, which is there when the transport header is behind it. */
	if (!(version == 4 ? l4_offset >= IPV4_HEADER_LEN &&
				     is_ipv4_fit(packet, len, l4_offset, kind->protocol)
	      : version == 6 ? l4_offset >= IPV6_HEADER_LEN &&
				       is_ipv6_fit(packet, len, l4_offset, kind->protocol)
			     : false))
		return VNET_BAD_IP;
	l4_header_len = measure_l4(packet + l4_offset, len - l4_offset, kind->protocol);
	if (l4_header_len == 0 || link_len + l4_offset + l4_header_len > VNET_HEADERS_MAX)
		return VNET_BAD_L4;
	*header_len = l4_offset + l4_header_len;
	if (header->gso_size == 0 || *header_len == len)
		return VNET_BAD_GSO_SIZE;
	return VNET_OK;
}

/*
 * Prepares the sums: what is the same in every segment is added up once, and what changes is
 * zero in the copy of the header meanwhile.
 *
 * The field's own value is the pseudo header's sum, with the superpacket's length. It is used,
 * as the kernel does, and not made again from the addresses: with a routing header or a source
 * route the destination that counts is not the one in the IP header.
 */
static void prepare_sums(struct vnet_split *split, size_t len)
{
	uint8_t *ip = split->headers + split->link_len;
	uint8_t *l4 = split->headers + split->l4_offset;
	uint8_t *field = l4 + (split->protocol == IPPROTO_TCP ? TCP_CSUM : UDP_CSUM);
	uint16_t partial = csum_load(field);

	if (!split->v6) {
		split->ipv4_id = header_load16(ip + IPV4_ID);
		header_store16(ip + IPV4_TOTAL_LEN, 0);
		header_store16(ip + IPV4_ID, 0);
		header_store16(ip + IPV4_CSUM, 0);
		split->ip_sum = csum_partial(ip, (size_t)split->l4_offset - split->link_len);
	}
	split->without_checksum = false;
	if (split->protocol == IPPROTO_TCP) {
		split->tcp_seq = header_load32(l4 + TCP_SEQ);
		split->tcp_flags = header_load16(l4 + TCP_FLAGS);
		header_store32(l4 + TCP_SEQ, 0);
		header_store16(l4 + TCP_FLAGS, 0);
	} else {
		split->without_checksum = !split->v6 && partial == 0;
		header_store16(l4 + UDP_LENGTH, 0);
	}
	header_store16(field, 0);
	split->l4_sum = (uint64_t)partial +
			csum_without(htobe16((uint16_t)(len - split->l4_offset))) +
			csum_partial(l4, (size_t)split->header_len - split->l4_offset);
}

static uint16_t count_segments(const struct vnet_split *split)
{
	return (uint16_t)((split->payload_left + split->gso_size - 1) / split->gso_size);
}

enum vnet_refusal vnet_split_begin(struct vnet_split *split, const struct vnet_hdr *header,
				   uint8_t *packet, size_t len)
{
	return vnet_split_begin_frame(split, header, packet, 0, len);
}

enum vnet_refusal vnet_split_begin_frame(struct vnet_split *split, const struct vnet_hdr *header,
					 uint8_t *packet, size_t link_len, size_t len)
{
	const struct gso_kind *kind;
	enum vnet_refusal refusal;
	size_t header_len;

	if (header->gso_type == VNET_GSO_NONE)
		return begin_single(split, header, packet, len);
	kind = find_kind(header->gso_type);
	if (kind == NULL)
		return VNET_BAD_TYPE;
	refusal = check(header, kind, packet + link_len, len - link_len, link_len, &header_len);
	if (refusal != VNET_OK)
		return refusal;
	header_len += link_len;
	split->packet = packet;
	split->header_len = (uint16_t)header_len;
	split->link_len = (uint16_t)link_len;
	split->l4_offset = header->csum_start;
	split->gso_size = header->gso_size;
	split->payload_offset = (uint32_t)header_len;
	split->payload_left = (uint32_t)(len - header_len);
	split->n_segments = count_segments(split);
	split->index = 0;
	split->protocol = kind->protocol;
	split->v6 = packet[link_len] >> 4 == 6;
	memcpy(split->headers, packet, header_len);
	prepare_sums(split, len);
	return VNET_OK;
}

void vnet_split_limit(struct vnet_split *split, size_t max_len)
{
	if (split->header_len == 0 || split->protocol != IPPROTO_TCP ||
	    max_len < (size_t)split->header_len + LIMIT_MIN ||
	    (size_t)split->header_len + split->gso_size <= max_len)
		return;
	split->gso_size = (uint16_t)(max_len - split->header_len);
	split->n_segments = count_segments(split);
}

/* The IP header of the segment at `ip`, `len` bytes in all. */
static void write_ip(const struct vnet_split *split, uint8_t *ip, size_t len)
{
	uint16_t id = (uint16_t)(split->ipv4_id + split->index);

	if (split->v6) {
		header_store16(ip + IPV6_PAYLOAD_LEN, (uint16_t)(len - IPV6_HEADER_LEN));
		return;
	}
	header_store16(ip + IPV4_TOTAL_LEN, (uint16_t)len);
	header_store16(ip + IPV4_ID, id);
	csum_store(ip + IPV4_CSUM,
		   csum_finish(split->ip_sum + csum_be16((uint16_t)len) + csum_be16(id)));
}

/* FIN and PSH speak of the end of the data, CWR of its beginning (RFC 3168 section 6.1.2). */
static uint16_t flags_of(const struct vnet_split *split)
{
	uint16_t flags = split->tcp_flags;

	if (split->index != 0)
		flags &= (uint16_t)~TCP_FLAG_CWR;
	if (split->index + 1 != split->n_segments)
		flags &= (uint16_t) ~(TCP_FLAG_FIN | TCP_FLAG_PSH);
	return flags;
}

static void write_tcp(const struct vnet_split *split, uint8_t *tcp, size_t l4_len, uint64_t sum)
{
	uint32_t seq = split->tcp_seq + (uint32_t)split->index * split->gso_size;
	uint16_t flags = flags_of(split);

	header_store32(tcp + TCP_SEQ, seq);
	header_store16(tcp + TCP_FLAGS, flags);
	csum_store(tcp + TCP_CSUM, csum_finish(sum + csum_be16((uint16_t)l4_len) + csum_be32(seq) +
					       csum_be16(flags)));
}

/* The length counts twice: in the header and in the pseudo header. */
static void write_udp(const struct vnet_split *split, uint8_t *udp, size_t l4_len, uint64_t sum)
{
	header_store16(udp + UDP_LENGTH, (uint16_t)l4_len);
	if (!split->without_checksum)
		csum_store(udp + UDP_CSUM,
			   csum_finish_nonzero(sum + 2 * csum_be16((uint16_t)l4_len)));
}

uint8_t *vnet_split_next(struct vnet_split *split, size_t *len)
{
	size_t payload_len = split->payload_left;
	uint8_t *payload, *segment;
	uint64_t sum;

	if (split->index == split->n_segments)
		return NULL;
	if (split->header_len == 0) {
		split->index = 1;
		*len = payload_len;
		return split->packet;
	}
	if (payload_len > split->gso_size)
		payload_len = split->gso_size;
	payload = split->packet + split->payload_offset;
	segment = payload - split->header_len;
	*len = split->header_len + payload_len;

	memcpy(segment, split->headers, split->header_len);
	write_ip(split, segment + split->link_len, *len - split->link_len);
	sum = split->l4_sum + (split->without_checksum ? 0 : csum_partial(payload, payload_len));
	if (split->protocol == IPPROTO_TCP)
		write_tcp(split, segment + split->l4_offset, *len - split->l4_offset, sum);
	else
		write_udp(split, segment + split->l4_offset, *len - split->l4_offset, sum);
	split->index++;
	split->payload_offset += (uint32_t)payload_len;
	split->payload_left -= (uint32_t)payload_len;
	return segment;
}
