/* From the interface to the network; see tx.h. */
#include "daemon/core/tx.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "daemon/core/tx_admit.h"
#include "daemon/data/ecn.h"
#include "daemon/data/frame.h"

/* The slot: a cache line of room for the vnet header, the packet, room for padding. */
#define SLOT_HEADROOM   64
#define SLOT_PACKET_MAX (65535 + FRAME_LINK_MAX)
#define SLOT_LEN        (SLOT_HEADROOM + SLOT_PACKET_MAX + 65)
/* What sealing adds to a packet at most. */
#define SEAL_EXTRA_MAX (DATA_HEADER_LEN + PADDING_UNIT + CIPHER_TAG_MAX)
/* A superpacket, sealed, unless its segments are tiny: 64 KiB, and room for 64 times what each
 * segment has beyond its payload. Nothing is read while less than that is free. */
#define SUPER_SEALED_LEN ((size_t)73728)
/* What one batch may hold: four superpackets, which fit a processor's second-level cache. */
#define OUT_LEN    (4 * SUPER_SEALED_LEN)
#define MEMORY_LEN (SLOT_LEN + OUT_LEN)

_Static_assert(STAGED_PACKET_MAX + SEAL_EXTRA_MAX <= OUT_LEN, "an empty batch takes any packet");
_Static_assert(FRAME_PADDING_MAX <= PADDING_UNIT, "padding of frames and packets alike");

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

static void begin_batch(struct tx *tx)
{
	tx->n_messages = 0;
	tx->n_sent = 0;
	tx->out_used = 0;
	tx->run_room = 0;
	tx->has_data = false;
}

/* Whether a sealed segment may join the last message. */
static bool fits_run(const struct tx *tx, size_t sealed_len, uint8_t tos)
{
	const struct udp_message *run = &tx->messages[MAX(tx->n_messages, 1) - 1];

	return tx->run_room > 0 && sealed_len <= run->segment_len && tos == run->tos;
}

/* Adds what was sealed at the end of `out` to the batch. */
static void add_sealed(struct tx *tx, size_t len, uint8_t tos)
{
	if (fits_run(tx, len, tos)) {
		struct udp_message *run = &tx->messages[tx->n_messages - 1];

		run->len += len;
		/* Only the last datagram of a run may be a shorter one. */
		tx->run_room = len < run->segment_len ? 0 : tx->run_room - 1;
	} else {
		tx->messages[tx->n_messages++] = (struct udp_message) {
			.data = tx->out + tx->out_used,
			.len = len,
			.segment_len = len,
			.tos = tos,
		};
		tx->run_room = MAX(MIN(UDP_RUN_LEN_MAX / len, (size_t)UDP_RUN_MAX), 1) - 1;
	}
	tx->out_used += len;
}

/* Whether a packet, with its padding, is too long for a message; counts and says it then. Only an
 * MTU that was set by hand lets such ones come. */
