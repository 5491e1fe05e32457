/*
 * Watches the kernel's network tables for what concerns one link: its own interface, and the
 * underlay that carries its datagrams.
 *
 * The kernel tells about every change of every interface, address and route; monitor_read()
 * compares that with what it knew and reports facts. When the kernel tells faster than we read,
 * it drops events and says so: then the underlay counts as changed, and the own interface is
 * looked up again over the same socket, so that no second descriptor and no right is needed.
 *
 * An interface that is in another network namespace than the underlay takes two sockets, one in
 * each, and a watch on the namespace's name. They stand behind one descriptor, epoll(7).
 */
#ifndef DAEMON_HOST_MONITOR_H
#define DAEMON_HOST_MONITOR_H

#include <net/if.h>
#include <stdbool.h>

#include "daemon/host/netns.h"
#include "daemon/host/nl.h"

/* Start with MONITOR_NULL; monitor_close() may be called at any time and twice. */
struct monitor {
	struct netlink nl;
	struct nl_link own;    /* as last told; own.ifindex is never 0 while open */
	const char *bridge;    /* not owned; set by the caller, at any time: whose coming to tell */
	unsigned int left;     /* the bridge that the interface was in last */
	unsigned int seen;     /* the one to tell of, as it was there last; 0: not yet, or gone */
	const char *namespace; /* not owned; NULL: all of the following is closed */
	struct netlink outer;  /* hears of the underlay */
	struct netns_watch watch;
	int epoll_fd; /* of all three */
};

#define MONITOR_NULL                                                                               \
	{                                                                                          \
		.nl = NETLINK_NULL, .outer = NETLINK_NULL, .watch = NETNS_WATCH_NULL,              \
		.epoll_fd = -1                                                                     \
	}

/* What happened since the last read; all false means nothing of interest. */
struct monitor_facts {
	bool own_deleted;      /* the interface is gone; its descriptor is of no more use */
	bool own_moved;        /* it went to another network namespace: no more news about it */
	bool own_up_changed;   /* switched on or off; own_is_up says which */
	bool own_mtu_changed;  /* own_mtu is the new value, in bytes */
	bool own_renamed;      /* own_name is the new name */
	bool own_joined;       /* it is a port of the bridge own_master now; 0: of none any more */
	bool bridge_came;      /* the bridge is there (again), and the interface is in none */
	bool namespace_gone;   /* its name was deleted, or the process has ended */
	bool underlay_changed; /* an address, link or route that is not the own interface's */
	bool own_is_up;
	unsigned int own_mtu;
	unsigned int own_master;
	char own_name[IFNAMSIZ];
};

/*!
 * Starts watching. The interface as it is now is what later changes are compared with.
 * Open it when the interface is set up: 130,000 own routes are 130,000 events.
 * \param namespace    where the interface is; NULL: here. It must stay while this is open.
 * \param own_ifindex  the link's interface
 * \return 0; -ENODEV when there is no such interface; what netns_call() returns; another negative
 *         errno
 */
int monitor_open(struct monitor *monitor, const char *namespace, unsigned int own_ifindex);

/*! Stops watching. */
void monitor_close(struct monitor *monitor);

/*! The non-blocking descriptor, for a loop that waits for it to be readable; -1 when closed. */
int monitor_fd(const struct monitor *monitor);

/*!
 * Reads what has happened; never blocks. A change that was undone before the read is no change.
 * \param facts  overwritten
 * \return 0, or a negative errno: the socket is of no more use
 */
int monitor_read(struct monitor *monitor, struct monitor_facts *facts);

#endif
