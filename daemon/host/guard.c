/*
 * The table as netfilter's messages (linux/netfilter/nf_tables.h); see guard.h for what it does.
 *
 * A rule is a list of expressions that work on registers: load something into register 1,
 * compare it (the rule ends there when it differs), and at last give a verdict or store a value.
 */
#include "daemon/host/guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	MESSAGE_MAX = 512, /* bytes that any one of our messages takes at most */
	/* Ten messages around the rules for the addresses. */
	BUFFER_SIZE = (10 + 2 + CONF_ADDRESSES_MAX) * MESSAGE_MAX,
	LOOPBACK_IFINDEX = 1, /* in every network namespace: include/net/flow.h */
	PRIORITY_RAW = -300,  /* before connection tracking */
	PRIORITY_MANGLE = -150,
	IPV4_DESTINATION = 16, /* offsets in the headers */
	IPV6_DESTINATION = 24,
};

/* A transaction that is being written. */
struct writer {
	char *buffer; /* BUFFER_SIZE bytes */
	size_t used;
	char table[GUARD_NAME_MAX];
	struct nlmsghdr *message; /* the one that was begun last */
	struct nlattr *list;      /* expressions of the rule that is being written */
};

static void put_number(struct nlmsghdr *message, uint16_t type, uint32_t number)
{
	mnl_attr_put_u32(message, type, htonl(number));
}

/* Begins a message; the one before is finished with it. */
static void begin(struct writer *writer, uint16_t type, uint16_t flags, uint8_t family,
		  uint16_t res_id)
{
	struct nfgenmsg *header;

	if (writer->message)
		writer->used += NLMSG_ALIGN(writer->message->nlmsg_len);
	writer->message = mnl_nlmsg_put_header(writer->buffer + writer->used);
	writer->message->nlmsg_type = type;
	writer->message->nlmsg_flags = flags;
	header = mnl_nlmsg_put_extra_header(writer->message, sizeof(*header));
	header->nfgen_family = family;
	header->version = NFNETLINK_V0;
	header->res_id = htons(res_id);
}

static void begin_nft(struct writer *writer, uint16_t type, uint16_t flags)
{
	begin(writer, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_INET, 0);
}

static void put_table(struct writer *writer, uint16_t type, uint16_t flags)
{
	begin_nft(writer, type, flags);
	mnl_attr_put_strz(writer->message, NFTA_TABLE_NAME, writer->table);
}

