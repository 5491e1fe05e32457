/* The way to an address; see way.h. */
#include "daemon/core/way.h"

#include <errno.h>
#include <string.h>

#define REMEMBERED_FOR NSEC_PER_SEC

static struct way *find(struct ways *ways, const union netaddr *remote, nsec_t now)
{
	for (size_t i = 0; i < WAYS_REMEMBERED; i++) {
		if (ways->answers[i].until > now && netaddr_equal(&ways->answers[i].remote, remote))
			return &ways->answers[i];
	}
	return NULL;
}

/* Whether one more question may be asked now; it is paid for then. */
static bool pay(struct ways *ways, nsec_t now)
{
	nsec_t until = MAX(ways->paid_until, now) + WAYS_INTERVAL;

	if (until > now + WAYS_BURST * WAYS_INTERVAL)
		return false;
	ways->paid_until = until;
	return true;
}

int way_ask(struct ways *ways, const union netaddr *remote, nsec_t now, struct nl_path *ret)
{
	struct way *way = find(ways, remote, now);

	if (!way) {
		if (ways->is_of_rx && !pay(ways, now))
			return -EAGAIN;
		way = &ways->answers[ways->oldest];
		ways->oldest = (ways->oldest + 1) % WAYS_REMEMBERED;
		way->remote = *remote;
		way->until = now + REMEMBERED_FOR;
		way->error = ways->is_of_rx
				     ? nl_route_get(ways->nl, remote, ways->fwmark, &way->path)
				     : nl_path_get(ways->nl, remote, ways->fwmark, &way->path);
		/* Nobody knows better a moment later. */
		if (way->error == -EAGAIN)
			way->error = -ENETUNREACH;
	}
	if (way->error == 0)
		*ret = way->path;
	return way->error;
}

void way_forget(struct ways *ways)
{
	memset(ways->answers, 0, sizeof(ways->answers));
}
