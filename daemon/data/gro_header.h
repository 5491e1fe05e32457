/*
 * What the merger must know of a packet's headers: whether it may be merged at all, whether it
 * continues a run, and the header of a finished run. Used by gro.c alone.
 */
#ifndef DATA_GRO_HEADER_H
#define DATA_GRO_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/data/gro.h"

/* What a packet means for the runs before it. */
enum gro_class {
	GRO_MERGEABLE, /* may begin or continue a run */
	GRO_IN_FLOW,   /* must not overtake, nor be overtaken in, the flow that it belongs to */
	GRO_UNKNOWN,   /* TCP or UDP, perhaps, of a flow that cannot be seen: all flows end here */
	GRO_UNRELATED, /* neither TCP nor UDP: has no order with them */
};

/* A packet's headers in short. Those behind `ports` only for GRO_MERGEABLE. */
struct gro_shape {
	uint8_t link_len; /* of what is in front of the IP header; the caller's to set */
	uint8_t protocol; /* 6 or 17 */
	uint8_t ip_len;
	bool v6;
	uint32_t ports;
	uint8_t headers_len; /* IP and transport header */
	uint16_t payload_len;
	bool ends_run; /* PSH */
};

/*! Reads the headers of a packet. \param len  of the packet, at least 1 */
enum gro_class gro_classify(const uint8_t *packet, size_t len, struct gro_shape *shape);

/*! Whether two packets have the same addresses; `v6` says of which kind both are. */
bool gro_same_addresses(const uint8_t *a, const uint8_t *b, bool v6);

/*! Where in the table of runs to look for a flow. */
size_t gro_slot(const uint8_t *packet, const struct gro_shape *shape);

/*!
 * Whether the packet continues the run, of whose flow it is: all but what counts on is equal,
 * and it is the next one.
 * \param packet   its IP header, with what is in front of that
 * \param id_step  set to how the identification went on (IPv4)
 */
bool gro_continues(const struct gro_run *run, const uint8_t *packet, const struct gro_shape *shape,
		   uint8_t *id_step);

/*! Whether the checksums of a GRO_MERGEABLE packet are right. Reads its payload. */
bool gro_verify(const uint8_t *packet, size_t len, const struct gro_run *run);

/*! The sequence number of a TCP packet behind an IP header of `ip_len` bytes. */
uint32_t gro_tcp_seq(const uint8_t *packet, size_t ip_len);

/*!
 * Writes offload header and merged headers of a run of two packets or more.
 * \param wire  VNET_HDR_LEN + run->headers_len bytes
 */
void gro_write_headers(const struct gro_run *run, uint8_t *wire);

#endif
