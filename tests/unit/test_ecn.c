/* Tests of daemon/data/ecn.c: every pair of bytes against the table of RFC 6040, figure 4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/data/ecn.h"

/* As the bits are on the wire: RFC 3168 section 5. */
#define NOT_ECT 0x00
#define ECT_1   0x01
#define ECT_0   0x02
#define CE      0x03

/*
 * What goes in with which mark comes out how. The one cell where RFC 6040 drops the packet (not
 * capable inside, marked outside) leaves it as it is.
 */
static const struct {
	uint8_t inner, outer, expected;
} cells[16] = {
	{ NOT_ECT, NOT_ECT, NOT_ECT },
	{ NOT_ECT, ECT_0, NOT_ECT },
	{ NOT_ECT, ECT_1, NOT_ECT },
	{ NOT_ECT, CE, NOT_ECT },
	{ ECT_0, NOT_ECT, ECT_0 },
	{ ECT_0, ECT_0, ECT_0 },
	{ ECT_0, ECT_1, ECT_1 },
	{ ECT_0, CE, CE },
	{ ECT_1, NOT_ECT, ECT_1 },
	{ ECT_1, ECT_0, ECT_1 },
	{ ECT_1, ECT_1, ECT_1 },
	{ ECT_1, CE, CE },
	{ CE, NOT_ECT, CE },
	{ CE, ECT_0, CE },
	{ CE, ECT_1, CE },
	{ CE, CE, CE },
};

static void marks_combine_and_dscp_stays(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 16; i++) {
		for (unsigned int inner_dscp = 0; inner_dscp < 64; inner_dscp++) {
			for (unsigned int outer_dscp = 0; outer_dscp < 64; outer_dscp++) {
				uint8_t inner = (uint8_t)(inner_dscp << 2 | cells[i].inner);
				uint8_t outer = (uint8_t)(outer_dscp << 2 | cells[i].outer);

				assert_int_equal(ecn_decapsulate(outer, inner),
						 inner_dscp << 2 | cells[i].expected);
			}
		}
	}
}

static void outside_is_the_mark_without_dscp(void **state)
{
	static const uint8_t outside[4] = {
		[NOT_ECT] = NOT_ECT, [ECT_1] = ECT_1, [ECT_0] = ECT_0, [CE] = ECT_0
	};

	(void)state;
	for (unsigned int tos = 0; tos <= 0xff; tos++)
		assert_int_equal(ecn_encapsulate((uint8_t)tos), outside[tos & 3]);
}

/* A path that marks nothing changes nothing; one that marks is heard by who understands it. */
static void marks_survive_the_tunnel(void **state)
{
	(void)state;
	for (unsigned int i = 0; i <= 0xff; i++) {
		uint8_t tos = (uint8_t)i, outside = ecn_encapsulate(tos);

		assert_int_equal(ecn_decapsulate(outside, tos), tos);
		if (outside != NOT_ECT)
			assert_int_equal(ecn_decapsulate(CE, tos), tos | CE);
		/* A path that wipes marks must not turn congestion into calm. */
		assert_int_equal(ecn_decapsulate(NOT_ECT, tos), tos);
	}
}

static void handshakes_are_af41_and_not_capable(void **state)
{
	(void)state;
	assert_int_equal(ECN_TOS_HANDSHAKE >> 2, 34);
	assert_int_equal(ECN_TOS_HANDSHAKE & 3, NOT_ECT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_combine_and_dscp_stays),
		cmocka_unit_test(outside_is_the_mark_without_dscp),
		cmocka_unit_test(marks_survive_the_tunnel),
		cmocka_unit_test(handshakes_are_af41_and_not_capable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
