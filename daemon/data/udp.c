/* The UDP sockets: opened, bound, with what the kernel can do; see udp.h. */
#include "daemon/data/udp.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As much as 5,000 full datagrams: what arrives while we are not scheduled for some ms. */
#define RECEIVE_BUFFER_BYTES (7 * 1024 * 1024)
/* Tries to find a free port that is free for both families. */
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
	int size = RECEIVE_BUFFER_BYTES;
	int r = family == AF_INET ? set_options(fd, options4, ARRAY_SIZE(options4))
				  : set_options(fd, options6, ARRAY_SIZE(options6));

	if (r < 0)
		return r;
	if (fwmark && setsockopt(fd, SOL_SOCKET, SO_MARK, &fwmark, sizeof(fwmark)) < 0)
		return -errno;
	/* FORCE needs CAP_NET_ADMIN; without it the system's limit has to do. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
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

bool udp_path_equal(const struct udp_path *a, const struct udp_path *b)
{
	size_t len =
		a->remote.sa.sa_family == AF_INET ? sizeof(a->source.in4) : sizeof(a->source.in6);

	return netaddr_equal(&a->remote, &b->remote) && a->has_source == b->has_source &&
	       a->source_if == b->source_if &&
	       (!a->has_source || memcmp(&a->source, &b->source, len) == 0);
}
