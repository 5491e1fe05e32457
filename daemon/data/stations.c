/* Which addresses are behind the link; see stations.h. */
#include "daemon/data/stations.h"

#include <net/ethernet.h>

#include "daemon/data/frame.h"

/* Knuth, The Art of Computer Programming, volume 3, section 6.4: 2^64 by the golden ratio. */
#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

/* How an entry is divided: when the address sent last, and the address. */
#define STAMP_SHIFT  48
#define ADDRESS_MASK ((UINT64_C(1) << STAMP_SHIFT) - 1)

/* A unit of stamps is 2^33 ns, 8.6 seconds; they come round after six days. */
#define UNIT_SHIFT 33
#define AGE_MAX    ((uint16_t)(STATIONS_LIFETIME >> UNIT_SHIFT) + 1)

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

/* In units, and one more: the writer's clock may be read a moment after the reader's. */
static uint16_t age_of(uint64_t entry, nsec_t now)
{
	return (uint16_t)((now >> UNIT_SHIFT) + 1 - (entry >> STAMP_SHIFT));
}

/* The entry of an address, or else, of those of its set, the one that can best be spared. */
static size_t find(const atomic_uint_least64_t *set, uint64_t number, nsec_t now)
{
	size_t found = 0;
	unsigned int age, oldest = 0;

	for (size_t i = 0; i < STATIONS_SET_LEN; i++) {
		uint64_t entry = atomic_load_explicit(&set[i], memory_order_relaxed);

		if ((entry & ADDRESS_MASK) == number)
			return i;
		age = entry == 0 ? UINT16_MAX + 1 : age_of(entry, now);
		if (age > oldest) {
			oldest = age;
			found = i;
		}
	}
	return found;
}

void stations_learn(struct stations *stations, const uint8_t *address, nsec_t now)
{
	uint64_t number = number_of(address);
	uint64_t entry = (now >> UNIT_SHIFT) << STAMP_SHIFT | number;
	atomic_uint_least64_t *place = stations->sets[set_of(number)];

	if ((address[0] & FRAME_GROUP_BIT) || number == 0)
		return;
	place += find(place, number, now);
	if (atomic_load_explicit(place, memory_order_relaxed) != entry)
		atomic_store_explicit(place, entry, memory_order_relaxed);
}

bool stations_know(const struct stations *stations, const uint8_t *address, nsec_t now)
{
	uint64_t number = number_of(address), entry;
	const atomic_uint_least64_t *set = stations->sets[set_of(number)];

	entry = atomic_load_explicit(&set[find(set, number, now)], memory_order_relaxed);
	return number != 0 && (entry & ADDRESS_MASK) == number && age_of(entry, now) <= AGE_MAX + 1;
}
