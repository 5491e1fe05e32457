/*
 * Merging of received packets before they are written to the interface (generic receive
 * offload): consecutive segments of a TCP or UDP flow become one superpacket, which costs one
 * write and one way through the kernel's stack instead of up to 64.
 *
 * A batch is one gro_begin(), many gro_add(), and then gro_next() until NULL.
 * Ethernet frames are merged in the same way: what is inside equal headers, VLAN tags included.
 * Nothing is copied but headers: a run is written with an iovec of [offload header and merged
 * header][payload][payload]..., and the original packets stay intact.
 *
 * The promise: whoever splits a run again (the kernel does, with net/ipv4/tcp_offload.c and
 * udp_offload.c) gets the original packets byte for byte and in their order, with two
 * exceptions that mean nothing: with "don't fragment" set, equal IPv4 identifications come out
 * ascending (RFC 6864 section 4.1 forbids to look at them), and UDP without checksum comes out
 * with one. Runs leave in the order of their first packets and only the newest run of a flow
 * ever grows, so within a flow nothing is reordered; flows may overtake each other.
 */
#ifndef DATA_GRO_H
#define DATA_GRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/defs.h"
#include "daemon/data/frame.h"
#include "daemon/data/vnet.h"

/* Packets in one batch: eight receive slots of 64 segments. */
#define GRO_MAX_PACKETS 512

/* Packets in one run: what kernels before 6.9 take in a UDP superpacket (UDP_MAX_SEGMENTS). */
#define GRO_MAX_SEGMENTS 64

/* Longest merged header of a packet: IPv6 without extensions, and TCP with all its options. */
#define GRO_HEADERS_MAX (40 + 60)

/* Flows whose newest run can be found again: a power of two. */
#define GRO_TABLE_SIZE 256

enum gro_flag {
	GRO_TCP = 1, /* merge TCP: the interface has TSO */
	GRO_UDP = 2, /* merge UDP: the interface has USO */
	/*
	 * Do not verify the checksums of what is merged. The merged packet has none of its own,
	 * so a packet that was damaged before the far end sealed it is repaired unnoticed.
	 */
	GRO_TRUST_CHECKSUMS = 4,
};

/* One packet as it was added. */
struct gro_packet {
	uint8_t *data; /* the first header; VNET_HDR_LEN bytes in front are free */
	uint32_t len;
	struct gro_packet *next; /* in the same run, NULL at its end */
};

/* One write to the interface. */
struct gro_write {
	struct iovec *iov; /* for writev() */
	int n_iov;
	struct gro_packet *first; /* what it consists of */
	size_t n_packets;
	uint8_t protocol; /* of more than one packet: 6 or 17 */
};

/* How the IPv4 identifications of a run go on. */
enum gro_id_step {
	GRO_ID_UNKNOWN, /* one packet so far */
	GRO_ID_FIXED,
	GRO_ID_COUNTS,
};

/* One packet, or several that are written as one. */
struct gro_run {
	struct gro_packet *first, *last;
	uint32_t ports;    /* as they lie in the packet */
	uint32_t next_seq; /* TCP: of the byte behind the run */
	uint32_t len;      /* of the superpacket, headers included */
	uint16_t gso_size; /* payload of the first packet */
	uint8_t n_packets;
	uint8_t id_step;     /* enum gro_id_step */
	uint8_t protocol;    /* 6 or 17; 0: the packet is none that could be merged */
	uint8_t link_len;    /* of what is in front of IP: 0, or of the Ethernet header with tags */
	uint8_t ip_len;      /* 20 or 40 */
	uint8_t headers_len; /* all headers */
	bool closed;         /* nothing may be appended */
	bool verified;       /* the checksums of the first packet are right */
};

/* The merger of one thread, about 40 KiB. All zero bits are a valid start for gro_begin(). */
struct gro {
	unsigned int flags;
	uint16_t n_packets, n_runs, n_written;
	struct gro_run *latest; /* the run that grew last, asked before the table; or NULL */
	uint16_t table[GRO_TABLE_SIZE]; /* index + 1 of the newest run of a flow; 0: none */
	struct gro_write write;
	struct iovec iov[GRO_MAX_SEGMENTS + 1];
	uint8_t headers[VNET_HDR_LEN + FRAME_LINK_MAX + GRO_HEADERS_MAX];
	struct gro_packet packets[GRO_MAX_PACKETS];
	struct gro_run runs[GRO_MAX_PACKETS];
};

/*! Begins a batch and forgets the previous one. \param flags  of enum gro_flag */
void gro_begin(struct gro *gro, unsigned int flags);

/*!
 * Adds a packet, in the order of arrival.
 * \param packet  `len` bytes of an IP packet, exactly as long as its own header says; anything
 *                else is passed on alone. Must stay unchanged until the batch was written;
 *                VNET_HDR_LEN bytes in front of it are overwritten
 * \param len     1 to 65,575
 * \return false when the batch is full: write it, begin anew, add this packet again
 */
must_check bool gro_add(struct gro *gro, uint8_t *packet, size_t len);

/*!
 * The same with an Ethernet frame.
 * \param ip_offset  of the IP packet in it, by frame_ip_offset(); 0: none, so it is passed on
 *                   alone, and has no order with others
 */
must_check bool gro_add_frame(struct gro *gro, uint8_t *frame, size_t len, size_t ip_offset);

/*!
 * The next write; after the first one nothing may be added to the batch.
 * \return valid until the next call for this `gro`; NULL after the last one
 */
const struct gro_write *gro_next(struct gro *gro);

/*!
 * Makes one packet of a write into a write of its own, for a kernel that refused the whole.
 * \return the offload header (all zero: nothing to do) and the packet behind it
 */
struct iovec gro_single(const struct gro_packet *packet);

#endif
