/*
 * The kernel as oracle for splitting: the same superpacket is split by vnet.c, and by the kernel,
 * which gets it through a packet socket (PACKET_VNET_HDR) on a veth that has every offload
 * switched off, so that it must segment in software. What arrives at the other end of the veth
 * must be what vnet.c made, byte for byte. Needs root; works in a network namespace of its own.
 */
#include "tests/unit/ip_command.h"

#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>

#include "daemon/data/vnet.h"
#include "tests/unit/offload_ref.h"

#define SUPER_MAX    66000
#define RECEIVE_SIZE (8 << 20)
#define PATIENCE_MS  5000
#define PROBE_MS     100
#define N_PROBES     100

/* Says which frames are ours: the kernel may have something to say on the veth, too. */
static const uint8_t destination[ETH_ALEN] = { 2, 'v', 'p', 'n', 'd', 1 };

static int inject_fd, capture_fd;
static unsigned int inject_index;
static uint8_t frame[VNET_HDR_LEN + ETH_HLEN + SUPER_MAX];

static void switch_off(int fd, const char *name, uint32_t command)
{
	struct ethtool_value value = { .cmd = command, .data = 0 };
	struct ifreq request = { .ifr_data = (void *)&value };

	memcpy(request.ifr_name, name, strlen(name));
	assert_int_equal(ioctl(fd, SIOCETHTOOL, &request), 0);
}

static int open_packet(const char *name, uint16_t protocol)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int size = RECEIVE_SIZE;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Hands a superpacket to the kernel. Its header speaks of offsets in the frame. */
static bool inject(const uint8_t *packet, size_t len, struct vnet_hdr header, size_t headers_len)
{
	uint16_t type = packet[0] >> 4 == 4 ? ETH_P_IP : ETH_P_IPV6;
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(type),
		.sll_ifindex = (int)inject_index,
		.sll_halen = ETH_ALEN,
	};
	struct ethhdr ethernet = { .h_source = { 2 }, .h_proto = htons(type) };
	size_t size = VNET_HDR_LEN + ETH_HLEN + len;

	header.csum_start += ETH_HLEN;
	header.hdr_len = (uint16_t)(ETH_HLEN + headers_len);
	vnet_encode(frame, &header);
	memcpy(ethernet.h_dest, destination, ETH_ALEN);
	memcpy(address.sll_addr, destination, ETH_ALEN);
	memcpy(frame + VNET_HDR_LEN, &ethernet, ETH_HLEN);
	memcpy(frame + VNET_HDR_LEN + ETH_HLEN, packet, len);
	return sendto(inject_fd, frame, size, 0, (struct sockaddr *)&address, sizeof(address)) ==
	       (ssize_t)size;
}

/* The next packet that the kernel made; 0 when it makes us wait too long. */
static size_t capture(uint8_t *packet, int patience_ms)
{
	static uint8_t received[ETH_HLEN + SUPER_MAX];
	struct pollfd pollfd = { .fd = capture_fd, .events = POLLIN };

	while (poll(&pollfd, 1, patience_ms) > 0) {
		ssize_t len = recv(capture_fd, received, sizeof(received), MSG_DONTWAIT);

		if (len < ETH_HLEN || memcmp(received, destination, ETH_ALEN) != 0)
			continue;
		memcpy(packet, received + ETH_HLEN, (size_t)len - ETH_HLEN);
		return (size_t)len - ETH_HLEN;
	}
	return 0;
}

/* A veth drops what it is given until the kernel has noticed, a moment later, that it is up. */
static void await_carrier(void)
{
	static uint8_t packet[SUPER_MAX];
	const struct vnet_hdr header = { 0 };
	const struct ref_packet spec = { .protocol = REF_UDP };
	size_t len = ref_build(packet, &spec, NULL, 0);

	for (size_t i = 0; i < N_PROBES; i++)
		if (inject(packet, len, header, 28) && capture(packet, PROBE_MS) == len)
			return;
	fail_msg("the veth carries nothing");
}

