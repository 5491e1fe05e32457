/*
 * Fuzz target: a batch of received packets, or of Ethernet frames. The first byte of the input is
 * the flags of gro_begin(), and 0x80 for frames; the rest is packets, each with its length (two
 * bytes, the greater first) in front. Every packet leaves once, unchanged; a run, split again,
 * gives its packets back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/data/gro.h"

#define RUN_MAX 66000
#define FRAMES  0x80

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The packets, each in memory of its own size: VNET_HDR_LEN bytes and the packet. */
struct batch {
	uint8_t *rooms[GRO_MAX_PACKETS];
	const uint8_t *originals[GRO_MAX_PACKETS];
	size_t lens[GRO_MAX_PACKETS];
	bool written[GRO_MAX_PACKETS];
	size_t n;
};

static struct batch batch;
static struct gro gro;

static void check(bool holds)
{
	if (!holds)
		abort();
}

static size_t take_packets(const uint8_t *data, size_t size)
{
	batch.n = 0;
	while (size >= 2 && batch.n < GRO_MAX_PACKETS) {
		size_t len = (size_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		if (len == 0)
			continue;
		batch.rooms[batch.n] = malloc(VNET_HDR_LEN + len);
		if (batch.rooms[batch.n] == NULL)
			break;
		memcpy(batch.rooms[batch.n] + VNET_HDR_LEN, data, len);
		batch.originals[batch.n] = data;
		batch.written[batch.n] = false;
		batch.lens[batch.n++] = len;
		data += len;
		size -= len;
	}
	return batch.n;
}

static size_t index_of(const struct gro_packet *packet)
{
	size_t i = 0;

	while (i < batch.n && batch.rooms[i] + VNET_HDR_LEN != packet->data)
		i++;
	check(i < batch.n && packet->len == batch.lens[i]);
	return i;
}

/* Where the IP packet in a frame is, by the first byte of the input. */
static size_t offset_of(const uint8_t *data, size_t len, unsigned int flags)
{
	return flags & FRAMES ? frame_ip_offset(data, len) : 0;
}

/* What may differ: checksums that nobody verified or made, and numbers that mean nothing. */
static void forget(uint8_t *packet, unsigned int flags, const uint8_t *original)
{
	bool v6 = original[0] >> 4 == 6, udp = original[v6 ? 6 : 9] == 17;
	size_t ip_len = v6 ? 40 : 20, field = ip_len + (udp ? 6 : 16);
	bool had_none = udp && !v6 && original[field] == 0 && original[field + 1] == 0;

	if (!v6 && (original[6] & 0x40))
		memset(packet + 4, 0, 2);
	if (!v6 && ((original[6] & 0x40) || (flags & GRO_TRUST_CHECKSUMS)))
		memset(packet + 10, 0, 2);
	if (had_none || (flags & GRO_TRUST_CHECKSUMS))
		memset(packet + field, 0, 2);
}

static void check_run(const struct gro_write *write, unsigned int flags)
{
	static uint8_t flat[VNET_HDR_LEN + RUN_MAX], expected[RUN_MAX];
	static struct vnet_split split;
	const struct gro_packet *packet = write->first;
	struct vnet_hdr header;
	size_t len = 0, segment_len, offset;
	uint8_t *segment;

	for (int i = 0; i < write->n_iov; i++) {
		check(len + write->iov[i].iov_len <= VNET_HDR_LEN + 65535 + FRAME_LINK_MAX);
		memcpy(flat + len, write->iov[i].iov_base, write->iov[i].iov_len);
		len += write->iov[i].iov_len;
	}
	header = vnet_decode(flat);
	offset = offset_of(flat + VNET_HDR_LEN, len - VNET_HDR_LEN, flags);
	check(len - VNET_HDR_LEN - offset <= 65535);
	check(vnet_split_begin_frame(&split, &header, flat + VNET_HDR_LEN, offset,
				     len - VNET_HDR_LEN) == VNET_OK);
	check(vnet_split_count(&split) == write->n_packets);
	while ((segment = vnet_split_next(&split, &segment_len))) {
		const uint8_t *original = batch.originals[index_of(packet)];

		check(segment_len == packet->len);
		memcpy(expected, original, segment_len);
		forget(expected + offset, flags, original + offset);
		forget(segment + offset, flags, original + offset);
		check(memcmp(segment, expected, segment_len) == 0);
		packet = packet->next;
	}
	check(packet == NULL);
}

static void check_write(const struct gro_write *write, unsigned int flags)
{
	size_t n = 0;

	check(write->n_packets >= 1 && write->n_packets <= GRO_MAX_SEGMENTS);
	if (write->n_packets > 1) {
		check(write->n_iov == (int)write->n_packets + 1);
		check_run(write, flags);
	} else {
		check(write->n_iov == 1);
	}
	for (const struct gro_packet *packet = write->first; packet; packet = packet->next) {
		size_t i = index_of(packet);
		struct iovec iov = gro_single(packet);

		check(!batch.written[i]);
		batch.written[i] = true;
		check(iov.iov_len == VNET_HDR_LEN + batch.lens[i]);
		check(memcmp((uint8_t *)iov.iov_base + VNET_HDR_LEN, batch.originals[i],
			     batch.lens[i]) == 0);
		n++;
	}
	check(n == write->n_packets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct gro_write *write;
	size_t n = 0, newest = 0;

	if (size < 1)
		return 0;
	take_packets(data + 1, size - 1);
	gro_begin(&gro, data[0]);
	for (size_t i = 0; i < batch.n; i++) {
		uint8_t *packet = batch.rooms[i] + VNET_HDR_LEN;
		size_t len = batch.lens[i];

		check(data[0] & FRAMES
			      ? gro_add_frame(&gro, packet, len, frame_ip_offset(packet, len))
			      : gro_add(&gro, packet, len));
	}
	while ((write = gro_next(&gro))) {
		size_t first = index_of(write->first);

		/* Runs leave in the order of their first packets. */
		check(n == 0 || first > newest);
		newest = first;
		check_write(write, data[0]);
		n += write->n_packets;
	}
	check(n == batch.n);
	for (size_t i = 0; i < batch.n; i++)
		free(batch.rooms[i]);
	return 0;
}
