/*
 * The probe of the interface; see probe.h.
 *
 * Each trial is one write of a packet as gro.c makes them: 64 segments in 65 parts, behind an
 * offload header. Should somebody set the interface up just then, nobody gets the packet: every
 * kernel drops IPv4 headers with a wrong checksum, and ::1 from any other interface than loopback.
 */
#include "daemon/data/probe.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/defs.h"
#include "daemon/data/csum.h"
#include "daemon/data/gro.h"
#include "daemon/data/ip_header.h"
#include "daemon/data/vnet.h"

/* As much as fits: 64 such segments and their headers make 64,060 bytes. */
#define SEGMENT_LEN 1000
/* Reserved, and in no kernel: a header that must be refused. */
#define GSO_NONSENSE 2

/* One write: what its header says. */
struct trial {
	uint8_t flags, gso_type, protocol;
	bool v6;
};

static const struct trial plain = { 0, VNET_GSO_NONE, IPPROTO_UDP, false };
static const struct trial nonsense = { VNET_FLAG_NEEDS_CSUM, GSO_NONSENSE, IPPROTO_UDP, false };

/* The trials of each offload; all of them must be taken. */
static const struct row {
	enum probe_offload offload;
	struct trial trials[2];
} rows[] = {
	{ PROBE_TUN_WRITE_CSUM,
	  { { VNET_FLAG_NEEDS_CSUM, VNET_GSO_NONE, IPPROTO_TCP, false },
	    { VNET_FLAG_NEEDS_CSUM, VNET_GSO_NONE, IPPROTO_UDP, true } } },
	{ PROBE_TUN_WRITE_TCP,
	  { { VNET_FLAG_NEEDS_CSUM, VNET_GSO_TCPV4, IPPROTO_TCP, false },
	    { VNET_FLAG_NEEDS_CSUM, VNET_GSO_TCPV6, IPPROTO_TCP, true } } },
	{ PROBE_TUN_WRITE_UDP,
	  { { VNET_FLAG_NEEDS_CSUM, VNET_GSO_UDP_L4, IPPROTO_UDP, false },
	    { VNET_FLAG_NEEDS_CSUM, VNET_GSO_UDP_L4, IPPROTO_UDP, true } } },
};

/* Writes IP and transport header of a packet in which `payload_len` bytes follow. */
static size_t make_headers(uint8_t *packet, const struct trial *trial, size_t payload_len)
{
	bool is_tcp = trial->protocol == IPPROTO_TCP;
	size_t ip_len = trial->v6 ? 40 : 20, l4_len = is_tcp ? TCP_HEADER_LEN : UDP_HEADER_LEN;
	uint8_t *l4 = packet + ip_len;

	memset(packet, 0, ip_len + l4_len);
	if (trial->v6) {
		packet[0] = 0x60;
		header_store16(packet + IPV6_PAYLOAD_LEN, (uint16_t)(l4_len + payload_len));
		packet[6] = trial->protocol;
		packet[7] = 1;
		packet[23] = packet[39] = 1; /* from ::1 to ::1 */
	} else {
		packet[0] = 0x45;
		header_store16(packet + IPV4_TOTAL_LEN, (uint16_t)(ip_len + l4_len + payload_len));
		packet[6] = 0x40;
		packet[8] = 1;
		packet[9] = trial->protocol;
		/* From 0.0.0.0 to itself. The checksum stays 0, which is wrong. */
	}
	header_store16(l4, 9);
	header_store16(l4 + 2, 9);
	if (is_tcp) {
		l4[12] = TCP_HEADER_LEN / 4 << 4;
		l4[13] = 0x10; /* ACK */
	} else {
		header_store16(l4 + UDP_LENGTH, (uint16_t)(l4_len + payload_len));
	}
	csum_store(l4 + (is_tcp ? TCP_CSUM : UDP_CSUM),
		   csum_fold(csum_pseudo(packet, trial->v6, trial->protocol,
					 (uint32_t)(l4_len + payload_len))));
	return ip_len + l4_len;
}

/* Stations that no network has, and the type: in front of a packet on a TAP interface. */
static size_t make_link_header(uint8_t *frame, bool v6)
{
	memset(frame, 0, FRAME_HEADER_LEN);
	frame[0] = frame[6] = 0x02;
	header_store16(frame + FRAME_HEADER_LEN - 2, v6 ? 0x86dd : 0x0800);
	return FRAME_HEADER_LEN;
}

