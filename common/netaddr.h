/*
 * Addresses: sockets' ends, prefixes, and endpoints as administrators write them.
 *
 * Parsing is strict (no octal, no short forms, no trailing characters) and never asks a name
 * server; a host name stays text until daemon/host/resolver turns it into addresses.
 */
#ifndef COMMON_NETADDR_H
#define COMMON_NETADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

/* One end of a UDP exchange. `sa.sa_family` is AF_INET, AF_INET6, or AF_UNSPEC for "none". */
union netaddr {
	struct sockaddr sa;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

/* An address with a prefix length: the host bits are kept, so it serves for `Address` too. */
struct prefix {
	uint8_t family;   /* AF_INET or AF_INET6 */
	uint8_t len;      /* bits, 0 to 32 or 0 to 128 */
	uint8_t addr[16]; /* network order; IPv4 uses the first four bytes */
};

/* Longest text that netaddr_format() writes: "[address%interface]:port" and its NUL. */
#define NETADDR_TEXT_MAX 72
/* Longest text that prefix_format() writes. */
#define PREFIX_TEXT_MAX 52
/* Longest host name, RFC 1035 section 2.3.4. */
#define HOST_NAME_LEN 253

/* `Endpoint` as given: a literal address is parsed at once, a name is left for later. */
struct endpoint_spec {
	char host[HOST_NAME_LEN + 1]; /* name or literal without brackets */
	uint16_t port;                /* host order, 1 to 65535 */
	union netaddr literal;        /* AF_UNSPEC when `host` must be resolved: it is a name, or
					 its "%interface" does not exist yet */
};

/*! Size of the sockaddr for a system call: depends on the family, 0 for AF_UNSPEC. */
socklen_t netaddr_len(const union netaddr *addr);

/*! Port in host order; 0 for AF_UNSPEC. */
uint16_t netaddr_port(const union netaddr *addr);

/*! Whether family, address, port and (link-local only) scope are the same. */
bool netaddr_equal(const union netaddr *a, const union netaddr *b);

/*!
 * Writes "192.0.2.1:51820" or "[2001:db8::1]:51820" ("(none)" for AF_UNSPEC). The scope of a
 * link-local address is written as a number: to ask for the interface's name takes a socket,
 * which the process that formats most addresses cannot open.
 * \param buf  at least NETADDR_TEXT_MAX bytes
 * \return `buf`
 */
const char *netaddr_format(const union netaddr *addr, char buf[static NETADDR_TEXT_MAX]);

/*!
 * Parses "host:port" or "[v6]:port" (also "[fe80::1%eth0]:port"), split at the last colon.
 * The port is a number 1 to 65535. A host name has 1 to 253 characters from [A-Za-z0-9._-] and
 * its last label is no number. An IPv4-mapped IPv6 address becomes the IPv4 one.
 * \param text    NUL-terminated
 * \param ret     written on success only
 * \param reason  on failure a static sentence fragment, for example "has no port"
 */
must_check bool endpoint_spec_parse(const char *text, struct endpoint_spec *ret,
				    const char **reason);

/*!
 * Parses "address" or "address/length"; without a length the whole address counts.
 * \param text    NUL-terminated
 * \param ret     written on success only; host bits are kept
 * \param reason  on failure a static sentence fragment
 */
must_check bool prefix_parse(const char *text, struct prefix *ret, const char **reason);

/*! Bytes of `prefix.addr` that an address of a family has: AF_INET 4, AF_INET6 16. */
size_t prefix_addr_len(int family);

/*! Whether bits behind the prefix length are set. */
bool prefix_has_host_bits(const struct prefix *prefix);

/*! Clears the bits behind the prefix length. */
void prefix_mask(struct prefix *prefix);

/*! Whether `addr` (of `family`, network order, 4 or 16 bytes) lies inside `prefix`. */
bool prefix_contains(const struct prefix *prefix, int family, const uint8_t *addr);

/*!
 * Writes "192.0.2.0/24".
 * \param buf  at least PREFIX_TEXT_MAX bytes
 * \return `buf`
 */
const char *prefix_format(const struct prefix *prefix, char buf[static PREFIX_TEXT_MAX]);

#endif
