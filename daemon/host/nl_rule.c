/* Rules of policy routing: which routing table a packet is looked up in, by its mark. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>

#include "daemon/host/nl.h"

/* Reads of a list that changes all the time before we give up. */
#define DUMP_TRIES 5

static int change(struct netlink *nl, uint16_t type, uint16_t flags, const struct nl_rule *rule)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct fib_rule_hdr *header;

	if (rule->family != AF_INET && rule->family != AF_INET6)
		return -EAFNOSUPPORT;
	request->nlmsg_type = type;
	request->nlmsg_flags = flags;
	header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	header->family = rule->family;
	header->action = rule->table != 0 ? FR_ACT_TO_TBL : FR_ACT_GOTO;
	header->flags = rule->is_not ? FIB_RULE_INVERT : 0;
	mnl_attr_put_u32(request, FRA_PRIORITY, rule->priority);
	mnl_attr_put_u8(request, FRA_PROTOCOL, rule->protocol);
	if (rule->mark != 0)
		mnl_attr_put_u32(request, FRA_FWMARK, rule->mark);
	if (rule->table != 0)
		mnl_attr_put_u32(request, FRA_TABLE, rule->table);
	else
		mnl_attr_put_u32(request, FRA_GOTO, rule->target);
	if (rule->suppress_len >= 0)
		mnl_attr_put_u32(request, FRA_SUPPRESS_PREFIXLEN, (uint32_t)rule->suppress_len);
	return netlink_query(nl, request, NULL, NULL);
}

int nl_rule_add(struct netlink *nl, const struct nl_rule *rule)
{
	return change(nl, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
}

int nl_rule_del(struct netlink *nl, const struct nl_rule *rule)
{
	return change(nl, RTM_DELRULE, 0, rule);
}

/* Whom to tell about each rule. */
struct listing {
	nl_rule_reader reader;
	void *context;
};

static void read_rule(const struct nlmsghdr *message, void *context)
{
	const struct nlattr *attrs[FRA_PROTOCOL + 1];
	const struct fib_rule_hdr *header = mnl_nlmsg_get_payload(message);
	const struct listing *listing = context;
	struct nl_rule rule;

	if (message->nlmsg_type != RTM_NEWRULE ||
	    !netlink_attrs(message, sizeof(*header), attrs, ARRAY_SIZE(attrs)))
		return;
	rule = (struct nl_rule) {
		.family = header->family,
		.is_not = header->flags & FIB_RULE_INVERT,
		.priority = netlink_attr_u32(attrs[FRA_PRIORITY], 0),
		.mark = netlink_attr_u32(attrs[FRA_FWMARK], 0),
		.table = netlink_attr_u32(attrs[FRA_TABLE], header->table),
		.target = netlink_attr_u32(attrs[FRA_GOTO], 0),
		/* The kernel says "all count" as a number, too. */
		.suppress_len = (int)netlink_attr_u32(attrs[FRA_SUPPRESS_PREFIXLEN], UINT32_MAX),
	};
	if (attrs[FRA_PROTOCOL] && mnl_attr_get_payload_len(attrs[FRA_PROTOCOL]) > 0)
		rule.protocol = mnl_attr_get_u8(attrs[FRA_PROTOCOL]);
	listing->reader(&rule, listing->context);
}

int nl_rule_list(struct netlink *nl, int family, nl_rule_reader reader, void *context)
{
	alignas(struct nlmsghdr) char buffer[NETLINK_MESSAGE_MAX] = { 0 };
	struct listing listing = { .reader = reader, .context = context };
	int error = -EINTR;

	/* A list that changed while it was read may lack rules; reading twice does no harm. */
	for (int tries = 0; tries < DUMP_TRIES && error == -EINTR; tries++) {
		struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
		struct fib_rule_hdr *header;

		request->nlmsg_type = RTM_GETRULE;
		request->nlmsg_flags = NLM_F_DUMP;
		header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
		header->family = (uint8_t)family;
		error = netlink_query(nl, request, read_rule, &listing);
	}
	return error == -EOPNOTSUPP || error == -EAFNOSUPPORT ? 0 : error;
}
