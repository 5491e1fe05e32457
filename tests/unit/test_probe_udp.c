/*
 * Tests of daemon/data/probe_udp.c: with this kernel on a loopback that is up, down or narrow, with
 * a system call filter that refuses the options, and with kernels that promise and do not keep,
 * which stand between us and this one (--wrap of sendmmsg, recvmmsg and setsockopt). Needs root;
 * works in network namespaces of its own.
 */
#include "tests/unit/datagrams.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "common/nsec.h"
#include "daemon/data/probe.h"

/* What the whole start-up may take, and what a busy machine adds to that in a test. */
#define TIME_MAX  (20 * NSEC_PER_MSEC)
#define TOLERANCE (200 * NSEC_PER_MSEC)
/* Where an answer is wanted, however busy the machine is. */
#define PATIENT_BUDGET (500 * PROBE_BUDGET)
/* Longer than a marker: a run that came whole. */
#define RUN_LEN_MIN 600

/* Faults of a kernel. */
static struct {
	int run_error;     /* what runs are refused with */
	bool loses_all;    /* says "sent", and it is not */
	bool loses_runs;   /* the same of runs only */
	bool damages_runs; /* received runs have a wrong byte */
	bool damages_all;
	int wrong_size;   /* received runs claim datagrams that are so much longer */
	bool forgets_gro; /* says "set", and it is not */
	bool refuses_gro;
	unsigned int n_left; /* how often; 0: never */
} fault;

int __real_sendmmsg(int fd, struct mmsghdr *headers, unsigned int n, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *headers, unsigned int n, int flags);
int __real_recvmmsg(int fd, struct mmsghdr *headers, unsigned int n, int flags,
		    struct timespec *timeout);
int __wrap_recvmmsg(int fd, struct mmsghdr *headers, unsigned int n, int flags,
		    struct timespec *timeout);
int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);

static bool is_run(const struct msghdr *header)
{
	return header->msg_controllen > 0;
}

static bool strikes(bool has_fault)
{
	if (!has_fault || fault.n_left == 0)
		return false;
	fault.n_left--;
	return true;
}

int __wrap_sendmmsg(int fd, struct mmsghdr *headers, unsigned int n, int flags)
{
	int r;

	if (strikes(fault.loses_all))
		return (int)n;
	if (is_run(&headers[0].msg_hdr) && strikes(fault.loses_runs)) {
		r = __real_sendmmsg(fd, headers + 1, n - 1, flags);
		return r < 0 ? r : r + 1;
	}
	if (is_run(&headers[0].msg_hdr) && strikes(fault.run_error != 0)) {
		errno = fault.run_error;
		return -1;
	}
	return __real_sendmmsg(fd, headers, n, flags);
}

static void spoil(struct mmsghdr *header)
{
	uint8_t *bytes = header->msg_hdr.msg_iov->iov_base;
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header->msg_hdr);
	bool is_whole = header->msg_len >= RUN_LEN_MIN;
	int size;

	if ((fault.damages_runs && is_whole) || (fault.damages_all && header->msg_len == 512))
		bytes[header->msg_len - 1] ^= 1;
	if (!fault.wrong_size || !is_whole || !cmsg)
		return;
	assert_int_equal(cmsg->cmsg_type, UDP_GRO);
	memcpy(&size, CMSG_DATA(cmsg), sizeof(size));
	size += fault.wrong_size;
	memcpy(CMSG_DATA(cmsg), &size, sizeof(size));
}

int __wrap_recvmmsg(int fd, struct mmsghdr *headers, unsigned int n, int flags,
		    struct timespec *timeout)
{
	int r = __real_recvmmsg(fd, headers, n, flags, timeout);

	for (int i = 0; i < r; i++)
		spoil(&headers[i]);
	return r;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (level == IPPROTO_UDP && name == UDP_GRO && fault.forgets_gro)
		return 0;
	if (level == IPPROTO_UDP && name == UDP_GRO && fault.refuses_gro) {
		errno = ENOPROTOOPT;
		return -1;
	}
	return __real_setsockopt(fd, level, name, value, len);
}

static int set_up(void **state)
{
	(void)state;
	memset(&fault, 0, sizeof(fault));
	fault.n_left = UINT32_MAX;
	return 0;
}

static void with_loopback(struct udp *udp)
{
	enter_netns();
	ip_command("link set lo up");
	assert_int_equal(udp_open(udp, 0, 0), 0);
}

static void expect_within(const struct udp *udp, nsec_t budget, enum probe_answer segment,
			  enum probe_answer gro)
{
	struct probe probe = { 0 };

