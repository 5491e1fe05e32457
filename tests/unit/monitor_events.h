/*
 * What the tests of daemon/host/monitor.c and of what it tells bridges share.
 */
#ifndef TESTS_UNIT_MONITOR_EVENTS_H
#define TESTS_UNIT_MONITOR_EVENTS_H

#include "tests/unit/host_env.h"

#include <sys/socket.h>

#include "daemon/host/monitor.h"

/* Makes more events of an interface than the monitor's socket holds. */
static inline void overrun(struct netlink *nl, unsigned int ifindex, const struct monitor *monitor)
{
	int tiny = 4096;

	assert_int_equal(
		setsockopt(monitor_fd(monitor), SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny)), 0);
	for (unsigned int i = 0; i < 200; i++)
		assert_int_equal(nl_link_set_mtu(nl, ifindex, 1300 + i), 0);
}

#endif
