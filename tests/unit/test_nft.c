/*
 * The writer of transactions: nft.c. The bytes that a kernel would get are looked at here; what the
 * kernel makes of them is tested in test_filter.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/host/nft.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

/* Allocations that may still succeed; negative: all. */
static int n_allocations = -1;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool may_allocate(void)
{
	if (n_allocations > 0)
		n_allocations--;
	return n_allocations != 0;
}

void *__wrap_malloc(size_t size)
{
	return n_allocations < 0 || may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_realloc(void *old, size_t size)
{
	return n_allocations < 0 || may_allocate() ? __real_realloc(old, size) : NULL;
}

/* Message `i` of what has been written so far. */
static const struct nlmsghdr *message_at(const struct nft *nft, size_t i)
{
	const char *at = nft->buffer;

	for (; i > 0; i--)
		at += NLMSG_ALIGN(((const struct nlmsghdr *)(const void *)at)->nlmsg_len);
	return (const void *)at;
}

#define NFT_TYPE(type) (NFNL_SUBSYS_NFTABLES << 8 | (type))

static void test_frame(void **state)
{
	const struct nfgenmsg *header;
	struct nft nft;

	(void)state;
	assert_int_equal(nft_begin(&nft, "site"), 0);
	assert_string_equal(nft.table, "vpnd-site");
	header = mnl_nlmsg_get_payload(message_at(&nft, 0));
	assert_int_equal(message_at(&nft, 0)->nlmsg_type, NFNL_MSG_BATCH_BEGIN);
	assert_int_equal(header->res_id, htons(NFNL_SUBSYS_NFTABLES));
	assert_int_equal(message_at(&nft, 1)->nlmsg_type, NFT_TYPE(NFT_MSG_NEWTABLE));
	assert_int_equal(message_at(&nft, 2)->nlmsg_type, NFT_TYPE(NFT_MSG_DELTABLE));
	assert_int_equal(message_at(&nft, 3)->nlmsg_type, NFT_TYPE(NFT_MSG_NEWTABLE));
	header = mnl_nlmsg_get_payload(message_at(&nft, 3));
	assert_int_equal(header->nfgen_family, NFPROTO_INET);
	assert_int_equal(nft_commit(&nft, NULL), 0);
	assert_null(nft.buffer);
	assert_int_equal(nft_begin_removal(&nft, "site"), 0);
	assert_int_equal(message_at(&nft, 1)->nlmsg_type, NFT_TYPE(NFT_MSG_DELTABLE));
	assert_int_equal(nft_commit(&nft, NULL), 0);
}

/* One expression byte for byte, as the kernel's header has it. */
static void test_expression(void **state)
{
	static const uint8_t wanted[] = {
		44, 0, 1, 0x80,                     /* NFTA_LIST_ELEM, nested */
		8,  0, 1, 0,    'c',  'm',  'p', 0, /* NFTA_EXPR_NAME */
		32, 0, 2, 0x80,                     /* NFTA_EXPR_DATA, nested */
		8,  0, 1, 0,    0,    0,    0,   1, /* NFTA_CMP_SREG: register 1 */
		8,  0, 2, 0,    0,    0,    0,   0, /* NFTA_CMP_OP: equal */
		12, 0, 3, 0x80,                     /* NFTA_CMP_DATA, nested */
		6,  0, 1, 0,    0xab, 0xcd, 0,   0, /* NFTA_DATA_VALUE */
	};
	static const uint8_t value[] = { 0xab, 0xcd };
	const struct nlattr *attrs[NFTA_RULE_EXPRESSIONS + 1], *list;
	struct nft nft;

	(void)state;
	assert_int_equal(nft_begin(&nft, "site"), 0);
	nft_begin_rule(&nft, "chain");
	nft_compare(&nft, value, sizeof(value));
	nft_end_rule(&nft);
	assert_true(netlink_attrs(nft.message, sizeof(struct nfgenmsg), attrs, ARRAY_SIZE(attrs)));
	list = attrs[NFTA_RULE_EXPRESSIONS];
	assert_non_null(list);
	assert_int_equal(mnl_attr_get_payload_len(list), sizeof(wanted));
	assert_memory_equal(mnl_attr_get_payload(list), wanted, sizeof(wanted));
	assert_int_equal(nft_commit(&nft, NULL), 0);
}

static void add_rules(struct nft *nft, size_t n)
{
	const struct prefix prefix = { .family = AF_INET6, .len = 61, .addr = { 0xfd } };

	for (size_t i = 0; i < n; i++) {
		nft_begin_rule(nft, "chain");
		nft_load_meta(nft, NFT_META_OIF);
		nft_compare_u32(nft, 7);
		nft_match_prefix(nft, NFT_SOURCE, &prefix);
		nft_masquerade(nft);
		nft_verdict(nft, NF_ACCEPT);
		nft_end_rule(nft);
	}
}

/* Far more than fits at first. */
static void test_growth(void **state)
{
	struct nft nft;

	(void)state;
	assert_int_equal(nft_begin(&nft, "site"), 0);
	add_rules(&nft, 1000);
	assert_int_equal(message_at(&nft, 1003)->nlmsg_type, NFT_TYPE(NFT_MSG_NEWRULE));
	assert_ptr_equal(message_at(&nft, 1003), nft.message);
	/* As the first is, so is the last. */
	assert_int_equal(message_at(&nft, 4)->nlmsg_len, nft.message->nlmsg_len);
	assert_memory_equal(message_at(&nft, 4), nft.message, nft.message->nlmsg_len);
	assert_true(nft.message->nlmsg_len < 1024);
	assert_int_equal(nft_commit(&nft, NULL), 0);
}

static void test_no_memory(void **state)
{
	struct nft nft;

	(void)state;
	n_allocations = 0;
	assert_int_equal(nft_begin(&nft, "site"), -ENOMEM);
	assert_int_equal(nft_begin_removal(&nft, "site"), -ENOMEM);
	for (int n = 2; n < 6; n++) {
		n_allocations = n;
		assert_int_equal(nft_begin(&nft, "site"), 0);
		add_rules(&nft, 2000);
		assert_int_equal(nft_commit(&nft, NULL), -ENOMEM);
	}
	n_allocations = -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_expression),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
