/* Tests of daemon/host/nl_list.c against a real kernel, in a network namespace. */
#include "tests/unit/net_world.h"

#include "daemon/host/nl_list.h"

static size_t count(struct world *world, unsigned int ifindex, struct prefix *list, size_t max)
{
	size_t n = 99;

	assert_int_equal(nl_list_addresses(&world->nl, ifindex, list, max, &n), 0);
	return n;
}

static void addresses_are_listed(struct world *world)
{
	static const char *const texts[] = { "10.0.0.1/24", "10.0.1.1/32", "fd00::1/64" };
	struct prefix list[8];
	char text[PREFIX_TEXT_MAX];

	assert_int_equal(count(world, world->own, list, 8), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(add_address(world, world->own, texts[i]), 0);
	assert_int_equal(add_address(world, world->other, "10.5.0.1/24"), 0);
	assert_int_equal(count(world, world->own, list, 8), 3);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_string_equal(prefix_format(&list[i], text), texts[i]);
	/* All interfaces; more than there is room for. */
	assert_int_equal(count(world, 0, list, 8), 4);
	memset(list, 0, sizeof(list));
	assert_int_equal(count(world, world->own, list, 1), 3);
	assert_int_equal(list[1].family, 0);
	assert_int_equal(count(world, 9999, list, 8), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(setup, addresses_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
