/*
 * What control does: its descriptors' callbacks, and the actions that the peer asks for. See
 * link.h. Every callback reads the clock once and ends with link_act().
 */
#include "daemon/core/link.h"

#include <errno.h>
#include <string.h>

/* The link cannot go on. */
static void end(struct link *link, enum exit_code code)
{
	link->exit_code = code;
	ev_break(link->loop, EVBREAK_ALL);
}

void link_lose_interface(struct link *link, const char *why)
{
	/* Each loop may notice it, and the kernel tells it as well. */
	if (link->exit_code != EXIT_DONE)
		return;
	/* Without a file that is how one ends it. */
	log_msg(link->conf->is_bare ? LOG_LEVEL_NOTICE : LOG_LEVEL_ERROR,
		"the interface %s %s: the link ends", link->conf->name, why);
	end(link, EXIT_UNAVAILABLE);
}

/* Where initiations go. */
static const union netaddr *target_of(const struct link *link)
{
	return endpoint_target(&link->endpoint, &link->wire.path.remote);
}

static void initiate(struct link *link, nsec_t now)
{
	struct timespec wallclock = nsec_wallclock();
	struct udp_path path = link->wire.path;
	struct msg_initiation initiation;

	if (!wire_has_path(&link->wire) ||
	    !peer_create_initiation(&link->peer, &wallclock, now, &initiation))
		return;
	log_debug("sending an initiation");
	if (!netaddr_equal(target_of(link), &path.remote))
		path = (struct udp_path) { .remote = *target_of(link) };
	wire_send_handshake(&link->wire, &path, &initiation, sizeof(initiation), now);
}

bool link_next_candidate(struct link *link)
{
	struct udp_path path = { .remote.sa.sa_family = AF_UNSPEC };

	if (!endpoint_next(&link->endpoint, &link->wire.path.remote, &path.remote))
		return false;
	wire_set_path(&link->wire, &path);
	return true;
}

void link_use_first_candidate(struct link *link)
{
	static const union netaddr nowhere = { .sa.sa_family = AF_UNSPEC };
	struct udp_path path = { .remote.sa.sa_family = AF_UNSPEC };

	if (!link->wants_first_candidate || !endpoint_next(&link->endpoint, &nowhere, &path.remote))
		return;
	link->wants_first_candidate = false;
	link->wire.is_way_stale = true;
	if (!netaddr_equal(&path.remote, &link->wire.path.remote))
		wire_set_path(&link->wire, &path);
}

/* No answer: another address may do, and names may stand for other addresses now. */
static void try_elsewhere(struct link *link, nsec_t now)
{
	const union netaddr target = *target_of(link);
	struct endpoint *endpoint = &link->endpoint;
	bool is_next = endpoint_unanswered(endpoint, &link->wire.path.remote);
	struct udp_path next = { .remote.sa.sa_family = AF_UNSPEC };

	report_unanswered(&link->report, &target, endpoint->n_unanswered, &link->conf->public_key,
			  now);
	if (!is_next)
		return;
	endpoint_refresh(endpoint, now);
	if (!endpoint_next(endpoint, &target, &next.remote))
		return;
	if (keypair_can_send(link->peer.secrets->keypairs.current, now)) {
		endpoint_detour(endpoint, &next.remote, &link->wire.path.remote);
		return;
	}
	endpoint_rejoin(endpoint);
	wire_set_path(&link->wire, &next);
	link->wire.is_way_stale = true;
}

static void note_session(struct link *link, nsec_t now)
{
	const struct keypair *current = link->peer.secrets->keypairs.current;

	endpoint_answered(&link->endpoint);
	/* A clock that is set later does not change when this was. */
	link->session = nsec_wallclock();
	if (current)
		report_session_up(&link->report, &link->wire.path.remote, link->peer.handshake_time,
				  current->cipher->name, now);
}

/* News and wishes of the peer, in the order in which they make sense together. Returns what tx
 * has to do. */
