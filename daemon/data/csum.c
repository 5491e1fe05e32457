/* The Internet checksum; see csum.h. */
#include "daemon/data/csum.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define HAVE_AVX2 1
#else
#define HAVE_AVX2 0
#endif

/* Below this the set-up of the vectors costs more than they save. */
#define AVX2_MIN_LEN 64

static uint64_t load64(const uint8_t *data)
{
	uint64_t word;

	memcpy(&word, data, sizeof(word));
	return word;
}

static uint32_t load32(const uint8_t *data)
{
	uint32_t word;

	memcpy(&word, data, sizeof(word));
	return word;
}

/* Adds with the carry brought round; compilers make add and adc of it. */
static uint64_t add_carry(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

/* Fewer than eight bytes. A lone last byte is the first of its word: RFC 1071 section 4.1. */
static uint64_t sum_tail(const uint8_t *data, size_t len)
{
	uint8_t last[2] = { 0, 0 };
	uint64_t sum = 0;

	if (len & 4) {
		sum += load32(data);
		data += 4;
	}
	if (len & 2) {
		sum += csum_load(data);
		data += 2;
	}
	if (len & 1) {
		last[0] = *data;
		sum += csum_load(last);
	}
	return sum;
}

uint64_t csum_partial_scalar(const uint8_t *data, size_t len)
{
	uint64_t even = 0, odd = 0;

	/* Two chains, because each addition waits for the carry of the one before. */
	for (; len >= 32; data += 32, len -= 32) {
		even = add_carry(even, load64(data));
		odd = add_carry(odd, load64(data + 8));
		even = add_carry(even, load64(data + 16));
		odd = add_carry(odd, load64(data + 24));
	}
	for (; len >= 8; data += 8, len -= 8)
		even = add_carry(even, load64(data));
	even = add_carry(even, odd);
	even = add_carry(even, sum_tail(data, len));
	return (even & 0xffffffff) + (even >> 32);
}

#if HAVE_AVX2

/*
 * Sixteen words a step. The only instruction that adds words into wider lanes takes them as
 * signed, so each is moved down by 0x8000 first, and the result up again by as much for each
 * word. A lane changes by at most 2^16 a step: 2^15 steps, or one MiB, would fill it.
 */
#define AVX2_MAX_LEN ((size_t)1 << 19)

__attribute__((target("avx2"))) static inline __m256i step(__m256i sum, const uint8_t *data)
{
	__m256i words = _mm256_loadu_si256((const __m256i *)(const void *)data);

	words = _mm256_xor_si256(words, _mm256_set1_epi16((short)0x8000));
	return _mm256_add_epi32(sum, _mm256_madd_epi16(words, _mm256_set1_epi16(1)));
}

/* The eight lanes as one number. */
__attribute__((target("avx2"))) static inline int64_t sum_lanes(__m256i lanes)
{
	__m128i half =
		_mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
	__m128i wide = _mm_add_epi64(_mm_cvtepi32_epi64(half),
				     _mm_cvtepi32_epi64(_mm_unpackhi_epi64(half, half)));

	wide = _mm_add_epi64(wide, _mm_unpackhi_epi64(wide, wide));
	return _mm_cvtsi128_si64(wide);
}

/* `len` is a multiple of 32 and at most AVX2_MAX_LEN. */
__attribute__((target("avx2"))) static uint64_t sum_avx2(const uint8_t *data, size_t len)
{
	__m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
	int64_t bias = (int64_t)(len / 2) * 0x8000;

	for (; len >= 128; data += 128, len -= 128) {
		a = step(a, data);
		b = step(b, data + 32);
		c = step(c, data + 64);
		d = step(d, data + 96);
	}
	for (; len >= 32; data += 32, len -= 32)
		a = step(a, data);
	a = _mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_add_epi32(c, d));
	return (uint64_t)(sum_lanes(a) + bias);
}

#endif

uint64_t csum_partial(const uint8_t *data, size_t len)
{
#if HAVE_AVX2
	if (len >= AVX2_MIN_LEN && len <= AVX2_MAX_LEN && __builtin_cpu_supports("avx2")) {
		size_t vectors = len & ~(size_t)31;
		uint64_t sum = sum_avx2(data, vectors);

		data += vectors;
		len -= vectors;
		for (; len >= 8; data += 8, len -= 8)
			sum += (load64(data) & 0xffffffff) + (load64(data) >> 32);
		return sum + sum_tail(data, len);
	}
#endif
	return csum_partial_scalar(data, len);
}
