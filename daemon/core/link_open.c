/*
 * How a link comes to be: socket, interface, addresses, routes, in an order in which a failure
 * leaves nothing behind. The port is taken first, because a taken port is the most likely
 * failure, and nothing on the host has changed then.
 */
#include <errno.h>
#include <string.h>

#include "common/keytext.h"
#include "daemon/core/link.h"
#include "daemon/host/ifsetup.h"
#include "daemon/host/policy.h"

/* Where no way to the peer is known yet: what fits 1500 bytes over IPv6 and IPv4. */
#define MTU_DEFAULT 1420

void link_init(struct link *link, const struct link_env *env)
{
	memset(link, 0, sizeof(*link));
	link->loop = env->loop;
	link->host = env->host;
	link->conf = env->conf;
	link->resolver = env->resolver;
	outside_init(&link->outside, env->conf, env->file, env->cancel_fd);
	link->tun = (struct tun)TUN_NULL;
	link->last_seen = (struct last_seen)LAST_SEEN_NULL;
	link->wire.udp = (struct udp)UDP_NULL;
	link->nl = link->rx_nl = (struct netlink)NETLINK_NULL;
	link->monitor = (struct monitor)MONITOR_NULL;
	link->wire.counters = &link->counters;
	link->wire.troubles = &link->report.troubles;
	link->ways.nl = &link->nl;
	link->rx_ways.nl = &link->rx_nl;
	link->wire.ways = &link->ways;
	link->wire.latest = &link->latest;
	latest_init(&link->latest);
	link->mtu_is_ours = env->conf->mtu == 0;
}

enum exit_code link_open_udp(const struct link *link, uint16_t port, struct udp *udp)
{
	bool is_there = udp->port != 0;
	int r = is_there ? udp_set_mark(udp, link->ways.fwmark)
			 : udp_open(udp, port, link->ways.fwmark);

	if (r == 0)
		udp_set_buffers(udp, link->host->data.udp_send_buffer,
				link->host->data.udp_receive_buffer);

	switch (r) {
	case 0:
		return EXIT_DONE;
	case -EADDRINUSE:
		log_error("UDP port %u is taken by another program or link: choose another "
			  "ListenPort, or find the program with `ss -lunp`",
			  port);
		return EXIT_UNAVAILABLE;
	case -EACCES:
		log_error("UDP port %u is below 1024 and needs the right CAP_NET_BIND_SERVICE: "
			  "choose a ListenPort from 1024 up, or start as root",
			  port);
		return EXIT_PERMISSION;
	case -EPERM:
		log_error("cannot set FwMark: the right CAP_NET_ADMIN is missing; start as root");
		return EXIT_PERMISSION;
	default:
		log_error("cannot open a UDP socket: %s", strerror(-r));
		return EXIT_SYSTEM;
	}
}

static enum exit_code open_tun(struct link *link)
{
	const char *name = link->conf->name;
	int r = link->is_taken_over ? 0 : tun_open(name, &link->tun);

	switch (r) {
	case 0:
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
		log_error("an interface called %s exists and is not a TUN interface: give the link "
			  "another name, or delete it with `ip link del %s`",
			  name, name);
		return EXIT_UNAVAILABLE;
	default:
		log_error("cannot make the interface %s: %s", name, strerror(-r));
		return EXIT_SYSTEM;
	}
}

static bool has_ipv6(const struct conf_link *conf)
{
	for (size_t i = 0; i < conf->addresses.n; i++) {
		if (conf->addresses.items[i].family == AF_INET6)
			return true;
	}
	return false;
}

/* The inner MTU that fits the way to the peer, or 0 when that way is not known; it may lead into
 * this very interface when AllowedIPs cover the peer's own address. */
static unsigned int mtu_of_way(struct link *link, nsec_t now)
{
	const union netaddr *remote = &link->wire.path.remote;
	unsigned int extra = (unsigned int)link->suites.extra_tag_len;
	struct nl_path path;

	if (!wire_has_path(&link->wire) || !way_ask(&link->ways, remote, now, &path))
		return 0;
	if (!netaddr_equal(remote, &link->way_remote))
		link->way_remote = *remote;
	else if (path.ifindex != link->way_ifindex)
		wire_forget_source(&link->wire);
	link->way_ifindex = path.ifindex;
	if (path.ifindex == link->ifindex)
		return 0;
	/* Whatever cipher is agreed on, its packets must fit. */
	return ifsetup_mtu_auto(MAX(path.mtu, extra) - extra, remote->sa.sa_family,
				has_ipv6(link->conf));
}

