/* The packet inside; see inner.h. */
#include "daemon/data/inner.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>

#include "common/bytes.h"
#include "daemon/data/csum.h"

static bool parse_v4(uint8_t *packet, size_t len, struct inner *ret)
{
	struct iphdr header;
	size_t header_len, total_len;

	if (len < sizeof(header))
		return false;
	memcpy(&header, packet, sizeof(header));
	header_len = (size_t)header.ihl * 4;
	total_len = ntohs(header.tot_len);
	if (header_len < sizeof(header) || total_len < header_len || total_len > len)
		return false;
	*ret = (struct inner) {
		.family = AF_INET,
		.len = total_len,
		.packet = packet,
		.source = packet + offsetof(struct iphdr, saddr),
		.destination = packet + offsetof(struct iphdr, daddr),
	};
	return true;
}

static bool parse_v6(uint8_t *packet, size_t len, struct inner *ret)
{
	struct ip6_hdr header;
	size_t total_len;

	if (len < sizeof(header))
		return false;
	memcpy(&header, packet, sizeof(header));
	total_len = sizeof(header) + ntohs(header.ip6_plen);
	if (total_len > len)
		return false;
	*ret = (struct inner) {
		.family = AF_INET6,
		.len = total_len,
		.packet = packet,
		.source = packet + offsetof(struct ip6_hdr, ip6_src),
		.destination = packet + offsetof(struct ip6_hdr, ip6_dst),
	};
	return true;
}

bool inner_parse(uint8_t *packet, size_t len, struct inner *ret)
{
	if (len == 0)
		return false;
	switch (packet[0] >> 4) {
	case 4:
		return parse_v4(packet, len, ret);
	case 6:
		return parse_v6(packet, len, ret);
	default:
		return false;
	}
}

bool inner_is_udp(const struct inner *inner, uint16_t source_port, const void *destination,
		  uint16_t destination_port)
{
	bool is_v4 = inner->family == AF_INET;
	size_t address_len = is_v4 ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	size_t header_len = is_v4 ? (inner->packet[0] & 0xfU) * 4UL : sizeof(struct ip6_hdr);
	uint8_t protocol = inner->packet[is_v4 ? offsetof(struct iphdr, protocol)
					       : offsetof(struct ip6_hdr, ip6_nxt)];
	be16_t ports[2] = { be16_make(source_port), be16_make(destination_port) };

	return protocol == IPPROTO_UDP && inner->len >= header_len + sizeof(ports) &&
	       memcmp(inner->destination, destination, address_len) == 0 &&
	       memcmp(inner->packet + header_len, ports, sizeof(ports)) == 0;
}

uint8_t inner_get_tos(const struct inner *inner)
{
	const uint8_t *packet = inner->packet;

	if (inner->family == AF_INET)
		return packet[1];
	/* The traffic class straddles the first two bytes, RFC 8200 section 3. */
	return (uint8_t)(packet[0] << 4 | packet[1] >> 4);
}

void inner_set_tos(const struct inner *inner, uint8_t tos)
{
	uint8_t *packet = inner->packet;

	if (inner->family == AF_INET) {
		uint8_t *checksum = packet + offsetof(struct iphdr, check);
		uint16_t before = csum_load(packet);

		packet[1] = tos;
		csum_store(checksum, csum_update(csum_load(checksum), before, csum_load(packet)));
	} else {
		packet[0] = (uint8_t)((packet[0] & 0xf0) | tos >> 4);
		packet[1] = (uint8_t)(tos << 4 | (packet[1] & 0x0f));
	}
}

const char *inner_format_address(int family, const uint8_t *address,
				 char buf[static INNER_ADDRESS_TEXT_MAX])
{
	return inet_ntop(family, address, buf, INNER_ADDRESS_TEXT_MAX);
}
