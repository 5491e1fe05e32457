/*
 * What vpnd asks of the kernel's network tables, one file for each kind of request: nl_link.c,
 * nl_bridge.c, nl_addr.c, nl_conf.c, nl_route.c, nl_rule.c, and nl_event.c for what the kernel
 * tells unasked.
 *
 * Every function needs an open socket from netlink_open() unless it says otherwise, and returns
 * 0 or the kernel's negative errno: -EPERM when CAP_NET_ADMIN is missing (reading needs no
 * right), -ENODEV when there is no such interface. Interfaces are named by index, because a name
 * may change under us.
 */
#ifndef DAEMON_HOST_NL_H
#define DAEMON_HOST_NL_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/netaddr.h"
#include "daemon/host/netlink.h"

/* What is known about an interface. */
struct nl_link {
	unsigned int ifindex;
	unsigned int mtu;    /* bytes */
	unsigned int master; /* the interface that it is a port of; 0: none */
	bool is_up;          /* switched on by an administrator, whatever its carrier */
	bool is_bridge;
	char name[IFNAMSIZ]; /* with a NUL */
};

/*! Describes the interface of that index. */
int nl_link_get(struct netlink *nl, unsigned int ifindex, struct nl_link *ret);

/*!
 * Finds the index of a name.
 * \param name  1 to 15 characters; -EINVAL for any other length
 * \param ret   written on success only
 */
int nl_link_index(struct netlink *nl, const char *name, unsigned int *ret);

/*! Sets the MTU in bytes; -EINVAL when the device cannot carry that. */
int nl_link_set_mtu(struct netlink *nl, unsigned int ifindex, unsigned int mtu);

/*! Switches the interface on. */
int nl_link_set_up(struct netlink *nl, unsigned int ifindex);

/*!
 * Keeps the kernel from giving the interface a link-local IPv6 address of its own invention.
 * Otherwise an idle tunnel carries router solicitations from an address that no AllowedIPs names;
 * the kernel's WireGuard driver does the same (drivers/net/wireguard/device.c, wg_open).
 * \return 0 also when the kernel or the interface has no IPv6
 */
int nl_link_no_link_local(struct netlink *nl, unsigned int ifindex);

/*!
 * Asks for the state of an interface without waiting: the answer arrives as an event, either
 * NL_EVENT_LINK or NL_EVENT_REFUSED. For a socket from netlink_open_events().
 */
int nl_link_ask(struct netlink *nl, unsigned int ifindex);

/*!
 * Makes an interface a port of a bridge, or of nothing.
 * \param master  the bridge; 0: none
 * \return 0; -EOPNOTSUPP or -EINVAL when the two do not go together; -ENODEV
 */
int nl_bridge_join(struct netlink *nl, unsigned int ifindex, unsigned int master);

/*!
 * Makes a bridge, still switched off.
 * \param name  1 to 15 characters
 * \return 0; -EEXIST when there is an interface of that name; -EOPNOTSUPP: the kernel has no
 * bridges
 */
int nl_bridge_add(struct netlink *nl, const char *name);

/*! Deletes a bridge, and with it the membership of its ports. */
int nl_bridge_del(struct netlink *nl, unsigned int ifindex);

/*!
 * Counts the ports of a bridge.
 * \param ret  written on success only
 */
int nl_bridge_ports(struct netlink *nl, unsigned int ifindex, size_t *ret);

/*!
 * Adds an address with its prefix length.
 * \param address   host bits are the address
 * \param is_alone  nobody else can have it, as on a point-to-point link: an IPv6 address skips
 *                  duplicate address detection (RFC 4862 section 5.4) and is usable at once
 * \return 0; -EEXIST when the interface has it already; -EACCES when IPv6 is switched off for the
 *         interface; -EADDRNOTAVAIL for an address that no interface can have
 */
int nl_addr_add(struct netlink *nl, unsigned int ifindex, const struct prefix *address,
		bool is_alone);

/*!
 * Deletes an address. The kernel deletes with it the route to its subnet, and further IPv4
 * addresses of the same subnet unless net.ipv4.conf.*.promote_secondaries is set.
 * \param address  as it was added, prefix length included
 * \return 0; -EADDRNOTAVAIL when the interface does not have it
 */
int nl_addr_del(struct netlink *nl, unsigned int ifindex, const struct prefix *address);

/* Answers of nl_route_add(). */
enum nl_route_answer {
	NL_ROUTE_TAKEN = 1, /* the table has that prefix already, and not through our interface */
};

/* Which route could not be added. */
struct nl_route_failure {
	struct prefix prefix;
	unsigned int ifindex; /* NL_ROUTE_TAKEN: whose it is; 0 when it is nobody's (blackhole) */
};

/* RT_TABLE_MAIN, without <linux/rtnetlink.h>. */
#define NL_ROUTE_TABLE_MAIN 254

/*!
 * Adds routes through an interface, longest prefix first, many for each system call. A route that
 * the interface has already, for example from its own address, counts as added.
 * \param ifindex   the interface
 * \param table     routing table
 * \param prefixes  masked; sorted in place, and the order afterwards is the order of work
 * \param n         number of them
 * \param failure   filled when the result is not 0
 * \return 0; NL_ROUTE_TAKEN; a negative errno. After a failure the routes in front of it exist;
 *         they vanish with the interface.
 */
int nl_route_add(struct netlink *nl, unsigned int ifindex, uint32_t table, struct prefix *prefixes,
		 size_t n, struct nl_route_failure *failure);

