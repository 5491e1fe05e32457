/* Messages, rules and expressions of nftables; see nft.h. */
#include "daemon/host/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MESSAGE_MAX = 1024, /* bytes that any one of our messages takes at most */
	BUFFER_FIRST = 16 * MESSAGE_MAX,
	IPV4_SOURCE = 12, /* offsets in the headers */
	IPV4_DESTINATION = 16,
	IPV6_SOURCE = 8,
	IPV6_DESTINATION = 24,
	TCP_OPTION_MSS = 2, /* RFC 9293 section 3.2 */
	TCP_OPTION_MSS_OFFSET = 2,
	MSS_LEN = 2,
};

static void put_number(struct nft *nft, uint16_t type, uint32_t number)
{
	mnl_attr_put_u32(nft->message, type, htonl(number));
}

/* Room for one message more; without it, the last one is written over again, for nothing. */
static void make_room(struct nft *nft)
{
	char *larger;

	if (nft->message)
		nft->used += NLMSG_ALIGN(nft->message->nlmsg_len);
	if (nft->used + MESSAGE_MAX <= nft->size)
		return;
	larger = nft->error == 0 ? realloc(nft->buffer, nft->size * 2) : NULL;
	if (!larger) {
		nft->error = -ENOMEM;
		nft->used = 0;
		return;
	}
	nft->buffer = larger;
	nft->size *= 2;
}

/* Begins a message; the one before is finished with it. */
static void begin(struct nft *nft, uint16_t type, uint16_t flags, uint8_t family, uint16_t res_id)
{
	struct nfgenmsg *header;

	make_room(nft);
	memset(nft->buffer + nft->used, 0, MESSAGE_MAX);
	nft->message = mnl_nlmsg_put_header(nft->buffer + nft->used);
	nft->message->nlmsg_type = type;
	nft->message->nlmsg_flags = flags;
	header = mnl_nlmsg_put_extra_header(nft->message, sizeof(*header));
	header->nfgen_family = family;
	header->version = NFNETLINK_V0;
	header->res_id = htons(res_id);
}

static void begin_nft(struct nft *nft, uint16_t type, uint16_t flags)
{
	begin(nft, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_INET, 0);
}

static void put_table(struct nft *nft, uint16_t type, uint16_t flags)
{
	begin_nft(nft, type, flags);
	mnl_attr_put_strz(nft->message, NFTA_TABLE_NAME, nft->table);
}

