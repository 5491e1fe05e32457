/* Seeded random numbers; see sim_random.h. */
#include "tests/sim/sim_random.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/parse.h"

/* SplitMix64: a counter and a finaliser, enough for simulations and for throw-away keys. */
static uint64_t core_state, scenario_state;

static uint64_t step(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static const char *core_name(void)
{
	return "seeded";
}

static uint32_t core_random(void)
{
	return (uint32_t)step(&core_state);
}

static void core_buf(void *const buf, const size_t size)
{
	uint8_t *bytes = buf;

	for (size_t done = 0; done < size; done += sizeof(uint64_t)) {
		uint64_t word = step(&core_state);
		size_t left = size - done;

		memcpy(bytes + done, &word, left < sizeof(word) ? left : sizeof(word));
	}
}

void sim_random_install(void)
{
	static randombytes_implementation seeded = {
		.implementation_name = core_name,
		.random = core_random,
		.buf = core_buf,
	};

	randombytes_set_implementation(&seeded);
	if (sodium_init() < 0)
		abort();
}

void sim_random_seed(uint64_t seed)
{
	core_state = seed;
	scenario_state = ~seed;
	/* Seeds that lie side by side must not give streams that do. */
	core_state = step(&core_state);
	scenario_state = step(&scenario_state);
}

uint64_t sim_random_next(void)
{
	return step(&scenario_state);
}

uint64_t sim_random_below(uint64_t bound)
{
	return bound ? sim_random_next() % bound : 0;
}

uint64_t sim_random_env(const char *name, uint64_t fallback)
{
	const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread */
	uint64_t value;

	if (!text || !*text)
		return fallback;
	return parse_number(text, UINT64_MAX, &value) ? value : fallback;
}
