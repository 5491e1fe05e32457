/* The Ethernet address of a link: stable, local, of one station, and another one for each end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "daemon/core/ethernet_address.h"

#define N_LINKS 200

static void an_address_stays(void **state)
{
	struct key key = { { 7 } };
	uint8_t one[ETHERNET_ADDRESS_LEN], two[ETHERNET_ADDRESS_LEN];

	(void)state;
	ethernet_address_make("site-a", &key, one);
	ethernet_address_make("site-a", &key, two);
	assert_memory_equal(one, two, sizeof(one));
	ethernet_address_make("site-b", &key, two);
	assert_memory_not_equal(one, two, sizeof(one));
	key.bytes[31] = 1;
	ethernet_address_make("site-a", &key, two);
	assert_memory_not_equal(one, two, sizeof(one));
}

static void all_are_local_and_differ(void **state)
{
	uint8_t addresses[N_LINKS][ETHERNET_ADDRESS_LEN];
	struct key key = { { 0 } };
	char name[16];

	(void)state;
	for (size_t i = 0; i < N_LINKS; i++) {
		snprintf(name, sizeof(name), "link%zu", i / 2);
		key.bytes[0] = (uint8_t)(i % 2);
		ethernet_address_make(name, &key, addresses[i]);
		/* Local, of one station, and higher than that of any other port of a bridge. */
		assert_int_equal(addresses[i][0], 0xfe);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(addresses[i], addresses[j], sizeof(addresses[i]));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_stays),
		cmocka_unit_test(all_are_local_and_differ),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
