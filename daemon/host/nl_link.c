/* Interfaces: looking at them, and the three things that vpnd changes about its own. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <string.h>

#include "daemon/host/nl.h"

/* Begins a request about one interface. */
static struct nlmsghdr *begin(void *buffer, uint16_t type, unsigned int ifindex)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;

	request->nlmsg_type = type;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)ifindex;
	return request;
}

/* Answers about an interface are long, and the longest part are counters nobody here reads. */
static void skip_counters(struct nlmsghdr *request)
{
	mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

/* Whether the attribute is that word; the kernel sends a NUL with it, or not. */
static bool is_kind(const struct nlattr *attr, const char *word)
{
	size_t len = strlen(word);

	return attr && mnl_attr_get_payload_len(attr) >= len &&
	       mnl_attr_get_payload_len(attr) <= len + 1 &&
	       memcmp(mnl_attr_get_payload(attr), word, len) == 0;
}

bool nl_link_parse(const struct nlmsghdr *message, struct nl_link *ret)
{
	const struct nlattr *attrs[IFLA_LINKINFO + 1], *info_attrs[IFLA_INFO_KIND + 1];
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type != RTM_NEWLINK ||
	    !netlink_attrs(message, sizeof(*info), attrs, ARRAY_SIZE(attrs)) ||
	    !attrs[IFLA_IFNAME] || !attrs[IFLA_MTU])
		return false;
	*ret = (struct nl_link) {
		.ifindex = (unsigned int)info->ifi_index,
		.mtu = netlink_attr_u32(attrs[IFLA_MTU], 0),
		.master = netlink_attr_u32(attrs[IFLA_MASTER], 0),
		.is_up = info->ifi_flags & IFF_UP,
	};
	netlink_attrs_nested(attrs[IFLA_LINKINFO], info_attrs, ARRAY_SIZE(info_attrs));
	ret->is_bridge = is_kind(info_attrs[IFLA_INFO_KIND], "bridge");
	memcpy(ret->name, mnl_attr_get_payload(attrs[IFLA_IFNAME]),
	       MIN(mnl_attr_get_payload_len(attrs[IFLA_IFNAME]), sizeof(ret->name) - 1));
	return true;
}

static void read_link(const struct nlmsghdr *message, void *context)
{
	struct nl_link *link = context;

	if (!nl_link_parse(message, link))
		link->ifindex = 0;
}

/* Sends a question about one interface and waits for what it is like. */
static int query_link(struct netlink *nl, struct nlmsghdr *request, struct nl_link *ret)
{
	struct nl_link link = { .ifindex = 0 };
	int error = netlink_query(nl, request, read_link, &link);

	if (error < 0)
		return error;
	if (link.ifindex == 0)
		return -EBADMSG;
	*ret = link;
	return 0;
}

int nl_link_get(struct netlink *nl, unsigned int ifindex, struct nl_link *ret)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *request;

	/* Index 0 asks the kernel for an interface by name, and there is none. */
	if (ifindex == 0)
		return -ENODEV;
	request = begin(buffer, RTM_GETLINK, ifindex);
	skip_counters(request);
	return query_link(nl, request, ret);
}

int nl_link_index(struct netlink *nl, const char *name, unsigned int *ret)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *request = begin(buffer, RTM_GETLINK, 0);
	size_t len = strnlen(name, IFNAMSIZ);
	struct nl_link link;
	int error;

	if (len == 0 || len == IFNAMSIZ)
		return -EINVAL;
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	skip_counters(request);
	error = query_link(nl, request, &link);
	if (error == 0)
		*ret = link.ifindex;
	return error;
}

int nl_link_set_mtu(struct netlink *nl, unsigned int ifindex, unsigned int mtu)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *request;

	if (ifindex == 0)
		return -ENODEV;
	request = begin(buffer, RTM_NEWLINK, ifindex);
	mnl_attr_put_u32(request, IFLA_MTU, mtu);
	return netlink_query(nl, request, NULL, NULL);
}

int nl_link_set_up(struct netlink *nl, unsigned int ifindex)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *request;
	struct ifinfomsg *info;

	if (ifindex == 0)
		return -ENODEV;
	request = begin(buffer, RTM_NEWLINK, ifindex);
	info = mnl_nlmsg_get_payload(request);
	info->ifi_flags = IFF_UP;
	info->ifi_change = IFF_UP;
	return netlink_query(nl, request, NULL, NULL);
}

int nl_link_no_link_local(struct netlink *nl, unsigned int ifindex)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *request;
	struct nlattr *families;
	struct nlattr *inet6;
	int error;

	if (ifindex == 0)
		return -ENODEV;
	request = begin(buffer, RTM_NEWLINK, ifindex);
	families = mnl_attr_nest_start(request, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(request, AF_INET6);
	mnl_attr_put_u8(request, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(request, inet6);
	mnl_attr_nest_end(request, families);
	error = netlink_query(nl, request, NULL, NULL);
	return error == -EAFNOSUPPORT ? 0 : error;
}

int nl_link_ask(struct netlink *nl, unsigned int ifindex)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *request = begin(buffer, RTM_GETLINK, ifindex);

	skip_counters(request);
	return netlink_send(nl, request);
}
