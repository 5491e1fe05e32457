/* Which AllowedIPs a request leaves to which peer; see uapi_allowed.h. */
#include "daemon/ctl/uapi_allowed.h"

#include <errno.h>
#include <stdlib.h>

#include "common/grow.h"
#include "conf/prefixes.h"

#define NOBODY UAPI_PEERS_MAX

void uapi_allowed_deinit(struct uapi_allowed *allowed)
{
	free(allowed->claims);
	*allowed = (struct uapi_allowed) { .before = allowed->before };
}

bool uapi_allowed_is_touched(const struct uapi_allowed *allowed)
{
	bool touched = allowed->n_claims > 0;

	for (size_t i = 0; i < UAPI_PEERS_MAX; i++)
		touched = touched || allowed->cleared_at[i] > 0;
	return touched;
}

int uapi_allowed_claim(struct uapi_allowed *allowed, uint8_t peer, const struct prefix *prefix,
		       bool is_removal)
{
	struct uapi_claim *claims =
		grow_list(allowed->claims, allowed->n_claims, sizeof(*allowed->claims));
	struct uapi_claim claim = { *prefix, peer, is_removal };

	if (claims == NULL)
		return -ENOMEM;
	prefix_mask(&claim.prefix);
	allowed->claims = claims;
	claims[allowed->n_claims++] = claim;
	return 0;
}

/* Positions count from 1: first those that peer 0 had before, then the claims. */
void uapi_allowed_clear(struct uapi_allowed *allowed, uint8_t peer)
{
	allowed->cleared_at[peer] = allowed->before->n + allowed->n_claims + 1;
}

/* A claim and its position, while they are sorted. */
struct placed {
	struct uapi_claim claim;
	size_t position;
};

static int compare_placed(const void *a, const void *b)
{
	const struct placed *left = a;
	const struct placed *right = b;
	int order = prefixes_compare(&left->claim.prefix, &right->claim.prefix);

	if (order != 0)
		return order;
	return left->position < right->position ? -1 : left->position > right->position;
}

/* All claims with their positions, those from before the request first. */
static struct placed *place_all(const struct uapi_allowed *allowed, size_t *ret_n)
{
	size_t n_before = allowed->before->n;
	size_t n = n_before + allowed->n_claims;
	struct placed *placed = calloc(MAX(n, 1), sizeof(*placed));

	if (placed == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (i < n_before)
			placed[i].claim.prefix = allowed->before->items[i];
		else
			placed[i].claim = allowed->claims[i - n_before];
		placed[i].position = i + 1;
	}
	*ret_n = n;
	return placed;
}

/* Follows one prefix through the request: claims of the same prefix, in their order. Returns the
   position at which `peer` was given it for good, or 0. */
static size_t follow(const struct uapi_allowed *allowed, const struct placed *placed, size_t n,
		     uint8_t peer)
{
	uint8_t owner = NOBODY;
	size_t since = 0;

	for (size_t i = 0; i < n; i++) {
		const struct uapi_claim *claim = &placed[i].claim;

		if (!claim->is_removal) {
			owner = claim->peer;
			since = placed[i].position;
		} else if (owner == claim->peer) {
			owner = NOBODY;
		}
	}
	return owner == peer && since >= allowed->cleared_at[peer] ? since : 0;
}

/* The prefix at a position, counted as above. */
static const struct prefix *prefix_at(const struct uapi_allowed *allowed, size_t position)
{
	size_t i = position - 1;

	return i < allowed->before->n ? &allowed->before->items[i]
				      : &allowed->claims[i - allowed->before->n].prefix;
}

int uapi_allowed_judge(const struct uapi_allowed *allowed, uint8_t peer, struct conf_prefixes *ret)
{
	size_t n, end;
	struct placed *placed = place_all(allowed, &n);
	bool *is_kept = calloc(allowed->before->n + allowed->n_claims + 1, sizeof(*is_kept));
	int r = placed != NULL && is_kept != NULL ? 0 : -ENOMEM;

	*ret = (struct conf_prefixes) { 0 };
	if (r == 0) {
		qsort(placed, n, sizeof(*placed), compare_placed);
		for (size_t i = 0; i < n; i = end) {
			for (end = i + 1;
			     end < n && prefixes_compare(&placed[i].claim.prefix,
							 &placed[end].claim.prefix) == 0;)
				end++;
			is_kept[follow(allowed, placed + i, end - i, peer)] = true;
		}
		for (size_t i = 1; i <= n && r == 0; i++)
			r = is_kept[i] ? prefixes_append(ret, prefix_at(allowed, i)) : 0;
	}
	if (r < 0) {
		free(ret->items);
		*ret = (struct conf_prefixes) { 0 };
	}
	free(is_kept);
	free(placed);
	return r;
}
