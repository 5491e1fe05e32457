/*
 * Batches: runs and single datagrams through sendmmsg(2) and recvmmsg(2), with what travels
 * beside them in control messages. See udp.h.
 */
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/data/udp_control.h"

/* Room for the control messages of one datagram: addresses, type of service, and the
 * length of the datagrams in a run. */
union control {
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + 2 * CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

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

static void put_segment_len(struct msghdr *header, size_t segment_len)
{
	uint16_t len = (uint16_t)segment_len;

	put_control(header, IPPROTO_UDP, UDP_SEGMENT, &len, sizeof(len));
}

/* What all datagrams of one call have in common. */
struct batch {
	int fd;
	union netaddr remote;
	struct mmsghdr headers[UDP_BATCH];
	struct iovec iovs[UDP_BATCH];
	union control controls[UDP_BATCH];
};

static bool begin_batch(struct batch *batch, const struct udp *udp, const struct udp_path *path)
{
	batch->remote = path->remote;
	batch->fd = path->remote.sa.sa_family == AF_INET ? udp->fd4 : udp->fd6;
	return batch->fd >= 0;
}

/* Puts one datagram, or one run where `segment_len` is less than `len`, into its place. */
static void put_message(struct batch *batch, size_t i, const struct udp_path *path, uint8_t *data,
			size_t len, size_t segment_len, uint8_t tos)
{
	struct msghdr *header = &batch->headers[i].msg_hdr;

	memset(&batch->controls[i], 0, sizeof(batch->controls[i]));
	batch->iovs[i] = (struct iovec) { data, len };
	batch->headers[i] = (struct mmsghdr) {
		.msg_hdr = { .msg_name = &batch->remote,
			     .msg_namelen = netaddr_len(&batch->remote),
			     .msg_iov = &batch->iovs[i],
			     .msg_iovlen = 1,
			     .msg_control = &batch->controls[i] },
	};
	if (path->has_source)
		put_source(header, path);
	if (tos)
		put_tos(header, batch->remote.sa.sa_family, tos);
	if (segment_len < len)
		put_segment_len(header, segment_len);
	if (header->msg_controllen == 0)
		header->msg_control = NULL;
}

/* What ICMP can leave on the socket (kernel net/ipv4/icmp.c, icmp_err_convert, and ipv6/icmp.c),
 * and nobody but ICMP. */
static bool is_of_icmp_alone(int error)
{
	return error == ECONNREFUSED || error == EPROTO || error == EHOSTDOWN || error == ENONET;
}

/* What ICMP can leave there, and the kernel can say of a message or of an offload as well. */
static bool may_be_of_icmp(int error)
{
	return error == EHOSTUNREACH || error == ENETUNREACH || error == EACCES ||
	       error == ENOPROTOOPT || error == EOPNOTSUPP;
}

/* How many calls fail until an error is believed to be about the message. */
static int tries_for(int error)
{
	if (error == EAGAIN)
		return 1;
	if (is_of_icmp_alone(error))
		return 8;
	return may_be_of_icmp(error) ? 4 : 2;
}

/* An ICMP error that waits on the socket fails one call, whatever that sends; the next one may wait
 * already. One that no message has of itself is no reason to lose any: they are tried later. */
static int send_batch(struct batch *batch, size_t n)
{
	int n_sent, n_tries = 0;

	do {
		n_sent = sendmmsg(batch->fd, batch->headers, (unsigned int)n, MSG_DONTWAIT);
		n_tries++;
	} while (n_sent < 0 && n_tries < tries_for(errno));
	if (n_sent >= 0)
		return n_sent;
	return is_of_icmp_alone(errno) ? -EAGAIN : -errno;
}

int udp_send(const struct udp *udp, const struct udp_path *path, const struct udp_message *messages,
	     size_t n)
{
	struct batch batch;

	if (!begin_batch(&batch, udp, path))
		return -EAFNOSUPPORT;
	for (size_t i = 0; i < n; i++)
		put_message(&batch, i, path, messages[i].data, messages[i].len,
			    messages[i].segment_len, messages[i].tos);
	return send_batch(&batch, n);
}

int udp_send_singly(const struct udp *udp, const struct udp_path *path,
		    const struct udp_message *run)
{
	struct batch batch;
	size_t n = 0;

	if (!begin_batch(&batch, udp, path))
		return -EAFNOSUPPORT;
	for (size_t at = 0; at < run->len && n < UDP_BATCH; at += run->segment_len) {
		size_t len = MIN(run->segment_len, run->len - at);

		put_message(&batch, n++, path, run->data + at, len, len, run->tos);
	}
	return send_batch(&batch, n);
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
	for (int i = 0; i < n_received; i++)
		udp_control_read(&headers[i].msg_hdr, headers[i].msg_len, &datagrams[i]);
	return n_received;
}
