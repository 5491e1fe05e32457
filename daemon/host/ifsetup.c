/* From a link file's values to requests; see ifsetup.h for the order and its reasons. */
#include "daemon/host/ifsetup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/prefixes.h"
#include "daemon/host/bridge.h"
#include "daemon/host/policy.h"

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
	{ ELOOP, "it would be a port of itself" },
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
		[IFSETUP_BRIDGE] = "join the bridge",
		[IFSETUP_BRIDGE_LEFT] = "leave the bridge",
		[IFSETUP_ADDRESS] = "add the address ",
		[IFSETUP_UP] = "switch the interface on",
		[IFSETUP_ROUTE] = "add the route ",
		[IFSETUP_ADDRESS_GONE] = "delete the address ",
		[IFSETUP_ROUTE_GONE] = "delete the routes",
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

/* The table has the prefix already; tells through whom. */
static int fail_taken(struct netlink *nl, const struct nl_route_failure *taken,
		      struct ifsetup_failure *failure)
{
	char why[64] = "it exists already, but not through this link";
	struct nl_link owner;

	if (taken->ifindex != 0 && nl_link_get(nl, taken->ifindex, &owner) == 0)
		snprintf(why, sizeof(why), "it exists already through %s", owner.name);
	return fail_because(failure, IFSETUP_ROUTE, &taken->prefix, -EEXIST, why);
}

/* The number of the table that the routes go to; 0 for Table = off. */
static uint32_t table_of(const struct conf_link *conf)
{
	switch (conf->table_kind) {
	case CONF_TABLE_OFF:
		return 0;
	case CONF_TABLE_AUTO:
		return NL_ROUTE_TABLE_MAIN;
	case CONF_TABLE_ID:
	case CONF_TABLE_NAME:
		break;
	}
	return conf->table;
}

