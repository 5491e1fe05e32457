/* The UDP sockets: opened, bound, with what the kernel can do; see udp.h. */
#include "daemon/data/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How often a port is tried that the kernel has found for one family, and the other must have free.
 */
#define PORT_TRIES 32

struct option {
	int level, name, value;
};

static const struct option options4[] = {
	{ IPPROTO_IP, IP_PKTINFO, 1 },
	{ IPPROTO_IP, IP_RECVTOS, 1 },
	{ IPPROTO_IP, IP_RECVERR, 1 },
};

static const struct option options6[] = {
	{ IPPROTO_IPV6, IPV6_V6ONLY, 1 },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO, 1 },
	{ IPPROTO_IPV6, IPV6_RECVTCLASS, 1 },
	{ IPPROTO_IPV6, IPV6_RECVERR, 1 },
};

static int set_options(int fd, const struct option *options, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			       sizeof(options[i].value)) < 0)
			return -errno;
	}
	return 0;
}

static int prepare(int fd, int family, uint32_t fwmark)
{
	int r = family == AF_INET ? set_options(fd, options4, ARRAY_SIZE(options4))
				  : set_options(fd, options6, ARRAY_SIZE(options6));

	if (r < 0)
		return r;
	if (fwmark && setsockopt(fd, SOL_SOCKET, SO_MARK, &fwmark, sizeof(fwmark)) < 0)
		return -errno;
	return 0;
}

/* Opens one socket and binds it; sets *port to what it got. */
static int open_one(int family, uint16_t *port, uint32_t fwmark, int *ret)
{
	union netaddr local = { .sa.sa_family = (sa_family_t)family };
	socklen_t len = netaddr_len(&local);
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	if (family == AF_INET)
		local.in4.sin_port = htons(*port);
	else
		local.in6.sin6_port = htons(*port);
	r = prepare(fd, family, fwmark);
	if (r == 0 && (bind(fd, &local.sa, len) < 0 || getsockname(fd, &local.sa, &len) < 0))
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	*port = netaddr_port(&local);
	*ret = fd;
	return 0;
}

/* A host may lack a family altogether, or have it switched off. */
static bool is_family_missing(int r)
{
	return r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL;
}

/* Whether the kernel takes and hands over runs; a run is switched on message by
 * message, so UDP_SEGMENT stays 0 for the socket. */
static void probe_runs(struct udp *udp)
{
	int fds[] = { udp->fd4, udp->fd6 };
	int zero = 0, one = 1;

	udp->has_segment = true;
	udp->has_gro = true;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (fds[i] < 0)
			continue;
		if (setsockopt(fds[i], IPPROTO_UDP, UDP_SEGMENT, &zero, sizeof(zero)) < 0)
			udp->has_segment = false;
		if (setsockopt(fds[i], IPPROTO_UDP, UDP_GRO, &one, sizeof(one)) < 0)
			udp->has_gro = false;
	}
}

static int open_both(struct udp *udp, uint32_t fwmark)
{
	int r4 = open_one(AF_INET, &udp->port, fwmark, &udp->fd4);
	int r6;

	if (r4 < 0 && !is_family_missing(r4))
		return r4;
	r6 = open_one(AF_INET6, &udp->port, fwmark, &udp->fd6);
	if (r6 < 0 && !is_family_missing(r6))
		return r6;
	return r4 < 0 && r6 < 0 ? -EAFNOSUPPORT : 0;
}

int udp_open(struct udp *udp, uint16_t port, uint32_t fwmark)
{
	unsigned int n_tries = port ? 1 : PORT_TRIES;
	int r = -EADDRINUSE;

	/* A port that is free for IPv4 may be taken for IPv6: then another one is tried. */
	while (n_tries-- > 0 && r == -EADDRINUSE) {
		*udp = (struct udp)UDP_NULL;
		udp->port = port;
		r = open_both(udp, fwmark);
		if (r < 0)
			udp_close(udp);
	}
	if (r == 0)
		probe_runs(udp);
	return r;
}

/* Whether a descriptor is a UDP socket of that family, and which port it has: 0 if it is none. */
static uint16_t port_of(int fd, int family)
{
	union netaddr local = { .sa.sa_family = AF_UNSPEC };
	socklen_t len = sizeof(local), int_len = sizeof(int);
	int protocol = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &int_len) < 0 ||
	    protocol != IPPROTO_UDP || getsockname(fd, &local.sa, &len) < 0 ||
	    local.sa.sa_family != family)
		return 0;
	return netaddr_port(&local);
}

