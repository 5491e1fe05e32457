/* Addresses of an interface. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>

#include "daemon/host/nl.h"

/* Adds or deletes: both requests have the same form. */
static int change(struct netlink *nl, uint16_t type, uint16_t flags, unsigned int ifindex,
		  const struct prefix *address, uint8_t address_flags)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	size_t addr_len = prefix_addr_len(address->family);
	struct ifaddrmsg *info;

	/* For any other family the kernel would take the request for one of another kind. */
	if (address->family != AF_INET && address->family != AF_INET6)
		return -EAFNOSUPPORT;
	request->nlmsg_type = type;
	request->nlmsg_flags = flags;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifa_family = address->family;
	info->ifa_prefixlen = address->len;
	info->ifa_scope = RT_SCOPE_UNIVERSE;
	info->ifa_index = ifindex;
	info->ifa_flags = address_flags;
	mnl_attr_put(request, IFA_LOCAL, addr_len, address->addr);
	mnl_attr_put(request, IFA_ADDRESS, addr_len, address->addr);
	return netlink_query(nl, request, NULL, NULL);
}

int nl_addr_add(struct netlink *nl, unsigned int ifindex, const struct prefix *address,
		bool is_alone)
{
	bool skips_detection = is_alone && address->family == AF_INET6;

	return change(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, address,
		      skips_detection ? IFA_F_NODAD : 0);
}

int nl_addr_del(struct netlink *nl, unsigned int ifindex, const struct prefix *address)
{
	return change(nl, RTM_DELADDR, 0, ifindex, address, 0);
}
