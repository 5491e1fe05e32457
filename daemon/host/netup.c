/* Joining policy, filter, forward, bridge, valid_mark, dns and undo; see netup.h. */
#include "daemon/host/netup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "conf/prefixes.h"
#include "daemon/host/netns.h"
#include "daemon/host/netup_internal.h"
#include "daemon/host/policy.h"
#include "daemon/host/valid_mark.h"

void netup_init(struct netup *netup, struct netlink *nl, const char *link, const char *run_dir)
{
	*netup = (struct netup) { .nl = nl, .link = link, .run_dir = run_dir };
}

/* "WHAT: WHY" behind what the text says already. */
void netup_add_text(char text[static NETUP_TEXT_MAX], const char *what, const char *why)
{
	size_t len = strlen(text);

	snprintf(text + len, NETUP_TEXT_MAX - len, "%s%s%s%s", len > 0 ? "; " : "", what,
		 why ? ": " : "", why ? why : "");
}

void netup_add_error(char text[static NETUP_TEXT_MAX], const char *what, int error)
{
	char buf[128];

	netup_add_text(text, what,
		       error == -EPERM
			       ? "the right to change network settings is missing (CAP_NET_ADMIN)"
			       : strerror_r(-error, buf, sizeof(buf)));
}

/* About the notes themselves. */
static void add_notes_error(char text[static NETUP_TEXT_MAX], const char *what, int error)
{
	if (error == -EPERM)
		netup_add_text(
			text, what,
			"it, or the file `undo` in it, belongs to another user or may be written "
			"by others");
	else
		netup_add_error(text, what, error);
}

static bool has_notes(const struct undo *undo)
{
	return undo->policy.mark != 0 || undo->has_filter || undo->has_set_valid_mark ||
	       undo->dns != UNDO_DNS_NONE || !forward_is_empty(&undo->forward) ||
	       undo->bridge.ifindex != 0;
}

/* Writes the notes, or removes them when there is nothing to note. */
int netup_save(struct netup *netup, char text[static NETUP_TEXT_MAX])
{
	uint64_t netns = undo_netns(netup->undo.namespace);
	int error;

	/* A name that is gone leads nowhere; the notes are about where it led. */
	if (netns != 0)
		netup->undo.netns = netns;
	error = has_notes(&netup->undo) ? undo_save(netup->run_dir, &netup->undo)
					: undo_forget(netup->run_dir);
	if (error < 0)
		add_notes_error(text, "cannot note in the run directory what is to be undone",
				error);
	return error;
}

/* The last full tunnel of the host puts the sysctl back. */
static int reset_valid_mark(const struct netup *netup)
{
	bool has_others = false;
	int error = policy_has_others(netup->nl, &netup->undo.policy, &has_others);

	if (error < 0 || has_others)
		return error;
	return valid_mark_reset();
}

/* Another mark has taken the place of this one: its rules go when the new ones are there. */
static void remove_replaced(struct netup *netup, unsigned int ifindex)
{
	const struct prefix defaults[] = { { .family = AF_INET }, { .family = AF_INET6 } };

	if (netup->replaced.mark == 0)
		return;
	(void)policy_remove(netup->nl, &netup->replaced);
	(void)nl_route_del(netup->nl, ifindex, netup->replaced.mark, defaults,
			   ARRAY_SIZE(defaults));
	netup->replaced = (struct policy) { .mark = 0 };
}

/* Undoes the full tunnel; what fails stays in the notes. */
static void undo_tunnel(struct netup *netup, char text[static NETUP_TEXT_MAX])
{
	struct undo *undo = &netup->undo;
	int error = policy_remove(netup->nl, &undo->policy);

	remove_replaced(netup, undo->ifindex);
	if (error < 0)
		netup_add_error(text, "cannot delete the rules of the full tunnel", error);
	else
		undo->policy = (struct policy) { .mark = 0 };
	error = undo->has_set_valid_mark ? reset_valid_mark(netup) : 0;
	if (error < 0)
		netup_add_error(text, "cannot put net.ipv4.conf.all.src_valid_mark back", error);
	undo->has_set_valid_mark = false;
}