/* Checks one of two sockets; *port becomes its port unless it must be that. */
static int check_adopted(int fd, int family, uint16_t *port)
{
	uint16_t is;

	if (fd < 0)
		return 0;
	is = port_of(fd, family);
	if (is == 0 || (*port && is != *port))
		return -ENXIO;
	*port = is;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return -errno;
	/* All options but the first of IPv6's, which a bound socket has for good. */
	return family == AF_INET ? set_options(fd, options4, ARRAY_SIZE(options4))
				 : set_options(fd, options6 + 1, ARRAY_SIZE(options6) - 1);
}

int udp_adopt(int fd4, int fd6, uint16_t port, struct udp *udp)
{
	struct udp adopted = { .fd4 = fd4, .fd6 = fd6, .port = port };
	int r = check_adopted(fd4, AF_INET, &adopted.port);

	if (r == 0)
		r = check_adopted(fd6, AF_INET6, &adopted.port);
	if (r == 0 && fd4 < 0)
		r = open_one(AF_INET, &adopted.port, 0, &adopted.fd4);
	else if (r == 0 && fd6 < 0)
		r = open_one(AF_INET6, &adopted.port, 0, &adopted.fd6);
	if (r < 0 && !is_family_missing(r))
		return r;
	*udp = adopted;
	probe_runs(udp);
	return 0;
}

int udp_set_mark(const struct udp *udp, uint32_t fwmark)
{
	int fds[] = { udp->fd4, udp->fd6 };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		uint32_t is = 0;
		socklen_t len = sizeof(is);

		if (fds[i] < 0 ||
		    (getsockopt(fds[i], SOL_SOCKET, SO_MARK, &is, &len) == 0 && is == fwmark))
			continue;
		if (setsockopt(fds[i], SOL_SOCKET, SO_MARK, &fwmark, sizeof(fwmark)) < 0)
			return -errno;
	}
	return 0;
}

/* FORCE needs CAP_NET_ADMIN; without it the system's limit has to do. */
static void set_buffer(int fd, int forced, int limited, unsigned int bytes)
{
	int size = (int)bytes;

	if (fd >= 0 && size > 0 && setsockopt(fd, SOL_SOCKET, forced, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, limited, &size, sizeof(size));
}

void udp_set_buffers(const struct udp *udp, unsigned int send, unsigned int receive)
{
	int fds[] = { udp->fd4, udp->fd6 };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		set_buffer(fds[i], SO_SNDBUFFORCE, SO_SNDBUF, send);
		set_buffer(fds[i], SO_RCVBUFFORCE, SO_RCVBUF, receive);
	}
}

void udp_allow_fragments(const struct udp *udp, bool is_allowed)
{
	int how4 = is_allowed ? IP_PMTUDISC_DONT : IP_PMTUDISC_WANT;
	int how6 = is_allowed ? IPV6_PMTUDISC_DONT : IPV6_PMTUDISC_WANT;

	/* Every kernel has these; without them full frames over a narrow path are lost, and said.
	 */
	if (udp->fd4 >= 0)
		setsockopt(udp->fd4, IPPROTO_IP, IP_MTU_DISCOVER, &how4, sizeof(how4));
	if (udp->fd6 >= 0)
		setsockopt(udp->fd6, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &how6, sizeof(how6));
}

void udp_disable_gro(struct udp *udp)
{
	int fds[] = { udp->fd4, udp->fd6 };
	int zero = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (fds[i] >= 0)
			setsockopt(fds[i], IPPROTO_UDP, UDP_GRO, &zero, sizeof(zero));
	}
	udp->has_gro = false;
}

void udp_close(struct udp *udp)
{
	if (udp->fd4 >= 0)
		close(udp->fd4);
	if (udp->fd6 >= 0)
		close(udp->fd6);
	*udp = (struct udp)UDP_NULL;
}

int udp_replace(struct udp *udp, struct udp *from)
{
	int r = 0;

	if ((udp->fd4 < 0) != (from->fd4 < 0) || (udp->fd6 < 0) != (from->fd6 < 0))
		r = -EAFNOSUPPORT;
	if (r == 0 && udp->fd4 >= 0 && dup3(from->fd4, udp->fd4, O_CLOEXEC) < 0)
		r = -errno;
	if (r == 0 && udp->fd6 >= 0 && dup3(from->fd6, udp->fd6, O_CLOEXEC) < 0)
		r = -errno;
	if (r == 0) {
		udp->port = from->port;
		udp->has_segment = from->has_segment;
		udp->has_gro = from->has_gro;
	}
	udp_close(from);
	return r;
}

bool udp_path_equal(const struct udp_path *a, const struct udp_path *b)
{
	size_t len =
		a->remote.sa.sa_family == AF_INET ? sizeof(a->source.in4) : sizeof(a->source.in6);

	return netaddr_equal(&a->remote, &b->remote) && a->has_source == b->has_source &&
	       a->source_if == b->source_if &&
	       (!a->has_source || memcmp(&a->source, &b->source, len) == 0);
}
