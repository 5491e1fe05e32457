/* Watching a link's table of the packet filter; see filter_watch.h. */
#include "daemon/host/filter_watch.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#include "daemon/host/netns.h"

#define TYPE_OF(message) (NFNL_SUBSYS_NFTABLES << 8 | (message))

static int open_inside(void *context)
{
	static const unsigned int groups[] = { NFNLGRP_NFTABLES };

	return netlink_open_netfilter_events(context, groups, ARRAY_SIZE(groups));
}

int filter_watch_open(struct filter_watch *watch, const char *link, const char *namespace)
{
	if (filter_watch_fd(watch) >= 0)
		return 0;
	watch->is_deleted = false;
	snprintf(watch->table, sizeof(watch->table), NFT_TABLE_PREFIX "%s", link);
	return netns_call(namespace, open_inside, &watch->nf);
}

void filter_watch_close(struct filter_watch *watch)
{
	netlink_close(&watch->nf);
}

static void note(const struct nlmsghdr *message, void *context)
{
	const struct nlattr *attrs[NFTA_TABLE_NAME + 1];
	struct filter_watch *watch = context;
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *name;
	size_t len = strlen(watch->table) + 1;

	if ((message->nlmsg_type != TYPE_OF(NFT_MSG_NEWTABLE) &&
	     message->nlmsg_type != TYPE_OF(NFT_MSG_DELTABLE)) ||
	    !netlink_attrs(message, sizeof(*header), attrs, ARRAY_SIZE(attrs)))
		return;
	name = attrs[NFTA_TABLE_NAME];
	if (header->nfgen_family == NFPROTO_INET && name && mnl_attr_get_payload_len(name) == len &&
	    memcmp(mnl_attr_get_payload(name), watch->table, len) == 0)
		watch->is_deleted = message->nlmsg_type == TYPE_OF(NFT_MSG_DELTABLE);
}

bool filter_watch_read(struct filter_watch *watch)
{
	bool is_lost = false;
	int error = netlink_drain(&watch->nf, note, watch, &is_lost);

	if (error < 0)
		filter_watch_close(watch);
	return watch->is_deleted || is_lost || error < 0;
}
