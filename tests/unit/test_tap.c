/*
 * Tests of daemon/core/tx.c and rx.c with a TAP interface: any frame goes to the peer and comes out
 * as it was, whatever AllowedIPs say; what is no frame is dropped and counted; what the path does
 * not carry whole is said once, and TCP superpackets are split so that it does not come to that.
 */
#include "tests/unit/data_desk.h"

#include "daemon/core/rx.h"
#include "daemon/core/tx.h"
#include "tests/unit/offload_ref.h"

#define FRAME_MAX 3000
#define SUPER_MAX 66100
#define SENT_MAX  128
#define WHOLE_MAX 1440

ssize_t __wrap_tun_read(const struct tun *from, uint8_t *buf, size_t size);
int __wrap_udp_send(const struct udp *udp, const struct udp_path *path,
		    const struct udp_message *messages, size_t n);
int __wrap_udp_send_singly(const struct udp *udp, const struct udp_path *path,
			   const struct udp_message *run);
int __wrap_udp_receive(int fd, struct udp_datagram *datagrams, size_t n);
int __wrap_tun_write(const struct tun *to, const struct iovec *iov, size_t n);
nsec_t __wrap_nsec_boottime(void);

static struct tun tap = { .fd = -1, .is_tap = true, .has_vnet = true };
static struct tx tx;
static struct rx rx;
static struct ways ways;
static struct handshakes handshakes;

/* What the interface has to read: once. */
static uint8_t waiting[VNET_HDR_LEN + SUPER_MAX];
static size_t waiting_len;

/* What was sent. */
static struct {
	uint8_t bytes[FRAME_MAX];
	size_t len;
	uint8_t tos;
} sent[SENT_MAX];
static size_t n_sent;

/* What arrives, and what of it was written. */
static uint8_t arriving[FRAME_MAX];
static size_t arriving_len;
static uint8_t arriving_tos;
static uint8_t written[SUPER_MAX];
static size_t written_len, n_written;

nsec_t __wrap_nsec_boottime(void)
{
	return START;
}

ssize_t __wrap_tun_read(const struct tun *from, uint8_t *buf, size_t size)
{
	size_t len = waiting_len;

	assert_ptr_equal(from, &tap);
	assert_true(size >= VNET_HDR_LEN + 65535 + FRAME_LINK_MAX);
	if (len == 0)
		return -EAGAIN;
	memcpy(buf, waiting, len);
	waiting_len = 0;
	return (ssize_t)len;
}

int __wrap_udp_send(const struct udp *udp, const struct udp_path *path,
		    const struct udp_message *messages, size_t n)
{
	(void)udp;
	(void)path;
	for (size_t i = 0; i < n; i++) {
		for (size_t at = 0; at < messages[i].len; at += messages[i].segment_len) {
			assert_true(n_sent < SENT_MAX);
			sent[n_sent].len = MIN(messages[i].segment_len, messages[i].len - at);
			assert_true(sent[n_sent].len <= FRAME_MAX);
			memcpy(sent[n_sent].bytes, messages[i].data + at, sent[n_sent].len);
			sent[n_sent++].tos = messages[i].tos;
		}
	}
	return (int)n;
}

int __wrap_udp_send_singly(const struct udp *udp, const struct udp_path *path,
			   const struct udp_message *run)
{
	(void)__wrap_udp_send(udp, path, run, 1);
	return (int)((run->len + run->segment_len - 1) / run->segment_len);
}

int __wrap_udp_receive(int fd, struct udp_datagram *datagrams, size_t n)
{
	(void)fd;
	assert_true(n > 0);
	if (arriving_len == 0)
		return -EAGAIN;
	memcpy(datagrams[0].data, arriving, arriving_len);
	datagrams[0].len = datagrams[0].segment_len = arriving_len;
	datagrams[0].tos = arriving_tos;
	datagrams[0].path = path_to("192.0.2.1", PORT);
	arriving_len = 0;
	return 1;
}

int __wrap_tun_write(const struct tun *to, const struct iovec *iov, size_t n)
{
	assert_ptr_equal(to, &tap);
	written_len = 0;
	for (size_t i = 0; i < n; i++) {
		memcpy(written + written_len, iov[i].iov_base, iov[i].iov_len);
		written_len += iov[i].iov_len;
	}
	n_written++;
	return 0;
}

static int set_up(bool seals)
{
	desk_init(seals, "192.0.2.1");
	/* Nothing of a frame is anybody's to forbid. */
	desk.forbids = true;
	waiting_len = n_sent = arriving_len = n_written = written_len = arriving_tos = 0;
	return 0;
}

