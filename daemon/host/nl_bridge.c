/* Bridges: making one, joining it, leaving it, and who is a port of it. linux/if_link.h. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <string.h>

#include "daemon/host/nl.h"

/* Reads of a list that changes all the time before we give up. */
#define DUMP_TRIES 5

static struct nlmsghdr *begin(void *buffer, uint16_t type, uint16_t flags, unsigned int ifindex)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;

	request->nlmsg_type = type;
	request->nlmsg_flags = flags;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)ifindex;
	return request;
}

int nl_bridge_join(struct netlink *nl, unsigned int ifindex, unsigned int master)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *request;

	if (ifindex == 0)
		return -ENODEV;
	request = begin(buffer, RTM_NEWLINK, 0, ifindex);
	mnl_attr_put_u32(request, IFLA_MASTER, master);
	return netlink_query(nl, request, NULL, NULL);
}

int nl_bridge_add(struct netlink *nl, const char *name)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *request = begin(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	size_t len = strnlen(name, IFNAMSIZ);
	struct nlattr *info;

	if (len == 0 || len == IFNAMSIZ)
		return -EINVAL;
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_str(request, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(request, info);
	return netlink_query(nl, request, NULL, NULL);
}

int nl_bridge_del(struct netlink *nl, unsigned int ifindex)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };

	/* Index 0 would ask the kernel to delete by name. */
	if (ifindex == 0)
		return -ENODEV;
	return netlink_query(nl, begin(buffer, RTM_DELLINK, 0, ifindex), NULL, NULL);
}

struct count {
	unsigned int master;
	size_t n;
};

static void count_port(const struct nlmsghdr *message, void *context)
{
	struct count *count = context;
	struct nl_link link;

	if (nl_link_parse(message, &link) && link.master == count->master)
		count->n++;
}

int nl_bridge_ports(struct netlink *nl, unsigned int ifindex, size_t *ret)
{
	struct count count = { .master = ifindex };
	int error = -EINTR;

	for (int tries = 0; tries < DUMP_TRIES && error == -EINTR; tries++) {
		alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
		struct nlmsghdr *request = begin(buffer, RTM_GETLINK, NLM_F_DUMP, 0);

		/* Kernels that do not know the filter send all; so each answer is looked at. */
		mnl_attr_put_u32(request, IFLA_MASTER, ifindex);
		mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
		count.n = 0;
		error = netlink_query(nl, request, count_port, &count);
	}
	if (error == 0)
		*ret = count.n;
	return error;
}
