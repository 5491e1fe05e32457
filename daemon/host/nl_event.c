/*
 * What the kernel tells unasked, boiled down to the few kinds that matter to a link.
 *
 * Three sorts of noise are left out here: messages of the bridge code (a port that leaves its
 * bridge is announced as a deleted link, of the family AF_BRIDGE), wireless scan results (link
 * messages without any change), and cached routes.
 */
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "daemon/host/nl.h"

static void parse_link(const struct nlmsghdr *message, struct nl_event *ret)
{
	const struct nlattr *attrs[IFLA_NEW_NETNSID + 1];
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

	if (!netlink_attrs(message, sizeof(*info), attrs, ARRAY_SIZE(attrs)) ||
	    info->ifi_family != AF_UNSPEC || attrs[IFLA_WIRELESS])
		return;
	ret->ifindex = (unsigned int)info->ifi_index;
	if (message->nlmsg_type == RTM_DELLINK)
		ret->kind = attrs[IFLA_NEW_NETNSID] ? NL_EVENT_LINK_MOVED : NL_EVENT_LINK_GONE;
	else if (nl_link_parse(message, &ret->link))
		ret->kind = NL_EVENT_LINK;
}

static void parse_address(const struct nlmsghdr *message, struct nl_event *ret)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return;
	ret->kind = NL_EVENT_ADDRESS;
	ret->ifindex = info->ifa_index;
}

static void parse_route(const struct nlmsghdr *message, struct nl_event *ret)
{
	const struct nlattr *attrs[RTA_OIF + 1];
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);

	if (!netlink_attrs(message, sizeof(*route), attrs, ARRAY_SIZE(attrs)) ||
	    (route->rtm_flags & RTM_F_CLONED))
		return;
	ret->kind = NL_EVENT_ROUTE;
	ret->ifindex = netlink_attr_u32(attrs[RTA_OIF], 0);
}

static void parse_refusal(const struct nlmsghdr *message, struct nl_event *ret)
{
	struct {
		struct nlmsgerr error;
		struct ifinfomsg info; /* of nl_link_ask() */
	} refused;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(ret->error))
		return;
	memcpy(&ret->error, mnl_nlmsg_get_payload(message), sizeof(ret->error));
	if (ret->error >= 0)
		return;
	ret->kind = NL_EVENT_REFUSED;
	/* The kernel sends the request back behind the error. */
	if (mnl_nlmsg_get_payload_len(message) < sizeof(refused))
		return;
	memcpy(&refused, mnl_nlmsg_get_payload(message), sizeof(refused));
	ret->ifindex = (unsigned int)refused.info.ifi_index;
}

static const struct {
	uint16_t type;
	void (*parse)(const struct nlmsghdr *message, struct nl_event *ret);
} parsers[] = {
	{ RTM_NEWLINK, parse_link },    { RTM_DELLINK, parse_link },
	{ RTM_NEWADDR, parse_address }, { RTM_DELADDR, parse_address },
	{ RTM_NEWROUTE, parse_route },  { RTM_DELROUTE, parse_route },
	{ NLMSG_ERROR, parse_refusal },
};

void nl_event_parse(const struct nlmsghdr *message, struct nl_event *ret)
{
	*ret = (struct nl_event) { .kind = NL_EVENT_OTHER };
	for (size_t i = 0; i < ARRAY_SIZE(parsers); i++) {
		if (parsers[i].type == message->nlmsg_type)
			parsers[i].parse(message, ret);
	}
}
