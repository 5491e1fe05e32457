/* From a link file's values to requests; see ifsetup.h for the order and its reasons. */
#include "daemon/host/ifsetup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OVERHEAD_IPV4 = 20 + 8 + 16 + 16,
	OVERHEAD_IPV6 = 40 + 8 + 16 + 16,
	/* Every IPv4 host takes 576 bytes: RFC 791 section 3.1, "Total Length". */
	MTU_AUTO_MIN_IPV4 = 576,
};

/* What the administrator can do about an error, where the system's own words do not say it. */
static const struct {
	int error;
	const char *text;
} reasons[] = {
	{ EPERM, "the right to change network interfaces is missing (CAP_NET_ADMIN)" },
	{ ENODEV, "the interface is gone" },
	{ EACCES, "IPv6 is switched off here (sysctl net.ipv6.conf.*.disable_ipv6)" },
	{ EOPNOTSUPP, "this kernel does not have that protocol" },
	{ EAFNOSUPPORT, "this kernel does not have that protocol" },
	{ EADDRNOTAVAIL, "no interface can have such an address" },
	{ ENETDOWN, "the interface was switched off meanwhile" },
};

static const char *reason(int error, char *buf, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (reasons[i].error == -error)
			return reasons[i].text;
	}
	return strerror_r(-error, buf, size);
}

/* Fills the failure: "cannot WHAT PREFIX: WHY". */
static int fail_because(struct ifsetup_failure *failure, enum ifsetup_step step,
			const struct prefix *prefix, int error, const char *why)
{
	static const char *const steps[] = {
		[IFSETUP_MTU] = "set the MTU",
		[IFSETUP_LINK_LOCAL] = "switch off automatic link-local addresses",
		[IFSETUP_ADDRESS] = "add the address ",
		[IFSETUP_UP] = "switch the interface on",
		[IFSETUP_ROUTE] = "add the route ",
	};
	char text[PREFIX_TEXT_MAX] = "";

	failure->step = step;
	if (prefix) {
		failure->prefix = *prefix;
		prefix_format(prefix, text);
	}
	snprintf(failure->text, sizeof(failure->text), "cannot %s%s: %s", steps[step], text, why);
	return error;
}

/* The same with the reason that belongs to the error. */
static int fail(struct ifsetup_failure *failure, enum ifsetup_step step,
		const struct prefix *prefix, int error)
{
	char buf[128];

	return fail_because(failure, step, prefix, error, reason(error, buf, sizeof(buf)));
}

/* The main table has the prefix already; tells through whom. */
static int fail_taken(struct netlink *nl, const struct nl_route_failure *taken,
		      struct ifsetup_failure *failure)
{
	char why[64] = "it exists already, but not through this link";
	struct nl_link owner;

	if (taken->ifindex != 0 && nl_link_get(nl, taken->ifindex, &owner) == 0)
		snprintf(why, sizeof(why), "it exists already through %s", owner.name);
	return fail_because(failure, IFSETUP_ROUTE, &taken->prefix, -EEXIST, why);
}

/* Finds what the file asks for and this build cannot do, before anything is changed. */
static int check(const struct conf_link *conf, struct ifsetup_failure *failure)
{
	if (conf->table_kind == CONF_TABLE_OFF)
		return 0;
	failure->step = IFSETUP_ROUTE;
	if (conf->table_kind != CONF_TABLE_AUTO) {
		snprintf(failure->text, sizeof(failure->text),
			 "cannot use a routing table other than the main one yet; "
			 "Table = auto and Table = off work");
		return IFSETUP_NEEDS_TABLE;
	}
	for (size_t i = 0; i < conf->allowed_ips.n; i++) {
		char text[PREFIX_TEXT_MAX];

		if (conf->allowed_ips.items[i].len != 0)
			continue;
		failure->prefix = conf->allowed_ips.items[i];
		snprintf(failure->text, sizeof(failure->text),
			 "cannot make the default route of AllowedIPs = %s yet; "
			 "with Table = off the routes are up to you",
			 prefix_format(&failure->prefix, text));
		return IFSETUP_NEEDS_POLICY;
	}
	return 0;
}

