/*
 * Policy routing for a full tunnel: AllowedIPs = 0.0.0.0/0 or ::/0 with Table = auto.
 *
 * How it works. The default route goes into a table of its own, and three rules for each IP
 * version decide who sees it, in this order:
 *
 *   P    packets with the mark N     go on behind all rules of all links: vpnd's own never loop
 *   P+1  everybody                   table main, but default routes there do not count
 *   P+2  packets without the mark N  table N, whose only route is the default one into the link
 *
 * N is the mark on vpnd's socket and the number of the table, as with wg-quick. All rules bear
 * vpnd's protocol number, and the P of two links never meet: a link that starts later stands in
 * front, so that it carries the others' packets, and no two can carry each other's. Rule P is
 * made with "exclusive" for both versions whichever is tunnelled: who makes it owns N and P.
 *
 * As long as the interface is up, nothing that main does not know a specific route for leaves this
 * host but through the link, whether its peer answers or not.
 */
#ifndef DAEMON_HOST_POLICY_H
#define DAEMON_HOST_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/model.h"
#include "daemon/host/nl.h"

/* Of our rules, as `ip rule` shows it: a number that rtnetlink.h gives to nobody. */
#define POLICY_PROTOCOL 118

/* Where marks that nobody chose begin; wg-quick begins there, too. */
#define POLICY_MARK_FIRST 51820

/* Expected answers of policy_claim(). */
enum policy_answer {
	POLICY_TAKEN = 1, /* the FwMark of the link file is another link's */
	POLICY_FULL,      /* no free number: a thousand full tunnels, or somebody else's rules */
};

/* What a link owns. All zero: nothing. */
struct policy {
	uint32_t mark;     /* and the table */
	uint32_t priority; /* of the first rule */
};

/*! Whether the link file asks for a default route that needs rules; in a namespace of its own it
 * does not, because vpnd's socket is elsewhere. */
bool policy_is_needed(const struct conf_link *conf);

/*!
 * Takes a mark and a place among the rules. The mark is FwMark; without one the ListenPort; when
 * that is in use, the first number from POLICY_MARK_FIRST of which no rule and no table knows.
 * \param policy  what the link owned before a restart, to be taken again, or all zero; written on
 *                success
 * \return 0; an `enum policy_answer`; -EPERM: CAP_NET_ADMIN is missing; -EOPNOTSUPP: the kernel has
 *         no policy routing; another negative errno
 */
int policy_claim(struct netlink *nl, const struct conf_link *conf, struct policy *policy);

/*!
 * Makes the default routes and the rules that the link file wants, and takes away those that it no
 * longer wants; so it serves for reloads too. The interface must be up.
 * \param policy   from policy_claim()
 * \param failure  filled for NL_ROUTE_TAKEN
 * \return 0; NL_ROUTE_TAKEN: the table has a default route through another interface;
 * -EAFNOSUPPORT: the kernel lacks IPv6; another negative errno
 */
int policy_apply(struct netlink *nl, const struct conf_link *conf, unsigned int ifindex,
		 const struct policy *policy, struct nl_route_failure *failure);

/*!
 * Deletes the rules; the route vanishes with the interface. What is gone already is fine.
 * \return 0 or the first negative errno; the other rules have been tried all the same
 */
int policy_remove(struct netlink *nl, const struct policy *policy);

/*!
 * Whether other links of this host have rules.
 * \param ret  written on success only
 */
int policy_has_others(struct netlink *nl, const struct policy *policy, bool *ret);

#endif
