/*
 * The way to the peer: the UDP sockets, the path that works, and an answer for each error.
 *
 * The path is where the last authentic message came from, or, before there was one, an address
 * from the link file. It may have a local address pinned to it. Each loop has a wire of its own
 * over the same sockets, with a copy of the path that follows what the loops share (latest.h).
 */
#ifndef CORE_WIRE_H
#define CORE_WIRE_H

#include <stdbool.h>

#include "daemon/core/counters.h"
#include "daemon/core/latest.h"
#include "daemon/core/troubles.h"
#include "daemon/core/way.h"
#include "daemon/data/udp.h"

struct wire {
	struct udp udp;        /* the descriptors are control's */
	struct latest *latest; /* the link's */
	struct udp_path path;  /* as it was followed last */
	unsigned int path_version;
	bool is_way_stale;        /* the way to the peer may be another one, or narrower, now */
	bool refuses_runs;        /* the way to the peer has no use for runs (EIO) */
	union netaddr no_runs_to; /* of which that was said last */
	size_t narrow_len;   /* runs of datagrams of this length or more are too big for the path */
	nsec_t narrow_until; /* until then; paths change */
	struct ways *ways;   /* the loop's; of loops that roam */
	unsigned int own_ifindex;  /* the link's interface; of loops that roam */
	struct counters *counters; /* the loop's */
	struct troubles *troubles; /* the loop's */
};

/*! Whether there is somebody to send to. */
static inline bool wire_has_path(const struct wire *wire)
{
	return wire->path.remote.sa.sa_family != AF_UNSPEC;
}

/*!
 * Sends messages to the peer, in order. What the socket refuses for good is counted and skipped.
 * A run that the kernel does not cut up on this way goes out as single datagrams.
 * \param messages  of one that went out in part only what is left remains
 * \param n         1 to UDP_BATCH
 * \return how many were dealt with; less than `n` only when the socket is full
 */
size_t wire_send(struct wire *wire, struct udp_message *messages, size_t n, nsec_t now);

/*! Sends one handshake message along a path, or not at all when the socket is full. */
void wire_send_handshake(struct wire *wire, const struct udp_path *path, void *message, size_t len,
			 nsec_t now);

/*! Takes over the path that the loops share; a plain load when there is no news. */
static inline void wire_follow(struct wire *wire)
{
	latest_get_path(wire->latest, &wire->path_version, &wire->path);
}

/*! Sets the path, for all loops. */
void wire_set_path(struct wire *wire, const struct udp_path *path);

/*! Forgets the pinned local address: it may be the reason that nothing comes back. */
void wire_forget_source(struct wire *wire);

/*!
 * An authentic message came along `path`: that is where the peer is, unless the way there leads
 * through the link itself, or a later message came from elsewhere.
 * \param when  it came, boot time
 */
void wire_roam(struct wire *wire, const struct udp_path *path, nsec_t when);

/*! Reads the error queue of a socket and says what concerns the peer. */
void wire_read_errors(struct wire *wire, int fd, nsec_t now);

#endif