/*!
 * Deletes routes through an interface, many for each system call. Only such as nl_route_add() makes
 * are meant: the kernel's own to a subnet stay. One that is not there is fine.
 * \param prefixes  masked
 * \return 0 or a negative errno; after that, some routes may be left
 */
int nl_route_del(struct netlink *nl, unsigned int ifindex, uint32_t table,
		 const struct prefix *prefixes, size_t n);

/*!
 * Whether a routing table has a route of IPv4 or IPv6.
 * \param ret  written on success only
 */
int nl_route_table_used(struct netlink *nl, uint32_t table, bool *ret);

/* A rule of policy routing, ip-rule(8). Selects by mark only: vpnd has no use for more. */
struct nl_rule {
	uint8_t family;    /* AF_INET or AF_INET6 */
	uint8_t protocol;  /* who made it, like a route's */
	bool is_not;       /* for all packets but those with the mark */
	uint32_t priority; /* smaller comes first */
	uint32_t mark;     /* 0: whatever the mark */
	uint32_t table;    /* where to look the destination up; 0: go to another rule */
	uint32_t target;   /* the priority to go on from, behind this one, when table is 0 */
	int suppress_len;  /* results of up to this prefix length do not count; -1: all count */
};

/*!
 * Adds a rule.
 * \return 0; -EEXIST when there is one like it; -EAFNOSUPPORT or -EOPNOTSUPP when the kernel
 *         does not have the protocol or no policy routing
 */
int nl_rule_add(struct netlink *nl, const struct nl_rule *rule);

/*! Deletes the rule that agrees in everything; -ENOENT when there is none. */
int nl_rule_del(struct netlink *nl, const struct nl_rule *rule);

/* Gets one rule; `context` as given. */
typedef void (*nl_rule_reader)(const struct nl_rule *rule, void *context);

/*!
 * Reads all rules of a family, in order.
 * \return 0, also where the kernel has no policy routing for it; a negative errno
 */
int nl_rule_list(struct netlink *nl, int family, nl_rule_reader reader, void *context);

/* How packets to a destination leave this host. */
struct nl_path {
	unsigned int ifindex;
	unsigned int mtu; /* bytes: smallest of the interface's, the route's, and a learned one */
};

/*!
 * Asks which way a packet would take, and how much may be in it.
 * \param destination  IPv4 or IPv6; the scope of a link-local one is honoured
 * \param fwmark       mark that the packet would carry; 0: none
 * \param ret          written on success only
 * \return 0; -ENETUNREACH or -EHOSTUNREACH without a route; -EAFNOSUPPORT for anything but IPv4
 *         and IPv6
 */
int nl_path_get(struct netlink *nl, const union netaddr *destination, uint32_t fwmark,
		struct nl_path *ret);

/*!
 * The same with one question instead of two, for which the kernel takes none of its great locks.
 * \param ret  its `mtu` is the route's alone; 0: that has none
 */
int nl_route_get(struct netlink *nl, const union netaddr *destination, uint32_t fwmark,
		 struct nl_path *ret);

/* Pseudo interfaces of struct nl_conf. */
enum nl_conf_ifindex {
	NL_CONF_ALL = -1,     /* the host as a whole */
	NL_CONF_DEFAULT = -2, /* what interfaces begin with that are made later */
};

/* How an interface treats packets of one IP version: a part of net.ipv4.conf or net.ipv6.conf. */
struct nl_conf {
	int ifindex;
	bool is_forwarding;
};

/* Gets one interface; `context` as given. */
typedef void (*nl_conf_reader)(const struct nl_conf *conf, void *context);

/*!
 * Reads the settings of all interfaces, and of the two pseudo interfaces. Needs no /proc.
 * \param family  AF_INET or AF_INET6
 * \param reader  may be called twice for the same interface, when one came or went meanwhile
 * \return 0, also where the kernel does not have that version; a negative errno
 */
int nl_conf_list(struct netlink *nl, int family, nl_conf_reader reader, void *context);

/*! Switches forwarding of IPv4 packets that come in by an interface. Needs no /proc; there is no
 * such way for IPv6. */
int nl_conf_set_forwarding(struct netlink *nl, unsigned int ifindex, bool is_on);

enum nl_event_kind {
	NL_EVENT_OTHER,      /* nothing that vpnd cares about */
	NL_EVENT_LINK,       /* an interface is new or has changed; `link` says how it is now */
	NL_EVENT_LINK_GONE,  /* an interface was deleted */
	NL_EVENT_LINK_MOVED, /* an interface went to another network namespace */
	NL_EVENT_ADDRESS,    /* an address came or went */
	NL_EVENT_ROUTE,      /* a route came or went */
	NL_EVENT_REFUSED,    /* the answer to nl_link_ask() is `error` */
};

/* One thing that the kernel told. */
struct nl_event {
	enum nl_event_kind kind;
	unsigned int ifindex; /* of the interface concerned; 0: several, or none */
	int error;            /* NL_EVENT_REFUSED: negative errno */
	struct nl_link link;  /* NL_EVENT_LINK only */
};

/*! Understands one message of an event socket; anything odd becomes NL_EVENT_OTHER. */
void nl_event_parse(const struct nlmsghdr *message, struct nl_event *ret);

/*! Understands an RTM_NEWLINK message; false when it does not name and measure an interface. */
must_check bool nl_link_parse(const struct nlmsghdr *message, struct nl_link *ret);

#endif
