/*
 * Tests of daemon/data/udp.c: ports, both families, marks, and hosts that lack something. What no
 * host here lacks is taken away between us and the kernel (--wrap=socket, --wrap=setsockopt). Needs
 * root; works in a network namespace of its own.
 */
#include "tests/unit/datagrams.h"

/* As many ports as the kernel may choose from in test_free_port(). */
#define N_PORTS     2
#define FIRST_PORT  40000
#define OPEN_ROUNDS 20
/* The kernel books twice as much. */
#define RECEIVE_BUFFER (7 * 1024 * 1024)

/* What this host has not. */
static int missing_family, missing_option;

int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);

int __wrap_socket(int domain, int type, int protocol)
{
	if (missing_family == AF_UNSPEC || (domain != missing_family && missing_family != -1))
		return __real_socket(domain, type, protocol);
	errno = EAFNOSUPPORT;
	return -1;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (level != IPPROTO_UDP || name != missing_option || !missing_option)
		return __real_setsockopt(fd, level, name, value, len);
	errno = ENOPROTOOPT;
	return -1;
}

static int set_up(void **state)
{
	(void)state;
	missing_family = AF_UNSPEC;
	missing_option = 0;
	return 0;
}

static uint16_t port_of_socket(int fd)
{
	union netaddr local;
	socklen_t len = sizeof(local);

	assert_int_equal(getsockname(fd, &local.sa, &len), 0);
	return netaddr_port(&local);
}

static int option_of(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

/* Takes a port of one family, as another program would. */
static int take_port(int family, uint16_t port)
{
	union netaddr local = { .sa.sa_family = (sa_family_t)family };
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;

	assert_true(fd >= 0);
	if (family == AF_INET6) {
		local.in6.sin6_port = htons(port);
		assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)), 0);
	} else {
		local.in4.sin_port = htons(port);
	}
	assert_int_equal(bind(fd, &local.sa, netaddr_len(&local)), 0);
	return fd;
}

