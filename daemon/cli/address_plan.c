/* Addresses inside a link; see address_plan.h. */
#include "daemon/cli/address_plan.h"

#include <string.h>

#include <sodium.h>

/* Bytes 1 to 5 of such an address are the random Global ID. */
#define GLOBAL_ID_POS 1
#define GLOBAL_ID_LEN 5

struct prefix address_plan_random(void)
{
	struct prefix net = { .family = AF_INET6, .len = 64, .addr = { 0xfd } };

	randombytes_buf(net.addr + GLOBAL_ID_POS, GLOBAL_ID_LEN);
	return net;
}

/* Networks whose addresses no interface can have, so that the files would be refused later. */
static bool is_unusable(const struct prefix *net)
{
	static const struct prefix unusable[] = {
		{ AF_INET, 8, { 0 } },     /* this network: RFC 1122 section 3.2.1.3 */
		{ AF_INET, 8, { 127 } },   /* loopback */
		{ AF_INET, 3, { 224 } },   /* multicast, and what is reserved */
		{ AF_INET6, 8, { 0 } },    /* unspecified, loopback, embedded IPv4 */
		{ AF_INET6, 8, { 0xff } }, /* multicast */
	};

	for (size_t i = 0; i < ARRAY_SIZE(unusable); i++) {
		if (prefix_contains(&unusable[i], net->family, net->addr))
			return true;
	}
	return false;
}

bool address_plan_make(const struct prefix *net, struct address_plan *ret, const char **reason)
{
	unsigned int bits = net->family == AF_INET ? 32 : 128;
	uint8_t first = net->len == bits - 1 ? 0 : 1;
	size_t last = bits / 8 - 1;

	if (net->len == bits) {
		*reason = net->family == AF_INET
				  ? "has no room for two addresses; the smallest network is a /31"
				  : "has no room for two addresses; the smallest network is a /127";
		return false;
	}
	if (prefix_has_host_bits(net)) {
		*reason = "has bits set behind its length; give the network itself, such as "
			  "10.9.0.0/30 or fd09::/64";
		return false;
	}
	if (is_unusable(net)) {
		*reason = "is loopback, multicast or reserved; an interface cannot have addresses "
			  "out of it";
		return false;
	}
	/* The last byte of the network is even, and 0 or a multiple of 4 unless it is a /31 or a
	   /127: nothing carries over. */
	*ret = (struct address_plan) { .here = *net, .there = *net };
	ret->here.addr[last] = (uint8_t)(net->addr[last] + first);
	ret->there.addr[last] = (uint8_t)(net->addr[last] + first + 1);
	return true;
}