static void tell(unsigned int whole_max)
{
	const struct order_state state = { .mtu = 1500, .whole_max = whole_max, .may_wait = true };

	orders_give(&desk.worker.orders, &state, &desk.told, 0);
	keypairs_wipe_send_keys(&desk.told);
	keypairs_wipe_receive_keys(&desk.told);
	worker_look_for_orders(&desk.worker);
}

static int set_up_tx(void **state)
{
	(void)state;
	set_up(true);
	memset(&tx, 0, sizeof(tx));
	tx.worker = &desk.worker;
	tx.tun = &tap;
	tx.reads_max = 256;
	tx.messages_max = UDP_BATCH;
	return tx_init(&tx);
}

static int tear_down_tx(void **state)
{
	(void)state;
	tx_deinit(&tx);
	desk_deinit();
	return 0;
}

static int set_up_rx(void **state)
{
	(void)state;
	set_up(false);
	memset(&rx, 0, sizeof(rx));
	memset(&ways, 0, sizeof(ways));
	memset(&handshakes, 0, sizeof(handshakes));
	mailbox_init(&handshakes.box, desk.control, desk_on_facts, NULL);
	rx.worker = &desk.worker;
	rx.tun = &tap;
	rx.handshakes = &handshakes;
	rx.receive_max = UDP_BATCH;
	desk.worker.wire.ways = &ways;
	gro_begin(&rx.gro, GRO_TCP | GRO_UDP);
	return rx_init(&rx);
}

static int tear_down_rx(void **state)
{
	(void)state;
	rx_deinit(&rx);
	mailbox_deinit(&handshakes.box);
	desk_deinit();
	return 0;
}

/* Opens what was sent as the peer does. Returns the frame's length; it lies at *ret. */
static size_t open_sent(size_t i, const uint8_t **ret)
{
	static uint8_t copy[FRAME_MAX];
	struct sealed_message message = { .bytes = copy, .len = sent[i].len };
	size_t len;

	memcpy(copy, sent[i].bytes, sent[i].len);
	keypairs_open(&desk.far, &message, 1, START);
	assert_int_equal(message.result, KEYPAIR_OPENED);
	assert_true(frame_unpad(copy + DATA_HEADER_LEN, message.plain_len, &len));
	*ret = copy + DATA_HEADER_LEN;
	return len;
}

/* Stations, and a type. */
static void make_link(uint8_t *frame, uint16_t type)
{
	memset(frame, 0xff, 6);
	memset(frame + 6, 0x06, 6);
	ref_store16(frame + 12, type);
}

static void frames_of_any_kind_and_length_go(void **state)
{
	static const uint16_t types[] = { 0x0806, 0x88cc, 46, 0x86dd, 0x0800, 0x8100, 0x88b5 };
	struct seeded seeded = seeded_begin("frames_of_any_kind_and_length_go");

	(void)state;
	desk_rekey(true, 1);
	tell(WHOLE_MAX);
	for (size_t len = FRAME_HEADER_LEN; len <= 1600; len++) {
		uint8_t *frame = waiting + VNET_HDR_LEN;
		const uint8_t *got;

		memset(waiting, 0, VNET_HDR_LEN);
		ref_fill(&seeded, frame, len);
		make_link(frame, types[len % ARRAY_SIZE(types)]);
		waiting_len = VNET_HDR_LEN + len;
		n_sent = 0;
		assert_int_equal(tx_run(&tx, START), TX_DONE);
		assert_int_equal(n_sent, 1);
		assert_int_equal(open_sent(0, &got), len);
		assert_memory_equal(got, waiting + VNET_HDR_LEN, len);
		if (len < WHOLE_MAX)
			assert_true(sent[0].len <= DATA_OVERHEAD + WHOLE_MAX);
	}
	assert_int_equal(desk_count(COUNT_TX_NOT_ALLOWED), 0);
	assert_int_equal(desk_count(COUNT_TX_NOT_IP), 0);
	assert_int_equal(tx.said_whole_max, WHOLE_MAX);
}

static void what_is_no_frame_stays(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	tell(WHOLE_MAX);
	for (size_t len = 1; len < FRAME_HEADER_LEN; len++) {
		memset(waiting, 0, VNET_HDR_LEN + len);
		waiting_len = VNET_HDR_LEN + len;
		assert_int_equal(tx_run(&tx, START), TX_DONE);
	}
	assert_int_equal(n_sent, 0);
	assert_int_equal(desk_count(COUNT_TX_NOT_IP), FRAME_HEADER_LEN - 1);
}

/* Frames that no message holds: an MTU that was set by hand. */
static void what_is_too_long_is_counted(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	tell(0);
	for (size_t len = STAGED_PACKET_MAX; len <= 65535 + FRAME_LINK_MAX; len += 7) {
		memset(waiting, 0, VNET_HDR_LEN);
		make_link(waiting + VNET_HDR_LEN, 0x88b5);
		waiting_len = VNET_HDR_LEN + len;
		assert_int_equal(tx_run(&tx, START), TX_DONE);
	}
	assert_int_equal(n_sent, 0);
	assert_true(desk_count(COUNT_TX_TOO_BIG) > 0);
}

