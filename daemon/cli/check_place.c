/* Bridge, namespace and user, as they are now; see check_place.h. */
#include "daemon/cli/check_place.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/host/bridge.h"
#include "daemon/host/netns.h"
#include "daemon/host/rights.h"

static bool check_namespace(const struct conf_link *link, struct diag *diag)
{
	int fd = netns_open(link->namespace);
	char text[NETNS_TEXT_MAX];

	if (fd >= 0) {
		close(fd);
		return true;
	}
	if (fd == -ENOENT || fd == -EINVAL) {
		netns_explain(link->namespace, fd, text);
		diag_warning(diag, 0, "Namespace: `vpnd run` would fail now: %s", text);
	}
	return false;
}

static void check_bridge(const struct conf_link *link, struct diag *diag)
{
	struct netlink nl = NETLINK_NULL;
	char text[BRIDGE_TEXT_MAX];
	struct nl_link bridge;
	int answer;

	if (netns_open_netlink(link->namespace, &nl) < 0)
		return;
	answer = bridge_find(&nl, link->bridge, &bridge);
	if (answer == BRIDGE_OTHER || (answer == BRIDGE_MISSING && !link->bridge_create)) {
		bridge_explain(link->bridge, answer, text);
		diag_warning(diag, 0, "Bridge: `vpnd run` would fail now: %s", text);
	} else if (answer == 0 && link->mtu != 0 && link->mtu != bridge.mtu) {
		diag_warning(diag, 0,
			     "Bridge: %s has an MTU of %u and the link one of %u: full-size frames "
			     "of the wider one are dropped; leave MTU out",
			     link->bridge, bridge.mtu, link->mtu);
	}
	netlink_close(&nl);
}

void check_place(const struct conf_link *link, struct diag *diag)
{
	if (link->namespace && !check_namespace(link, diag))
		return;
	if (link->bridge)
		check_bridge(link, diag);
}

void check_user(const struct conf_host *host, struct diag *diag)
{
	char text[RIGHTS_TEXT_MAX];
	struct conf_host standard;

	conf_host_init(&standard);
	if (strcmp(host->rights.user, standard.rights.user) != 0 &&
	    rights_check_user(host->rights.user, text) < 0)
		diag_error(diag, 0, "rights.user: %s", text);
}
