/*
 * The kernel on both sides: two network namespaces with a TUN interface each, and between them
 * this test, which does what the daemon will do, less the cipher. What the one kernel hands over
 * is split (and compared with the slow segmenter), merged again, and written to the other
 * kernel, which must take every run; sockets at the ends must see an unbroken stream. Needs root.
 */
#include "tests/unit/ip_command.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/uio.h>
#include <time.h>

#include "daemon/data/gro.h"
#include "tests/unit/offload_ref.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define PORT         4242
#define SUPER_MAX    66000
#define SLOT_MAX     1600
#define STREAM_LEN   (8u << 20)
#define UDP_LEN      1300
#define UDP_COUNT    40
#define UDP_ROUNDS   200
#define PATIENCE_MS  5000
#define HEADROOM     16
#define LEFT_FAMILY4 "10.77.0.1"

/* Left and right: addresses, descriptors, and what was seen. */
struct side {
	int tun;
	size_t n_superpackets; /* read from it */
	size_t n_runs;         /* merged, and written to it */
};

static struct side left, right;
static bool has_uso;

static void open_side(struct side *side, const char *name, const char *address4,
		      const char *address6)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	unsigned int tso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	char command[128];

	enter_netns();
	*side = (struct side) { .tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK) };
	assert_true(side->tun >= 0);
	memcpy(request.ifr_name, name, strlen(name));
	assert_int_equal(ioctl(side->tun, TUNSETIFF, &request), 0);
	assert_int_equal(ioctl(side->tun, TUNSETOFFLOAD, tso), 0);
	has_uso = ioctl(side->tun, TUNSETOFFLOAD, tso | TUN_F_USO4 | TUN_F_USO6) == 0;
	snprintf(command, sizeof(command), "addr add %s/24 dev %s", address4, name);
	ip_command(command);
	snprintf(command, sizeof(command), "addr add %s/64 dev %s nodad", address6, name);
	ip_command(command);
	snprintf(command, sizeof(command), "link set %s mtu 1420 up", name);
	ip_command(command);
}

static struct sockaddr_storage address_of(bool v6, bool is_left, socklen_t *len)
{
	struct sockaddr_storage storage = { 0 };

	if (v6) {
		struct sockaddr_in6 *address = (struct sockaddr_in6 *)&storage;

		address->sin6_family = AF_INET6;
		address->sin6_port = htons(PORT);
		inet_pton(AF_INET6, is_left ? "fd77::1" : "fd77::2", &address->sin6_addr);
		*len = sizeof(*address);
	} else {
		struct sockaddr_in *address = (struct sockaddr_in *)&storage;

		address->sin_family = AF_INET;
		address->sin_port = htons(PORT);
		inet_pton(AF_INET, is_left ? LEFT_FAMILY4 : "10.77.0.2", &address->sin_addr);
		*len = sizeof(*address);
	}
	return storage;
}

/* A socket in the namespace that the caller is in now, bound to its side's address. */
static int open_socket(bool v6, int type, bool is_left)
{
	socklen_t len;
	struct sockaddr_storage address = address_of(v6, is_left, &len);
	int fd = socket(address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int size = 4 << 20;

	assert_true(fd >= 0);
	if (type == SOCK_DGRAM)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)),
				 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	return fd;
}

/* One superpacket or packet from one side to the other. Returns false when there was none. */
static bool relay(struct side *from, struct side *to)
{
	static uint8_t wire[VNET_HDR_LEN + SUPER_MAX], original[SUPER_MAX], expected[SUPER_MAX];
	static uint8_t slots[GRO_MAX_SEGMENTS][HEADROOM + SLOT_MAX];
	static struct vnet_split split;
	static struct gro gro;
	ssize_t got = read(from->tun, wire, sizeof(wire));
	const struct gro_write *write;
	struct vnet_hdr header;
	size_t len, segment_len, n = 0;
	uint8_t *segment;

	if (got < VNET_HDR_LEN)
		return false;
	header = vnet_decode(wire);
	len = (size_t)got - VNET_HDR_LEN;
	memcpy(original, wire + VNET_HDR_LEN, len);
	assert_int_equal(vnet_split_begin(&split, &header, wire + VNET_HDR_LEN, len), VNET_OK);
	assert_true(vnet_split_count(&split) <= GRO_MAX_SEGMENTS);
	from->n_superpackets += vnet_split_count(&split) > 1;
	gro_begin(&gro, GRO_TCP | (has_uso ? GRO_UDP : 0));
	while ((segment = vnet_split_next(&split, &segment_len))) {
		assert_true(segment_len <= SLOT_MAX);
		if (header.gso_type != VNET_GSO_NONE) {
			assert_int_equal(ref_segment(original, len, header.gso_size, n, expected),
					 segment_len);
			assert_memory_equal(segment, expected, segment_len);
		}
		memcpy(slots[n] + HEADROOM, segment, segment_len);
		assert_true(gro_add(&gro, slots[n] + HEADROOM, segment_len));
		n++;
	}
	while ((write = gro_next(&gro))) {
		assert_true(writev(to->tun, write->iov, write->n_iov) > 0);
		to->n_runs += write->n_packets > 1;
	}
	return true;
}

/* Carries what there is, both ways, and waits a moment if there was nothing. */
static void relay_all(void)
{
	struct pollfd pollfds[] = { { .fd = left.tun, .events = POLLIN },
				    { .fd = right.tun, .events = POLLIN } };
	bool any = false;

	while (relay(&left, &right) || relay(&right, &left))
		any = true;
	if (!any)
		(void)poll(pollfds, 2, 1);
}

