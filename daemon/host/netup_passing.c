/*
 * What a link does for packets of other hosts: forwarding, and the table of the packet filter with
 * all of its parts. See netup.h; this is a part of it.
 */
#include <errno.h>
#include <stdio.h>

#include "daemon/host/filter.h"
#include "daemon/host/forward.h"
#include "daemon/host/nat.h"
#include "daemon/host/netns.h"
#include "daemon/host/netup_internal.h"
#include "daemon/host/policy.h"

/* Where the interface is, or was; NULL: in the namespace of this process. */
const char *netup_namespace(const struct netup *netup)
{
	return netup->undo.namespace[0] ? netup->undo.namespace : NULL;
}

bool netup_is_gone(const struct netup *netup)
{
	return netup_namespace(netup) && undo_netns(netup_namespace(netup)) != netup->undo.netns;
}

void netup_undo_filter(struct netup *netup, char text[static NETUP_TEXT_MAX])
{
	struct netlink nf = NETLINK_NULL;
	int error;

	if (!netup->undo.has_filter)
		return;
	error = netup_is_gone(netup) ? -EPROTONOSUPPORT : filter_open(netup_namespace(netup), &nf);
	if (error == 0)
		error = filter_remove(&nf, netup->link);
	netlink_close(&nf);
	if (error < 0 && error != -EPROTONOSUPPORT)
		netup_add_error(text, "cannot delete the link's table of the packet filter", error);
	else
		netup->undo.has_filter = false;
}

static void undo_forward(struct netup *netup, char text[static NETUP_TEXT_MAX])
{
	struct netlink nl = NETLINK_NULL;
	struct forward others;
	int error;

	undo_others_forward(netup->run_dir, netup->undo.netns, &others);
	forward_subtract(&netup->undo.forward, &others);
	error = netup_is_gone(netup) ? 0 : netns_open_netlink(netup_namespace(netup), &nl);
	if (error == 0 && netlink_fd(&nl) >= 0)
		error = forward_undo(&nl, netup_namespace(netup), &netup->undo.forward);
	netlink_close(&nl);
	if (error < 0)
		netup_add_error(text, "cannot switch forwarding off again", error);
	else
		netup->undo.forward = (struct forward) { .n = 0 };
	(void)netup_save(netup, text);
}

void netup_undo_forward(struct netup *netup, char text[static NETUP_TEXT_MAX])
{
	int lock;

	if (forward_is_empty(&netup->undo.forward))
		return;
	lock = undo_lock(netup->run_dir);
	undo_forward(netup, text);
	undo_unlock(lock);
}

/* The parts of the table that the file asks for. Somebody else may make this host a router at any
 * time: then the clamp is as useful, and until then no packet comes to it. */
static unsigned int parts_of(const struct conf_link *conf)
{
	unsigned int parts = 0;

	if (policy_is_needed(conf))
		parts |= FILTER_GUARD;
	if (nat_is_needed(conf))
		parts |= FILTER_MASQUERADE;
	if (conf->mss_clamp == CONF_MSS_AUTO || conf->mss_clamp >= CONF_MSS_MIN)
		parts |= FILTER_CLAMP;
	return parts;
}

/* Whether nobody has asked for any of it: then it is not worth a word, or a start that fails. */
static bool is_optional(const struct conf_link *conf, unsigned int parts)
{
	return parts == FILTER_CLAMP && conf->mss_clamp == CONF_MSS_AUTO && !conf->forward;
}

/* What a kernel lacks is said unless nobody has asked for it. */
static void say_lacking(const struct conf_link *conf, unsigned int lacking,
			char text[static NETUP_TEXT_MAX])
{
	if (lacking & FILTER_GUARD)
		netup_add_text(
			text,
			"this kernel lacks nftables or a part of it: packets from the underlay to "
			"the tunnel's address are not kept out",
			NULL);
	if (lacking & FILTER_MASQUERADE)
		netup_add_text(
			text,
			"this kernel lacks nftables or its NAT: Masquerade does nothing, so the "
			"far end needs routes to the networks behind this host",
			NULL);
	if ((lacking & FILTER_CLAMP) && !is_optional(conf, FILTER_CLAMP))
		netup_add_text(
			text,
			"this kernel lacks nftables or a part of it: MssClamp does nothing, so "
			"forwarded TCP depends on ICMP messages about packets that are too big",
			NULL);
}

