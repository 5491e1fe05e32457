/*
 * What "set=1" asks for: the lines of a request become an edited copy of the link's
 * configuration. Pure, and all or nothing: one wrong line, and there is no edit.
 *
 * The rules are those of WireGuard's text protocol (https://www.wireguard.com/xplatform/) as
 * wireguard-go follows it, which see for order and errors; except that wireguard-go applies line
 * by line what comes before the first wrong one.
 *
 * AllowedIPs go to wg_allowed_ips: they say what the link accepts and sends, as with WireGuard, and
 * nothing about this host's routes.
 *
 * A link without a private key has an all-zero public_key, and one without a peer an all-zero
 * peer_key. Both are ordinary states here, before `wg setconf` and after `wg set … remove`.
 */
#ifndef CTL_UAPI_SET_H
#define CTL_UAPI_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "conf/model.h"

#define UAPI_REASON_MAX 192

enum uapi_peer {
	UAPI_PEER_SAME,    /* none before and none now, or the one there was: its session goes on */
	UAPI_PEER_NEW,     /* a first one, another one, or the same one removed and added again */
	UAPI_PEER_REMOVED, /* there was one and is none now */
};

/* The outcome of a request, owned: uapi_edit_deinit(). */
struct uapi_edit {
	struct conf_link conf; /* as it is to be; move it out by exchanging it for another */
	enum uapi_peer peer;

	/* What the request named, be it a change or not: a difference between two configurations
	   does not show it, and some of it acts in either case. */
	struct {
		bool private_key; /* all-zero clears it */
		bool listen_port; /* 0 asks for any */
		bool fwmark;
		bool peer; /* a peer that stays or comes: send what waits for it */
		bool preshared_key;
		bool endpoint; /* a literal one, the only one in `conf`; roaming starts from it */
		bool persistent_keepalive;
		bool allowed_ips;
	} named;
	bool keepalive_now; /* persistent keepalive was off and is on: one is due at once */

	/* When there is no edit: why, as the end of a sentence that begins with the request. It
	   holds neither a secret nor raw text of the request. */
	char reason[UAPI_REASON_MAX];
};

/*! Whether the link has a private key, and so can shake hands at all. */
static inline bool uapi_has_private_key(const struct conf_link *conf)
{
	return !key_is_zero(&conf->public_key);
}

/*! Whether the link has a peer. */
static inline bool uapi_has_peer(const struct conf_link *conf)
{
	return !key_is_zero(&conf->peer_key);
}

/*!
 * Reads the lines behind "set=1" and makes the edit.
 * \param request  lines, each ended by a newline (the last one need not be); an empty one ends
 *                 the request, whatever follows
 * \param len      bytes of it
 * \param running  the configuration to edit; its secrets may have been wiped, see `named`
 * \param edit     any bytes; filled in any case, and to be freed in any case
 * \return 0; -EPROTO: a line without "="; -EINVAL: an unknown key, one in the wrong place, or a
 *         wrong value; -EUSERS: more than one peer would be left; -ENOMEM. All but the last two
 *         are wireguard-go's, with its sign, which `wg` needs in the answer to a set
 */
must_check int uapi_set(const char *request, size_t len, const struct conf_link *running,
			struct uapi_edit *edit);

/*! Frees and wipes; safe twice. */
void uapi_edit_deinit(struct uapi_edit *edit);

#endif