static int begin_batch(struct nft *nft, const char *link)
{
	*nft = (struct nft) { .buffer = malloc(BUFFER_FIRST), .size = BUFFER_FIRST };
	if (!nft->buffer)
		return -ENOMEM;
	snprintf(nft->table, sizeof(nft->table), NFT_TABLE_PREFIX "%s", link);
	begin(nft, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	return 0;
}

int nft_begin(struct nft *nft, const char *link)
{
	int error = begin_batch(nft, link);

	if (error < 0)
		return error;
	/* Made if it is not there, so that it can be deleted, so that it can be made anew. */
	put_table(nft, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	put_table(nft, NFT_MSG_DELTABLE, 0);
	put_table(nft, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	return 0;
}

int nft_begin_removal(struct nft *nft, const char *link)
{
	int error = begin_batch(nft, link);

	if (error == 0)
		put_table(nft, NFT_MSG_DELTABLE, 0);
	return error;
}

int nft_commit(struct nft *nft, struct netlink *nf)
{
	int error;

	begin(nft, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	nft->used += NLMSG_ALIGN(nft->message->nlmsg_len);
	error = nft->error;
	if (nf && error == 0)
		error = netlink_transact(nf, nft->buffer, nft->used);
	free(nft->buffer);
	*nft = (struct nft) { .buffer = NULL };
	return error;
}

void nft_add_chain(struct nft *nft, const char *name, const char *type, uint32_t hook, int priority)
{
	struct nlattr *nest;

	begin_nft(nft, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	mnl_attr_put_strz(nft->message, NFTA_CHAIN_TABLE, nft->table);
	mnl_attr_put_strz(nft->message, NFTA_CHAIN_NAME, name);
	mnl_attr_put_strz(nft->message, NFTA_CHAIN_TYPE, type);
	nest = mnl_attr_nest_start(nft->message, NFTA_CHAIN_HOOK);
	put_number(nft, NFTA_HOOK_HOOKNUM, hook);
	put_number(nft, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	mnl_attr_nest_end(nft->message, nest);
}

void nft_begin_rule(struct nft *nft, const char *chain)
{
	begin_nft(nft, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	mnl_attr_put_strz(nft->message, NFTA_RULE_TABLE, nft->table);
	mnl_attr_put_strz(nft->message, NFTA_RULE_CHAIN, chain);
	nft->list = mnl_attr_nest_start(nft->message, NFTA_RULE_EXPRESSIONS);
}

void nft_end_rule(struct nft *nft)
{
	mnl_attr_nest_end(nft->message, nft->list);
}

/* Begins an expression; end_expression() with what this returns. */
struct expression {
	struct nlattr *element, *data;
};

static struct expression begin_expression(struct nft *nft, const char *name)
{
	struct expression expression;

	expression.element = mnl_attr_nest_start(nft->message, NFTA_LIST_ELEM);
	mnl_attr_put_strz(nft->message, NFTA_EXPR_NAME, name);
	expression.data = mnl_attr_nest_start(nft->message, NFTA_EXPR_DATA);
	return expression;
}

static void end_expression(struct nft *nft, struct expression expression)
{
	mnl_attr_nest_end(nft->message, expression.data);
	mnl_attr_nest_end(nft->message, expression.element);
}

/* Bytes inside of an attribute of an expression. */
static void put_bytes(struct nft *nft, uint16_t type, const void *bytes, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(nft->message, type);

	mnl_attr_put(nft->message, NFTA_DATA_VALUE, len, bytes);
	mnl_attr_nest_end(nft->message, nest);
}

/* An expression whose arguments are numbers: a key of `name` loaded or set through register 1. */
static void put_key(struct nft *nft, const char *name, uint16_t key_type, uint32_t key,
		    uint16_t register_type)
{
	struct expression expression = begin_expression(nft, name);

	put_number(nft, key_type, key);
	put_number(nft, register_type, NFT_REG_1);
	end_expression(nft, expression);
}

void nft_load_meta(struct nft *nft, uint32_t key)
{
	put_key(nft, "meta", NFTA_META_KEY, key, NFTA_META_DREG);
}

void nft_store_meta(struct nft *nft, uint32_t key)
{
	put_key(nft, "meta", NFTA_META_KEY, key, NFTA_META_SREG);
}

void nft_load_ct(struct nft *nft, uint32_t key)
{
	put_key(nft, "ct", NFTA_CT_KEY, key, NFTA_CT_DREG);
}

void nft_store_ct(struct nft *nft, uint32_t key)
{
	put_key(nft, "ct", NFTA_CT_KEY, key, NFTA_CT_SREG);
}

void nft_load_payload(struct nft *nft, uint32_t base, uint32_t offset, uint32_t len)
{
	struct expression expression = begin_expression(nft, "payload");

	put_number(nft, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_number(nft, NFTA_PAYLOAD_BASE, base);
	put_number(nft, NFTA_PAYLOAD_OFFSET, offset);
	put_number(nft, NFTA_PAYLOAD_LEN, len);
	end_expression(nft, expression);
}

void nft_load_bytes(struct nft *nft, const void *bytes, size_t len)
{
	struct expression expression = begin_expression(nft, "immediate");

	put_number(nft, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	put_bytes(nft, NFTA_IMMEDIATE_DATA, bytes, len);
	end_expression(nft, expression);
}

void nft_load_u32(struct nft *nft, uint32_t number)
{
	nft_load_bytes(nft, &number, sizeof(number));
}

void nft_load_route_mss(struct nft *nft)
{
	struct expression expression;

	put_key(nft, "rt", NFTA_RT_KEY, NFT_RT_TCPMSS, NFTA_RT_DREG);
	/* It comes in the host's byte order. */
	expression = begin_expression(nft, "byteorder");
	put_number(nft, NFTA_BYTEORDER_SREG, NFT_REG_1);
	put_number(nft, NFTA_BYTEORDER_DREG, NFT_REG_1);
	put_number(nft, NFTA_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	put_number(nft, NFTA_BYTEORDER_LEN, MSS_LEN);
	put_number(nft, NFTA_BYTEORDER_SIZE, MSS_LEN);
	end_expression(nft, expression);
}

void nft_keep_bits(struct nft *nft, const void *mask, size_t len)
{
	static const uint8_t zero[16];
	struct expression expression = begin_expression(nft, "bitwise");

	put_number(nft, NFTA_BITWISE_SREG, NFT_REG_1);
	put_number(nft, NFTA_BITWISE_DREG, NFT_REG_1);
	put_number(nft, NFTA_BITWISE_LEN, (uint32_t)len);
	put_bytes(nft, NFTA_BITWISE_MASK, mask, len);
	put_bytes(nft, NFTA_BITWISE_XOR, zero, len);
	end_expression(nft, expression);
}

void nft_compare(struct nft *nft, const void *bytes, size_t len)
{
	struct expression expression = begin_expression(nft, "cmp");

	put_number(nft, NFTA_CMP_SREG, NFT_REG_1);
	put_number(nft, NFTA_CMP_OP, NFT_CMP_EQ);
	put_bytes(nft, NFTA_CMP_DATA, bytes, len);
	end_expression(nft, expression);
}

void nft_compare_u32(struct nft *nft, uint32_t number)
{
	nft_compare(nft, &number, sizeof(number));
}

void nft_compare_u8(struct nft *nft, uint8_t number)
{
	nft_compare(nft, &number, sizeof(number));
}

void nft_match_family(struct nft *nft, int family)
{
	nft_load_meta(nft, NFT_META_NFPROTO);
	nft_compare_u8(nft, family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

void nft_match_prefix(struct nft *nft, enum nft_side side, const struct prefix *prefix)
{
	bool is_ipv4 = prefix->family == AF_INET;
	uint8_t len = is_ipv4 ? 4 : 16;
	struct prefix masked = *prefix;
	uint8_t mask[16] = { 0 };
	uint32_t offset;

	if (side == NFT_SOURCE)
		offset = is_ipv4 ? IPV4_SOURCE : IPV6_SOURCE;
	else
		offset = is_ipv4 ? IPV4_DESTINATION : IPV6_DESTINATION;
	prefix_mask(&masked);
	for (unsigned int bit = 0; bit < prefix->len; bit++)
		mask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	nft_match_family(nft, prefix->family);
	nft_load_payload(nft, NFT_PAYLOAD_NETWORK_HEADER, offset, len);
	if (prefix->len < len * 8U)
		nft_keep_bits(nft, mask, len);
	nft_compare(nft, masked.addr, len);
}

void nft_lower_mss(struct nft *nft)
{
	struct expression expression = begin_expression(nft, "exthdr");

	put_number(nft, NFTA_EXTHDR_SREG, NFT_REG_1);
	mnl_attr_put_u8(nft->message, NFTA_EXTHDR_TYPE, TCP_OPTION_MSS);
	put_number(nft, NFTA_EXTHDR_OFFSET, TCP_OPTION_MSS_OFFSET);
	put_number(nft, NFTA_EXTHDR_LEN, MSS_LEN);
	put_number(nft, NFTA_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
	end_expression(nft, expression);
}

void nft_masquerade(struct nft *nft)
{
	end_expression(nft, begin_expression(nft, "masq"));
}

void nft_verdict(struct nft *nft, uint32_t code)
{
	struct expression expression = begin_expression(nft, "immediate");
	struct nlattr *data, *verdict;

	put_number(nft, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = mnl_attr_nest_start(nft->message, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(nft->message, NFTA_DATA_VERDICT);
	put_number(nft, NFTA_VERDICT_CODE, code);
	mnl_attr_nest_end(nft->message, verdict);
	mnl_attr_nest_end(nft->message, data);
	end_expression(nft, expression);
}
