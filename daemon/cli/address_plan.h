/*
 * Which addresses the two ends of a link get inside it.
 */
#ifndef CLI_ADDRESS_PLAN_H
#define CLI_ADDRESS_PLAN_H

#include <stdbool.h>

#include "common/netaddr.h"

/* One network and the two addresses out of it, with the network's length. */
struct address_plan {
	struct prefix here;
	struct prefix there;
};

/*!
 * A network that nobody else has: fd00::/8, 40 random bits, subnet 0 (RFC 4193 section 3.2).
 * \return a /64
 */
struct prefix address_plan_random(void);

/*!
 * Gives the first two usable addresses of a network to this host and to the far end, in this
 * order. Of a network with room for more, the first address names the network (IPv4) or any router
 * (IPv6, RFC 4291 section 2.6.1) and is left out; /31 (RFC 3021) and /127 (RFC 6164) use both.
 * \param net     without bits behind its length
 * \param ret     written on success only
 * \param reason  on failure a static sentence fragment, for example "has no room for two addresses"
 */
must_check bool address_plan_make(const struct prefix *net, struct address_plan *ret,
				  const char **reason);

#endif
