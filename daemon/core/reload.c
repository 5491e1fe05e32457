/*
 * A running link gets another configuration. See link.h.
 *
 * There is one step for each group of keys that can only change together, in an order in which
 * nothing is used before it is there. A step that fails puts its values back into the new
 * configuration, so that this is in the end what really holds, and the next reload tries again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/diff.h"
#include "daemon/core/link.h"
#include "daemon/host/ifsetup.h"
#include "daemon/host/policy.h"

/* One reload. */
struct reload {
	struct link *link;
	struct conf_link *conf; /* the new one; link->conf is the old one until the end */
	const struct conf_changes *changes;
	nsec_t now;
	unsigned int todo; /* enum order bits for tx, when all is done */
};

#define SWAP(a, b)                                                                                 \
	do {                                                                                       \
		__typeof__(a) swapped = (a);                                                       \
                                                                                                   \
		(a) = (b);                                                                         \
		(b) = swapped;                                                                     \
	} while (0)

/* What needs a restart stays as it is. */
static bool refuse_restart(struct reload *reload)
{
	(void)reload;
	return false;
}

static void keep_restart(struct conf_link *old, struct conf_link *new)
{
	SWAP(old->mode, new->mode);
	SWAP(old->namespace, new->namespace);
	SWAP(old->bridge, new->bridge);
}

static bool change_mtu(struct reload *reload)
{
	struct link *link = reload->link;
	unsigned int mtu = reload->conf->mtu;
	int r;

	link->mtu_is_ours = mtu == 0;
	if (mtu == 0) {
		link->wire.is_way_stale = true;
		link->way_next_look = 0;
		return true;
	}
	r = nl_link_set_mtu(&link->nl, link->ifindex, mtu);
	if (r == 0)
		link->mtu = mtu;
	else
		log_error("cannot set the MTU to %u: %s", mtu, strerror(-r));
	return r == 0;
}

static void keep_mtu(struct conf_link *old, struct conf_link *new)
{
	SWAP(old->mtu, new->mtu);
}

/* New sockets in the place of the old ones. With any port the one in use is as good as another. */
static bool change_port(struct reload *reload)
{
	struct link *link = reload->link;
	struct udp udp = UDP_NULL;
	int r;

	if (reload->conf->listen_port == 0 || reload->conf->listen_port == link->wire.udp.port)
		return true;
	if (link_open_udp(link, reload->conf->listen_port, &udp) != EXIT_DONE)
		return false;
	link_apply_udp_switches(link, &udp);
	r = exchange_keep(&link->exchange, NULL);
	if (r == 0)
		r = udp_replace(&link->wire.udp, &udp);
	if (r < 0) {
		udp_close(&udp);
		log_error("cannot use new sockets: %s", strerror(-r));
		return false;
	}
	/* The peer learns from it where we are now. */
	reload->todo |= ORDER_KEEPALIVE;
	return true;
}

static void keep_port(struct conf_link *old, struct conf_link *new)
{
	SWAP(old->listen_port, new->listen_port);
}

/* Takes the mark that `conf` wants, and puts it on the sockets. The data loops hear of it with the
 * next exchange. */
static bool change_mark(struct link *link, const struct conf_link *conf)
{
	uint32_t mark;
	int r;

	if (outside_claim(&link->outside, conf, &mark) != EXIT_DONE)
		return false;
	r = udp_set_mark(&link->wire.udp, mark);
	if (r < 0) {
		log_error("cannot set FwMark: %s", strerror(-r));
		return false;
	}
	if (mark != link->ways.fwmark)
		link->wire.is_way_stale = true;
	link->ways.fwmark = mark;
	return true;
}

/* Addresses, routes and rules of `before` to those of `after`. */
static bool change_routes(struct link *link, const struct conf_link *before,
			  const struct conf_link *after)
{
	struct ifsetup_failure failure;
	int r = ifsetup_change(&link->nl, before, after, link->ifindex, &failure);

	if (r != 0 && r != IFSETUP_NEEDS_POLICY) {
		log_error("%s", failure.text);
		return false;
	}
	if (policy_is_needed(after) && link->may_wait && !wire_has_path(&link->wire)) {
		link->outside.is_connected = false;
		return true;
	}
	return outside_set_rules(&link->outside, after, link->ifindex) == EXIT_DONE;
}

static bool change_network(struct reload *reload)
{
	struct link *link = reload->link;
	struct allowedips *allowed;

	if (exchange_make_allowed(reload->conf->allowed_ips.items, reload->conf->allowed_ips.n,
				  &allowed) < 0 ||
	    exchange_keep(&link->exchange, link->allowed) < 0) {
		log_error("not enough memory");
		exchange_free_allowed(allowed);
		return false;
	}
	link->allowed = allowed;
	if (change_mark(link, reload->conf) && change_routes(link, link->conf, reload->conf))
		return true;
	/* Back, as far as that goes; what does not is said. */
	(void)change_mark(link, link->conf);
	(void)change_routes(link, reload->conf, link->conf);
	if (exchange_make_allowed(link->conf->allowed_ips.items, link->conf->allowed_ips.n,
				  &allowed) == 0 &&
	    exchange_keep(&link->exchange, link->allowed) == 0)
		link->allowed = allowed;
	else
		exchange_free_allowed(allowed);
	return false;
}

static void keep_network(struct conf_link *old, struct conf_link *new)
{
	SWAP(old->addresses, new->addresses);
	SWAP(old->allowed_ips, new->allowed_ips);
	SWAP(old->table_kind, new->table_kind);
	SWAP(old->table, new->table);
	SWAP(old->table_name, new->table_name);
	SWAP(old->fwmark, new->fwmark);
}

