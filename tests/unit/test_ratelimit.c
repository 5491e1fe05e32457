/* Token buckets: the times that the kernel tests its own with, addresses, a full table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "daemon/proto/ratelimit.h"

#define START (1000 * NSEC_PER_SEC)
#define TOKEN (NSEC_PER_SEC / RATELIMIT_PER_SECOND)

static union netaddr v4(uint32_t address, uint16_t port)
{
	union netaddr addr = { .in4 = { .sin_family = AF_INET } };

	addr.in4.sin_addr.s_addr = htonl(address);
	addr.in4.sin_port = htons(port);
	return addr;
}

static union netaddr v6(const char *text, uint16_t port)
{
	union netaddr addr = { .in6 = { .sin6_family = AF_INET6 } };

	assert_int_equal(inet_pton(AF_INET6, text, &addr.in6.sin6_addr), 1);
	addr.in6.sin6_port = htons(port);
	return addr;
}

static int setup(void **state)
{
	static struct ratelimit limit;

	ratelimit_init(&limit);
	*state = &limit;
	return 0;
}

/* How much later each packet comes, and whether it is let through. */
static const struct {
	nsec_t later;
	bool is_allowed;
} kernel_times[] = {
	{ 0, true },  { 0, true },          { 0, true },  { 0, true },         { 0, true },
	{ 0, false }, { TOKEN, true },      { 0, false }, { 2 * TOKEN, true }, { 0, true },
	{ 0, false }, { TOKEN - 1, false }, { 1, true },
};

static void kernel_timing_table(void **state)
{
	union netaddr sources[] = { v4(0x7f000001, 1), v4(0xc0a80101, 1), v6("2001:db8::1", 1),
				    v6("f5c2:818f:c052:655a::", 1) };
	nsec_t now = START;

	for (size_t i = 0; i < ARRAY_SIZE(kernel_times); i++) {
		now += kernel_times[i].later;
		for (size_t j = 0; j < ARRAY_SIZE(sources); j++)
			assert_int_equal(ratelimit_allow(*state, &sources[j], now),
					 kernel_times[i].is_allowed);
	}
}

static void bucket_holds_no_more_than_a_burst(void **state)
{
	union netaddr source = v4(0x01020304, 1);
	unsigned int n = 0;

	assert_true(ratelimit_allow(*state, &source, START));
	while (ratelimit_allow(*state, &source, START + 3600 * NSEC_PER_SEC))
		n++;
	assert_int_equal(n, RATELIMIT_BURST);
}

static void refusals_cost_nothing(void **state)
{
	union netaddr source = v4(0x01020304, 1);

	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(ratelimit_allow(*state, &source, START), i < RATELIMIT_BURST);
	assert_true(ratelimit_allow(*state, &source, START + TOKEN));
}

static void empty(struct ratelimit *limit, union netaddr source)
{
	for (unsigned int i = 0; i < RATELIMIT_BURST; i++)
		assert_true(ratelimit_allow(limit, &source, START));
	assert_false(ratelimit_allow(limit, &source, START));
}

/* Same bucket or another? The port never matters; of IPv6 the first 64 bits do. */
static void buckets_are_per_address(void **state)
{
	union netaddr same4 = v4(0x01020304, 2), other4 = v4(0x01020305, 1);
	union netaddr first4 = v4(0x81020304, 1);
	union netaddr same6 = v6("2001:db8:0:1:ffff:ffff:ffff:ffff", 2);
	union netaddr other6 = v6("2001:db8:0:2::1", 1), first6 = v6("a001:db8:0:1::1", 1);
	/* Its first bytes are those of the IPv4 address. */
	union netaddr like4 = v6("102:304::", 1);

	empty(*state, v4(0x01020304, 1));
	assert_false(ratelimit_allow(*state, &same4, START));
	assert_true(ratelimit_allow(*state, &other4, START));
	assert_true(ratelimit_allow(*state, &first4, START));
	assert_true(ratelimit_allow(*state, &like4, START));

	empty(*state, v6("2001:db8:0:1::1", 1));
	assert_false(ratelimit_allow(*state, &same6, START));
	assert_true(ratelimit_allow(*state, &other6, START));
	assert_true(ratelimit_allow(*state, &first6, START));
}

/* A flood from many addresses: the table fills and refuses, but serves those whom it knows; and
 * it recovers by itself. */
static void full_table(void **state)
{
	union netaddr known = v4(0x7f000001, 1);
	unsigned int n = 0;

	assert_true(ratelimit_allow(*state, &known, START));
	for (uint32_t i = 0; i < 65536; i++) {
		union netaddr stranger = v4(0x0a000000 + i, 1);

		n += ratelimit_allow(*state, &stranger, START);
	}
	assert_int_equal(n, RATELIMIT_SETS * RATELIMIT_WAYS - 1);
	assert_true(ratelimit_allow(*state, &known, START));

	n = 0;
	for (uint32_t i = 0; i < 65536; i++) {
		union netaddr stranger = v4(0x0b000000 + i, 1);

		n += ratelimit_allow(*state, &stranger, START + TOKEN);
	}
	/* The known one took two tokens and keeps its place. */
	assert_int_equal(n, RATELIMIT_SETS * RATELIMIT_WAYS - 1);
}

/* A busy bucket is not given away: an attacker must not get it refilled by crowding it out. */
static void busy_entries_stay(void **state)
{
	union netaddr source = v4(0x7f000001, 1);
	unsigned int n = 0;

	empty(*state, source);
	for (uint32_t i = 0; i < 65536; i++) {
		union netaddr stranger = v4(0x0a000000 + i, 1);

		n += ratelimit_allow(*state, &stranger, START + TOKEN / 2);
	}
	assert_in_range(n, 1, RATELIMIT_SETS * RATELIMIT_WAYS - 1);
	assert_false(ratelimit_allow(*state, &source, START + TOKEN - 1));
	assert_true(ratelimit_allow(*state, &source, START + TOKEN));
	assert_false(ratelimit_allow(*state, &source, START + TOKEN));
}

static void hash_key_is_drawn(void **state)
{
	static struct ratelimit other;

	ratelimit_init(&other);
	assert_memory_not_equal(((struct ratelimit *)*state)->hash_key, other.hash_key,
				sizeof(other.hash_key));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(kernel_timing_table, setup),
		cmocka_unit_test_setup(bucket_holds_no_more_than_a_burst, setup),
		cmocka_unit_test_setup(refusals_cost_nothing, setup),
		cmocka_unit_test_setup(buckets_are_per_address, setup),
		cmocka_unit_test_setup(full_table, setup),
		cmocka_unit_test_setup(busy_entries_stay, setup),
		cmocka_unit_test_setup(hash_key_is_drawn, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