/* Whether the kernel routes the prefix to the interface already, because of its addresses. */
static bool is_on_link(const struct conf_prefixes *addresses, const struct prefix *prefix)
{
	for (size_t i = 0; i < addresses->n; i++) {
		const struct prefix *address = &addresses->items[i];

		if (address->len <= prefix->len &&
		    prefix_contains(address, prefix->family, prefix->addr))
			return true;
	}
	return false;
}

/* One route for each prefix that needs one. */
static int add_routes(struct netlink *nl, const struct conf_link *conf, unsigned int ifindex,
		      struct ifsetup_failure *failure)
{
	struct nl_route_failure route_failure;
	struct prefix *prefixes;
	size_t n = 0;
	int result;

	if (conf->table_kind == CONF_TABLE_OFF || conf->allowed_ips.n == 0)
		return 0;
	prefixes = calloc(conf->allowed_ips.n, sizeof(*prefixes));
	if (!prefixes)
		return fail(failure, IFSETUP_ROUTE, &conf->allowed_ips.items[0], -ENOMEM);
	for (size_t i = 0; i < conf->allowed_ips.n; i++) {
		if (!is_on_link(&conf->addresses, &conf->allowed_ips.items[i]))
			prefixes[n++] = conf->allowed_ips.items[i];
	}
	result = nl_route_add(nl, ifindex, NL_ROUTE_TABLE_MAIN, prefixes, n, &route_failure);
	free(prefixes);
	if (result == NL_ROUTE_TAKEN)
		return fail_taken(nl, &route_failure, failure);
	if (result < 0)
		return fail(failure, IFSETUP_ROUTE, &route_failure.prefix, result);
	return 0;
}

static int add_addresses(struct netlink *nl, const struct conf_prefixes *addresses,
			 unsigned int ifindex, unsigned int mtu, struct ifsetup_failure *failure)
{
	for (size_t i = 0; i < addresses->n; i++) {
		const struct prefix *address = &addresses->items[i];
		int error = nl_addr_add(nl, ifindex, address);

		if (error == -EINVAL && address->family == AF_INET6 && mtu < CONF_MTU_MIN_IPV6)
			return fail_because(failure, IFSETUP_ADDRESS, address, error,
					    "IPv6 needs an MTU of at least 1280");
		if (error < 0 && error != -EEXIST)
			return fail(failure, IFSETUP_ADDRESS, address, error);
	}
	return 0;
}

int ifsetup_apply(struct netlink *nl, const struct conf_link *conf, unsigned int ifindex,
		  unsigned int mtu, struct ifsetup_failure *failure)
{
	int result;

	*failure = (struct ifsetup_failure) { .text = "" };
	result = check(conf, failure);
	if (result != 0)
		return result;
	result = nl_link_set_mtu(nl, ifindex, mtu);
	if (result == -EINVAL)
		return fail_because(failure, IFSETUP_MTU, NULL, result,
				    "the interface cannot carry packets of that size");
	if (result < 0)
		return fail(failure, IFSETUP_MTU, NULL, result);
	/* An Ethernet link needs its link-local address like any other. */
	result = conf->mode == CONF_MODE_TUN ? nl_link_no_link_local(nl, ifindex) : 0;
	if (result < 0)
		return fail(failure, IFSETUP_LINK_LOCAL, NULL, result);
	result = add_addresses(nl, &conf->addresses, ifindex, mtu, failure);
	if (result < 0)
		return result;
	result = nl_link_set_up(nl, ifindex);
	if (result < 0)
		return fail(failure, IFSETUP_UP, NULL, result);
	return add_routes(nl, conf, ifindex, failure);
}

unsigned int ifsetup_mtu_auto(unsigned int path_mtu, int outer_family, bool has_ipv6)
{
	unsigned int overhead = outer_family == AF_INET6 ? OVERHEAD_IPV6 : OVERHEAD_IPV4;
	unsigned int least = has_ipv6 ? CONF_MTU_MIN_IPV6 : MTU_AUTO_MIN_IPV4;

	if (path_mtu < least + overhead)
		return least;
	return MIN(path_mtu - overhead, CONF_MTU_MAX);
}
