/* Which addresses are behind the link; see stations.h. */
#include "daemon/data/stations.h"

#include <net/ethernet.h>

/* In the first byte of an address: it is a group's, IEEE 802 section 8.2.2. */
#define GROUP_BIT 0x01

/* Knuth, The Art of Computer Programming, volume 3, section 6.4: 2^64 by the golden ratio. */
#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

static uint64_t number_of(const uint8_t *address)
{
	uint64_t number = 0;

	for (int i = 0; i < ETH_ALEN; i++)
		number = number << 8 | address[i];
	return number;
}

static size_t set_of(uint64_t number)
{
	return (size_t)(number * MULTIPLIER >> 32) % STATIONS_N_SETS;
}

static bool has(const atomic_uint_least64_t *set, uint64_t number)
{
	for (int i = 0; i < STATIONS_SET_LEN; i++) {
		if (atomic_load_explicit(&set[i], memory_order_relaxed) == number)
			return true;
	}
	return false;
}

void stations_learn(struct stations *stations, const uint8_t *address)
{
	uint64_t number = number_of(address);
	size_t set = set_of(number);
	uint8_t *next = &stations->next[set];

	if ((address[0] & GROUP_BIT) || number == 0 || has(stations->sets[set], number))
		return;
	atomic_store_explicit(&stations->sets[set][*next], number, memory_order_relaxed);
	*next = (uint8_t)((*next + 1) % STATIONS_SET_LEN);
}

bool stations_know(const struct stations *stations, const uint8_t *address)
{
	uint64_t number = number_of(address);

	return number != 0 && has(stations->sets[set_of(number)], number);
}
