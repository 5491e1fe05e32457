/*
 * Tests of daemon/data/tun.c: what can be opened and what not, superpackets in both directions
 * (two interfaces in two network namespaces, and a TCP connection from one to the other that is
 * carried by this program), and an interface that goes away. Needs root.
 */
#include "tests/unit/ip_command.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "common/defs.h"
#include "daemon/data/tun.h"
#include "daemon/data/vnet.h"

#define NAME        "vpnd-tun"
#define FRAME_MAX   (VNET_HDR_LEN + 65535)
#define AMOUNT      (4u << 20)
#define PATIENCE_MS 10000

static uint8_t frame[FRAME_MAX];

static short flags_of(const struct tun *tun)
{
	struct ifreq request = { 0 };

	assert_int_equal(ioctl(tun->fd, TUNGETIFF, &request), 0);
	return request.ifr_flags;
}

static void test_open(void **state)
{
	struct tun tun = TUN_NULL;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &tun), 0);
	assert_true(if_nametoindex(NAME) > 0);
	assert_int_equal(flags_of(&tun) & (IFF_TUN | IFF_NO_PI), IFF_TUN | IFF_NO_PI);
	assert_int_equal((flags_of(&tun) & IFF_VNET_HDR) != 0, tun.has_vnet);
	assert_int_equal(fcntl(tun.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fcntl(tun.fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	/* Every kernel that vpnd is for has these; USO came with Linux 6.2. */
	assert_true(tun.has_vnet && tun.has_tso);
	assert_int_equal(tun_read(&tun, frame, sizeof(frame)), -EAGAIN);
	tun_close(&tun);
	assert_int_equal(tun.fd, -1);
	assert_int_equal(if_nametoindex(NAME), 0);
	tun_close(&tun);
}

static void test_busy(void **state)
{
	struct tun one = TUN_NULL, two = TUN_NULL;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &one), 0);
	assert_int_equal(tun_open(NAME, false, &two), -EBUSY);
	assert_int_equal(two.fd, -1);
	tun_close(&one);
	assert_int_equal(tun_open(NAME, false, &two), 0);
	tun_close(&two);
}

static void test_not_a_tun(void **state)
{
	struct tun tun = TUN_NULL;

	(void)state;
	enter_netns();
	ip_command("link add " NAME " type veth peer name vpnd-other");
	assert_int_equal(tun_open(NAME, false, &tun), -EINVAL);
	assert_int_equal(tun.fd, -1);
	ip_command("link delete " NAME);
	ip_command("tuntap add " NAME " mode tap");
	assert_int_equal(tun_open(NAME, false, &tun), -EINVAL);
	assert_true(if_nametoindex(NAME) > 0);
}

/* A persistent interface is taken as it is, headers or not, and survives. */
static void test_persistent(void **state)
{
	static const char *const how[] = { "tuntap add " NAME " mode tun",
					   "tuntap add " NAME " mode tun vnet_hdr" };

	(void)state;
	enter_netns();
	for (size_t i = 0; i < ARRAY_SIZE(how); i++) {
		struct tun tun = TUN_NULL;

		ip_command(how[i]);
		assert_int_equal(tun_open(NAME, false, &tun), 0);
		assert_int_equal((flags_of(&tun) & IFF_VNET_HDR) != 0, tun.has_vnet);
		tun_close(&tun);
		assert_true(if_nametoindex(NAME) > 0);
		ip_command("tuntap delete " NAME " mode tun");
	}
}

static int open_name(void *context)
{
	struct tun tun = TUN_NULL;

	return -tun_open(context, false, &tun);
}

static void test_no_rights(void **state)
{
	char name[] = NAME;

	(void)state;
	enter_netns();
	assert_int_equal(without_rights(open_name, name), EPERM);
}

/* The longest name is not cut, so it cannot be mistaken for another one. */
static void test_longest_name(void **state)
{
	struct tun tun = TUN_NULL;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open("vpnd-567890abcd", false, &tun), 0);
	assert_true(if_nametoindex("vpnd-567890abcd") > 0);
	tun_close(&tun);
}

static int write_frame(const struct tun *tun, const struct vnet_hdr *header, size_t len)
{
	struct iovec iov = { frame, VNET_HDR_LEN + len };

	vnet_encode(frame, header);
	return tun_write(tun, &iov, 1);
}

/* An IPv4 header is enough for an interface that only counts. */
static void make_packet(size_t len)
{
	memset(frame, 0, sizeof(frame));
	frame[VNET_HDR_LEN] = 0x45;
	frame[VNET_HDR_LEN + 3] = (uint8_t)len;
}

