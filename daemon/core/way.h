/*
 * The way to an address, as the kernel's routing has it, remembered for a second.
 *
 * A peer may call from another address with every packet, by bad luck or on purpose (whoever can
 * change packets on their way can change the address that they come from); rx, which stands still
 * meanwhile, does not ask the kernel for each. A few questions are free, then there is one in a
 * tenth of a second. Control asks once for a handshake, and is not limited.
 */
#ifndef CORE_WAY_H
#define CORE_WAY_H

#include <stdbool.h>

#include "common/nsec.h"
#include "daemon/host/nl.h"

#define WAYS_REMEMBERED 4
/* Questions without waiting, after a while without any. */
#define WAYS_BURST    8
#define WAYS_INTERVAL (NSEC_PER_SEC / 10)

struct way {
	union netaddr remote;
	nsec_t until; /* 0: an empty place */
	int error;    /* 0: there is a way */
	struct nl_path path;
};

struct ways {
	struct netlink *nl; /* open; not owned */
	bool is_of_rx; /* few questions, and without the MTU: it needs a lock of the kernel that
			* others may hold for long */
	uint32_t fwmark;
	struct way answers[WAYS_REMEMBERED];
	size_t oldest;
	nsec_t paid_until; /* each question pays for WAYS_INTERVAL */
};

/*!
 * Asks for the way to `remote`.
 * \param ret  written when there is one; without the MTU for rx
 * \return 0; -EAGAIN when rx may not ask now; another negative errno without a route
 */
must_check int way_ask(struct ways *ways, const union netaddr *remote, nsec_t now,
		       struct nl_path *ret);

/*! Forgets what is remembered, because routes or addresses have changed. */
void way_forget(struct ways *ways);

#endif
