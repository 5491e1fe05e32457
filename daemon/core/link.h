/*
 * A link: one interface, one peer, three loops. Everything that it consists of is put together
 * here: how it comes to be in link_open.c, its MTU in link_mtu.c, what control does in link.c, and
 * what it hears from the data loops and tells them in link_mail.c.
 *
 *             interface                       UDP sockets
 *          read |    ^ write              send ^    ^    | receive
 *               v    |                         |    |    v
 *     tx: split, seal ------ runs -------------'    |   rx: open, merge
 *               |    ^                              |    ^     |
 *         facts |    | orders           handshakes  |    |     | facts, handshake messages
 *               v    |                              |    |     v
 *     control: peer, timers, keypairs, path, names, netlink, signals
 *               |    ^
 *      requests |    | answers, the link file, sockets            (one process, without rights)
 *     ..........|....|.............................................................................
 *               v    |                                            (another one, with them)
 *     helper: addresses, routes, rules, name servers, commands; see helper.h
 *
 * Control is the loop of the caller. Each box owns what it works with. Between them there are the
 * mailboxes (mailbox.h), the facts of latest.h, and what all only read: the descriptors and
 * AllowedIPs, which a reload replaces by the rules of exchange.h.
 */
#ifndef CORE_LINK_H
#define CORE_LINK_H

#include <ev.h>

#include "common/err.h"
#include "conf/host_model.h"
#include "conf/model.h"
#include "daemon/core/alarm.h"
#include "daemon/core/endpoint.h"
#include "daemon/core/exchange.h"
#include "daemon/core/helper.h"
#include "daemon/core/keep.h"
#include "daemon/core/last_seen.h"
#include "daemon/core/pulse.h"
#include "daemon/core/rx_loop.h"
#include "daemon/core/suites.h"
#include "daemon/core/tx_loop.h"
#include "daemon/core/way.h"
#include "daemon/data/probe.h"
#include "daemon/host/monitor.h"

/* The MTU of a TAP interface for which the file names none: that of every Ethernet, whatever the
 * way to the peer carries, because what is bridged to it cannot know better. */
#define LINK_MTU_TAP 1500

/* What a link is made from. Nothing of it is owned, and all of it outlives the link. */
struct link_env {
	struct ev_loop *loop;
	const struct conf_host *host;
	struct conf_link *conf; /* what runs, with its secrets; link_change() exchanges it */
	struct resolver *resolver;
	struct helper *helper; /* started; does what the link has no right to */
	int tun_fd; /* of an interface that somebody else has made; owned by the link; -1: none */
};

struct link {
	struct ev_loop *loop;
	const struct conf_host *host; /* not owned */
	struct conf_link *conf;       /* not owned */
	struct resolver *resolver;    /* not owned */

	struct helper *helper; /* not owned */
	struct pulse pulse;
	struct peer peer;
	struct wire wire;
	struct allowedips
		*allowed; /* owned; what control has, the data loops may have an older one */
	struct exchange exchange;
	struct tx_loop tx;
	struct rx_loop rx;
	struct handshakes handshakes; /* from rx */
	struct latest latest;
	struct order_state published;           /* what the data loops know, */
	uint64_t published_serials[N_KEYPAIRS]; /* of current, previous and next */
	struct endpoint endpoint;
	struct report report;
	struct counters counters;                 /* control's own */
	struct counters tx_counters, rx_counters; /* as they were told last */
	unsigned int n_answers_awaited;           /* before the counters are exact */
	bool logs_status;                         /* when they are */
	void (*on_counters)(void *context);       /* called when they are; or NULL */
	void *on_counters_context;
	struct suites suites;

	struct tun tun;
	struct probe probe;    /* what the kernel takes */
	struct netlink nl;     /* where the interface is; */
	struct netlink way_nl; /* where the sockets are: another place with Namespace */
	struct netlink rx_nl;  /* the same; rx asks for ways itself */
	struct monitor monitor;
	unsigned int ifindex;
	struct ways ways, rx_ways;
	union netaddr way_remote; /* whose way was looked at last, */
	unsigned int way_ifindex; /* and the interface on it; 0: not known */
	nsec_t way_next_look;     /* not before */
	unsigned int mtu;
	unsigned int whole_max;     /* longest plaintext that the way carries whole; 0: not known */
	unsigned int way_mtu;       /* the outer one of which whole_max is made */
	bool mtu_is_ours;           /* nobody set another MTU by hand */
	bool wants_first_candidate; /* another Endpoint was set, and has no address yet */
	bool may_wait;              /* no path yet, but a name may still give one */
	unsigned int gro_flags;     /* what rx may merge */
	unsigned int unmerged;      /* and what of that the kernel refuses, as rx told last */

	struct alarm alarm;
	bool has_alarm;
	bool is_open;                 /* link_open() is done */
	bool is_connected;            /* default routes, rules and name servers are asked for */
	int tun_fd;                   /* link_env.tun_fd until it is taken over */
	bool is_taken_over;           /* the interface, from the process before */
	char tun_name[KEEP_NAME_MAX]; /* at the service manager */
	struct last_seen last_seen;   /* the peer, for the process after */
	struct timespec session;      /* what the wall clock said when there was one last */
	ev_io monitor_readable;
	ev_io resolver_readable;

	enum exit_code exit_code; /* what ended the loop */
};

/*! Sets everything to "not there", so that link_close() is safe from here on. */
void link_init(struct link *link, const struct link_env *env);

/*!
 * Makes sockets, interface, addresses and routes, and puts the descriptors on the loop. What
 * fails is logged in one sentence. SIGTERM and SIGINT are blocked meanwhile: they end a command
 * that runs, and the start with it (helper.h). After this, nothing is opened any more: the rights
 * for that may be given up.
 * \return EXIT_DONE, also when it was given up (link_is_open()), or the exit code; nothing is left
 *         behind then after link_close()
 */
