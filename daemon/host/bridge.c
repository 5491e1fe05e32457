/* Joining and making bridges; see bridge.h. */
#include "daemon/host/bridge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int bridge_find(struct netlink *nl, const char *name, struct nl_link *ret)
{
	unsigned int ifindex;
	int error = nl_link_index(nl, name, &ifindex);

	if (error == 0)
		error = nl_link_get(nl, ifindex, ret);
	if (error == 0)
		return ret->is_bridge ? 0 : BRIDGE_OTHER;
	return error == -ENODEV ? BRIDGE_MISSING : error;
}

/* Makes a bridge and switches it on: one that is off carries nothing between its ports. */
static int make(struct netlink *nl, const char *name, struct bridge *made)
{
	struct nl_link link;
	int result = nl_bridge_add(nl, name);

	if (result == 0)
		result = bridge_find(nl, name, &link);
	if (result != 0)
		return result;
	made->ifindex = link.ifindex;
	memcpy(made->name, link.name, sizeof(made->name));
	result = nl_link_set_up(nl, link.ifindex);
	if (result == 0)
		return BRIDGE_MADE;
	(void)nl_bridge_del(nl, link.ifindex);
	made->ifindex = 0;
	return result;
}

static const char *reason(int error, char *buf, size_t size)
{
	switch (-error) {
	case EPERM:
		return "the right to change network interfaces is missing (CAP_NET_ADMIN)";
	case EOPNOTSUPP:
		return "this kernel has no bridges, or its module `bridge` is not loaded";
	default:
		return strerror_r(-error, buf, size);
	}
}

void bridge_explain(const char *name, int answer, char text[static BRIDGE_TEXT_MAX])
{
	char buf[128];

	if (answer == BRIDGE_MISSING)
		snprintf(
			text, BRIDGE_TEXT_MAX,
			"there is no bridge %s: make it with `ip link add %s type bridge`, or have "
			"it made with BridgeCreate = yes",
			name, name);
	else if (answer == BRIDGE_OTHER)
		snprintf(text, BRIDGE_TEXT_MAX,
			 "the interface %s is no bridge: Bridge must name one, `ip link show type "
			 "bridge` lists them",
			 name);
	else
		snprintf(text, BRIDGE_TEXT_MAX, "cannot make the bridge %s: %s", name,
			 reason(answer, buf, sizeof(buf)));
}

int bridge_claim(struct netlink *nl, const struct conf_link *conf, struct bridge *made,
		 char text[static BRIDGE_TEXT_MAX])
{
	struct nl_link link;
	int result = bridge_find(nl, conf->bridge, &link);

	if (result == BRIDGE_MISSING && conf->bridge_create)
		result = make(nl, conf->bridge, made);
	/* Somebody else has made it meanwhile. */
	if (result == -EEXIST)
		result = bridge_find(nl, conf->bridge, &link);
	if (result != 0 && result != BRIDGE_MADE)
		bridge_explain(conf->bridge, result, text);
	return result;
}

int bridge_join(struct netlink *nl, const char *name, unsigned int ifindex)
{
	struct nl_link bridge, own;
	int result = bridge_find(nl, name, &bridge);

	if (result == 0)
		result = nl_link_get(nl, ifindex, &own);
	/* The kernel would take it out and put it back, and the bridge would learn anew. */
	if (result != 0 || own.master == bridge.ifindex)
		return result;
	return nl_bridge_join(nl, ifindex, bridge.ifindex);
}

int bridge_leave(struct netlink *nl, unsigned int ifindex)
{
	struct nl_link own;
	int result = nl_link_get(nl, ifindex, &own);

	return result < 0 || own.master == 0 ? result : nl_bridge_join(nl, ifindex, 0);
}

/* How many ports there are beside one. */
static int count_others(struct netlink *nl, unsigned int bridge, unsigned int ifindex,
			size_t *ret_n)
{
	struct nl_link own;
	int error = nl_bridge_ports(nl, bridge, ret_n);

	if (error == 0 && *ret_n > 0 && nl_link_get(nl, ifindex, &own) == 0 && own.master == bridge)
		(*ret_n)--;
	return error;
}

int bridge_unmake(struct netlink *nl, const struct bridge *made, unsigned int ifindex)
{
	size_t n_others = 0;
	struct nl_link link;
	int result = bridge_find(nl, made->name, &link);

	if (result != 0)
		return MIN(result, 0);
	if (link.ifindex != made->ifindex)
		return 0;
	result = count_others(nl, made->ifindex, ifindex, &n_others);
	if (result < 0)
		return result;
	if (n_others > 0)
		return BRIDGE_IN_USE;
	result = nl_bridge_del(nl, made->ifindex);
	return result == -ENODEV ? 0 : result;
}