static bool change_dns(struct reload *reload)
{
	if (reload->link->outside.is_connected)
		outside_set_dns(&reload->link->outside, reload->conf);
	return true;
}

static bool change_keys(struct reload *reload)
{
	struct link *link = reload->link;
	int r = peer_set_keys(&link->peer, &reload->conf->secrets->private_key,
			      &reload->conf->peer_key, reload->now);

	if (r < 0) {
		log_error("the keys cannot be used: %s",
			  r == -EINVAL ? "the PublicKey of the peer is no key" : strerror(-r));
		return false;
	}
	link->report.state = REPORT_IDLE;
	link->report.since = reload->now;
	reload->todo |= ORDER_DROP_STAGED;
	return true;
}

/* Not by a copy on the stack. */
static void swap_secret(struct key *a, struct key *b)
{
	for (size_t i = 0; i < sizeof(a->bytes); i++)
		SWAP(a->bytes[i], b->bytes[i]);
}

static void keep_keys(struct conf_link *old, struct conf_link *new)
{
	SWAP(old->public_key, new->public_key);
	SWAP(old->private_key_file, new->private_key_file);
	swap_secret(&old->secrets->private_key, &new->secrets->private_key);
	SWAP(old->peer_key, new->peer_key);
}

static bool change_preshared(struct reload *reload)
{
	peer_set_preshared(&reload->link->peer, &reload->conf->secrets->preshared_key);
	return true;
}

static bool change_cipher(struct reload *reload)
{
	struct link *link = reload->link;

	if (link_choose_suites(link, reload->conf, reload->now) != EXIT_DONE)
		return false;
	peer_set_suites(&link->peer, link->suites.items, link->suites.n, link->suites.is_forced,
			reload->now);
	/* Tags of another length leave another MTU. */
	link->wire.is_way_stale = true;
	return true;
}

static void keep_cipher(struct conf_link *old, struct conf_link *new)
{
	SWAP(old->cipher, new->cipher);
}

/* An address is used at once; behind a name, as soon as there is one. */
static bool change_endpoint(struct reload *reload)
{
	struct link *link = reload->link;

	endpoint_change(&link->endpoint, reload->conf, reload->now);
	link->may_wait = endpoint_may_come(&link->endpoint);
	link->wants_first_candidate = reload->conf->n_endpoints > 0;
	link_use_first_candidate(link);
	return true;
}

static bool change_keepalive(struct reload *reload)
{
	peer_set_keepalive(&reload->link->peer, reload->conf->persistent_keepalive, reload->now);
	return true;
}

#define KEY(name) (1U << KEYS_##name)

static const struct step {
	uint32_t keys;
	bool (*apply)(struct reload *reload);
	void (*keep)(struct conf_link *old, struct conf_link *new); /* NULL: it never fails */
	const char *what;
} steps[] = {
	{ KEY(MODE) | KEY(NAMESPACE) | KEY(BRIDGE), refuse_restart, keep_restart,
	  "Mode, Namespace and Bridge" },
	{ KEY(MTU), change_mtu, keep_mtu, "MTU" },
	{ KEY(LISTEN_PORT), change_port, keep_port, "ListenPort" },
	{ KEY(ADDRESS) | KEY(TABLE) | KEY(ALLOWED_IPS) | KEY(FWMARK), change_network, keep_network,
	  "Address, Table, AllowedIPs and FwMark" },
	{ KEY(DNS), change_dns, NULL, NULL },
	{ KEY(PRIVATE_KEY) | KEY(PUBLIC_KEY), change_keys, keep_keys, "PrivateKey and PublicKey" },
	{ KEY(PRESHARED_KEY), change_preshared, NULL, NULL },
	{ KEY(CIPHER), change_cipher, keep_cipher, "Cipher" },
	{ KEY(ENDPOINT), change_endpoint, NULL, NULL },
	{ KEY(PERSISTENT_KEEPALIVE), change_keepalive, NULL, NULL },
};

/* How many steps failed. */
static int run_steps(struct reload *reload)
{
	int n_failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		const struct step *step = &steps[i];

		if (!(reload->changes->keys & step->keys) || step->apply(reload))
			continue;
		step->keep(reload->link->conf, reload->conf);
		log_warning("%s stay as they were", step->what);
		n_failed++;
	}
	return n_failed;
}

/* Exchanges the two, so that whatever points to the running one points to the new one. */
static void exchange_conf(struct link *link, struct conf_link *conf)
{
	SWAP(*link->conf, *conf);
	link->endpoint.specs = link->conf->endpoints;
	link->endpoint.n_specs = link->conf->n_endpoints;
}

static int change(struct link *link, struct conf_link *conf, const struct conf_changes *changes)
{
	struct reload reload = {
		.link = link, .conf = conf, .changes = changes, .now = nsec_boottime()
	};
	int n_failed;

	for (size_t i = 0; i < changes->n_items; i++)
		log_notice("%s; %s", changes->items[i].text, changes->items[i].how);
	n_failed = run_steps(&reload);
	exchange_conf(link, conf);
	/* A default route that has waited for an address may have one now. */
	if (link_connect(link) != EXIT_DONE)
		n_failed++;
	link_leave(link);
	link_tell(link, reload.todo);
	link_act(link, reload.now);
	return n_failed;
}

int link_change(struct link *link, struct conf_link *conf)
{
	struct conf_changes changes;
	int r = conf_diff(link->conf, conf, &changes);

	if (r < 0) {
		log_error("not enough memory: nothing is changed");
		return r;
	}
	if (changes.n_items == 0)
		log_notice("nothing changes");
	r = change(link, conf, &changes);
	conf_changes_deinit(&changes);
	return r;
}
