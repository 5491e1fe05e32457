/* Tests of daemon/data/icmp.c: what is said about a packet that goes nowhere, and when nothing is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "daemon/data/csum.h"
#include "daemon/data/icmp.h"

static uint8_t packet[2000];
static uint8_t answer[ICMP_MAX_LEN];

/* An IPv4 packet of `len` bytes with a UDP header, 10.0.0.1 to 10.9.9.9. */
static struct iphdr *make_v4(size_t len)
{
	struct iphdr *header = (struct iphdr *)(void *)packet;

	memset(packet, 0xab, sizeof(packet));
	*header = (struct iphdr) { .version = 4,
				   .ihl = 5,
				   .tot_len = htons((uint16_t)len),
				   .protocol = IPPROTO_UDP,
				   .saddr = htonl(0x0a000001),
				   .daddr = htonl(0x0a090909) };
	return header;
}

/* An IPv6 packet of `len` bytes, fd00::1 to fd00::9. */
static struct ip6_hdr *make_v6(size_t len)
{
	struct ip6_hdr *header = (struct ip6_hdr *)(void *)packet;

	memset(packet, 0xab, sizeof(packet));
	memset(header, 0, sizeof(*header));
	header->ip6_flow = htonl(6U << 28);
	header->ip6_plen = htons((uint16_t)(len - sizeof(*header)));
	header->ip6_nxt = IPPROTO_UDP;
	inet_pton(AF_INET6, "fd00::1", &header->ip6_src);
	inet_pton(AF_INET6, "fd00::9", &header->ip6_dst);
	return header;
}

static size_t answer_to(size_t len)
{
	struct inner inner;

	assert_true(inner_parse(packet, len, &inner));
	return icmp_unreachable(&inner, answer);
}

static void says_host_unreachable(void **state)
{
	struct iphdr header;
	struct icmphdr icmp;
	size_t len;

	(void)state;
	make_v4(1400);
	len = answer_to(1400);
	assert_int_equal(len, 20 + 8 + 128);
	memcpy(&header, answer, sizeof(header));
	memcpy(&icmp, answer + 20, sizeof(icmp));
	assert_int_equal(ntohs(header.tot_len), len);
	assert_int_equal(header.saddr, htonl(0x0a090909));
	assert_int_equal(header.daddr, htonl(0x0a000001));
	assert_int_equal(icmp.type, ICMP_DEST_UNREACH);
	assert_int_equal(icmp.code, ICMP_HOST_UNREACH);
	assert_memory_equal(answer + 28, packet, 128);
	/* A sum over something that contains its own checksum is all ones. */
	assert_int_equal(csum_fold(csum_partial(answer, 20)), 0xffff);
	assert_int_equal(csum_fold(csum_partial(answer + 20, len - 20)), 0xffff);
	/* A short packet is quoted whole. */
	make_v4(33);
	assert_int_equal(answer_to(33), 20 + 8 + 33);
}

static void says_address_unreachable(void **state)
{
	struct ip6_hdr header;
	struct icmp6_hdr icmp;
	size_t len;
	uint64_t sum;

	(void)state;
	make_v6(1999);
	len = answer_to(1999);
	assert_int_equal(len, ICMP_MAX_LEN);
	memcpy(&header, answer, sizeof(header));
	memcpy(&icmp, answer + 40, sizeof(icmp));
	assert_int_equal(ntohs(header.ip6_plen), len - 40);
	assert_memory_equal(&header.ip6_src, packet + 24, 16);
	assert_memory_equal(&header.ip6_dst, packet + 8, 16);
	assert_int_equal(icmp.icmp6_type, ICMP6_DST_UNREACH);
	assert_int_equal(icmp.icmp6_code, ICMP6_DST_UNREACH_ADDR);
	assert_memory_equal(answer + 48, packet, len - 48);
	sum = csum_pseudo(answer, true, IPPROTO_ICMPV6, (uint32_t)(len - 40));
	assert_int_equal(csum_fold(sum + csum_partial(answer + 40, len - 40)), 0xffff);
}

/* RFC 1122 section 3.2.2: each of these would begin an echo of errors or a storm. */
static void says_nothing_v4(void **state)
{
	(void)state;
	make_v4(100)->frag_off = htons(1);
	assert_int_equal(answer_to(100), 0);
	make_v4(100)->frag_off = htons(IP_MF); /* the first fragment is answered */
	assert_int_not_equal(answer_to(100), 0);
	make_v4(100)->daddr = htonl(0xe0000001);
	assert_int_equal(answer_to(100), 0);
	make_v4(100)->daddr = INADDR_BROADCAST;
	assert_int_equal(answer_to(100), 0);
	make_v4(100)->saddr = htonl(0xe0000001);
	assert_int_equal(answer_to(100), 0);
	make_v4(100)->saddr = INADDR_ANY;
	assert_int_equal(answer_to(100), 0);
	make_v4(100)->protocol = IPPROTO_ICMP;
	packet[20] = ICMP_DEST_UNREACH;
	assert_int_equal(answer_to(100), 0);
	packet[20] = ICMP_ECHO;
	assert_int_not_equal(answer_to(100), 0);
	make_v4(27)->protocol = IPPROTO_ICMP; /* too short to tell */
	packet[20] = ICMP_ECHO;
	assert_int_equal(answer_to(27), 0);
}

static void says_nothing_v6(void **state)
{
	(void)state;
	make_v6(100)->ip6_dst.s6_addr[0] = 0xff;
	assert_int_equal(answer_to(100), 0);
	make_v6(100)->ip6_src.s6_addr[0] = 0xff;
	assert_int_equal(answer_to(100), 0);
	memset(&make_v6(100)->ip6_src, 0, 16);
	assert_int_equal(answer_to(100), 0);
	make_v6(100)->ip6_nxt = IPPROTO_FRAGMENT;
	assert_int_equal(answer_to(100), 0);
	make_v6(100)->ip6_nxt = IPPROTO_ICMPV6;
	packet[40] = ICMP6_TIME_EXCEEDED;
	assert_int_equal(answer_to(100), 0);
	packet[40] = ICMP6_ECHO_REQUEST;
	assert_int_not_equal(answer_to(100), 0);
	make_v6(47)->ip6_nxt = IPPROTO_ICMPV6;
	packet[40] = ICMP6_ECHO_REQUEST;
	assert_int_equal(answer_to(47), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_host_unreachable),
		cmocka_unit_test(says_address_unreachable),
		cmocka_unit_test(says_nothing_v4),
		cmocka_unit_test(says_nothing_v6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