	probe_udp(udp, budget, &probe);
	assert_int_equal(probe.answers[PROBE_UDP_SEGMENT], segment);
	assert_int_equal(probe.answers[PROBE_UDP_GRO], gro);
	for (size_t i = 0; i < PROBE_UDP_SEGMENT; i++)
		assert_int_equal(probe.answers[i], PROBE_UNKNOWN);
}

static void expect(const struct udp *udp, enum probe_answer segment, enum probe_answer gro)
{
	expect_within(udp, PATIENT_BUDGET, segment, gro);
}

/* Descriptors in use: none may be left behind. */
static int next_fd(void)
{
	int fd = dup(0);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static void test_this_kernel(void **state)
{
	struct udp udp = UDP_NULL, one = UDP_NULL;
	int fd;

	(void)state;
	with_loopback(&udp);
	fd = next_fd();
	expect(&udp, PROBE_WORKS, PROBE_WORKS);
	assert_int_equal(next_fd(), fd);
	/* Nothing came to the link's own sockets. */
	assert_false(is_readable(udp.fd4, 0) || is_readable(udp.fd6, 0));
	one = udp;
	one.fd6 = -1;
	expect(&one, PROBE_WORKS, PROBE_WORKS);
	one.fd4 = -1;
	one.fd6 = udp.fd6;
	expect(&one, PROBE_WORKS, PROBE_WORKS);
	one.fd6 = -1;
	expect(&one, PROBE_UNKNOWN, PROBE_UNKNOWN);
	udp_close(&udp);
}

static void test_loopback_down(void **state)
{
	struct udp udp = UDP_NULL;
	int fd;

	(void)state;
	enter_netns();
	assert_int_equal(udp_open(&udp, 0, 0), 0);
	fd = next_fd();
	expect(&udp, PROBE_UNKNOWN, PROBE_UNKNOWN);
	assert_int_equal(next_fd(), fd);
	/* One family is enough to learn from. */
	ip_command("link set lo up");
	ip_command("address delete ::1/128 dev lo");
	expect(&udp, PROBE_WORKS, PROBE_WORKS);
	udp_close(&udp);
}

/* A loopback that is too narrow for a datagram refuses a run for another reason than its kind. */
static void test_loopback_narrow(void **state)
{
	struct udp udp = UDP_NULL;

	(void)state;
	with_loopback(&udp);
	ip_command("link set lo mtu 500");
	expect(&udp, PROBE_UNKNOWN, PROBE_UNKNOWN);
	udp_close(&udp);
}

/* What a start has to wait for nothing. */
static void test_filtered(void **state)
{
	struct udp udp = UDP_NULL;
	nsec_t begin, took;

	(void)state;
	with_loopback(&udp);
	fault.loses_all = true;
	begin = nsec_boottime();
	expect_within(&udp, PROBE_BUDGET, PROBE_UNKNOWN, PROBE_UNKNOWN);
	took = nsec_boottime() - begin;
	print_message("%u us\n", (unsigned int)(took / 1000));
	assert_true(took < TIME_MAX + TOLERANCE);
	udp_close(&udp);
}

/* Without time nothing is found out, and nothing is wrong. */
static void test_no_time(void **state)
{
	struct udp udp = UDP_NULL;
	struct probe probe = { 0 };
	nsec_t begin, took;
	int fd;

	(void)state;
	with_loopback(&udp);
	fd = next_fd();
	expect_within(&udp, 0, PROBE_UNKNOWN, PROBE_UNKNOWN);
	assert_int_equal(next_fd(), fd);
	begin = nsec_boottime();
	probe_udp(&udp, PROBE_BUDGET, &probe);
	took = nsec_boottime() - begin;
	print_message("%u us%s\n", (unsigned int)(took / 1000),
		      probe.answers[PROBE_UDP_GRO] == PROBE_WORKS ? "" : ", too busy");
	assert_true(probe_allows(&probe, PROBE_UDP_SEGMENT) && probe_allows(&probe, PROBE_UDP_GRO));
	assert_true(took < TIME_MAX + TOLERANCE);
	udp_close(&udp);
}

static void test_run_refused(void **state)
{
	static const struct {
		int error;
		enum probe_answer segment;
	} cases[] = {
		{ EIO, PROBE_REFUSED },         { EINVAL, PROBE_REFUSED },
		{ ENOPROTOOPT, PROBE_REFUSED }, { EOPNOTSUPP, PROBE_REFUSED },
		{ EPERM, PROBE_UNKNOWN },       { ENOBUFS, PROBE_UNKNOWN },
		{ EMSGSIZE, PROBE_UNKNOWN },    { EAGAIN, PROBE_UNKNOWN },
	};
	struct udp udp = UDP_NULL;

	(void)state;
	with_loopback(&udp);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fault.run_error = cases[i].error;
		expect(&udp, cases[i].segment, PROBE_UNKNOWN);
	}
	udp_close(&udp);
}

