/*
 * Token buckets by source address: how many handshakes per second one address may cost us
 * while under load (paper section 5.3; kernel ratelimiter.c).
 *
 * An address is a whole IPv4 address or the /64 of an IPv6 one, never a port. The table is
 * bounded and needs no clean-up: it is set-associative, and an entry whose bucket is full again
 * says nothing that a fresh one would not, so it may be taken by another address. When all
 * entries of a set are busy the newcomer is refused.
 */
#ifndef PROTO_RATELIMIT_H
#define PROTO_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/netaddr.h"
#include "common/nsec.h"

enum ratelimit_size {
	RATELIMIT_PER_SECOND = 20,
	RATELIMIT_BURST = 5,
	RATELIMIT_SETS = 256,
	RATELIMIT_WAYS = 8,
};

/* One address and its bucket. The bucket is kept as the time at which it will be full. */
struct ratelimit_entry {
	uint8_t address[9]; /* family, then 4 or 8 bytes of address */
	nsec_t full_at;     /* 0: never used */
};

struct ratelimit {
	uint8_t hash_key[16]; /* random: nobody outside can aim at one set */
	struct ratelimit_entry sets[RATELIMIT_SETS][RATELIMIT_WAYS];
};

/*! Empties the table and draws a new hash key. */
void ratelimit_init(struct ratelimit *limit);

/*!
 * Takes one token from the bucket of `source`.
 * \return false when the bucket is empty or no entry is to be had
 */
must_check bool ratelimit_allow(struct ratelimit *limit, const union netaddr *source, nsec_t now);

#endif
