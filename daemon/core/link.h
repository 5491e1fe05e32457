/*
 * A link: one interface, one peer, one loop. Everything that it consists of is put together
 * here; what happens on its descriptors is in link.c, how they come to be in link_open.c.
 */
#ifndef CORE_LINK_H
#define CORE_LINK_H

#include <ev.h>

#include "common/err.h"
#include "conf/host_model.h"
#include "conf/model.h"
#include "daemon/core/alarm.h"
#include "daemon/core/endpoint.h"
#include "daemon/core/rx.h"
#include "daemon/core/suites.h"
#include "daemon/core/tx.h"
#include "daemon/core/way.h"
#include "daemon/host/monitor.h"

struct link {
	struct ev_loop *loop;
	const struct conf_host *host; /* not owned */
	const struct conf_link *conf; /* not owned */
	struct resolver *resolver;    /* not owned */

	struct peer peer;
	struct wire wire;
	struct allowedips allowed;
	struct tx tx;
	struct rx rx;
	struct endpoint endpoint;
	struct report report;
	struct counters counters;
	struct suites suites;

	struct tun tun;
	struct netlink nl;
	struct monitor monitor;
	unsigned int ifindex;
	struct ways ways;
	union netaddr way_remote; /* whose way was looked at last, */
	unsigned int way_ifindex; /* and the interface on it; 0: not known */
	nsec_t way_next_look;     /* not before */
	bool mtu_is_ours;         /* nobody set another MTU by hand */

	struct alarm alarm;
	bool has_alarm;
	ev_io tun_readable;
	ev_io udp4_readable;
	ev_io udp6_readable;
	ev_io udp_writable; /* started only while the socket is full */
	ev_io monitor_readable;
	ev_io resolver_readable;

	enum exit_code exit_code; /* what ended the loop */
};

/*! Sets everything to "not there", so that link_close() is safe from here on. */
void link_init(struct link *link, struct ev_loop *loop, const struct conf_host *host,
	       const struct conf_link *conf, struct resolver *resolver);

/*!
 * Makes sockets, interface, addresses and routes, and puts the descriptors on the loop. What
 * fails is logged in one sentence.
 * \return EXIT_DONE, or the exit code; nothing is left behind then after link_close()
 */
enum exit_code link_open(struct link *link);

/*! Takes everything off the loop and closes it; the interface vanishes. Safe at any point. */
void link_close(struct link *link);

/*! Starts watching; link_open() does it at its end. \return EXIT_DONE or the exit code */
enum exit_code link_watch(struct link *link);

/*!
 * Looks at the way to the peer, which may have changed, once a second at most: sets the MTU that
 * fits it, unless the file or somebody by hand set another, and forgets a pinned local address
 * when packets leave by another interface now.
 * \return when it must be called again, or NSEC_NEVER
 */
nsec_t link_follow_way(struct link *link, nsec_t now);

/*! Logs state and counters, in a few lines. */
void link_log_status(const struct link *link, nsec_t now);

#endif
