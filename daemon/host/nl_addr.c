/* Addresses of an interface. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>

#include "daemon/host/nl.h"

int nl_addr_add(struct netlink *nl, unsigned int ifindex, const struct prefix *address)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	size_t addr_len = address->family == AF_INET ? 4 : 16;
	struct ifaddrmsg *info;

	/* For any other family the kernel would take the request for one of another kind. */
	if (address->family != AF_INET && address->family != AF_INET6)
		return -EAFNOSUPPORT;
	request->nlmsg_type = RTM_NEWADDR;
	request->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifa_family = address->family;
	info->ifa_prefixlen = address->len;
	info->ifa_scope = RT_SCOPE_UNIVERSE;
	info->ifa_index = ifindex;
	if (address->family == AF_INET6)
		info->ifa_flags = IFA_F_NODAD;
	mnl_attr_put(request, IFA_LOCAL, addr_len, address->addr);
	mnl_attr_put(request, IFA_ADDRESS, addr_len, address->addr);
	return netlink_query(nl, request, NULL, NULL);
}