static void frames_wait_for_a_session(void **state)
{
	const uint8_t *got;

	(void)state;
	tell(WHOLE_MAX);
	memset(waiting, 0, VNET_HDR_LEN + 77);
	make_link(waiting + VNET_HDR_LEN, 0x0806);
	waiting[VNET_HDR_LEN + 76] = 9;
	waiting_len = VNET_HDR_LEN + 77;
	assert_int_equal(tx_run(&tx, START), TX_DONE);
	assert_int_equal(tx.staged.n, 1);
	desk_rekey(true, 1);
	tell(WHOLE_MAX);
	assert_int_equal(tx_run(&tx, START), TX_DONE);
	assert_int_equal(n_sent, 1);
	assert_int_equal(open_sent(0, &got), 77);
	assert_memory_equal(got, waiting + VNET_HDR_LEN, 77);
}

/* A TCP superpacket behind a tag, of segments that are too long, or a UDP one. */
static size_t make_super(uint8_t protocol, size_t payload_len, uint8_t tos)
{
	static uint8_t payload[SUPER_MAX];
	struct ref_packet spec = { .protocol = protocol, .flags = REF_ACK, .tos = tos, .ttl = 9 };
	uint8_t *frame = waiting + VNET_HDR_LEN;
	struct vnet_hdr header = {
		.flags = VNET_FLAG_NEEDS_CSUM,
		.gso_type = protocol == REF_TCP ? VNET_GSO_TCPV4 : VNET_GSO_UDP_L4,
		.gso_size = 1460,
		.csum_start = 18 + 20,
		.csum_offset = protocol == REF_TCP ? 16 : 6,
	};
	size_t len;

	make_link(frame, 0x8100);
	ref_store16(frame + 14, 5);
	ref_store16(frame + 16, 0x0800);
	for (size_t i = 0; i < payload_len; i++)
		payload[i] = (uint8_t)(i * 7 + (i >> 8));
	len = ref_build(frame + 18, &spec, payload, payload_len);
	ref_make_partial(frame + 18, len);
	vnet_encode(waiting, &header);
	waiting_len = VNET_HDR_LEN + 18 + len;
	return len;
}

static void superpackets_fit_the_path(void **state)
{
	static uint8_t original[SUPER_MAX], expected[SUPER_MAX];
	static const uint8_t protocols[] = { REF_TCP, REF_UDP };

	(void)state;
	desk_rekey(true, 1);
	tell(WHOLE_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		bool tcp = protocols[i] == REF_TCP;
		size_t len = make_super(protocols[i], 40000, 1);
		size_t gso_size = tcp ? WHOLE_MAX - 1 - 18 - 40 : 1460, index = 0;
		const uint8_t *got;

		memcpy(original, waiting + VNET_HDR_LEN, 18 + len);
		n_sent = 0;
		tx.said_whole_max = 0;
		while (tx_run(&tx, START) != TX_DONE)
			;
		for (; index < n_sent; index++) {
			size_t ip_len = ref_segment(original + 18, len, gso_size, index, expected);

			assert_int_equal(open_sent(index, &got), 18 + ip_len);
			assert_memory_equal(got, original, 18);
			assert_memory_equal(got + 18, expected, ip_len);
			/* The mark, from behind the tag. */
			assert_int_equal(sent[index].tos, 1);
			if (tcp)
				assert_true(sent[index].len <= DATA_OVERHEAD + WHOLE_MAX);
		}
		assert_int_equal(index, (40000 + gso_size - 1) / gso_size);
		/* Datagrams stay as long as they are; that is said. */
		assert_int_equal(tx.said_whole_max, tcp ? 0 : WHOLE_MAX);
	}
}

/* Nothing is known of the path yet: nothing is split, nothing said. */
static void an_unknown_path_limits_nothing(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	tell(0);
	make_super(REF_TCP, 14600, 0);
	while (tx_run(&tx, START) != TX_DONE)
		;
	assert_int_equal(n_sent, 10);
	assert_int_equal(tx.said_whole_max, 0);
}

