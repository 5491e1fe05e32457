/*
 * Random inputs that can be had again: a small generator whose seed is printed, and is taken
 * from VPND_TEST_SEED when that is set.
 */
#ifndef TESTS_SEED_H
#define TESTS_SEED_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "common/parse.h"

/* splitmix64: 64 bits of state, good enough to choose test inputs. */
struct seeded {
	uint64_t state;
};

/*! Draws a seed, or takes the one that is given, and says which. */
static inline struct seeded seeded_begin(const char *what)
{
	const char *given = getenv("VPND_TEST_SEED");
	struct seeded seeded;

	if (!given || !parse_number(given, UINT64_MAX, &seeded.state))
		randombytes_buf(&seeded.state, sizeof(seeded.state));
	printf("%s: VPND_TEST_SEED=0x%" PRIx64 "\n", what, seeded.state);
	return seeded;
}

static inline uint64_t seeded_next(struct seeded *seeded)
{
	uint64_t z = seeded->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/*! A number below `limit`. */
static inline uint64_t seeded_below(struct seeded *seeded, uint64_t limit)
{
	return seeded_next(seeded) % limit;
}

#endif
