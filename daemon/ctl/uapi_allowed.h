/*
 * Which AllowedIPs a request leaves to which peer.
 *
 * In WireGuard a prefix belongs to one peer at a time: given to one it is taken from another, and
 * taken away only from whom it belongs to. A link of vpnd has one peer, but a request may replace
 * it by another, so for its duration there are several. What the lines say is kept in their order
 * and judged at the end, prefix by prefix, after sorting: so a hundred thousand lines cost no more
 * than a sort.
 */
#ifndef CTL_UAPI_ALLOWED_H
#define CTL_UAPI_ALLOWED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "conf/model.h"

/* Peers that a request may name while it lasts: replacing one takes two. */
#define UAPI_PEERS_MAX 4

/* One line of the request. */
struct uapi_claim {
	struct prefix prefix;
	uint8_t peer;    /* 0 to UAPI_PEERS_MAX - 1 */
	bool is_removal; /* "-" stood in front */
};

/* All zero, with `before` set, is ready. */
struct uapi_allowed {
	const struct conf_prefixes *before; /* those of peer 0 before the request; not owned */
	struct uapi_claim *claims;          /* in the order of the lines; owned */
	size_t n_claims;
	size_t cleared_at[UAPI_PEERS_MAX]; /* all before this position is void for the peer; 0: the
					      peer's list was not cleared */
};

/*! Frees the list of claims; safe twice. */
void uapi_allowed_deinit(struct uapi_allowed *allowed);

/*! Whether the request changes anything, as far as one can tell without the judgement below. */
bool uapi_allowed_is_touched(const struct uapi_allowed *allowed);

/*!
 * Notes one "allowed_ip" line.
 * \param prefix  host bits are cleared
 * \return 0 or -ENOMEM
 */
must_check int uapi_allowed_claim(struct uapi_allowed *allowed, uint8_t peer,
				  const struct prefix *prefix, bool is_removal);

/*! Notes that a peer loses all it has until here. */
void uapi_allowed_clear(struct uapi_allowed *allowed, uint8_t peer);

/*!
 * What a peer has in the end, in the order in which it was given last, as wireguard-go and the
 * kernel list it.
 * \param ret  filled anew, owned by the caller; may not be the list in `before`
 * \return 0 or -ENOMEM; then `ret` is empty
 */
must_check int uapi_allowed_judge(const struct uapi_allowed *allowed, uint8_t peer,
				  struct conf_prefixes *ret);

#endif
