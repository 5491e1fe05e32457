/*
 * Where the peer was when the process before ended: a page that the service manager keeps with
 * interface and sockets (keep.h).
 *
 * An end whose file has no Endpoint learns from the peer's packets where it is. After a restart it
 * would know nothing, and its packets would wait until the peer notices, which takes 15 seconds.
 * With the page it makes its one handshake at once. An address is no secret, and a wrong one costs
 * an initiation: whoever answers must have the peer's key.
 *
 * The page has a name that stands for the peer's key and its Endpoint entries: an address that was
 * learned under another file is of no use.
 */
#ifndef CORE_LAST_SEEN_H
#define CORE_LAST_SEEN_H

#include "common/defs.h"
#include "conf/model.h"
#include "daemon/core/keep.h"

/* Start with LAST_SEEN_NULL. */
struct last_seen {
	int fd; /* of memfd_create(2); -1: there is no page */
	char name[KEEP_NAME_MAX];
	union netaddr noted; /* what is on the page */
};

#define LAST_SEEN_NULL                                                                             \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/*!
 * Takes the page that the process before has left. To be called before keep_take(), which gives
 * back what nobody has taken.
 * \param ret  set to the peer's address when there is one
 * \return whether there is
 */
must_check bool last_seen_take(struct last_seen *seen, const struct conf_link *conf,
			       union netaddr *ret);

/*!
 * Leaves the page to the next process, from now on; makes it if there is none. Without a service
 * manager nothing happens. To be called again when a reload has changed key or Endpoint.
 * \return 0 or a negative errno: after a restart the peer has to be heard first
 */
int last_seen_leave(struct last_seen *seen, const struct conf_link *conf);

/*! The peer is there; nothing happens when that is known. */
void last_seen_note(struct last_seen *seen, const union netaddr *remote);

/*! Closes it here; safe twice. */
void last_seen_close(struct last_seen *seen);

#endif
