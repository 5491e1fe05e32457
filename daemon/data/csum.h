/*
 * The Internet checksum (RFC 1071): sums that are put together from parts.
 *
 * A sum is a 64-bit number of 16-bit words *in memory order*: the ones' complement sum does not
 * care about byte order as long as the result is stored the way the words were loaded (RFC 1071
 * section 2 (B)), so nothing is ever swapped. What comes from a number and not from memory goes
 * through csum_be16() or csum_be32(). A sum that csum_partial() returns is below 2^36, so
 * millions of parts may be added with a plain `+`; csum_fold() makes 16 bits of the total.
 *
 * Every part but the last must have an even length. Alignment does not matter.
 */
#ifndef DATA_CSUM_H
#define DATA_CSUM_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What RFC 768 sends in place of a UDP checksum of zero, which means "none". */
#define CSUM_MANGLED_ZERO 0xffff

/*!
 * The sum of `len` bytes. Long inputs are summed with AVX2 where the processor has it.
 * \param data  any alignment; an odd last byte counts as if a zero byte followed
 * \return less than 2^36
 */
uint64_t csum_partial(const uint8_t *data, size_t len);

/*! The same without vector instructions: what csum_partial() is measured against in tests. */
uint64_t csum_partial_scalar(const uint8_t *data, size_t len);

/*! A number of 16 bits as it adds to a sum. */
static inline uint64_t csum_be16(uint16_t value)
{
	return htobe16(value);
}

/*! A number of 32 bits (two words) as it adds to a sum. */
static inline uint64_t csum_be32(uint32_t value)
{
	return htobe32(value);
}

/*! Two bytes at `data`, in memory order: a part of a sum, or a stored checksum. */
static inline uint16_t csum_load(const uint8_t *data)
{
	uint16_t word;

	memcpy(&word, data, sizeof(word));
	return word;
}

/*! Stores a checksum where it was loaded from. */
static inline void csum_store(uint8_t *data, uint16_t checksum)
{
	memcpy(data, &checksum, sizeof(checksum));
}

/*!
 * The sum in 16 bits, not inverted: what a checksum field holds that somebody else will finish
 * (CHECKSUM_PARTIAL), and 0xffff for anything that contains its own, correct checksum.
 */
static inline uint16_t csum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/*! The checksum: the inverted sum, as it is stored in a header. */
static inline uint16_t csum_finish(uint64_t sum)
{
	return (uint16_t)~csum_fold(sum);
}

/*! The checksum for UDP and all that shares its rule: a zero is sent as 0xffff (RFC 768). */
static inline uint16_t csum_finish_nonzero(uint64_t sum)
{
	uint16_t checksum = csum_finish(sum);

	return checksum != 0 ? checksum : CSUM_MANGLED_ZERO;
}

/*! What takes the stored word `word` out of a sum: ones' complement subtraction is addition. */
static inline uint64_t csum_without(uint16_t word)
{
	return (uint16_t)~word;
}

/*!
 * A stored checksum after one word that it covers has changed (RFC 1624, equation 3).
 * \param old_word, new_word  in memory order, as csum_load() gives them
 */
static inline uint16_t csum_update(uint16_t checksum, uint16_t old_word, uint16_t new_word)
{
	return csum_finish((uint64_t)(uint16_t)~checksum + csum_without(old_word) + new_word);
}

/*!
 * The sum of the pseudo header of TCP or UDP (RFC 9293 section 3.1; RFC 8200 section 8.1).
 * \param ip        an IPv4 (20 bytes are read) or, with `v6`, an IPv6 header (40 bytes)
 * \param protocol  6 or 17
 * \param l4_len    bytes from the transport header to the end of the payload
 */
static inline uint64_t csum_pseudo(const uint8_t *ip, bool v6, uint8_t protocol, uint32_t l4_len)
{
	uint64_t words[4] = { 0 };
	uint64_t sum = csum_be32(l4_len) + csum_be16(protocol);

	memcpy(words, ip + (v6 ? 8 : 12), v6 ? 32 : 8);
	for (size_t i = 0; i < 4; i++)
		sum += (words[i] & 0xffffffff) + (words[i] >> 32);
	return sum;
}

#endif