static unsigned int act_on(struct link *link, unsigned int actions, nsec_t now)
{
	const union netaddr *remote = &link->wire.path.remote;

	if (actions & PEER_SESSION_UP)
		note_session(link, now);
	if (actions & PEER_STALE)
		report_stale(&link->report, remote, now);
	if (actions & PEER_GAVE_UP)
		report_gave_up(&link->report, remote, now);
	if (actions & PEER_KEYS_ERASED)
		report_keys_erased(&link->report, now);
	if (actions & PEER_FORGET_SOURCE)
		wire_forget_source(&link->wire);
	if (actions & PEER_RETRIED)
		try_elsewhere(link, now);
	if (actions & PEER_INITIATE)
		initiate(link, now);
	return (actions & PEER_FLUSH ? ORDER_FLUSH : 0U) |
	       (actions & PEER_SEND_KEEPALIVE ? ORDER_KEEPALIVE : 0U) |
	       (actions & PEER_GAVE_UP ? ORDER_DROP_STAGED : 0U);
}

void link_act(struct link *link, nsec_t now)
{
	unsigned int actions, todo = 0;

	wire_follow(&link->wire);
	if (link->endpoint.n_unanswered == 0 && link->peer.secrets->keypairs.current)
		last_seen_note(&link->last_seen, &link->wire.path.remote);
	while ((actions = peer_actions(&link->peer, now)))
		todo |= act_on(link, actions, now);
	alarm_at(&link->alarm, link_follow_way(link, now));
	alarm_at(&link->alarm, peer_deadline(&link->peer));
	alarm_at(&link->alarm, endpoint_deadline(&link->endpoint));
	alarm_at(&link->alarm, pulse_act(link, now));
	link_tell(link, todo);
}

/* There is an address now to which the peer's messages can be sent: what waited goes on. */
static void find_path(struct link *link)
{
	enum exit_code code = link_connect(link);

	if (code != EXIT_DONE)
		end(link, code);
	link->wire.is_way_stale = true;
	link_tell(link, link->conf->persistent_keepalive ? ORDER_KEEPALIVE : ORDER_FLUSH);
}

static void say_bridge(struct link *link, unsigned int master)
{
	struct nl_link bridge;

	if (master != 0 && nl_link_get(&link->nl, master, &bridge) == 0)
		log_notice("the interface is in the bridge %s now", bridge.name);
	else if (link->conf->bridge)
		log_warning(
			"the interface is not in a bridge any more: if %s was deleted, it joins "
			"again as soon as that is made again",
			link->conf->bridge);
}

/* The kernel's news about the interface, which is still there. */
static void follow_interface(struct link *link, const struct monitor_facts *facts)
{
	if (facts->own_joined)
		say_bridge(link, facts->own_master);
	if (facts->own_up_changed)
		log_notice("the interface is %s now", facts->own_is_up ? "up" : "down");
	if (facts->bridge_came || (facts->own_up_changed && facts->own_is_up && !facts->own_moved))
		link_restore(link);
	if (facts->own_renamed)
		log_notice("the interface is called %s now", facts->own_name);
	if (facts->own_moved) {
		log_notice("the interface is in another network namespace now: its MTU is no "
			   "longer looked after");
		link->mtu_is_ours = false;
	}
	if (facts->own_mtu_changed && facts->own_mtu != link->mtu) {
		log_notice("the MTU was set to %u by hand and stays so", facts->own_mtu);
		link->mtu = facts->own_mtu;
		link->mtu_is_ours = false;
	}
}