/* One trial. Taken is what only the state of the interface keeps out, or nothing at all. */
static enum probe_answer try_write(const struct tun *tun, const struct trial *trial)
{
	static uint8_t payload[SEGMENT_LEN]; /* only read */
	uint8_t headers[VNET_HDR_LEN + FRAME_LINK_MAX + GRO_HEADERS_MAX];
	struct iovec iov[1 + GRO_MAX_SEGMENTS];
	size_t n_segments = trial->gso_type == VNET_GSO_NONE ? 1 : GRO_MAX_SEGMENTS;
	bool is_tcp = trial->protocol == IPPROTO_TCP;
	size_t link_len = tun->is_tap ? make_link_header(headers + VNET_HDR_LEN, trial->v6) : 0;
	size_t headers_len = link_len + make_headers(headers + VNET_HDR_LEN + link_len, trial,
						     n_segments * SEGMENT_LEN);
	struct vnet_hdr header = { .flags = trial->flags, .gso_type = trial->gso_type };

	if (trial->flags & VNET_FLAG_NEEDS_CSUM) {
		header.csum_start = (uint16_t)(link_len + (trial->v6 ? 40 : 20));
		header.csum_offset = is_tcp ? TCP_CSUM : UDP_CSUM;
	}
	if (trial->gso_type != VNET_GSO_NONE) {
		header.hdr_len = (uint16_t)headers_len;
		header.gso_size = SEGMENT_LEN;
	}
	vnet_encode(headers, &header);
	iov[0] = (struct iovec) { headers, VNET_HDR_LEN + headers_len };
	for (size_t i = 1; i <= n_segments; i++)
		iov[i] = (struct iovec) { payload, SEGMENT_LEN };
	switch (tun_write(tun, iov, 1 + n_segments)) {
	case 0:
	case -EIO:
		return PROBE_WORKS;
	case -EINVAL:
		return PROBE_REFUSED;
	default:
		return PROBE_UNKNOWN;
	}
}

static enum probe_answer try_all(const struct tun *tun, const struct row *row)
{
	enum probe_answer answer = PROBE_WORKS;

	for (size_t i = 0; i < ARRAY_SIZE(row->trials) && answer == PROBE_WORKS; i++)
		answer = try_write(tun, &row->trials[i]);
	return answer;
}

static bool is_down(const struct tun *tun)
{
	struct ifreq request;
	bool is_down;
	/* Any socket may ask; this family every host has. */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	memset(&request, 0, sizeof(request));
	is_down = ioctl(tun->fd, TUNGETIFF, &request) == 0 &&
		  ioctl(fd, SIOCGIFFLAGS, &request) == 0 && !(request.ifr_flags & IFF_UP);
	close(fd);
	return is_down;
}

/* Whether a write to this interface, as it is now, tells anything: a packet without offloads gets
 * as far as the interface's state, a wrong header does not. */
static bool tells(const struct tun *tun)
{
	return is_down(tun) && try_write(tun, &plain) == PROBE_WORKS &&
	       try_write(tun, &nonsense) == PROBE_REFUSED;
}

/* What is known of reading is what the kernel took when it was asked. */
static enum probe_answer promised(bool has)
{
	return has ? PROBE_WORKS : PROBE_REFUSED;
}

void probe_tun(const struct tun *tun, struct probe *probe)
{
	bool may_try = tun->has_vnet && tells(tun);

	probe->answers[PROBE_TUN_READ_TCP] = promised(tun->has_tso);
	probe->answers[PROBE_TUN_READ_UDP] = promised(tun->has_uso);
	/* A kernel that cannot read a kind is not expected to write it. */
	probe->answers[PROBE_TUN_WRITE_CSUM] = tun->has_tso ? PROBE_UNKNOWN : PROBE_REFUSED;
	probe->answers[PROBE_TUN_WRITE_TCP] = tun->has_tso ? PROBE_UNKNOWN : PROBE_REFUSED;
	probe->answers[PROBE_TUN_WRITE_UDP] = tun->has_uso ? PROBE_UNKNOWN : PROBE_REFUSED;
	for (size_t i = 0; may_try && i < ARRAY_SIZE(rows); i++) {
		enum probe_answer answer = try_all(tun, &rows[i]);

		if (answer != PROBE_UNKNOWN)
			probe->answers[rows[i].offload] = answer;
	}
}
