/*
 * Watching a link's table of the packet filter: whether somebody else deletes it, as `nft flush
 * ruleset` does, which is how many a host loads its own firewall anew.
 *
 * The kernel tells each change of nftables in the order in which it was made (group
 * NFNLGRP_NFTABLES, net/netfilter/nf_tables_api.c, nf_tables_commit). So the last thing it has told
 * about the table says whether it is there, whoever has made or deleted it.
 */
#ifndef DAEMON_HOST_FILTER_WATCH_H
#define DAEMON_HOST_FILTER_WATCH_H

#include <stdbool.h>

#include "daemon/host/netlink.h"
#include "daemon/host/nft.h"

/* Start with FILTER_WATCH_NULL. */
struct filter_watch {
	struct netlink nf;
	char table[NFT_NAME_MAX];
	bool is_deleted; /* the last that was told about it */
};

#define FILTER_WATCH_NULL                                                                          \
	{                                                                                          \
		.nf = NETLINK_NULL                                                                 \
	}

/*!
 * Begins to watch; to be called before the table is made.
 * \param link       its name
 * \param namespace  where its interface is, or NULL
 * \return 0, also when it is being watched already; -EPROTONOSUPPORT: the kernel has no netfilter;
 *         -EPERM: CAP_NET_ADMIN is missing; the errors of netns_call()
 */
int filter_watch_open(struct filter_watch *watch, const char *link, const char *namespace);

/*! Stops watching. May be called at any time and twice. */
void filter_watch_close(struct filter_watch *watch);

/*! Readable when filter_watch_read() is to be called; -1: closed. */
static inline int filter_watch_fd(const struct filter_watch *watch)
{
	return netlink_fd(&watch->nf);
}

/*!
 * Reads what was told; never blocks.
 * \return whether the table is gone, or may be, because the kernel had more to tell than was read
 */
must_check bool filter_watch_read(struct filter_watch *watch);

#endif
