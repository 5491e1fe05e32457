/* The switch that lets marks count in the check of sources: valid_mark.c. */
#include "tests/unit/full_tunnel.h"

#include "daemon/host/valid_mark.h"

static void test_strictness(void **state)
{
	struct field field;
	bool is_needed = true;

	(void)state;
	field_open(&field);
	set_sysctl("/proc/sys/net/ipv4/conf/all/rp_filter", '0');
	set_sysctl("/proc/sys/net/ipv4/conf/vtb/rp_filter", '0');
	set_sysctl("/proc/sys/net/ipv4/conf/lo/rp_filter", '0');
	assert_int_equal(valid_mark_is_needed(&field.nl, &is_needed), 0);
	assert_false(is_needed);
	set_sysctl("/proc/sys/net/ipv4/conf/vtb/rp_filter", '1');
	assert_int_equal(valid_mark_is_needed(&field.nl, &is_needed), 0);
	assert_true(is_needed);
	set_sysctl("/proc/sys/net/ipv4/conf/all/rp_filter", '2');
	assert_int_equal(valid_mark_is_needed(&field.nl, &is_needed), 0);
	assert_false(is_needed);
	set_sysctl("/proc/sys/net/ipv4/conf/all/rp_filter", '1');
	assert_int_equal(valid_mark_is_needed(&field.nl, &is_needed), 0);
	assert_true(is_needed);
	assert_int_equal(valid_mark_set(), 0);
	assert_int_equal(valid_mark_set(), VALID_MARK_WAS_SET);
	assert_int_equal(valid_mark_reset(), 0);
	assert_int_equal(valid_mark_set(), 0);
	field_close(&field);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strictness),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