/* Each frame that leaves counts, also of a superpacket; who has sent something is not flooded. */
static void the_limit_counts_the_frames_that_leave(void **state)
{
	static const uint8_t unknown[6] = { 0x02, 9, 9, 9, 9, 9 };

	(void)state;
	desk_rekey(true, 1);
	tell(0);
	storm_init(&tx.storm, 15, START);
	for (int i = 0; i < 2; i++) {
		make_super(REF_TCP, 14600, 0);
		while (tx_run(&tx, START) != TX_DONE)
			;
		assert_int_equal(n_sent, 10);
		assert_int_equal(desk_count(COUNT_TX_STORM), i * 10);
	}
	for (int i = 0; i < 2; i++) {
		make_super(REF_TCP, 14600, 0);
		memcpy(waiting + VNET_HDR_LEN, unknown, sizeof(unknown));
		while (tx_run(&tx, START) != TX_DONE)
			;
		assert_int_equal(n_sent, 10 + i * 10);
		assert_int_equal(desk_count(COUNT_TX_STORM), 20);
		/* As rx does it in the other thread. */
		stations_learn(&desk.latest.stations, unknown, START);
	}
}

/* Seals a plaintext as the peer does, and lets it arrive. */
static void arrive(const uint8_t *plain, size_t len)
{
	arriving_len = keypair_seal(desk.far.current, arriving, plain, len);
	assert_int_equal(rx_run(&rx, 0), 0);
}

static void frames_come_out_as_they_were(void **state)
{
	struct seeded seeded = seeded_begin("frames_come_out_as_they_were");

	(void)state;
	desk_rekey(true, 1);
	tell(0);
	for (size_t len = FRAME_HEADER_LEN; len <= 1600; len++) {
		uint8_t frame[1600 + FRAME_PADDING_MAX], original[1600];

		ref_fill(&seeded, frame, len);
		frame[6] |= 2; /* a source, and not nobody */
		ref_store16(frame + 12, len % 2 ? 0x0800 : 0x88cc);
		memcpy(original, frame, len);
		frame_pad(frame, len, frame_padded_len(len, WHOLE_MAX));
		n_written = 0;
		arrive(frame, frame_padded_len(len, WHOLE_MAX));
		assert_int_equal(n_written, 1);
		assert_int_equal(written_len, VNET_HDR_LEN + len);
		assert_memory_equal(written + VNET_HDR_LEN, original, len);
		assert_int_equal(stations_know(&desk.latest.stations, original + 6, START),
				 !(original[6] & 1));
	}
	assert_int_equal(desk_count(COUNT_RX_NOT_ALLOWED), 0);
	assert_int_equal(desk_count(COUNT_RX_PACKETS), 1600 - FRAME_HEADER_LEN + 1);
}

/* Keepalives are none; a plaintext without padding, or with nothing in front of it, is counted. */
static void what_is_no_frame_is_dropped(void **state)
{
	uint8_t plain[40] = { 0 };

	(void)state;
	desk_rekey(true, 1);
	tell(0);
	arrive(plain, 0);
	assert_int_equal(desk_count(COUNT_RX_NOT_IP), 0);
	arrive(plain, 32); /* no padding: the last byte is 0 */
	plain[31] = 17;
	arrive(plain, 32); /* too much */
	plain[15] = 3;
	arrive(plain, 16); /* 13 bytes */
	plain[0] = 1;
	arrive(plain, 1); /* padding alone */
	assert_int_equal(desk_count(COUNT_RX_NOT_IP), 4);
	assert_int_equal(n_written, 0);
	plain[15] = 2;
	arrive(plain, 16); /* 14 bytes: a frame without anything inside */
	assert_int_equal(n_written, 1);
}

/* A mark of the network outside reaches the packet behind the tag, and nothing else changes. */
static void marks_reach_the_packet_inside(void **state)
{
	static uint8_t frame[200];
	struct ref_packet spec = { .protocol = REF_UDP, .tos = 2, .ttl = 9 };
	uint8_t payload[60] = { 1 };
	size_t len;

	(void)state;
	desk_rekey(true, 1);
	tell(0);
	make_link(frame, 0x8100);
	ref_store16(frame + 16, 0x0800);
	len = 18 + ref_build(frame + 18, &spec, payload, sizeof(payload));
	frame_pad(frame, len, frame_padded_len(len, 0));
	arriving_tos = 3;
	arrive(frame, frame_padded_len(len, 0));
	spec.tos = 3;
	assert_int_equal(written_len, VNET_HDR_LEN + len);
	ref_build(frame + 18, &spec, payload, sizeof(payload));
	assert_memory_equal(written + VNET_HDR_LEN, frame, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TX(test) cmocka_unit_test_setup_teardown(test, set_up_tx, tear_down_tx)
#define RX(test) cmocka_unit_test_setup_teardown(test, set_up_rx, tear_down_rx)
		TX(frames_of_any_kind_and_length_go),
		TX(what_is_no_frame_stays),
		TX(what_is_too_long_is_counted),
		TX(frames_wait_for_a_session),
		TX(superpackets_fit_the_path),
		TX(an_unknown_path_limits_nothing),
		TX(the_limit_counts_the_frames_that_leave),
		RX(frames_come_out_as_they_were),
		RX(what_is_no_frame_is_dropped),
		RX(marks_reach_the_packet_inside),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
