/*
 * Tests of daemon/data/probe_tun.c: with this kernel, whose answers are held against what it then
 * really takes, and with kernels that this host does not have, which stand between us and this one
 * (--wrap=writev). Needs root; works in network namespaces of its own.
 */
#include "tests/unit/ip_command.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/uio.h>

#include "common/defs.h"
#include "common/nsec.h"
#include "common/parse.h"
#include "daemon/data/probe.h"
#include "daemon/data/vnet.h"
#include "tests/unit/offload_ref.h"

#define NAME "vpnd-probe"
/* What the whole start-up may take, and what a busy machine adds to that in a test. */
#define TIME_MAX  (20 * NSEC_PER_MSEC)
#define TOLERANCE (200 * NSEC_PER_MSEC)

/* A kernel: what it says to a write. 0: what the real one says. */
static int (*fake)(const struct vnet_hdr *header, const uint8_t *packet);
static size_t n_writes;

ssize_t __real_writev(int fd, const struct iovec *iov, int n);
ssize_t __wrap_writev(int fd, const struct iovec *iov, int n);

ssize_t __wrap_writev(int fd, const struct iovec *iov, int n)
{
	const uint8_t *bytes = iov[0].iov_base;
	struct vnet_hdr header = vnet_decode(bytes);
	int error = fake ? fake(&header, bytes + VNET_HDR_LEN) : 0;

	n_writes++;
	/* What is written must be right, or a refusal says nothing. */
	assert_true(iov[0].iov_len > VNET_HDR_LEN + 20);
	if (!error)
		return __real_writev(fd, iov, n);
	errno = error;
	return -1;
}

static int set_up(void **state)
{
	(void)state;
	fake = NULL;
	n_writes = 0;
	return 0;
}

static struct probe probe_of(const struct tun *tun)
{
	struct probe probe = { 0 };
	nsec_t begin = nsec_boottime(), took;

	probe_tun(tun, &probe);
	took = nsec_boottime() - begin;
	print_message("%u us%s\n", (unsigned int)(took / 1000), took > TIME_MAX ? ", late" : "");
	assert_true(took < TIME_MAX + TOLERANCE);
	assert_int_equal(probe.answers[PROBE_UDP_SEGMENT], PROBE_UNKNOWN);
	assert_int_equal(probe.answers[PROBE_UDP_GRO], PROBE_UNKNOWN);
	return probe;
}

static void expect_writes(const struct probe *probe, enum probe_answer csum, enum probe_answer tcp,
			  enum probe_answer udp)
{
	assert_int_equal(probe->answers[PROBE_TUN_WRITE_CSUM], csum);
	assert_int_equal(probe->answers[PROBE_TUN_WRITE_TCP], tcp);
	assert_int_equal(probe->answers[PROBE_TUN_WRITE_UDP], udp);
}

/* Whether an interface that is up takes a run of three. */
static bool takes(const struct tun *tun, uint8_t protocol, bool v6)
{
	static uint8_t frame[VNET_HDR_LEN + 4096], payload[2500];
	struct ref_packet spec = { .v6 = v6, .protocol = protocol, .ttl = 1, .flags = REF_ACK };
	size_t len = ref_build(frame + VNET_HDR_LEN, &spec, payload, sizeof(payload));
	struct vnet_hdr header = {
		.flags = VNET_FLAG_NEEDS_CSUM,
		.gso_type = protocol == REF_UDP ? VNET_GSO_UDP_L4
			    : v6                ? VNET_GSO_TCPV6
						: VNET_GSO_TCPV4,
		.hdr_len = (uint16_t)(len - sizeof(payload)),
		.gso_size = 1000,
		.csum_start = v6 ? 40 : 20,
		.csum_offset = protocol == REF_UDP ? 6 : 16,
	};
	struct iovec iov = { frame, VNET_HDR_LEN + len };

	ref_make_partial(frame + VNET_HDR_LEN, len);
	vnet_encode(frame, &header);
	return tun_write(tun, &iov, 1) == 0;
}

