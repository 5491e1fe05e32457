/* From the interface to the network; see tx.h. */
#include "daemon/core/tx.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "daemon/data/ecn.h"
#include "daemon/data/frame.h"
#include "daemon/data/icmp.h"
#include "daemon/data/inner.h"

/* The slot: a cache line of room for the vnet header, the packet, room for padding. */
#define SLOT_HEADROOM   64
#define SLOT_PACKET_MAX (65535 + FRAME_LINK_MAX)
#define SLOT_LEN        (SLOT_HEADROOM + SLOT_PACKET_MAX + 65)
/* The longest sealed message. */
#define SEALED_MAX (DATA_HEADER_LEN + STAGED_PACKET_MAX + CIPHER_TAG_MAX)
/* What one batch may hold: four full runs, which fit a processor's second-level cache. */
#define OUT_LEN    (4 * 65536 + SEALED_MAX)
#define MEMORY_LEN (SLOT_LEN + OUT_LEN)
/* Between two ICMP messages to local programs. */
#define ICMP_INTERVAL (10 * NSEC_PER_MSEC)

int tx_init(struct tx *tx)
{
	void *memory = mmap(NULL, MEMORY_LEN, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return -ENOMEM;
	tx->slot = memory;
	tx->out = tx->slot + SLOT_LEN;
	return staged_init(&tx->staged);
}

void tx_deinit(struct tx *tx)
{
	if (tx->slot)
		munmap(tx->slot, MEMORY_LEN);
	tx->slot = NULL;
	staged_deinit(&tx->staged);
}

void tx_drop_staged(struct tx *tx)
{
	worker_counters(tx->worker)->n[COUNT_TX_NO_SESSION] += staged_clear(&tx->staged);
}

static bool is_full(const struct tx *tx)
{
	return tx->n_messages == tx->messages_max || tx->out_used + SEALED_MAX > OUT_LEN;
}

/* Whether a sealed segment may join the last message. */
static bool fits_run(const struct udp_message *run, size_t len, uint8_t tos)
{
	return len <= run->segment_len && tos == run->tos &&
	       run->len % run->segment_len == 0 && /* its last datagram is a full one */
	       run->len + run->segment_len <= UDP_RUN_LEN_MAX &&
	       run->len / run->segment_len < UDP_RUN_MAX;
}

/* Adds what was sealed at the end of `out` to the batch. */
static void add_sealed(struct tx *tx, size_t len, uint8_t tos)
{
	struct udp_message *last = &tx->messages[MAX(tx->n_messages, 1) - 1];

	if (tx->n_messages > 0 && fits_run(last, len, tos))
		last->len += len;
	else
		tx->messages[tx->n_messages++] = (struct udp_message) {
			.data = tx->out + tx->out_used,
			.len = len,
			.segment_len = len,
			.tos = tos,
		};
	tx->out_used += len;
}

/* Whether a packet, with its padding, is too long for a message; counts and says it then. Only an
 * MTU that was set by hand lets such ones come. */
static bool is_too_long(struct tx *tx, size_t len, nsec_t now)
{
	if (len + tx->tun->is_tap <= STAGED_PACKET_MAX)
		return false;
	worker_counters(tx->worker)->n[COUNT_TX_TOO_BIG]++;
	report_trouble(&tx->worker->troubles, REPORT_TOO_BIG, now,
		       "dropped packets of %zu bytes, which no message holds: set a smaller MTU",
		       len);
	return true;
}

/* Bytes to append to a packet of `len` bytes, up to PADDING_UNIT. */
static size_t padding_of(const struct tx *tx, size_t len)
{
	const struct order_state *state = &tx->worker->state;
	size_t padded = tx->tun->is_tap ? frame_padded_len(len, state->whole_max)
					: keypair_padded_len(len, state->mtu);

	return MIN(padded, STAGED_PACKET_MAX) - len;
}

static void pad(const struct tx *tx, uint8_t *packet, size_t len, size_t n_padding)
{
	if (tx->tun->is_tap)
		frame_pad(packet, len, len + n_padding);
	else
		memset(packet + len, 0, n_padding);
}

/* The path is too narrow for a frame of `len` bytes. */
static void say_fragmented(struct tx *tx, size_t len)
{
	unsigned int whole_max = tx->worker->state.whole_max;

	if (tx->said_whole_max == whole_max)
		return;
	tx->said_whole_max = whole_max;
	log_notice("the path to the peer does not carry frames of %zu bytes whole: their outer "
		   "packets are fragmented, which costs speed; as far as this host knows (its way "
		   "begins with %u bytes), MTU = %zu would avoid it, or 4 less for each VLAN tag",
		   len, tx->worker->state.way_mtu, (size_t)whole_max - 1 - FRAME_HEADER_LEN);
}

/* Seals a padded packet into the batch, which must not be full. */
static void seal(struct tx *tx, struct keypair *keypair, const uint8_t *packet, size_t padded_len,
		 uint8_t tos)
{
	add_sealed(tx, keypair_seal(keypair, tx->out + tx->out_used, packet, padded_len), tos);
}

/* Seals a segment. Up to 16 bytes behind it are its padding for the time being: they belong to
 * the next segment, so they are put back. */
static void seal_segment(struct tx *tx, struct keypair *keypair, uint8_t *segment, size_t len)
{
	size_t n_padding = padding_of(tx, len);
	uint8_t behind[PADDING_UNIT];

	if (tx->tun->is_tap && len >= tx->worker->state.whole_max && tx->worker->state.whole_max)
		say_fragmented(tx, len);
	memcpy(behind, segment + len, n_padding);
	pad(tx, segment, len, n_padding);
	seal(tx, keypair, segment, len + n_padding, tx->tos);
	memcpy(segment + len, behind, n_padding);
	worker_counters(tx->worker)->n[COUNT_TX_PACKETS]++;
}

/* Finds the IP packet in what the interface has handed over. */
static bool find_inner(const struct tx *tx, uint8_t *packet, size_t len, struct inner *ret)
{
	size_t offset = 0;

	if (tx->tun->is_tap) {
		offset = frame_ip_offset(packet, len);
		if (offset == 0)
			return false;
	}
	return inner_parse(packet + offset, len - offset, ret);
}

/* Moves packets that waited for a session into the batch. */
static void take_staged(struct tx *tx, struct keypair *keypair, nsec_t now)
{
	struct inner inner;
	const uint8_t *packet;
	size_t len;

	while (!is_full(tx) && keypair_can_send(keypair, now) &&
	       (packet = staged_pop(&tx->staged, &len))) {
		/* Sealed in place: the slot may hold a superpacket that is under way. */
		uint8_t *copy = tx->out + tx->out_used + DATA_HEADER_LEN;
		size_t n_padding = padding_of(tx, len);
		uint8_t tos = 0;

		memcpy(copy, packet, len);
		if (find_inner(tx, copy, len, &inner))
			tos = ecn_encapsulate(inner_get_tos(&inner));
		pad(tx, copy, len, n_padding);
		seal(tx, keypair, copy, len + n_padding, tos);
		worker_counters(tx->worker)->n[COUNT_TX_PACKETS]++;
	}
	if (tx->staged.n == 0)
		staged_clear(&tx->staged);
}

/* Keeps a packet until there is a session. */
static void stage(struct tx *tx, const uint8_t *packet, size_t len)
{
	if (!staged_push(&tx->staged, packet, len))
		worker_counters(tx->worker)->n[COUNT_TX_NO_SESSION]++;
}

/* Seals or stages segments of the packet in the slot, until it or the batch is at its end. */
static void take_segments(struct tx *tx, struct keypair *keypair, nsec_t now)
{
	uint8_t *segment;
	size_t len;

	while (!is_full(tx)) {
		segment = vnet_split_next(&tx->split, &len);
		if (!segment) {
			tx->is_splitting = false;
			return;
		}
		if (is_too_long(tx, len, now))
			continue;
		if (keypair_can_send(keypair, now))
			seal_segment(tx, keypair, segment, len);
		else
			stage(tx, segment, len);
	}
}

/* Whether the packet is a message of ours: a route has sent it into the link that it carries. */
static bool is_own(const struct tx *tx, const struct inner *inner)
{
	const union netaddr *remote = &tx->worker->wire.path.remote;
	const void *address = remote->sa.sa_family == AF_INET
				      ? (const void *)&remote->in4.sin_addr
				      : (const void *)&remote->in6.sin6_addr;

	return remote->sa.sa_family == inner->family &&
	       inner_is_udp(inner, tx->worker->wire.udp.port, address, netaddr_port(remote));
}

static bool is_allowed(struct tx *tx, const struct inner *inner, nsec_t now)
{
	char address[INNER_ADDRESS_TEXT_MAX];

	if (allowedips_contain(tx->worker->state.allowed, inner->family, inner->destination))
		return true;
	worker_counters(tx->worker)->n[COUNT_TX_NOT_ALLOWED]++;
	inner_format_address(inner->family, inner->destination, address);
	report_trouble(&tx->worker->troubles, REPORT_NOT_ALLOWED_OUT, now,
		       "dropped packets to %s, which AllowedIPs does not allow", address);
	return false;
}

/* Whether a packet from the interface may go to the peer; counts it if not.
 * \param inner  the packet, or the one in the frame; NULL: there is none */
static bool may_go(struct tx *tx, const struct inner *inner, nsec_t now)
{
	if (!tx->tun->is_tap && (!inner || !is_allowed(tx, inner, now)))
		return false;
	if (inner && is_own(tx, inner)) {
		worker_counters(tx->worker)->n[COUNT_TX_NOT_ALLOWED]++;
		report_loop(&tx->worker->troubles, &tx->worker->wire.path.remote, now);
		return false;
	}
	if (!wire_has_path(&tx->worker->wire) && !tx->worker->state.may_wait) {
		worker_counters(tx->worker)->n[COUNT_TX_NO_ENDPOINT]++;
		report_trouble(&tx->worker->troubles, REPORT_NO_ENDPOINT, now,
			       "dropped packets: the peer has no Endpoint in the file and has not "
			       "called yet");
		return false;
	}
	return true;
}

/* Tells the program that sent a packet that it goes nowhere. */
static void tell_unreachable(struct tx *tx, const struct inner *inner, nsec_t now)
{
	uint8_t message[VNET_HDR_LEN + ICMP_MAX_LEN] = { 0 };
	size_t len = icmp_unreachable(inner, message + VNET_HDR_LEN);
	size_t skip = tx->tun->has_vnet ? 0 : VNET_HDR_LEN;
	struct iovec iov = { message + skip, VNET_HDR_LEN - skip + len };

	if (len == 0 || now < tx->next_icmp)
		return;
	tx->next_icmp = now + ICMP_INTERVAL;
	/* A full interface loses it, as networks lose such messages. */
	(void)tun_write(tx->tun, &iov, 1);
}

/* Prepares the segments of the frame in the slot. \return false when it is none that can be used */
static bool begin_frame(struct tx *tx, const struct vnet_hdr *header, size_t len)
{
	uint8_t *frame = tx->slot + SLOT_HEADROOM;
	unsigned int whole_max = tx->worker->state.whole_max;
	size_t ip_offset = frame_ip_offset(frame, len);

	if (len < FRAME_HEADER_LEN || (header->gso_type != VNET_GSO_NONE && ip_offset == 0) ||
	    vnet_split_begin_frame(&tx->split, header, frame, ip_offset, len) != VNET_OK)
		return false;
	if (whole_max)
		vnet_split_limit(&tx->split, whole_max - 1);
	return true;
}

/* Whether the frames that were prepared go to a known station, or are within the limit for the
 * others; counts them if not. */
static bool is_calm(struct tx *tx, nsec_t now)
{
	const struct stations *stations = &tx->worker->wire.latest->stations;
	size_t n = vnet_split_count(&tx->split);

	if (storm_admits(&tx->storm, stations, tx->slot + SLOT_HEADROOM, n, now))
		return true;
	worker_counters(tx->worker)->n[COUNT_TX_STORM] += n;
	report_trouble(&tx->worker->troubles, REPORT_STORM, now,
		       "dropped broadcast or multicast frames, or frames to unknown addresses: "
		       "there are more than %u a second (data.tap_broadcast_limit), as in a "
		       "network with a loop and without spanning tree",
		       tx->storm.limit);
	return false;
}

/* Looks at what was read into the slot, and begins to split it. */
static void take_packet(struct tx *tx, const struct vnet_hdr *header, size_t len, nsec_t now)
{
	uint8_t *packet = tx->slot + SLOT_HEADROOM;
	bool is_tap = tx->tun->is_tap;
	struct inner inner;
	bool has_inner = find_inner(tx, packet, len, &inner);

	if (is_tap ? !begin_frame(tx, header, len)
		   : !has_inner || vnet_split_begin(&tx->split, header, packet, len) != VNET_OK) {
		worker_counters(tx->worker)->n[COUNT_TX_NOT_IP]++;
		return;
	}
	if (is_tap && !is_calm(tx, now))
		return;
	if (!may_go(tx, has_inner ? &inner : NULL, now)) {
		/* To who sends frames the link is a cable, and a cable does not answer. */
		if (!is_tap)
			tell_unreachable(tx, &inner, now);
		return;
	}
	tx->tos = has_inner ? ecn_encapsulate(inner_get_tos(&inner)) : 0;
	tx->is_splitting = true;
}

/* Reads one packet into the slot. \return 0, -EAGAIN, or another negative errno */
static int read_packet(struct tx *tx, nsec_t now)
{
	size_t header_len = tx->tun->has_vnet ? VNET_HDR_LEN : 0;
	uint8_t *start = tx->slot + SLOT_HEADROOM - header_len;
	struct vnet_hdr header = { 0 };
	ssize_t len = tun_read(tx->tun, start, header_len + SLOT_PACKET_MAX);

	if (len < 0)
		return (int)len;
	if (tx->tun->has_vnet)
		header = vnet_decode(start);
	if ((size_t)len > header_len)
		take_packet(tx, &header, (size_t)len - header_len, now);
	return 0;
}

/* The keypair to seal with now, as the packet that was read last has it to be; asked for only when
 * there is somewhere to send to, because the question starts a handshake. */
static struct keypair *sending_keypair(struct tx *tx, nsec_t now)
{
	struct worker *worker = tx->worker;
	struct keypairs *keypairs = worker->keypairs;
	uint64_t confirmed = latest_confirmed(worker->wire.latest);
	const struct keypair *newest;

	if (!keypairs->current || keypairs->current->serial != confirmed) {
		worker_look_for_orders(worker);
		newest = keypairs_find_serial(keypairs, confirmed);
		if (newest)
			(void)keypairs_confirm(keypairs, newest);
	}
	if (!wire_has_path(&worker->wire))
		return NULL;
	if (keypair_can_send(keypairs->current, now))
		return keypairs->current;
	teller_want_session(&worker->teller, keypairs->current ? keypairs->current->serial : 0);
	return NULL;
}

/* Takes note of sealed messages, for the timers. */
static void note_sealed(struct tx *tx, const struct keypair *keypair, bool has_data, nsec_t now)
{
	tx->sealed_serial = keypair->serial;
	tx->worker->teller.news.send_counter = keypair->send_counter;
	teller_note(&tx->worker->teller, has_data, now);
}

/* Seals a new batch: what was staged, the rest of the last superpacket, what the interface has.
 * The keypair is looked at again after each packet: one that answers to a peer which has just
 * taken up new keys must be sealed with these, behind those that waited for them. */
static int fill(struct tx *tx, nsec_t now)
{
	bool has_work = tx->staged.n > 0 || tx->is_splitting;
	struct keypair *keypair = has_work ? sending_keypair(tx, now) : NULL;
	const struct keypair *used = keypair;
	int r = TX_MORE;

	tx->n_messages = 0;
	tx->n_sent = 0;
	tx->out_used = 0;
	if (keypair)
		take_staged(tx, keypair, now);
	for (size_t n_reads = 0; n_reads < tx->reads_max && !is_full(tx); n_reads++) {
		if (!tx->is_splitting) {
			r = read_packet(tx, now);
			if (r < 0)
				break;
		}
		if (tx->is_splitting) {
			keypair = sending_keypair(tx, now);
			used = keypair ? keypair : used;
			if (keypair && tx->staged.n > 0)
				take_staged(tx, keypair, now);
			take_segments(tx, keypair, now);
		}
		r = TX_MORE;
	}
	if (used && tx->n_messages > 0)
		note_sealed(tx, used, true, now);
	return r == -EAGAIN ? TX_IDLE : r;
}

/* Gives the batch to the socket. */
static bool flush(struct tx *tx, nsec_t now)
{
	size_t n = tx->n_messages - tx->n_sent;

	wire_follow(&tx->worker->wire);
	if (n > 0)
		tx->n_sent += wire_send(&tx->worker->wire, tx->messages + tx->n_sent, n, now);
	if (tx->n_sent == tx->n_messages)
		return true;
	worker_counters(tx->worker)->n[COUNT_TX_BLOCKED]++;
	return false;
}

int tx_run(struct tx *tx, nsec_t now)
{
	int r;

	if (!flush(tx, now))
		return TX_BLOCKED;
	if (tx->owes_keepalive)
		tx_keepalive(tx, now);
	r = flush(tx, now) ? fill(tx, now) : TX_BLOCKED;
	if (r < 0 || r == TX_BLOCKED)
		return r;
	return flush(tx, now) ? r : TX_BLOCKED;
}

void tx_keepalive(struct tx *tx, nsec_t now)
{
	struct keypair *keypair;

	tx->owes_keepalive = false;
	wire_follow(&tx->worker->wire);
	keypair = sending_keypair(tx, now);
	if (!keypair)
		return;
	if (tx->n_sent < tx->n_messages) {
		/* If not by what is on its way, a new key has still to be confirmed. */
		tx->owes_keepalive = tx->sealed_serial != keypair->serial;
		return;
	}
	tx->n_messages = 0;
	tx->n_sent = 0;
	tx->out_used = 0;
	/* Not from the slot: a superpacket may be under way in it. */
	seal(tx, keypair, tx->out + DATA_HEADER_LEN, 0, 0);
	note_sealed(tx, keypair, false, now);
	flush(tx, now);
}
