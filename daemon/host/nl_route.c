/*
 * Routes: adding many, and asking for the way to one destination.
 *
 * The kernel refuses a route with EEXIST when the table has the same prefix with the same metric,
 * whoever it belongs to. Whose it is decides between "fine" and "taken", so the refused prefixes
 * are noted, and one dump of the table at the end tells all owners at once.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/host/nl.h"

/* Reads of a table that changes all the time before we give up. */
#define DUMP_TRIES 5

/* Who has a prefix, where it is not the index of an interface. */
#define OWNER_NONE    0U       /* the kernel took the route: nothing to find out */
#define OWNER_UNKNOWN UINT_MAX /* refused, and not through any interface as far as known */

/* Work of one nl_route_add(). */
struct job {
	unsigned int ifindex;
	uint32_t table;
	const struct prefix *prefixes;
	unsigned int *owners; /* for each prefix OWNER_* or the interface that has it */
	size_t n;
	uint16_t type; /* RTM_NEWROUTE or RTM_DELROUTE */
	size_t n_exist;
	size_t i_refused; /* the first refusal that is an error */
};

/* Longest first; equal lengths by family and address, so that equal prefixes are neighbours. */
static int compare(const void *a_ptr, const void *b_ptr)
{
	const struct prefix *a = a_ptr;
	const struct prefix *b = b_ptr;

	if (a->len != b->len)
		return a->len > b->len ? -1 : 1;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->addr, b->addr, prefix_addr_len(a->family));
}

/* Removes repeated prefixes: the second one would look like a foreign route. */
static size_t unique(struct prefix *prefixes, size_t n)
{
	size_t n_kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (n_kept == 0 || compare(&prefixes[n_kept - 1], &prefixes[i]) != 0)
			prefixes[n_kept++] = prefixes[i];
	}
	return n_kept;
}

static struct nlmsghdr *write_route(void *buffer, size_t i, void *context)
{
	const struct job *job = context;
	const struct prefix *prefix = &job->prefixes[i];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct rtmsg *route;

	request->nlmsg_type = job->type;
	request->nlmsg_flags = job->type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_EXCL : 0;
	route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
	route->rtm_family = prefix->family;
	route->rtm_dst_len = prefix->len;
	route->rtm_table = RT_TABLE_UNSPEC; /* the attribute holds all 32 bits */
	/* "static" is what routing daemons and network managers leave alone. */
	route->rtm_protocol = RTPROT_STATIC;
	route->rtm_scope = prefix->family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	route->rtm_type = RTN_UNICAST;
	mnl_attr_put(request, RTA_DST, prefix_addr_len(prefix->family), prefix->addr);
	mnl_attr_put_u32(request, RTA_OIF, job->ifindex);
	mnl_attr_put_u32(request, RTA_TABLE, job->table);
	return request;
}

static int note_refused(size_t i, int error, void *context)
{
	struct job *job = context;

	if (error == -EEXIST) {
		job->owners[i] = OWNER_UNKNOWN;
		job->n_exist++;
		return 0;
	}
	job->i_refused = MIN(job->i_refused, i);
	return error;
}

/*
 * The prefix of a route of our table that would collide with ours: the same metric (0 for IPv4;
 * the kernel turns IPv6's 0 into 1024) and no type of service.
 */
static bool read_rival(const struct nlmsghdr *message, uint32_t table, struct prefix *ret,
		       unsigned int *ret_ifindex)
{
	const struct nlattr *attrs[RTA_TABLE + 1];
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	uint32_t own_metric;

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    !netlink_attrs(message, sizeof(*route), attrs, ARRAY_SIZE(attrs)))
		return false;
	if (route->rtm_family != AF_INET && route->rtm_family != AF_INET6)
		return false;
	own_metric = route->rtm_family == AF_INET ? 0 : 1024;
	if (netlink_attr_u32(attrs[RTA_TABLE], route->rtm_table) != table ||
	    netlink_attr_u32(attrs[RTA_PRIORITY], 0) != own_metric || route->rtm_tos != 0)
		return false;
	*ret = (struct prefix) { .family = route->rtm_family, .len = route->rtm_dst_len };
	if (attrs[RTA_DST])
		memcpy(ret->addr, mnl_attr_get_payload(attrs[RTA_DST]),
		       MIN(mnl_attr_get_payload_len(attrs[RTA_DST]), prefix_addr_len(ret->family)));
	*ret_ifindex = netlink_attr_u32(attrs[RTA_OIF], OWNER_UNKNOWN);
	return true;
}

