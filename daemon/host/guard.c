/* The guard of a full tunnel, as rules; see guard.h for what it does. */
#include "daemon/host/guard.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

/* In every network namespace: include/net/flow.h. */
#define LOOPBACK_IFINDEX 1

/* What comes in here is not looked at any further. */
static void trust_interface(struct nft *nft, unsigned int ifindex)
{
	nft_begin_rule(nft, "foreign");
	nft_load_meta(nft, NFT_META_IIF);
	nft_compare_u32(nft, ifindex);
	nft_verdict(nft, NF_ACCEPT);
	nft_end_rule(nft);
}

static void drop_foreign(struct nft *nft, const struct prefix *address)
{
	struct prefix host = *address;

	host.len = address->family == AF_INET ? 32 : 128;
	nft_begin_rule(nft, "foreign");
	nft_match_prefix(nft, NFT_DESTINATION, &host);
	nft_verdict(nft, NF_DROP);
	nft_end_rule(nft);
}

/* A marked packet goes out: its connection remembers the mark. */
static void save_mark(struct nft *nft, uint32_t mark)
{
	nft_begin_rule(nft, "save-mark");
	nft_load_meta(nft, NFT_META_L4PROTO);
	nft_compare_u8(nft, IPPROTO_UDP);
	nft_load_meta(nft, NFT_META_MARK);
	nft_compare_u32(nft, mark);
	nft_load_u32(nft, mark);
	nft_store_ct(nft, NFT_CT_MARK);
	nft_end_rule(nft);
}

/* An answer comes in: it gets the mark of its connection. */
static void restore_mark(struct nft *nft, uint32_t mark)
{
	nft_begin_rule(nft, "restore-mark");
	nft_load_meta(nft, NFT_META_L4PROTO);
	nft_compare_u8(nft, IPPROTO_UDP);
	nft_load_ct(nft, NFT_CT_MARK);
	nft_compare_u32(nft, mark);
	nft_load_u32(nft, mark);
	nft_store_meta(nft, NFT_META_MARK);
	nft_end_rule(nft);
}

void guard_write(struct nft *nft, unsigned int ifindex, uint32_t mark,
		 const struct conf_prefixes *addresses)
{
	nft_add_chain(nft, "foreign", "filter", NF_INET_PRE_ROUTING, NFT_PRIORITY_RAW);
	nft_add_chain(nft, "restore-mark", "filter", NF_INET_PRE_ROUTING, NFT_PRIORITY_MANGLE);
	nft_add_chain(nft, "save-mark", "filter", NF_INET_POST_ROUTING, NFT_PRIORITY_MANGLE);
	trust_interface(nft, ifindex);
	trust_interface(nft, LOOPBACK_IFINDEX);
	for (size_t i = 0; i < addresses->n; i++)
		drop_foreign(nft, &addresses->items[i]);
	restore_mark(nft, mark);
	save_mark(nft, mark);
}