/* Whether the routes have a table: conf has looked its name up. */
static int check_table(const struct conf_link *conf, struct ifsetup_failure *failure)
{
	*failure = (struct ifsetup_failure) { .text = "" };
	if (conf->table_kind == CONF_TABLE_OFF || table_of(conf) != 0)
		return 0;
	failure->step = IFSETUP_ROUTE;
	snprintf(failure->text, sizeof(failure->text),
		 "no routing table is called %.64s: give its number in Table, or name it in "
		 "/etc/iproute2/rt_tables",
		 conf->table_name ? conf->table_name : "so");
	return IFSETUP_NEEDS_TABLE;
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

/* Whether a prefix is to become a route; the kernel and policy.c make some without us. */
static bool needs_route(const struct conf_link *conf, bool has_policy, const struct prefix *prefix)
{
	if (has_policy && prefix->len == 0)
		return false;
	/* The kernel's own routes are in the main table only. */
	return conf->table_kind != CONF_TABLE_AUTO || !is_on_link(&conf->addresses, prefix);
}

/* The prefixes that become routes, for free() also after an error. \return 0 or -ENOMEM */
static int routes_of(const struct conf_link *conf, struct conf_prefixes *ret)
{
	bool has_policy = policy_is_needed(conf);
	int result = 0;

	*ret = (struct conf_prefixes) { 0 };
	if (conf->table_kind == CONF_TABLE_OFF)
		return 0;
	for (size_t i = 0; i < conf->allowed_ips.n && result == 0; i++) {
		if (needs_route(conf, has_policy, &conf->allowed_ips.items[i]))
			result = prefixes_append(ret, &conf->allowed_ips.items[i]);
	}
	return result;
}

static int add_prefixes(struct netlink *nl, unsigned int ifindex, uint32_t table,
			const struct conf_prefixes *routes, struct ifsetup_failure *failure)
{
	struct nl_route_failure route_failure;
	int result = nl_route_add(nl, ifindex, table, routes->items, routes->n, &route_failure);

	if (result == NL_ROUTE_TAKEN)
		return fail_taken(nl, &route_failure, failure);
	if (result < 0)
		return fail(failure, IFSETUP_ROUTE, &route_failure.prefix, result);
	return 0;
}

/* One route for each prefix that needs one; says so when that is not all. */
static int add_routes(struct netlink *nl, const struct conf_link *conf, unsigned int ifindex,
		      struct ifsetup_failure *failure)
{
	struct conf_prefixes routes;
	int result = routes_of(conf, &routes);

	if (result < 0)
		result = fail_because(failure, IFSETUP_ROUTE, NULL, result, "not enough memory");
	else
		result = add_prefixes(nl, ifindex, table_of(conf), &routes, failure);
	free(routes.items);
	if (result == 0 && policy_is_needed(conf))
		return IFSETUP_NEEDS_POLICY;
	return result;
}

/* A change from one file to another that is being made. */
struct change {
	struct netlink *nl;
	const struct conf_link *before;
	const struct conf_link *after;
	unsigned int ifindex;
	uint32_t old_table; /* 0: no routes */
	uint32_t new_table;
	bool lost_routes; /* the kernel may have deleted routes of its own accord */
	struct ifsetup_failure *failure;
};

/* Deletes the routes in `old`, and adds those in `new`. */
static int replace_routes(const struct change *change, const struct conf_prefixes *old,
			  const struct conf_prefixes *new)
{
	int result = 0;

	if (change->old_table != 0)
		result = nl_route_del(change->nl, change->ifindex, change->old_table, old->items,
				      old->n);
	if (result < 0)
		return fail(change->failure, IFSETUP_ROUTE_GONE, NULL, result);
	return add_prefixes(change->nl, change->ifindex, change->new_table, new, change->failure);
}

/* Routes of `before` to those of `after`: as few as will do are touched. */
static int change_routes(const struct change *change)
{
	struct conf_prefixes old, new = { 0 }, added = { 0 }, removed = { 0 };
	bool same_table = change->old_table == change->new_table;
	int result = routes_of(change->before, &old);

	if (result == 0)
		result = routes_of(change->after, &new);
	if (result == 0)
		result = prefixes_diff(&old, &new, &added, &removed);
	if (result < 0)
		result = fail(change->failure, IFSETUP_ROUTE_GONE, NULL, result);
	else
		result = replace_routes(change, same_table ? &removed : &old,
					same_table && !change->lost_routes ? &added : &new);
	free(old.items);
	free(new.items);
	free(added.items);
	free(removed.items);
	return result;
}

static int add_addresses(struct netlink *nl, const struct conf_link *conf, unsigned int ifindex,
			 unsigned int mtu, struct ifsetup_failure *failure)
{
	for (size_t i = 0; i < conf->addresses.n; i++) {
		const struct prefix *address = &conf->addresses.items[i];
		int error = nl_addr_add(nl, ifindex, address, conf->mode == CONF_MODE_TUN);

		if (error == -EINVAL && address->family == AF_INET6 && mtu < CONF_MTU_MIN_IPV6)
			return fail_because(failure, IFSETUP_ADDRESS, address, error,
					    "IPv6 needs an MTU of at least 1280");
		if (error < 0 && error != -EEXIST)
			return fail(failure, IFSETUP_ADDRESS, address, error);
	}
	return 0;
}

static bool has_address(const struct conf_prefixes *addresses, const struct prefix *address)
{
	for (size_t i = 0; i < addresses->n; i++) {
		if (prefixes_compare(&addresses->items[i], address) == 0)
			return true;
	}
	return false;
}

/* Deletes the addresses that only `before` has. */
static int delete_addresses(struct change *change)
{
	const struct conf_prefixes *before = &change->before->addresses;

	for (size_t i = 0; i < before->n; i++) {
		const struct prefix *address = &before->items[i];
		int error;

		if (has_address(&change->after->addresses, address))
			continue;
		error = nl_addr_del(change->nl, change->ifindex, address);
		if (error < 0 && error != -EADDRNOTAVAIL)
			return fail(change->failure, IFSETUP_ADDRESS_GONE, address, error);
		change->lost_routes = true;
	}
	return 0;
}

/* Addresses of `before` to those of `after`. */
static int change_addresses(struct change *change)
{
	struct nl_link link;
	int result = nl_link_get(change->nl, change->ifindex, &link);

	if (result < 0)
		return fail(change->failure, IFSETUP_ADDRESS, NULL, result);
	result = add_addresses(change->nl, change->after, change->ifindex, link.mtu,
			       change->failure);
	if (result == 0)
		result = delete_addresses(change);
	/* The kernel deletes further addresses of the same subnet with the first. */
	if (result == 0 && change->lost_routes)
		result = add_addresses(change->nl, change->after, change->ifindex, link.mtu,
				       change->failure);
	return result;
}

/* Makes the interface a port of the bridge, if the file names one. */
static int join_bridge(struct netlink *nl, const struct conf_link *conf, unsigned int ifindex,
		       struct ifsetup_failure *failure)
{
	int result = conf->bridge ? bridge_join(nl, conf->bridge, ifindex) : 0;

	if (result == 0)
		return 0;
	if (result < 0)
		return fail(failure, IFSETUP_BRIDGE, NULL, result);
	return fail_because(failure, IFSETUP_BRIDGE, NULL, -ENXIO,
			    result == BRIDGE_OTHER ? "the interface of that name is no bridge"
						   : "it was deleted meanwhile");
}

/* From one bridge to another, which the kernel does in one step. */
static int change_bridge(const struct change *change)
{
	const char *before = change->before->bridge;
	int result;

	if (change->after->bridge)
		return join_bridge(change->nl, change->after, change->ifindex, change->failure);
	result = before ? bridge_leave(change->nl, change->ifindex) : 0;
	return result < 0 ? fail(change->failure, IFSETUP_BRIDGE_LEFT, NULL, result) : 0;
}

int ifsetup_change(struct netlink *nl, const struct conf_link *before,
		   const struct conf_link *after, unsigned int ifindex,
		   struct ifsetup_failure *failure)
{
	struct change change = {
		.nl = nl,
		.before = before,
		.after = after,
		.ifindex = ifindex,
		.old_table = table_of(before),
		.new_table = table_of(after),
		.failure = failure,
	};
	int result = check_table(after, failure);

	if (result == 0)
		result = change_addresses(&change);
	if (result == 0)
		result = change_bridge(&change);
	if (result == 0)
		result = change_routes(&change);
	return result == 0 && policy_is_needed(after) ? IFSETUP_NEEDS_POLICY : result;
}

int ifsetup_restore(struct netlink *nl, const struct conf_link *conf, unsigned int ifindex,
		    struct ifsetup_failure *failure)
{
	int result = check_table(conf, failure);
	struct nl_link link;

	if (result != 0)
		return result;
	result = nl_link_get(nl, ifindex, &link);
	if (result < 0)
		return fail(failure, IFSETUP_ADDRESS, NULL, result);
	/* Without the bridge the link has no use, but it may come. */
	if (conf->bridge)
		(void)bridge_join(nl, conf->bridge, ifindex);
	result = add_addresses(nl, conf, ifindex, link.mtu, failure);
	return result < 0 ? result : add_routes(nl, conf, ifindex, failure);
}

int ifsetup_apply(struct netlink *nl, const struct conf_link *conf, unsigned int ifindex,
		  unsigned int mtu, struct ifsetup_failure *failure)
{
	int result = check_table(conf, failure);

	if (result != 0)
		return result;
	result = nl_link_set_mtu(nl, ifindex, mtu);
	if (result == -EINVAL)
		return fail_because(failure, IFSETUP_MTU, NULL, result,
				    "the interface cannot carry packets of that size");
	if (result < 0)
		return fail(failure, IFSETUP_MTU, NULL, result);
	if (conf->is_bare)
		return 0;
	/* An Ethernet link needs its link-local address like any other. */
	result = conf->mode == CONF_MODE_TUN ? nl_link_no_link_local(nl, ifindex) : 0;
	if (result < 0)
		return fail(failure, IFSETUP_LINK_LOCAL, NULL, result);
	result = add_addresses(nl, conf, ifindex, mtu, failure);
	if (result == 0)
		result = join_bridge(nl, conf, ifindex, failure);
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
