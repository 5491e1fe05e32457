/*
 * Network namespaces: finding the one that a link file names, and doing something inside.
 *
 * Only one thread can be in a namespace, and a thread that came back to the wrong one would be a
 * disaster for a router of secrets. So nothing here ever comes back: what is to be done inside is
 * done by a thread that is made for it, enters, does it, and ends. Sockets and interfaces that it
 * opens belong to the namespace for good, whoever uses them afterwards.
 *
 * Entering needs CAP_SYS_ADMIN (setns(2)); using what was opened inside needs no more than it
 * needs outside.
 *
 * What is open inside keeps a namespace alive, also one that nobody can reach any more. So the name
 * is watched as well, or the process whose namespace it is: when that is gone, the link's work is.
 */
#ifndef DAEMON_HOST_NETNS_H
#define DAEMON_HOST_NETNS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "daemon/host/netlink.h"

/* Where `ip netns` keeps names, ip-netns(8). */
#define NETNS_DIR "/run/netns"

/* Bytes of a text, with a NUL. */
#define NETNS_TEXT_MAX 512

/*!
 * Opens a namespace.
 * \param name  of a file in NETNS_DIR; or, when there is none, the number of a process
 * \return a descriptor, close-on-exec; -ENOENT: there is no such name and no such process; -EINVAL:
 *         the file is no network namespace; -EACCES: the process is another user's; another
 *         negative errno
 */
int netns_open(const char *name);

/*!
 * Calls a function inside of a namespace, and returns what it has returned.
 * \param name      as above; NULL: the function is just called
 * \param function  runs in a thread of its own with all signals blocked
 * \return its result; -EPERM: CAP_SYS_ADMIN is missing; the errors of netns_open(); another
 *         negative errno
 */
int netns_call(const char *name, int (*function)(void *context), void *context);

/*! netlink_open() inside of a namespace; NULL: in the caller's. \return as netns_call() */
int netns_open_netlink(const char *name, struct netlink *nl);

/*! netlink_open_events() inside of a namespace; NULL: in the caller's. \return as netns_call() */
int netns_open_events(const char *name, struct netlink *nl, const unsigned int *groups,
		      size_t n_groups);

/*! Whether a namespace has an interface of that name; false when it cannot be told. */
must_check bool netns_has_interface(const char *name, const char *interface);

/* Watches a name or a process. Start with NETNS_WATCH_NULL. */
struct netns_watch {
	int fd; /* -1: closed */
	bool is_process;
};

#define NETNS_WATCH_NULL                                                                           \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/*!
 * Starts watching whether a namespace can still be reached by its name, or whether the process is
 * still there. To be opened before the namespace is: a change in between is then seen.
 * \param watch  its fd is non-blocking, and readable when netns_watch_read() is to be called
 * \return 0 or a negative errno: it cannot be watched
 */
int netns_watch_open(struct netns_watch *watch, const char *name);

/*! Stops watching. May be called at any time and twice. */
void netns_watch_close(struct netns_watch *watch);

/*!
 * Reads what has happened; never blocks, and needs no look at any file.
 * \return whether the name was deleted, or the process has ended
 */
must_check bool netns_watch_read(const struct netns_watch *watch, const char *name);

/*!
 * Says why a namespace cannot be entered, and what to do about it.
 * \param error  from one of the functions above
 * \param text   a sentence without a full stop
 */
void netns_explain(const char *name, int error, char text[static NETNS_TEXT_MAX]);

#endif
