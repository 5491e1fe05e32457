/*
 * A full tunnel from start to stop, with real datagrams: netup.c, guard.c and valid_mark.c. What
 * leaves through an interface is read from its descriptor, and what is written there comes in.
 */
#include "tests/unit/full_tunnel.h"

#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/stat.h>

#include "daemon/host/filter.h"
#include "daemon/host/netup.h"
#include "tests/unit/temp_dir.h"

#define PORT 4000

static const char *const addresses_a[] = { "10.9.0.1/24", "fd00:9::1/64", NULL };
static const char *const addresses_b[] = { "10.8.0.1/24", NULL };
static const char *const everything[] = { "0.0.0.0/0", "::/0", NULL };

struct world {
	struct field field;
	struct side side;
	char dir[TEMP_DIR_LEN];
	char run_dir[64];
	struct netup netup;
	uint32_t mark;
	char text[NETUP_TEXT_MAX];
};

static void open_world(struct world *world)
{
	*world = (struct world) { .dir = "" };
	assert_true(make_temp_dir(world->dir));
	snprintf(world->run_dir, sizeof(world->run_dir), "%s/vta", world->dir);
	field_open(&world->field);
	side_open(&world->field, &world->side, "vta", addresses_a, everything);
	world->side.conf.mss_clamp = CONF_MSS_NONE;
	netup_init(&world->netup, &world->field.nl, "vta", world->run_dir);
	world->netup.dns.path = world->dir;
}

static void close_world(struct world *world)
{
	side_close(&world->side);
	field_close(&world->field);
	rmdir(world->run_dir);
	assert_int_equal(rmdir(world->dir), 0);
}

static void start(struct world *world)
{
	assert_int_equal(netup_recover(&world->netup, world->text), 0);
	assert_int_equal(netup_claim(&world->netup, &world->side.conf, &world->mark, world->text),
			 0);
	assert_int_equal(netup_start(&world->netup, &world->side.conf, world->side.port.ifindex,
				     world->text),
			 0);
}

static bool has_notes(const struct world *world)
{
	struct undo undo;

	return undo_load(world->run_dir, &undo) == 0;
}

#define VALID_MARK "/proc/sys/net/ipv4/conf/all/src_valid_mark"

static char get_valid_mark(void)
{
	int fd = open(VALID_MARK, O_RDONLY | O_CLOEXEC);
	char value = '?';

	if (fd >= 0) {
		(void)!read(fd, &value, 1);
		close(fd);
	}
	return value;
}

/* A UDP socket on PORT that marks what it sends. */
static int open_socket(uint32_t mark)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	return fd;
}

static bool is_readable(int fd)
{
	struct pollfd item = { .fd = fd, .events = POLLIN };

	return poll(&item, 1, 200) == 1;
}

/* Sends a datagram to an address and tells whether it leaves through a port. */
static bool leaves_through(int fd, const char *text, const struct port *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	unsigned char packet[2048];
	ssize_t len;

	assert_int_equal(inet_pton(AF_INET, text, &to.sin_addr), 1);
	while (read(port->fd, packet, sizeof(packet)) > 0)
		continue;
	if (sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) != 1)
		return false;
	while (is_readable(port->fd)) {
		len = read(port->fd, packet, sizeof(packet));
		if (len >= (ssize_t)sizeof(struct iphdr) && packet[0] >> 4 == 4 &&
		    memcmp(packet + 16, &to.sin_addr, 4) == 0)
			return true;
	}
	return false;
}

static uint16_t checksum(const unsigned char *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* A datagram comes in through a port; tells whether the socket gets it. */
static bool arrives(int fd, const struct port *port, const char *from, const char *to)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP };
	struct udphdr udp = { .source = htons(9), .dest = htons(PORT), .len = htons(9) };
	unsigned char packet[sizeof(ip) + sizeof(udp) + 1] = { 0 };
	char byte;

	while (recv(fd, &byte, 1, 0) >= 0)
		continue;
	ip.tot_len = htons(sizeof(packet));
	assert_int_equal(inet_pton(AF_INET, from, &ip.saddr), 1);
	assert_int_equal(inet_pton(AF_INET, to, &ip.daddr), 1);
	memcpy(packet, &ip, sizeof(ip));
	ip.check = htons(checksum(packet, sizeof(ip)));
	memcpy(packet, &ip, sizeof(ip));
	memcpy(packet + sizeof(ip), &udp, sizeof(udp));
	assert_int_equal(write(port->fd, packet, sizeof(packet)), sizeof(packet));
	return is_readable(fd);
}

