/* Turns the kernel's announcements into facts about one link; see monitor.h. */
#include "daemon/host/monitor.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* Events that get lost again while we look up the own interface: how often to try. */
#define REREADS_MAX 8

/* One monitor_read(). */
struct reading {
	struct nl_link own; /* as told by the newest event */
	struct monitor_facts *facts;
};

static void note_event(const struct nlmsghdr *message, void *context)
{
	struct reading *reading = context;
	struct nl_event event;

	nl_event_parse(message, &event);
	if (event.kind == NL_EVENT_OTHER)
		return;
	if (event.kind == NL_EVENT_REFUSED) {
		reading->facts->own_deleted |= event.error == -ENODEV;
		return;
	}
	if (event.ifindex != reading->own.ifindex) {
		reading->facts->underlay_changed = true;
		return;
	}
	if (event.kind == NL_EVENT_LINK)
		reading->own = event.link;
	else if (event.kind == NL_EVENT_LINK_GONE)
		reading->facts->own_deleted = true;
	else if (event.kind == NL_EVENT_LINK_MOVED)
		reading->facts->own_moved = true;
}

int monitor_open(struct monitor *monitor, unsigned int own_ifindex)
{
	static const unsigned int groups[] = {
		RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
		RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
	};
	struct netlink request = NETLINK_NULL;
	int error;

	*monitor = (struct monitor)MONITOR_NULL;
	error = netlink_open_events(&monitor->nl, groups, ARRAY_SIZE(groups));
	if (error < 0)
		return error;
	/* Looked at after the groups are joined: a change in between is then seen twice, never
	 * missed. */
	error = netlink_open(&request);
	if (error == 0)
		error = nl_link_get(&request, own_ifindex, &monitor->own);
	netlink_close(&request);
	if (error < 0)
		monitor_close(monitor);
	return error;
}

void monitor_close(struct monitor *monitor)
{
	netlink_close(&monitor->nl);
}

int monitor_fd(const struct monitor *monitor)
{
	return netlink_fd(&monitor->nl);
}

/* Says what is different about the own interface, and remembers it. */
static void compare_own(struct monitor *monitor, const struct nl_link *own,
			struct monitor_facts *facts)
{
	facts->own_up_changed = own->is_up != monitor->own.is_up;
	facts->own_mtu_changed = own->mtu != monitor->own.mtu;
	facts->own_renamed = strcmp(own->name, monitor->own.name) != 0;
	facts->own_is_up = own->is_up;
	facts->own_mtu = own->mtu;
	memcpy(facts->own_name, own->name, sizeof(facts->own_name));
	monitor->own = *own;
}

int monitor_read(struct monitor *monitor, struct monitor_facts *facts)
{
	struct reading reading = { .own = monitor->own, .facts = facts };
	bool lost = false;
	int error;

	*facts = (struct monitor_facts) { .own_deleted = false };
	if (monitor_fd(monitor) < 0)
		return -EBADF;
	error = netlink_drain(&monitor->nl, note_event, &reading, &lost);
	for (int i = 0; i < REREADS_MAX && error == 0 && lost; i++) {
		facts->underlay_changed = true;
		lost = false;
		error = nl_link_ask(&monitor->nl, monitor->own.ifindex);
		if (error == 0)
			error = netlink_drain(&monitor->nl, note_event, &reading, &lost);
	}
	if (error < 0)
		return error;
	compare_own(monitor, &reading.own, facts);
	return 0;
}
