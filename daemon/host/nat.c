/* The rules of Masquerade and MssClamp; see nat.h for what they do. */
#include "daemon/host/nat.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "conf/prefixes.h"

enum {
	TCP_FLAGS_OFFSET = 13, /* RFC 9293 section 3.1 */
	TCP_SYN = 0x02,
	TCP_SYN_RST = 0x06,
};

#define MASQUERADE "masquerade"
#define CLAMP      "mss-clamp"

bool nat_is_needed(const struct conf_link *conf)
{
	return conf->masquerades_all || conf->masquerade.n > 0;
}

static void begin_leaving(struct nft *nft, unsigned int ifindex)
{
	nft_begin_rule(nft, MASQUERADE);
	nft_load_meta(nft, NFT_META_OIF);
	nft_compare_u32(nft, ifindex);
}

/* What comes from there keeps its address. */
static void spare_prefix(struct nft *nft, unsigned int ifindex, const struct prefix *prefix)
{
	begin_leaving(nft, ifindex);
	nft_match_prefix(nft, NFT_SOURCE, prefix);
	nft_verdict(nft, (uint32_t)NFT_RETURN);
	nft_end_rule(nft);
}

/* An interface without any address may get some of both versions by a hook. */
static bool may_have_address(const struct conf_link *conf, int family)
{
	return conf->addresses.n == 0 || prefixes_has_family(&conf->addresses, family);
}

static void masquerade_all(struct nft *nft, const struct conf_link *conf, unsigned int ifindex)
{
	static const int families[] = { AF_INET, AF_INET6 };
	/* Routing protocols and neighbour discovery: meaningless but on this very link. */
	static const struct prefix link_local = { .family = AF_INET6,
						  .len = 10,
						  .addr = { 0xfe, 0x80 } };

	for (size_t i = 0; i < conf->addresses.n; i++)
		spare_prefix(nft, ifindex, &conf->addresses.items[i]);
	spare_prefix(nft, ifindex, &link_local);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		if (!may_have_address(conf, families[i]))
			continue;
		begin_leaving(nft, ifindex);
		nft_match_family(nft, families[i]);
		nft_masquerade(nft);
		nft_end_rule(nft);
	}
}

void nat_write_masquerade(struct nft *nft, const struct conf_link *conf, unsigned int ifindex)
{
	nft_add_chain(nft, MASQUERADE, "nat", NF_INET_POST_ROUTING, NFT_PRIORITY_SRCNAT);
	if (conf->masquerades_all)
		masquerade_all(nft, conf, ifindex);
	for (size_t i = 0; i < conf->masquerade.n; i++) {
		begin_leaving(nft, ifindex);
		nft_match_prefix(nft, NFT_SOURCE, &conf->masquerade.items[i]);
		nft_masquerade(nft);
		nft_end_rule(nft);
	}
}

/* The first segments of both ends have SYN, and not RST. */
static void match_syn(struct nft *nft)
{
	static const uint8_t mask = TCP_SYN_RST;

	nft_load_meta(nft, NFT_META_L4PROTO);
	nft_compare_u8(nft, IPPROTO_TCP);
	nft_load_payload(nft, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_OFFSET, sizeof(mask));
	nft_keep_bits(nft, &mask, sizeof(mask));
	nft_compare_u8(nft, TCP_SYN);
}

void nat_write_clamp(struct nft *nft, unsigned int mss, unsigned int ifindex)
{
	static const uint32_t directions[] = { NFT_META_OIF, NFT_META_IIF };
	const uint16_t number = htons((uint16_t)mss);

	nft_add_chain(nft, CLAMP, "filter", NF_INET_FORWARD, NFT_PRIORITY_MANGLE);
	for (size_t i = 0; i < ARRAY_SIZE(directions); i++) {
		nft_begin_rule(nft, CLAMP);
		nft_load_meta(nft, directions[i]);
		nft_compare_u32(nft, ifindex);
		match_syn(nft);
		if (mss == CONF_MSS_AUTO)
			nft_load_route_mss(nft);
		else
			nft_load_bytes(nft, &number, sizeof(number));
		nft_lower_mss(nft);
		nft_end_rule(nft);
	}
}
