/*
 * A random source that gives what a test wants: bytes and numbers that were queued come first,
 * real randomness after them. For fixed ephemeral keys, nonces and indices.
 */
#ifndef TESTS_FIXED_RANDOM_H
#define TESTS_FIXED_RANDOM_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>

#define FIXED_RANDOM_MAX 8

struct fixed_random {
	uint8_t bytes[FIXED_RANDOM_MAX][32];
	size_t len[FIXED_RANDOM_MAX];
	size_t n_bytes, next_bytes;
	uint32_t numbers[FIXED_RANDOM_MAX];
	size_t n_numbers, next_number;
};

static struct fixed_random fixed_random;

static inline const char *fixed_random_name(void)
{
	return "fixed";
}

static inline uint32_t fixed_random_number(void)
{
	if (fixed_random.next_number < fixed_random.n_numbers)
		return fixed_random.numbers[fixed_random.next_number++];
	return randombytes_sysrandom_implementation.random();
}

/* Jitter: not what tests queue numbers for. */
static inline uint32_t fixed_random_uniform(const uint32_t limit)
{
	return randombytes_sysrandom_implementation.random() % limit;
}

static inline void fixed_random_buf(void *const buf, const size_t size)
{
	size_t i = fixed_random.next_bytes;

	if (i < fixed_random.n_bytes && fixed_random.len[i] == size) {
		memcpy(buf, fixed_random.bytes[i], size);
		fixed_random.next_bytes++;
		return;
	}
	randombytes_sysrandom_implementation.buf(buf, size);
}

/*! Puts the source in place, with nothing queued. */
static inline void fixed_random_begin(void)
{
	static struct randombytes_implementation implementation = {
		.implementation_name = fixed_random_name,
		.random = fixed_random_number,
		.uniform = fixed_random_uniform,
		.buf = fixed_random_buf,
	};

	memset(&fixed_random, 0, sizeof(fixed_random));
	randombytes_set_implementation(&implementation);
}

/*! Back to the real source. */
static inline void fixed_random_end(void)
{
	randombytes_set_implementation(&randombytes_sysrandom_implementation);
}

/*! The answer to the next randombytes_buf() of `len` bytes that nothing older is queued for. */
static inline void fixed_random_push(const void *bytes, size_t len)
{
	assert(fixed_random.n_bytes < FIXED_RANDOM_MAX && len <= 32);
	memcpy(fixed_random.bytes[fixed_random.n_bytes], bytes, len);
	fixed_random.len[fixed_random.n_bytes++] = len;
}

/*! The answer to the next randombytes_random() that nothing older is queued for. */
static inline void fixed_random_push_number(uint32_t number)
{
	assert(fixed_random.n_numbers < FIXED_RANDOM_MAX);
	fixed_random.numbers[fixed_random.n_numbers++] = number;
}

#endif
