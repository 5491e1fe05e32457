/* The UDP sockets and their batches; see udp.h. */
#include "daemon/data/udp.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As much as 5,000 full datagrams: what arrives while we are not scheduled for some ms. */
#define RECEIVE_BUFFER_BYTES (7 * 1024 * 1024)
/* Tries to find a free port that is free for both families. */
#define PORT_TRIES 32

/* Room for the control messages of one datagram: addresses and type of service. */
union control {
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

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
	return r;
}

void udp_close(struct udp *udp)
{
	if (udp->fd4 >= 0)
		close(udp->fd4);
	if (udp->fd6 >= 0)
		close(udp->fd6);
	*udp = (struct udp)UDP_NULL;
}

/* Appends one control message. */
static void put_control(struct msghdr *header, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *cmsg =
		(struct cmsghdr *)(void *)((char *)header->msg_control + header->msg_controllen);

	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), data, len);
	header->msg_controllen += CMSG_SPACE(len);
}

static void put_source(struct msghdr *header, const struct udp_path *path)
{
	struct in_pktinfo info4 = { .ipi_spec_dst = path->source.in4 };
	struct in6_pktinfo info6 = { .ipi6_addr = path->source.in6,
				     .ipi6_ifindex = path->source_if };

	if (path->remote.sa.sa_family == AF_INET)
		put_control(header, IPPROTO_IP, IP_PKTINFO, &info4, sizeof(info4));
	else
		put_control(header, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
}

static void put_tos(struct msghdr *header, int family, int tos)
{
	if (family == AF_INET)
		put_control(header, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	else
		put_control(header, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
}

int udp_send(const struct udp *udp, const struct udp_path *path, const struct udp_message *messages,
	     size_t n)
{
	struct mmsghdr headers[UDP_BATCH];
	struct iovec iovs[UDP_BATCH];
	union control controls[UDP_BATCH];
	union netaddr remote = path->remote;
	int family = remote.sa.sa_family;
	int fd = family == AF_INET ? udp->fd4 : udp->fd6;
	int n_sent = -1;

	if (fd < 0)
		return -EAFNOSUPPORT;
	memset(controls, 0, n * sizeof(controls[0]));
	for (size_t i = 0; i < n; i++) {
		struct msghdr *header = &headers[i].msg_hdr;

		iovs[i] = (struct iovec) { messages[i].data, messages[i].len };
		headers[i] = (struct mmsghdr) {
			.msg_hdr = { .msg_name = &remote,
				     .msg_namelen = netaddr_len(&remote),
				     .msg_iov = &iovs[i],
				     .msg_iovlen = 1,
				     .msg_control = &controls[i] },
		};
		if (path->has_source)
			put_source(header, path);
		if (messages[i].tos)
			put_tos(header, family, messages[i].tos);
		if (header->msg_controllen == 0)
			header->msg_control = NULL;
	}
	/* An ICMP error that waits on the socket fails one call without sending: the second
	 * failure is about this datagram. */
	for (int tries = 0; tries < 2 && n_sent < 0; tries++)
		n_sent = sendmmsg(fd, headers, (unsigned int)n, MSG_DONTWAIT);
	return n_sent < 0 ? -errno : n_sent;
}

static void take_control(struct udp_datagram *datagram, const struct cmsghdr *cmsg)
{
	struct udp_path *path = &datagram->path;
	struct in_pktinfo info4;
	struct in6_pktinfo info6;

	if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO) {
		memcpy(&info4, CMSG_DATA(cmsg), sizeof(info4));
		path->source.in4 = info4.ipi_spec_dst;
		path->has_source = true;
	} else if (cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_PKTINFO) {
		memcpy(&info6, CMSG_DATA(cmsg), sizeof(info6));
		path->source.in6 = info6.ipi6_addr;
		/* Elsewhere the route decides: a link that moved must not hold us back. */
		if (IN6_IS_ADDR_LINKLOCAL(&info6.ipi6_addr))
			path->source_if = info6.ipi6_ifindex;
		/* No answer leaves from a group's address. */
		path->has_source = !IN6_IS_ADDR_MULTICAST(&info6.ipi6_addr);
	} else if ((cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_TOS) ||
		   (cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_TCLASS)) {
		/* One byte from IPv4, an int of the host's order from IPv6. */
		int tos = 0;

		if (cmsg->cmsg_len >= CMSG_LEN(sizeof(tos)))
			memcpy(&tos, CMSG_DATA(cmsg), sizeof(tos));
		else
			tos = *CMSG_DATA(cmsg);
		datagram->tos = (uint8_t)tos;
	}
}

int udp_receive(int fd, struct udp_datagram *datagrams, size_t n)
{
	struct mmsghdr headers[UDP_BATCH];
	struct iovec iovs[UDP_BATCH];
	union control controls[UDP_BATCH];
	int n_received;

	for (size_t i = 0; i < n; i++) {
		iovs[i] = (struct iovec) { datagrams[i].data, UDP_DATAGRAM_MAX };
		headers[i].msg_hdr = (struct msghdr) {
			.msg_name = &datagrams[i].path.remote,
			.msg_namelen = sizeof(datagrams[i].path.remote),
			.msg_iov = &iovs[i],
			.msg_iovlen = 1,
			.msg_control = &controls[i],
			.msg_controllen = sizeof(controls[i]),
		};
	}
	n_received = recvmmsg(fd, headers, (unsigned int)n, MSG_DONTWAIT, NULL);
	if (n_received < 0)
		return -errno;
	for (int i = 0; i < n_received; i++) {
		struct msghdr *header = &headers[i].msg_hdr;

		datagrams[i].len = headers[i].msg_len;
		datagrams[i].tos = 0;
		datagrams[i].path.has_source = false;
		datagrams[i].path.source_if = 0;
		for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg;
		     cmsg = CMSG_NXTHDR(header, cmsg))
			take_control(&datagrams[i], cmsg);
	}
	return n_received;
}

bool udp_path_equal(const struct udp_path *a, const struct udp_path *b)
{
	size_t len =
		a->remote.sa.sa_family == AF_INET ? sizeof(a->source.in4) : sizeof(a->source.in6);

	return netaddr_equal(&a->remote, &b->remote) && a->has_source == b->has_source &&
	       a->source_if == b->source_if &&
	       (!a->has_source || memcmp(&a->source, &b->source, len) == 0);
}