/* One route of the dump: whose is it, if it is one that we were refused? */
static void note_owner(const struct nlmsghdr *message, void *context)
{
	struct job *job = context;
	struct prefix key;
	unsigned int ifindex;
	const struct prefix *found;
	unsigned int *owner;

	if (!read_rival(message, job->table, &key, &ifindex))
		return;
	found = bsearch(&key, job->prefixes, job->n, sizeof(key), compare);
	if (!found)
		return;
	owner = &job->owners[found - job->prefixes];
	if (*owner != OWNER_NONE)
		*owner = ifindex == job->ifindex ? OWNER_NONE : ifindex;
}

/* Reads all routes of one family in one table. */
static int dump_routes(struct netlink *nl, int family, uint32_t table, netlink_reader reader,
		       void *context)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	int error = -EINTR;

	/* A dump that changed while it was read may lack routes; reading twice does no harm. */
	for (int tries = 0; tries < DUMP_TRIES && error == -EINTR; tries++) {
		struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
		struct rtmsg *route;

		request->nlmsg_type = RTM_GETROUTE;
		request->nlmsg_flags = NLM_F_DUMP;
		route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
		route->rtm_family = (unsigned char)family;
		mnl_attr_put_u32(request, RTA_TABLE, table);
		error = netlink_query(nl, request, reader, context);
	}
	/* No routes, or no such table, or no such family: nothing found. */
	return error == -ENOENT || error == -EOPNOTSUPP || error == -EAFNOSUPPORT ? 0 : error;
}

/* Tells which of the refused routes are through our interface anyway. */
static int settle_rivals(struct netlink *nl, struct job *job, struct nl_route_failure *failure)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		int error = dump_routes(nl, families[i], job->table, note_owner, job);

		if (error < 0)
			return error;
	}
	for (size_t i = 0; i < job->n; i++) {
		if (job->owners[i] == OWNER_NONE)
			continue;
		failure->prefix = job->prefixes[i];
		failure->ifindex = job->owners[i] == OWNER_UNKNOWN ? 0 : job->owners[i];
		return NL_ROUTE_TAKEN;
	}
	return 0;
}

int nl_route_add(struct netlink *nl, unsigned int ifindex, uint32_t table, struct prefix *prefixes,
		 size_t n, struct nl_route_failure *failure)
{
	struct job job = {
		.ifindex = ifindex, .table = table, .prefixes = prefixes, .type = RTM_NEWROUTE
	};
	struct netlink_batch batch = { .write = write_route, .refused = note_refused };
	int result;

	*failure = (struct nl_route_failure) { .ifindex = 0 };
	if (n == 0)
		return 0;
	qsort(prefixes, n, sizeof(*prefixes), compare);
	job.n = unique(prefixes, n);
	job.i_refused = job.n;
	job.owners = calloc(job.n, sizeof(*job.owners));
	if (!job.owners)
		return -ENOMEM;
	batch.context = &job;
	result = netlink_batch(nl, job.n, &batch);
	if (result < 0 && job.i_refused < job.n)
		failure->prefix = prefixes[job.i_refused];
	else if (result == 0 && job.n_exist > 0)
		result = settle_rivals(nl, &job, failure);
	free(job.owners);
	return result;
}

/* A route that is not there need not be deleted. */
static int skip_missing(size_t i, int error, void *context)
{
	(void)i;
	(void)context;
	return error == -ESRCH || error == -ENOENT ? 0 : error;
}

int nl_route_del(struct netlink *nl, unsigned int ifindex, uint32_t table,
		 const struct prefix *prefixes, size_t n)
{
	struct job job = {
		.ifindex = ifindex, .table = table, .prefixes = prefixes, .type = RTM_DELROUTE
	};
	const struct netlink_batch batch = { .write = write_route,
					     .refused = skip_missing,
					     .context = &job };

	return netlink_batch(nl, n, &batch);
}