/* The answers are what the kernel does once the interface is up. */
static void test_this_kernel(void **state)
{
	uint8_t byte;
	struct tun tun;
	struct probe probe;
	bool tcp, udp;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &tun), 0);
	probe = probe_of(&tun);
	assert_int_equal(n_writes, 2 + 6);
	assert_int_equal(tun_read(&tun, &byte, 1), -EAGAIN);
	assert_int_equal(probe.answers[PROBE_TUN_READ_TCP],
			 tun.has_tso ? PROBE_WORKS : PROBE_REFUSED);
	assert_int_equal(probe.answers[PROBE_TUN_READ_UDP],
			 tun.has_uso ? PROBE_WORKS : PROBE_REFUSED);
	ip_command("link set " NAME " up");
	tcp = takes(&tun, REF_TCP, false) && takes(&tun, REF_TCP, true);
	udp = takes(&tun, REF_UDP, false) && takes(&tun, REF_UDP, true);
	expect_writes(&probe, PROBE_WORKS, tcp ? PROBE_WORKS : PROBE_REFUSED,
		      udp ? PROBE_WORKS : PROBE_REFUSED);
	tun_close(&tun);
}

/* The same frames as packets are taken: the header in front is counted in. */
static void test_tap(void **state)
{
	struct tun tun;
	struct probe tap, plain;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &tun), 0);
	plain = probe_of(&tun);
	tun_close(&tun);
	assert_int_equal(tun_open(NAME, true, &tun), 0);
	tap = probe_of(&tun);
	assert_int_equal(n_writes, 2 * (2 + 6));
	assert_memory_equal(&tap, &plain, sizeof(tap));
	tun_close(&tun);
}

/* Nothing is written to an interface that would take it. */
static void test_up_already(void **state)
{
	struct tun tun;
	struct probe probe;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &tun), 0);
	ip_command("link set " NAME " up");
	probe = probe_of(&tun);
	assert_int_equal(n_writes, 0);
	expect_writes(&probe, PROBE_UNKNOWN, PROBE_UNKNOWN,
		      tun.has_uso ? PROBE_UNKNOWN : PROBE_REFUSED);
	tun_close(&tun);
}

/* Set up behind our back, between the look and the write: nobody gets the packets. */
static int set_up_and_pass(const struct vnet_hdr *header, const uint8_t *packet)
{
	(void)header;
	(void)packet;
	if (n_writes == 0) {
		ip_command("address add 192.0.2.1/24 dev " NAME);
		ip_command("link set " NAME " up");
	}
	return 0;
}

static unsigned long received_by_ip(const char *name)
{
	char line[1024], names[1024] = "";
	FILE *stream = fopen("/proc/self/net/snmp", "re");
	unsigned long value = 0;

	assert_non_null(stream);
	while (fgets(line, sizeof(line), stream)) {
		char *save_name = NULL, *save = NULL, *word, *title;

		if (strncmp(line, "Ip:", 3) != 0)
			continue;
		if (!names[0]) {
			memcpy(names, line, sizeof(names));
			continue;
		}
		title = strtok_r(names, " \n", &save_name);
		word = strtok_r(line, " \n", &save);
		for (; title && word; title = strtok_r(NULL, " \n", &save_name),
				      word = strtok_r(NULL, " \n", &save)) {
			uint64_t number = 0;

			if (strcmp(title, name) == 0 && parse_number(word, UINT64_MAX, &number))
				value = number;
		}
	}
	fclose(stream);
	return value;
}

static void test_set_up_meanwhile(void **state)
{
	struct tun tun;
	struct probe probe = { 0 };

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &tun), 0);
	fake = set_up_and_pass;
	probe_tun(&tun, &probe);
	assert_int_equal(probe.answers[PROBE_TUN_WRITE_TCP], PROBE_WORKS);
	assert_true(received_by_ip("InReceives") > 0);
	assert_int_equal(received_by_ip("InDelivers"), 0);
	assert_int_equal(received_by_ip("ForwDatagrams"), 0);
	tun_close(&tun);
}

static void test_no_headers(void **state)
{
	struct tun tun;
	struct probe probe;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &tun), 0);
	tun.has_vnet = tun.has_tso = tun.has_uso = false;
	probe = probe_of(&tun);
	assert_int_equal(n_writes, 0);
	for (size_t i = PROBE_TUN_READ_TCP; i <= PROBE_TUN_WRITE_UDP; i++)
		assert_int_equal(probe.answers[i], PROBE_REFUSED);
	tun_close(&tun);
}

static void test_deleted(void **state)
{
	struct tun tun;
	struct probe probe;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &tun), 0);
	ip_command("link delete " NAME);
	probe = probe_of(&tun);
	assert_int_equal(n_writes, 0);
	assert_int_equal(probe.answers[PROBE_TUN_WRITE_TCP], PROBE_UNKNOWN);
	tun_close(&tun);
}