enum exit_code link_open(struct link *link);

/*! Whether there is something to run. */
static inline bool link_is_open(const struct link *link)
{
	return link->is_open;
}

/*!
 * Sets default routes and name servers, unless that is done already, or the peer's name could not
 * be resolved any more behind them: then it waits until the name has an address.
 * \return EXIT_DONE or the exit code
 */
enum exit_code link_connect(struct link *link);

/*! Makes routes, addresses and rules again, which the kernel drops when somebody switches the
 * interface off. */
void link_restore(struct link *link);

/*!
 * Chooses the ciphers that are offered, at start and at a reload.
 * \return EXIT_DONE; EXIT_UNAVAILABLE, which is logged: then those before are still chosen
 */
enum exit_code link_choose_suites(struct link *link, const struct conf_link *conf, nsec_t now);

/*!
 * Opens sockets with the link's mark, or sets the mark of those that `udp` has already. What fails
 * is logged.
 *
 * \param port  host order; 0: any
 * \return EXIT_DONE or the exit code
 */
enum exit_code link_open_udp(const struct link *link, uint16_t port, struct udp *udp);

/*! Gives up what the host file or the probes say sockets are not to use. */
void link_apply_udp_switches(const struct link *link, struct udp *udp);

/*!
 * Exchanges the running configuration for another one, without a flap of the interface. What
 * changes is logged, and how it is applied; what cannot be applied stays as it was, which is
 * logged too.
 * \param conf  read and checked whole; afterwards it has what was exchanged, for
 *              conf_link_deinit(), and link->conf has what holds now
 * \return how many changes could not be applied, or a negative errno: nothing was changed
 */
int link_change(struct link *link, struct conf_link *conf);

/*!
 * The same for the wg protocol: wholly or not at all, as far as memory lasts, and AllowedIPs
 * without routes (conf_link_accepted()).
 * \param conf  a copy of link->conf with what is to be another
 * \return 0; a negative errno, with the reason in the log: -EADDRINUSE or -EACCES because of the
 *         port, -EIO
 */
int link_set(struct link *link, struct conf_link *conf);

/*! Leaves interface and sockets to the next process of the service (keep.h); again after each
 * reload. */
void link_leave(struct link *link);

/*! Ends the data loops; their last counters are known then. Safe at any point. */
void link_stop(struct link *link);

/*! Takes everything off the loop and closes it; the interface vanishes. Safe at any point. */
void link_close(struct link *link);

/*! Makes the timer; link_open() does it at its end. \return EXIT_DONE or the exit code */
enum exit_code link_make_alarm(struct link *link);

/*!
 * Starts watching: all three loops turn from now on. Then PostUp is run, and when that is done the
 * service is ready (pulse.h). A PostUp that fails ends the link.
 * \return EXIT_DONE or the exit code
 */
enum exit_code link_watch(struct link *link);

/*!
 * Has the commands of a hook run; those of PostUp while the loops turn.
 *
 * \return EXIT_DONE or the exit code
 */
enum exit_code link_run_hook(struct link *link, enum conf_hook hook);

/*! Does what the protocol wants, tells the data loops what is new, and sets the alarm. To be called
 * at the end of everything that control does. */
void link_act(struct link *link, nsec_t now);

/*! Sets out for the next address that the peer may have. \return false when there is none */
bool link_next_candidate(struct link *link);

/*! Goes to the first address of an Endpoint that was changed, if there is one already. */
void link_use_first_candidate(struct link *link);

/*! The link cannot go on: `why` is the end of a sentence that begins with the interface. */
void link_lose_interface(struct link *link, const char *why);

/*!
 * Tells the data loops of keypairs, path and MTU as far as they have changed, and what is to be
 * done.
 *
 * \param todo  enum order bits for tx
 */
void link_tell(struct link *link, unsigned int todo);

/*! Callback of a link: tx has told facts. */
void link_on_tx_facts(void *context);

/*! Callback of a link: rx has told facts. */
void link_on_rx_facts(void *context);

/*! Callback of a link: rx has handshake messages. */
void link_on_handshakes(void *context);

/*!
 * The MTU of a TAP interface whose file names none: a frame that one port of a bridge takes must
 * fit the others.
 *
 * \return bytes
 */
unsigned int link_tap_mtu(struct link *link, const struct conf_link *conf);

/*! The MTU to start with: the file's, or what fits what is known. */
unsigned int link_first_mtu(struct link *link, nsec_t now);

/*!
 * Looks at the way to the peer, which may have changed, once a second at most: sets the MTU that
 * fits it, unless the file or somebody by hand set another, and forgets a pinned local address
 * when packets leave by another interface now.
 * \return when it must be called again, or NSEC_NEVER
 */
nsec_t link_follow_way(struct link *link, nsec_t now);

/* A state of the link. */
struct link_state_name {
	const char *key;  /* one word for programs; part of documented formats */
	const char *text; /* for people */
};

/*! How the link is now, a handshake under way included. */
const struct link_state_name *link_state_name(const struct link *link);

/*! Logs state and counters, in a few lines, as soon as the data loops have told theirs. */
void link_ask_status(struct link *link);

/*! Logs state and counters as they are known. */
void link_log_status(const struct link *link, nsec_t now);

/*! Asks the data loops for their counters as they are now; on_counters() is called when they have
 * come, or never when a loop is stuck. */
void link_ask_counters(struct link *link);

/*! They have come: does what was asked for. */
void link_answer_status(struct link *link);

#endif
