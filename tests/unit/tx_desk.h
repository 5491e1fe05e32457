/*
 * What the tests of daemon/core/tx.c share: an interface and a socket that are the test's, and a
 * peer that opens everything and knows each counter.
 */
#ifndef TESTS_UNIT_TX_DESK_H
#define TESTS_UNIT_TX_DESK_H

#include "tests/unit/data_desk.h"

#include "daemon/core/tx.h"

#define SENT_MAX 4096

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
static void (*while_reading)(void); /* what happens at that moment */
static int read_error;

/* The socket, and what it took. */
static bool is_socket_full;
static struct {
	uint64_t counter;
	uint32_t index; /* of the keypair */
	uint32_t number;
	struct udp_path path;
	bool is_data;
} sent[SENT_MAX];
static size_t n_sent;
static uint64_t next_counter[256]; /* by keypair; what the peer has seen */

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
	make_packet(buf, ++n_numbers);
	return PACKET_LEN;
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
	if (is_socket_full)
		return -EAGAIN;
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

	return r < 0 ? r : (int)(run->len / run->segment_len);
}

static inline int set_up_without_path(void **state)
{
	(void)state;
	desk_init(true, NULL);
	memset(&tx, 0, sizeof(tx));
	memset(next_counter, 0, sizeof(next_counter));
	n_waiting = n_numbers = 0;
	while_reading = NULL;
	read_error = 0;
	is_socket_full = false;
	n_sent = 0;
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

#endif
