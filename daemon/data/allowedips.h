/*
 * AllowedIPs of the one peer: is an inner address allowed?
 *
 * With one peer there is no "which peer", so no trie is needed: the prefixes become sorted
 * ranges without overlap, and a lookup is a binary search, one comparison for a default route.
 */
#ifndef DATA_ALLOWEDIPS_H
#define DATA_ALLOWEDIPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/netaddr.h"

/* An address as a number; IPv4 uses `low` only. */
struct allowedips_address {
	uint64_t high;
	uint64_t low;
};

struct allowedips_range {
	struct allowedips_address first;
	struct allowedips_address last;
};

/* The ranges of one family. */
struct allowedips_set {
	struct allowedips_range *ranges; /* sorted, no two touch; owned */
	size_t n;
};

/* All zero allows nothing. */
struct allowedips {
	struct allowedips_set v4;
	struct allowedips_set v6;
};

/*!
 * Builds the sets.
 * \param prefixes  in any order, overlaps are fine; host bits are ignored
 * \return 0 or -ENOMEM
 */
int allowedips_init(struct allowedips *allowed, const struct prefix *prefixes, size_t n_prefixes);

/*! Frees the sets; safe twice. */
void allowedips_deinit(struct allowedips *allowed);

/*! Whether `address` (4 or 16 bytes, network order) is in a prefix of its family. */
must_check bool allowedips_contain(const struct allowedips *allowed, int family,
				   const uint8_t *address);

#endif
