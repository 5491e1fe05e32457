/*
 * How a link comes to be: socket, interface, addresses, routes, in an order in which a failure
 * leaves nothing behind. The port is taken first, because a taken port is the most likely
 * failure, and nothing on the host has changed then.
 */
#include <errno.h>
#include <string.h>

#include "common/keytext.h"
#include "daemon/core/ethernet_address.h"
#include "daemon/core/link.h"
#include "daemon/host/hooks.h"
#include "daemon/host/policy.h"

void link_init(struct link *link, const struct link_env *env)
{
	memset(link, 0, sizeof(*link));
	link->loop = env->loop;
	link->host = env->host;
	link->conf = env->conf;
	link->resolver = env->resolver;
	link->helper = env->helper;
	link->tun = (struct tun)TUN_NULL;
	link->last_seen = (struct last_seen)LAST_SEEN_NULL;
	link->wire.udp = (struct udp)UDP_NULL;
	link->nl = link->way_nl = link->rx_nl = (struct netlink)NETLINK_NULL;
	link->monitor = (struct monitor)MONITOR_NULL;
	link->wire.counters = &link->counters;
	link->wire.troubles = &link->report.troubles;
	link->ways.nl = &link->way_nl;
	link->rx_ways.nl = &link->rx_nl;
	link->rx_ways.is_of_rx = true;
	link->wire.ways = &link->ways;
	link->wire.latest = &link->latest;
	latest_init(&link->latest);
	link->mtu_is_ours = env->conf->mtu == 0 && env->conf->mode == CONF_MODE_TUN;
	link->tun_fd = env->tun_fd;
}

enum exit_code link_open_udp(const struct link *link, uint16_t port, struct udp *udp)
{
	bool is_there = udp->port != 0;
	int r = is_there ? helper_mark_udp(link->helper, udp)
			 : helper_open_udp(link->helper, port, udp);

	if (r == 0)
		udp_allow_fragments(udp, link->conf->mode == CONF_MODE_TAP);

	switch (r) {
	case 0:
		return EXIT_DONE;
	case -EADDRINUSE:
		log_error("UDP port %u is taken by another program or link: choose another "
			  "ListenPort, or find the program with `ss -lunp`",
			  port);
		return EXIT_UNAVAILABLE;
	case -EACCES:
		log_error("UDP port %u is below 1024 and needs the right CAP_NET_BIND_SERVICE, or "
			  "is not the ListenPort of the link file: choose one from 1024 up, or "
			  "write it there and start as root",
			  port);
		return EXIT_PERMISSION;
	case -EPERM:
		log_error("cannot set FwMark: the right CAP_NET_ADMIN is missing; start as root");
		return EXIT_PERMISSION;
	default:
		log_error("cannot open a UDP socket: %s", helper_error_text(r));
		return EXIT_SYSTEM;
	}
}

static int open_inside(void *context)
{
	struct link *link = context;

	return tun_open(link->conf->name, link->conf->mode == CONF_MODE_TAP, &link->tun);
}

/* Without it the address is the kernel's, another one at each start. */
static void set_ethernet_address(const struct link *link)
{
	uint8_t address[ETHERNET_ADDRESS_LEN];
	int r;

	if (!link->tun.is_tap || link->is_taken_over)
		return;
	ethernet_address_make(link->conf->name, &link->conf->public_key, address);
	r = tun_set_address(&link->tun, address);
	if (r < 0)
		log_warning("cannot set the Ethernet address of %s: %s", link->conf->name,
			    strerror(-r));
}

static enum exit_code open_tun(struct link *link)
{
	const char *name = link->conf->name;
	int r = link->is_taken_over ? 0 : netns_call(link->conf->namespace, open_inside, link);

	switch (r) {
	case 0:
		set_ethernet_address(link);
		return EXIT_DONE;
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
	case -EACCES:
		log_error("cannot open %s (%s): load the kernel's module with `modprobe tun`; in a "
			  "container, give it that device",
			  TUN_DEVICE, strerror(-r));
		return EXIT_UNAVAILABLE;
	case -EPERM:
		log_error("cannot make the interface %s: the right CAP_NET_ADMIN is missing; start "
			  "as root",
			  name);
		return EXIT_PERMISSION;
	case -EBUSY:
		log_error("the interface %s is in use by another process: is this link running "
			  "already?",
			  name);
		return EXIT_UNAVAILABLE;
	case -EINVAL:
		log_error("an interface called %s exists and is not a %s interface: give the link "
			  "another name, or delete it with `ip link del %s`",
			  name, link->conf->mode == CONF_MODE_TAP ? "TAP" : "TUN", name);
		return EXIT_UNAVAILABLE;
	default:
		log_error("cannot make the interface %s: %s", name, strerror(-r));
		return EXIT_SYSTEM;
	}
}

