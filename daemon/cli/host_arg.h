/*
 * HOST[:PORT] as it stands on a command line: an endpoint whose port may be left out.
 */
#ifndef CLI_HOST_ARG_H
#define CLI_HOST_ARG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/netaddr.h"

/* The port that WireGuard's own documents use everywhere. */
#define HOST_ARG_PORT 51820

/* Longest text of host_arg_format(): brackets, colon, port and NUL. */
#define HOST_ARG_TEXT_MAX (HOST_NAME_LEN + 9)

/*!
 * Reads HOST or HOST:PORT. IPv6 addresses stand in brackets, because "2001:db8::1:51820" says
 * nothing about where the address ends. The address must be that of one host.
 * \param text    NUL-terminated
 * \param port    taken when the text names none; 0: then it must name one
 * \param ret     written on success only
 * \param reason  on failure a static sentence fragment, for example "has no host before the port"
 */
must_check bool host_arg_parse(const char *text, uint16_t port, struct endpoint_spec *ret,
			       const char **reason);

/*!
 * Writes "host:port", or "[address]:port" for IPv6, as an Endpoint of a link file wants it.
 * \return `buf`
 */
const char *host_arg_format(const struct endpoint_spec *spec, char buf[static HOST_ARG_TEXT_MAX]);

#endif
