/*
 * Forwarding: whether this host hands packets on between a link and its other interfaces.
 *
 * What the kernel asks. For IPv4 it looks at the interface that a packet comes in by, and at
 * nothing else (net/ipv4/route.c, ip_route_input_slow): for both directions the link's interface
 * and those of the networks behind this host must forward. For IPv6 it looks at the host as a whole
 * (net/ipv6/ip6_output.c, ip6_forward).
 *
 * So for IPv4 each interface that does not forward yet is switched on by itself, which leaves
 * net.ipv4.ip_forward alone: that one would reset other settings (accept_redirects) on its way
 * back, and would hide from a program that wants it on for good that it is off. Interfaces that are
 * made later get it from net.ipv4.conf.default. For IPv6 it is net.ipv6.conf.all.forwarding, and an
 * interface that has taken its address and default route from a router's advertisements would not
 * take them any more: accept_ra 1 becomes 2 there, which means the same as 1 did before.
 *
 * That somebody else has switched IPv4 on for the whole host meanwhile shows in
 * net.ipv4.ip_forward. For IPv6 it shows in net.ipv6.conf.default, which every write to "all" sets
 * as well (net/ipv6/addrconf.c, addrconf_fixup_forwarding): that one is put back behind our own
 * write.
 *
 * Nothing is changed that is on already, and what was changed is in a list, so that exactly that is
 * changed back.
 */
#ifndef DAEMON_HOST_FORWARD_H
#define DAEMON_HOST_FORWARD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "conf/model.h"
#include "daemon/host/netlink.h"

/* Interfaces that one link may have switched on. */
#define FORWARD_ITEMS_MAX 256

/* Expected answer of forward_survey(). */
enum forward_answer {
	FORWARD_TOO_MANY = 1, /* more interfaces do not forward yet than the list can hold */
};

/* What was changed of one interface. */
struct forward_item {
	unsigned int ifindex; /* 0: what interfaces begin with that are made later */
	bool is_ipv4;         /* forwarding of IPv4 was off */
	bool is_ra;           /* accept_ra was 1 */
};

/* What was changed. All zero: nothing. */
struct forward {
	struct forward_item items[FORWARD_ITEMS_MAX];
	size_t n;
	bool is_ipv6; /* forwarding of IPv6 was off */
};

/* What could not be done; 0 or a negative errno each. */
struct forward_failure {
	int ipv4;
	int later; /* IPv4 of interfaces that are made later */
	int ipv6;
};

/*!
 * Adds to a list what has to be changed for a link, of the IP versions that it carries. Changes
 * nothing itself.
 * \param nl       in the namespace of the interface
 * \param conf     of the link
 * \param ifindex  of the link: it is in the list however many there are, and so is what interfaces
 *                 begin with that are made later
 * \param list     the link's own
 * \return 0; FORWARD_TOO_MANY: the list is full, and IPv6 is not in it, because an interface that
 *         was left out could lose its router; a negative errno
 */
int forward_survey(struct netlink *nl, const struct conf_link *conf, unsigned int ifindex,
		   struct forward *list);

/*!
 * Changes what is in a list.
 * \param namespace  of the interface, or NULL
 * \param list       noted already; loses what could not be changed
 * \param failure    filled
 */
void forward_apply(struct netlink *nl, const char *namespace, struct forward *list,
		   struct forward_failure *failure);

/*!
 * Changes it back. What is another way again, or not there any more, is left alone; so is a
 * version that somebody has switched on for the whole host meanwhile.
 * \return 0 or the first negative errno; the rest has been tried all the same
 */
int forward_undo(struct netlink *nl, const char *namespace, const struct forward *list);

/*! Adds what is in another list. \return 0 or -E2BIG */
int forward_add(struct forward *list, const struct forward *other);

/*! Takes out what is in another list. */
void forward_subtract(struct forward *list, const struct forward *other);

/*! Adds to the entry of an interface, or makes one. \return 0 or -E2BIG */
int forward_note(struct forward *list, unsigned int ifindex, bool is_ipv4, bool is_ra);

/*! Whether there is nothing in a list. */
static inline bool forward_is_empty(const struct forward *list)
{
	return list->n == 0 && !list->is_ipv6;
}

#endif
