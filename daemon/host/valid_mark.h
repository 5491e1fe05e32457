/*
 * net.ipv4.conf.all.src_valid_mark: whether the kernel asks for the way back to a packet's source
 * with the packet's mark. A full tunnel needs that where rp_filter is strict: without the mark the
 * way back to the peer is the tunnel, and the peer's packets are dropped.
 */
#ifndef DAEMON_HOST_VALID_MARK_H
#define DAEMON_HOST_VALID_MARK_H

#include <stdbool.h>

#include "daemon/host/netlink.h"

/* Expected answer of valid_mark_set(). */
enum valid_mark_answer {
	VALID_MARK_WAS_SET = 1, /* nothing was changed */
};

/*!
 * Sets it for this network namespace.
 * \return 0: it was changed; VALID_MARK_WAS_SET; a negative errno where the file cannot be written,
 *         for example in a sandbox (-EROFS, -ENOENT, -EACCES)
 */
int valid_mark_set(void);

/*! Clears it; 0 or a negative errno as above. */
int valid_mark_reset(void);

/*!
 * Whether any interface checks sources strictly (rp_filter 1), asked by netlink, which works in a
 * sandbox too.
 * \param ret  written on success only
 */
int valid_mark_is_needed(struct netlink *nl, bool *ret);

#endif
