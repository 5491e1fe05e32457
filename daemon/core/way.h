/*
 * The way to an address, as the kernel's routing has it, remembered for a second.
 *
 * A peer may call from another address with every packet, by bad luck or on purpose; the kernel
 * is not asked for each.
 */
#ifndef CORE_WAY_H
#define CORE_WAY_H

#include <stdbool.h>

#include "common/nsec.h"
#include "daemon/host/nl.h"

#define WAYS_REMEMBERED 4

struct way {
	union netaddr remote;
	nsec_t until; /* 0: an empty place */
	bool is_known;
	struct nl_path path;
};

struct ways {
	struct netlink *nl; /* open; not owned */
	uint32_t fwmark;
	struct way answers[WAYS_REMEMBERED];
	size_t oldest;
};

/*!
 * Asks for the way to `remote`.
 * \param ret  written when there is one
 * \return false without a route
 */
must_check bool way_ask(struct ways *ways, const union netaddr *remote, nsec_t now,
			struct nl_path *ret);

/*! Forgets what is remembered, because routes or addresses have changed. */
void way_forget(struct ways *ways);

#endif
