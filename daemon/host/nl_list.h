/*
 * What interfaces have, read as a whole: for looking at a link from outside. nl.h tells how such
 * functions behave.
 */
#ifndef DAEMON_HOST_NL_LIST_H
#define DAEMON_HOST_NL_LIST_H

#include <stddef.h>

#include "common/netaddr.h"
#include "daemon/host/netlink.h"

/*!
 * Reads the addresses of an interface, with their prefix lengths, both families.
 * \param ifindex  the interface; 0: all but the loopback device's
 * \param ret      up to `max` of them, host bits kept
 * \param ret_n    how many there are; may be more than `max`
 * \return 0 or a negative errno
 */
must_check int nl_list_addresses(struct netlink *nl, unsigned int ifindex, struct prefix *ret,
				 size_t max, size_t *ret_n);

#endif
