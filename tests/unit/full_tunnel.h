/*
 * What the tests of full tunnels share: a namespace with an underlay "vtb" (10.7.0.1/24,
 * fd00:7::1/64 and the default routes), links on TUN interfaces, and datagrams whose way is looked
 * at by reading those interfaces.
 */
#ifndef TESTS_UNIT_FULL_TUNNEL_H
#define TESTS_UNIT_FULL_TUNNEL_H

#include "tests/unit/host_env.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "daemon/host/ifsetup.h"
#include "daemon/host/nl.h"

#define MAX_PREFIXES 8

/* One interface. */
struct port {
	int fd;
	unsigned int ifindex;
};

/* A link that is set up as far as ifsetup goes. */
struct side {
	struct port port;
	struct conf_link conf;
};

struct field {
	struct netlink nl;
	struct port underlay;
};

static inline struct conf_prefixes prefix_list(const char *const *texts)
{
	struct conf_prefixes list = { .items = calloc(MAX_PREFIXES, sizeof(struct prefix)) };

	assert_non_null(list.items);
	for (; *texts; texts++)
		list.items[list.n++] = prefix_of(*texts);
	return list;
}

static inline void add_port(struct field *field, struct port *port, const char *name)
{
	port->fd = make_tun(name);
	assert_int_equal(fcntl(port->fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(nl_link_index(&field->nl, name, &port->ifindex), 0);
}

static inline void field_open(struct field *field)
{
	static const char *const addresses[] = { "10.7.0.1/24", "fd00:7::1/64" };
	struct prefix defaults[] = { { .family = AF_INET }, { .family = AF_INET6 } };
	struct nl_route_failure failure;

	enter_netns();
	field->nl = (struct netlink)NETLINK_NULL;
	assert_int_equal(netlink_open(&field->nl), 0);
	assert_int_equal(nl_link_set_up(&field->nl, 1), 0);
	add_port(field, &field->underlay, "vtb");
	assert_int_equal(nl_link_no_link_local(&field->nl, field->underlay.ifindex), 0);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct prefix address = prefix_of(addresses[i]);

		assert_int_equal(nl_addr_add(&field->nl, field->underlay.ifindex, &address, true),
				 0);
	}
	assert_int_equal(nl_link_set_up(&field->nl, field->underlay.ifindex), 0);
	assert_int_equal(nl_route_add(&field->nl, field->underlay.ifindex, NL_ROUTE_TABLE_MAIN,
				      defaults, 2, &failure),
			 0);
}

static inline void field_close(struct field *field)
{
	close(field->underlay.fd);
	netlink_close(&field->nl);
}

/* Makes the interface with addresses and routes; both lists end in NULL. */
static inline void side_open(struct field *field, struct side *side, const char *name,
			     const char *const *addresses, const char *const *allowed)
{
	struct ifsetup_failure failure;

	*side = (struct side) { .conf.fwmark = 0 };
	snprintf(side->conf.name, sizeof(side->conf.name), "%s", name);
	side->conf.addresses = prefix_list(addresses);
	side->conf.allowed_ips = prefix_list(allowed);
	add_port(field, &side->port, name);
	assert_true(ifsetup_apply(&field->nl, &side->conf, side->port.ifindex, 1420, &failure) >=
		    0);
}

static inline void side_close(struct side *side)
{
	close(side->port.fd);
	free(side->conf.addresses.items);
	free(side->conf.allowed_ips.items);
}

/* Writes a file under /proc/sys; the test is skipped where that is not allowed. */
static inline void set_sysctl(const char *path, char value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		print_message("skipped: %s cannot be written: %s\n", path, strerror(errno));
		skip();
	}
	assert_int_equal(write(fd, &value, 1), 1);
	close(fd);
}

/* The interface that a packet with a mark to an address would leave through, or 0. */
static inline unsigned int way_to(struct field *field, const char *text, uint32_t mark)
{
	union netaddr addr = { .sa.sa_family = AF_INET };
	struct nl_path path;

	if (inet_pton(AF_INET, text, &addr.in4.sin_addr) != 1) {
		addr.sa.sa_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &addr.in6.sin6_addr), 1);
	}
	return nl_path_get(&field->nl, &addr, mark, &path) == 0 ? path.ifindex : 0;
}

/* Counts the rules that are vpnd's. */
static inline void count_rule(const struct nl_rule *rule, void *context)
{
	*(size_t *)context += rule->protocol == 118;
}

static inline size_t n_rules(struct field *field, int family)
{
	size_t n = 0;

	assert_int_equal(nl_rule_list(&field->nl, family, count_rule, &n), 0);
	return n;
}

#endif