static enum exit_code setup_interface(struct link *link, nsec_t now)
{
	enum exit_code code;
	int r = nl_link_index(&link->nl, link->conf->name, &link->ifindex);

	if (r < 0) {
		log_error("cannot ask the kernel about %s: %s", link->conf->name, strerror(-r));
		return EXIT_SYSTEM;
	}
	/* In another namespace the same number is another interface. */
	link->wire.own_ifindex = link->conf->namespace ? 0 : link->ifindex;
	link->mtu = link_first_mtu(link, now);
	code = helper_do(link->helper, HELPER_APPLY, link->mtu);
	if (code != EXIT_DONE)
		return code;
	r = monitor_open(&link->monitor, link->conf->namespace, link->ifindex);
	if (r < 0)
		log_error("cannot watch %s: %s", link->conf->name, strerror(-r));
	return r < 0 ? EXIT_SYSTEM : EXIT_DONE;
}

static int make_data_loops(struct link *link)
{
	const struct data_loop_env env = {
		.control = link->loop,
		.context = link,
		.wire = &link->wire,
		.tun = &link->tun,
		.allowed = link->allowed,
		.host = link->host,
	};
	int r = tx_loop_init(&link->tx, &env, link_on_tx_facts);

	if (r < 0)
		return r;
	return rx_loop_init(&link->rx, &env, &link->rx_ways, &link->handshakes, link->gro_flags,
			    link_on_rx_facts);
}

/* The parts that need memory only, and the data loops, which do not run yet. */
static int make_parts(struct link *link, nsec_t now)
{
	const struct conf_link *conf = link->conf;
	const struct peer_config config = {
		.own_private = &conf->secrets->private_key,
		.peer_public = &conf->peer_key,
		.preshared = &conf->secrets->preshared_key,
		.persistent_keepalive = conf->persistent_keepalive,
		.suites = link->suites.items,
		.n_suites = link->suites.n,
		.is_suite_forced = link->suites.is_forced,
		.carries = conf->mode == CONF_MODE_TAP ? OFFER_FRAMES : OFFER_PACKETS,
	};
	int r = peer_init(&link->peer, &config, now);

	if (r == 0)
		r = exchange_make_allowed(conf->allowed_ips.items, conf->allowed_ips.n,
					  &link->allowed);
	if (r == 0)
		r = make_data_loops(link);
	if (r == 0)
		mailbox_init(&link->handshakes.box, link->loop, link_on_handshakes, link);
	return r;
}

void link_apply_udp_switches(const struct link *link, struct udp *udp)
{
	const struct conf_host *host = link->host;

	if (!host->data.udp_segment || !probe_allows(&link->probe, PROBE_UDP_SEGMENT))
		udp->has_segment = false;
	if (!host->data.udp_gro || !probe_allows(&link->probe, PROBE_UDP_GRO))
		udp_disable_gro(udp);
}

/* Uses what the kernel has proven to take, less what the host file switches off. */
static void apply_switches(struct link *link)
{
	const struct conf_host *host = link->host;
	const struct probe *probe = &link->probe;

	/* What may be written depends on what the kernel knows, not on what it may hand over. */
	if (host->data.tun_merge_tcp && probe_allows(probe, PROBE_TUN_WRITE_TCP))
		link->gro_flags |= GRO_TCP;
	if (host->data.tun_merge_udp && probe_allows(probe, PROBE_TUN_WRITE_UDP))
		link->gro_flags |= GRO_UDP;
	if (host->data.trust_inner_checksum)
		link->gro_flags |= GRO_TRUST_CHECKSUMS;
	tun_limit_offloads(&link->tun, host->data.tun_split_tcp, host->data.tun_split_udp);
	link_apply_udp_switches(link, &link->wire.udp);
}

/* What the host file switches off, as the probes call it. */
static unsigned int switched_off(const struct conf_host *host)
{
	unsigned int off = 0;

	if (!host->data.tun_split_tcp)
		off |= 1U << PROBE_TUN_READ_TCP;
	if (!host->data.tun_split_udp)
		off |= 1U << PROBE_TUN_READ_UDP;
	if (!host->data.tun_merge_tcp)
		off |= 1U << PROBE_TUN_WRITE_TCP;
	if (!host->data.tun_merge_udp)
		off |= 1U << PROBE_TUN_WRITE_UDP;
	if (!host->data.tun_merge_tcp && !host->data.tun_merge_udp)
		off |= 1U << PROBE_TUN_WRITE_CSUM;
	if (!host->data.udp_segment)
		off |= 1U << PROBE_UDP_SEGMENT;
	if (!host->data.udp_gro)
		off |= 1U << PROBE_UDP_GRO;
	return off;
}

