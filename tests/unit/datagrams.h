/*
 * What the tests of the UDP side share: a namespace with addresses on its loopback, two ends there,
 * and runs of datagrams taken apart again.
 */
#ifndef TESTS_UNIT_DATAGRAMS_H
#define TESTS_UNIT_DATAGRAMS_H

#include "tests/unit/ip_command.h"

#include <arpa/inet.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/defs.h"
#include "daemon/data/udp.h"

#define PATIENCE_MS 5000
#define N_PROBES    500
#define PROBE_MS    20

/* Two ends. */
struct ends {
	struct udp near, far;
};

/* Each datagram as it came: runs are taken apart. */
struct arrived {
	struct udp_datagram runs[UDP_BATCH];
	uint8_t *memory;
	size_t n_runs;
};

static inline union netaddr address_of(const char *text, uint16_t port)
{
	union netaddr address = { .sa.sa_family = AF_UNSPEC };

	if (inet_pton(AF_INET, text, &address.in4.sin_addr) == 1) {
		address.in4.sin_family = AF_INET;
		address.in4.sin_port = htons(port);
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &address.in6.sin6_addr), 1);
		address.in6.sin6_family = AF_INET6;
		address.in6.sin6_port = htons(port);
	}
	return address;
}

static inline struct udp_path path_to(const char *text, uint16_t port)
{
	return (struct udp_path) { .remote = address_of(text, port) };
}

/* Pins a local address of the remote end's family. */
static inline void pin(struct udp_path *path, const char *text)
{
	union netaddr source = address_of(text, 0);

	assert_int_equal(source.sa.sa_family, path->remote.sa.sa_family);
	path->has_source = true;
	if (source.sa.sa_family == AF_INET)
		path->source.in4 = source.in4.sin_addr;
	else
		path->source.in6 = source.in6.sin6_addr;
}

static inline int fd_of(const struct udp *udp, const char *address)
{
	return strchr(address, ':') ? udp->fd6 : udp->fd4;
}

/* Whether something can be read within that time. */
static inline bool is_readable(int fd, int patience_ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	return poll(&pollfd, 1, patience_ms) > 0 && (pollfd.revents & POLLIN);
}

/* A new IPv6 address is the host's own only a moment later: until then what is sent to it is lost.
 */
static inline void await_address(const struct ends *ends, const char *address)
{
	struct udp_path path = path_to(address, ends->far.port);
	int fd = fd_of(&ends->far, address);
	uint8_t byte = 0;
	struct udp_message probe = { .data = &byte, .len = 1, .segment_len = 1 };

	for (int i = 0; i < N_PROBES; i++) {
		if (udp_send(&ends->near, &path, &probe, 1) == 1 && is_readable(fd, PROBE_MS)) {
			while (recv(fd, &byte, 1, MSG_DONTWAIT) == 1)
				;
			return;
		}
	}
	fail_msg("%s does not become ours", address);
}

/* A namespace with 127.0.0.0/8, fd00::1 and fd00::2 on its loopback, and two ends. */
static inline void open_ends(struct ends *ends)
{
	enter_netns();
	ip_command("link set lo up");
	ip_command("address add fd00::1/128 dev lo nodad");
	ip_command("address add fd00::2/128 dev lo nodad");
	assert_int_equal(udp_open(&ends->near, 0, 0), 0);
	assert_int_equal(udp_open(&ends->far, 0, 0), 0);
	await_address(ends, "fd00::1");
	await_address(ends, "fd00::2");
}

static inline void close_ends(struct ends *ends)
{
	udp_close(&ends->near);
	udp_close(&ends->far);
}

static inline void arrived_init(struct arrived *arrived)
{
	arrived->memory = malloc((size_t)UDP_BATCH * UDP_DATAGRAM_MAX);
	assert_non_null(arrived->memory);
	arrived->n_runs = 0;
	for (size_t i = 0; i < UDP_BATCH; i++)
		arrived->runs[i].data = arrived->memory + i * UDP_DATAGRAM_MAX;
}

static inline void arrived_deinit(struct arrived *arrived)
{
	free(arrived->memory);
}

/* Receives one batch; loopback delivers at once. */
static inline void receive(struct arrived *arrived, int fd)
{
	int n;

	assert_true(is_readable(fd, PATIENCE_MS));
	n = udp_receive(fd, arrived->runs, UDP_BATCH);
	assert_true(n > 0);
	arrived->n_runs = (size_t)n;
}

#endif