static unsigned int first_mtu(struct link *link, nsec_t now)
{
	unsigned int mtu = mtu_of_way(link, now);

	if (link->conf->mtu)
		return link->conf->mtu;
	return mtu ? mtu : MTU_DEFAULT - (unsigned int)link->suites.extra_tag_len;
}

static void set_mtu(struct link *link, unsigned int mtu)
{
	int r = nl_link_set_mtu(&link->nl, link->ifindex, mtu);

	if (r == 0) {
		link->mtu = mtu;
		log_info("the MTU is %u now, as the way to the peer allows", mtu);
	} else {
		log_warning("cannot set the MTU of %s to %u: %s", link->conf->name, mtu,
			    strerror(-r));
	}
}

nsec_t link_follow_way(struct link *link, nsec_t now)
{
	unsigned int mtu;

	if (!link->wire.is_way_stale)
		return NSEC_NEVER;
	if (now < link->way_next_look)
		return link->way_next_look;
	link->wire.is_way_stale = false;
	link->way_next_look = now + NSEC_PER_SEC;
	/* The news is what was not known when the way was asked for last. */
	way_forget(&link->ways);
	link->wire.refuses_runs = false;
	link_tell(link, ORDER_RETRY_RUNS);
	mtu = mtu_of_way(link, now);
	if (link->mtu_is_ours && mtu && mtu != link->mtu)
		set_mtu(link, mtu);
	return NSEC_NEVER;
}

static enum exit_code setup_interface(struct link *link, nsec_t now)
{
	struct ifsetup_failure failure;
	int r = nl_link_index(&link->nl, link->conf->name, &link->ifindex);

	if (r < 0) {
		log_error("cannot ask the kernel about %s: %s", link->conf->name, strerror(-r));
		return EXIT_SYSTEM;
	}
	link->wire.own_ifindex = link->ifindex;
	link->mtu = first_mtu(link, now);
	r = ifsetup_apply(&link->nl, link->conf, link->ifindex, link->mtu, &failure);
	if (r == 0 || r == IFSETUP_NEEDS_POLICY)
		r = monitor_open(&link->monitor, link->ifindex);
	else
		log_error("%s", failure.text);
	switch (r) {
	case 0:
		return EXIT_DONE;
	case IFSETUP_NEEDS_TABLE:
		return EXIT_CONFIG;
	case -EPERM:
		return EXIT_PERMISSION;
	case -EEXIST:
		return EXIT_UNAVAILABLE;
	default:
		return EXIT_SYSTEM;
	}
}

/* An MTU that the file fixes must leave room for the longest tag on the way to the peer: only then
 * the suites with that tag are offered. An automatic one makes the room. */
enum exit_code link_choose_suites(struct link *link, const struct conf_link *conf, nsec_t now)
{
	struct suites suites;
	/* Without what the tags of the suites before take. */
	unsigned int way_mtu = mtu_of_way(link, now) + (unsigned int)link->suites.extra_tag_len;
	bool has_room = conf->mtu == 0 || conf->mtu + CIPHER_TAG_MAX - TAG_LEN <= way_mtu;

	if (!suites_choose(conf->cipher, has_room, &suites)) {
		log_error("the link file asks for a Cipher that this processor or this libsodium "
			  "(%s) does not have: `vpnd speed` lists those that it has; Cipher = auto "
			  "takes the best",
			  sodium_version_string());
		return EXIT_UNAVAILABLE;
	}
	link->suites = suites;
	if (suites.extra_tag_len > 0 && !has_room)
		log_warning(
			"the Cipher of the link file makes packets %zu bytes longer: with MTU = "
			"%u they may not fit the way to the peer; leave MTU out, or make it "
			"smaller",
			suites.extra_tag_len, conf->mtu);
	return EXIT_DONE;
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
	};
	int r = peer_init(&link->peer, &config, now);

	if (r == 0)
		r = exchange_make_allowed(conf->allowed_ips.items, conf->allowed_ips.n,
					  &link->allowed);
	if (r == 0)
		r = tx_loop_init(&link->tx, &link->tun, link->allowed, &link->wire, link->host,
				 link->loop, link_on_tx_facts, link);
	if (r == 0)
		r = rx_loop_init(&link->rx, &link->tun, link->allowed, &link->wire, &link->rx_ways,
				 &link->handshakes, link->gro_flags, link->host, link->loop,
				 link_on_rx_facts, link);
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
	if (!host->data.tun_offload)
		tun_disable_offload(&link->tun);
	link_apply_udp_switches(link, &link->wire.udp);
}

