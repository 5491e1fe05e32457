/* From the network to the interface; see rx.h. */
#include "daemon/core/rx.h"

#include <errno.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/mman.h>

#include "daemon/data/ecn.h"
#include "daemon/data/frame.h"
#include "daemon/data/inner.h"
#include "daemon/data/tun.h"

#define SLOTS_LEN ((size_t)UDP_BATCH * UDP_DATAGRAM_MAX)
/* Slots used where each may hold a run: more would only leave the processor's cache. */
#define SLOTS_FOR_RUNS 16
/* How long packets of a kind are not merged that the kernel has refused merged. */
#define UNMERGED_TIME (10 * NSEC_PER_SEC)

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

/* Whether an opened packet may enter the interface; counts and says it if not. */
static bool may_enter(struct rx *rx, uint8_t *plain, size_t len, struct inner *inner, nsec_t now)
{
	char address[INNER_ADDRESS_TEXT_MAX];

	if (!inner_parse(plain, len, inner)) {
		worker_counters(rx->worker)->n[COUNT_RX_NOT_IP]++;
		troubles_say(&rx->worker->troubles, TROUBLE_NOT_IP, now,
			     "the peer sent something that is no IP packet; it is dropped");
		return false;
	}
	if (!allowedips_contain(rx->worker->state.allowed, inner->family, inner->source)) {
		worker_counters(rx->worker)->n[COUNT_RX_NOT_ALLOWED]++;
		inner_format_address(inner->family, inner->source, address);
		troubles_say(&rx->worker->troubles, TROUBLE_NOT_ALLOWED_IN, now,
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
	worker_counters(rx->worker)->n[COUNT_RX_WRITE_FAILED] += n_packets;
	troubles_say(&rx->worker->troubles, TROUBLE_WRITE, now,
		     "the interface does not take packets: %s%s", strerror(-error),
		     error == -EIO ? " (it is down)" : "");
}

static int write_packet(struct rx *rx, const struct iovec *iov, size_t n_iov, size_t n_packets,
			nsec_t now)
{
	int r = tun_write(rx->tun, iov, n_iov);

	if (r == 0)
		worker_counters(rx->worker)->n[COUNT_RX_PACKETS] += n_packets;
	else if (r != -EBADFD && (r != -EINVAL || n_packets == 1))
		refuse(rx, n_packets, r, now);
	return r;
}

/* An empty batch, of what may be merged now. */
static void begin_batch(struct rx *rx)
{
	gro_begin(&rx->gro, rx->gro_flags & ~rx->unmerged);
}

/* Some kernels refuse merged packets of one kind (Linux 6.11-rc1 and its backports): that kind is
 * not merged for a while. Not for ever: a single packet may have been the reason. */
static void stop_merging(struct rx *rx, uint8_t protocol, nsec_t now)
{
	unsigned int kind = protocol == IPPROTO_TCP ? GRO_TCP : GRO_UDP;

	rx->unmerged |= kind;
	rx->unmerged_until = now + UNMERGED_TIME;
	rx->worker->teller.news.unmerged = rx->unmerged;
	if (rx->said & kind)
		return;
	rx->said |= kind;
	log_notice("the kernel refuses merged %s packets: they are written one by one",
		   protocol == IPPROTO_TCP ? "TCP" : "UDP");
}

/* That was a while ago. */
static void merge_again(struct rx *rx)
{
	rx->unmerged = 0;
	rx->worker->teller.news.unmerged = 0;
	begin_batch(rx);
}

/* A kernel that refuses a superpacket gets its packets one by one, so none is lost. */
static int write_singly(struct rx *rx, const struct gro_write *merged, nsec_t now)
{
	int r = 0;

	stop_merging(rx, merged->protocol, now);
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

	while (r != -EBADFD && (merged = gro_next(&rx->gro))) {
		r = write_packet(rx, merged->iov, (size_t)merged->n_iov, merged->n_packets, now);
		if (r == -EINVAL && merged->n_packets > 1)
			r = write_singly(rx, merged, now);
	}
	begin_batch(rx);
	return r == -EBADFD ? r : 0;
}

/* Carries the congestion mark of the outer packet to the inner one. */
static void mark(const struct inner *inner, uint8_t outer_tos)
{
	uint8_t tos = inner_get_tos(inner);
	uint8_t marked = ecn_decapsulate(outer_tos, tos);

	if (marked != tos)
		inner_set_tos(inner, marked);
}

/* \param ip_offset  of a frame; a packet has none */
static bool add(struct rx *rx, uint8_t *plain, size_t len, size_t ip_offset)
{
	return rx->tun->is_tap ? gro_add_frame(&rx->gro, plain, len, ip_offset)
			       : gro_add(&rx->gro, plain, len);
}

/* Adds a packet or frame to what is merged and written. \return 0 or -EBADFD */
static int hand_on(struct rx *rx, uint8_t *plain, size_t len, size_t ip_offset, nsec_t now)
{
	struct iovec one;
	int r;

	if (!rx->tun->has_vnet) {
		one = (struct iovec) { plain, len };
		r = write_packet(rx, &one, 1, 1, now);
		return r == -EBADFD ? r : 0;
	}
	if (add(rx, plain, len, ip_offset))
		return 0;
	r = write_batch(rx, now);
	/* An empty batch always has room. */
	return add(rx, plain, len, ip_offset) ? r : -EBADFD;
}

/* Hands one opened frame on, whatever is in it. \return 0 or -EBADFD */
static int deliver_frame(struct rx *rx, uint8_t *plain, size_t len, uint8_t outer_tos, nsec_t now)
{
	struct inner inner;
	size_t ip_offset;

	if (!frame_unpad(plain, len, &len)) {
		worker_counters(rx->worker)->n[COUNT_RX_NOT_IP]++;
		troubles_say(&rx->worker->troubles, TROUBLE_NOT_IP, now,
			     "the peer sent something that is no Ethernet frame; it is dropped");
		return 0;
	}
	/* Before it is written: what answers to it is for a known station. */
	stations_learn(&rx->worker->wire.latest->stations, plain + ETH_ALEN, now);
	ip_offset = frame_ip_offset(plain, len);
	if (ip_offset > 0 && inner_parse(plain + ip_offset, len - ip_offset, &inner))
		mark(&inner, outer_tos);
	return hand_on(rx, plain, len, ip_offset, now);
}

/* Hands one opened packet on. \return 0 or -EBADFD */
static int deliver(struct rx *rx, uint8_t *plain, size_t len, uint8_t outer_tos, nsec_t now)
{
	struct inner inner;

	if (rx->tun->is_tap)
		return deliver_frame(rx, plain, len, outer_tos, now);
	if (!may_enter(rx, plain, len, &inner, now))
		return 0;
	mark(&inner, outer_tos);
	return hand_on(rx, plain, inner.len, 0, now);
}

/* What follows from one data message. \return 0 or -EBADFD */
static int take_opened(struct rx *rx, const struct udp_datagram *run,
		       const struct sealed_message *message, nsec_t now)
{
	enum peer_verdict verdict = peer_data_verdict(message->result, message->plain_len);
	struct counters *counters = worker_counters(rx->worker);

	counters->verdicts[verdict]++;
	if (message->result != KEYPAIR_OPENED)
		return 0;
	counters->n[COUNT_RX_BYTES] += message->len;
	counters->n[COUNT_RX_EXPECTED] += message->n_ahead;
	if (message->is_first) {
		latest_confirm(rx->worker->wire.latest, message->serial);
		teller_confirm(&rx->worker->teller, message->serial);
	}
	teller_note(&rx->worker->teller, verdict == PEER_DATA, now);
	wire_roam(&rx->worker->wire, &run->path, now);
	if (verdict == PEER_KEEPALIVE)
		return 0;
	return deliver(rx, message->bytes + DATA_HEADER_LEN, message->plain_len, run->tos, now);
}

/* Opens data messages of one run. \return 0 or -EBADFD */
static int handle_data(struct rx *rx, const struct udp_datagram *run,
		       struct sealed_message *messages, size_t n, nsec_t now)
{
	int r = 0;

	keypairs_open(rx->worker->keypairs, messages, n, now);
	for (size_t i = 0; i < n && r == 0; i++)
		r = take_opened(rx, run, &messages[i], now);
	return r;
}

static void pass_handshake(struct rx *rx, const struct udp_datagram *run, enum msg_type type,
			   const uint8_t *message, size_t len, nsec_t now)
{
	if (type == MSG_NONE)
		worker_counters(rx->worker)->n[COUNT_RX_INVALID]++;
	else if (!handshakes_put(rx->handshakes, type, message, len, &run->path, now))
		worker_counters(rx->worker)->n[COUNT_RX_FLOOD]++;
}

/* Handles the datagrams of a run. \return 0 or -EBADFD */
static int handle_run(struct rx *rx, const struct udp_datagram *run, nsec_t now)
{
	struct sealed_message messages[OPEN_BATCH];
	size_t n = 0;
	int r = 0;

	for (size_t at = 0; (at < run->len || at == 0) && r == 0; at += run->segment_len) {
		uint8_t *message = run->data + at;
		size_t len = MIN(run->segment_len, run->len - at);
		enum msg_type type = msg_classify(message, len);

		if (type != MSG_DATA) {
			pass_handshake(rx, run, type, message, len, now);
			continue;
		}
		messages[n++] = (struct sealed_message) { .bytes = message, .len = len };
		if (n == ARRAY_SIZE(messages)) {
			r = handle_data(rx, run, messages, n, now);
			n = 0;
		}
	}
	return r < 0 ? r : handle_data(rx, run, messages, n, now);
}

int rx_run(struct rx *rx, int fd)
{
	struct wire *wire = &rx->worker->wire;
	size_t n_slots = wire->udp.has_gro ? SLOTS_FOR_RUNS : UDP_BATCH;
	int n = udp_receive(fd, rx->runs, MIN(n_slots, rx->receive_max));
	nsec_t now = nsec_boottime(); /* not before it was received: timers.h */
	int r = 0, r_write;

	/* An error here is an ICMP message about something that we sent. */
	if (n < 0)
		wire_read_errors(wire, fd, now);
	if (rx->unmerged && now >= rx->unmerged_until)
		merge_again(rx);
	/* What came may be sealed with a key that control has just told of. */
	worker_look_for_orders(rx->worker);
	wire_follow(wire);
	for (int i = 0; i < n && r == 0; i++)
		r = handle_run(rx, &rx->runs[i], now);
	r_write = write_batch(rx, now);
	return r < 0 ? r : r_write;
}
