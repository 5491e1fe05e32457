/* Turns the kernel's announcements into facts about one link; see monitor.h. */
#include "daemon/host/monitor.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Events that get lost again while we look up the own interface: how often to try. */
#define REREADS_MAX 8

/* One monitor_read(). */
struct reading {
	struct nl_link own; /* as told by the newest event */
	struct monitor *monitor;
	struct monitor_facts *facts;
};

/* Whether an event tells that the bridge which the link wants to be in has come. It has not when it
 * was there before: then somebody has taken the interface out, and it is to stay out. */
static bool is_coming_bridge(struct monitor *monitor, const struct nl_event *event)
{
	bool was_there = event->ifindex == monitor->seen || event->ifindex == monitor->left;
	bool is_it = monitor->bridge && event->kind == NL_EVENT_LINK && event->link.is_bridge &&
		     strcmp(event->link.name, monitor->bridge) == 0;

	if (is_it)
		monitor->seen = event->ifindex;
	else if (event->ifindex == monitor->seen &&
		 (event->kind == NL_EVENT_LINK_GONE || event->kind == NL_EVENT_LINK_MOVED))
		monitor->seen = 0;
	return is_it && !was_there;
}

/* The answer to what was asked because events were lost. */
static void note_refusal(struct monitor *monitor, const struct nl_event *event,
			 struct monitor_facts *facts)
{
	if (event->error != -ENODEV)
		return;
	if (event->ifindex == 0 || event->ifindex == monitor->own.ifindex) {
		facts->own_deleted = true;
	} else if (event->ifindex == monitor->seen) {
		/* Another one may have come in its place. */
		monitor->seen = 0;
		facts->bridge_came = monitor->bridge != NULL;
	}
}

static void note_event(const struct nlmsghdr *message, void *context)
{
	struct reading *reading = context;
	struct nl_event event;

	nl_event_parse(message, &event);
	if (event.kind == NL_EVENT_OTHER)
		return;
	if (event.kind == NL_EVENT_REFUSED) {
		note_refusal(reading->monitor, &event, reading->facts);
		return;
	}
	if (event.ifindex != reading->own.ifindex) {
		reading->facts->underlay_changed = true;
		reading->facts->bridge_came |= is_coming_bridge(reading->monitor, &event);
		return;
	}
	if (event.kind == NL_EVENT_LINK)
		reading->own = event.link;
	else if (event.kind == NL_EVENT_LINK_GONE)
		reading->facts->own_deleted = true;
	else if (event.kind == NL_EVENT_LINK_MOVED)
		reading->facts->own_moved = true;
}

/* What happens around the sockets of an interface that is elsewhere: all of it is the underlay. */
static void note_outer_event(const struct nlmsghdr *message, void *context)
{
	struct monitor_facts *facts = context;
	struct nl_event event;

	nl_event_parse(message, &event);
	facts->underlay_changed |= event.kind != NL_EVENT_OTHER;
}

static int add_to_epoll(const struct monitor *monitor, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(monitor->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* The second socket, the watch, and the descriptor before them. */
static int open_outer(struct monitor *monitor, const unsigned int *groups, size_t n_groups)
{
	int error = netlink_open_events(&monitor->outer, groups, n_groups);

	if (error == 0)
		error = netns_watch_open(&monitor->watch, monitor->namespace);
	if (error < 0)
		return error;
	monitor->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (monitor->epoll_fd < 0)
		return -errno;
	error = add_to_epoll(monitor, netlink_fd(&monitor->outer));
	if (error == 0)
		error = add_to_epoll(monitor, monitor->watch.fd);
	return error == 0 ? add_to_epoll(monitor, netlink_fd(&monitor->nl)) : error;
}

int monitor_open(struct monitor *monitor, const char *namespace, unsigned int own_ifindex)
{
	static const unsigned int groups[] = {
		RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
		RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
	};
	struct netlink request = NETLINK_NULL;
	int error;

	*monitor = (struct monitor)MONITOR_NULL;
	monitor->namespace = namespace;
	error = netns_open_events(namespace, &monitor->nl, groups, ARRAY_SIZE(groups));
	if (error == 0 && namespace)
		error = open_outer(monitor, groups, ARRAY_SIZE(groups));
	if (error < 0) {
		monitor_close(monitor);
		return error;
	}
	/* Looked at after the groups are joined: a change in between is then seen twice, never
	 * missed. */
	error = netns_open_netlink(namespace, &request);
	if (error == 0)
		error = nl_link_get(&request, own_ifindex, &monitor->own);
	/* Where it is now, it has been put because the file says so. */
	monitor->left = monitor->seen = monitor->own.master;
	netlink_close(&request);
	if (error < 0)
		monitor_close(monitor);
	return error;
}

void monitor_close(struct monitor *monitor)
{
	netlink_close(&monitor->nl);
	netlink_close(&monitor->outer);
	netns_watch_close(&monitor->watch);
	if (monitor->epoll_fd >= 0)
		close(monitor->epoll_fd);
	monitor->epoll_fd = -1;
}

int monitor_fd(const struct monitor *monitor)
{
	return monitor->epoll_fd >= 0 ? monitor->epoll_fd : netlink_fd(&monitor->nl);
}

/* Says what is different about the own interface, and remembers it. */
static void compare_own(struct monitor *monitor, const struct nl_link *own,
			struct monitor_facts *facts)
{
	facts->own_up_changed = own->is_up != monitor->own.is_up;
	facts->own_mtu_changed = own->mtu != monitor->own.mtu;
	facts->own_renamed = strcmp(own->name, monitor->own.name) != 0;
	facts->own_joined = own->master != monitor->own.master;
	/* One that it has joined meanwhile needs nobody to join it. */
	facts->bridge_came &= own->master == 0;
	facts->own_is_up = own->is_up;
	facts->own_mtu = own->mtu;
	facts->own_master = own->master;
	if (own->master != 0)
		monitor->left = own->master;
	memcpy(facts->own_name, own->name, sizeof(facts->own_name));
	monitor->own = *own;
}

/* Reads the second socket and the watch. */
static int read_outer(struct monitor *monitor, struct monitor_facts *facts)
{
	bool lost = false;
	int error;

	/* Here the underlay is elsewhere. */
	facts->underlay_changed = false;
	error = netlink_drain(&monitor->outer, note_outer_event, facts, &lost);
	facts->underlay_changed |= lost;
	facts->namespace_gone = netns_watch_read(&monitor->watch, monitor->namespace);
	return error;
}

int monitor_read(struct monitor *monitor, struct monitor_facts *facts)
{
	struct reading reading = { .own = monitor->own, .monitor = monitor, .facts = facts };
	bool lost = false;
	int error;

	*facts = (struct monitor_facts) { .own_deleted = false };
	if (monitor_fd(monitor) < 0)
		return -EBADF;
	error = netlink_drain(&monitor->nl, note_event, &reading, &lost);
	for (int i = 0; i < REREADS_MAX && error == 0 && lost; i++) {
		facts->underlay_changed = true;
		facts->bridge_came |= monitor->bridge && monitor->seen == 0;
		lost = false;
		error = nl_link_ask(&monitor->nl, monitor->own.ifindex);
		if (error == 0 && monitor->seen != 0)
			error = nl_link_ask(&monitor->nl, monitor->seen);
		if (error == 0)
			error = netlink_drain(&monitor->nl, note_event, &reading, &lost);
	}
	if (error == 0 && monitor->namespace)
		error = read_outer(monitor, facts);
	if (error < 0)
		return error;
	compare_own(monitor, &reading.own, facts);
	return 0;
}
