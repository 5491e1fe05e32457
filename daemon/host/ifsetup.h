/*
 * Makes an interface that exists what the link file says: MTU, addresses, up, routes.
 *
 * The order is the kernel's: the MTU first, because an interface below 1,280 bytes gets no IPv6;
 * addresses before up, so that the interface never carries a packet without its address; routes
 * last, because they need an interface that is up. There is no undo: all of it belongs to the
 * interface, and vanishes with the descriptor that holds it.
 */
#ifndef DAEMON_HOST_IFSETUP_H
#define DAEMON_HOST_IFSETUP_H

#include <stdbool.h>

#include "common/defs.h"
#include "conf/model.h"
#include "daemon/host/nl.h"

/* Expected answers of ifsetup_apply(): the file asks for what this build cannot do. */
enum ifsetup_answer {
	IFSETUP_NEEDS_POLICY = 1, /* a default route with Table = auto needs policy routing */
	IFSETUP_NEEDS_TABLE = 2,  /* Table is neither auto nor off */
};

enum ifsetup_step { IFSETUP_MTU, IFSETUP_LINK_LOCAL, IFSETUP_ADDRESS, IFSETUP_UP, IFSETUP_ROUTE };

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
 * already. A prefix that the main table routes elsewhere is an error and not overridden.
 * \param nl       from netlink_open()
 * \param conf     what is wanted; its name is used in texts only
 * \param ifindex  the interface
 * \param mtu      inner MTU in bytes
 * \param failure  filled unless the result is 0
 * \return 0; an `enum ifsetup_answer`, and then nothing was changed; -EEXIST: a route is taken;
 *         -EPERM: CAP_NET_ADMIN is missing; -ENODEV: the interface is gone; another negative
 *         errno
 */
int ifsetup_apply(struct netlink *nl, const struct conf_link *conf, unsigned int ifindex,
		  unsigned int mtu, struct ifsetup_failure *failure);

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