/* What nl_route_table_used() looks for. */
struct search {
	uint32_t table;
	bool found;
};

static void note_used(const struct nlmsghdr *message, void *context)
{
	const struct nlattr *attrs[RTA_TABLE + 1];
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	struct search *search = context;

	/* Kernels before 4.20 send the routes of all tables. */
	if (message->nlmsg_type == RTM_NEWROUTE &&
	    netlink_attrs(message, sizeof(*route), attrs, ARRAY_SIZE(attrs)) &&
	    netlink_attr_u32(attrs[RTA_TABLE], route->rtm_table) == search->table)
		search->found = true;
}

int nl_route_table_used(struct netlink *nl, uint32_t table, bool *ret)
{
	struct search search = { .table = table };
	int error = dump_routes(nl, AF_INET, table, note_used, &search);

	if (error == 0 && !search.found)
		error = dump_routes(nl, AF_INET6, table, note_used, &search);
	if (error == 0)
		*ret = search.found;
	return error;
}

/* The interface and the MTU in the answer to "which way"; the MTU is 0 when the route has none. */
static void read_path(const struct nlmsghdr *message, void *context)
{
	const struct nlattr *attrs[RTA_METRICS + 1];
	const struct nlattr *metrics[RTAX_MTU + 1];
	struct nl_path *path = context;

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    !netlink_attrs(message, sizeof(struct rtmsg), attrs, ARRAY_SIZE(attrs)))
		return;
	netlink_attrs_nested(attrs[RTA_METRICS], metrics, ARRAY_SIZE(metrics));
	path->ifindex = netlink_attr_u32(attrs[RTA_OIF], 0);
	path->mtu = netlink_attr_u32(metrics[RTAX_MTU], 0);
}

/* Begins the question about an IPv4 or IPv6 destination. */
static struct nlmsghdr *begin_path(void *buffer, const union netaddr *destination)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	bool is_ipv4 = destination->sa.sa_family == AF_INET;
	struct rtmsg *route;

	request->nlmsg_type = RTM_GETROUTE;
	route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
	route->rtm_family = is_ipv4 ? AF_INET : AF_INET6;
	route->rtm_dst_len = is_ipv4 ? 32 : 128;
	if (is_ipv4) {
		mnl_attr_put(request, RTA_DST, 4, &destination->in4.sin_addr);
		return request;
	}
	mnl_attr_put(request, RTA_DST, 16, &destination->in6.sin6_addr);
	if (IN6_IS_ADDR_LINKLOCAL(&destination->in6.sin6_addr) && destination->in6.sin6_scope_id)
		mnl_attr_put_u32(request, RTA_OIF, destination->in6.sin6_scope_id);
	return request;
}

int nl_route_get(struct netlink *nl, const union netaddr *destination, uint32_t fwmark,
		 struct nl_path *ret)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct nl_path path = { .ifindex = 0 };
	struct nlmsghdr *request;
	int error;

	if (destination->sa.sa_family != AF_INET && destination->sa.sa_family != AF_INET6)
		return -EAFNOSUPPORT;
	request = begin_path(buffer, destination);
	if (fwmark != 0)
		mnl_attr_put_u32(request, RTA_MARK, fwmark);
	error = netlink_query(nl, request, read_path, &path);
	if (error < 0)
		return error;
	if (path.ifindex == 0)
		return -ENETUNREACH;
	*ret = path;
	return 0;
}

int nl_path_get(struct netlink *nl, const union netaddr *destination, uint32_t fwmark,
		struct nl_path *ret)
{
	struct nl_path path;
	struct nl_link link;
	int error = nl_route_get(nl, destination, fwmark, &path);

	if (error == 0)
		error = nl_link_get(nl, path.ifindex, &link);
	if (error < 0)
		return error;
	ret->ifindex = path.ifindex;
	ret->mtu = path.mtu != 0 ? MIN(path.mtu, link.mtu) : link.mtu;
	return 0;
}