static void put_chain(struct writer *writer, const char *name, uint32_t hook, int priority)
{
	struct nlattr *nest;

	begin_nft(writer, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	mnl_attr_put_strz(writer->message, NFTA_CHAIN_TABLE, writer->table);
	mnl_attr_put_strz(writer->message, NFTA_CHAIN_NAME, name);
	mnl_attr_put_strz(writer->message, NFTA_CHAIN_TYPE, "filter");
	nest = mnl_attr_nest_start(writer->message, NFTA_CHAIN_HOOK);
	put_number(writer->message, NFTA_HOOK_HOOKNUM, hook);
	put_number(writer->message, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	mnl_attr_nest_end(writer->message, nest);
}

static void begin_rule(struct writer *writer, const char *chain)
{
	begin_nft(writer, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	mnl_attr_put_strz(writer->message, NFTA_RULE_TABLE, writer->table);
	mnl_attr_put_strz(writer->message, NFTA_RULE_CHAIN, chain);
	writer->list = mnl_attr_nest_start(writer->message, NFTA_RULE_EXPRESSIONS);
}

static void end_rule(struct writer *writer)
{
	mnl_attr_nest_end(writer->message, writer->list);
}

/* Begins an expression; end_expression() with what this returns. */
struct expression {
	struct nlattr *element, *data;
};

static struct expression begin_expression(struct writer *writer, const char *name)
{
	struct expression expression;

	expression.element = mnl_attr_nest_start(writer->message, NFTA_LIST_ELEM);
	mnl_attr_put_strz(writer->message, NFTA_EXPR_NAME, name);
	expression.data = mnl_attr_nest_start(writer->message, NFTA_EXPR_DATA);
	return expression;
}

static void end_expression(struct writer *writer, struct expression expression)
{
	mnl_attr_nest_end(writer->message, expression.data);
	mnl_attr_nest_end(writer->message, expression.element);
}

/* An expression whose arguments are numbers: a key of `name` loaded or set through register 1. */
static void put_key(struct writer *writer, const char *name, uint16_t key_type, uint32_t key,
		    uint16_t register_type)
{
	struct expression expression = begin_expression(writer, name);

	put_number(writer->message, key_type, key);
	put_number(writer->message, register_type, NFT_REG_1);
	end_expression(writer, expression);
}

static void load_meta(struct writer *writer, uint32_t key)
{
	put_key(writer, "meta", NFTA_META_KEY, key, NFTA_META_DREG);
}

/* The rule ends here unless register 1 equals the bytes. */
static void compare(struct writer *writer, const void *bytes, size_t len)
{
	struct expression expression = begin_expression(writer, "cmp");
	struct nlattr *data;

	put_number(writer->message, NFTA_CMP_SREG, NFT_REG_1);
	put_number(writer->message, NFTA_CMP_OP, NFT_CMP_EQ);
	data = mnl_attr_nest_start(writer->message, NFTA_CMP_DATA);
	mnl_attr_put(writer->message, NFTA_DATA_VALUE, len, bytes);
	mnl_attr_nest_end(writer->message, data);
	end_expression(writer, expression);
}

/* Numbers that the kernel knows itself are in the host's byte order. */
static void compare_u32(struct writer *writer, uint32_t number)
{
	compare(writer, &number, sizeof(number));
}

static void compare_u8(struct writer *writer, uint8_t number)
{
	compare(writer, &number, sizeof(number));
}

static void load_network_header(struct writer *writer, uint32_t offset, uint32_t len)
{
	struct expression expression = begin_expression(writer, "payload");

	put_number(writer->message, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_number(writer->message, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	put_number(writer->message, NFTA_PAYLOAD_OFFSET, offset);
	put_number(writer->message, NFTA_PAYLOAD_LEN, len);
	end_expression(writer, expression);
}

static void load_u32(struct writer *writer, uint32_t number)
{
	struct expression expression = begin_expression(writer, "immediate");
	struct nlattr *data;

	put_number(writer->message, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	data = mnl_attr_nest_start(writer->message, NFTA_IMMEDIATE_DATA);
	mnl_attr_put(writer->message, NFTA_DATA_VALUE, sizeof(number), &number);
	mnl_attr_nest_end(writer->message, data);
	end_expression(writer, expression);
}

static void put_verdict(struct writer *writer, uint32_t code)
{
	struct expression expression = begin_expression(writer, "immediate");
	struct nlattr *data, *verdict;

	put_number(writer->message, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = mnl_attr_nest_start(writer->message, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(writer->message, NFTA_DATA_VERDICT);
	put_number(writer->message, NFTA_VERDICT_CODE, code);
	mnl_attr_nest_end(writer->message, verdict);
	mnl_attr_nest_end(writer->message, data);
	end_expression(writer, expression);
}

/* What comes in here is not looked at any further. */
static void trust_interface(struct writer *writer, unsigned int ifindex)
{
	begin_rule(writer, "foreign");
	load_meta(writer, NFT_META_IIF);
	compare_u32(writer, ifindex);
	put_verdict(writer, NF_ACCEPT);
	end_rule(writer);
}

static void drop_foreign(struct writer *writer, const struct prefix *address)
{
	bool is_ipv4 = address->family == AF_INET;

	begin_rule(writer, "foreign");
	load_meta(writer, NFT_META_NFPROTO);
	compare_u8(writer, is_ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	load_network_header(writer, is_ipv4 ? IPV4_DESTINATION : IPV6_DESTINATION,
			    is_ipv4 ? 4 : 16);
	compare(writer, address->addr, is_ipv4 ? 4 : 16);
	put_verdict(writer, NF_DROP);
	end_rule(writer);
}

/* A marked packet goes out: its connection remembers the mark. */
static void save_mark(struct writer *writer, uint32_t mark)
{
	begin_rule(writer, "save-mark");
	load_meta(writer, NFT_META_L4PROTO);
	compare_u8(writer, IPPROTO_UDP);
	load_meta(writer, NFT_META_MARK);
	compare_u32(writer, mark);
	load_u32(writer, mark);
	put_key(writer, "ct", NFTA_CT_KEY, NFT_CT_MARK, NFTA_CT_SREG);
	end_rule(writer);
}

/* An answer comes in: it gets the mark of its connection. */
static void restore_mark(struct writer *writer, uint32_t mark)
{
	begin_rule(writer, "restore-mark");
	load_meta(writer, NFT_META_L4PROTO);
	compare_u8(writer, IPPROTO_UDP);
	put_key(writer, "ct", NFTA_CT_KEY, NFT_CT_MARK, NFTA_CT_DREG);
	compare_u32(writer, mark);
	load_u32(writer, mark);
	put_key(writer, "meta", NFTA_META_KEY, NFT_META_MARK, NFTA_META_SREG);
	end_rule(writer);
}

/* Begins a transaction about the link's table. */
static int open_writer(struct writer *writer, const char *link)
{
	*writer = (struct writer) { .buffer = calloc(1, BUFFER_SIZE) };
	if (!writer->buffer)
		return -ENOMEM;
	snprintf(writer->table, sizeof(writer->table), "vpnd-%s", link);
	begin(writer, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	return 0;
}

/* Ends it and has it carried out. */
static int commit(struct writer *writer, struct netlink *nf)
{
	int error;

	begin(writer, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	writer->used += NLMSG_ALIGN(writer->message->nlmsg_len);
	error = netlink_transact(nf, writer->buffer, writer->used);
	free(writer->buffer);
	return error;
}

int guard_set(struct netlink *nf, const char *link, unsigned int ifindex, uint32_t mark,
	      const struct conf_prefixes *addresses)
{
	struct writer writer;
	int error;

	if (addresses->n > CONF_ADDRESSES_MAX)
		return -E2BIG;
	error = open_writer(&writer, link);
	if (error < 0)
		return error;
	/* Made if it is not there, so that it can be deleted, so that it can be made anew. */
	put_table(&writer, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	put_table(&writer, NFT_MSG_DELTABLE, 0);
	put_table(&writer, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	put_chain(&writer, "foreign", NF_INET_PRE_ROUTING, PRIORITY_RAW);
	put_chain(&writer, "restore-mark", NF_INET_PRE_ROUTING, PRIORITY_MANGLE);
	put_chain(&writer, "save-mark", NF_INET_POST_ROUTING, PRIORITY_MANGLE);
	trust_interface(&writer, ifindex);
	trust_interface(&writer, LOOPBACK_IFINDEX);
	for (size_t i = 0; i < addresses->n; i++)
		drop_foreign(&writer, &addresses->items[i]);
	restore_mark(&writer, mark);
	save_mark(&writer, mark);
	return commit(&writer, nf);
}

int guard_remove(struct netlink *nf, const char *link)
{
	struct writer writer;
	int error = open_writer(&writer, link);

	if (error < 0)
		return error;
	put_table(&writer, NFT_MSG_DELTABLE, 0);
	error = commit(&writer, nf);
	return error == -ENOENT || error == -EOPNOTSUPP ? 0 : error;
}
