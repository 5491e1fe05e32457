/*
 * Makes the kernel refuse another MTU of an interface for as long as there is a file of the name
 * $PRELOAD_REFUSE; see preload.h. The counter says how often it did.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <sys/socket.h>

#define PRELOAD_WITH_CHILDREN
#include "preload.h"

static bool sets_mtu(const void *bytes, size_t len)
{
	const struct nlmsghdr *head = bytes;
	struct rtattr *attr;
	size_t left;

	if (!NLMSG_OK(head, len) || head->nlmsg_type != RTM_NEWLINK)
		return false;
	attr = IFLA_RTA(NLMSG_DATA(head));
	left = IFLA_PAYLOAD(head);
	for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left)) {
		if (attr->rta_type == IFLA_MTU)
			return true;
	}
	return false;
}

ssize_t sendto(int fd, const void *bytes, size_t len, int flags, const struct sockaddr *to,
	       socklen_t to_len)
{
	static __typeof__(sendto) *next;
	const char *path = getenv("PRELOAD_REFUSE");

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "sendto");
	if (to && to->sa_family == AF_NETLINK && sets_mtu(bytes, len) && path &&
	    access(path, F_OK) == 0) {
		preload_count(0);
		errno = EINVAL;
		return -1;
	}
	return next(fd, bytes, len, flags, to, to_len);
}
