/* From the network to the interface; see rx.h. */
#include "daemon/core/rx.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "daemon/data/ecn.h"
#include "daemon/data/inner.h"
#include "daemon/data/tun.h"

#define SLOTS_LEN ((size_t)UDP_BATCH * UDP_DATAGRAM_MAX)
/* Slots used where each may hold a run: more would only leave the processor's cache. */
#define SLOTS_FOR_RUNS 16

int rx_init(struct rx *rx)
{
	void *memory = mmap(NULL, SLOTS_LEN, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return -ENOMEM;
	rx->slots = memory;
	for (size_t i = 0; i < UDP_BATCH; i++)
		rx->runs[i].data = rx->slots + i * UDP_DATAGRAM_MAX;
	return 0;
}

void rx_deinit(struct rx *rx)
{
	if (rx->slots)
		munmap(rx->slots, SLOTS_LEN);
	rx->slots = NULL;
}

/* An authentic message came along `path`: that is where the peer is. */
static void roam(struct rx *rx, const struct udp_path *path, nsec_t now)
{
	union netaddr before = rx->wire->path.remote;
	char from[NETADDR_TEXT_MAX], to[NETADDR_TEXT_MAX];

	if (udp_path_equal(&rx->wire->path, path))
		return;
	/* A host whose outer address is gone sends from its inner one: answers would go into the
	 * link itself, again and again. */
	if (!netaddr_equal(&before, &path->remote) &&
	    !rx->may_roam(rx->context, &path->remote, now)) {
		report_loop(rx->wire->report, &path->remote, now);
		return;
	}
	rx->wire->path = *path;
	if (netaddr_equal(&before, &path->remote))
		return;
	if (before.sa.sa_family != AF_UNSPEC)
		report_trouble(rx->wire->report, REPORT_ROAMED, now, "the peer moved from %s to %s",
			       netaddr_format(&before, from), netaddr_format(&path->remote, to));
	rx->wire->is_way_stale = true;
}

/* Whether an opened packet may enter the interface; counts and says it if not. */
static bool may_enter(struct rx *rx, uint8_t *plain, size_t len, struct inner *inner, nsec_t now)
{
	char address[INNER_ADDRESS_TEXT_MAX];

	if (!inner_parse(plain, len, inner)) {
		rx->wire->counters->n[COUNT_RX_NOT_IP]++;
		report_trouble(rx->wire->report, REPORT_NOT_IP, now,
			       "the peer sent something that is no IP packet; it is dropped");
		return false;
	}
	if (!allowedips_contain(rx->allowed, inner->family, inner->source)) {
		rx->wire->counters->n[COUNT_RX_NOT_ALLOWED]++;
		inner_format_address(inner->family, inner->source, address);
		report_trouble(rx->wire->report, REPORT_NOT_ALLOWED_IN, now,
			       "dropped packets from the inside address %s, which AllowedIPs does "
			       "not allow",
			       address);
		return false;
	}
	return true;
}

/* The interface refused a write: counts it and says why, once a minute. */
static void refuse(struct rx *rx, size_t n_packets, int error, nsec_t now)
{
	rx->wire->counters->n[COUNT_RX_WRITE_FAILED] += n_packets;
	report_trouble(rx->wire->report, REPORT_WRITE, now,
		       "the interface does not take packets: %s%s", strerror(-error),
		       error == -EIO ? " (it is down)" : "");
}

static int write_packet(struct rx *rx, const struct iovec *iov, size_t n_iov, size_t n_packets,
			nsec_t now)
{
	int r = tun_write(rx->tun, iov, n_iov);

	if (r == 0)
		rx->wire->counters->n[COUNT_RX_PACKETS] += n_packets;
	else if (r != -EBADFD && (r != -EINVAL || n_packets == 1))
		refuse(rx, n_packets, r, now);
	return r;
}

/* Some kernels refuse merged packets of one kind (Linux 6.11-rc1 and its backports): that kind is
 * merged no more. */
static void stop_merging(struct rx *rx, const struct gro_packet *packet)
{
	bool is_v4 = packet->data[0] >> 4 == 4;
	uint8_t protocol = packet->data[is_v4 ? 9 : 6];

	rx->gro_flags &= ~(protocol == IPPROTO_TCP ? (unsigned int)GRO_TCP : (unsigned int)GRO_UDP);
	log_notice("the kernel refuses merged %s packets: they are written one by one",
		   protocol == IPPROTO_TCP ? "TCP" : "UDP");
}

/* A kernel that refuses a superpacket gets its packets one by one, so none is lost. */
static int write_singly(struct rx *rx, const struct gro_write *merged, nsec_t now)
{
	int r = 0;

	stop_merging(rx, merged->first);

	for (const struct gro_packet *packet = merged->first; packet && r != -EBADFD;
	     packet = packet->next) {
		struct iovec one = gro_single(packet);

		r = write_packet(rx, &one, 1, 1, now);
	}
	return r;
}

/* Writes what was merged. \return 0 or -EBADFD */
static int write_batch(struct rx *rx, nsec_t now)
{
	const struct gro_write *merged;
	int r = 0;

	gro_finish(&rx->gro);
	while (r != -EBADFD && (merged = gro_next(&rx->gro))) {
		r = write_packet(rx, merged->iov, (size_t)merged->n_iov, merged->n_packets, now);
		if (r == -EINVAL && merged->n_packets > 1)
			r = write_singly(rx, merged, now);
	}
	gro_begin(&rx->gro, rx->gro_flags);
	return r == -EBADFD ? r : 0;
}

/* Hands one opened packet on. \return 0 or -EBADFD */
static int deliver(struct rx *rx, uint8_t *plain, size_t len, uint8_t outer_tos, nsec_t now)
{
	struct inner inner;
	struct iovec one;
	uint8_t tos, marked;
	int r;

	if (!may_enter(rx, plain, len, &inner, now))
		return 0;
	tos = inner_get_tos(&inner);
	marked = ecn_decapsulate(outer_tos, tos);
	if (marked != tos)
		inner_set_tos(&inner, marked);
	if (!rx->tun->has_vnet) {
		one = (struct iovec) { plain, inner.len };
		r = write_packet(rx, &one, 1, 1, now);
		return r == -EBADFD ? r : 0;
	}
	if (gro_add(&rx->gro, plain, inner.len))
		return 0;
	r = write_batch(rx, now);
	/* An empty batch always has room. */
	return gro_add(&rx->gro, plain, inner.len) ? r : -EBADFD;
}

static int handle_data(struct rx *rx, const struct udp_datagram *run, uint8_t *message, size_t len,
		       nsec_t now)
{
	size_t plain_len;
	enum peer_verdict verdict = peer_receive_data(rx->peer, message, len, now, &plain_len);

	rx->wire->counters->verdicts[verdict]++;
	if (verdict != PEER_DATA && verdict != PEER_KEEPALIVE)
		return 0;
	rx->wire->counters->n[COUNT_RX_BYTES] += len;
	roam(rx, &run->path, now);
	if (verdict == PEER_KEEPALIVE)
		return 0;
	return deliver(rx, message + DATA_HEADER_LEN, plain_len, run->tos, now);
}

/* A stamp from the future locks the peer out once its clock is right again: say it in time. */
static void check_clock(struct rx *rx, nsec_t now)
{
	struct timespec wallclock = nsec_wallclock();
	uint64_t hours = tai64n_seconds_ahead(&rx->peer->last_stamp_seen, &wallclock) / 3600;

	if (hours > 0)
		report_trouble(rx->wire->report, REPORT_FAR_TIMESTAMP, now,
			       "the peer's clock is %llu hours ahead of ours: when it is set "
			       "right, the peer is refused until then, or until this link restarts",
			       (unsigned long long)hours);
}

static void handle_handshake(struct rx *rx, enum msg_type type, const struct udp_path *path,
			     const uint8_t *message, size_t len, nsec_t now)
{
	struct peer_reply reply;
	enum peer_verdict verdict =
		peer_receive_handshake(rx->peer, type, message, len, &path->remote, now, &reply);

	rx->wire->counters->verdicts[verdict]++;
	if (verdict == PEER_RESPONDED || verdict == PEER_ESTABLISHED) {
		rx->wire->counters->n[COUNT_RX_BYTES] += len;
		if (!reply.may_be_replay)
			roam(rx, path, now);
	}
	if (reply.len > 0)
		wire_send_handshake(rx->wire, path, reply.message, reply.len, now);
	if (verdict == PEER_RESPONDED)
		check_clock(rx, now);
	report_handshake(rx->wire->report, verdict, &reply, &path->remote, &rx->wire->path.remote,
			 &rx->peer->secrets->identity.own_public, now);
}

/* Handles the datagrams of a run. \return 0 or -EBADFD */
static int handle_run(struct rx *rx, const struct udp_datagram *run, nsec_t now)
{
	int r = 0;

	for (size_t at = 0; (at < run->len || at == 0) && r == 0; at += run->segment_len) {
		uint8_t *message = run->data + at;
		size_t len = MIN(run->segment_len, run->len - at);
		enum msg_type type = msg_classify(message, len);

		if (type == MSG_DATA)
			r = handle_data(rx, run, message, len, now);
		else if (type != MSG_NONE)
			handle_handshake(rx, type, &run->path, message, len, now);
		else
			rx->wire->counters->n[COUNT_RX_INVALID]++;
	}
	return r;
}

int rx_run(struct rx *rx, int fd, nsec_t now)
{
	int n = udp_receive(fd, rx->runs, rx->wire->udp.has_gro ? SLOTS_FOR_RUNS : UDP_BATCH);
	int r = 0, r_write;

	/* An error here is an ICMP message about something that we sent. */
	if (n < 0)
		wire_read_errors(rx->wire, fd, now);
	for (int i = 0; i < n && r == 0; i++)
		r = handle_run(rx, &rx->runs[i], now);
	r_write = write_batch(rx, now);
	return r < 0 ? r : r_write;
}
