/*
 * Writing one transaction of nftables about a link's own table, as netfilter's messages
 * (linux/netfilter/nf_tables.h).
 *
 * A link has one table, "vpnd-LINK", of the family inet. It is changed as a whole: the transaction
 * deletes it and makes it anew, or deletes it, and the kernel carries out all or nothing. What
 * stands in it is written by guard.c and nat.c.
 *
 * A rule is a list of expressions that work on registers: load something into register 1, compare
 * it (the rule ends there when it differs), and at last give a verdict or store a value. Nothing
 * here talks to the kernel but nft_commit(). A failure of memory in between is remembered until
 * then, so that no other call has a result.
 */
#ifndef DAEMON_HOST_NFT_H
#define DAEMON_HOST_NFT_H

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/netaddr.h"
#include "daemon/host/netlink.h"

struct nlattr;

/* In front of a link's name: the name of its table. */
#define NFT_TABLE_PREFIX "vpnd-"

/* Longest name of a table, with a NUL. */
#define NFT_NAME_MAX (IFNAMSIZ + sizeof(NFT_TABLE_PREFIX) - 1)

/* Places of chains among those of others, as nft(8) names them. */
enum nft_priority {
	NFT_PRIORITY_RAW = -300, /* before connection tracking */
	NFT_PRIORITY_MANGLE = -150,
	NFT_PRIORITY_SRCNAT = 100,
};

/* Where an address is looked for. */
enum nft_side { NFT_SOURCE, NFT_DESTINATION };

/* A transaction that is being written; nft_begin() starts it, nft_commit() ends it. */
struct nft {
	char *buffer; /* owned */
	size_t size;  /* bytes of it */
	size_t used;  /* by the messages before the last one */
	int error;    /* 0 or a negative errno: nothing is sent then */
	char table[NFT_NAME_MAX];
	struct nlmsghdr *message; /* the one that was begun last, in `buffer` */
	struct nlattr *list;      /* expressions of the rule that is being written */
};

/*! Begins a transaction that replaces the table of a link, or makes it. \return 0 or -ENOMEM */
must_check int nft_begin(struct nft *nft, const char *link);

/*! Begins a transaction that deletes the table. \return 0 or -ENOMEM */
must_check int nft_begin_removal(struct nft *nft, const char *link);

/*!
 * Ends the transaction, has it carried out, and frees what it owns.
 * \param nf  from netlink_open_netfilter(); NULL: it is thrown away
 * \return 0; -ENOENT or -EOPNOTSUPP: the kernel lacks nftables or one of the parts needed, or there
 *         is no table to delete; -EPERM: CAP_NET_ADMIN is missing; -ENOMEM; another negative errno.
 *         After a failure the table is as before.
 */
int nft_commit(struct nft *nft, struct netlink *nf);

/*!
 * Adds a chain to the table.
 * \param type      "filter" or "nat"
 * \param hook      of enum nf_inet_hooks
 * \param priority  smaller comes first
 */
void nft_add_chain(struct nft *nft, const char *name, const char *type, uint32_t hook,
		   int priority);

/*! Begins a rule behind the others of its chain; expressions follow, and then nft_end_rule(). */
void nft_begin_rule(struct nft *nft, const char *chain);

/*! What nft_begin_rule() has begun is complete. */
void nft_end_rule(struct nft *nft);

/*! Loads a key of `meta` (enum nft_meta_keys). */
void nft_load_meta(struct nft *nft, uint32_t key);

/*! Stores register 1 as a key of `meta`. */
void nft_store_meta(struct nft *nft, uint32_t key);

/*! Loads a key of `ct` (enum nft_ct_keys). */
void nft_load_ct(struct nft *nft, uint32_t key);

/*! Stores register 1 as a key of `ct`. */
void nft_store_ct(struct nft *nft, uint32_t key);

/*!
 * Loads bytes of a packet.
 * \param base    of enum nft_payload_bases
 * \param offset  bytes behind the beginning of that header
 * \param len     bytes, at most 16
 */
void nft_load_payload(struct nft *nft, uint32_t base, uint32_t offset, uint32_t len);

/*! Loads a number in the host's byte order. */
void nft_load_u32(struct nft *nft, uint32_t number);

/*! Loads bytes, at most 16. */
void nft_load_bytes(struct nft *nft, const void *bytes, size_t len);

/*!
 * Loads the largest TCP segment, in network byte order, that the routes of the packet carry: the
 * one to its destination and the one back to its source (net/netfilter/nft_rt.c, get_tcp_mss).
 */
void nft_load_route_mss(struct nft *nft);

/*! Keeps those bits of register 1 that are set in `mask`; `len` bytes, at most 16. */
void nft_keep_bits(struct nft *nft, const void *mask, size_t len);

/*! The rule ends here unless register 1 equals the bytes. */
void nft_compare(struct nft *nft, const void *bytes, size_t len);

/*! The same with a number that the kernel keeps in the host's byte order. */
void nft_compare_u32(struct nft *nft, uint32_t number);

/*! The same with a number of one byte. */
void nft_compare_u8(struct nft *nft, uint8_t number);

/*! The rule is for IPv4 or for IPv6 only. \param family  AF_INET or AF_INET6 */
void nft_match_family(struct nft *nft, int family);

/*! The rule is for packets from or to an address only, which the length of a prefix cuts. */
void nft_match_prefix(struct nft *nft, enum nft_side side, const struct prefix *prefix);

/*! Writes the MSS in register 1 into a TCP header whose own is larger; others stay as they are
 * (net/netfilter/nft_exthdr.c, nft_exthdr_tcp_set_eval). */
void nft_lower_mss(struct nft *nft);

/*! Gives the packet's connection the address of the interface that it leaves by. */
void nft_masquerade(struct nft *nft);

/*! Gives a verdict. \param code  NF_ACCEPT, NF_DROP, or NFT_RETURN */
void nft_verdict(struct nft *nft, uint32_t code);

#endif
