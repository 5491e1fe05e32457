/*
 * Frames: where IP is found in them, and that padding gives back every length, and takes nothing
 * else for a frame.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/data/frame.h"
#include "tests/unit/seed.h"

#define LEN_MAX 1600

/* Writes a header with `n` types behind the stations, and one byte of what is inside. */
static size_t make(uint8_t *frame, const uint16_t *types, size_t n, uint8_t first)
{
	size_t at = 12;

	memset(frame, 0x22, LEN_MAX);
	for (size_t i = 0; i < n; i++) {
		frame[at++] = (uint8_t)(types[i] >> 8);
		frame[at++] = (uint8_t)types[i];
		if (i + 1 < n)
			at += 2;
	}
	frame[at] = first;
	return at;
}

static void ip_is_found_behind_tags(void **state)
{
	static const struct {
		uint16_t types[6];
		size_t n;
		uint8_t first;
		bool is_found;
	} rows[] = {
		{ { 0x0800 }, 1, 0x45, true },
		{ { 0x86dd }, 1, 0x60, true },
		{ { 0x8100, 0x0800 }, 2, 0x46, true },
		{ { 0x88a8, 0x8100, 0x86dd }, 3, 0x6f, true },
		{ { 0x9100, 0x8100, 0x0800 }, 3, 0x45, true },
		{ { 0x8100, 0x8100, 0x8100, 0x8100, 0x0800 }, 5, 0x45, true },
		{ { 0x8100, 0x8100, 0x8100, 0x8100, 0x8100, 0x0800 }, 6, 0x45, false },
		{ { 0x0800 }, 1, 0x60, false },
		{ { 0x86dd }, 1, 0x45, false },
		{ { 0x0806 }, 1, 0x45, false }, /* ARP */
		{ { 0x88cc }, 1, 0x45, false }, /* LLDP */
		{ { 100 }, 1, 0x45, false },    /* 802.3: a length */
		{ { 0x8100, 0x0806 }, 2, 0x45, false },
		{ { 0x8847, 0x0800 }, 2, 0x45, false }, /* MPLS */
	};
	uint8_t frame[LEN_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t offset = make(frame, rows[i].types, rows[i].n, rows[i].first);

		assert_int_equal(frame_ip_offset(frame, offset + 1), rows[i].is_found ? offset : 0);
		/* Cut anywhere, nothing is found, and nothing behind is read. */
		for (size_t len = 0; len <= offset; len++)
			assert_int_equal(frame_ip_offset(frame, len), 0);
	}
}

static void every_length_comes_back(void **state)
{
	static const size_t wholes[] = { 0, 100, 1000, 1409, 1425, 1439, 1440, 1441, 1600 };
	struct seeded seeded = seeded_begin("every_length_comes_back");
	uint8_t frame[LEN_MAX + FRAME_PADDING_MAX], copy[LEN_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wholes); i++) {
		for (size_t len = FRAME_HEADER_LEN; len <= LEN_MAX; len++) {
			size_t padded = frame_padded_len(len, wholes[i]), found = 0;

			for (size_t j = 0; j < sizeof(frame); j++)
				frame[j] = (uint8_t)seeded_next(&seeded);
			memcpy(copy, frame, len);
			assert_true(padded > len && padded - len <= FRAME_PADDING_MAX);
			/* What fits unpadded fits padded. */
			if (len < wholes[i])
				assert_true(padded <= wholes[i]);
			assert_true(padded % 16 == 0 || padded == wholes[i]);
			frame_pad(frame, len, padded);
			assert_true(frame_unpad(frame, padded, &found));
			assert_int_equal(found, len);
			assert_memory_equal(frame, copy, len);
			for (size_t j = len; j + 1 < padded; j++)
				assert_int_equal(frame[j], 0);
		}
	}
}

static void what_is_no_frame_is_refused(void **state)
{
	uint8_t plain[64] = { 0 };
	size_t len = 0;

	(void)state;
	assert_false(frame_unpad(plain, 0, &len));
	for (size_t n = 1; n <= sizeof(plain); n++) {
		for (unsigned int last = 0; last < 256; last++) {
			bool is_frame = last >= 1 && last <= 16 && n >= FRAME_HEADER_LEN + last;

			memset(plain, 0x55, sizeof(plain));
			plain[n - 1] = (uint8_t)last;
			assert_int_equal(frame_unpad(plain, n, &len), is_frame);
			if (is_frame)
				assert_int_equal(len, n - last);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip_is_found_behind_tags),
		cmocka_unit_test(every_length_comes_back),
		cmocka_unit_test(what_is_no_frame_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
