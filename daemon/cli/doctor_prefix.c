/* Questions about prefixes; see doctor_prefix.h. */
#include "daemon/cli/doctor_prefix.h"

#include <string.h>

static unsigned int bits_of(const struct prefix *prefix)
{
	return prefix->family == AF_INET ? 32 : 128;
}

bool prefix_is_host(const struct prefix *prefix)
{
	return prefix->len == bits_of(prefix);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	const struct prefix *wide = a->len <= b->len ? a : b;
	const struct prefix *narrow = a->len <= b->len ? b : a;

	return a->family == b->family && prefix_contains(wide, narrow->family, narrow->addr);
}

bool prefixes_meet(const struct conf_prefixes *list, const struct prefix *prefix)
{
	for (size_t i = 0; i < list->n; i++) {
		if (prefix_overlaps(&list->items[i], prefix))
			return true;
	}
	return false;
}

static bool is_own(const struct conf_prefixes *own, const struct prefix *prefix)
{
	size_t len = bits_of(prefix) / 8;

	for (size_t i = 0; i < own->n; i++) {
		if (own->items[i].family == prefix->family &&
		    memcmp(own->items[i].addr, prefix->addr, len) == 0)
			return true;
	}
	return false;
}

static void to_addr(const struct prefix *prefix, union netaddr *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sa.sa_family = prefix->family;
	if (prefix->family == AF_INET)
		memcpy(&ret->in4.sin_addr, prefix->addr, sizeof(ret->in4.sin_addr));
	else
		memcpy(&ret->in6.sin6_addr, prefix->addr, sizeof(ret->in6.sin6_addr));
}

bool prefix_first_host(const struct prefix *prefix, const struct conf_prefixes *own,
		       union netaddr *ret)
{
	/* Of nobody who is likely to have a route of his own here: 9.9.9.9 and 2620:fe::fe. */
	static const struct prefix anywhere[] = {
		{ .family = AF_INET, .len = 32, .addr = { 9, 9, 9, 9 } },
		{ .family = AF_INET6, .len = 128, .addr = { 0x26, 0x20, 0, 0xfe, [15] = 0xfe } },
	};
	struct prefix host = *prefix;
	uint8_t *last = &host.addr[bits_of(prefix) / 8 - 1];

	if (prefix->len == 0)
		host = anywhere[prefix->family == AF_INET6];
	/* The first of a net is its name (IPv4) or all its routers (IPv6). */
	else if (prefix->len + 2U <= bits_of(prefix))
		++*last;
	if (is_own(own, &host)) {
		if (prefix_is_host(prefix))
			return false;
		++*last;
	}
	to_addr(&host, ret);
	return true;
}

bool prefix_is_private(const union netaddr *addr)
{
	static const struct prefix ranges[] = {
		{ .family = AF_INET, .len = 8, .addr = { 10 } },
		{ .family = AF_INET, .len = 12, .addr = { 172, 16 } },
		{ .family = AF_INET, .len = 16, .addr = { 192, 168 } },
		{ .family = AF_INET, .len = 10, .addr = { 100, 64 } },
		{ .family = AF_INET6, .len = 7, .addr = { 0xfc } },
	};
	const void *bytes = addr->sa.sa_family == AF_INET ? (const void *)&addr->in4.sin_addr
							  : (const void *)&addr->in6.sin6_addr;

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (prefix_contains(&ranges[i], addr->sa.sa_family, bytes))
			return true;
	}
	return false;
}
