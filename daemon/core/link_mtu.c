/*
 * The MTU of a link's interface: what the file says, or what fits the way to the peer, which may
 * change while the link runs; and the ciphers, whose tags take room of it. See link.h.
 */
#include <errno.h>
#include <string.h>

#include "conf/prefixes.h"
#include "daemon/core/link.h"
#include "daemon/data/frame.h"
#include "daemon/host/bridge.h"
#include "daemon/host/ifsetup.h"

/* Where no way to the peer is known yet: what fits 1500 bytes over IPv6 and IPv4. */
#define MTU_DEFAULT 1420

_Static_assert(CONF_MTU_MAX_TAP == CONF_MTU_MAX - FRAME_LINK_MAX - 1,
	       "a frame with its header and the least padding fits a message");

/* The inner MTU that fits the way to the peer, or 0 when that way is not known; it may lead into
 * this very interface when AllowedIPs cover the peer's own address. */
static unsigned int mtu_of_way(struct link *link, nsec_t now)
{
	const union netaddr *remote = &link->wire.path.remote;
	unsigned int extra = (unsigned int)link->suites.extra_tag_len;
	struct nl_path path;

	if (!wire_has_path(&link->wire) || way_ask(&link->ways, remote, now, &path) < 0)
		return 0;
	if (!netaddr_equal(remote, &link->way_remote))
		link->way_remote = *remote;
	else if (path.ifindex != link->way_ifindex)
		wire_forget_source(&link->wire);
	link->way_ifindex = path.ifindex;
	if (path.ifindex == link->wire.own_ifindex)
		return 0;
	link->way_mtu = path.mtu;
	/* Whatever cipher is agreed on, its packets must fit. */
	path.mtu = MAX(path.mtu, extra) - extra;
	link->whole_max = ifsetup_mtu_auto(path.mtu, remote->sa.sa_family, false);
	if (link->conf->mode == CONF_MODE_TAP)
		return link->whole_max - FRAME_HEADER_LEN - 1;
	return ifsetup_mtu_auto(path.mtu, remote->sa.sa_family,
				prefixes_has_family(&link->conf->addresses, AF_INET6));
}

unsigned int link_tap_mtu(struct link *link, const struct conf_link *conf)
{
	struct nl_link bridge;

	if (conf->bridge && bridge_find(&link->nl, conf->bridge, &bridge) == 0)
		return MIN(bridge.mtu, (unsigned int)CONF_MTU_MAX_TAP);
	return LINK_MTU_TAP;
}

unsigned int link_first_mtu(struct link *link, nsec_t now)
{
	unsigned int mtu = mtu_of_way(link, now);

	if (link->conf->mtu)
		return link->conf->mtu;
	if (link->conf->mode == CONF_MODE_TAP)
		return link_tap_mtu(link, link->conf);
	return mtu ? mtu : MTU_DEFAULT - (unsigned int)link->suites.extra_tag_len;
}

static void set_mtu(struct link *link, unsigned int mtu)
{
	int r = helper_set_mtu(link->helper, mtu);

	if (r == 0) {
		link->mtu = mtu;
		log_info("the MTU is %u now, as the way to the peer allows", mtu);
	} else {
		log_warning("cannot set the MTU of %s to %u: %s", link->conf->name, mtu,
			    helper_error_text(r));
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
	link_tell(link, ORDER_RETRY_RUNS);
	mtu = mtu_of_way(link, now);
	if (link->mtu_is_ours && mtu && mtu != link->mtu)
		set_mtu(link, mtu);
	return NSEC_NEVER;
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
