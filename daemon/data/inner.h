/*
 * The packet inside: the least that must be known of an IPv4 or IPv6 packet before it may leave
 * for the network or enter the interface.
 */
#ifndef DATA_INNER_H
#define DATA_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

/* Longest address as inner_format_address() writes it, with its NUL. */
#define INNER_ADDRESS_TEXT_MAX 46

/* What a packet's header says. The pointers lead into the packet. */
struct inner {
	int family; /* AF_INET or AF_INET6 */
	size_t len; /* of the packet by its own header; at most what was given */
	uint8_t *packet;
	const uint8_t *source;      /* 4 or 16 bytes */
	const uint8_t *destination; /* 4 or 16 bytes */
};

/*!
 * Reads and checks version and lengths (kernel receive.c, wg_packet_consume_data_done): an IPv4
 * packet has a header of at least 20 bytes inside a total length of at most `len`; an IPv6
 * packet is 40 bytes plus its payload length. Bytes behind that are padding.
 * \param packet  `len` bytes, any content
 * \return false when it is not an IP packet that fits
 */
must_check bool inner_parse(uint8_t *packet, size_t len, struct inner *ret);

/*!
 * Whether the packet is a UDP datagram from `source_port` to a destination.
 * \param destination  address of the packet's family, 4 or 16 bytes
 */
bool inner_is_udp(const struct inner *inner, uint16_t source_port, const void *destination,
		  uint16_t destination_port);

/*! The byte with DSCP and ECN: "type of service" or "traffic class". */
uint8_t inner_get_tos(const struct inner *inner);

/*! Changes that byte, and the checksum of an IPv4 header with it (RFC 1624). */
void inner_set_tos(const struct inner *inner, uint8_t tos);

/*! Writes an address of a packet for a message. \return `buf` */
const char *inner_format_address(int family, const uint8_t *address,
				 char buf[static INNER_ADDRESS_TEXT_MAX]);

#endif
