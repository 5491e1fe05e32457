/* Reading the addresses of interfaces; see nl_list.h. */
#include "daemon/host/nl_list.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdalign.h>
#include <string.h>

/* Reads of a list that changes all the time before we give up. */
#define DUMP_TRIES 5
/* Of the loopback device, in every namespace. */
#define LOOPBACK_INDEX 1

struct job {
	unsigned int ifindex;
	struct prefix *items;
	size_t max;
	size_t n;
};

static void note_address(const struct nlmsghdr *message, void *context)
{
	const struct nlattr *attrs[IFA_LOCAL + 1];
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct job *job = context;
	const struct nlattr *attr;
	struct prefix *prefix;

	if (message->nlmsg_type != RTM_NEWADDR ||
	    !netlink_attrs(message, sizeof(*info), attrs, ARRAY_SIZE(attrs)))
		return;
	if (job->ifindex ? info->ifa_index != job->ifindex : info->ifa_index == LOOPBACK_INDEX)
		return;
	/* With a peer's address, that is IFA_ADDRESS, and IFA_LOCAL is ours. */
	attr = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	if (!attr || mnl_attr_get_payload_len(attr) > sizeof(prefix->addr))
		return;
	if (job->n < job->max) {
		prefix = &job->items[job->n];
		*prefix =
			(struct prefix) { .family = info->ifa_family, .len = info->ifa_prefixlen };
		memcpy(prefix->addr, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	}
	job->n++;
}

int nl_list_addresses(struct netlink *nl, unsigned int ifindex, struct prefix *ret, size_t max,
		      size_t *ret_n)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct job job = { .ifindex = ifindex, .items = ret, .max = max };
	int error = -EINTR;

	*ret_n = 0;
	for (int tries = 0; tries < DUMP_TRIES && error == -EINTR; tries++) {
		struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
		struct ifaddrmsg *info;

		job.n = 0;
		request->nlmsg_type = RTM_GETADDR;
		request->nlmsg_flags = NLM_F_DUMP;
		info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
		info->ifa_family = AF_UNSPEC;
		error = netlink_query(nl, request, note_address, &job);
	}
	if (error == 0)
		*ret_n = job.n;
	return error;
}