/* A veth without offloads, up, and sockets at both ends. */
static void open_world(void)
{
	static const uint32_t commands[] = { ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_STXCSUM,
					     ETHTOOL_SSG };
	int on = 1;

	enter_netns();
	ip_command("link add vpnd-left mtu 65535 type veth peer name vpnd-right mtu 65535");
	inject_fd = open_packet("vpnd-left", 0);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		switch_off(inject_fd, "vpnd-left", commands[i]);
	ip_command("link set vpnd-left up");
	ip_command("link set vpnd-right up");
	assert_int_equal(setsockopt(inject_fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), 0);
	inject_index = if_nametoindex("vpnd-left");
	capture_fd = open_packet("vpnd-right", ETH_P_ALL);
	await_carrier();
}

static void expect_same_segments(uint8_t *packet, size_t len, const struct vnet_hdr *header)
{
	static struct vnet_split split;
	static uint8_t theirs[SUPER_MAX];
	size_t ours_len, theirs_len, n = 0;
	uint8_t *ours;

	assert_int_equal(vnet_split_begin(&split, header, packet, len), VNET_OK);
	/* Of GSO_NONE nothing was changed but the checksum, which the kernel finishes, too. */
	while ((ours = vnet_split_next(&split, &ours_len))) {
		theirs_len = capture(theirs, PATIENCE_MS);
		if (theirs_len != ours_len || memcmp(ours, theirs, ours_len) != 0)
			print_error("segment %zu of %zu, protocol %d, gso_size %u\n", n,
				    vnet_split_count(&split), ref_protocol(ours), header->gso_size);
		assert_int_equal(theirs_len, ours_len);
		assert_memory_equal(ours, theirs, ours_len);
		n++;
	}
}

static void random_superpackets(struct seeded *seeded, bool v6, uint8_t protocol, size_t rounds)
{
	static uint8_t packet[SUPER_MAX], payload[SUPER_MAX];

	for (size_t i = 0; i < rounds; i++) {
		struct ref_packet spec = ref_random(seeded);
		size_t gso_size = 1 + seeded_below(seeded, seeded_below(seeded, 4) ? 1460 : 60);
		/* UDP_MAX_SEGMENTS */
		size_t payload_len = 1 + seeded_below(seeded, gso_size * 64);
		struct vnet_hdr header = { .flags = VNET_FLAG_NEEDS_CSUM };
		size_t len, l4_len;

		spec.v6 = v6;
		spec.protocol = protocol;
		if (seeded_below(seeded, 4) == 0)
			spec.n_ip_extra = (uint8_t)(8 * seeded_below(seeded, 4));
		if (protocol == REF_TCP)
			spec.flags |= (uint16_t)(seeded_next(seeded) &
						 (REF_PSH | REF_FIN | REF_CWR | REF_ECE));
		if (payload_len > 65535 - 140)
			payload_len = 65535 - 140;
		ref_fill(seeded, payload, payload_len);
		len = ref_build(packet, &spec, payload, payload_len);
		ref_make_partial(packet, len);
		l4_len = protocol == REF_TCP ? 20u + spec.n_options : 8u;
		header.gso_size = (uint16_t)gso_size;
		header.csum_start = (uint16_t)ref_ip_len(packet);
		header.csum_offset = (uint16_t)ref_csum_offset(packet);
		/* The kernel wants more payload than one segment's for GSO. */
		if (payload_len <= gso_size)
			header.gso_size = 0;
		else
			header.gso_type = protocol == REF_UDP ? VNET_GSO_UDP_L4
					  : v6                ? VNET_GSO_TCPV6
							      : VNET_GSO_TCPV4;
		if (header.gso_type != 0 && (spec.flags & REF_CWR) && protocol == REF_TCP)
			header.gso_type |= VNET_GSO_ECN;
		assert_true(inject(packet, len, header, header.csum_start + l4_len));
		expect_same_segments(packet, len, &header);
	}
}

static void kernel_splits_alike(void **state)
{
	struct seeded seeded = seeded_begin("kernel_splits_alike");

	(void)state;
	open_world();
	random_superpackets(&seeded, false, REF_TCP, 700);
	random_superpackets(&seeded, true, REF_TCP, 700);
	random_superpackets(&seeded, false, REF_UDP, 700);
	random_superpackets(&seeded, true, REF_UDP, 700);
	close(inject_fd);
	close(capture_fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_splits_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
