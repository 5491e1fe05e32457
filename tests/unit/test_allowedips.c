/* Tests of daemon/data/allowedips.c: against a check of each prefix, bit by bit, and the edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include "daemon/data/allowedips.h"
#include "tests/unit/seed.h"

/* As many prefixes as a file with all countries of the world but one has. */
#define N_MANY 130000

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;
	const char *reason = "";

	if (!prefix_parse(text, &prefix, &reason))
		fail_msg("%s: %s", text, reason);
	return prefix;
}

static struct allowedips make(const struct prefix *prefixes, size_t n)
{
	struct allowedips allowed;

	assert_int_equal(allowedips_init(&allowed, prefixes, n), 0);
	return allowed;
}

static bool has(const struct allowedips *allowed, const char *text)
{
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	uint8_t unaligned[17];

	/* Addresses lie anywhere in a packet. */
	assert_int_equal(inet_pton(family, text, unaligned + 1), 1);
	return allowedips_contain(allowed, family, unaligned + 1);
}

/* The model: the first `len` bits are the same. */
static bool matches(const struct prefix *prefix, int family, const uint8_t *address)
{
	if (prefix->family != family)
		return false;
	for (size_t bit = 0; bit < prefix->len; bit++) {
		if ((prefix->addr[bit / 8] ^ address[bit / 8]) & 0x80 >> bit % 8)
			return false;
	}
	return true;
}

static bool one_matches(const struct prefix *prefixes, size_t n, int family, const uint8_t *address)
{
	for (size_t i = 0; i < n; i++) {
		if (matches(&prefixes[i], family, address))
			return true;
	}
	return false;
}

/* Sorted, and never two where one would do. */
static void check_set(const struct allowedips_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct allowedips_range *range = &set->ranges[i], *next = range + 1;
		struct allowedips_address after = range->last;

		assert_true(range->first.high < range->last.high ||
			    (range->first.high == range->last.high &&
			     range->first.low <= range->last.low));
		if (i + 1 == set->n)
			break;
		if (++after.low == 0)
			after.high++;
		assert_true(next->first.high > after.high ||
			    (next->first.high == after.high && next->first.low > after.low));
	}
}

/* Adds one to an address, or takes one away, and wraps. */
static void step(uint8_t *address, size_t len, bool up)
{
	for (size_t i = len; i-- > 0;) {
		address[i] = (uint8_t)(up ? address[i] + 1 : address[i] - 1);
		if (address[i] != (up ? 0 : 0xff))
			break;
	}
}

/* The first or last address of a prefix. */
static void edge_of(const struct prefix *prefix, bool last, uint8_t address[static 16])
{
	memcpy(address, prefix->addr, 16);
	for (size_t bit = prefix->len; bit < 128; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		address[bit / 8] = (uint8_t)((address[bit / 8] & ~mask) | (last ? mask : 0));
	}
}

/* A random address out of few, so that prefixes and addresses meet. */
static void draw_address(struct seeded *seeded, uint8_t address[static 16])
{
	static const uint8_t bytes[] = { 0x00, 0xff, 0x7f, 0x80, 0x0a };

	for (size_t i = 0; i < 16; i++)
		address[i] = bytes[seeded_below(seeded, ARRAY_SIZE(bytes))];
	if (seeded_below(seeded, 4) == 0)
		address[seeded_below(seeded, 16)] = (uint8_t)seeded_next(seeded);
}

static struct prefix draw_prefix(struct seeded *seeded)
{
	struct prefix prefix = { .family = seeded_below(seeded, 2) ? AF_INET : AF_INET6 };
	unsigned int width = prefix.family == AF_INET ? 32 : 128;

	/* Short prefixes swallow all others, so most are long. */
	prefix.len = (uint8_t)(seeded_below(seeded, 50) ? width - seeded_below(seeded, width - 5)
							: seeded_below(seeded, width + 1));
	draw_address(seeded, prefix.addr);
	return prefix;
}

static void compare_around(const struct allowedips *allowed, const struct prefix *prefixes,
			   size_t n, const struct prefix *prefix)
{
	size_t len = prefix->family == AF_INET ? 4 : 16;
	uint8_t address[16];

	for (unsigned int i = 0; i < 4; i++) {
		bool last = i & 1;

		edge_of(prefix, last, address);
		if (i & 2)
			step(address, len, last);
		if (allowedips_contain(allowed, prefix->family, address) !=
		    one_matches(prefixes, n, prefix->family, address)) {
			char text[INET6_ADDRSTRLEN];

			fail_msg("%s is judged wrongly",
				 inet_ntop(prefix->family, address, text, sizeof(text)));
		}
	}
}

