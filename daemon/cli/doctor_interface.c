/* `vpnd doctor`: the interface, its addresses, and what is routed into it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/prefixes.h"
#include "daemon/cli/doctor.h"
#include "daemon/cli/doctor_prefix.h"
#include "daemon/host/nl_list.h"

/* AllowedIPs that are looked at one by one; findings of one kind that are said. */
#define ROUTES_MAX   256
#define FINDINGS_MAX 4

static bool has_address(const struct prefix *list, size_t n, const struct prefix *wanted)
{
	for (size_t i = 0; i < n; i++) {
		if (prefixes_compare(&list[i], wanted) == 0)
			return true;
	}
	return false;
}

static void check_addresses(struct doctor *doctor)
{
	struct prefix there[CONF_ADDRESSES_MAX * 2];
	const struct conf_prefixes *wanted = &doctor->conf.addresses;
	size_t n_there, n_missing = 0;
	char text[PREFIX_TEXT_MAX];

	if (!doctor->has_conf || nl_list_addresses(doctor_inner_nl(doctor), doctor->ifindex, there,
						   ARRAY_SIZE(there), &n_there) < 0)
		return;
	n_there = MIN(n_there, ARRAY_SIZE(there));
	for (size_t i = 0; i < wanted->n; i++) {
		if (has_address(there, n_there, &wanted->items[i]))
			continue;
		n_missing++;
		doctor_say(doctor, DOCTOR_FAIL,
			   "Somebody has taken it away: `systemctl restart` of the link makes it "
			   "anew.",
			   "the interface lacks the address %s",
			   prefix_format(&wanted->items[i], text));
	}
	if (wanted->n > 0 && n_missing == 0)
		doctor_say(doctor, DOCTOR_OK, NULL, "it has its %zu address%s", wanted->n,
			   wanted->n == 1 ? "" : "es");
	if (wanted->n == 0 && n_there == 0 && !doctor->conf.bridge)
		doctor_say(doctor, DOCTOR_WARN,
			   "Add Address to the link file, unless something else gives it one.",
			   "the interface has no address");
}

static void check_bridge(struct doctor *doctor, const struct nl_link *link)
{
	const char *name = doctor->has_conf ? doctor->conf.bridge : NULL;
	unsigned int bridge;

	if (!name)
		return;
	if (nl_link_index(doctor_inner_nl(doctor), name, &bridge) < 0)
		doctor_say(doctor, DOCTOR_FAIL,
			   "Make it, or set BridgeCreate = yes; the link joins it then.",
			   "there is no bridge %s", name);
	else if (link->master != bridge)
		doctor_say(doctor, DOCTOR_FAIL,
			   "Somebody has taken it out: `ip link set LINK master BRIDGE`.",
			   "the interface is not a port of the bridge %s", name);
	else
		doctor_say(doctor, DOCTOR_OK, NULL, "it is a port of the bridge %s", name);
}

static void say_missing(struct doctor *doctor)
{
	unsigned int other;

	if (doctor->is_running)
		doctor_say(doctor, DOCTOR_FAIL, "Restart the link.",
			   "there is no interface %s, although the link runs: somebody has deleted "
			   "or renamed it, or it is in another network namespace",
			   doctor->name);
	else if (doctor->status.error == -ENOENT &&
		 nl_link_index(&doctor->nl, doctor->name, &other) == 0)
		doctor_say(
			doctor, DOCTOR_FAIL,
			"`ip link show` tells what it is; wg-quick with a file of that name makes "
			"one.",
			"an interface %s exists, and it is not the link's", doctor->name);
}

void doctor_check_interface(struct doctor *doctor)
{
	struct netlink *nl = doctor_inner_nl(doctor);
	char advice[DOCTOR_ADVICE_MAX];
	struct nl_link link;

	if (netlink_fd(nl) < 0) {
		doctor_say(doctor, DOCTOR_NOTE, NULL,
			   "the network namespace of the interface cannot be looked into");
		return;
	}
	if (doctor->status.error == -EACCES)
		nl_link_index(nl, doctor->name, &doctor->ifindex);
	else if (!doctor->is_running || nl_link_index(nl, doctor->name, &doctor->ifindex) < 0)
		say_missing(doctor);
	if (!doctor->ifindex || nl_link_get(nl, doctor->ifindex, &link) < 0)
		return;
	doctor->mtu = link.mtu;
	if (!link.is_up) {
		snprintf(advice, sizeof(advice), "Switch it on: `ip link set %s up`.",
			 doctor->name);
		doctor_say(doctor, DOCTOR_FAIL, advice, "the interface %s is switched off",
			   doctor->name);
	} else {
		doctor_say(doctor, DOCTOR_OK, NULL, "the interface %s is up, with MTU %u",
			   doctor->name, link.mtu);
	}
	check_bridge(doctor, &link);
	check_addresses(doctor);
}