static void undo_dns(struct netup *netup, char text[static NETUP_TEXT_MAX])
{
	char warning[DNS_TEXT_MAX];

	if (dns_unset(&netup->dns, netup->link, &netup->undo, warning) != 0)
		netup_add_text(text, warning, NULL);
}

/* In the order of a stop. */
static void undo_all(struct netup *netup, char text[static NETUP_TEXT_MAX])
{
	undo_dns(netup, text);
	undo_tunnel(netup, text);
	netup_undo_filter(netup, text);
	netup_undo_forward(netup, text);
	netup_undo_bridge(netup, text);
}

static bool is_interface_there(const struct netup *netup)
{
	struct netlink nl = NETLINK_NULL;
	struct nl_link link;
	bool found = netup->undo.ifindex != 0 &&
		     netns_open_netlink(netup_namespace(netup), &nl) == 0 &&
		     nl_link_get(&nl, netup->undo.ifindex, &link) == 0;

	netlink_close(&nl);
	return found;
}

static bool is_elsewhere(const struct netup *netup)
{
	uint64_t netns = undo_netns(netup->undo.namespace);

	return netns == 0 || netns != netup->undo.netns;
}

int netup_recover(struct netup *netup, char text[static NETUP_TEXT_MAX])
{
	int result = undo_load(netup->run_dir, &netup->undo);

	text[0] = '\0';
	if (result == UNDO_NOTHING)
		return 0;
	if (result < 0) {
		add_notes_error(text,
				"cannot read in the run directory what an earlier run has left",
				result);
		return result;
	}
	/* Notes about another namespace say nothing about this one. What happened in one that had a
	 * name is gone with it. */
	if (is_elsewhere(netup)) {
		if (netup_is_gone(netup))
			(void)undo_forget(netup->run_dir);
		netup->undo = (struct undo) { .netns = 0 };
		return 0;
	}
	if (is_interface_there(netup))
		return NETUP_KEPT;
	/* systemd-resolved forgets with the interface. */
	if (netup->undo.dns == UNDO_DNS_RESOLVED)
		netup->undo.dns = UNDO_DNS_NONE;
	undo_all(netup, text);
	netup->undo.ifindex = 0;
	(void)netup_save(netup, text);
	return text[0] ? NETUP_WARNING : NETUP_CLEANED;
}

int netup_claim(struct netup *netup, const struct conf_link *conf, uint32_t *ret_mark,
		char text[static NETUP_TEXT_MAX])
{
	struct policy *policy = &netup->undo.policy;
	const struct policy before = *policy;
	int result;

	text[0] = '\0';
	*ret_mark = conf->fwmark;
	result = netup_claim_bridge(netup, conf, text);
	if (result != 0 || !policy_is_needed(conf))
		return result;
	result = policy_claim(netup->nl, conf, policy);
	if (result == POLICY_TAKEN || result == POLICY_FULL) {
		netup_add_text(
			text,
			result == POLICY_TAKEN
				? "FwMark is the mark of another link with a full tunnel: choose "
				  "another, or leave it out"
				: "no mark is free for the full tunnel: give one with FwMark",
			NULL);
		return NETUP_TAKEN;
	}
	if (result == 0) {
		*ret_mark = policy->mark;
		result = netup_save(netup, text);
		if (before.mark == policy->mark)
			return result;
		if (result == 0) {
			remove_replaced(netup, netup->undo.ifindex);
			netup->replaced = before;
		} else {
			(void)policy_remove(netup->nl, policy);
			*policy = before;
		}
		return result;
	}
	netup_add_error(text, "cannot add a rule for the full tunnel", result);
	return result;
}

/* Only IPv4 has the switch, and only the strict check needs it. */
static void set_valid_mark(struct netup *netup, char text[static NETUP_TEXT_MAX])
{
	struct undo *undo = &netup->undo;
	bool is_needed = false;
	int result = valid_mark_set();

	if (result == 0)
		undo->has_set_valid_mark = true;
	if (result == VALID_MARK_WAS_SET && !undo->has_set_valid_mark)
		undo->has_set_valid_mark =
			undo_others_set_valid_mark(netup->run_dir, undo_netns(NULL));
	if (result < 0 && valid_mark_is_needed(netup->nl, &is_needed) == 0 && is_needed)
		netup_add_text(
			text,
			"the peer's packets will be dropped, because rp_filter is 1 and vpnd may "
			"not set net.ipv4.conf.all.src_valid_mark: set that to 1, or rp_filter to "
			"2, with sysctl",
			NULL);
}

