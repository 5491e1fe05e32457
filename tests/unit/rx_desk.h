/*
 * The receiving loop on a desk (daemon/core/rx.c): what arrives, what is written and what was known
 * by then, and an interface that can refuse it.
 */
#ifndef TESTS_UNIT_RX_DESK_H
#define TESTS_UNIT_RX_DESK_H

#include "tests/unit/data_desk.h"

#include "daemon/core/rx.h"

#define SEALED_LEN (DATA_HEADER_LEN + PACKET_LEN + TAG_LEN)
#define OTHER_PORT 7777 /* of strangers */
#define QUEUE_MAX  8
#define LOOP_INDEX 5

int __wrap_udp_receive(int fd, struct udp_datagram *datagrams, size_t n);
int __wrap_tun_write(const struct tun *to, const struct iovec *iov, size_t n);
nsec_t __wrap_nsec_boottime(void);

static nsec_t clock_now;
static struct rx rx;
static struct tun tun = TUN_NULL;
static struct ways ways;
static struct handshakes handshakes;

/* What arrives, all at once. */
static struct {
	size_t len;
	struct udp_path path;
	uint8_t bytes[SEALED_LEN + 100];
} queue[QUEUE_MAX];
static size_t n_queue;
static void (*while_receiving)(void); /* what control does at that moment */

/* What was written, and what was known by then. */
static uint32_t written[QUEUE_MAX];
static size_t n_written;
static uint64_t confirmed_then;
static struct udp_path path_then;
static int write_error;
static bool refuses_merged; /* the interface: with EINVAL */
static unsigned int n_refused;
static int fails_singly;
static bool is_alone[QUEUE_MAX]; /* what was written was a packet by itself */

nsec_t __wrap_nsec_boottime(void)
{
	return clock_now;
}

int __wrap_udp_receive(int fd, struct udp_datagram *datagrams, size_t n)
{
	size_t n_received = MIN(n, n_queue);

	(void)fd;
	if (while_receiving)
		while_receiving();
	for (size_t i = 0; i < n_received; i++) {
		memcpy(datagrams[i].data, queue[i].bytes, queue[i].len);
		datagrams[i].len = datagrams[i].segment_len = queue[i].len;
		datagrams[i].tos = 0;
		datagrams[i].path = queue[i].path;
	}
	n_queue = 0;
	return n_received > 0 ? (int)n_received : -EAGAIN;
}

static inline void note_written(const uint8_t *packet, bool alone)
{
	assert_true(n_written < QUEUE_MAX);
	is_alone[n_written] = alone;
	written[n_written++] = number_of(packet);
}

/* The payloads of a superpacket lie behind its header. */
static inline int write_merged(const struct iovec *iov, size_t n)
{
	if (refuses_merged) {
		n_refused++;
		return -EINVAL;
	}
	for (size_t i = 1; i < n; i++)
		note_written((const uint8_t *)iov[i].iov_base + iov[i].iov_len - PACKET_LEN, false);
	return 0;
}

int __wrap_tun_write(const struct tun *to, const struct iovec *iov, size_t n)
{
	size_t header_len = tun.has_vnet ? VNET_HDR_LEN : 0;

	assert_ptr_equal(to, &tun);
	confirmed_then = latest_confirmed(&desk.latest);
	path_then = desk.latest.path;
	if (write_error)
		return write_error;
	if (n > 1)
		return write_merged(iov, n);
	if (fails_singly)
		return fails_singly;
	assert_int_equal(iov->iov_len, header_len + PACKET_LEN);
	note_written((const uint8_t *)iov->iov_base + header_len, true);
	return 0;
}

static inline int set_up(void **state)
{
	(void)state;
	desk_init(false, "192.0.2.1");
	memset(&rx, 0, sizeof(rx));
	memset(&handshakes, 0, sizeof(handshakes));
	memset(&ways, 0, sizeof(ways));
	clock_now = START;
	n_queue = n_written = 0;
	while_receiving = NULL;
	write_error = 0;
	refuses_merged = false;
	n_refused = 0;
	fails_singly = 0;
	tun = (struct tun)TUN_NULL;
	mailbox_init(&handshakes.box, desk.control, desk_on_facts, NULL);
	rx.worker = &desk.worker;
	rx.tun = &tun;
	rx.handshakes = &handshakes;
	rx.receive_max = UDP_BATCH;
	assert_int_equal(rx_init(&rx), 0);
	gro_begin(&rx.gro, 0);
	desk.worker.wire.ways = &ways;
	desk.worker.wire.own_ifindex = LOOP_INDEX;
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	rx_deinit(&rx);
	rx_deinit(&rx);
	mailbox_deinit(&handshakes.box);
	desk_deinit();
	return 0;
}

/* The way to an address, as the kernel would say it: by which interface. */
static inline void set_way(size_t i, const struct udp_path *path, unsigned int ifindex)
{
	ways.answers[i] = (struct way) {
		.remote = path->remote,
		.until = NSEC_NEVER,
		.path.ifindex = ifindex,
	};
}

/* Adds a sealed packet to what arrives. Returns where, for the test to spoil it. */
static inline uint8_t *arrive(struct keypair *keypair, uint32_t number, const char *from,
			      uint16_t port)
{
	uint8_t packet[PACKET_LEN];
	size_t i = n_queue++;

	assert_true(i < QUEUE_MAX);
	make_packet(packet, number);
	queue[i].len = keypair_seal(keypair, queue[i].bytes, packet, sizeof(packet));
	queue[i].path = path_to(from, port);
	set_way(0, &queue[i].path, 2);
	return queue[i].bytes;
}

/* Adds bytes that begin like a message of that type. */
static inline void arrive_message(uint8_t type, size_t len)
{
	size_t i = n_queue++;

	memset(queue[i].bytes, 0, len);
	queue[i].bytes[0] = type;
	queue[i].len = len;
	queue[i].path = path_to("198.51.100.9", OTHER_PORT);
}

static inline void run(void)
{
	assert_int_equal(rx_run(&rx, -1), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
