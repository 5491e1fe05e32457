/*
 * Tests of tun_adopt() and udp_adopt(): what another process has opened is taken over only when it
 * is what the file asks for. Needs root; works in network namespaces of its own.
 */
#include "tests/unit/ip_command.h"

#include <sys/socket.h>

#include "common/netaddr.h"
#include "daemon/data/tun.h"
#include "daemon/data/udp.h"

#define NAME "vpnd-adopt"
#define PORT 40123

static void expect_refused(int fd, const char *name)
{
	struct tun tun = TUN_NULL;

	assert_int_equal(tun_adopt(fd, name, false, &tun), -ENXIO);
	assert_int_equal(tun.fd, -1);
	assert_true(fcntl(fd, F_GETFD) >= 0);
}

static void an_interface_is_taken_over(void **state)
{
	struct tun first = TUN_NULL, second = TUN_NULL;
	unsigned int ifindex;
	int copy;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &first), 0);
	ifindex = if_nametoindex(NAME);
	copy = dup(first.fd);
	tun_close(&first);
	assert_int_equal(tun_adopt(copy, NAME, false, &second), 0);
	assert_int_equal(second.fd, copy);
	assert_true(second.has_vnet && second.has_tso);
	assert_int_equal(fcntl(copy, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(copy, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(if_nametoindex(NAME), ifindex);
	tun_close(&second);
	assert_int_equal(if_nametoindex(NAME), 0);
}

static void another_interface_is_refused(void **state)
{
	struct tun tun = TUN_NULL;
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int tap, fresh;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, false, &tun), 0);
	expect_refused(tun.fd, "vpnd-adop");
	expect_refused(tun.fd, "vpnd-adopt1");
	expect_refused(STDERR_FILENO, NAME);
	fresh = open(TUN_DEVICE, O_RDWR | O_CLOEXEC);
	expect_refused(fresh, NAME);
	close(fresh);
	ip_command("link delete " NAME);
	expect_refused(tun.fd, NAME);
	tun_close(&tun);

	tap = open(TUN_DEVICE, O_RDWR | O_CLOEXEC);
	memcpy(request.ifr_name, NAME, sizeof(NAME));
	assert_int_equal(ioctl(tap, TUNSETIFF, &request), 0);
	expect_refused(tap, NAME);
	close(tap);
}

/* Neither kind is taken for the other, whatever its name. */
static void a_tap_is_taken_over_as_a_tap(void **state)
{
	struct tun first = TUN_NULL, second = TUN_NULL;
	int copy;

	(void)state;
	enter_netns();
	assert_int_equal(tun_open(NAME, true, &first), 0);
	assert_true(first.is_tap);
	expect_refused(first.fd, NAME);
	copy = dup(first.fd);
	tun_close(&first);
	assert_int_equal(tun_adopt(copy, NAME, true, &second), 0);
	assert_true(second.is_tap && second.has_vnet && second.has_tso);
	tun_close(&second);
	assert_int_equal(tun_open(NAME, false, &first), 0);
	assert_int_equal(tun_adopt(first.fd, NAME, true, &second), -ENXIO);
	assert_false(first.is_tap);
	tun_close(&first);
}

/* A link's own interface gets the address; one that somebody else has made keeps its own. */
static void a_tap_gets_its_address(void **state)
{
	static const uint8_t address[] = { 0x02, 1, 2, 3, 4, 5 };
	struct ifreq request = { .ifr_name = NAME };
	struct tun tun = TUN_NULL;

	(void)state;
	enter_netns();
	for (int persistent = 0; persistent <= 1; persistent++) {
		assert_int_equal(tun_open(NAME, true, &tun), 0);
		assert_int_equal(ioctl(tun.fd, TUNSETPERSIST, persistent), 0);
		assert_int_equal(tun_set_address(&tun, address), 0);
		assert_int_equal(ioctl(tun.fd, SIOCGIFHWADDR, &request), 0);
		assert_int_equal(memcmp(request.ifr_hwaddr.sa_data, address, sizeof(address)) == 0,
				 !persistent);
		assert_int_equal(ioctl(tun.fd, TUNSETPERSIST, 0), 0);
		ip_command("link set " NAME " up");
		tun_close(&tun);
	}
	assert_int_equal(tun_open(NAME, false, &tun), 0);
	assert_true(tun_set_address(&tun, address) < 0);
	tun_close(&tun);
}

