/*
 * What rx learns from a packet and tx must know before the answer to that packet comes to it:
 * where the peer is, that it has the keys of a new session, and of frames which station is behind
 * the link.
 *
 * The way through control would be too long: rx writes the packet to the interface, and the
 * kernel may answer it before control has run once. An answer along the old path, or with the old
 * key after the peer has restarted, would be lost. So these are shared. All are rare news, and
 * looking whether there is any is a plain load or a few.
 */
#ifndef CORE_LATEST_H
#define CORE_LATEST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "common/nsec.h"
#include "daemon/data/stations.h"
#include "daemon/data/udp.h"

struct latest {
	pthread_mutex_t lock;
	struct udp_path path;            /* under the lock; all three threads may change it */
	nsec_t learned_at;               /* the same; when the message came that the path is of */
	atomic_uint version;             /* of the path, grows with each change */
	atomic_uint_least64_t confirmed; /* serial of the keypair whose first packet came last */
	struct stations stations;        /* TAP only */
};

/*! Begins without a path. */
void latest_init(struct latest *latest);

/*! Ends the use of it by all threads. */
void latest_deinit(struct latest *latest);

/*! The peer may be there: a guess. */
void latest_set_path(struct latest *latest, const struct udp_path *path);

/*!
 * The peer is there: an authentic message has come from there. Of two messages the one counts that
 * came later, whichever was looked at first: rx opens data at once, handshake messages wait for
 * control.
 * \param when  it came, boot time
 * \return false when a later one came by another path; then nothing has changed
 */
must_check bool latest_learn_path(struct latest *latest, const struct udp_path *path, nsec_t when);

/*! The pinned local address is of no use, if the path still leads to `remote`. */
void latest_forget_source(struct latest *latest, const union netaddr *remote);

/*!
 * Follows the path.
 * \param version  of `path`; begins as 0
 * \param path     written when there is a newer one
 */
void latest_get_path(struct latest *latest, unsigned int *version, struct udp_path *path);

/*! rx: the first packet of a keypair came; to be called before it is written. */
static inline void latest_confirm(struct latest *latest, uint64_t serial)
{
	atomic_store_explicit(&latest->confirmed, serial, memory_order_release);
}

/*! tx: the keypair that was confirmed last; 0: none. */
static inline uint64_t latest_confirmed(const struct latest *latest)
{
	return atomic_load_explicit(&latest->confirmed, memory_order_acquire);
}

#endif