/* A kernel that takes runs and does something else with them. */
static void test_run_lost(void **state)
{
	struct udp udp = UDP_NULL;

	(void)state;
	with_loopback(&udp);
	fault.loses_runs = true;
	expect(&udp, PROBE_REFUSED, PROBE_UNKNOWN);
	/* Once may be by chance: two processors that have their own order. */
	fault.n_left = 1;
	expect(&udp, PROBE_WORKS, PROBE_WORKS);
	udp_close(&udp);
}

static void test_damage(void **state)
{
	struct udp udp = UDP_NULL;

	(void)state;
	with_loopback(&udp);
	fault.damages_runs = true;
	expect(&udp, PROBE_WORKS, PROBE_REFUSED);
	fault.damages_runs = false;
	fault.damages_all = true;
	expect(&udp, PROBE_REFUSED, PROBE_UNKNOWN);
	udp_close(&udp);
}

static void test_wrong_size(void **state)
{
	static const int wrong[] = { 1, -1, 512, -512, 65536, -511 };
	struct udp udp = UDP_NULL;

	(void)state;
	with_loopback(&udp);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		fault.wrong_size = wrong[i];
		expect(&udp, PROBE_WORKS, PROBE_REFUSED);
	}
	udp_close(&udp);
}

static void test_gro_without_effect(void **state)
{
	struct udp udp = UDP_NULL;

	(void)state;
	with_loopback(&udp);
	fault.forgets_gro = true;
	expect(&udp, PROBE_WORKS, PROBE_UNKNOWN);
	fault.forgets_gro = false;
	fault.refuses_gro = true;
	expect(&udp, PROBE_WORKS, PROBE_REFUSED);
	udp_close(&udp);
}

/* What the link's sockets did not take is not tried. */
static void test_known_before(void **state)
{
	struct udp udp = UDP_NULL;

	(void)state;
	with_loopback(&udp);
	udp.has_segment = false;
	expect(&udp, PROBE_REFUSED, PROBE_UNKNOWN);
	udp.has_segment = true;
	udp.has_gro = false;
	expect(&udp, PROBE_WORKS, PROBE_REFUSED);
	udp_close(&udp);
}

/* Which option a filter refuses, and how. */
struct filter {
	int name, error;
};

/* Makes setsockopt(…, IPPROTO_UDP, name, …) fail in this process, for good. */
static int install(const struct filter *filter)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setsockopt, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)filter->name, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)filter->error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(code), .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}

/* What a start under that filter finds: segment in the tens, GRO in the ones; 99: no filters. */
static int start_under(const struct filter *filter)
{
	struct udp udp = UDP_NULL;
	struct probe probe = { 0 };

	if (install(filter) < 0)
		return 99;
	if (udp_open(&udp, 0, 0) != 0)
		return 98;
	probe_udp(&udp, PATIENT_BUDGET, &probe);
	return (int)(probe.answers[PROBE_UDP_SEGMENT] * 10 + probe.answers[PROBE_UDP_GRO]);
}

static int found_under(struct filter filter)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(start_under(&filter));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_system_call_filter(void **state)
{
	(void)state;
	enter_netns();
	ip_command("link set lo up");
	if (found_under((struct filter) { 9999, ENOPROTOOPT }) == 99) {
		print_message("skipped: no seccomp(2) here\n");
		skip();
	}
	assert_int_equal(found_under((struct filter) { 9999, ENOPROTOOPT }),
			 PROBE_WORKS * 10 + PROBE_WORKS);
	assert_int_equal(found_under((struct filter) { UDP_SEGMENT, ENOPROTOOPT }),
			 PROBE_REFUSED * 10 + PROBE_UNKNOWN);
	assert_int_equal(found_under((struct filter) { UDP_SEGMENT, EIO }),
			 PROBE_REFUSED * 10 + PROBE_UNKNOWN);
	assert_int_equal(found_under((struct filter) { UDP_GRO, ENOPROTOOPT }),
			 PROBE_WORKS * 10 + PROBE_REFUSED);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_this_kernel, set_up),
		cmocka_unit_test_setup(test_loopback_down, set_up),
		cmocka_unit_test_setup(test_loopback_narrow, set_up),
		cmocka_unit_test_setup(test_filtered, set_up),
		cmocka_unit_test_setup(test_no_time, set_up),
		cmocka_unit_test_setup(test_run_refused, set_up),
		cmocka_unit_test_setup(test_run_lost, set_up),
		cmocka_unit_test_setup(test_damage, set_up),
		cmocka_unit_test_setup(test_wrong_size, set_up),
		cmocka_unit_test_setup(test_gro_without_effect, set_up),
		cmocka_unit_test_setup(test_known_before, set_up),
		cmocka_unit_test_setup(test_system_call_filter, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