static void test_down(void **state)
{
	const struct vnet_hdr header = { 0 };
	struct tun tun = TUN_NULL;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &tun), 0);
	make_packet(40);
	assert_int_equal(write_frame(&tun, &header, 40), -EIO);
	assert_int_equal(tun_read(&tun, frame, sizeof(frame)), -EAGAIN);
	ip_command("link set " NAME " up");
	make_packet(40);
	assert_int_equal(write_frame(&tun, &header, 40), 0);
	ip_command("link set " NAME " down");
	assert_int_equal(write_frame(&tun, &header, 40), -EIO);
	tun_close(&tun);
}

static void test_deleted(void **state)
{
	const struct vnet_hdr header = { 0 };
	struct tun tun = TUN_NULL;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &tun), 0);
	ip_command("link set " NAME " up");
	ip_command("link delete " NAME);
	make_packet(40);
	assert_int_equal(tun_read(&tun, frame, sizeof(frame)), -EBADFD);
	assert_int_equal(write_frame(&tun, &header, 40), -EBADFD);
	tun_close(&tun);
}

static void test_bad_headers(void **state)
{
	static const struct vnet_hdr bad[] = {
		{ .gso_type = 2, .gso_size = 100 }, /* no such type */
		{ .gso_type = VNET_GSO_TCPV4, .gso_size = 0 },
		{ .flags = VNET_FLAG_NEEDS_CSUM, .csum_start = 60000, .csum_offset = 16 },
	};
	struct tun tun = TUN_NULL;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &tun), 0);
	ip_command("link set " NAME " up");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		make_packet(40);
		assert_int_equal(write_frame(&tun, &bad[i], 40), -EINVAL);
	}
	tun_close(&tun);
}

static void await(int fd, short events)
{
	struct pollfd pollfd = { .fd = fd, .events = events };

	assert_int_equal(poll(&pollfd, 1, PATIENCE_MS), 1);
}

static int socket_to(int type, const char *address, uint16_t port)
{
	struct sockaddr_in remote = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, address, &remote.sin_addr), 1);
	if (connect(fd, (struct sockaddr *)&remote, sizeof(remote)) < 0)
		assert_int_equal(errno, EINPROGRESS);
	return fd;
}

/* A short buffer cuts the packet and loses the rest of it, not the next one. */
static void test_short_buffer(void **state)
{
	static const uint8_t payload[900] = { 1 };
	struct tun tun = TUN_NULL;
	ssize_t n;
	int fd;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &tun), 0);
	ip_command("address add 192.0.2.1/24 dev " NAME);
	ip_command("link set " NAME " up");
	fd = socket_to(SOCK_DGRAM, "192.0.2.2", 9);
	assert_int_equal(send(fd, payload, 900, 0), 900);
	assert_int_equal(send(fd, payload, 100, 0), 100);
	do {
		await(tun.fd, POLLIN);
		n = tun_read(&tun, frame, 60);
	} while (n > VNET_HDR_LEN && frame[VNET_HDR_LEN] >> 4 == 6);
	assert_int_equal(n, 60);
	await(tun.fd, POLLIN);
	assert_int_equal(tun_read(&tun, frame, sizeof(frame)), VNET_HDR_LEN + 128);
	close(fd);
	tun_close(&tun);
}

/* A run that a program sends at once is handed over as one, where the kernel can. */
static void test_udp_superpacket(void **state)
{
	static uint8_t payload[9500];
	struct vnet_hdr header = { 0 };
	struct tun tun = TUN_NULL;
	int segment_len = 1000, fd;
	ssize_t n = 0;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &tun), 0);
	if (!tun.has_uso) {
		print_message("skipped: this kernel's TUN has no USO\n");
		tun_close(&tun);
		skip();
	}
	ip_command("address add 192.0.2.1/24 dev " NAME);
	ip_command("link set " NAME " up");
	fd = socket_to(SOCK_DGRAM, "192.0.2.2", 9);
	assert_int_equal(setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment_len, sizeof(int)), 0);
	assert_int_equal(send(fd, payload, sizeof(payload), 0), sizeof(payload));
	do {
		await(tun.fd, POLLIN);
		n = tun_read(&tun, frame, sizeof(frame));
	} while (n > VNET_HDR_LEN && frame[VNET_HDR_LEN] >> 4 == 6);
	header = vnet_decode(frame);
	assert_int_equal(n, VNET_HDR_LEN + 28 + sizeof(payload));
	assert_int_equal(header.gso_type, VNET_GSO_UDP_L4);
	assert_int_equal(header.gso_size, 1000);
	assert_int_equal(header.flags & VNET_FLAG_NEEDS_CSUM, VNET_FLAG_NEEDS_CSUM);
	close(fd);
	tun_close(&tun);
}

