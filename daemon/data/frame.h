/*
 * Ethernet frames, as a TAP interface has them: where the IP packet in a frame begins, and how a
 * frame is padded before it is sealed.
 *
 * A packet says itself how long it is, so WireGuard's padding can be cut off without being told
 * about. A frame does not: of ARP, of LLDP, of a frame with a length instead of a type, every byte
 * counts. So a frame is padded with zeros, and the last byte says how many bytes of padding there
 * are, itself included; there is always at least that one. Like WireGuard's padding it goes up to
 * a multiple of 16, so an observer learns the length no more exactly than that of a packet; and
 * like that it does not make a message longer than the path carries whole. The ends agree on
 * frames in the handshake (daemon/proto/offer.h), so neither takes the one padding for the other.
 */
#ifndef DATA_FRAME_H
#define DATA_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

/* Destination, source, type. */
#define FRAME_HEADER_LEN 14
/* In the first byte of an address: it is a group's, IEEE 802 section 8.2.2. */
#define FRAME_GROUP_BIT 0x01
/* A VLAN tag, and how many of them are looked through: IEEE 802.1ad has two. */
#define FRAME_TAG_LEN  4
#define FRAME_TAGS_MAX 4
/* The longest header in front of an IP packet that is found. */
#define FRAME_LINK_MAX (FRAME_HEADER_LEN + FRAME_TAGS_MAX * FRAME_TAG_LEN)

/* The unit of padding, and the most that there is of it. */
#define FRAME_PADDING_MAX 16

/*!
 * Finds the IP packet in a frame, also behind VLAN tags (types 0x8100, 0x88a8 and 0x9100).
 * \param frame  `len` bytes, any content
 * \return its offset: 14, or 4 more for each tag; 0 when there is none, or one of another version
 *         than the type says
 */
size_t frame_ip_offset(const uint8_t *frame, size_t len);

/*!
 * Length of a frame with its padding.
 * \param whole  the longest plaintext whose message the path carries whole; 0: not known. A frame
 *               that fits is not padded beyond that
 * \return more than `len`, by FRAME_PADDING_MAX at most
 */
size_t frame_padded_len(size_t len, size_t whole);

/*! Writes the padding behind a frame of `len` bytes. \param padded_len  by frame_padded_len() */
void frame_pad(uint8_t *frame, size_t len, size_t padded_len);

/*!
 * Finds the length of a frame in an opened message.
 * \param plain    `len` bytes, any content
 * \param ret_len  of the frame, at least FRAME_HEADER_LEN
 * \return false when it is no frame with its padding
 */
must_check bool frame_unpad(const uint8_t *plain, size_t len, size_t *ret_len);

#endif
