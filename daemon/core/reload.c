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

#include "common/keytext.h"
#include "conf/diff.h"
#include "daemon/core/link.h"
#include "daemon/host/policy.h"

/* One reload. */
struct reload {
	struct link *link;
	struct conf_link *conf; /* the new one; link->conf is the old one until the end */
	const struct conf_changes *changes;
	uint32_t keys;  /* that are still to be applied, as bits */
	struct udp udp; /* new sockets, until they are in use */
	nsec_t now;
	unsigned int todo; /* enum order bits for tx, when all is done */
	bool wants_dns;    /* the helper is to announce the name servers then */
};

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
}

static bool change_mtu(struct reload *reload)
{
	struct link *link = reload->link;
	unsigned int mtu = reload->conf->mtu;
	int r;

	if (mtu == 0 && reload->conf->mode == CONF_MODE_TAP)
		mtu = link_tap_mtu(link, reload->conf);
	if (mtu == 0) {
		link->mtu_is_ours = true;
		link->wire.is_way_stale = true;
		link->way_next_look = 0;
		return true;
	}
	r = helper_set_mtu(link->helper, mtu);
	if (r < 0) {
		log_error("cannot set the MTU to %u: %s", mtu, helper_error_text(r));
		return false;
	}
	link->mtu_is_ours = false;
	link->mtu = mtu;
	return true;
}

static void keep_mtu(struct conf_link *old, struct conf_link *new)
{
	SWAP(old->mtu, new->mtu);
}

/* With any port the one in use is as good as another. */
static bool is_other_port(const struct reload *reload)
{
	uint16_t port = reload->conf->listen_port;

	return port != 0 && port != reload->link->wire.udp.port;
}

/* New sockets in the place of the old ones. Those that are open already get the mark, which may be
 * another one since. */
