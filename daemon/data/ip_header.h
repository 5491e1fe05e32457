/*
 * Where the fields of IP, TCP and UDP headers are, and how they are read and written: RFC 791,
 * 8200, 9293 and 768.
 */
#ifndef DATA_IP_HEADER_H
#define DATA_IP_HEADER_H

#include <stdint.h>
#include <string.h>

#include "common/bytes.h"

/* A header ends in _HEADER_LEN: its length without options; the others are offsets. */
#define IPV4_HEADER_LEN  20
#define IPV4_TOTAL_LEN   2
#define IPV4_ID          4
#define IPV4_FRAGMENT    6
#define IPV4_PROTOCOL    9
#define IPV4_CSUM        10
#define IPV4_ADDRESSES   12
#define IPV6_HEADER_LEN  40
#define IPV6_PAYLOAD_LEN 4
#define IPV6_NEXT        6
#define IPV6_ADDRESSES   8
#define TCP_HEADER_LEN   20
#define TCP_SEQ          4
#define TCP_ACK          8
#define TCP_FLAGS        12 /* the word with data offset, reserved bits and flags */
#define TCP_WINDOW       14
#define TCP_CSUM         16
#define TCP_URGENT       18
#define UDP_HEADER_LEN   8
#define UDP_LENGTH       4
#define UDP_CSUM         6

/* In the word at IPV4_FRAGMENT. */
#define IPV4_FRAGMENT_MASK 0x3fff /* "more fragments", and the offset */
#define IPV4_DONT_FRAGMENT 0x4000

/* In the word at TCP_FLAGS. */
#define TCP_FLAGS_MASK 0x0fff /* all but the data offset */
#define TCP_FLAG_FIN   0x0001
#define TCP_FLAG_PSH   0x0008
#define TCP_FLAG_ACK   0x0010
#define TCP_FLAG_ECE   0x0040
#define TCP_FLAG_CWR   0x0080

/*! A field of two bytes. */
static inline uint16_t header_load16(const uint8_t *bytes)
{
	be16_t wire;

	memcpy(&wire, bytes, sizeof(wire));
	return be16_load(wire);
}

/*! A field of four bytes. */
static inline uint32_t header_load32(const uint8_t *bytes)
{
	be32_t wire;

	memcpy(&wire, bytes, sizeof(wire));
	return be32_load(wire);
}

/*! Writes a field of two bytes. */
static inline void header_store16(uint8_t *bytes, uint16_t value)
{
	be16_t wire = be16_make(value);

	memcpy(bytes, &wire, sizeof(wire));
}

/*! Writes a field of four bytes. */
static inline void header_store32(uint8_t *bytes, uint32_t value)
{
	be32_t wire = be32_make(value);

	memcpy(bytes, &wire, sizeof(wire));
}

#endif
