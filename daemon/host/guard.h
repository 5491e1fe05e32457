/*
 * The part of a full tunnel that lives in the packet filter.
 *
 * What it is for. A neighbour on the underlay may send packets to the tunnel's own address, and
 * learn from the answers which connections there are (CVE-2019-14899): such packets are dropped
 * unless they come out of the tunnel or from this host itself. And the peer's answers to vpnd's
 * marked packets must carry the mark when the kernel checks the way back to their source
 * (rp_filter with src_valid_mark): connection tracking remembers it.
 *
 * Rules touch only packets with the link's own mark or to its own addresses, so that links and the
 * administrator's own tables do not disturb each other.
 */
#ifndef DAEMON_HOST_GUARD_H
#define DAEMON_HOST_GUARD_H

#include "conf/model.h"
#include "daemon/host/nft.h"

/*!
 * Writes chains and rules into the link's table.
 * \param ifindex    its interface
 * \param mark       on vpnd's own packets
 * \param addresses  of the interface
 */
void guard_write(struct nft *nft, unsigned int ifindex, uint32_t mark,
		 const struct conf_prefixes *addresses);

#endif
