/*
 * A link: one interface, one peer, three loops. Everything that it consists of is put together
 * here: how it comes to be in link_open.c, what control does in link.c, and what it hears from the
 * data loops and tells them in link_mail.c.
 *
 *             interface                       UDP sockets
 *          read |    ^ write              send ^    ^    | receive
 *               v    |                         |    |    v
 *     tx: split, seal ------ runs -------------'    |   rx: open, merge
 *               |    ^                              |    ^     |
 *         facts |    | orders           handshakes  |    |     | facts, handshake messages
 *               v    |                              |    |     v
 *     control: peer, timers, keypairs, path, names, netlink, signals
 *
 * Control is the loop of the caller. Each box owns what it works with; between them there are the
 * mailboxes (mailbox.h) and what nobody changes while the threads run: the descriptors, AllowedIPs.
 */
#ifndef CORE_LINK_H
#define CORE_LINK_H

#include <ev.h>

#include "common/err.h"
#include "conf/host_model.h"
#include "conf/model.h"
#include "daemon/core/alarm.h"
#include "daemon/core/endpoint.h"
#include "daemon/core/rx_loop.h"
#include "daemon/core/suites.h"
#include "daemon/core/tx_loop.h"
#include "daemon/core/way.h"
#include "daemon/data/probe.h"
#include "daemon/host/monitor.h"

struct link {
	struct ev_loop *loop;
	const struct conf_host *host; /* not owned */
	const struct conf_link *conf; /* not owned */
	struct resolver *resolver;    /* not owned */

	struct peer peer;
	struct wire wire;
	struct allowedips allowed;
	struct tx_loop tx;
	struct rx_loop rx;
	struct handshakes handshakes; /* from rx */
	struct latest latest;
	struct order_state told;           /* what the data loops know, */
	uint64_t told_serials[N_KEYPAIRS]; /* of current, previous and next */
	struct endpoint endpoint;
	struct report report;
	struct counters counters;                 /* control's own */
	struct counters tx_counters, rx_counters; /* as they were told last */
	unsigned int n_answers_awaited;           /* before the status can be logged */
	struct suites suites;

	struct tun tun;
	struct probe probe; /* what the kernel takes */
	struct netlink nl;
	struct netlink rx_nl; /* rx asks for ways itself */
	struct monitor monitor;
	unsigned int ifindex;
	struct ways ways, rx_ways;
	union netaddr way_remote; /* whose way was looked at last, */
	unsigned int way_ifindex; /* and the interface on it; 0: not known */
	nsec_t way_next_look;     /* not before */
	unsigned int mtu;
	bool mtu_is_ours;       /* nobody set another MTU by hand */
	bool may_wait;          /* no path yet, but a name may still give one */
	unsigned int gro_flags; /* what rx may merge */

	struct alarm alarm;
	bool has_alarm;
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

/*! Ends the data loops; their last counters are known then. Safe at any point. */
void link_stop(struct link *link);

/*! Takes everything off the loop and closes it; the interface vanishes. Safe at any point. */
void link_close(struct link *link);

/*! Starts watching; link_open() does it at its end. \return EXIT_DONE or the exit code */
enum exit_code link_watch(struct link *link);

/*! Does what the protocol wants, tells the data loops what is new, and sets the alarm. To be called
 * at the end of everything that control does. */
void link_act(struct link *link, nsec_t now);

/*! Sets out for the next address that the peer may have. \return false when there is none */
bool link_next_candidate(struct link *link);

/*! The link cannot go on: `why` is the end of a sentence that begins with the interface. */
void link_lose_interface(struct link *link, const char *why);

/*! Tells the data loops of keypairs, path and MTU as far as they have changed, and what is to be
 * done. \param todo  enum order bits for tx */
void link_tell(struct link *link, unsigned int todo);

/*! Callback: tx has told facts. */
void link_on_tx_facts(void *link);

/*! Callback: rx has told facts. */
void link_on_rx_facts(void *link);

/*! Callback: rx has handshake messages. */
void link_on_handshakes(void *link);

/*!
 * Looks at the way to the peer, which may have changed, once a second at most: sets the MTU that
 * fits it, unless the file or somebody by hand set another, and forgets a pinned local address
 * when packets leave by another interface now.
 * \return when it must be called again, or NSEC_NEVER
 */
nsec_t link_follow_way(struct link *link, nsec_t now);

/*! Logs state and counters, in a few lines, as soon as the data loops have told theirs. */
void link_ask_status(struct link *link);

/*! Logs state and counters as they are known. */
void link_log_status(const struct link *link, nsec_t now);

#endif