/* Which way everything takes while a full tunnel is up. */
static void assert_tunnel(struct world *world)
{
	const struct port *underlay = &world->field.underlay;
	const struct port *tunnel = &world->side.port;
	int own = open_socket(world->mark);
	int other;

	assert_true(leaves_through(own, "198.51.100.1", underlay));
	/* The peer's answer is heard, although sources are checked strictly. */
	assert_true(arrives(own, underlay, "198.51.100.1", "10.7.0.1"));
	close(own);
	other = open_socket(0);
	assert_true(leaves_through(other, "198.51.100.1", tunnel));
	assert_true(leaves_through(other, "10.7.0.9", underlay));
	/* The tunnel's address is reached through the tunnel, and from here, but from nowhere else,
	 * not even by a neighbour whose address the strict check believes. */
	assert_true(arrives(other, tunnel, "203.0.113.1", "10.9.0.1"));
	assert_false(arrives(other, underlay, "10.7.0.9", "10.9.0.1"));
	assert_true(arrives(other, underlay, "10.7.0.9", "10.7.0.1"));
	close(other);
}

static void test_tunnel(void **state)
{
	struct world world;
	int other;

	(void)state;
	open_world(&world);
	set_sysctl("/proc/sys/net/ipv4/conf/all/rp_filter", '1');
	assert_int_equal(get_valid_mark(), '0');
	start(&world);
	assert_int_equal(world.mark, 51820);
	assert_int_equal(get_valid_mark(), '1');
	assert_true(has_notes(&world));
	assert_tunnel(&world);
	/* Once more, as a reload does; with other addresses. */
	assert_int_equal(netup_claim(&world.netup, &world.side.conf, &world.mark, world.text), 0);
	assert_int_equal(world.mark, 51820);
	assert_int_equal(
		netup_start(&world.netup, &world.side.conf, world.side.port.ifindex, world.text),
		0);
	assert_tunnel(&world);

	assert_int_equal(netup_stop(&world.netup, world.text), 0);
	assert_string_equal(world.text, "");
	assert_int_equal(get_valid_mark(), '0');
	assert_false(has_notes(&world));
	assert_int_equal(n_rules(&world.field, AF_INET), 0);
	assert_int_equal(n_rules(&world.field, AF_INET6), 0);
	other = open_socket(0);
	assert_true(leaves_through(other, "198.51.100.1", &world.field.underlay));
	/* The guard is gone, too. */
	assert_true(arrives(other, &world.field.underlay, "10.7.0.9", "10.9.0.1"));
	close(other);
	assert_int_equal(netup_stop(&world.netup, world.text), 0);
	close_world(&world);
}

/* A file that no longer wants a full tunnel, and then wants it again. */
static void test_reload(void **state)
{
	struct conf_link plain;
	struct world world;
	bool is_used;

	(void)state;
	open_world(&world);
	start(&world);
	plain = world.side.conf;
	plain.allowed_ips.n = 0;
	assert_int_equal(netup_claim(&world.netup, &plain, &world.mark, world.text), 0);
	assert_int_equal(world.mark, 0);
	assert_int_equal(netup_start(&world.netup, &plain, world.side.port.ifindex, world.text), 0);
	assert_int_equal(n_rules(&world.field, AF_INET), 0);
	assert_false(has_notes(&world));
	assert_int_equal(nl_route_table_used(&world.field.nl, 51820, &is_used), 0);
	assert_false(is_used);
	assert_int_equal(netup_claim(&world.netup, &world.side.conf, &world.mark, world.text), 0);
	assert_int_equal(
		netup_start(&world.netup, &world.side.conf, world.side.port.ifindex, world.text),
		0);
	assert_tunnel(&world);
	/* Another FwMark: the tunnel carries everything at each moment of the change. */
	world.side.conf.fwmark = 0x1234;
	assert_int_equal(netup_claim(&world.netup, &world.side.conf, &world.mark, world.text), 0);
	assert_int_equal(world.mark, 0x1234);
	assert_int_equal(way_to(&world.field, "198.51.100.1", 0), world.side.port.ifindex);
	assert_int_equal(way_to(&world.field, "198.51.100.1", 0x1234),
			 world.field.underlay.ifindex);
	assert_int_equal(way_to(&world.field, "198.51.100.1", 51820), world.field.underlay.ifindex);
	assert_int_equal(
		netup_start(&world.netup, &world.side.conf, world.side.port.ifindex, world.text),
		0);
	assert_int_equal(n_rules(&world.field, AF_INET), 3);
	assert_int_equal(way_to(&world.field, "198.51.100.1", 51820), world.side.port.ifindex);
	assert_int_equal(nl_route_table_used(&world.field.nl, 51820, &is_used), 0);
	assert_false(is_used);
	assert_tunnel(&world);
	/* Claimed, and then given up before the start. */
	world.side.conf.fwmark = 0x4321;
	assert_int_equal(netup_claim(&world.netup, &world.side.conf, &world.mark, world.text), 0);
	assert_int_equal(netup_stop(&world.netup, world.text), 0);
	assert_int_equal(n_rules(&world.field, AF_INET), 0);
	assert_int_equal(n_rules(&world.field, AF_INET6), 0);
	close_world(&world);
}

