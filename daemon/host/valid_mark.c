/* Reading and writing the switch; see valid_mark.h. */
#include "daemon/host/valid_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATH "/proc/sys/net/ipv4/conf/all/src_valid_mark"

static int write_switch(char digit)
{
	int fd = open(PATH, O_WRONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, &digit, 1) != 1)
		error = errno != 0 ? -errno : -EIO;
	close(fd);
	return error;
}

int valid_mark_set(void)
{
	int fd = open(PATH, O_RDONLY | O_CLOEXEC);
	char digit = '0';

	if (fd < 0)
		return -errno;
	if (read(fd, &digit, 1) != 1)
		digit = '0';
	close(fd);
	return digit != '0' ? VALID_MARK_WAS_SET : write_switch('1');
}

int valid_mark_reset(void)
{
	return write_switch('0');
}

/* The kernel takes the greater of "all" and the interface's own: 1 is strict, 2 is loose. */
struct strictness {
	int of_all;
	bool has_strict;
};

static void note_interface(const struct nlmsghdr *message, void *context)
{
	const struct nlattr *attrs[NETCONFA_RP_FILTER + 1];
	struct strictness *strictness = context;
	int ifindex, rp_filter;

	if (message->nlmsg_type != RTM_NEWNETCONF ||
	    !netlink_attrs(message, sizeof(struct netconfmsg), attrs, ARRAY_SIZE(attrs)))
		return;
	ifindex = (int)netlink_attr_u32(attrs[NETCONFA_IFINDEX], 0);
	rp_filter = (int)netlink_attr_u32(attrs[NETCONFA_RP_FILTER], 0);
	if (ifindex == NETCONFA_IFINDEX_ALL)
		strictness->of_all = rp_filter;
	else if (ifindex > 0 && rp_filter == 1)
		strictness->has_strict = true;
}

int valid_mark_is_needed(struct netlink *nl, bool *ret)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct strictness strictness = { .of_all = 0 };
	struct netconfmsg *header;
	int error;

	request->nlmsg_type = RTM_GETNETCONF;
	request->nlmsg_flags = NLM_F_DUMP;
	header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	header->ncm_family = AF_INET;
	error = netlink_query(nl, request, note_interface, &strictness);
	if (error < 0)
		return error;
	*ret = strictness.of_all == 1 || (strictness.of_all == 0 && strictness.has_strict);
	return 0;
}
