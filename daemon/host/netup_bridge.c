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

int netup_claim_bridge(struct netup *netup, const struct conf_link *conf,
		       char text[static NETUP_TEXT_MAX])
{
	struct bridge made = { .ifindex = 0 };
	char why[BRIDGE_TEXT_MAX];
	int result = conf->bridge ? bridge_claim(netup->nl, conf, &made, why) : 0;

	if (result != 0 && result != BRIDGE_MADE) {
		netup_add_text(text, why, NULL);
		return result < 0 ? result : NETUP_MISSING;
	}
	turn_to(netup, conf->bridge);
	if (result == 0)
		return 0;
	netup->undo.bridge = made;
	snprintf(netup->undo.namespace, sizeof(netup->undo.namespace), "%s",
		 conf->namespace ? conf->namespace : "");
	return netup_save(netup, text);
}

/* Deletes one that was made, unless it has come into use; then it is nobody's to delete. */
static void unmake(struct netup *netup, struct bridge *bridge, char text[static NETUP_TEXT_MAX])
{
	struct netlink nl = NETLINK_NULL;
	int error;

	if (bridge->ifindex == 0)
		return;
	error = netns_open_netlink(netup_namespace(netup), &nl);
	if (error == 0)
		error = bridge_unmake(&nl, bridge, netup->undo.ifindex);
	netlink_close(&nl);
	if (error < 0)
		netup_add_error(text, "cannot delete the bridge that was made for the link", error);
	else
		*bridge = (struct bridge) { .ifindex = 0 };
}

void netup_drop_bridge(struct netup *netup, char text[static NETUP_TEXT_MAX])
{
	if (netup->replaced_bridge.ifindex == 0)
		return;
	unmake(netup, &netup->replaced_bridge, text);
	/* It is in the notes, until now. */
	(void)netup_save(netup, text);
}

void netup_undo_bridge(struct netup *netup, char text[static NETUP_TEXT_MAX])
{
	unmake(netup, &netup->replaced_bridge, text);
	unmake(netup, &netup->undo.bridge, text);
}
