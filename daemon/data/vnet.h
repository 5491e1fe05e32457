/*
 * The offload header of a TUN or TAP interface (IFF_VNET_HDR), and the splitting of what arrives
 * with it.
 *
 * The kernel hands over a *superpacket*: one IP and one TCP or UDP header, and up to 64 KiB of
 * payload that belong into packets of `gso_size` bytes each. It is split in place. The segments
 * are made one after the other, and each gets its header right in front of its payload, where
 * the end of the previous segment's payload was:
 *
 *     |vnet|header|payload 0 .....|payload 1 .....|payload 2 ..|
 *     |vnet|<--- segment 0 ------>|
 *                         |header||payload 1 .....|
 *
 * so payload is never moved; it is read once, for its checksum, and the caller's cipher is the
 * only copy. The price is an order: a segment must have been sealed (elsewhere) before the next
 * one is asked for. On a TAP interface the header begins with that of Ethernet, which every
 * segment gets as it is.
 *
 * Rules: virtio 1.2 section 5.1.6.4; kernel net/ipv4/tcp_offload.c and udp_offload.c, whose
 * output ours equals byte for byte.
 */
#ifndef DATA_VNET_H
#define DATA_VNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

/* The header in front of each packet, as TUNSETVNETHDRSZ has it by default. */
#define VNET_HDR_LEN 10

/* Longest header (Ethernet, IP with options or extensions, and TCP or UDP) of a superpacket. */
#define VNET_HEADERS_MAX 256

/* Values of <linux/virtio_net.h>, which lacks the newer ones where vpnd is built. */
enum vnet_flag {
	VNET_FLAG_NEEDS_CSUM = 1, /* the checksum field holds the pseudo header's sum only */
};

enum vnet_gso {
	VNET_GSO_NONE = 0,
	VNET_GSO_TCPV4 = 1,
	VNET_GSO_TCPV6 = 4,
	VNET_GSO_UDP_L4 = 5,
	VNET_GSO_ECN = 0x80, /* a bit beside TCPV4 or TCPV6: the first segment has CWR */
};

/* struct virtio_net_hdr, in the host's byte order. */
struct vnet_hdr {
	uint8_t flags;        /* enum vnet_flag */
	uint8_t gso_type;     /* enum vnet_gso */
	uint16_t hdr_len;     /* a hint that forwarded packets get wrong: never read here */
	uint16_t gso_size;    /* payload bytes in each segment but the last */
	uint16_t csum_start;  /* where the checksummed part begins: the transport header */
	uint16_t csum_offset; /* of the checksum field, from csum_start */
};

_Static_assert(sizeof(struct vnet_hdr) == VNET_HDR_LEN, "virtio_net_hdr has no padding");

/* Why a packet from the interface cannot be used. The caller drops and counts it. */
enum vnet_refusal {
	VNET_OK = 0,
	VNET_BAD_TYPE,     /* a gso_type that was not asked for */
	VNET_BAD_CSUM,     /* csum_start or csum_offset do not fit the packet */
	VNET_BAD_IP,       /* the IP header contradicts gso_type or length, or is a fragment's */
	VNET_BAD_L4,       /* the TCP or UDP header does not fit the packet */
	VNET_BAD_GSO_SIZE, /* gso_size 0, or no payload to split */
};

/* A packet on its way through vnet_split_next(). Nothing in it is for others to write. */
struct vnet_split {
	uint8_t *packet;
	uint32_t payload_offset; /* of the next segment's payload in `packet` */
	uint32_t payload_left;
	uint16_t header_len; /* all headers; 0: one packet that is given as it is */
	uint16_t link_len;   /* of these, in front of IP */
	uint16_t l4_offset;
	uint16_t gso_size;
	uint16_t n_segments;
	uint16_t index; /* of the next segment */
	uint16_t ipv4_id;
	uint32_t tcp_seq;
	uint16_t tcp_flags; /* with data offset, as the word lies in the header: host order */
	uint8_t protocol;   /* 6 or 17 */
	bool v6;
	bool without_checksum; /* IPv4 UDP whose sender wanted none */
	uint64_t ip_sum;       /* of the IPv4 header without length, identification, checksum */
	uint64_t l4_sum;       /* of pseudo and transport header without what changes */
	uint8_t headers[VNET_HEADERS_MAX]; /* the original: tiny segments overwrite it in place */
};

/*! Reads the header in front of a packet. \param wire  VNET_HDR_LEN bytes */
struct vnet_hdr vnet_decode(const uint8_t *wire);

/*! Writes a header in front of a packet. \param wire  VNET_HDR_LEN bytes */
void vnet_encode(uint8_t *wire, const struct vnet_hdr *header);

/*!
 * Looks at a packet that was read from the interface and prepares its segments. A packet that
 * needs no splitting becomes one segment; its checksum is finished here when the kernel left
 * that to us. Every number in both headers is checked; hdr_len is ignored.
 * \param split   any content; on success to be used by the other functions until `packet` is
 *                reused
 * \param packet  `len` bytes, starting with the IP header; changed in place
 * \return VNET_OK; else the packet must be dropped, and is as it was
 */
must_check enum vnet_refusal vnet_split_begin(struct vnet_split *split,
					      const struct vnet_hdr *header, uint8_t *packet,
					      size_t len);

/*!
 * The same with an Ethernet frame.
 * \param frame     `len` bytes, starting with the Ethernet header
 * \param link_len  bytes in front of the IP header, which every segment gets; 0 when there is no
 *                  IP, and so nothing to split
 */
must_check enum vnet_refusal vnet_split_begin_frame(struct vnet_split *split,
						    const struct vnet_hdr *header, uint8_t *frame,
						    size_t link_len, size_t len);

/*!
 * Makes the segments of a TCP superpacket shorter than the kernel has asked for, so that each fits
 * a narrow path: to the receiver that is as if the sender had chosen so (RFC 9293 section 3.7.1:
 * a segment may be shorter than the MSS). Anything else is left as it is: datagrams have ends.
 * \param max_len  bytes of a segment with its headers; one that leaves next to no payload is
 *                 ignored
 */
void vnet_split_limit(struct vnet_split *split, size_t max_len);

/*!
 * Makes the next segment. Its bytes are in the packet that was given to vnet_split_begin(), and
 * are no longer valid after the next call. Bytes behind the segment belong to the next one: they
 * may be overwritten by the caller but must be restored before the next call.
 * \param len  set to the segment's length in bytes
 * \return the segment's first header; NULL after the last one
 */
uint8_t *vnet_split_next(struct vnet_split *split, size_t *len);

/*! How many segments vnet_split_next() makes in all, at least 1. */
static inline size_t vnet_split_count(const struct vnet_split *split)
{
	return split->n_segments;
}

/*! Whether vnet_split_next() has made all of them. */
static inline bool vnet_split_is_done(const struct vnet_split *split)
{
	return split->index == split->n_segments;
}

/*!
 * The length in bytes of the longest segment, which all but the last have: for reserving room
 * before the first call of vnet_split_next().
 */
static inline size_t vnet_split_segment_len(const struct vnet_split *split)
{
	return split->n_segments > 1 ? (size_t)split->header_len + split->gso_size
				     : (size_t)split->header_len + split->payload_left;
}

/*! The payload bytes of each segment but the last; 0 for a packet that is not split. */
static inline size_t vnet_split_gso_size(const struct vnet_split *split)
{
	return split->gso_size;
}

#endif
