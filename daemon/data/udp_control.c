/* Control messages, taken apart; see udp_control.h. */
#include "daemon/data/udp_control.h"

#include <netinet/udp.h>
#include <string.h>
#include <time.h> /* errqueue.h does not include it itself */

#include <linux/errqueue.h>

/* Largest errno value (kernel include/linux/err.h, MAX_ERRNO). */
#define ERRNO_MAX 4095

/* One control message. */
struct view {
	int level, type;
	const uint8_t *data;
	size_t len;
};

/*
 * Takes the next control message; *at is where it begins, 0 at first. CMSG_NXTHDR() is not used:
 * it leaves it to the caller whether the first message lies inside, and its checks differ from one
 * C library to the next.
 */
static bool next_control(const struct msghdr *header, size_t *at, struct view *ret)
{
	const uint8_t *bytes = header->msg_control;
	size_t left = header->msg_controllen - MIN(*at, header->msg_controllen);
	struct cmsghdr cmsg;

	if (!bytes || left < sizeof(cmsg))
		return false;
	memcpy(&cmsg, bytes + *at, sizeof(cmsg));
	if (cmsg.cmsg_len < CMSG_LEN(0) || cmsg.cmsg_len > left)
		return false;
	*ret = (struct view) {
		.level = cmsg.cmsg_level,
		.type = cmsg.cmsg_type,
		.data = bytes + *at + CMSG_LEN(0),
		.len = cmsg.cmsg_len - CMSG_LEN(0),
	};
	*at += CMSG_ALIGN(cmsg.cmsg_len);
	return true;
}

static void read_source4(const struct view *view, struct udp_datagram *datagram)
{
	struct in_pktinfo info;

	if (datagram->path.remote.sa.sa_family != AF_INET)
		return;
	memcpy(&info, view->data, sizeof(info));
	datagram->path.source.in4 = info.ipi_spec_dst;
	datagram->path.has_source = true;
}

static void read_source6(const struct view *view, struct udp_datagram *datagram)
{
	struct udp_path *path = &datagram->path;
	struct in6_pktinfo info;

	if (path->remote.sa.sa_family != AF_INET6)
		return;
	memcpy(&info, view->data, sizeof(info));
	path->source.in6 = info.ipi6_addr;
	/* Elsewhere the route decides: a link that moved must not hold us back. */
	path->source_if = IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) ? info.ipi6_ifindex : 0;
	/* No answer leaves from a group's address. */
	path->has_source = !IN6_IS_ADDR_MULTICAST(&info.ipi6_addr);
}

/* One byte from IPv4 … */
static void read_tos(const struct view *view, struct udp_datagram *datagram)
{
	datagram->tos = *view->data;
}

/* … and an int of the host's order from IPv6. */
static void read_traffic_class(const struct view *view, struct udp_datagram *datagram)
{
	int tos;

	memcpy(&tos, view->data, sizeof(tos));
	datagram->tos = (uint8_t)tos;
}

/* An int, although UDP_SEGMENT is 16 bits. */
static void read_segment_len(const struct view *view, struct udp_datagram *datagram)
{
	int segment_len;

	memcpy(&segment_len, view->data, sizeof(segment_len));
	if (segment_len > 0 && (size_t)segment_len <= datagram->len)
		datagram->segment_len = (size_t)segment_len;
}

static const struct reader {
	int level, type;
	size_t len_min;
	void (*read)(const struct view *view, struct udp_datagram *datagram);
} readers[] = {
	{ IPPROTO_UDP, UDP_GRO, sizeof(int), read_segment_len },
	{ IPPROTO_IP, IP_PKTINFO, sizeof(struct in_pktinfo), read_source4 },
	{ IPPROTO_IP, IP_TOS, 1, read_tos },
	{ IPPROTO_IPV6, IPV6_PKTINFO, sizeof(struct in6_pktinfo), read_source6 },
	{ IPPROTO_IPV6, IPV6_TCLASS, sizeof(int), read_traffic_class },
};

/* An address that is not all there, or of a family that we did not ask for, is none. */
static void check_name(const struct msghdr *header, union netaddr *remote)
{
	socklen_t len = 0;

	if (header->msg_namelen >= sizeof(remote->sa.sa_family))
		len = netaddr_len(remote);
	if (len == 0 || header->msg_namelen < len)
		remote->sa.sa_family = AF_UNSPEC;
}

void udp_control_read(const struct msghdr *header, size_t len, struct udp_datagram *ret)
{
	struct view view;
	size_t at = 0;

	ret->len = len;
	ret->segment_len = MAX(len, 1);
	ret->tos = 0;
	ret->path.has_source = false;
	ret->path.source_if = 0;
	check_name(header, &ret->path.remote);
	while (next_control(header, &at, &view)) {
		for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
			if (view.level == readers[i].level && view.type == readers[i].type &&
			    view.len >= readers[i].len_min)
				readers[i].read(&view, ret);
		}
	}
}

bool udp_control_read_error(const struct msghdr *header, struct udp_error *ret)
{
	struct sock_extended_err extended;
	struct view view;
	size_t at = 0;

	ret->error = 0;
	check_name(header, &ret->remote);
	while (next_control(header, &at, &view)) {
		if ((view.level != IPPROTO_IP || view.type != IP_RECVERR) &&
		    (view.level != IPPROTO_IPV6 || view.type != IPV6_RECVERR))
			continue;
		if (view.len < sizeof(extended))
			continue;
		memcpy(&extended, view.data, sizeof(extended));
		if (extended.ee_errno <= ERRNO_MAX)
			ret->error = (int)extended.ee_errno;
	}
	return ret->error != 0;
}