static void is_what_each_prefix_says(void **state)
{
	struct seeded seeded = seeded_begin("allowedips");

	(void)state;
	for (unsigned int round = 0; round < 300; round++) {
		struct prefix prefixes[64];
		size_t n = seeded_below(&seeded, ARRAY_SIZE(prefixes) + 1);
		struct allowedips allowed;

		for (size_t i = 0; i < n; i++)
			prefixes[i] = i > 0 && seeded_below(&seeded, 8) == 0
					      ? prefixes[seeded_below(&seeded, i)]
					      : draw_prefix(&seeded);
		allowed = make(prefixes, n);
		check_set(&allowed.v4);
		check_set(&allowed.v6);
		for (size_t i = 0; i < n; i++)
			compare_around(&allowed, prefixes, n, &prefixes[i]);
		for (unsigned int i = 0; i < 200; i++) {
			struct prefix any = { .family = i & 1 ? AF_INET : AF_INET6,
					      .len = i & 1 ? 32 : 128 };

			draw_address(&seeded, any.addr);
			compare_around(&allowed, prefixes, n, &any);
		}
		allowedips_deinit(&allowed);
	}
}

static void nothing_allows_nothing(void **state)
{
	struct allowedips allowed;

	(void)state;
	memset(&allowed, 0, sizeof(allowed));
	assert_false(has(&allowed, "0.0.0.0"));
	assert_false(has(&allowed, "::"));
	allowed = make(NULL, 0);
	assert_false(has(&allowed, "10.0.0.1"));
	assert_false(has(&allowed, "2001:db8::1"));
	allowedips_deinit(&allowed);
	assert_false(has(&allowed, "10.0.0.1"));
	allowedips_deinit(&allowed);
}

/* What each list says about some addresses: "+address" is allowed, "-address" is not. */
static const struct {
	const char *prefixes[4];
	const char *addresses[8];
	size_t n_v4, n_v6; /* ranges that remain */
} rows[] = {
	/* everything, and the ends of everything */
	{ { "0.0.0.0/0" }, { "+0.0.0.0", "+255.255.255.255", "-::", "-::ffff:10.0.0.1" }, 1, 0 },
	{ { "::/0" },
	  { "+::", "+ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "+::ffff:10.0.0.1", "-0.0.0.0",
	    "-10.0.0.1" },
	  0,
	  1 },
	{ { "0.0.0.0/0", "::/0" }, { "+10.0.0.1", "+2001:db8::1" }, 1, 1 },
	{ { "0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1" },
	  { "+127.255.255.255", "+128.0.0.0", "+::", "+8000::" },
	  1,
	  1 },
	{ { "0.0.0.0/32" }, { "+0.0.0.0", "-0.0.0.1", "-255.255.255.255" }, 1, 0 },
	{ { "255.255.255.255/32" }, { "+255.255.255.255", "-255.255.255.254", "-0.0.0.0" }, 1, 0 },
	{ { "::/128" }, { "+::", "-::1", "-0.0.0.0" }, 0, 1 },
	{ { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128" },
	  { "+ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
	    "-::" },
	  0,
	  1 },
	/* a last range that reaches the end of all numbers swallows what is behind it */
	{ { "ff00::/8", "ffff::/16" }, { "+ffff::1", "+ff00::", "-feff::" }, 0, 1 },
	/* one address */
	{ { "192.0.2.7/32", "2001:db8::7/128" },
	  { "+192.0.2.7", "-192.0.2.6", "-192.0.2.8", "+2001:db8::7", "-2001:db8::6",
	    "-2001:db8::8" },
	  1,
	  1 },
	/* neighbours join; with one address between them they do not */
	{ { "10.0.0.128/25", "10.0.0.0/25" },
	  { "+10.0.0.127", "+10.0.0.128", "-9.255.255.255", "-10.0.1.0" },
	  1,
	  0 },
	{ { "10.0.0.0/32", "10.0.0.2/32" }, { "+10.0.0.0", "-10.0.0.1", "+10.0.0.2" }, 2, 0 },
	/* neighbours across the two halves of a number */
	{ { "2001:db8:0:1::/64", "2001:db8::/64" },
	  { "+2001:db8::ffff:ffff:ffff:ffff", "+2001:db8:0:1::", "-2001:db8:0:2::" },
	  0,
	  1 },
	{ { "2001:db8:0:1::/128", "2001:db8::ffff:ffff:ffff:ffff/128" },
	  { "+2001:db8::ffff:ffff:ffff:ffff", "+2001:db8:0:1::", "-2001:db8:0:1::1" },
	  0,
	  1 },
	/* prefixes that end beside the middle of a number */
	{ { "2001:db8:0:2::/63" },
	  { "+2001:db8:0:2::", "+2001:db8:0:3:ffff:ffff:ffff:ffff",
	    "-2001:db8:0:4::", "-2001:db8:0:1:ffff:ffff:ffff:ffff" },
	  0,
	  1 },
	{ { "2001:db8::8000:0:0:0/65" },
	  { "+2001:db8::8000:0:0:0", "+2001:db8::ffff:ffff:ffff:ffff",
	    "-2001:db8:0:1::", "-2001:db8::7fff:ffff:ffff:ffff" },
	  0,
	  1 },
	/* overlaps, in both orders, and the same twice */
	{ { "10.1.2.0/24", "10.0.0.0/8", "10.1.0.0/16" },
	  { "+10.255.255.255", "+10.0.0.0", "+10.1.2.3", "-11.0.0.0" },
	  1,
	  0 },
	{ { "10.0.0.0/8", "10.1.0.0/16", "12.0.0.0/8" },
	  { "+10.200.0.1", "-11.0.0.1", "+12.0.0.1" },
	  2,
	  0 },
	{ { "192.0.2.0/24", "192.0.2.0/24", "192.0.2.0/24" },
	  { "+192.0.2.1", "-192.0.3.1" },
	  1,
	  0 },
	/* host bits do not count */
	{ { "192.0.2.77/24", "2001:db8::77/64" },
	  { "+192.0.2.0", "+192.0.2.255", "-192.0.3.0", "+2001:db8::", "-2001:db8:0:1::" },
	  1,
	  1 },
	/* an IPv4 address is none of the IPv6 addresses that look like it, nor the reverse */
	{ { "10.0.0.0/8" }, { "+10.0.0.1", "-::ffff:10.0.0.1", "-::10.0.0.1", "-a00:1::" }, 1, 0 },
	{ { "::ffff:0:0/96", "::/96", "a00::/8" },
	  { "-10.0.0.1", "+::ffff:10.0.0.1", "+::10.0.0.1" },
	  0,
	  3 },
	/* multicast, loopback and the like have no right of their own */
	{ { "10.0.0.0/8", "fd00::/8" },
	  { "-224.0.0.1", "-127.0.0.1", "-255.255.255.255", "-0.0.0.0", "-ff02::1", "-::1",
	    "-fe80::1" },
	  1,
	  1 },
};

static void edges_are_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix prefixes[ARRAY_SIZE(rows[i].prefixes)];
		struct allowedips allowed;
		size_t n = 0;

		while (n < ARRAY_SIZE(prefixes) && rows[i].prefixes[n]) {
			prefixes[n] = prefix_of(rows[i].prefixes[n]);
			n++;
		}
		allowed = make(prefixes, n);
		for (size_t j = 0; j < ARRAY_SIZE(rows[i].addresses); j++) {
			const char *text = rows[i].addresses[j];

			if (text && has(&allowed, text + 1) != (text[0] == '+'))
				fail_msg("%s ...: %s is judged wrongly", rows[i].prefixes[0], text);
		}
		check_set(&allowed.v4);
		check_set(&allowed.v6);
		if (allowed.v4.n != rows[i].n_v4 || allowed.v6.n != rows[i].n_v6)
			fail_msg("%s ...: %zu and %zu ranges", rows[i].prefixes[0], allowed.v4.n,
				 allowed.v6.n);
		allowedips_deinit(&allowed);
	}
}