static void say_ready(const struct link *link)
{
	char key[KEYTEXT_LEN + 1], remote[NETADDR_TEXT_MAX], offloads[PROBE_TEXT_MAX];

	log_info("%s", probe_format(&link->probe, switched_off(link->host), offloads));
	if (link->conf->is_bare) {
		log_notice("interface %s is there with MTU %u, to be configured by `wg`",
			   link->conf->name, link->mtu);
		return;
	}
	keytext_encode(&link->conf->peer_key, key);
	log_set_peer(key);
	log_notice(
		"interface %s is up with MTU %u, listening on UDP port %u, for the peer %s at %s",
		link->conf->name, link->mtu, link->wire.udp.port, key,
		wire_has_path(&link->wire) ? netaddr_format(&link->wire.path.remote, remote)
		: link->may_wait           ? "an address still to be resolved"
					   : "an address still to be learned");
}

/* Sockets and interface, which is still down: what is tried on it reaches nobody. */
static enum exit_code open_descriptors(struct link *link, nsec_t now)
{
	enum exit_code code = link_choose_suites(link, link->conf, now);

	if (code == EXIT_DONE)
		code = helper_claim(link->helper, HELPER_IN_FORCE, &link->ways.fwmark);
	link->rx_ways.fwmark = link->ways.fwmark;
	if (code == EXIT_DONE)
		code = link_open_udp(link, link->conf->listen_port, &link->wire.udp);
	if (code == EXIT_DONE)
		code = open_tun(link);
	if (code != EXIT_DONE)
		return code;
	probe_tun(&link->tun, &link->probe);
	probe_udp(&link->wire.udp, PROBE_BUDGET, &link->probe);
	return link_run_hook(link, CONF_PRE_UP);
}

enum exit_code link_run_hook(struct link *link, enum conf_hook hook)
{
	size_t n = link->conf->hooks[hook].n;

	/* PreDown is run only after it. */
	if (n == 0 && hook == CONF_POST_UP && link->conf->hooks[CONF_PRE_DOWN].n == 0)
		return EXIT_DONE;
	(void)service_extend(n * (HOOKS_LIMIT + PROGRAM_GRACE));
	if (hook == CONF_PRE_UP)
		return helper_do_slowly(link->helper, HELPER_HOOK, (uint32_t)hook,
					n * (HOOKS_LIMIT + PROGRAM_GRACE));
	helper_queue(link->helper, HELPER_HOOK, (uint32_t)hook);
	return EXIT_DONE;
}

enum exit_code link_connect(struct link *link)
{
	enum exit_code code;

	if (link->is_connected ||
	    (policy_is_needed(link->conf) && link->may_wait && !wire_has_path(&link->wire)))
		return EXIT_DONE;
	code = helper_do(link->helper, HELPER_RULES, HELPER_IN_FORCE);
	if (code != EXIT_DONE)
		return code;
	helper_queue(link->helper, HELPER_DNS, HELPER_IN_FORCE);
	link->is_connected = true;
	return EXIT_DONE;
}

void link_restore(struct link *link)
{
	(void)helper_do(link->helper, HELPER_RESTORE, 0);
	if (link->is_connected)
		(void)helper_do(link->helper, HELPER_RULES, HELPER_IN_FORCE);
}

void link_leave(struct link *link)
{
	int r;

	/* It is to begin with nothing, also at a restart. */
	if (link->conf->is_bare)
		return;
	r = keep_leave(link->conf, &link->tun, &link->wire.udp, link->tun_name);
	if (r == 0)
		r = last_seen_leave(&link->last_seen, link->conf);
	/* What a crash leaves with the interface is not the helper's to clean up. */
	if (service_keeps())
		(void)helper_do(link->helper, HELPER_LEAVE, r == 0 && link->tun_name[0] ? 1 : 0);
	if (r < 0)
		log_warning("the service manager cannot be asked to keep the interface: %s",
			    strerror(-r));
}

/* Addresses and routes, the parts, then what is outside. */
static enum exit_code set_up(struct link *link, nsec_t now)
{
	enum exit_code code = setup_interface(link, now);
	int r;

	if (code != EXIT_DONE)
		return code;
	apply_switches(link);
	link->may_wait = endpoint_may_come(&link->endpoint);
	link->report.since = now;
	r = make_parts(link, now);
	if (r < 0) {
		log_error("cannot start the link: %s", strerror(-r));
		return EXIT_SYSTEM;
	}
	code = link_connect(link);
	if (code == EXIT_DONE && !link->is_connected)
		log_notice("the default route waits until the name of the Endpoint is resolved");
	return code;
}

