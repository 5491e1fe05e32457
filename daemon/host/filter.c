/* The table of a link, from its parts; see filter.h. */
#include "daemon/host/filter.h"

#include <errno.h>

#include "daemon/host/guard.h"
#include "daemon/host/nat.h"
#include "daemon/host/netns.h"
#include "daemon/host/nft.h"

static int open_inside(void *context)
{
	return netlink_open_netfilter(context);
}

int filter_open(const char *namespace, struct netlink *nf)
{
	return netns_call(namespace, open_inside, nf);
}

/* Errors of a kernel that was built without something, or whose modules are not there. */
static bool is_lacking(int error)
{
	return error == -ENOENT || error == -EOPNOTSUPP || error == -EAFNOSUPPORT ||
	       error == -EPROTONOSUPPORT;
}

static int set_parts(struct netlink *nf, const struct filter *filter, unsigned int parts)
{
	const struct conf_link *conf = filter->conf;
	struct nft nft;
	int error;

	if (parts == 0)
		return filter_remove(nf, filter->link);
	error = nft_begin(&nft, filter->link);
	if (error < 0)
		return error;
	if (parts & FILTER_GUARD)
		guard_write(&nft, filter->ifindex, filter->mark, &conf->addresses);
	if (parts & FILTER_MASQUERADE)
		nat_write_masquerade(&nft, conf, filter->ifindex);
	if (parts & FILTER_CLAMP)
		nat_write_clamp(&nft, conf->mss_clamp, filter->ifindex);
	return nft_commit(&nft, nf);
}

int filter_set(struct netlink *nf, const struct filter *filter, unsigned int *ret_made)
{
	static const unsigned int each[] = { FILTER_GUARD, FILTER_MASQUERADE, FILTER_CLAMP };
	int error = set_parts(nf, filter, filter->parts);
	unsigned int made = filter->parts;

	if (is_lacking(error)) {
		made = 0;
		for (size_t i = 0; i < ARRAY_SIZE(each); i++) {
			if ((filter->parts & each[i]) && set_parts(nf, filter, each[i]) == 0)
				made |= each[i];
		}
		error = set_parts(nf, filter, made);
	}
	if (error == 0)
		*ret_made = made;
	return error;
}

int filter_remove(struct netlink *nf, const char *link)
{
	struct nft nft;
	int error = nft_begin_removal(&nft, link);

	if (error == 0)
		error = nft_commit(&nft, nf);
	return is_lacking(error) ? 0 : error;
}
