/* Settings of interfaces for one IP version: what sysctl(8) calls net.ipv4.conf and net.ipv6.conf.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ip.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>

#include "daemon/host/nl.h"

/* Reads of a list that changes all the time before we give up. */
#define DUMP_TRIES 5

/* Whom to tell about each interface. */
struct listing {
	nl_conf_reader reader;
	void *context;
};

_Static_assert(NL_CONF_ALL == NETCONFA_IFINDEX_ALL, "as the kernel has them");
_Static_assert(NL_CONF_DEFAULT == NETCONFA_IFINDEX_DEFAULT, "as the kernel has them");

static void read_conf(const struct nlmsghdr *message, void *context)
{
	const struct nlattr *attrs[NETCONFA_FORWARDING + 1];
	const struct listing *listing = context;
	struct nl_conf conf;

	if (message->nlmsg_type != RTM_NEWNETCONF ||
	    !netlink_attrs(message, sizeof(struct netconfmsg), attrs, ARRAY_SIZE(attrs)) ||
	    !attrs[NETCONFA_IFINDEX])
		return;
	conf = (struct nl_conf) {
		.ifindex = (int)netlink_attr_u32(attrs[NETCONFA_IFINDEX], 0),
		.is_forwarding = netlink_attr_u32(attrs[NETCONFA_FORWARDING], 0) != 0,
	};
	listing->reader(&conf, listing->context);
}

int nl_conf_list(struct netlink *nl, int family, nl_conf_reader reader, void *context)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct listing listing = { .reader = reader, .context = context };
	int error = -EINTR;

	for (int tries = 0; tries < DUMP_TRIES && error == -EINTR; tries++) {
		struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
		struct netconfmsg *header;

		request->nlmsg_type = RTM_GETNETCONF;
		request->nlmsg_flags = NLM_F_DUMP;
		header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
		header->ncm_family = (uint8_t)family;
		error = netlink_query(nl, request, read_conf, &listing);
	}
	return error == -EOPNOTSUPP || error == -EAFNOSUPPORT ? 0 : error;
}

int nl_conf_set_forwarding(struct netlink *nl, unsigned int ifindex, bool is_on)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct nlattr *families, *inet, *conf;
	struct ifinfomsg *info;

	if (ifindex == 0)
		return -ENODEV;
	request->nlmsg_type = RTM_NEWLINK;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)ifindex;
	families = mnl_attr_nest_start(request, IFLA_AF_SPEC);
	inet = mnl_attr_nest_start(request, AF_INET);
	conf = mnl_attr_nest_start(request, IFLA_INET_CONF);
	mnl_attr_put_u32(request, IPV4_DEVCONF_FORWARDING, is_on);
	mnl_attr_nest_end(request, conf);
	mnl_attr_nest_end(request, inet);
	mnl_attr_nest_end(request, families);
	return netlink_query(nl, request, NULL, NULL);
}