/* Where the peer was last, or else where the file says that it is. */
static void find_first_path(struct link *link)
{
	struct udp_path path = { .remote.sa.sa_family = AF_UNSPEC };

	if (last_seen_take(&link->last_seen, link->conf, &path.remote))
		wire_set_path(&link->wire, &path);
	else
		(void)link_next_candidate(link);
}

/* The interface, and perhaps sockets, of the process before, or of whoever started us. */
static enum exit_code take_over(struct link *link)
{
	if (!link->conf->is_bare)
		keep_take(link->conf, &link->tun, &link->wire.udp, link->tun_name);
	if (link->tun_fd >= 0 && tun_adopt(link->tun_fd, link->conf->name, false, &link->tun) < 0) {
		log_error("the descriptor %d does not hold a TUN interface called %s that can be "
			  "used",
			  link->tun_fd, link->conf->name);
		return EXIT_UNAVAILABLE;
	}
	link->is_taken_over = link->tun.fd >= 0;
	return EXIT_DONE;
}

static enum exit_code refuse_namespace(const char *namespace, int error)
{
	char text[NETNS_TEXT_MAX];

	netns_explain(namespace, error, text);
	log_error("%s", text);
	switch (error) {
	case -ENOENT:
	case -EINVAL:
		return EXIT_UNAVAILABLE;
	case -EPERM:
	case -EACCES:
		return EXIT_PERMISSION;
	default:
		return EXIT_SYSTEM;
	}
}

/* Sockets for questions about the interface, and about the ways of sealed packets. */
static enum exit_code open_netlink(struct link *link)
{
	int r = netns_open_netlink(link->conf->namespace, &link->nl);

	if (r < 0 && link->conf->namespace)
		return refuse_namespace(link->conf->namespace, r);
	if (r == 0)
		r = netlink_open(&link->way_nl);
	if (r == 0)
		r = netlink_open(&link->rx_nl);
	if (r == 0)
		return EXIT_DONE;
	log_error("cannot ask the kernel about routes: %s", strerror(-r));
	return EXIT_SYSTEM;
}

/* How long the commands of the way down may take, of which the service manager hears. */
static nsec_t limit_of_way_down(const struct link *link)
{
	size_t n = link->conf->hooks[CONF_PRE_DOWN].n + link->conf->hooks[CONF_POST_DOWN].n;
	nsec_t limit = n * (HOOKS_LIMIT + PROGRAM_GRACE);

	if (limit > 0)
		(void)service_extend(limit);
	return limit;
}

static enum exit_code open_all(struct link *link)
{
	nsec_t now = nsec_boottime();
	enum exit_code code = open_netlink(link);

	if (code != EXIT_DONE)
		return code;
	endpoint_init(&link->endpoint, link->conf, link->resolver, now);
	find_first_path(link);
	code = take_over(link);
	if (code == EXIT_DONE)
		code = helper_begin(link->helper, limit_of_way_down(link));
	if (code == EXIT_DONE)
		code = open_descriptors(link, now);
	if (code == EXIT_DONE && !link->helper->is_cancelled)
		code = set_up(link, now);
	if (code == EXIT_DONE && !link->helper->is_cancelled)
		code = link_make_alarm(link);
	if (code != EXIT_DONE || link->helper->is_cancelled)
		return code;
	say_ready(link);
	link_leave(link);
	link->is_open = true;
	return EXIT_DONE;
}

enum exit_code link_open(struct link *link)
{
	link->exit_code = open_all(link);
	return link->exit_code;
}

void link_close(struct link *link)
{
	nsec_t limit;

	pulse_stop(link);
	helper_unwatch(link->helper);
	if (link->has_alarm) {
		alarm_deinit(&link->alarm, link->loop);
		ev_io_stop(link->loop, &link->monitor_readable);
		ev_io_stop(link->loop, &link->resolver_readable);
		link->has_alarm = false;
	}
	monitor_close(&link->monitor);
	tx_loop_deinit(&link->tx);
	rx_loop_deinit(&link->rx);
	/* While the interface is there. */
	limit = limit_of_way_down(link);
	helper_end_rules(link->helper, limit);
	netlink_close(&link->nl);
	netlink_close(&link->way_nl);
	netlink_close(&link->rx_nl);
	mailbox_deinit(&link->handshakes.box);
	latest_deinit(&link->latest);
	/* The next start is not to find what this one could not finish. */
	if (link->exit_code != EXIT_DONE)
		keep_take_back(link->tun_name);
	tun_close(&link->tun);
	last_seen_close(&link->last_seen);
	udp_close(&link->wire.udp);
	exchange_end(&link->exchange);
	exchange_free_allowed(link->allowed);
	link->allowed = NULL;
	peer_deinit(&link->peer);
	helper_end(link->helper, limit);
}