/* The process is killed: its interface vanishes, and the next one cleans up. */
static void test_crash(void **state)
{
	struct netup next;
	struct world world;
	int other;

	(void)state;
	open_world(&world);
	start(&world);
	/* While the interface lives, nothing is touched. */
	netup_init(&next, &world.field.nl, "vta", world.run_dir);
	assert_int_equal(netup_recover(&next, world.text), NETUP_KEPT);
	assert_int_equal(n_rules(&world.field, AF_INET), 3);
	/* It is taken over with all its numbers. */
	assert_int_equal(netup_claim(&next, &world.side.conf, &world.mark, world.text), 0);
	assert_int_equal(world.mark, 51820);
	assert_int_equal(netup_start(&next, &world.side.conf, world.side.port.ifindex, world.text),
			 0);
	assert_tunnel(&world);

	close(world.side.port.fd);
	world.side.port.fd = -1;
	netup_init(&next, &world.field.nl, "vta", world.run_dir);
	assert_int_equal(netup_recover(&next, world.text), NETUP_CLEANED);
	assert_int_equal(n_rules(&world.field, AF_INET), 0);
	assert_int_equal(n_rules(&world.field, AF_INET6), 0);
	assert_int_equal(get_valid_mark(), '0');
	assert_false(has_notes(&world));
	other = open_socket(0);
	assert_true(leaves_through(other, "198.51.100.1", &world.field.underlay));
	close(other);
	assert_int_equal(netup_recover(&next, world.text), 0);
	close_world(&world);
}

/* Two links: the sysctl goes back with the last of them, whoever that is. */
static void test_two(void **state)
{
	char run_dir[64], text[NETUP_TEXT_MAX];
	struct netup second;
	struct world world;
	struct side side;
	uint32_t mark;

	(void)state;
	open_world(&world);
	start(&world);
	side_open(&world.field, &side, "vtc", addresses_b, everything);
	snprintf(run_dir, sizeof(run_dir), "%s/vtc", world.dir);
	netup_init(&second, &world.field.nl, "vtc", run_dir);
	assert_int_equal(netup_claim(&second, &side.conf, &mark, text), 0);
	assert_int_equal(mark, 51821);
	assert_int_equal(netup_start(&second, &side.conf, side.port.ifindex, text), 0);
	assert_int_equal(way_to(&world.field, "198.51.100.1", mark), world.field.underlay.ifindex);
	assert_int_equal(netup_stop(&world.netup, text), 0);
	assert_int_equal(get_valid_mark(), '1');
	assert_int_equal(way_to(&world.field, "198.51.100.1", 0), side.port.ifindex);
	assert_int_equal(netup_stop(&second, text), 0);
	assert_int_equal(get_valid_mark(), '0');
	assert_int_equal(n_rules(&world.field, AF_INET), 0);
	/* What the administrator has set stays. */
	set_sysctl(VALID_MARK, '1');
	start(&world);
	assert_int_equal(netup_stop(&world.netup, text), 0);
	assert_int_equal(get_valid_mark(), '1');
	side_close(&side);
	rmdir(run_dir);
	close_world(&world);
}

/* A link without any of it needs no file, and leaves none. */
static void test_plain(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	world.side.conf.allowed_ips.n = 0;
	world.side.conf.fwmark = 77;
	start(&world);
	assert_int_equal(world.mark, 77);
	assert_int_equal(netup_set_dns(&world.netup, &world.side.conf, world.text), 0);
	assert_int_equal(access(world.run_dir, F_OK), -1);
	assert_int_equal(n_rules(&world.field, AF_INET), 0);
	assert_int_equal(netup_stop(&world.netup, world.text), 0);
	close_world(&world);
}

/* A program that only succeeds. */
static void fake(struct world *world, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", world->dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "#!/bin/sh\n", 10), 10);
	close(fd);
}