static void test_given_port(void **state)
{
	struct udp udp = UDP_NULL;

	(void)state;
	enter_netns();
	assert_int_equal(udp_open(&udp, 51820, 0), 0);
	assert_int_equal(udp.port, 51820);
	assert_int_equal(port_of_socket(udp.fd4), 51820);
	assert_int_equal(port_of_socket(udp.fd6), 51820);
	/* A mapped address would let IPv4 come in twice. */
	assert_int_equal(option_of(udp.fd6, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	assert_int_equal(fcntl(udp.fd4, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fcntl(udp.fd6, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	udp_set_buffers(&udp, 0, RECEIVE_BUFFER);
	assert_true(option_of(udp.fd4, SOL_SOCKET, SO_RCVBUF) >= RECEIVE_BUFFER);
	assert_true(option_of(udp.fd6, SOL_SOCKET, SO_RCVBUF) >= RECEIVE_BUFFER);
	assert_true(option_of(udp.fd4, SOL_SOCKET, SO_SNDBUF) < RECEIVE_BUFFER);
	udp_set_buffers(&udp, RECEIVE_BUFFER, 0);
	assert_true(option_of(udp.fd6, SOL_SOCKET, SO_SNDBUF) >= RECEIVE_BUFFER);
	udp_close(&udp);
	assert_int_equal(udp.fd4, -1);
	assert_int_equal(udp.fd6, -1);
	udp_close(&udp);
}

/* New sockets under the old descriptors: what was bound to the old port is gone, and who waits on
 * the descriptor hears what comes to the new one. */
static void test_replace(void **state)
{
	struct udp udp = UDP_NULL, from = UDP_NULL, one_family = UDP_NULL;
	int fd4, fd6;

	(void)state;
	enter_netns();
	assert_int_equal(udp_open(&udp, 51820, 0), 0);
	fd4 = udp.fd4;
	fd6 = udp.fd6;
	assert_int_equal(udp_open(&from, 51821, 0), 0);
	from.has_gro = false;
	assert_int_equal(udp_replace(&udp, &from), 0);
	assert_int_equal(from.fd4, -1);
	assert_int_equal(from.fd6, -1);
	assert_int_equal(udp.fd4, fd4);
	assert_int_equal(udp.fd6, fd6);
	assert_int_equal(udp.port, 51821);
	assert_false(udp.has_gro);
	assert_int_equal(port_of_socket(udp.fd4), 51821);
	assert_int_equal(port_of_socket(udp.fd6), 51821);
	assert_int_equal(fcntl(udp.fd4, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(take_port(AF_INET, 51820));
	/* A family that came or went in between cannot be put under a descriptor. */
	missing_family = AF_INET6;
	assert_int_equal(udp_open(&one_family, 51822, 0), 0);
	missing_family = AF_UNSPEC;
	assert_int_equal(udp_replace(&udp, &one_family), -EAFNOSUPPORT);
	assert_int_equal(one_family.fd4, -1);
	assert_int_equal(udp.port, 51821);
	udp_close(&udp);
}

/* Nothing may stay open after a failure: the port can be had once the other program is gone. */
static void test_taken_port(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };

	(void)state;
	enter_netns();
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct udp udp = UDP_NULL;
		int fd = take_port(families[i], 51820);

		assert_int_equal(udp_open(&udp, 51820, 0), -EADDRINUSE);
		assert_int_equal(udp.fd4, -1);
		assert_int_equal(udp.fd6, -1);
		close(fd);
		assert_int_equal(udp_open(&udp, 51820, 0), 0);
		udp_close(&udp);
	}
}

static void test_free_port(void **state)
{
	struct udp one = UDP_NULL, two = UDP_NULL;

	(void)state;
	enter_netns();
	assert_int_equal(udp_open(&one, 0, 0), 0);
	assert_int_equal(udp_open(&two, 0, 0), 0);
	assert_true(one.port != 0);
	assert_int_equal(port_of_socket(one.fd4), one.port);
	assert_int_equal(port_of_socket(one.fd6), one.port);
	assert_int_not_equal(one.port, two.port);
	udp_close(&one);
	udp_close(&two);
}

/* The kernel has two ports to choose from, and one of them is taken for IPv6: about every second
 * first choice is a bad one. */
static void test_free_port_of_both(void **state)
{
	char range[32];
	int n = snprintf(range, sizeof(range), "%d %d", FIRST_PORT, FIRST_PORT + N_PORTS - 1);
	int fd, other;

	(void)state;
	enter_netns();
	fd = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, range, (size_t)n), n);
	close(fd);
	fd = take_port(AF_INET6, FIRST_PORT);
	for (size_t i = 0; i < OPEN_ROUNDS; i++) {
		struct udp udp = UDP_NULL;

		assert_int_equal(udp_open(&udp, 0, 0), 0);
		assert_int_equal(udp.port, FIRST_PORT + 1);
		assert_int_equal(port_of_socket(udp.fd4), FIRST_PORT + 1);
		assert_int_equal(port_of_socket(udp.fd6), FIRST_PORT + 1);
		udp_close(&udp);
	}
	/* With none left it says so, and does not try for ever. */
	other = take_port(AF_INET6, FIRST_PORT + 1);
	for (size_t i = 0; i < OPEN_ROUNDS; i++) {
		struct udp udp = UDP_NULL;

		assert_int_equal(udp_open(&udp, 0, 0), -EADDRINUSE);
		assert_int_equal(udp.fd4, -1);
		assert_int_equal(udp.fd6, -1);
	}
	close(fd);
	close(other);
}

static int open_with(uint16_t port, uint32_t fwmark)
{
	struct udp udp = UDP_NULL;
	int r = udp_open(&udp, port, fwmark);

	udp_close(&udp);
	return -r;
}

static int open_marked(void *context)
{
	(void)context;
	return open_with(0, 7);
}

static int open_low(void *context)
{
	(void)context;
	return open_with(1023, 0);
}

static int open_plain(void *context)
{
	(void)context;
	return open_with(0, 0);
}

static void test_fwmark(void **state)
{
	struct udp udp = UDP_NULL;

	(void)state;
	enter_netns();
	assert_int_equal(udp_open(&udp, 0, 0xfffffffeU), 0);
	assert_int_equal(option_of(udp.fd4, SOL_SOCKET, SO_MARK), (int)0xfffffffeU);
	assert_int_equal(option_of(udp.fd6, SOL_SOCKET, SO_MARK), (int)0xfffffffeU);
	udp_close(&udp);
}

static void test_rights(void **state)
{
	(void)state;
	enter_netns();
	assert_int_equal(without_rights(open_marked, NULL), EPERM);
	assert_int_equal(without_rights(open_low, NULL), EACCES);
	/* A receive buffer beyond the system's limit needs a right, too; it is no reason to fail.
	 */
	assert_int_equal(without_rights(open_plain, NULL), 0);
}

static void test_one_family(void **state)
{
	struct udp udp = UDP_NULL;

	(void)state;
	enter_netns();
	missing_family = AF_INET6;
	assert_int_equal(udp_open(&udp, 0, 0), 0);
	assert_true(udp.fd4 >= 0 && udp.fd6 == -1);
	assert_int_equal(port_of_socket(udp.fd4), udp.port);
	assert_true(udp.has_segment && udp.has_gro);
	udp_close(&udp);

	missing_family = AF_INET;
	assert_int_equal(udp_open(&udp, 0, 0), 0);
	assert_true(udp.fd4 == -1 && udp.fd6 >= 0);
	assert_int_equal(port_of_socket(udp.fd6), udp.port);
	udp_close(&udp);

	missing_family = -1;
	assert_int_equal(udp_open(&udp, 0, 0), -EAFNOSUPPORT);
	assert_int_equal(udp_open(&udp, 51820, 0), -EAFNOSUPPORT);
}

static void test_probe(void **state)
{
	struct udp udp = UDP_NULL;

	(void)state;
	enter_netns();
	assert_int_equal(udp_open(&udp, 0, 0), 0);
	assert_true(udp.has_segment && udp.has_gro);
	/* Only a message that asks for it is cut up. */
	assert_int_equal(option_of(udp.fd4, IPPROTO_UDP, UDP_SEGMENT), 0);
	assert_int_equal(option_of(udp.fd6, IPPROTO_UDP, UDP_SEGMENT), 0);
	udp_close(&udp);

	missing_option = UDP_SEGMENT;
	assert_int_equal(udp_open(&udp, 0, 0), 0);
	assert_true(!udp.has_segment && udp.has_gro);
	udp_close(&udp);

	missing_option = UDP_GRO;
	assert_int_equal(udp_open(&udp, 0, 0), 0);
	assert_true(udp.has_segment && !udp.has_gro);
	udp_close(&udp);
}

static void test_path_equal(void **state)
{
	struct udp_path a = path_to("192.0.2.1", 1), b = a;

	(void)state;
	assert_true(udp_path_equal(&a, &b));
	/* What is in the source's place does not count while there is none. */
	b.source.in4.s_addr = 7;
	assert_true(udp_path_equal(&a, &b));
	pin(&a, "192.0.2.2");
	assert_false(udp_path_equal(&a, &b));
	pin(&b, "192.0.2.3");
	assert_false(udp_path_equal(&a, &b));
	pin(&b, "192.0.2.2");
	assert_true(udp_path_equal(&a, &b));
	b.source_if = 1;
	assert_false(udp_path_equal(&a, &b));
	b = a;
	b.remote.in4.sin_port = htons(2);
	assert_false(udp_path_equal(&a, &b));

	a = b = path_to("2001:db8::1", 1);
	pin(&a, "2001:db8::2");
	pin(&b, "2001:db8::3");
	assert_false(udp_path_equal(&a, &b));
	pin(&b, "2001:db8::2");
	assert_true(udp_path_equal(&a, &b));
	b = path_to("192.0.2.1", 1);
	assert_false(udp_path_equal(&a, &b));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_given_port, set_up),
		cmocka_unit_test_setup(test_replace, set_up),
		cmocka_unit_test_setup(test_taken_port, set_up),
		cmocka_unit_test_setup(test_free_port, set_up),
		cmocka_unit_test_setup(test_free_port_of_both, set_up),
		cmocka_unit_test_setup(test_fwmark, set_up),
		cmocka_unit_test_setup(test_rights, set_up),
		cmocka_unit_test_setup(test_one_family, set_up),
		cmocka_unit_test_setup(test_probe, set_up),
		cmocka_unit_test_setup(test_path_equal, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
