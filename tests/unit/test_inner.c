/* Tests of daemon/data/inner.c: what is a packet, how long it is, and its TOS byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/data/inner.h"
#include "tests/unit/seed.h"

#define IPV4_LEN 20
#define IPV6_LEN 40

/* Packets in memory of exactly their size, so that a sanitizer sees a byte read too many. */
static uint8_t *make_bytes(size_t len, uint8_t first)
{
	uint8_t *packet;

	if (len == 0)
		return NULL;
	packet = malloc(len);
	assert_non_null(packet);
	for (size_t i = 0; i < len; i++)
		packet[i] = (uint8_t)(i * 7 + 1);
	packet[0] = first;
	return packet;
}

static uint8_t *make_v4(size_t len, unsigned int ihl, unsigned int tot_len)
{
	uint8_t *packet = make_bytes(len, (uint8_t)(0x40 | ihl));

	assert_true(len >= IPV4_LEN);
	packet[2] = (uint8_t)(tot_len >> 8);
	packet[3] = (uint8_t)tot_len;
	return packet;
}

static uint8_t *make_v6(size_t len, unsigned int payload_len)
{
	uint8_t *packet = make_bytes(len, 0x60);

	assert_true(len >= IPV6_LEN);
	packet[4] = (uint8_t)(payload_len >> 8);
	packet[5] = (uint8_t)payload_len;
	return packet;
}

/* Length by inner_parse(), or -1; frees the packet. The pointers must be those of the header. */
static long parsed(uint8_t *packet, size_t len)
{
	struct inner inner;
	bool ok = inner_parse(packet, len, &inner);
	long result = ok ? (long)inner.len : -1;

	if (ok) {
		bool v4 = packet[0] >> 4 == 4;

		assert_int_equal(inner.family, v4 ? AF_INET : AF_INET6);
		assert_ptr_equal(inner.packet, packet);
		assert_ptr_equal(inner.source, packet + (v4 ? 12 : 8));
		assert_ptr_equal(inner.destination, packet + (v4 ? 16 : 24));
	}
	free(packet);
	return result;
}

static void fragments_of_a_header_are_no_packet(void **state)
{
	(void)state;
	for (unsigned int first = 0; first <= 0xff; first++) {
		for (size_t len = 0; len < IPV4_LEN; len++)
			assert_int_equal(parsed(make_bytes(len, (uint8_t)first), len), -1);
		if (first >> 4 != 4) {
			for (size_t len = IPV4_LEN; len < IPV6_LEN; len++)
				assert_int_equal(parsed(make_bytes(len, (uint8_t)first), len), -1);
		}
	}
}

static void other_versions_are_no_packet(void **state)
{
	(void)state;
	for (unsigned int version = 0; version <= 15; version++) {
		/* Sound but for the version, as either. */
		uint8_t *like_v4 = make_v4(100, 5, 100), *like_v6 = make_v6(100, 60);

		like_v4[0] = (uint8_t)(version << 4 | 5);
		like_v6[0] = (uint8_t)(version << 4);
		assert_int_equal(parsed(like_v4, 100) == 100, version == 4);
		assert_int_equal(parsed(like_v6, 100) == 100, version == 6);
	}
}

static void header_length_of_ipv4_is_checked(void **state)
{
	(void)state;
	for (unsigned int ihl = 0; ihl <= 15; ihl++) {
		assert_int_equal(parsed(make_v4(100, ihl, 100), 100), ihl >= 5 ? 100 : -1);
		/* A header longer than the packet says it is, and one longer than the packet. */
		assert_int_equal(parsed(make_v4(100, ihl, ihl * 4 - 1), 100), -1);
		assert_int_equal(parsed(make_v4(100, ihl, ihl * 4), 100),
				 ihl >= 5 ? (long)ihl * 4 : -1);
		assert_int_equal(parsed(make_v4(IPV4_LEN, ihl, IPV4_LEN), IPV4_LEN),
				 ihl == 5 ? IPV4_LEN : -1);
	}
}

