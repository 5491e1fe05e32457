/* From the network to the interface; see rx.h. */
#include "daemon/core/rx.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "daemon/data/ecn.h"
#include "daemon/data/inner.h"
#include "daemon/data/tun.h"

#define SLOTS_LEN ((size_t)UDP_BATCH * UDP_DATAGRAM_MAX)

int rx_init(struct rx *rx)
{
	void *memory = mmap(NULL, SLOTS_LEN, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return -ENOMEM;
	rx->slots = memory;
	for (size_t i = 0; i < UDP_BATCH; i++)
		rx->datagrams[i].data = rx->slots + i * UDP_DATAGRAM_MAX;
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
	rx->wire->path = *path;
	if (netaddr_equal(&before, &path->remote))
		return;
	if (before.sa.sa_family != AF_UNSPEC)
		report_trouble(rx->wire->report, REPORT_ROAMED, now, "the peer moved from %s to %s",
			       netaddr_format(&before, from), netaddr_format(&path->remote, to));
	rx->on_roamed(rx->context);
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

static int deliver(struct rx *rx, const struct udp_datagram *datagram, nsec_t now)
{
	uint8_t *plain = datagram->data + DATA_HEADER_LEN;
	struct inner inner;
	uint8_t tos, marked;
	int r;

	if (!may_enter(rx, plain, datagram->len - DATA_OVERHEAD, &inner, now))
		return 0;
	tos = inner_get_tos(&inner);
	marked = ecn_decapsulate(datagram->tos, tos);
	if (marked != tos)
		inner_set_tos(&inner, marked);
	r = tun_write(rx->tun, plain, inner.len);
	if (r == -EBADFD)
		return r;
	if (r < 0) {
		rx->wire->counters->n[COUNT_RX_WRITE_FAILED]++;
		report_trouble(rx->wire->report, REPORT_WRITE, now,
			       "the interface does not take packets: %s%s", strerror(-r),
			       r == -EIO ? " (it is down)" : "");
	} else {
		rx->wire->counters->n[COUNT_RX_PACKETS]++;
	}
	return 0;
}

static int handle_data(struct rx *rx, const struct udp_datagram *datagram, nsec_t now)
{
	enum peer_verdict verdict = peer_receive_data(rx->peer, datagram->data, datagram->len, now);

	rx->wire->counters->verdicts[verdict]++;
	if (verdict != PEER_DATA && verdict != PEER_KEEPALIVE)
		return 0;
	rx->wire->counters->n[COUNT_RX_BYTES] += datagram->len;
	roam(rx, &datagram->path, now);
	return verdict == PEER_DATA ? deliver(rx, datagram, now) : 0;
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

static void handle_handshake(struct rx *rx, enum msg_type type, const struct udp_datagram *datagram,
			     nsec_t now)
{
	const struct udp_path *path = &datagram->path;
	struct peer_reply reply;
	enum peer_verdict verdict = peer_receive_handshake(
		rx->peer, type, datagram->data, datagram->len, &path->remote, now, &reply);

	rx->wire->counters->verdicts[verdict]++;
	if (verdict == PEER_RESPONDED || verdict == PEER_ESTABLISHED) {
		rx->wire->counters->n[COUNT_RX_BYTES] += datagram->len;
		roam(rx, path, now);
	}
	if (reply.len > 0)
		wire_send_handshake(rx->wire, path, reply.message, reply.len, now);
	if (verdict == PEER_RESPONDED)
		check_clock(rx, now);
	report_handshake(rx->wire->report, verdict, &reply, &path->remote,
			 netaddr_equal(&path->remote, &rx->wire->path.remote),
			 &rx->peer->secrets->identity.own_public, now);
}

int rx_run(struct rx *rx, int fd, nsec_t now)
{
	int n = udp_receive(fd, rx->datagrams, UDP_BATCH);
	int r = 0;

	/* An error here is an ICMP message about something that we sent. */
	if (n < 0)
		wire_read_errors(rx->wire, fd, now);
	for (int i = 0; i < n && r == 0; i++) {
		const struct udp_datagram *datagram = &rx->datagrams[i];
		enum msg_type type = msg_classify(datagram->data, datagram->len);

		if (type == MSG_DATA)
			r = handle_data(rx, datagram, now);
		else if (type != MSG_NONE)
			handle_handshake(rx, type, datagram, now);
		else
			rx->wire->counters->n[COUNT_RX_INVALID]++;
	}
	return r;
}
