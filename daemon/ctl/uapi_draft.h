/*
 * A "set=1" request while it is read: line by line, before anything of it counts.
 *
 * Lines about the device change the copy of the configuration at once. Lines about peers go into
 * drafts, of which there may be several for a while: to replace a peer takes two.
 */
#ifndef CTL_UAPI_DRAFT_H
#define CTL_UAPI_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/key.h"
#include "common/netaddr.h"
#include "daemon/ctl/uapi_allowed.h"
#include "daemon/ctl/uapi_set.h"

struct uapi_draft_peer {
	bool is_live;
	bool is_first; /* the one that the link had before, and never without since */
	struct key key;
	struct key preshared_key;
	struct endpoint_spec endpoint;
	uint16_t keepalive_before;
	uint16_t keepalive;
	bool has_preshared_key;
	bool has_endpoint;
	bool has_keepalive;
};

/* A request while it is read; in memory for secrets. */
struct uapi_draft {
	struct uapi_edit *edit;
	struct uapi_allowed allowed;
	struct uapi_draft_peer peers[UAPI_PEERS_MAX];
	bool in_peer;                    /* behind the first public_key */
	struct uapi_draft_peer *current; /* whose section it is; NULL: one that is to be ignored */
	bool is_created;                 /* by this section */
	struct key ignored_key;          /* where secrets of ignored sections go */
	const char *reason;              /* what is wrong with the value */
};

/*! The peer's number among the drafts, as uapi_allowed counts them. */
static inline uint8_t uapi_draft_index(const struct uapi_draft *draft,
				       const struct uapi_draft_peer *peer)
{
	return (uint8_t)(peer - draft->peers);
}

/*!
 * Reads one line.
 * \param line    not NUL-terminated, may hold any bytes but a newline
 * \param len     at least 1
 * \param number  of the line, for the reason
 * \return 0, or what uapi_set() returns for a wrong line; then the edit's reason is written
 */
must_check int uapi_draft_line(struct uapi_draft *draft, const char *line, size_t len,
			       size_t number);

#endif