static void test_dns(void **state)
{
	char server[] = "10.9.0.53";
	char *servers[] = { server };
	struct conf_link *conf;
	struct undo undo;
	struct world world;
	struct netup next;
	char path[64];

	(void)state;
	open_world(&world);
	conf = &world.side.conf;
	conf->allowed_ips.n = 0;
	start(&world);
	conf->dns = (struct conf_strings) { .items = servers, .n = 1 };
	assert_int_equal(netup_set_dns(&world.netup, conf, world.text), NETUP_WARNING);
	assert_non_null(strstr(world.text, "install systemd-resolved or resolvconf"));
	fake(&world, "resolvconf");
	assert_int_equal(netup_set_dns(&world.netup, conf, world.text), 0);
	assert_int_equal(undo_load(world.run_dir, &undo), 0);
	assert_int_equal(undo.dns, UNDO_DNS_RESOLVCONF);
	assert_string_equal(undo.record, "vta");
	/* The file no longer has servers. */
	conf->dns.n = 0;
	assert_int_equal(netup_set_dns(&world.netup, conf, world.text), 0);
	assert_false(has_notes(&world));
	/* A crash: without the program a warning, and no second try. */
	conf->dns.n = 1;
	assert_int_equal(netup_set_dns(&world.netup, conf, world.text), 0);
	snprintf(path, sizeof(path), "%s/resolvconf", world.dir);
	unlink(path);
	close(world.side.port.fd);
	world.side.port.fd = -1;
	netup_init(&next, &world.field.nl, "vta", world.run_dir);
	next.dns.path = world.dir;
	assert_int_equal(netup_recover(&next, world.text), NETUP_WARNING);
	assert_non_null(strstr(world.text, "were not taken back"));
	assert_int_equal(netup_recover(&next, world.text), 0);
	close_world(&world);
}

static void test_failures(void **state)
{
	struct nl_route_failure failure;
	struct prefix everywhere = { .family = AF_INET };
	struct world world;
	FILE *file;

	(void)state;
	open_world(&world);
	/* Somebody's default route in the table that the file names. */
	world.side.conf.fwmark = 600;
	assert_int_equal(nl_route_add(&world.field.nl, world.field.underlay.ifindex, 600,
				      &everywhere, 1, &failure),
			 0);
	assert_int_equal(netup_claim(&world.netup, &world.side.conf, &world.mark, world.text), 0);
	assert_int_equal(
		netup_start(&world.netup, &world.side.conf, world.side.port.ifindex, world.text),
		NETUP_TAKEN);
	assert_string_equal(world.text, "routing table 600 has another default route already: "
					"choose another FwMark, or leave it out");
	assert_int_equal(netup_stop(&world.netup, world.text), 0);
	assert_int_equal(n_rules(&world.field, AF_INET), 0);
	assert_int_equal(get_valid_mark(), '0');
	/* The run directory is a file. */
	rmdir(world.run_dir);
	file = fopen(world.run_dir, "we");
	assert_non_null(file);
	fclose(file);
	world.side.conf.fwmark = 0;
	assert_int_equal(netup_claim(&world.netup, &world.side.conf, &world.mark, world.text),
			 -ENOTDIR);
	assert_string_equal(world.text, "cannot note in the run directory what is to be undone: "
					"Not a directory");
	assert_int_equal(n_rules(&world.field, AF_INET), 0);
	unlink(world.run_dir);
	/* The run directory is everybody's. */
	assert_int_equal(mkdir(world.run_dir, 0700), 0);
	assert_int_equal(chmod(world.run_dir, 0777), 0);
	assert_int_equal(netup_recover(&world.netup, world.text), -EPERM);
	assert_string_equal(world.text,
			    "cannot read in the run directory what an earlier run has left: it, or "
			    "the file `undo` in it, belongs to another user or may be written by "
			    "others");
	close_world(&world);
}

static int start_without_rights(void *context)
{
	struct netlink nf = NETLINK_NULL;
	struct world *world = context;
	const struct filter filter = { "vta", world->side.port.ifindex, &world->side.conf, 7,
				       FILTER_GUARD };
	unsigned int made;

	if (filter_open(NULL, &nf) != 0 || filter_set(&nf, &filter, &made) != -EPERM)
		return 2;
	netlink_close(&nf);
	netup_init(&world->netup, &world->field.nl, "vta", world->run_dir);
	if (netup_claim(&world->netup, &world->side.conf, &world->mark, world->text) != -EPERM)
		return 1;
	return strcmp(world->text, "cannot add a rule for the full tunnel: the right to change "
				   "network settings is missing (CAP_NET_ADMIN)") != 0;
}

static void test_without_rights(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	assert_int_equal(without_rights(start_without_rights, &world), 0);
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tunnel),   cmocka_unit_test(test_reload),
		cmocka_unit_test(test_crash),    cmocka_unit_test(test_two),
		cmocka_unit_test(test_plain),    cmocka_unit_test(test_dns),
		cmocka_unit_test(test_failures), cmocka_unit_test(test_without_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