static int no_udp(const struct vnet_hdr *header, const uint8_t *packet)
{
	(void)packet;
	return header->gso_type == VNET_GSO_UDP_L4 ? EINVAL : 0;
}

static int no_udp_of_ipv6(const struct vnet_hdr *header, const uint8_t *packet)
{
	return header->gso_type == VNET_GSO_UDP_L4 && packet[0] >> 4 == 6 ? EINVAL : 0;
}

static int no_tcp_of_ipv6(const struct vnet_hdr *header, const uint8_t *packet)
{
	(void)packet;
	return header->gso_type == VNET_GSO_TCPV6 ? EINVAL : 0;
}

static int no_merging(const struct vnet_hdr *header, const uint8_t *packet)
{
	(void)packet;
	return header->gso_type != VNET_GSO_NONE ? EINVAL : 0;
}

static int no_checksums(const struct vnet_hdr *header, const uint8_t *packet)
{
	(void)packet;
	return header->flags & VNET_FLAG_NEEDS_CSUM ? EINVAL : 0;
}

static int no_room_for_udp(const struct vnet_hdr *header, const uint8_t *packet)
{
	(void)packet;
	return header->gso_type == VNET_GSO_UDP_L4 ? ENOMEM : 0;
}

/* Looks at the interface's state first: its EIO says nothing of the header. */
static int state_first(const struct vnet_hdr *header, const uint8_t *packet)
{
	(void)header;
	(void)packet;
	return EIO;
}

static int refuses_all(const struct vnet_hdr *header, const uint8_t *packet)
{
	(void)header;
	(void)packet;
	return EINVAL;
}

static int is_busy(const struct vnet_hdr *header, const uint8_t *packet)
{
	(void)header;
	(void)packet;
	return EAGAIN;
}

static void test_other_kernels(void **state)
{
	static const struct {
		int (*fake)(const struct vnet_hdr *header, const uint8_t *packet);
		enum probe_answer csum, tcp, udp;
	} kernels[] = {
		{ no_udp, PROBE_WORKS, PROBE_WORKS, PROBE_REFUSED },
		{ no_udp_of_ipv6, PROBE_WORKS, PROBE_WORKS, PROBE_REFUSED },
		{ no_tcp_of_ipv6, PROBE_WORKS, PROBE_REFUSED, PROBE_WORKS },
		{ no_merging, PROBE_WORKS, PROBE_REFUSED, PROBE_REFUSED },
		{ no_checksums, PROBE_REFUSED, PROBE_REFUSED, PROBE_REFUSED },
		{ no_room_for_udp, PROBE_WORKS, PROBE_WORKS, PROBE_UNKNOWN },
		{ state_first, PROBE_UNKNOWN, PROBE_UNKNOWN, PROBE_UNKNOWN },
		{ refuses_all, PROBE_UNKNOWN, PROBE_UNKNOWN, PROBE_UNKNOWN },
		{ is_busy, PROBE_UNKNOWN, PROBE_UNKNOWN, PROBE_UNKNOWN },
	};
	struct probe probe;
	struct tun tun;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &tun), 0);
	if (!tun.has_uso) {
		print_message("skipped: this kernel's TUN has no USO\n");
		tun_close(&tun);
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		fake = kernels[i].fake;
		probe = probe_of(&tun);
		expect_writes(&probe, kernels[i].csum, kernels[i].tcp, kernels[i].udp);
		assert_int_equal(probe.answers[PROBE_TUN_READ_TCP], PROBE_WORKS);
	}
	/* What could not be probed is not hoped for where it was not even promised. */
	tun.has_uso = false;
	fake = is_busy;
	probe = probe_of(&tun);
	expect_writes(&probe, PROBE_UNKNOWN, PROBE_UNKNOWN, PROBE_REFUSED);
	tun_close(&tun);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_this_kernel, set_up),
		cmocka_unit_test_setup(test_tap, set_up),
		cmocka_unit_test_setup(test_up_already, set_up),
		cmocka_unit_test_setup(test_set_up_meanwhile, set_up),
		cmocka_unit_test_setup(test_no_headers, set_up),
		cmocka_unit_test_setup(test_deleted, set_up),
		cmocka_unit_test_setup(test_other_kernels, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
