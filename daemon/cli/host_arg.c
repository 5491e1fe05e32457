/* HOST[:PORT]; see host_arg.h. */
#include "daemon/cli/host_arg.h"

#include <stdio.h>
#include <string.h>

/* Whether a port follows the host: "[2001:db8::1]" has colons, and none. */
static bool names_port(const char *text)
{
	const char *bracket = text[0] == '[' ? strchr(text, ']') : NULL;

	return strchr(bracket != NULL ? bracket : text, ':') != NULL;
}

/* Multicast, broadcast, and the address that means all or none. */
static bool is_one_host(const union netaddr *addr)
{
	if (addr->sa.sa_family == AF_INET) {
		uint32_t ip = ntohl(addr->in4.sin_addr.s_addr);

		return ip != INADDR_ANY && ip != INADDR_BROADCAST && !IN_MULTICAST(ip);
	}
	if (addr->sa.sa_family == AF_INET6)
		return !IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr) &&
		       !IN6_IS_ADDR_MULTICAST(&addr->in6.sin6_addr);
	return true;
}

bool host_arg_parse(const char *text, uint16_t port, struct endpoint_spec *ret, const char **reason)
{
	char whole[HOST_ARG_TEXT_MAX + 1];
	struct endpoint_spec spec;
	int len;

	if (text[0] == '\0') {
		*reason = "is empty";
		return false;
	}
	if (text[0] != '[' && strchr(text, ':') != strrchr(text, ':')) {
		*reason = "has an IPv6 address without brackets; it is written [address] or "
			  "[address]:port";
		return false;
	}
	if (port != 0 && !names_port(text))
		len = snprintf(whole, sizeof(whole), "%s:%u", text, port);
	else
		len = snprintf(whole, sizeof(whole), "%s", text);
	if (len < 0 || (size_t)len >= sizeof(whole)) {
		*reason = "has a host name of more than 253 characters";
		return false;
	}
	if (!endpoint_spec_parse(whole, &spec, reason))
		return false;
	if (!is_one_host(&spec.literal)) {
		*reason =
			"is a multicast, broadcast or unspecified address; it must be the address "
			"of one host";
		return false;
	}
	*ret = spec;
	return true;
}

const char *host_arg_format(const struct endpoint_spec *spec, char buf[static HOST_ARG_TEXT_MAX])
{
	bool is_ipv6 = strchr(spec->host, ':') != NULL;

	snprintf(buf, HOST_ARG_TEXT_MAX, is_ipv6 ? "[%s]:%u" : "%s:%u", spec->host, spec->port);
	return buf;
}
