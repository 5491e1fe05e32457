/* AllowedIPs as sorted ranges; see allowedips.h. */
#include "daemon/data/allowedips.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"

static struct allowedips_address load(int family, const uint8_t *bytes)
{
	be32_t v4;
	be64_t v6[2];

	if (family == AF_INET) {
		memcpy(&v4, bytes, sizeof(v4));
		return (struct allowedips_address) { 0, be32_load(v4) };
	}
	memcpy(v6, bytes, sizeof(v6));
	return (struct allowedips_address) { be64_load(v6[0]), be64_load(v6[1]) };
}

static int compare(const struct allowedips_address *a, const struct allowedips_address *b)
{
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return 0;
}

static int compare_first(const void *a, const void *b)
{
	const struct allowedips_range *range_a = a, *range_b = b;

	return compare(&range_a->first, &range_b->first);
}

/* The lowest `n` bits set, 0 to 64. */
static uint64_t low_bits(unsigned int n)
{
	return n >= 64 ? UINT64_MAX : (1ULL << n) - 1;
}

static struct allowedips_range make_range(const struct prefix *prefix)
{
	unsigned int width = prefix->family == AF_INET ? 32 : 128;
	unsigned int n_host = width - MIN(prefix->len, width);
	uint64_t host_low = low_bits(n_host);
	uint64_t host_high = n_host > 64 ? low_bits(n_host - 64) : 0;
	struct allowedips_address address = load(prefix->family, prefix->addr);

	return (struct allowedips_range) {
		.first = { address.high & ~host_high, address.low & ~host_low },
		.last = { address.high | host_high, address.low | host_low },
	};
}

/* Whether `next` begins inside `range` or right behind it. */
static bool touches(const struct allowedips_range *range, const struct allowedips_range *next)
{
	struct allowedips_address after = range->last;

	if (++after.low == 0 && ++after.high == 0)
		return true;
	return compare(&next->first, &after) <= 0;
}

/* Sorts and joins the ranges in place. */
static void normalise(struct allowedips_set *set)
{
	size_t n = 0;

	if (set->n == 0)
		return;
	qsort(set->ranges, set->n, sizeof(*set->ranges), compare_first);
	for (size_t i = 1; i < set->n; i++) {
		struct allowedips_range *joined = &set->ranges[n];
		const struct allowedips_range *next = &set->ranges[i];

		if (!touches(joined, next))
			set->ranges[++n] = *next;
		else if (compare(&next->last, &joined->last) > 0)
			joined->last = next->last;
	}
	set->n = n + 1;
}

static int init_set(struct allowedips_set *set, int family, const struct prefix *prefixes,
		    size_t n_prefixes)
{
	*set = (struct allowedips_set) { .ranges =
						 calloc(MAX(n_prefixes, 1), sizeof(*set->ranges)) };
	if (!set->ranges)
		return -ENOMEM;
	for (size_t i = 0; i < n_prefixes; i++) {
		if (prefixes[i].family == family)
			set->ranges[set->n++] = make_range(&prefixes[i]);
	}
	normalise(set);
	return 0;
}

int allowedips_init(struct allowedips *allowed, const struct prefix *prefixes, size_t n_prefixes)
{
	int r;

	memset(allowed, 0, sizeof(*allowed));
	r = init_set(&allowed->v4, AF_INET, prefixes, n_prefixes);
	if (r == 0)
		r = init_set(&allowed->v6, AF_INET6, prefixes, n_prefixes);
	if (r < 0)
		allowedips_deinit(allowed);
	return r;
}

void allowedips_deinit(struct allowedips *allowed)
{
	free(allowed->v4.ranges);
	free(allowed->v6.ranges);
	memset(allowed, 0, sizeof(*allowed));
}

bool allowedips_contain(const struct allowedips *allowed, int family, const uint8_t *address)
{
	const struct allowedips_set *set = family == AF_INET ? &allowed->v4 : &allowed->v6;
	struct allowedips_address wanted = load(family, address);
	size_t low = 0, high = set->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&wanted, &set->ranges[middle].first) < 0)
			high = middle;
		else if (compare(&wanted, &set->ranges[middle].last) > 0)
			low = middle + 1;
		else
			return true;
	}
	return false;
}
