/* From the interface to the network; see tx.h. */
#include "daemon/core/tx.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "daemon/data/ecn.h"
#include "daemon/data/inner.h"
#include "daemon/data/tun.h"

/* A slot: header, packet, padding, tag. Staged packets fit too. */
#define SLOT_LEN  (DATA_HEADER_LEN + STAGED_PACKET_MAX + PADDING_UNIT + TAG_LEN)
#define SLOTS_LEN ((size_t)UDP_BATCH * SLOT_LEN)

int tx_init(struct tx *tx)
{
	/* Pages that are never used, because packets are small, cost nothing. */
	void *memory = mmap(NULL, SLOTS_LEN, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return -ENOMEM;
	tx->slots = memory;
	return 0;
}

void tx_deinit(struct tx *tx)
{
	if (tx->slots)
		munmap(tx->slots, SLOTS_LEN);
	tx->slots = NULL;
}

/* The slot of the next message. */
static uint8_t *next_slot(const struct tx *tx)
{
	return tx->slots + tx->n_messages * SLOT_LEN;
}

/* Pads and seals the packet that lies in the next slot, and adds it to the batch. */
static void seal(struct tx *tx, struct keypair *keypair, size_t len, uint8_t tos)
{
	uint8_t *slot = next_slot(tx);
	size_t padded = MIN(keypair_padded_len(len, tx->mtu), STAGED_PACKET_MAX);

	memset(slot + DATA_HEADER_LEN + len, 0, padded - len);
	tx->messages[tx->n_messages++] = (struct udp_message) {
		.data = slot,
		.len = keypair_seal(keypair, slot, padded),
		.tos = tos,
	};
}

/* Moves packets that waited for a session into the batch. */
static void take_staged(struct tx *tx, struct keypair *keypair, nsec_t now)
{
	struct inner inner;
	const uint8_t *packet;
	size_t len;

	while (tx->n_messages < UDP_BATCH && keypair_can_send(keypair, now) &&
	       (packet = staged_pop(&tx->peer->staged, &len))) {
		uint8_t *copy = next_slot(tx) + DATA_HEADER_LEN;
		uint8_t tos = 0;

		memcpy(copy, packet, len);
		if (inner_parse(copy, len, &inner))
			tos = ecn_encapsulate(inner_get_tos(&inner));
		seal(tx, keypair, len, tos);
		tx->wire->counters->n[COUNT_TX_PACKETS]++;
	}
	if (tx->peer->staged.n == 0)
		staged_clear(&tx->peer->staged);
}

/* Whether a packet from the interface may go to the peer; counts it if not. */
static bool may_go(struct tx *tx, const struct inner *inner, nsec_t now)
{
	char address[INNER_ADDRESS_TEXT_MAX];

	if (!allowedips_contain(tx->allowed, inner->family, inner->destination)) {
		tx->wire->counters->n[COUNT_TX_NOT_ALLOWED]++;
		inner_format_address(inner->family, inner->destination, address);
		report_trouble(tx->wire->report, REPORT_NOT_ALLOWED_OUT, now,
			       "dropped packets to %s, which AllowedIPs does not allow", address);
		return false;
	}
	if (!wire_has_path(tx->wire) && !tx->may_wait) {
		tx->wire->counters->n[COUNT_TX_NO_ENDPOINT]++;
		report_trouble(tx->wire->report, REPORT_NO_ENDPOINT, now,
			       "dropped packets: the peer has no Endpoint in the file and has not "
			       "called yet");
		return false;
	}
	return true;
}

/* One packet that was read into the next slot: seals or stages it. */
static void take_packet(struct tx *tx, struct keypair *keypair, size_t len, nsec_t now)
{
	uint8_t *packet = next_slot(tx) + DATA_HEADER_LEN;
	struct inner inner;

	if (!inner_parse(packet, len, &inner)) {
		tx->wire->counters->n[COUNT_TX_NOT_IP]++;
		return;
	}
	if (!may_go(tx, &inner, now))
		return;
	if (!keypair_can_send(keypair, now)) {
		peer_stage(tx->peer, packet, len);
		return;
	}
	seal(tx, keypair, len, ecn_encapsulate(inner_get_tos(&inner)));
	tx->wire->counters->n[COUNT_TX_PACKETS]++;
}

/* The keypair of a batch; asked for only when there is somewhere to send to, because the
 * question starts a handshake. */
static struct keypair *batch_keypair(struct tx *tx, nsec_t now)
{
	return wire_has_path(tx->wire) ? peer_sending_keypair(tx->peer, now) : NULL;
}

/* Reads the interface until the batch is full or the interface is empty. */
static int take_packets(struct tx *tx, struct keypair *keypair, bool has_keypair, nsec_t now)
{
	for (size_t n_read = 0; n_read < UDP_BATCH && tx->n_messages < UDP_BATCH; n_read++) {
		ssize_t len = tun_read(tx->tun, next_slot(tx) + DATA_HEADER_LEN, STAGED_PACKET_MAX);

		if (len == -EAGAIN)
			return TX_IDLE;
		if (len < 0)
			return (int)len;
		if (!has_keypair) {
			keypair = batch_keypair(tx, now);
			has_keypair = true;
		}
		take_packet(tx, keypair, (size_t)len, now);
	}
	return TX_MORE;
}

/* Seals a new batch. */
static int fill(struct tx *tx, nsec_t now)
{
	struct keypair *keypair = NULL;
	bool has_staged = tx->peer->staged.n > 0;
	int r;

	tx->n_messages = 0;
	tx->n_sent = 0;
	if (has_staged) {
		keypair = batch_keypair(tx, now);
		take_staged(tx, keypair, now);
	}
	r = take_packets(tx, keypair, has_staged, now);
	if (tx->n_messages > 0)
		peer_sealed(tx->peer, true, now);
	return r < 0 ? r : tx->peer->staged.n > 0 && keypair ? TX_MORE : r;
}

/* Gives the batch to the socket. */
static bool flush(struct tx *tx, nsec_t now)
{
	size_t n = tx->n_messages - tx->n_sent;

	if (n > 0)
		tx->n_sent += wire_send(tx->wire, tx->messages + tx->n_sent, n, now);
	if (tx->n_sent == tx->n_messages)
		return true;
	tx->wire->counters->n[COUNT_TX_BLOCKED]++;
	return false;
}

int tx_run(struct tx *tx, nsec_t now)
{
	int r;

	if (!flush(tx, now))
		return TX_BLOCKED;
	r = fill(tx, now);
	if (r < 0)
		return r;
	return flush(tx, now) ? r : TX_BLOCKED;
}

void tx_keepalive(struct tx *tx, nsec_t now)
{
	struct keypair *keypair;

	if (tx->n_sent < tx->n_messages)
		return;
	keypair = batch_keypair(tx, now);
	if (!keypair)
		return;
	tx->n_messages = 0;
	tx->n_sent = 0;
	seal(tx, keypair, 0, 0);
	peer_sealed(tx->peer, false, now);
	flush(tx, now);
}
