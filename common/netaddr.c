/*
 * Addresses and prefixes; see netaddr.h.
 *
 * inet_pton() does the digits: glibc's takes no octal and no short forms. What it does not do is
 * here: ports, brackets, scopes, and the rule that a name whose last label is a number is not a
 * name but a mistyped IPv4 address, which getaddrinfo() would complete to something surprising
 * ("10.1" is 10.0.0.1 there).
 */
#include "common/netaddr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"

socklen_t netaddr_len(const union netaddr *addr)
{
	switch (addr->sa.sa_family) {
	case AF_INET:
		return sizeof(addr->in4);
	case AF_INET6:
		return sizeof(addr->in6);
	default:
		return 0;
	}
}

uint16_t netaddr_port(const union netaddr *addr)
{
	switch (addr->sa.sa_family) {
	case AF_INET:
		return ntohs(addr->in4.sin_port);
	case AF_INET6:
		return ntohs(addr->in6.sin6_port);
	default:
		return 0;
	}
}

bool netaddr_equal(const union netaddr *a, const union netaddr *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in4.sin_port == b->in4.sin_port &&
		       a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
	if (a->sa.sa_family == AF_INET6)
		return a->in6.sin6_port == b->in6.sin6_port &&
		       IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr) &&
		       (!IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr) ||
			a->in6.sin6_scope_id == b->in6.sin6_scope_id);
	return true;
}

const char *netaddr_format(const union netaddr *addr, char buf[static NETADDR_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN];

	if (addr->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &addr->in4.sin_addr, host, sizeof(host));
		snprintf(buf, NETADDR_TEXT_MAX, "%s:%u", host, netaddr_port(addr));
	} else if (addr->sa.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &addr->in6.sin6_addr, host, sizeof(host));
		if (addr->in6.sin6_scope_id != 0 && IN6_IS_ADDR_LINKLOCAL(&addr->in6.sin6_addr))
			snprintf(buf, NETADDR_TEXT_MAX, "[%s%%%u]:%u", host,
				 addr->in6.sin6_scope_id, netaddr_port(addr));
		else
			snprintf(buf, NETADDR_TEXT_MAX, "[%s]:%u", host, netaddr_port(addr));
	} else {
		snprintf(buf, NETADDR_TEXT_MAX, "(none)");
	}
	return buf;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_host_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
	       c == '_' || c == '-';
}

/* Whether the last label of a name is a number, decimal or hexadecimal: no top-level domain is
   one, but inet_aton() and so getaddrinfo() take such a name for an address. */
static bool ends_in_number(const char *name)
{
	size_t len = strlen(name);
	size_t start;
	uint64_t number;
	char label[HOST_NAME_LEN + 1];

	if (len > 0 && name[len - 1] == '.')
		len--;
	start = len;
	while (start > 0 && name[start - 1] != '.')
		start--;
	memcpy(label, name + start, len - start);
	label[len - start] = '\0';
	if (strspn(label, "0123456789") == strlen(label))
		return true;
	return parse_number(label, UINT64_MAX, &number);
}

static bool check_host_name(const char *name, const char **reason)
{
	for (const char *c = name; *c != '\0'; c++) {
		if (!is_host_char(*c)) {
			*reason = "has a host with other characters than letters, digits, \".\", "
				  "\"-\" and \"_\"";
			return false;
		}
	}
	if (name[0] == '.' || strstr(name, "..") != NULL) {
		*reason = "has a host name with an empty part";
		return false;
	}
	if (ends_in_number(name)) {
		*reason = "has an IPv4 address that is not four numbers from 0 to 255";
		return false;
	}
	return true;
}

/* "eth0" or "2" behind "%". An interface that does not exist yet is no mistake of the file: then
   the scope is 0 and the host stays text for the resolver. */
static bool parse_scope(const char *text, uint32_t *ret, const char **reason)
{
	uint64_t number;

	if (parse_decimal(text, UINT32_MAX, &number) && number != 0) {
		*ret = (uint32_t)number;
		return true;
	}
	if (text[0] == '\0' || strlen(text) >= IFNAMSIZ) {
		*reason = "has no interface name of 1 to 15 characters behind \"%\"";
		return false;
	}
	for (const char *c = text; *c != '\0'; c++) {
		if (!is_host_char(*c)) {
			*reason = "has an interface name with strange characters behind \"%\"";
			return false;
		}
	}
	*ret = if_nametoindex(text);
	return true;
}

/* The inside of "[...]": an IPv6 address, with "%interface" when it is link-local. */
static bool parse_ipv6_host(struct endpoint_spec *spec, const char **reason)
{
	char text[sizeof(spec->host)];
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(spec->port) };
	char *scope;

	memcpy(text, spec->host, sizeof(text));
	scope = strchr(text, '%');
	if (scope != NULL)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, text, &in6.sin6_addr) != 1) {
		*reason = "has no IPv6 address between \"[\" and \"]\"";
		return false;
	}
	if (scope != NULL) {
		if (!IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr)) {
			*reason = "has an interface behind \"%\", which only a link-local address "
				  "(fe80::) takes";
			return false;
		}
		if (!parse_scope(scope, &in6.sin6_scope_id, reason))
			return false;
		if (in6.sin6_scope_id == 0)
			return true;
	}
	if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
		spec->literal.in4.sin_family = AF_INET;
		spec->literal.in4.sin_port = in6.sin6_port;
		memcpy(&spec->literal.in4.sin_addr, in6.sin6_addr.s6_addr + 12, 4);
		return true;
	}
	spec->literal.in6 = in6;
	return true;
}