static void on_monitor_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct link *link = container_of(watcher, struct link, monitor_readable);
	struct monitor_facts facts;
	int r;

	(void)events;
	link->monitor.bridge = link->conf->bridge;
	r = monitor_read(&link->monitor, &facts);
	if (r < 0) {
		log_warning("no more news from the kernel about %s: %s", link->conf->name,
			    strerror(-r));
		ev_io_stop(loop, watcher);
		return;
	}
	if (facts.own_deleted) {
		link_lose_interface(link, "was deleted");
		return;
	}
	if (facts.namespace_gone) {
		link_lose_interface(link, "is in a network namespace whose name was deleted, or "
					  "whose process has ended");
		return;
	}
	follow_interface(link, &facts);
	/* A pinned address that is gone makes itself known when it is used (wire.c). */
	if (facts.underlay_changed) {
		way_forget(&link->ways);
		link->wire.is_way_stale = true;
	}
	link_act(link, nsec_boottime());
}

/* The resolver's descriptor is another one after its process was replaced, often with the same
 * number, and none while that did not work: so it is always watched anew. */
static void watch_resolver(struct link *link)
{
	int fd = resolver_fd(link->resolver);

	ev_io_stop(link->loop, &link->resolver_readable);
	if (fd < 0)
		return;
	ev_io_set(&link->resolver_readable, fd, EV_READ);
	ev_io_start(link->loop, &link->resolver_readable);
}

static void tick_endpoint(struct link *link, nsec_t now)
{
	endpoint_tick(&link->endpoint, now);
	watch_resolver(link);
}

static void on_resolver_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct link *link = container_of(watcher, struct link, resolver_readable);
	bool had_path = wire_has_path(&link->wire);
	nsec_t now = nsec_boottime();
	struct resolver_answer answer;
	int r = resolver_read(link->resolver, &answer);

	(void)events;
	if (r == RESOLVER_GONE)
		ev_io_stop(loop, watcher);
	if (r == 0)
		endpoint_answer(&link->endpoint, &answer, &link->report, now);
	link_use_first_candidate(link);
	if (!had_path && (wire_has_path(&link->wire) || link_next_candidate(link)))
		find_path(link);
	tick_endpoint(link, now);
	link_act(link, now);
}

static void on_alarm(void *context)
{
	struct link *link = context;
	nsec_t now = nsec_boottime();

	tick_endpoint(link, now);
	link_act(link, now);
}

/* The helper has done what was queued. */
static void on_program_done(void *context, enum helper_request request, enum exit_code result)
{
	struct link *link = context;

	if (request == HELPER_HOOK && result != EXIT_DONE)
		end(link, result);
	else if (!helper_is_busy(link->helper) && !link->pulse.is_started)
		pulse_start(link);
}

enum exit_code link_make_alarm(struct link *link)
{
	int r = alarm_init(&link->alarm, link->loop, on_alarm, link);

	if (r < 0) {
		log_error("cannot make a timer: %s", strerror(-r));
		return EXIT_SYSTEM;
	}
	link->has_alarm = true;
	return EXIT_DONE;
}

enum exit_code link_watch(struct link *link)
{
	int r;

	ev_io_init(&link->monitor_readable, on_monitor_readable, monitor_fd(&link->monitor),
		   EV_READ);
	ev_io_init(&link->resolver_readable, on_resolver_readable, -1, EV_READ);

	ev_io_start(link->loop, &link->monitor_readable);
	watch_resolver(link);
	/* The peer still uses the session of the process before: it hears of the new one at once.
	 * Or somebody waits for the first handshake. */
	if (link->is_taken_over || link->conf->ready_when == CONF_READY_HANDSHAKE)
		peer_want_session(&link->peer, 0, nsec_boottime());
	on_alarm(link);
	link->tx.worker.sandbox = link->rx.worker.sandbox = link->host->rights.sandbox;
	r = worker_start(&link->tx.worker);
	if (r == 0)
		r = worker_start(&link->rx.worker);
	if (r < 0) {
		log_error("cannot start a thread: %s", strerror(-r));
		return EXIT_SYSTEM;
	}
	helper_watch(link->helper, link->loop, on_program_done, link);
	(void)link_run_hook(link, CONF_POST_UP);
	if (!helper_is_busy(link->helper))
		pulse_start(link);
	return link->exit_code;
}