static void total_length_of_ipv4_is_checked_and_trims(void **state)
{
	static const struct {
		unsigned int tot_len;
		long expected;
	} rows[] = {
		{ 0, -1 },   { 1, -1 },     { 19, -1 },    { 20, 20 },     { 21, 21 },
		{ 99, 99 },  { 100, 100 },  { 101, -1 },   { 0x6400, -1 }, /* 100 in the wrong order
									    */
		{ 256, -1 }, { 32868, -1 }, { 65535, -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(parsed(make_v4(100, 5, rows[i].tot_len), 100), rows[i].expected);
	for (size_t len = IPV4_LEN; len < 400; len++) {
		for (unsigned int tot_len = 0; tot_len < 410; tot_len++)
			assert_int_equal(parsed(make_v4(len, 5, tot_len), len),
					 tot_len >= IPV4_LEN && tot_len <= len ? (long)tot_len
									       : -1);
	}
	assert_int_equal(parsed(make_v4(65535, 5, 65535), 65535), 65535);
	assert_int_equal(parsed(make_v4(65535, 5, 65534), 65535), 65534);
	/* More than a packet can be, as a slot of the receiver may hold. */
	assert_int_equal(parsed(make_v4(65600, 5, 65535), 65600), 65535);
}

static void payload_length_of_ipv6_is_checked_and_trims(void **state)
{
	static const struct {
		unsigned int payload_len;
		long expected;
	} rows[] = {
		{ 0, 40 },   { 1, 41 },      { 59, 99 },     { 60, 100 },   { 61, -1 },
		{ 100, -1 }, { 0x3c00, -1 }, { 0xfff8, -1 }, { 65495, -1 }, { 65535, -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(parsed(make_v6(100, rows[i].payload_len), 100), rows[i].expected);
	for (size_t len = IPV6_LEN; len < 400; len++) {
		for (unsigned int payload_len = 0; payload_len < 410; payload_len++)
			assert_int_equal(
				parsed(make_v6(len, payload_len), len),
				payload_len + IPV6_LEN <= len ? (long)payload_len + IPV6_LEN : -1);
	}
	assert_int_equal(parsed(make_v6(65575, 65535), 65575), 65575);
	assert_int_equal(parsed(make_v6(65574, 65535), 65574), -1);
}

/* A UDP packet from port 4660 to port 22136 of 32.32..., with nothing behind its ports. */
static size_t make_udp(uint8_t packet[static 64], int family, unsigned int ihl)
{
	static const uint8_t ports[] = { 0x12, 0x34, 0x56, 0x78 };
	size_t header_len = family == AF_INET ? (size_t)ihl * 4 : IPV6_LEN;
	size_t len = header_len + sizeof(ports);

	memset(packet, 0x20, 64);
	packet[0] = (uint8_t)(family == AF_INET ? 0x40 | ihl : 0x60);
	packet[family == AF_INET ? 2 : 4] = 0;
	packet[family == AF_INET ? 3 : 5] = (uint8_t)(family == AF_INET ? len : sizeof(ports));
	packet[family == AF_INET ? 9 : 6] = IPPROTO_UDP;
	memcpy(packet + header_len, ports, sizeof(ports));
	return len;
}

static bool is_udp(uint8_t *packet, size_t len, uint16_t source_port, uint8_t destination,
		   uint16_t destination_port)
{
	uint8_t address[16];
	struct inner inner;

	memset(address, 0x20, sizeof(address));
	address[packet[0] >> 4 == 4 ? 3 : 15] = destination;
	assert_true(inner_parse(packet, len, &inner));
	return inner_is_udp(&inner, source_port, address, destination_port);
}

static void udp_is_known_by_protocol_ports_and_destination(void **state)
{
	static const struct {
		int family;
		unsigned int ihl;
	} rows[] = { { AF_INET, 5 }, { AF_INET, 6 }, { AF_INET, 15 }, { AF_INET6, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool v4 = rows[i].family == AF_INET;
		uint8_t packet[64];
		size_t len = make_udp(packet, rows[i].family, rows[i].ihl);

		assert_true(is_udp(packet, len, 0x1234, 0x20, 0x5678));
		assert_true(is_udp(packet, sizeof(packet), 0x1234, 0x20, 0x5678));
		assert_false(is_udp(packet, len, 0x1235, 0x20, 0x5678));
		assert_false(is_udp(packet, len, 0x1234, 0x20, 0x5679));
		assert_false(is_udp(packet, len, 0x5678, 0x20, 0x1234));
		assert_false(is_udp(packet, len, 0x1234, 0x21, 0x5678));
		/* The ports are behind the end that the header gives. */
		packet[v4 ? 3 : 5]--;
		assert_false(is_udp(packet, sizeof(packet), 0x1234, 0x20, 0x5678));
		packet[v4 ? 3 : 5]++;
		packet[v4 ? 9 : 6] = IPPROTO_TCP;
		assert_false(is_udp(packet, len, 0x1234, 0x20, 0x5678));
	}
}

/* The checksum of an IPv4 header from nothing: RFC 1071. */
static unsigned int full_checksum(const uint8_t *header, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2) {
		if (i != 10)
			sum += (uint32_t)(header[i] << 8 | header[i + 1]);
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static unsigned int checksum_of(const uint8_t *header)
{
	return (unsigned int)(header[10] << 8 | header[11]);
}

static void put_checksum(uint8_t *header, size_t len)
{
	unsigned int sum = full_checksum(header, len);

	header[10] = (uint8_t)(sum >> 8);
	header[11] = (uint8_t)sum;
}

/* Changes the TOS and compares the whole header with one that is made from nothing. */
static void check_change_v4(const uint8_t *before, size_t len, uint8_t tos)
{
	uint8_t packet[60], expected[60];
	struct inner inner;

	memcpy(packet, before, len);
	memcpy(expected, before, len);
	expected[1] = tos;
	put_checksum(expected, len);
	assert_true(inner_parse(packet, len, &inner));
	assert_int_equal(inner_get_tos(&inner), before[1]);
	inner_set_tos(&inner, tos);
	assert_int_equal(inner_get_tos(&inner), tos);
	assert_memory_equal(packet, expected, len);
}

static void tos_of_ipv4_takes_the_checksum_along(void **state)
{
	struct seeded seeded = seeded_begin("inner, TOS");

	(void)state;
	for (unsigned int round = 0; round < 8; round++) {
		unsigned int ihl = round < 4 ? 5 : 15;
		size_t len = (size_t)ihl * 4;
		uint8_t header[60];

		for (size_t i = 0; i < len; i++)
			header[i] = (uint8_t)seeded_next(&seeded);
		header[0] = (uint8_t)(0x40 | ihl);
		header[2] = 0;
		header[3] = (uint8_t)len;
		for (unsigned int pair = 0; pair <= 0xffff; pair++) {
			header[1] = (uint8_t)(pair >> 8);
			put_checksum(header, len);
			check_change_v4(header, len, (uint8_t)pair);
		}
	}
}

/* All checksums there are, before and after, with zero among them. */
static void every_checksum_can_be_changed(void **state)
{
	static const uint8_t changes[][2] = { { 0, 0 },       { 0, 1 },    { 1, 0 },   { 2, 3 },
					      { 0x88, 0x8b }, { 0, 0xff }, { 0xff, 0 } };
	bool saw_zero_before = false, saw_zero_after = false;

	(void)state;
	for (unsigned int ident = 0; ident <= 0xffff; ident++) {
		uint8_t header[IPV4_LEN] = { 0x45,
					     0,
					     0,
					     IPV4_LEN,
					     (uint8_t)(ident >> 8),
					     (uint8_t)ident,
					     0,
					     0,
					     64,
					     17,
					     0,
					     0,
					     10,
					     0,
					     0,
					     1,
					     10,
					     0,
					     0,
					     2 };

		for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
			header[1] = changes[i][1];
			put_checksum(header, sizeof(header));
			saw_zero_after |= checksum_of(header) == 0;
			header[1] = changes[i][0];
			put_checksum(header, sizeof(header));
			saw_zero_before |= checksum_of(header) == 0;
			check_change_v4(header, sizeof(header), changes[i][1]);
		}
	}
	assert_true(saw_zero_before && saw_zero_after);
}

static void wrong_checksum_stays_wrong(void **state)
{
	uint8_t packet[IPV4_LEN] = { 0x45, 0x02, 0,  IPV4_LEN, 1, 2, 0,  0, 64, 17,
				     0,    0,    10, 0,        0, 1, 10, 0, 0,  2 };
	struct inner inner;

	(void)state;
	put_checksum(packet, sizeof(packet));
	packet[11] ^= 0x40;
	assert_true(inner_parse(packet, sizeof(packet), &inner));
	inner_set_tos(&inner, 0x03);
	assert_int_equal(packet[1], 0x03);
	assert_int_not_equal(checksum_of(packet), full_checksum(packet, sizeof(packet)));
	inner_set_tos(&inner, 0x02);
	packet[11] ^= 0x40;
	assert_int_equal(checksum_of(packet), full_checksum(packet, sizeof(packet)));
}

static void class_of_ipv6_keeps_the_rest(void **state)
{
	static const uint8_t labels[][3] = { { 0x0, 0, 0 },
					     { 0xf, 0xff, 0xff },
					     { 0xa, 0x5a, 0xa5 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		for (unsigned int pair = 0; pair <= 0xffff; pair++) {
			uint8_t before = (uint8_t)(pair >> 8), after = (uint8_t)pair;
			uint8_t packet[IPV6_LEN], expected[IPV6_LEN];
			struct inner inner;

			memset(packet, 0x3c, sizeof(packet));
			packet[0] = (uint8_t)(0x60 | before >> 4);
			packet[1] = (uint8_t)((before & 0x0f) << 4 | labels[i][0]);
			packet[2] = labels[i][1];
			packet[3] = labels[i][2];
			packet[4] = packet[5] = 0;
			memcpy(expected, packet, sizeof(packet));
			expected[0] = (uint8_t)(0x60 | after >> 4);
			expected[1] = (uint8_t)((after & 0x0f) << 4 | labels[i][0]);
			assert_true(inner_parse(packet, sizeof(packet), &inner));
			assert_int_equal(inner_get_tos(&inner), before);
			inner_set_tos(&inner, after);
			assert_int_equal(inner_get_tos(&inner), after);
			assert_memory_equal(packet, expected, sizeof(packet));
		}
	}
}

static void addresses_are_written(void **state)
{
	static const uint8_t v4[] = { 192, 0, 2, 200 };
	static const uint8_t v6[] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	static const uint8_t long_one[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	char buf[INNER_ADDRESS_TEXT_MAX];

	(void)state;
	assert_ptr_equal(inner_format_address(AF_INET, v4, buf), buf);
	assert_string_equal(buf, "192.0.2.200");
	assert_string_equal(inner_format_address(AF_INET6, v6, buf), "2001:db8::1");
	assert_string_equal(inner_format_address(AF_INET6, long_one, buf),
			    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fragments_of_a_header_are_no_packet),
		cmocka_unit_test(other_versions_are_no_packet),
		cmocka_unit_test(header_length_of_ipv4_is_checked),
		cmocka_unit_test(total_length_of_ipv4_is_checked_and_trims),
		cmocka_unit_test(payload_length_of_ipv6_is_checked_and_trims),
		cmocka_unit_test(udp_is_known_by_protocol_ports_and_destination),
		cmocka_unit_test(tos_of_ipv4_takes_the_checksum_along),
		cmocka_unit_test(every_checksum_can_be_changed),
		cmocka_unit_test(wrong_checksum_stays_wrong),
		cmocka_unit_test(class_of_ipv6_keeps_the_rest),
		cmocka_unit_test(addresses_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
