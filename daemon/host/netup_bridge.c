/* The bridge as a part of netup.h: made before the interface, noted, and unmade behind it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/host/netns.h"
#include "daemon/host/netup_internal.h"

static bool is_named(const struct bridge *bridge, const char *name)
{
	return bridge->ifindex != 0 && name && strcmp(bridge->name, name) == 0;
}

/* A bridge that was made for the file before stays until the interface is in the new one; a change
 * that is taken back finds it there. */
static void turn_to(struct netup *netup, const char *name)
{
	const struct bridge before = netup->undo.bridge;

	if (before.ifindex == 0 || is_named(&before, name))
		return;
	netup->undo.bridge = is_named(&netup->replaced_bridge, name)
				     ? netup->replaced_bridge
				     : (struct bridge) { .ifindex = 0 };
	netup->replaced_bridge = before;
}

/* One that another link has made, and notes, is deleted by whoever is the last of them. */
static bool is_shared(struct netup *netup, const struct conf_link *conf, struct bridge *made)
{
	struct nl_link link;

	if (!conf->bridge_create || bridge_find(netup->nl, conf->bridge, &link) != 0 ||
	    !undo_others_bridge(netup->run_dir, undo_netns(conf->namespace), link.ifindex))
		return false;
	made->ifindex = link.ifindex;
	memcpy(made->name, link.name, sizeof(made->name));
	return true;
}

static int claim(struct netup *netup, const struct conf_link *conf,
		 char text[static NETUP_TEXT_MAX])
{
	struct bridge made = { .ifindex = 0 };
	char why[BRIDGE_TEXT_MAX];
	int result = bridge_claim(netup->nl, conf, &made, why);

	if (result != 0 && result != BRIDGE_MADE) {
		netup_add_text(text, why, NULL);
		return result < 0 ? result : NETUP_MISSING;
	}
	turn_to(netup, conf->bridge);
	if (result == 0 && (netup->undo.bridge.ifindex != 0 || !is_shared(netup, conf, &made)))
		return 0;
	netup->undo.bridge = made;
	snprintf(netup->undo.namespace, sizeof(netup->undo.namespace), "%s",
		 conf->namespace ? conf->namespace : "");
	return netup_save(netup, text);
}

int netup_claim_bridge(struct netup *netup, const struct conf_link *conf,
		       char text[static NETUP_TEXT_MAX])
{
	int lock, result;

	if (!conf->bridge) {
		turn_to(netup, NULL);
		return 0;
	}
	lock = conf->bridge_create ? undo_lock(netup->run_dir) : -1;
	result = claim(netup, conf, text);
	undo_unlock(lock);
	return result;
}

/* Deletes one that was made, unless it has come into use; then it is nobody's to delete. */
static void unmake(struct netup *netup, struct bridge *bridge, char text[static NETUP_TEXT_MAX])
{
	struct netlink nl = NETLINK_NULL;
	int error;

	error = netup_is_gone(netup) ? 0 : netns_open_netlink(netup_namespace(netup), &nl);
	if (error == 0 && netlink_fd(&nl) >= 0)
		error = bridge_unmake(&nl, bridge, netup->undo.ifindex);
	netlink_close(&nl);
	if (error < 0)
		netup_add_error(text, "cannot delete the bridge that was made for the link", error);
	else
		*bridge = (struct bridge) { .ifindex = 0 };
}

/* The same for one that no other link notes; else that one deletes it. */
static void give_up(struct netup *netup, struct bridge *bridge, char text[static NETUP_TEXT_MAX])
{
	int lock;

	if (bridge->ifindex == 0)
		return;
	lock = undo_lock(netup->run_dir);
	if (undo_others_bridge(netup->run_dir, netup->undo.netns, bridge->ifindex))
		*bridge = (struct bridge) { .ifindex = 0 };
	else
		unmake(netup, bridge, text);
	(void)netup_save(netup, text);
	undo_unlock(lock);
}

void netup_drop_bridge(struct netup *netup, char text[static NETUP_TEXT_MAX])
{
	give_up(netup, &netup->replaced_bridge, text);
}

void netup_undo_bridge(struct netup *netup, char text[static NETUP_TEXT_MAX])
{
	give_up(netup, &netup->replaced_bridge, text);
	give_up(netup, &netup->undo.bridge, text);
}

void netup_leave_bridge(struct netup *netup, const char *name)
{
	struct nl_link own, bridge;
	unsigned int ifindex;

	/* By hand it may have got another name, or into another bridge: then it is not ours. */
	if (nl_link_index(netup->nl, netup->link, &ifindex) == 0 &&
	    nl_link_get(netup->nl, ifindex, &own) == 0 && own.master != 0 &&
	    bridge_find(netup->nl, name, &bridge) == 0 && own.master == bridge.ifindex)
		(void)bridge_leave(netup->nl, ifindex);
}