static bool parse_plain_host(struct endpoint_spec *spec, const char **reason)
{
	if (strchr(spec->host, ':') != NULL &&
	    strspn(spec->host, "0123456789ABCDEFabcdef:.") == strlen(spec->host)) {
		*reason = "has an IPv6 address without brackets; it is written [address]:port";
		return false;
	}
	if (inet_pton(AF_INET, spec->host, &spec->literal.in4.sin_addr) == 1) {
		spec->literal.in4.sin_family = AF_INET;
		spec->literal.in4.sin_port = htons(spec->port);
		return true;
	}
	return check_host_name(spec->host, reason);
}

bool endpoint_spec_parse(const char *text, struct endpoint_spec *ret, const char **reason)
{
	struct endpoint_spec spec;
	const char *colon = strrchr(text, ':');
	bool brackets = text[0] == '[';
	uint64_t port;
	size_t len;

	/* Every byte of it, so that two specs of the same text compare equal. */
	memset(&spec, 0, sizeof(spec));
	if (brackets && strchr(text, ']') == NULL) {
		*reason = "has no \"]\" behind the IPv6 address";
		return false;
	}
	if (colon == NULL || (brackets && colon < strchr(text, ']'))) {
		*reason = "has no port; it is written host:port or [IPv6 address]:port";
		return false;
	}
	if (!parse_decimal(colon + 1, UINT16_MAX, &port) || port == 0) {
		*reason = "has a port that is not a number from 1 to 65535";
		return false;
	}
	spec.port = (uint16_t)port;
	if (brackets && colon[-1] != ']') {
		*reason = "has something between \"]\" and the port; it is written "
			  "[IPv6 address]:port";
		return false;
	}
	text += brackets ? 1 : 0;
	len = (size_t)(colon - text) - (brackets ? 1 : 0);
	if (len == 0) {
		*reason = "has no host before the port";
		return false;
	}
	if (len > HOST_NAME_LEN) {
		*reason = "has a host name of more than 253 characters";
		return false;
	}
	memcpy(spec.host, text, len);
	if (!(brackets ? parse_ipv6_host(&spec, reason) : parse_plain_host(&spec, reason)))
		return false;
	*ret = spec;
	return true;
}

bool prefix_parse(const char *text, struct prefix *ret, const char **reason)
{
	struct prefix prefix = { .len = 0 };
	char addr[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	uint8_t max;
	uint64_t bits;

	*reason = "is not an IPv4 or IPv6 address with an optional /length";
	if (len >= sizeof(addr))
		return false;
	memcpy(addr, text, len);
	addr[len] = '\0';
	prefix.family = strchr(addr, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(prefix.family, addr, prefix.addr) != 1)
		return false;
	max = prefix.family == AF_INET ? 32 : 128;
	prefix.len = max;
	if (slash != NULL) {
		*reason = max == 32 ? "has a length behind \"/\" that is not a number from 0 to 32"
				    : "has a length behind \"/\" that is not a number from 0 to "
				      "128";
		if (!parse_decimal(slash + 1, max, &bits))
			return false;
		prefix.len = (uint8_t)bits;
	}
	*ret = prefix;
	return true;
}

size_t prefix_addr_len(int family)
{
	return family == AF_INET ? 4 : 16;
}

/* Which bits of byte `i` belong to the prefix. */
static uint8_t mask_byte(const struct prefix *prefix, size_t i)
{
	size_t bits = prefix->len > i * 8 ? prefix->len - i * 8 : 0;

	return (uint8_t)(0xff00U >> MIN(bits, 8));
}

bool prefix_has_host_bits(const struct prefix *prefix)
{
	for (size_t i = 0; i < prefix_addr_len(prefix->family); i++) {
		if ((prefix->addr[i] & ~mask_byte(prefix, i)) != 0)
			return true;
	}
	return false;
}

void prefix_mask(struct prefix *prefix)
{
	for (size_t i = 0; i < prefix_addr_len(prefix->family); i++)
		prefix->addr[i] &= mask_byte(prefix, i);
}

bool prefix_contains(const struct prefix *prefix, int family, const uint8_t *addr)
{
	if (family != prefix->family)
		return false;
	for (size_t i = 0; i < prefix_addr_len(family) && i * 8 < prefix->len; i++) {
		if (((prefix->addr[i] ^ addr[i]) & mask_byte(prefix, i)) != 0)
			return false;
	}
	return true;
}

const char *prefix_format(const struct prefix *prefix, char buf[static PREFIX_TEXT_MAX])
{
	char addr[INET6_ADDRSTRLEN];

	inet_ntop(prefix->family, prefix->addr, addr, sizeof(addr));
	snprintf(buf, PREFIX_TEXT_MAX, "%s/%u", addr, prefix->len);
	return buf;
}