static void sockets_are_taken_over(void **state)
{
	struct udp first = UDP_NULL, second = UDP_NULL;
	int mark = -1;
	socklen_t len = sizeof(mark);

	(void)state;
	enter_netns();
	assert_int_equal(udp_open(&first, PORT, 7), 0);
	assert_int_equal(udp_adopt(first.fd4, first.fd6, PORT, &second), 0);
	assert_int_equal(second.fd4, first.fd4);
	assert_int_equal(second.fd6, first.fd6);
	assert_int_equal(second.port, PORT);
	assert_int_equal(second.has_segment, first.has_segment);
	assert_int_equal(second.has_gro, first.has_gro);
	/* Any port will do: then it is the one that the peer knows. */
	assert_int_equal(udp_adopt(first.fd4, first.fd6, 0, &second), 0);
	assert_int_equal(second.port, PORT);

	assert_int_equal(udp_set_mark(&second, 0), 0);
	assert_int_equal(getsockopt(second.fd6, SOL_SOCKET, SO_MARK, &mark, &len), 0);
	assert_int_equal(mark, 0);
	udp_close(&second);
}

static void a_family_without_a_socket_gets_one(void **state)
{
	struct udp first = UDP_NULL, second = UDP_NULL;

	(void)state;
	enter_netns();
	assert_int_equal(udp_open(&first, PORT, 0), 0);
	close(first.fd6);
	assert_int_equal(udp_adopt(first.fd4, -1, PORT, &second), 0);
	assert_true(second.fd6 >= 0);
	close(second.fd4);
	first = second;
	assert_int_equal(udp_adopt(-1, first.fd6, 0, &second), 0);
	assert_true(second.fd4 >= 0);
	assert_int_equal(second.port, PORT);
	udp_close(&second);
}

static void other_sockets_are_refused(void **state)
{
	struct udp first = UDP_NULL, second = UDP_NULL, third = UDP_NULL;
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int unbound = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	enter_netns();
	assert_int_equal(udp_open(&first, PORT, 0), 0);
	assert_int_equal(udp_open(&second, PORT + 1, 0), 0);
	assert_int_equal(udp_adopt(first.fd4, first.fd6, PORT + 1, &third), -ENXIO);
	assert_int_equal(udp_adopt(first.fd4, second.fd6, 0, &third), -ENXIO);
	assert_int_equal(udp_adopt(first.fd6, first.fd4, PORT, &third), -ENXIO);
	assert_int_equal(udp_adopt(tcp, first.fd6, PORT, &third), -ENXIO);
	assert_int_equal(udp_adopt(unbound, -1, 0, &third), -ENXIO);
	assert_int_equal(udp_adopt(STDERR_FILENO, -1, PORT, &third), -ENXIO);
	/* The other family's port is somebody else's. */
	assert_int_equal(udp_adopt(first.fd4, -1, PORT, &third), -EADDRINUSE);
	assert_int_equal(third.fd4, -1);
	assert_int_equal(third.fd6, -1);
	assert_true(fcntl(first.fd4, F_GETFD) >= 0);
	udp_close(&first);
	udp_close(&second);
	close(tcp);
	close(unbound);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interface_is_taken_over),
		cmocka_unit_test(another_interface_is_refused),
		cmocka_unit_test(a_tap_is_taken_over_as_a_tap),
		cmocka_unit_test(a_tap_gets_its_address),
		cmocka_unit_test(sockets_are_taken_over),
		cmocka_unit_test(a_family_without_a_socket_gets_one),
		cmocka_unit_test(other_sockets_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