/* What the host file switches off, as the probes call it. */
static unsigned int switched_off(const struct conf_host *host)
{
	unsigned int off = 0;

	if (!host->data.tun_offload)
		off |= 1U << PROBE_TUN_READ_TCP | 1U << PROBE_TUN_READ_UDP;
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
	keytext_encode(&link->conf->peer_key, key);
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
		code = outside_claim(&link->outside, link->conf, &link->ways.fwmark);
	link->rx_ways.fwmark = link->ways.fwmark;
	if (code == EXIT_DONE)
		code = link_open_udp(link, link->conf->listen_port, &link->wire.udp);
	if (code == EXIT_DONE)
		code = open_tun(link);
	if (code != EXIT_DONE)
		return code;
	probe_tun(&link->tun, &link->probe);
	probe_udp(&link->wire.udp, PROBE_BUDGET, &link->probe);
	return outside_run_hook(&link->outside, CONF_PRE_UP);
}

enum exit_code link_connect(struct link *link)
{
	if (link->outside.is_connected ||
	    (policy_is_needed(link->conf) && link->may_wait && !wire_has_path(&link->wire)))
		return EXIT_DONE;
	return outside_connect(&link->outside, link->conf, link->ifindex);
}

void link_restore(struct link *link)
{
	struct ifsetup_failure failure;
	int r = ifsetup_restore(&link->nl, link->conf, link->ifindex, &failure);

	if (r != 0 && r != IFSETUP_NEEDS_POLICY)
		log_error("%s", failure.text);
	if (link->outside.is_connected)
		(void)outside_set_rules(&link->outside, link->conf, link->ifindex);
}

void link_leave(struct link *link)
{
	int r = keep_leave(link->conf, &link->tun, &link->wire.udp, link->tun_name);

	if (r == 0)
		r = last_seen_leave(&link->last_seen, link->conf);
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
	if (code == EXIT_DONE && !link->outside.is_connected)
		log_notice("the default route waits until the name of the Endpoint is resolved");
	if (code == EXIT_DONE)
		code = outside_run_hook(&link->outside, CONF_POST_UP);
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

enum exit_code link_open(struct link *link)
{
	nsec_t now = nsec_boottime();
	enum exit_code code;
	int r = netlink_open(&link->nl);

	if (r == 0)
		r = netlink_open(&link->rx_nl);
	if (r < 0) {
		log_error("cannot ask the kernel about routes: %s", strerror(-r));
		return EXIT_SYSTEM;
	}
	endpoint_init(&link->endpoint, link->conf, link->resolver, now);
	find_first_path(link);
	keep_take(link->conf, &link->tun, &link->wire.udp);
	link->is_taken_over = link->tun.fd >= 0;
	code = outside_begin(&link->outside, &link->nl);
	if (code == EXIT_DONE)
		code = open_descriptors(link, now);
	if (code == EXIT_DONE && !link->outside.is_cancelled)
		code = set_up(link, now);
	if (code != EXIT_DONE || link->outside.is_cancelled)
		return code;
	say_ready(link);
	link_leave(link);
	return link_watch(link);
}

void link_close(struct link *link)
{
	pulse_stop(link);
	if (link->has_alarm) {
		alarm_deinit(&link->alarm, link->loop);
		ev_io_stop(link->loop, &link->monitor_readable);
		ev_io_stop(link->loop, &link->resolver_readable);
		link->has_alarm = false;
	}
	monitor_close(&link->monitor);
	tx_loop_deinit(&link->tx);
	rx_loop_deinit(&link->rx);
	outside_end_rules(&link->outside);
	netlink_close(&link->nl);
	netlink_close(&link->rx_nl);
	mailbox_deinit(&link->handshakes.box);
	latest_deinit(&link->latest);
	tun_close(&link->tun);
	last_seen_close(&link->last_seen);
	udp_close(&link->wire.udp);
	exchange_end(&link->exchange);
	exchange_free_allowed(link->allowed);
	link->allowed = NULL;
	peer_deinit(&link->peer);
	outside_end(&link->outside);
}
