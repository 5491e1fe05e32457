/* The way to an address; see way.h. */
#include "daemon/core/way.h"

#include <string.h>

#define REMEMBERED_FOR NSEC_PER_SEC

bool way_ask(struct ways *ways, const union netaddr *remote, nsec_t now, struct nl_path *ret)
{
	struct way *way = NULL;

	for (size_t i = 0; i < WAYS_REMEMBERED; i++) {
		if (ways->answers[i].until > now && netaddr_equal(&ways->answers[i].remote, remote))
			way = &ways->answers[i];
	}
	if (!way) {
		way = &ways->answers[ways->oldest];
		ways->oldest = (ways->oldest + 1) % WAYS_REMEMBERED;
		way->remote = *remote;
		way->until = now + REMEMBERED_FOR;
		way->is_known = nl_path_get(ways->nl, remote, ways->fwmark, &way->path) == 0;
	}
	if (way->is_known)
		*ret = way->path;
	return way->is_known;
}

void way_forget(struct ways *ways)
{
	memset(ways->answers, 0, sizeof(ways->answers));
}