static bool change_port(struct reload *reload)
{
	struct link *link = reload->link;
	int r;

	if (!is_other_port(reload))
		return true;
	if (link_open_udp(link, reload->conf->listen_port, &reload->udp) != EXIT_DONE)
		return false;
	link_apply_udp_switches(link, &reload->udp);
	r = exchange_keep(&link->exchange, NULL);
	if (r == 0)
		r = udp_replace(&link->wire.udp, &reload->udp);
	if (r < 0) {
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

/* Takes the mark that a configuration wants, and puts it on the sockets. The data loops hear of it
 * with the next exchange. */
static bool change_mark(struct link *link, enum helper_conf which)
{
	uint32_t mark;
	int r;

	if (helper_claim(link->helper, which, &mark) != EXIT_DONE)
		return false;
	r = helper_mark_udp(link->helper, &link->wire.udp);
	if (r < 0) {
		log_error("cannot set FwMark: %s", helper_error_text(r));
		return false;
	}
	if (mark != link->ways.fwmark)
		link->wire.is_way_stale = true;
	link->ways.fwmark = mark;
	return true;
}

/* Addresses, routes and rules to those of a configuration from those of the other one. */
static bool change_routes(struct link *link, enum helper_conf which, const struct conf_link *after)
{
	if (helper_do(link->helper, HELPER_CHANGE, (uint32_t)which) != EXIT_DONE)
		return false;
	if (policy_is_needed(after) && link->may_wait && !wire_has_path(&link->wire)) {
		link->is_connected = false;
		return true;
	}
	return helper_do(link->helper, HELPER_RULES, (uint32_t)which) == EXIT_DONE;
}

/* What packets are accepted and sent, to that of a configuration. */
static bool change_accepted(struct link *link, const struct conf_link *conf)
{
	const struct conf_prefixes *accepted = conf_link_accepted(conf);
	struct allowedips *allowed;

	if (exchange_make_allowed(accepted->items, accepted->n, &allowed) == 0 &&
	    exchange_keep(&link->exchange, link->allowed) == 0) {
		link->allowed = allowed;
		return true;
	}
	log_error("not enough memory");
	exchange_free_allowed(allowed);
	return false;
}

#define KEY(name) (1U << KEYS_##name)

#define NETWORK_KEYS                                                                               \
	(KEY(ADDRESS) | KEY(TABLE) | KEY(ALLOWED_IPS) | KEY(FWMARK) | KEY(BRIDGE) |                \
	 KEY(BRIDGE_CREATE))

_Static_assert(KEYS_N <= 32, "a bit for each key");

/* Bits of what changes. */
static uint32_t keys_of(const struct conf_changes *changes)
{
	uint32_t keys = 0;

	for (size_t i = 0; i < changes->n_items; i++)
		keys |= UINT32_C(1) << changes->items[i].key;
	return keys;
}

/* Whether the host has to change, too: not for AllowedIPs of the wg protocol. */
static bool is_for_host(const struct conf_changes *changes)
{
	return (keys_of(changes) & NETWORK_KEYS & ~KEY(ALLOWED_IPS)) != 0 ||
	       changes->routed_added.n > 0 || changes->routed_removed.n > 0;
}

static bool change_network(struct reload *reload)
{
	struct link *link = reload->link;

	if (!change_accepted(link, reload->conf))
		return false;
	if (!is_for_host(reload->changes))
		return true;
	if (change_mark(link, HELPER_OFFERED) && change_routes(link, HELPER_OFFERED, reload->conf))
		return true;
	/* Back, as far as that goes; what does not is said. */
	(void)change_mark(link, HELPER_IN_FORCE);
	(void)change_routes(link, HELPER_IN_FORCE, link->conf);
	(void)change_accepted(link, link->conf);
	return false;
}

static void keep_network(struct conf_link *old, struct conf_link *new)
{
	SWAP(old->addresses, new->addresses);
	SWAP(old->allowed_ips, new->allowed_ips);
	SWAP(old->wg_allowed_ips, new->wg_allowed_ips);
	SWAP(old->has_wg_allowed_ips, new->has_wg_allowed_ips);
	SWAP(old->table_kind, new->table_kind);
	SWAP(old->table, new->table);
	SWAP(old->table_name, new->table_name);
	SWAP(old->fwmark, new->fwmark);
	SWAP(old->bridge, new->bridge);
	SWAP(old->bridge_create, new->bridge_create);
}

/* Rules that wait for an address are made with the new values then. */
static bool change_forwarding(struct reload *reload)
{
	struct link *link = reload->link;

	return !link->is_connected ||
	       helper_do(link->helper, HELPER_RULES, HELPER_OFFERED) == EXIT_DONE;
}

static void keep_forwarding(struct conf_link *old, struct conf_link *new)
{
	SWAP(old->forward, new->forward);
	SWAP(old->masquerades_all, new->masquerades_all);
	SWAP(old->masquerade, new->masquerade);
	SWAP(old->mss_clamp, new->mss_clamp);
}

static bool change_dns(struct reload *reload)
{
	reload->wants_dns = reload->link->is_connected;
	return true;
}

/* Where one peer was says nothing about another one. */
static void forget_path(struct link *link)
{
	const struct udp_path nowhere = { .remote.sa.sa_family = AF_UNSPEC };

	wire_set_path(&link->wire, &nowhere);
	link->endpoint.learned = nowhere.remote;
	endpoint_answered(&link->endpoint);
}

static bool change_keys(struct reload *reload)
{
	struct link *link = reload->link;
	bool is_other;
	int r = peer_set_keys(&link->peer, &reload->conf->secrets->private_key,
			      &reload->conf->peer_key, reload->now);

	if (r < 0) {
		log_error("the keys cannot be used: %s",
			  r == -EINVAL ? "the PublicKey of the peer is no key" : strerror(-r));
		return false;
	}
	is_other = !key_equal(&link->conf->peer_key, &reload->conf->peer_key);
	if (is_other && reload->conf->n_endpoints == 0)
		forget_path(link);
	/* What waits for the peer goes with the next session, but not to another peer. */
	if (is_other)
		reload->todo |= ORDER_DROP_STAGED;
	link->report.state = REPORT_IDLE;
	link->report.since = reload->now;
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
	char key[KEYTEXT_LEN + 1];

	SWAP(old->public_key, new->public_key);
	SWAP(old->private_key_file, new->private_key_file);
	swap_secret(&old->secrets->private_key, &new->secrets->private_key);
	SWAP(old->peer_key, new->peer_key);
	keytext_encode(&old->peer_key, key);
	log_set_peer(key);
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

static const struct step {
	uint32_t keys;
	bool (*apply)(struct reload *reload);
	void (*keep)(struct conf_link *old, struct conf_link *new); /* NULL: it never fails */
	const char *what;
} steps[] = {
	{ KEY(MODE) | KEY(NAMESPACE), refuse_restart, keep_restart, "Mode and Namespace" },
	{ KEY(MTU), change_mtu, keep_mtu, "MTU" },
	{ KEY(LISTEN_PORT), change_port, keep_port, "ListenPort" },
	{ NETWORK_KEYS, change_network, keep_network,
	  "Address, Table, AllowedIPs, FwMark and Bridge" },
	{ KEY(FORWARD) | KEY(MASQUERADE) | KEY(MSS_CLAMP), change_forwarding, keep_forwarding,
	  "Forward, Masquerade and MssClamp" },
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

		if (!(reload->keys & step->keys) || step->apply(reload))
			continue;
		step->keep(reload->link->conf, reload->conf);
		log_warning("not changed: %s", step->what);
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

/* Of the wg protocol: the steps that may fail, and that have nothing to undo when one does. Keys
 * were judged with the request. Returns 0 or a negative errno; then nothing is changed. */
static int try_first(struct reload *reload)
{
	enum exit_code code = EXIT_DONE;

	if ((reload->keys & KEY(LISTEN_PORT)) && is_other_port(reload))
		code = link_open_udp(reload->link, reload->conf->listen_port, &reload->udp);
	if (code == EXIT_PERMISSION)
		return -EACCES;
	if (code != EXIT_DONE)
		return code == EXIT_UNAVAILABLE ? -EADDRINUSE : -EIO;
	if ((reload->keys & NETWORK_KEYS) && !change_network(reload))
		return -EIO;
	reload->keys &= ~NETWORK_KEYS;
	return 0;
}

/* All that is to be done, or for the wg protocol all or nothing. Returns how many steps have
 * failed, or a negative errno: nothing is changed. */
static int apply(struct reload *reload, bool is_of_wg)
{
	int r = helper_offer(reload->link->helper, reload->conf);

	if (r < 0)
		log_error("the new configuration is not taken (%s)", helper_error_text(r));
	if (r == 0 && is_of_wg)
		r = try_first(reload);
	if (r == 0)
		r = run_steps(reload);
	udp_close(&reload->udp);
	return r;
}

static int change(struct link *link, struct conf_link *conf, const struct conf_changes *changes,
		  bool is_of_wg)
{
	struct reload reload = {
		.link = link,
		.conf = conf,
		.changes = changes,
		.keys = keys_of(changes),
		.udp = UDP_NULL,
		.now = nsec_boottime(),
	};
	int n_failed, r;

	for (size_t i = 0; i < changes->n_items; i++)
		log_notice("%s; %s", changes->items[i].text, changes->items[i].how);
	n_failed = apply(&reload, is_of_wg);
	if (n_failed < 0) {
		log_error("nothing is changed");
		return n_failed;
	}
	exchange_conf(link, conf);
	r = helper_accept(link->helper, n_failed > 0 ? link->conf : NULL);
	if (r < 0)
		log_error("the helper does not know what is in force: %s", helper_error_text(r));
	if (reload.wants_dns)
		helper_queue(link->helper, HELPER_DNS, HELPER_IN_FORCE);
	/* Whoever reloads because something is missing on the host gets it back. */
	if (changes->n_items == 0 && !is_of_wg && link->is_connected &&
	    helper_do(link->helper, HELPER_RULES, HELPER_IN_FORCE) != EXIT_DONE)
		n_failed++;
	/* A default route that has waited for an address may have one now. */
	if (link_connect(link) != EXIT_DONE)
		n_failed++;
	link_leave(link);
	link_tell(link, reload.todo);
	link_act(link, reload.now);
	return n_failed;
}

static int compare_and_change(struct link *link, struct conf_link *conf, bool is_of_wg)
{
	struct conf_changes changes;
	int r = conf_diff(link->conf, conf, &changes);

	if (r < 0) {
		log_error("not enough memory: nothing is changed");
		return r;
	}
	if (changes.n_items == 0)
		log_notice("nothing changes");
	r = change(link, conf, &changes, is_of_wg);
	conf_changes_deinit(&changes);
	return r;
}

int link_change(struct link *link, struct conf_link *conf)
{
	return compare_and_change(link, conf, false);
}

int link_set(struct link *link, struct conf_link *conf)
{
	int r = compare_and_change(link, conf, true);

	return r > 0 ? -EIO : r;
}
