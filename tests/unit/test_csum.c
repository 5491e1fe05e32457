/* Internet checksums: the fast sums against a slow one, and the arithmetic around them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/data/csum.h"
#include "tests/unit/offload_ref.h"

#define BUF_SIZE 70000

static uint8_t buf[BUF_SIZE];

static uint16_t network(uint16_t folded)
{
	return be16toh(folded);
}

/* Folded sums of nothing but zeros are 0, all others are never 0: also in the reference. */
static void expect_sum(const uint8_t *data, size_t len)
{
	uint16_t expected = (uint16_t)ref_sum(data, len, 0);

	assert_int_equal(network(csum_fold(csum_partial(data, len))), expected);
	assert_int_equal(network(csum_fold(csum_partial_scalar(data, len))), expected);
}

/* RFC 1071 section 3. */
static void rfc_example(void **state)
{
	static const uint8_t words[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	(void)state;
	assert_int_equal(network(csum_fold(csum_partial(words, sizeof(words)))), 0xddf2);
	assert_int_equal(network(csum_finish(csum_partial(words, sizeof(words)))), 0x220d);
	assert_int_equal(csum_partial(words, 0), 0);
}

static void all_lengths_and_alignments(void **state)
{
	struct seeded seeded = seeded_begin("all_lengths_and_alignments");

	(void)state;
	for (size_t len = 0; len < 700; len++) {
		size_t offset = seeded_below(&seeded, 64);

		ref_fill(&seeded, buf, len + 64);
		expect_sum(buf + offset, len);
	}
	for (size_t i = 0; i < 300; i++) {
		size_t len = seeded_below(&seeded, BUF_SIZE - 64);

		ref_fill(&seeded, buf, BUF_SIZE);
		expect_sum(buf + seeded_below(&seeded, 64), len);
	}
}

/* The greatest and least words are where lanes would overflow first. */
static void extremes_do_not_overflow(void **state)
{
	static uint8_t large[3 << 20];
	static const int fills[] = { 0, 0xff, 0x7f, 0x80 };

	(void)state;
	for (size_t i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
		memset(large, fills[i], sizeof(large));
		for (size_t len = sizeof(large); len > 60000; len /= 2)
			expect_sum(large + 1, len - 1);
		expect_sum(large, 1 << 19);
		expect_sum(large, (1 << 19) + 32);
	}
	assert_true(csum_partial(large, sizeof(large)) < 1ULL << 36);
}

static void parts_add_up(void **state)
{
	struct seeded seeded = seeded_begin("parts_add_up");

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		size_t len = 2 + seeded_below(&seeded, 3000);
		size_t cut = seeded_below(&seeded, len) & ~(size_t)1;

		ref_fill(&seeded, buf, len);
		assert_int_equal(
			csum_fold(csum_partial(buf, cut) + csum_partial(buf + cut, len - cut)),
			csum_fold(csum_partial(buf, len)));
	}
}

static void update_is_a_new_sum(void **state)
{
	struct seeded seeded = seeded_begin("update_is_a_new_sum");

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		size_t at = seeded_below(&seeded, 10) * 2;
		uint16_t before, after, old_word, updated;

		ref_fill(&seeded, buf, 20);
		buf[19] |= 1; /* a header is never all zeros */
		before = csum_finish(csum_partial(buf, 20));
		old_word = csum_load(buf + at);
		csum_store(buf + at, (uint16_t)seeded_next(&seeded));
		buf[19] |= 1;
		if (at == 18)
			continue;
		after = csum_finish(csum_partial(buf, 20));
		updated = csum_update(before, old_word, csum_load(buf + at));
		assert_int_equal(updated, after);
		assert_int_equal(csum_fold(csum_partial(buf, 20) + csum_without(csum_load(buf))),
				 csum_fold(csum_partial(buf + 2, 18)));
	}
}

static void numbers_add_like_memory(void **state)
{
	uint8_t bytes[4] = { 0x12, 0x34, 0xab, 0xcd };

	(void)state;
	assert_int_equal(csum_fold(csum_be32(0x1234abcd)), csum_fold(csum_partial(bytes, 4)));
	assert_int_equal(csum_fold(csum_be16(0x1234)), csum_fold(csum_partial(bytes, 2)));
	assert_int_equal(csum_fold(UINT64_MAX), 0xffff);
	assert_int_equal(csum_fold(0), 0);
	assert_int_equal(csum_finish(0xffff), 0);
	assert_int_equal(csum_finish_nonzero(0xffff), CSUM_MANGLED_ZERO);
	assert_int_equal(csum_finish_nonzero(1), 0xfffe);
}

static void pseudo_headers(void **state)
{
	struct seeded seeded = seeded_begin("pseudo_headers");

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		struct ref_packet spec = ref_random(&seeded);
		size_t len, ip_len = spec.v6 ? 40 : 20;

		ref_fill(&seeded, buf + 1000, 1400);
		len = ref_build(buf, &spec, buf + 1000, seeded_below(&seeded, 900));
		assert_int_equal(network(csum_fold(csum_pseudo(buf, spec.v6, spec.protocol,
							       (uint32_t)(len - ip_len)))),
				 ref_pseudo(buf, len - ip_len));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_example),
		cmocka_unit_test(all_lengths_and_alignments),
		cmocka_unit_test(extremes_do_not_overflow),
		cmocka_unit_test(parts_add_up),
		cmocka_unit_test(update_is_a_new_sum),
		cmocka_unit_test(numbers_add_like_memory),
		cmocka_unit_test(pseudo_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