static bool is_too_long(struct tx *tx, size_t len, nsec_t now)
{
	if (len + tx->tun->is_tap <= STAGED_PACKET_MAX)
		return false;
	worker_counters(tx->worker)->n[COUNT_TX_TOO_BIG]++;
	troubles_say(&tx->worker->troubles, TROUBLE_TOO_BIG, now,
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

/* Whether the batch takes a packet of `len` bytes; an empty one does. */
static bool has_room(const struct tx *tx, const struct keypair *keypair, size_t len, uint8_t tos)
{
	if (tx->out_used + len + SEAL_EXTRA_MAX > OUT_LEN)
		return false;
	return tx->n_messages < tx->messages_max ||
	       fits_run(tx, DATA_HEADER_LEN + len + padding_of(tx, len) + keypair->cipher->tag_len,
			tos);
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

/* Seals a padded packet into the batch, which has room for it. */
static void seal(struct tx *tx, struct keypair *keypair, const uint8_t *packet, size_t padded_len,
		 uint8_t tos)
{
	add_sealed(tx, keypair_seal(keypair, tx->out + tx->out_used, packet, padded_len), tos);
	tx->sealed_serial = keypair->serial;
	tx->sealed_counter = keypair->send_counter;
}

/* Seals a packet, which is padded where it lies. */
static void seal_packet(struct tx *tx, struct keypair *keypair, uint8_t *packet, size_t len,
			uint8_t tos)
{
	size_t n_padding = padding_of(tx, len);

	pad(tx, packet, len, n_padding);
	seal(tx, keypair, packet, len + n_padding, tos);
	tx->has_data = true;
	worker_counters(tx->worker)->n[COUNT_TX_PACKETS]++;
}

/* Seals a segment. What is behind it is its padding for the time being: it belongs to the next
 * segment, so it is put back. */
static void seal_segment(struct tx *tx, struct keypair *keypair, uint8_t *segment, size_t len)
{
	uint8_t behind[PADDING_UNIT];

	if (tx->tun->is_tap && len >= tx->worker->state.whole_max && tx->worker->state.whole_max)
		say_fragmented(tx, len);
	memcpy(behind, segment + len, sizeof(behind));
	seal_packet(tx, keypair, segment, len, tx->tos);
	memcpy(segment + len, behind, sizeof(behind));
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

/* What the outer packet says of congestion and importance of an inner one. */
static uint8_t outer_tos(const struct tx *tx, uint8_t *packet, size_t len)
{
	struct inner inner;

	return find_inner(tx, packet, len, &inner) ? ecn_encapsulate(inner_get_tos(&inner)) : 0;
}

/* Moves packets that waited for a session into the batch. \return false when it is full */
static bool take_staged(struct tx *tx, struct keypair *keypair, nsec_t now)
{
	uint8_t *packet;
	size_t len;

	if (tx->staged.n == 0)
		return true;
	while (keypair_can_send(keypair, now) && (packet = staged_first(&tx->staged, &len))) {
		uint8_t tos = outer_tos(tx, packet, len);

		if (!has_room(tx, keypair, len, tos))
			return false;
		seal_packet(tx, keypair, packet, len, tos);
		(void)staged_pop(&tx->staged, &len);
	}
	if (tx->staged.n == 0)
		staged_clear(&tx->staged);
	return true;
}

/* Keeps a packet until there is a session. */
static void stage(struct tx *tx, const uint8_t *packet, size_t len)
{
	if (!staged_push(&tx->staged, packet, len))
		worker_counters(tx->worker)->n[COUNT_TX_NO_SESSION]++;
}

/* Seals or stages segments of the packet in the slot, until it is at its end or the batch full. */
static void take_segments(struct tx *tx, struct keypair *keypair, nsec_t now)
{
	size_t len_max = vnet_split_segment_len(&tx->split);

	while (!vnet_split_is_done(&tx->split)) {
		bool can_send = keypair_can_send(keypair, now);
		uint8_t *segment;
		size_t len;

		if (can_send && !has_room(tx, keypair, len_max, tx->tos))
			return;
		segment = vnet_split_next(&tx->split, &len);
		if (is_too_long(tx, len, now))
			continue;
		if (can_send)
			seal_segment(tx, keypair, segment, len);
		else
			stage(tx, segment, len);
	}
	tx->is_splitting = false;
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
	if (!tx_admit(tx, has_inner ? &inner : NULL, now))
		return;
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

	/* The kernel had a packet that the header has no words for (tun.c, tun_put_user). It is
	 * gone; the interface is not. */
	if (len == -EINVAL)
		worker_counters(tx->worker)->n[COUNT_TX_NOT_IP]++;
	if (len < 0)
		return len == -EINVAL ? 0 : (int)len;
	if (tx->tun->has_vnet)
		header = vnet_decode(start);
	if ((size_t)len > header_len)
		take_packet(tx, &header, (size_t)len - header_len, now);
	return 0;
}

/* The keypair to seal with now, or NULL. */
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
	if (!wire_has_path(&worker->wire) || !keypair_can_send(keypairs->current, now))
		return NULL;
	return keypairs->current;
}

/* Asks for a session, which starts a handshake, if there is somebody to have one with. */
static void ask_for_session(struct tx *tx)
{
	const struct keypair *current = tx->worker->keypairs->current;

	if (wire_has_path(&tx->worker->wire))
		teller_want_session(&tx->worker->teller, current ? current->serial : 0);
}

/* Seals what waited for a session, and behind it the packet in the slot, as far as the batch has
 * room. The keypair is looked at for each packet: one that answers to a peer which has just taken
 * up new keys must be sealed with these. */
static void take_waiting(struct tx *tx, nsec_t now)
{
	struct keypair *keypair;

	if (!tx->is_splitting && tx->staged.n == 0)
		return;
	keypair = sending_keypair(tx, now);
	/* Not for what is staged: that was asked for, and may be dropped when nobody answers. */
	if (!keypair && tx->is_splitting)
		ask_for_session(tx);
	if ((!keypair || take_staged(tx, keypair, now)) && tx->is_splitting)
		take_segments(tx, keypair, now);
}

/* Seals a batch of what the interface has, which ends in the middle of a superpacket only if its
 * segments are tiny, or if there are few messages to a batch.
 * \return 0, or a negative errno when the interface cannot be read any more */
static int read_batch(struct tx *tx, nsec_t now)
{
	int r = 0;

	begin_batch(tx);
	for (size_t n_reads = 0;
	     r == 0 && n_reads < tx->reads_max && !tx->is_splitting &&
	     tx->n_messages < tx->messages_max && tx->out_used + SUPER_SEALED_LEN <= OUT_LEN;
	     n_reads++) {
		r = read_packet(tx, now);
		if (tx->is_splitting)
			take_waiting(tx, now);
	}
	return r == -EAGAIN ? 0 : r;
}

/* Gives the batch to the socket, and takes note of it for the timers, also of what the socket
 * refused: nothing comes back for that, so the peer is looked for elsewhere. \return false when the
 * socket is full */
static bool flush(struct tx *tx, nsec_t now)
{
	struct worker *worker = tx->worker;
	size_t n = tx->n_messages - tx->n_sent, n_done;

	wire_follow(&worker->wire);
	if (n == 0)
		return true;
	n_done = wire_send(&worker->wire, tx->messages + tx->n_sent, n, now);
	tx->n_sent += n_done;
	if (n_done > 0) {
		worker->teller.news.send_counter = tx->sealed_counter;
		teller_note(&worker->teller, tx->has_data, now);
	}
	if (n_done == n)
		return true;
	worker_counters(worker)->n[COUNT_TX_BLOCKED]++;
	return false;
}

/* Sends all that does not have to wait any longer: the batch, what is staged, and the rest of a
 * superpacket, in as many batches as that takes. \return false when the socket is full */
static bool flush_all(struct tx *tx, nsec_t now)
{
	while (flush(tx, now)) {
		begin_batch(tx);
		take_waiting(tx, now);
		if (tx->n_messages == 0)
			return true;
	}
	return false;
}

int tx_run(struct tx *tx, nsec_t now)
{
	int r;

	if (flush_all(tx, now) && tx->owes_keepalive)
		tx_keepalive(tx, now);
	if (tx->n_sent < tx->n_messages)
		return TX_BLOCKED;
	r = read_batch(tx, now);
	return flush_all(tx, now) || r < 0 ? r : TX_BLOCKED;
}

void tx_want_session(struct tx *tx, nsec_t now)
{
	wire_follow(&tx->worker->wire);
	if (!sending_keypair(tx, now))
		ask_for_session(tx);
}

void tx_keepalive(struct tx *tx, nsec_t now)
{
	struct keypair *keypair;

	tx->owes_keepalive = false;
	wire_follow(&tx->worker->wire);
	keypair = sending_keypair(tx, now);
	if (!keypair) {
		ask_for_session(tx);
		return;
	}
	if (tx->n_sent < tx->n_messages) {
		/* If not by what is on its way, a new key has still to be confirmed. */
		tx->owes_keepalive = tx->sealed_serial != keypair->serial;
		return;
	}
	begin_batch(tx);
	seal(tx, keypair, tx->out + DATA_HEADER_LEN, 0, 0);
	flush(tx, now);
}