/* Whether an address of ours is in AllowedIPs as such: a common mistake, for the list is what is
 * behind the peer. */
static void check_own(struct doctor *doctor)
{
	const struct conf_prefixes *allowed = &doctor->conf.allowed_ips;
	const struct conf_prefixes *own = &doctor->conf.addresses;
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < own->n; i++) {
		for (size_t j = 0; j < MIN(allowed->n, ROUTES_MAX); j++) {
			if (!prefix_is_host(&allowed->items[j]) ||
			    !prefix_contains(&allowed->items[j], own->items[i].family,
					     own->items[i].addr))
				continue;
			doctor_say(doctor, DOCTOR_WARN,
				   "AllowedIPs are the addresses behind the peer: name its address "
				   "there, and not this end's.",
				   "AllowedIPs have %s, which is this end's own address",
				   prefix_format(&allowed->items[j], text));
		}
	}
}

/* Whether the peer can have an address in the net that this end is in. */
static void check_covered(struct doctor *doctor)
{
	const struct conf_prefixes *own = &doctor->conf.addresses;
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < own->n; i++) {
		if (prefix_is_host(&own->items[i]) ||
		    prefixes_meet(&doctor->conf.allowed_ips, &own->items[i]))
			continue;
		doctor_say(
			doctor, DOCTOR_WARN,
			"Add the peer's address inside the link to AllowedIPs.",
			"AllowedIPs have nothing of the link's own net %s: the peer's packets from "
			"there are dropped, and nothing can be sent there",
			prefix_format(&own->items[i], text));
	}
}

/* Whether one prefix of AllowedIPs leads into the link. \return false when it was said that it
 * does not */
static bool check_route(struct doctor *doctor, const struct prefix *prefix)
{
	struct netlink *nl = doctor_inner_nl(doctor);
	char text[PREFIX_TEXT_MAX], name[IFNAMSIZ];
	struct nl_path path;
	union netaddr host;
	int r;

	if (!prefix_first_host(prefix, &doctor->conf.addresses, &host))
		return true;
	r = nl_path_get(nl, &host, 0, &path);
	if (r == 0 && path.ifindex == doctor->ifindex)
		return true;
	prefix_format(prefix, text);
	if (r < 0)
		doctor_say(
			doctor, DOCTOR_FAIL,
			"The link makes its routes when it starts: restart it, unless Table says "
			"that something else does.",
			"nothing leads to %s, which is behind the peer: %s", text, strerror(-r));
	else
		doctor_say(
			doctor, DOCTOR_FAIL,
			"Two networks of this host overlap: narrow AllowedIPs, or take the other "
			"route away (`ip route get` shows which one counts).",
			"%s is behind the peer, and packets to it leave through %s", text,
			doctor_interface_name(nl, path.ifindex, name));
	return false;
}

void doctor_check_routes(struct doctor *doctor)
{
	const struct conf_prefixes *allowed = &doctor->conf.allowed_ips;
	bool has_frames = doctor->conf.mode == CONF_MODE_TAP;
	size_t n_looked = MIN(allowed->n, ROUTES_MAX), n_bad = 0;

	/* What is in a frame is not judged by AllowedIPs: they make routes only. */
	if (!doctor->has_conf || (has_frames && allowed->n == 0))
		return;
	if (allowed->n == 0) {
		doctor_say(doctor, DOCTOR_FAIL, "Add the addresses that are behind the peer.",
			   "AllowedIPs are empty: the link carries nothing");
		return;
	}
	check_own(doctor);
	if (!has_frames)
		check_covered(doctor);
	/* With a table of its own, who goes there is the administrator's affair. */
	if (!doctor->ifindex || doctor->conf.table_kind != CONF_TABLE_AUTO || doctor->conf.bridge)
		return;
	for (size_t i = 0; i < n_looked && n_bad < FINDINGS_MAX; i++) {
		if (!check_route(doctor, &allowed->items[i]))
			n_bad++;
	}
	if (n_bad == 0)
		doctor_say(doctor, DOCTOR_OK, NULL, "%zu of %zu AllowedIPs lead into the link",
			   n_looked, allowed->n);
}
