/*
 * Fuzz target: an offload header (10 bytes) and a packet as they might come from the interface; a
 * frame where 0x80 is set in the header's flags, and where 0x40 is set, for a narrow path.
 * What is refused is unchanged. What is split stays inside its packet, has as many segments as
 * announced, all of the announced length but the last, and all of the payload, in order.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/data/frame.h"
#include "daemon/data/vnet.h"

#define PAD_MAX 15
#define FRAME   0x80
#define NARROW  0x40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static size_t load16(const uint8_t *bytes)
{
	return (size_t)bytes[0] << 8 | bytes[1];
}

/* Overwrites what is behind the segment and puts it back, as the caller may. */
static void pad(uint8_t *behind, size_t room)
{
	uint8_t saved[PAD_MAX];
	size_t len = room < PAD_MAX ? room : PAD_MAX;

	memcpy(saved, behind, len);
	memset(behind, 0xee, len);
	memcpy(behind, saved, len);
}

static void check_segments(struct vnet_split *split, uint8_t *packet, const uint8_t *original,
			   size_t link_len, size_t len)
{
	size_t n_segments = vnet_split_count(split), longest = vnet_split_segment_len(split);
	size_t header_len = longest - vnet_split_gso_size(split);
	size_t n = 0, payload_done = 0, segment_len;
	uint8_t *segment;

	if (n_segments == 1 && vnet_split_gso_size(split) > 0)
		header_len = split->header_len;
	check(n_segments >= 1 && header_len <= len);
	while ((segment = vnet_split_next(split, &segment_len))) {
		size_t payload_len = segment_len - header_len;
		const uint8_t *ip = segment + link_len;

		n++;
		check(memcmp(segment, original, link_len) == 0);
		check(segment >= packet && segment + segment_len <= packet + len);
		check(segment_len == longest || (n == n_segments && segment_len < longest));
		check(memcmp(segment + header_len, original + header_len + payload_done,
			     payload_len) == 0);
		check(segment_len - link_len ==
		      (ip[0] >> 4 == 4 ? load16(ip + 2) : load16(ip + 4) + 40));
		pad(segment + segment_len, (size_t)(packet + len - segment) - segment_len);
		payload_done += payload_len;
	}
	check(n == n_segments && header_len + payload_done == len);
	check(vnet_split_next(split, &segment_len) == NULL);
}

static void run(const struct vnet_hdr *header, uint8_t *packet, const uint8_t *original, size_t len)
{
	static struct vnet_split split;
	size_t link_len = header->flags & FRAME ? frame_ip_offset(packet, len) : 0;
	size_t segment_len;

	memset(&split, 0xaa, sizeof(split));
	if (vnet_split_begin_frame(&split, header, packet, link_len, len) != VNET_OK) {
		check(memcmp(packet, original, len) == 0);
		return;
	}
	if (header->flags & NARROW)
		vnet_split_limit(&split, 700);
	if (header->gso_type == VNET_GSO_NONE) {
		check(vnet_split_count(&split) == 1 && vnet_split_segment_len(&split) == len);
		check(vnet_split_next(&split, &segment_len) == packet && segment_len == len);
		check(vnet_split_next(&split, &segment_len) == NULL);
	} else {
		check_segments(&split, packet, original, link_len, len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vnet_hdr header;
	uint8_t *packet;

	if (size < VNET_HDR_LEN || size > 65535 + 40)
		return 0;
	header = vnet_decode(data);
	size -= VNET_HDR_LEN;
	data += VNET_HDR_LEN;
	/* Exactly as large as the packet, so that a sanitizer sees an overrun. */
	packet = malloc(size > 0 ? size : 1);
	if (packet == NULL)
		return 0;
	memcpy(packet, data, size);
	run(&header, packet, data, size);
	free(packet);
	return 0;
}
