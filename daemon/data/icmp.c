/* "Unreachable"; see icmp.h. */
#include "daemon/data/icmp.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "daemon/data/csum.h"

/* RFC 792: the IP header and 64 bits more; what is behind helps those who read captures. */
#define QUOTE_V4  128
#define QUOTE_V6  (ICMP_MAX_LEN - sizeof(struct ip6_hdr) - sizeof(struct icmp6_hdr))
#define HOP_LIMIT 64

static bool may_answer_v4(const struct inner *packet)
{
	struct iphdr header;
	struct icmphdr icmp;
	size_t header_len;

	memcpy(&header, packet->packet, sizeof(header));
	header_len = header.ihl * 4UL;
	if (ntohs(header.frag_off) & IP_OFFMASK || IN_MULTICAST(ntohl(header.daddr)) ||
	    header.daddr == INADDR_BROADCAST || IN_MULTICAST(ntohl(header.saddr)) ||
	    header.saddr == INADDR_BROADCAST || header.saddr == INADDR_ANY)
		return false;
	if (header.protocol != IPPROTO_ICMP)
		return true;
	if (packet->len < header_len + sizeof(icmp))
		return false;
	memcpy(&icmp, packet->packet + header_len, sizeof(icmp));
	return icmp.type == ICMP_ECHO || icmp.type == ICMP_TIMESTAMP;
}

static size_t unreachable_v4(const struct inner *packet, uint8_t *buf)
{
	size_t quote_len = MIN(packet->len, QUOTE_V4);
	size_t len = sizeof(struct iphdr) + sizeof(struct icmphdr) + quote_len;
	struct icmphdr icmp = { .type = ICMP_DEST_UNREACH, .code = ICMP_HOST_UNREACH };
	struct iphdr header = {
		.version = 4,
		.ihl = sizeof(header) / 4,
		.tos = IPTOS_PREC_INTERNETCONTROL,
		.tot_len = htons((uint16_t)len),
		.ttl = HOP_LIMIT,
		.protocol = IPPROTO_ICMP,
	};
	uint8_t *body = buf + sizeof(header);

	memcpy(&header.saddr, packet->destination, sizeof(header.saddr));
	memcpy(&header.daddr, packet->source, sizeof(header.daddr));
	header.check = csum_finish(csum_partial((const uint8_t *)&header, sizeof(header)));
	memcpy(buf, &header, sizeof(header));

	memcpy(body + sizeof(icmp), packet->packet, quote_len);
	memcpy(body, &icmp, sizeof(icmp));
	icmp.checksum = csum_finish(csum_partial(body, sizeof(icmp) + quote_len));
	memcpy(body, &icmp, sizeof(icmp));
	return len;
}

static bool may_answer_v6(const struct inner *packet)
{
	struct ip6_hdr header;
	struct in6_addr source, destination;
	struct icmp6_hdr icmp;

	memcpy(&header, packet->packet, sizeof(header));
	source = header.ip6_src;
	destination = header.ip6_dst;
	if (IN6_IS_ADDR_MULTICAST(&destination) || IN6_IS_ADDR_MULTICAST(&source) ||
	    IN6_IS_ADDR_UNSPECIFIED(&source) || header.ip6_nxt == IPPROTO_FRAGMENT)
		return false;
	if (header.ip6_nxt != IPPROTO_ICMPV6)
		return true;
	if (packet->len < sizeof(header) + sizeof(icmp))
		return false;
	memcpy(&icmp, packet->packet + sizeof(header), sizeof(icmp));
	return (icmp.icmp6_type & ICMP6_INFOMSG_MASK) != 0;
}

static size_t unreachable_v6(const struct inner *packet, uint8_t *buf)
{
	size_t quote_len = MIN(packet->len, QUOTE_V6);
	struct icmp6_hdr icmp = { .icmp6_type = ICMP6_DST_UNREACH,
				  .icmp6_code = ICMP6_DST_UNREACH_ADDR };
	size_t body_len = sizeof(icmp) + quote_len;
	struct ip6_hdr header = {
		.ip6_flow = htonl(6U << 28),
		.ip6_plen = htons((uint16_t)body_len),
		.ip6_nxt = IPPROTO_ICMPV6,
		.ip6_hlim = HOP_LIMIT,
	};
	uint8_t *body = buf + sizeof(header);
	uint64_t sum;

	memcpy(&header.ip6_src, packet->destination, sizeof(header.ip6_src));
	memcpy(&header.ip6_dst, packet->source, sizeof(header.ip6_dst));
	memcpy(buf, &header, sizeof(header));

	memcpy(body + sizeof(icmp), packet->packet, quote_len);
	memcpy(body, &icmp, sizeof(icmp));
	sum = csum_pseudo(buf, true, IPPROTO_ICMPV6, (uint32_t)body_len);
	icmp.icmp6_cksum = csum_finish(sum + csum_partial(body, body_len));
	memcpy(body, &icmp, sizeof(icmp));
	return sizeof(header) + body_len;
}

size_t icmp_unreachable(const struct inner *packet, uint8_t buf[static ICMP_MAX_LEN])
{
	if (packet->family == AF_INET)
		return may_answer_v4(packet) ? unreachable_v4(packet, buf) : 0;
	return may_answer_v6(packet) ? unreachable_v6(packet, buf) : 0;
}
