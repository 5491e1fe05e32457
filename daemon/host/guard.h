/*
 * The part of a full tunnel that lives in the packet filter: one table of nftables for each link.
 *
 * What it is for. A neighbour on the underlay may send packets to the tunnel's own address, and
 * learn from the answers which connections there are (CVE-2019-14899): such packets are dropped
 * unless they come out of the tunnel or from this host itself. And the peer's answers to vpnd's
 * marked packets must carry the mark when the kernel checks the way back to their source
 * (rp_filter with src_valid_mark): connection tracking remembers it.
 *
 * A table is called "vpnd-LINK", is changed as a whole and vanishes as a whole. Rules touch only
 * packets with the link's own mark or to its own addresses, so that links and the administrator's
 * own tables do not disturb each other.
 */
#ifndef DAEMON_HOST_GUARD_H
#define DAEMON_HOST_GUARD_H

#include <net/if.h>

#include "conf/model.h"
#include "daemon/host/netlink.h"

/* Longest name of a table: "vpnd-", a link's name, and a NUL. */
#define GUARD_NAME_MAX (IFNAMSIZ + 5)

/*!
 * Makes the table, or replaces it in one step by what is wanted now.
 * \param nf         from netlink_open_netfilter()
 * \param link       the link's name
 * \param ifindex    its interface
 * \param mark       on vpnd's own packets
 * \param addresses  of the interface
 * \return 0; -EOPNOTSUPP or -ENOENT: the kernel lacks nftables or one of the parts needed; -EPERM:
 *         CAP_NET_ADMIN is missing; -ENOMEM; another negative errno. After a failure the table is
 *         as before.
 */
int guard_set(struct netlink *nf, const char *link, unsigned int ifindex, uint32_t mark,
	      const struct conf_prefixes *addresses);

/*! Deletes the table; 0 also when there is none. */
int guard_remove(struct netlink *nf, const char *link);

#endif
