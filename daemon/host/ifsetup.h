/*
 * Makes an interface that exists what the link file says: MTU, addresses, bridge, up, routes.
 *
 * The order is the kernel's: the MTU first, because an interface below 1,280 bytes gets no IPv6;
 * addresses before up, so that the interface never carries a packet without its address; routes
 * last, because they need an interface that is up. There is no undo: all of it belongs to the
 * interface, and vanishes with the descriptor that holds it. What does not is netup.h's.
 */
#ifndef DAEMON_HOST_IFSETUP_H
#define DAEMON_HOST_IFSETUP_H

#include <stdbool.h>

#include "common/defs.h"
#include "conf/model.h"
#include "daemon/host/nl.h"

/* Expected answers of ifsetup_apply() and ifsetup_change(). */
enum ifsetup_answer {
	IFSETUP_NEEDS_POLICY = 1, /* done but for the default routes: netup_start() makes them */
	IFSETUP_NEEDS_TABLE = 2,  /* nothing was done: no routing table has the name in Table */
};

enum ifsetup_step {
	IFSETUP_MTU,
	IFSETUP_LINK_LOCAL,
	IFSETUP_BRIDGE,
	IFSETUP_BRIDGE_LEFT,
	IFSETUP_ADDRESS,
	IFSETUP_UP,
	IFSETUP_ROUTE,
	IFSETUP_ADDRESS_GONE,
	IFSETUP_ROUTE_GONE,
};

/* What went wrong, and where. */
struct ifsetup_failure {
	enum ifsetup_step step;
	struct prefix prefix; /* IFSETUP_ADDRESS and IFSETUP_ROUTE */
	char text[256];       /* "cannot add the address 192.0.2.1/24: REASON", no full stop */
};

/*!
 * Sets an interface up. Addresses and routes that it has already are fine, so that it may be
 * applied again.
 *
 * With Table = auto every AllowedIPs prefix becomes a route in the main table, longest first,
 * but for those inside a prefix of the interface's own addresses: the kernel has made that route
 * already. Default routes are left to netup_start(), unless the interface is in a namespace of its
 * own, where they are routes like others. With another Table, all prefixes go there. A prefix that
 * the table routes elsewhere is an error and not overridden. The bridge must be there:
 * netup_claim() sees to that.
 * \param nl       from netns_open_netlink(): in the namespace of the interface
 * \param conf     what is wanted; its name is used in texts only
 * \param ifindex  the interface
 * \param mtu      inner MTU in bytes
 * \param failure  filled unless the result is 0 or IFSETUP_NEEDS_POLICY
 * \return 0; an `enum ifsetup_answer`; -EEXIST: a route is taken; -EPERM: CAP_NET_ADMIN is missing;
 *         -ENODEV: the interface is gone; another negative errno
 */
int ifsetup_apply(struct netlink *nl, const struct conf_link *conf, unsigned int ifindex,
		  unsigned int mtu, struct ifsetup_failure *failure);

/*!
 * Changes addresses, routes and bridge of an interface from those of one file to those of another,
 * without switching it off. What both files have stays untouched; new addresses come before old
 * ones go. MTU and default routes with Table = auto are not its business.
 *
 * \param before   what was applied
 * \param after    what is wanted
 * \param failure  filled unless the result is 0 or IFSETUP_NEEDS_POLICY
 * \return as ifsetup_apply(). After a failure some changes have been made: applying the change the
 *         other way round, or the same again, is allowed.
 */
int ifsetup_change(struct netlink *nl, const struct conf_link *before,
		   const struct conf_link *after, unsigned int ifindex,
		   struct ifsetup_failure *failure);

/*!
 * Makes addresses and routes again on an interface that is up: the kernel drops all routes and the
 * IPv6 addresses when somebody switches the interface off. Joins the bridge again, if that was
 * deleted and made again; a bridge that is not there now is fine. What is there is fine, too.
 * \return as ifsetup_apply(); after IFSETUP_NEEDS_POLICY netup_start() restores the default routes
 */
int ifsetup_restore(struct netlink *nl, const struct conf_link *conf, unsigned int ifindex,
		    struct ifsetup_failure *failure);

/*!
 * The inner MTU that fits a path: what remains behind the outer headers (IPv4 20 or IPv6 40, UDP
 * 8, message header 16, tag 16), within the limits of both IPs. RFC 791, RFC 8200 section 5.
 * \param path_mtu      bytes, from nl_path_get()
 * \param outer_family  AF_INET or AF_INET6: of the endpoint
 * \param has_ipv6      whether the link has IPv6 addresses
 * \return bytes: 1280 (576 without IPv6 inside) to CONF_MTU_MAX
 */
unsigned int ifsetup_mtu_auto(unsigned int path_mtu, int outer_family, bool has_ipv6);

#endif