/* Two hosts: the interfaces keep working when this process moves on to another namespace. */
struct hosts {
	struct tun tun[2];
	int client, listener, server;
	size_t n_sent, n_received;
	size_t n_superpackets;
};

static uint8_t byte_at(size_t at)
{
	return (uint8_t)(at * 31 + at / 255);
}

/* Carries what one interface has to the other, as superpackets. */
static void carry(struct hosts *hosts, const struct tun *from, const struct tun *to)
{
	ssize_t n;

	while ((n = tun_read(from, frame, sizeof(frame))) > 0) {
		size_t len = (size_t)n;
		/* In three parts, as a merged run is. */
		struct iovec iov[] = { { frame, VNET_HDR_LEN + 20 },
				       { frame + VNET_HDR_LEN + 20, 20 },
				       { frame + VNET_HDR_LEN + 40, 0 } };
		int r;

		assert_true(len > VNET_HDR_LEN);
		if (frame[VNET_HDR_LEN] >> 4 == 6)
			continue; /* what the kernel says unasked */
		iov[2].iov_len = len - VNET_HDR_LEN - 40;
		hosts->n_superpackets += vnet_decode(frame).gso_type != VNET_GSO_NONE;
		r = tun_write(to, iov, ARRAY_SIZE(iov));
		assert_int_equal(r, 0);
	}
	assert_int_equal(n, -EAGAIN);
}

static void step(struct hosts *hosts)
{
	static uint8_t chunk[65536];
	size_t len = MIN(sizeof(chunk), AMOUNT - hosts->n_sent);
	ssize_t n;

	for (size_t i = 0; i < len; i++)
		chunk[i] = byte_at(hosts->n_sent + i);
	n = len ? send(hosts->client, chunk, len, MSG_NOSIGNAL) : 0;
	hosts->n_sent += n > 0 ? (size_t)n : 0;
	carry(hosts, &hosts->tun[0], &hosts->tun[1]);
	carry(hosts, &hosts->tun[1], &hosts->tun[0]);
	if (hosts->server < 0)
		hosts->server = accept4(hosts->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (hosts->server < 0)
		return;
	while ((n = recv(hosts->server, chunk, sizeof(chunk), 0)) > 0) {
		for (size_t i = 0; i < (size_t)n; i++)
			assert_int_equal(chunk[i], byte_at(hosts->n_received + i));
		hosts->n_received += (size_t)n;
	}
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void test_tcp_superpackets(void **state)
{
	struct sockaddr_in local = { .sin_family = AF_INET, .sin_port = htons(7000) };
	struct hosts hosts = { .server = -1 };
	time_t until = seconds() + 60;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &hosts.tun[1]), 0);
	ip_command("address add 192.0.2.2/24 dev " NAME);
	ip_command("link set " NAME " up");
	hosts.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(hosts.listener, (struct sockaddr *)&local, sizeof(local)), 0);
	assert_int_equal(listen(hosts.listener, 1), 0);
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &hosts.tun[0]), 0);
	ip_command("address add 192.0.2.1/24 dev " NAME);
	ip_command("link set " NAME " up");
	hosts.client = socket_to(SOCK_STREAM, "192.0.2.2", 7000);
	while (hosts.n_received < AMOUNT && seconds() < until)
		step(&hosts);
	assert_int_equal(hosts.n_received, AMOUNT);
	assert_true(hosts.n_superpackets > 20);
	print_message("%u bytes in %zu superpackets\n", AMOUNT, hosts.n_superpackets);
	close(hosts.client);
	close(hosts.server);
	close(hosts.listener);
	tun_close(&hosts.tun[0]);
	tun_close(&hosts.tun[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_not_a_tun),
		cmocka_unit_test(test_persistent),
		cmocka_unit_test(test_no_rights),
		cmocka_unit_test(test_longest_name),
		cmocka_unit_test(test_down),
		cmocka_unit_test(test_deleted),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_short_buffer),
		cmocka_unit_test(test_udp_superpacket),
		cmocka_unit_test(test_tcp_superpackets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