enum order { RANDOM, RISING, FALLING, SAME, N_ORDERS };

static void fill(struct prefix *prefixes, enum order order, struct seeded *seeded)
{
	for (uint32_t i = 0; i < N_MANY; i++) {
		bool v4 = i & 1;
		/* Every other address, so that nothing joins. */
		uint32_t number = htonl(2 * (order == RANDOM    ? (uint32_t)seeded_next(seeded)
					     : order == RISING  ? i
					     : order == FALLING ? N_MANY - i
								: 7));

		prefixes[i] =
			(struct prefix) { .family = v4 ? AF_INET : AF_INET6, .len = v4 ? 32 : 128 };
		memcpy(prefixes[i].addr + (v4 ? 0 : 12), &number, sizeof(number));
	}
}

/* Bounded by processor time: a check of each pair, or of each prefix, would take minutes. */
static void many_prefixes_are_no_trouble(void **state)
{
	struct prefix *prefixes = calloc(N_MANY, sizeof(*prefixes));
	struct seeded seeded = seeded_begin("allowedips, many");
	clock_t begin = clock();

	(void)state;
	assert_non_null(prefixes);
	for (enum order order = 0; order < N_ORDERS; order++) {
		struct allowedips allowed;

		fill(prefixes, order, &seeded);
		allowed = make(prefixes, N_MANY);
		if (order == RISING || order == FALLING) {
			assert_int_equal(allowed.v4.n, N_MANY / 2);
			assert_int_equal(allowed.v6.n, N_MANY / 2);
		}
		if (order == SAME)
			assert_int_equal(allowed.v4.n + allowed.v6.n, 2);
		for (size_t i = 0; i < N_MANY; i++) {
			uint8_t address[16];
			bool v4 = prefixes[i].family == AF_INET;

			memcpy(address, prefixes[i].addr, sizeof(address));
			assert_true(allowedips_contain(&allowed, prefixes[i].family, address));
			step(address, v4 ? 4 : 16, true);
			assert_false(allowedips_contain(&allowed, prefixes[i].family, address));
		}
		allowedips_deinit(&allowed);
	}
	free(prefixes);
	assert_true((clock() - begin) / CLOCKS_PER_SEC < 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_allows_nothing),
		cmocka_unit_test(edges_are_right),
		cmocka_unit_test(is_what_each_prefix_says),
		cmocka_unit_test(many_prefixes_are_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
