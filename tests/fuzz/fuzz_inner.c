/*
 * Fuzz target: the inner packet check, from what was opened to what enters the interface.
 *
 * The input is the number of prefixes (and 0x80 for a padded frame instead of a packet), the
 * prefixes (family and length, address), the TOS byte outside, and a packet. What is taken as a
 * packet is as long as its own header says and not longer than what came; AllowedIPs says what the
 * prefixes say one by one; the congestion mark changes the TOS byte and nothing else, and leaves an
 * IPv4 checksum as right, or as wrong by as much, as it was.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/data/allowedips.h"
#include "daemon/data/ecn.h"
#include "daemon/data/frame.h"
#include "daemon/data/inner.h"

#define PREFIXES_MAX 15
#define PREFIX_LEN   17 /* in the input: bit 7 is the family, the rest the length; the address */
#define PACKET_MAX   70000
#define FRAME        0x80

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static struct prefix load_prefix(const uint8_t *data)
{
	struct prefix prefix = { .family = data[0] & 0x80 ? AF_INET6 : AF_INET };

	prefix.len = (uint8_t)((data[0] & 0x7f) % (prefix.family == AF_INET ? 33 : 128));
	/* 127 is the only value left, and stands for a whole address. */
	if (prefix.len == 127)
		prefix.len = 128;
	memcpy(prefix.addr, data + 1, sizeof(prefix.addr));
	return prefix;
}

static bool one_contains(const struct prefix *prefixes, size_t n, int family,
			 const uint8_t *address)
{
	for (size_t i = 0; i < n; i++) {
		size_t bit = 0;

		if (prefixes[i].family != family)
			continue;
		while (bit < prefixes[i].len &&
		       !((prefixes[i].addr[bit / 8] ^ address[bit / 8]) & 0x80 >> bit % 8))
			bit++;
		if (bit == prefixes[i].len)
			return true;
	}
	return false;
}

static size_t load16(const uint8_t *bytes)
{
	return (size_t)bytes[0] << 8 | bytes[1];
}

/* The sum of an IPv4 header with its checksum, folded: 0xffff when that is right. */
static uint32_t header_sum(const uint8_t *packet)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < (size_t)(packet[0] & 0x0f) * 4; i += 2)
		sum += (uint32_t)load16(packet + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void check_parsed(const struct inner *inner, const uint8_t *packet, size_t len)
{
	size_t address_len = inner->family == AF_INET ? 4 : 16;
	char text[INNER_ADDRESS_TEXT_MAX];

	check(inner->packet == packet && inner->len <= len);
	if (inner->family == AF_INET) {
		check(packet[0] >> 4 == 4 && packet[0] % 16 >= 5);
		check(inner->len == load16(packet + 2));
		check(inner->len >= (size_t)(packet[0] % 16) * 4);
	} else {
		check(inner->family == AF_INET6 && packet[0] >> 4 == 6);
		check(inner->len == 40 + load16(packet + 4));
	}
	check(inner->source > packet && inner->destination == inner->source + address_len);
	check(inner->destination + address_len <= packet + inner->len);
	/* Reads behind the header: only a sanitizer can see how far. */
	if (inner_is_udp(inner, (uint16_t)load16(inner->destination), inner->destination, 53))
		check(packet[inner->family == AF_INET ? 9 : 6] == IPPROTO_UDP);
	check(inner_format_address(inner->family, inner->source, text) == text);
	check(strlen(text) < sizeof(text));
}

/* Does what the receiver does, and compares with `original`, which is the packet before. */
static void check_mark(const struct inner *inner, uint8_t outer_tos, const uint8_t *original,
		       size_t len)
{
	uint8_t *packet = inner->packet;
	uint8_t tos = inner_get_tos(inner);
	uint8_t marked = ecn_decapsulate(outer_tos, tos);

	check((marked & 0xfc) == (tos & 0xfc));
	check(ecn_decapsulate(ecn_encapsulate(tos), tos) == tos);
	inner_set_tos(inner, marked);
	check(inner_get_tos(inner) == marked);
	if (inner->family == AF_INET) {
		check(header_sum(packet) == header_sum(original));
		check(packet[0] == original[0]);
		check(memcmp(packet + 2, original + 2, 8) == 0);
		check(memcmp(packet + 12, original + 12, len - 12) == 0);
	} else {
		check((packet[0] & 0xf0) == 0x60 && (packet[1] & 0x0f) == (original[1] & 0x0f));
		check(memcmp(packet + 2, original + 2, len - 2) == 0);
	}
	inner_set_tos(inner, tos);
	check(inner_get_tos(inner) == tos);
	if (inner->family == AF_INET6)
		check(memcmp(packet, original, len) == 0);
	else
		check(header_sum(packet) == header_sum(original));
}

static void run(const struct prefix *prefixes, size_t n_prefixes, uint8_t outer_tos,
		uint8_t *packet, const uint8_t *original, size_t len)
{
	struct allowedips allowed;
	struct inner inner;

	if (!inner_parse(packet, len, &inner)) {
		check(memcmp(packet, original, len) == 0);
		return;
	}
	check_parsed(&inner, packet, len);
	check(allowedips_init(&allowed, prefixes, n_prefixes) == 0);
	check(allowedips_contain(&allowed, inner.family, inner.source) ==
	      one_contains(prefixes, n_prefixes, inner.family, inner.source));
	check(allowedips_contain(&allowed, inner.family, inner.destination) ==
	      one_contains(prefixes, n_prefixes, inner.family, inner.destination));
	allowedips_deinit(&allowed);
	check_mark(&inner, outer_tos, original, len);
}

/* An opened plaintext that should be a frame: what is cut off is padding and nothing else. */
static void run_frame(uint8_t outer_tos, uint8_t *plain, const uint8_t *original, size_t len)
{
	size_t frame_len, offset;
	struct inner inner;

	if (!frame_unpad(plain, len, &frame_len))
		return;
	check(frame_len >= FRAME_HEADER_LEN && frame_len < len &&
	      len - frame_len == plain[len - 1] && len - frame_len <= FRAME_PADDING_MAX);
	offset = frame_ip_offset(plain, frame_len);
	check(offset < frame_len && offset <= FRAME_LINK_MAX && (offset == 0 || offset % 4 == 2));
	if (offset == 0 || !inner_parse(plain + offset, frame_len - offset, &inner))
		return;
	check_mark(&inner, outer_tos, original + offset, frame_len - offset);
	check(memcmp(plain, original, offset) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prefix prefixes[PREFIXES_MAX];
	size_t n_prefixes, head_len;
	uint8_t *packet;

	if (size < 1)
		return 0;
	n_prefixes = data[0] % (PREFIXES_MAX + 1);
	head_len = 1 + n_prefixes * PREFIX_LEN + 1;
	if (size < head_len || size > PACKET_MAX)
		return 0;
	for (size_t i = 0; i < n_prefixes; i++)
		prefixes[i] = load_prefix(data + 1 + i * PREFIX_LEN);
	/* Exactly as large as the packet, so that a sanitizer sees an overrun. */
	packet = malloc(MAX(size - head_len, 1));
	if (packet == NULL)
		return 0;
	memcpy(packet, data + head_len, size - head_len);
	if (data[0] & FRAME)
		run_frame(data[head_len - 1], packet, data + head_len, size - head_len);
	else
		run(prefixes, n_prefixes, data[head_len - 1], packet, data + head_len,
		    size - head_len);
	free(packet);
	return 0;
}