static int set_policy(struct netup *netup, const struct conf_link *conf, unsigned int ifindex,
		      char text[static NETUP_TEXT_MAX])
{
	struct nl_route_failure failure;
	char prefix[PREFIX_TEXT_MAX], what[128];
	int result = policy_apply(netup->nl, conf, ifindex, &netup->undo.policy, &failure);

	if (result == 0)
		return 0;
	if (result == NL_ROUTE_TAKEN) {
		snprintf(what, sizeof(what),
			 "routing table %u has another default route already: choose another "
			 "FwMark, or leave it out",
			 netup->undo.policy.mark);
		netup_add_text(text, what, NULL);
		return NETUP_TAKEN;
	}
	snprintf(what, sizeof(what), "cannot make the default route%s%s of the full tunnel",
		 failure.prefix.family ? " " : "",
		 failure.prefix.family ? prefix_format(&failure.prefix, prefix) : "");
	netup_add_error(text, what, result);
	return result;
}

/* The file has no default route, or none any more. */
static void drop_tunnel(struct netup *netup, unsigned int ifindex, char text[static NETUP_TEXT_MAX])
{
	const struct prefix defaults[] = { { .family = AF_INET }, { .family = AF_INET6 } };
	uint32_t table = netup->undo.policy.mark;

	undo_tunnel(netup, text);
	if (table != 0)
		(void)nl_route_del(netup->nl, ifindex, table, defaults, ARRAY_SIZE(defaults));
}

int netup_start(struct netup *netup, const struct conf_link *conf, unsigned int ifindex,
		char text[static NETUP_TEXT_MAX])
{
	bool had_notes = has_notes(&netup->undo);
	bool needs_policy = policy_is_needed(conf);
	int result;

	text[0] = '\0';
	netup->undo.ifindex = ifindex;
	snprintf(netup->undo.namespace, sizeof(netup->undo.namespace), "%s",
		 conf->namespace ? conf->namespace : "");
	if (!needs_policy && had_notes)
		drop_tunnel(netup, ifindex, text);
	if (needs_policy && prefixes_has_default(&conf->allowed_ips, AF_INET))
		set_valid_mark(netup, text);
	netup_set_forward(netup, conf, ifindex, text);
	result = netup_set_filter(netup, conf, ifindex, text);
	if (needs_policy && result == 0)
		result = set_policy(netup, conf, ifindex, text);
	if (needs_policy && result == 0)
		remove_replaced(netup, ifindex);
	if (result == 0)
		netup_drop_bridge(netup, text);
	if (result == 0 && (had_notes || has_notes(&netup->undo)))
		result = netup_save(netup, text);
	if (result == 0 && text[0])
		return NETUP_WARNING;
	return result;
}

int netup_repair(struct netup *netup, const struct conf_link *conf, unsigned int ifindex,
		 char text[static NETUP_TEXT_MAX])
{
	text[0] = '\0';
	return netup->undo.has_filter ? netup_set_filter(netup, conf, ifindex, text) : 0;
}

int netup_set_dns(struct netup *netup, const struct conf_link *conf,
		  char text[static NETUP_TEXT_MAX])
{
	enum undo_dns before = netup->undo.dns;
	/* Who resolves names for another namespace, nobody here can know. */
	bool is_wanted = conf->dns.n > 0 && !conf->namespace;
	char warning[DNS_TEXT_MAX];

	text[0] = '\0';
	if (!is_wanted && before == UNDO_DNS_NONE)
		return 0;
	if (!is_wanted)
		undo_dns(netup, text);
	else if (dns_set(&netup->dns, netup->link, &conf->dns, &netup->undo, warning) != 0)
		netup_add_text(text, warning, NULL);
	(void)netup_save(netup, text);
	return text[0] ? NETUP_WARNING : 0;
}

int netup_stop(struct netup *netup, char text[static NETUP_TEXT_MAX])
{
	text[0] = '\0';
	if (!has_notes(&netup->undo))
		return 0;
	undo_all(netup, text);
	(void)netup_save(netup, text);
	return text[0] ? NETUP_WARNING : 0;
}
