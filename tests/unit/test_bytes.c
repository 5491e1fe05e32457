/* Integers on the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/bytes.h"

static void little_endian_32(void **state)
{
	static const uint8_t wire[] = { 0x04, 0x03, 0x02, 0x01 };
	le32_t made = le32_make(0x01020304);

	(void)state;
	assert_int_equal(sizeof(made), sizeof(wire));
	assert_memory_equal(&made, wire, sizeof(wire));
	assert_int_equal(le32_load(made), 0x01020304);
	assert_int_equal(le32_load(le32_make(UINT32_MAX)), UINT32_MAX);
}

static void little_endian_64(void **state)
{
	static const uint8_t wire[] = { 8, 7, 6, 5, 4, 3, 2, 1 };
	le64_t made = le64_make(0x0102030405060708ULL);

	(void)state;
	assert_int_equal(sizeof(made), sizeof(wire));
	assert_memory_equal(&made, wire, sizeof(wire));
	assert_true(le64_load(made) == 0x0102030405060708ULL);
	assert_true(le64_load(le64_make(UINT64_MAX)) == UINT64_MAX);
}

static void big_endian(void **state)
{
	static const uint8_t wire[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	be16_t be16 = be16_make(0x0102);
	be32_t be32 = be32_make(0x01020304);
	be64_t be64 = be64_make(0x0102030405060708ULL);

	(void)state;
	assert_int_equal(sizeof(be16), 2);
	assert_int_equal(sizeof(be32), 4);
	assert_int_equal(sizeof(be64), 8);
	assert_memory_equal(&be16, wire, 2);
	assert_memory_equal(&be32, wire, 4);
	assert_memory_equal(&be64, wire, 8);
	assert_int_equal(be16_load(be16), 0x0102);
	assert_int_equal(be32_load(be32), 0x01020304);
	assert_true(be64_load(be64) == 0x0102030405060708ULL);
}

/* In a struct there is no padding, wherever they stand. */
static void no_alignment(void **state)
{
	struct {
		uint8_t first;
		le32_t second;
		uint8_t third;
		be64_t fourth;
		be16_t fifth;
	} packed;

	(void)state;
	assert_int_equal(sizeof(packed), 1 + 4 + 1 + 8 + 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(little_endian_32),
		cmocka_unit_test(little_endian_64),
		cmocka_unit_test(big_endian),
		cmocka_unit_test(no_alignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
