/*
 * A link's table of the packet filter as a whole: made, replaced and removed in one step each, with
 * the parts that guard.c and nat.c write.
 *
 * The table is called "vpnd-LINK". A kernel may lack what one part needs and have what another
 * needs, so a part that is refused does not take the others with it.
 */
#ifndef DAEMON_HOST_FILTER_H
#define DAEMON_HOST_FILTER_H

#include "conf/model.h"
#include "daemon/host/netlink.h"

enum filter_part {
	FILTER_GUARD = 1 << 0,
	FILTER_MASQUERADE = 1 << 1,
	FILTER_CLAMP = 1 << 2,
};

/* What the table is made from. */
struct filter {
	const char *link;             /* its name */
	unsigned int ifindex;         /* its interface */
	const struct conf_link *conf; /* addresses, Masquerade, MssClamp */
	uint32_t mark;                /* FILTER_GUARD: on vpnd's own packets */
	unsigned int parts;           /* of enum filter_part; 0: there is to be no table */
};

/*!
 * Opens netfilter where a link's interface is.
 * \param namespace  as in the link file, or NULL
 * \return 0; -EPROTONOSUPPORT: the kernel has no netfilter; the errors of netns_call()
 */
int filter_open(const char *namespace, struct netlink *nf);

/*!
 * Makes the table, or replaces it by what is wanted now.
 * \param nf        from filter_open()
 * \param ret_made  the parts that are in the table now; written on success only
 * \return 0, also where the kernel lacks a part or all of them; -EPERM: CAP_NET_ADMIN is missing;
 *         -ENOMEM; another negative errno. After a failure the table is as before.
 */
int filter_set(struct netlink *nf, const struct filter *filter, unsigned int *ret_made);

/*! Deletes the table of a link; 0 also when there is none. */
int filter_remove(struct netlink *nf, const char *link);

#endif
