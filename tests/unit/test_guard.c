/*
 * The link's table of the packet filter: guard.c. What it does to packets is tested with the rest
 * of a full tunnel in test_netup.c.
 */
#include "tests/unit/full_tunnel.h"

#include "daemon/host/guard.h"

/* The table of the packet filter: more addresses than there can be, none, and a second time. */
static void test_guard(void **state)
{
	struct conf_prefixes many = { .n = CONF_ADDRESSES_MAX };
	struct netlink nf = NETLINK_NULL;
	struct field field;

	(void)state;
	field_open(&field);
	assert_int_equal(netlink_open_netfilter(&nf), 0);
	assert_int_equal(guard_remove(&nf, "vta"), 0);
	many.items = calloc(many.n + 1, sizeof(*many.items));
	assert_non_null(many.items);
	for (size_t i = 0; i < many.n; i++)
		many.items[i] = prefix_of(i % 2 ? "10.9.0.1/24" : "fd00:9::1/64");
	assert_int_equal(guard_set(&nf, "vta", field.underlay.ifindex, 7, &many), 0);
	many.n++;
	assert_int_equal(guard_set(&nf, "vta", field.underlay.ifindex, 7, &many), -E2BIG);
	many.n = 0;
	assert_int_equal(guard_set(&nf, "a-long-name-000", field.underlay.ifindex, 7, &many), 0);
	assert_int_equal(guard_remove(&nf, "a-long-name-000"), 0);
	assert_int_equal(guard_remove(&nf, "vta"), 0);
	assert_int_equal(guard_remove(&nf, "vta"), 0);
	netlink_close(&nf);
	assert_int_equal(guard_remove(&nf, "vta"), -EBADF);
	free(many.items);
	field_close(&field);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