static int make_filter(struct netup *netup, const struct filter *filter,
		       char text[static NETUP_TEXT_MAX])
{
	struct netlink nf = NETLINK_NULL;
	unsigned int made = 0;
	int error;

	netup->undo.has_filter = true;
	error = netup_save(netup, text);
	if (error < 0)
		return error;
	error = filter_open(filter->conf->namespace, &nf);
	if (error == 0)
		error = filter_set(&nf, filter, &made);
	netlink_close(&nf);
	if (error < 0 && error != -EPROTONOSUPPORT) {
		netup_add_error(text, "cannot make the link's table of the packet filter", error);
		return error;
	}
	netup->undo.has_filter = made != 0;
	say_lacking(filter->conf, filter->parts & ~made, text);
	return 0;
}

int netup_set_filter(struct netup *netup, const struct conf_link *conf, unsigned int ifindex,
		     char text[static NETUP_TEXT_MAX])
{
	const struct filter filter = {
		.link = netup->link,
		.ifindex = ifindex,
		.conf = conf,
		.mark = netup->undo.policy.mark,
		.parts = parts_of(conf),
	};
	bool had_filter = netup->undo.has_filter;
	char unsaid[NETUP_TEXT_MAX] = "";

	if (filter.parts == 0) {
		netup_undo_filter(netup, text);
		return 0;
	}
	if (!is_optional(conf, filter.parts))
		return make_filter(netup, &filter, text);
	if (make_filter(netup, &filter, unsaid) < 0)
		netup->undo.has_filter = had_filter;
	return 0;
}

static void say_forward_failure(const struct forward_failure *failure,
				char text[static NETUP_TEXT_MAX])
{
	if (failure->ipv4 < 0)
		netup_add_error(text, "cannot switch on forwarding of IPv4", failure->ipv4);
	if (failure->later < 0)
		netup_add_text(
			text,
			"vpnd may not set net.ipv4.conf.default.forwarding: interfaces that are "
			"made later do not forward unless you set it with sysctl",
			NULL);
	if (failure->ipv6 < 0)
		netup_add_text(
			text,
			"IPv6 is not forwarded, because vpnd may not set "
			"net.ipv6.conf.all.forwarding: set that to 1 with sysctl, and accept_ra "
			"to 2 on interfaces that learn their router by advertisements",
			NULL);
}

/* What another link has switched on is to stay when that link stops. */
static void set_forward(struct netup *netup, const struct conf_link *conf, unsigned int ifindex,
			char text[static NETUP_TEXT_MAX])
{
	struct undo *undo = &netup->undo;
	struct forward_failure failure;
	struct forward others;
	int result;

	undo_others_forward(netup->run_dir, undo_netns(conf->namespace), &others);
	result = forward_survey(netup->nl, conf, ifindex, &undo->forward);
	if (result == FORWARD_TOO_MANY)
		netup_add_text(text,
			       "this host has too many interfaces for forwarding to be switched on "
			       "for each: set net.ipv4.ip_forward and "
			       "net.ipv6.conf.all.forwarding to 1 with sysctl",
			       NULL);
	if (result < 0) {
		undo->forward = (struct forward) { .n = 0 };
		netup_add_error(text, "cannot look at what this host forwards", result);
		return;
	}
	/* What does not fit is with the other link. */
	(void)forward_add(&undo->forward, &others);
	if (forward_is_empty(&undo->forward) || netup_save(netup, text) < 0)
		return;
	forward_apply(netup->nl, conf->namespace, &undo->forward, &failure);
	say_forward_failure(&failure, text);
}

/* Never a reason to give up: the link itself works without. */
void netup_set_forward(struct netup *netup, const struct conf_link *conf, unsigned int ifindex,
		       char text[static NETUP_TEXT_MAX])
{
	int lock;

	if (!conf->forward) {
		netup_undo_forward(netup, text);
		return;
	}
	lock = undo_lock(netup->run_dir);
	set_forward(netup, conf, ifindex, text);
	undo_unlock(lock);
}