/* Bytes of the stream: every position can be told from its neighbours, near and far. */
static uint8_t pattern(size_t at)
{
	return (uint8_t)(at * 131 + (at >> 8) * 17 + (at >> 16));
}

static size_t push_stream(int fd, size_t sent)
{
	uint8_t chunk[65536];
	size_t len = STREAM_LEN - sent < sizeof(chunk) ? STREAM_LEN - sent : sizeof(chunk);
	ssize_t done;

	for (size_t i = 0; i < len; i++)
		chunk[i] = pattern(sent + i);
	done = send(fd, chunk, len, MSG_NOSIGNAL);
	return done > 0 ? (size_t)done : 0;
}

static size_t pull_stream(int fd, size_t received)
{
	uint8_t chunk[65536];
	ssize_t len = recv(fd, chunk, sizeof(chunk), 0);

	for (ssize_t i = 0; i < len; i++)
		if (chunk[i] != pattern(received + (size_t)i))
			fail_msg("the stream is broken at byte %zu", received + (size_t)i);
	return len > 0 ? (size_t)len : 0;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void run_tcp(int client, int listener, bool v6)
{
	socklen_t len;
	struct sockaddr_storage address = address_of(v6, false, &len);
	uint64_t deadline = now_ms() + PATIENCE_MS;
	size_t sent = 0, received = 0;
	int server = -1;

	assert_int_equal(listen(listener, 1), 0);
	assert_true(connect(client, (struct sockaddr *)&address, len) == 0 || errno == EINPROGRESS);
	while (received < STREAM_LEN && now_ms() < deadline) {
		size_t before = received;

		relay_all();
		if (server < 0)
			server = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (sent < STREAM_LEN)
			sent += push_stream(client, sent);
		if (server >= 0)
			received += pull_stream(server, received);
		if (received != before)
			deadline = now_ms() + PATIENCE_MS;
	}
	assert_int_equal(received, STREAM_LEN);
	close(server);
}

static void expect_datagrams(int fd, size_t round)
{
	uint64_t deadline = now_ms() + PATIENCE_MS;
	uint8_t datagram[2 * UDP_LEN];
	size_t n = 0;

	while (n < UDP_COUNT && now_ms() < deadline) {
		ssize_t len = recv(fd, datagram, sizeof(datagram), 0);

		if (len < 0) {
			relay_all();
			continue;
		}
		/* The last one is shorter, every other round. */
		assert_int_equal(len, UDP_LEN - (n + 1 == UDP_COUNT && round % 2 ? 7 : 0));
		for (size_t i = 0; i < (size_t)len; i++)
			if (datagram[i] != pattern(round + n * UDP_LEN + i))
				fail_msg("datagram %zu is broken at byte %zu", n, i);
		n++;
	}
	assert_int_equal(n, UDP_COUNT);
}

static void run_udp(int client, int server, bool v6)
{
	static uint8_t datagrams[UDP_COUNT * UDP_LEN];
	socklen_t len;
	struct sockaddr_storage address = address_of(v6, false, &len);
	int size = UDP_LEN;

	assert_int_equal(connect(client, (struct sockaddr *)&address, len), 0);
	assert_int_equal(setsockopt(client, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)), 0);
	for (size_t round = 0; round < UDP_ROUNDS; round++) {
		size_t total = sizeof(datagrams) - (round % 2 ? 7 : 0);

		for (size_t i = 0; i < total; i++)
			datagrams[i] = pattern(round + i);
		assert_int_equal(send(client, datagrams, total, 0), total);
		expect_datagrams(server, round);
	}
}

/* Runs one kind of traffic from left to right; the sockets were made in their namespaces. */
static void run(const char *what, bool v6, int type, int client, int server)
{
	left.n_superpackets = right.n_runs = 0;
	if (type == SOCK_STREAM)
		run_tcp(client, server, v6);
	else
		run_udp(client, server, v6);
	print_message("%s: %zu superpackets in, %zu merged runs out\n", what, left.n_superpackets,
		      right.n_runs);
	if (type == SOCK_STREAM || has_uso) {
		assert_true(left.n_superpackets > 10);
		assert_true(right.n_runs > 10);
	}
	close(client);
	close(server);
}

static void sockets_see_what_was_sent(void **state)
{
	static const struct {
		const char *what;
		bool v6;
		int type;
	} kinds[] = {
		{ "TCPv4", false, SOCK_STREAM },
		{ "TCPv6", true, SOCK_STREAM },
		{ "UDPv4", false, SOCK_DGRAM },
		{ "UDPv6", true, SOCK_DGRAM },
	};
	int clients[4], servers[4];

	(void)state;
	open_side(&left, "vpnd-left", LEFT_FAMILY4, "fd77::1");
	for (size_t i = 0; i < 4; i++)
		clients[i] = open_socket(kinds[i].v6, kinds[i].type, true);
	open_side(&right, "vpnd-right", "10.77.0.2", "fd77::2");
	for (size_t i = 0; i < 4; i++)
		servers[i] = open_socket(kinds[i].v6, kinds[i].type, false);
	/* TCP first: it is patient with interfaces that are not quite up yet. */
	for (size_t i = 0; i < 4; i++)
		run(kinds[i].what, kinds[i].v6, kinds[i].type, clients[i], servers[i]);
	close(left.tun);
	close(right.tun);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets_see_what_was_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
