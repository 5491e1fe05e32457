/*
 * What the tests of daemon/core/tx.c share: an interface and a socket that are the test's, and a
 * peer that opens everything and knows each counter.
 */
#ifndef TESTS_UNIT_TX_DESK_H
#define TESTS_UNIT_TX_DESK_H

#include "tests/unit/data_desk.h"

#include "daemon/core/tx.h"

#define SENT_MAX 8192

/* Payload of a segment of a superpacket, which is PACKET_LEN bytes long with its headers. */
#define HEADERS_LEN  28
#define SEGMENT_SIZE (PACKET_LEN - HEADERS_LEN)

ssize_t __wrap_tun_read(const struct tun *from, uint8_t *buf, size_t size);
int __wrap_udp_send(const struct udp *udp, const struct udp_path *path,
		    const struct udp_message *messages, size_t n);
int __wrap_udp_send_singly(const struct udp *udp, const struct udp_path *path,
			   const struct udp_message *run);

static struct tx tx;
static struct tun tun = TUN_NULL;

/* What the interface has to read. */
static unsigned int n_waiting;
static uint32_t n_numbers;          /* packets that were read so far; their numbers */
static unsigned int n_segments;     /* of each, which is a superpacket then; 0: it is none */
static bool grows;                  /* each is longer than the one before */
static void (*while_reading)(void); /* what happens at that moment */
static int read_error;

/* The socket, and what it took. */
static bool is_socket_full;
static size_t room; /* messages until it is */
static int send_error;
static size_t n_calls;
static struct {
	uint64_t counter;
	uint32_t index; /* of the keypair */
	uint32_t number;
	struct udp_path path;
	bool is_data;
} sent[SENT_MAX];
static size_t n_sent;
static uint64_t next_counter[256]; /* by keypair; what the peer has seen */

static inline void store16(uint8_t *bytes, size_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static inline size_t make_single(uint8_t *buf)
{
	size_t header_len = tun.has_vnet ? VNET_HDR_LEN : 0;
	size_t len = PACKET_LEN + (grows ? n_numbers % 110 * PADDING_UNIT : 0);

	memset(buf, 0, header_len + len);
	make_packet(buf + header_len, ++n_numbers);
	store16(buf + header_len + 2, len);
	return header_len + len;
}

/* Segments with a number each, as many as the case asks for. */
static inline size_t make_superpacket(uint8_t *buf)
{
	const struct vnet_hdr header = {
		.flags = VNET_FLAG_NEEDS_CSUM,
		.gso_type = VNET_GSO_UDP_L4,
		.gso_size = SEGMENT_SIZE,
		.csum_start = 20,
		.csum_offset = 6,
	};
	size_t len = HEADERS_LEN + n_segments * SEGMENT_SIZE;
	uint8_t *packet = buf + VNET_HDR_LEN;

	assert_true(tun.has_vnet && len <= 65535);
	vnet_encode(buf, &header);
	memset(packet, 0, len);
	make_packet(packet, 0);
	store16(packet + 2, len);
	store16(packet + 24, len - 20);
	store16(packet + 26, 1);
	for (size_t i = 1; i <= n_segments; i++) {
		n_numbers++;
		memcpy(packet + HEADERS_LEN + i * SEGMENT_SIZE - sizeof(n_numbers), &n_numbers,
		       sizeof(n_numbers));
	}
	return VNET_HDR_LEN + len;
}

ssize_t __wrap_tun_read(const struct tun *from, uint8_t *buf, size_t size)
{
	assert_ptr_equal(from, &tun);
	assert_true(size >= PACKET_LEN);
	if (read_error)
		return read_error;
	if (n_waiting == 0)
		return -EAGAIN;
	if (while_reading)
		while_reading();
	n_waiting--;
	return (ssize_t)(n_segments ? make_superpacket(buf) : make_single(buf));
}

/* Opens a datagram as the peer does; a counter that is not the next one was used before, or is
 * lost for ever. */
static inline void take(const uint8_t *datagram, size_t len, const struct udp_path *path)
{
	struct keypair *keypair;
	struct msg_data header;
	uint8_t copy[2048];
	struct sealed_message message = { .bytes = copy, .len = len };

	assert_true(len <= sizeof(copy) && n_sent < SENT_MAX);
	memcpy(copy, datagram, len);
	memcpy(&header, datagram, sizeof(header));
	memset(&sent[n_sent], 0, sizeof(sent[n_sent]));
	sent[n_sent].index = le32_load(header.receiver);
	sent[n_sent].counter = le64_load(header.counter);
	assert_int_equal(sent[n_sent].counter, next_counter[sent[n_sent].index]++);
	keypair = keypairs_find(&desk.far, sent[n_sent].index);
	if (keypair) {
		keypairs_open(&desk.far, &message, 1, START);
		assert_int_equal(message.result, KEYPAIR_OPENED);
		sent[n_sent].is_data = message.plain_len > 0;
		sent[n_sent].number = message.plain_len ? number_of(copy + DATA_HEADER_LEN) : 0;
	}
	sent[n_sent].path = *path;
	n_sent++;
}

int __wrap_udp_send(const struct udp *udp, const struct udp_path *path,
		    const struct udp_message *messages, size_t n)
{
	(void)udp;
	n_calls++;
	if (send_error)
		return send_error;
	if (is_socket_full || room == 0)
		return -EAGAIN;
	n = MIN(n, room);
	room -= n;
	for (size_t i = 0; i < n; i++) {
		for (size_t at = 0; at < messages[i].len; at += messages[i].segment_len)
			take(messages[i].data + at,
			     MIN(messages[i].segment_len, messages[i].len - at), path);
	}
	return (int)n;
}

int __wrap_udp_send_singly(const struct udp *udp, const struct udp_path *path,
			   const struct udp_message *run)
{
	int r = __wrap_udp_send(udp, path, run, 1);

	return r < 0 ? r : (int)((run->len + run->segment_len - 1) / run->segment_len);
}

static inline void set_up_ends(void)
{
	memset(next_counter, 0, sizeof(next_counter));
	n_waiting = n_numbers = n_segments = 0;
	grows = false;
	while_reading = NULL;
	read_error = send_error = 0;
	is_socket_full = false;
	room = SIZE_MAX;
	n_sent = n_calls = 0;
	tun.has_vnet = false;
	desk.wire.udp.has_segment = true;
}

static inline int set_up_without_path(void **state)
{
	(void)state;
	desk_init(true, NULL);
	memset(&tx, 0, sizeof(tx));
	set_up_ends();
	tx.worker = &desk.worker;
	tx.tun = &tun;
	tx.reads_max = 256;
	tx.messages_max = UDP_BATCH;
	assert_int_equal(tx_init(&tx), 0);
	return 0;
}

static inline void set_path(const char *address, uint16_t port)
{
	struct udp_path path = path_to(address, port);

	latest_set_path(&desk.latest, &path);
}

static inline int set_up(void **state)
{
	set_up_without_path(state);
	set_path("192.0.2.1", PORT);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	tx_deinit(&tx);
	tx_deinit(&tx);
	desk_deinit();
	return 0;
}

static inline void run(int expected)
{
	assert_int_equal(tx_run(&tx, START), expected);
	assert_true(tx.n_sent <= tx.n_messages);
}

/* All packets that were read were sent, in order. */
static inline void all_were_sent(void)
{
	assert_int_equal(n_sent, n_numbers);
	for (uint32_t i = 0; i < n_sent; i++)
		assert_int_equal(sent[i].number, i + 1);
}

#endif
