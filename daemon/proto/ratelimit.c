/* Token buckets by source address; see ratelimit.h. */
#include "daemon/proto/ratelimit.h"

#include <string.h>

#include <sodium.h>

#define TOKEN_COST  (NSEC_PER_SEC / RATELIMIT_PER_SECOND)
#define BUCKET_SIZE (TOKEN_COST * RATELIMIT_BURST)

void ratelimit_init(struct ratelimit *limit)
{
	memset(limit, 0, sizeof(*limit));
	randombytes_buf(limit->hash_key, sizeof(limit->hash_key));
}

static void make_address(uint8_t address[static 9], const union netaddr *source)
{
	memset(address, 0, 9);
	address[0] = (uint8_t)source->sa.sa_family;
	if (source->sa.sa_family == AF_INET)
		memcpy(address + 1, &source->in4.sin_addr, 4);
	else if (source->sa.sa_family == AF_INET6)
		memcpy(address + 1, &source->in6.sin6_addr, 8);
}

/* The entry of `address`: its own, or one whose bucket is full again, or NULL. */
static struct ratelimit_entry *find_entry(struct ratelimit *limit, const uint8_t address[static 9],
					  nsec_t now)
{
	uint8_t hash[crypto_shorthash_BYTES];
	struct ratelimit_entry *set, *vacant = NULL;

	crypto_shorthash(hash, address, 9, limit->hash_key);
	set = limit->sets[hash[0] % RATELIMIT_SETS];
	for (size_t i = 0; i < RATELIMIT_WAYS; i++) {
		if (memcmp(set[i].address, address, 9) == 0)
			return &set[i];
		if (set[i].full_at <= now)
			vacant = &set[i];
	}
	if (vacant) {
		memcpy(vacant->address, address, 9);
		vacant->full_at = now;
	}
	return vacant;
}

bool ratelimit_allow(struct ratelimit *limit, const union netaddr *source, nsec_t now)
{
	uint8_t address[9];
	struct ratelimit_entry *entry;
	nsec_t full_at;

	make_address(address, source);
	entry = find_entry(limit, address, now);
	if (!entry)
		return false;
	full_at = MAX(entry->full_at, now) + TOKEN_COST;
	if (full_at > now + BUCKET_SIZE)
		return false;
	entry->full_at = full_at;
	return true;
}
