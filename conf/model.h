/*
 * What a link file says, as plain values.
 *
 * conf_link is filled by conf/link_file.c and read by the daemon; it holds no descriptor and
 * nothing that runs. Secrets are kept apart in one guarded allocation, so that the rest may be
 * copied, compared and printed without a thought.
 */
#ifndef CONF_MODEL_H
#define CONF_MODEL_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/key.h"
#include "common/netaddr.h"

/* Limits of what a file may ask for; each is far above any use we know of. */
enum conf_limits {
	CONF_LINE_MAX = 16384,            /* characters of one line */
	CONF_FILE_MAX = 16 * 1024 * 1024, /* bytes of one file */
	CONF_ADDRESSES_MAX = 64,          /* Address entries */
	CONF_ENDPOINTS_MAX = 8,           /* Endpoint entries, tried in order */
	CONF_HOOKS_MAX = 64,              /* commands of one hook */
	CONF_DNS_MAX = 16,                /* servers and search domains together */
	CONF_MASQUERADE_MAX = 64,         /* Masquerade entries */
	CONF_MTU_MIN = 68,                /* RFC 791: every IPv4 link carries this */
	CONF_MTU_MIN_IPV6 = 1280,         /* RFC 8200 section 5 */
	CONF_MTU_MAX = 65475, /* 65,535 - 60: the largest packet that fits sealed in UDP */
	/* Less an Ethernet header with four VLAN tags and a byte of padding. */
	CONF_MTU_MAX_TAP = CONF_MTU_MAX - 31,
	CONF_MSS_AUTO = 0,    /* MssClamp: what the way of each connection carries */
	CONF_MSS_NONE = 1,    /* MssClamp: no */
	CONF_MSS_MIN = 536,   /* RFC 9293 section 3.7.1: every host takes segments of this size */
	CONF_MSS_MAX = 65495, /* 65,535 less the shortest headers of IPv4 and TCP */
};

enum conf_mode { CONF_MODE_TUN, CONF_MODE_TAP };

enum conf_ready { CONF_READY_INTERFACE, CONF_READY_HANDSHAKE };

enum conf_table_kind {
	CONF_TABLE_AUTO, /* main table, special treatment of default routes */
	CONF_TABLE_OFF,  /* no routes */
	CONF_TABLE_ID,   /* the number in conf_link.table */
	CONF_TABLE_NAME, /* the same, given by the name in conf_link.table_name */
};

enum conf_cipher {
	CONF_CIPHER_AUTO,
	CONF_CIPHER_CHACHA20_POLY1305,
	CONF_CIPHER_AES256_GCM,
	CONF_CIPHER_AEGIS128L,
	CONF_CIPHER_AEGIS256,
};

enum conf_hook { CONF_PRE_UP, CONF_POST_UP, CONF_PRE_DOWN, CONF_POST_DOWN, CONF_N_HOOKS };

/* A list of strings, each owned. */
struct conf_strings {
	char **items;
	size_t n;
};

/* A list of prefixes, owned. */
struct conf_prefixes {
	struct prefix *items;
	size_t n;
};

/* The secrets of a link: one secret_alloc() allocation, freed by conf_link_deinit(). */
struct conf_secrets {
	struct key private_key;
	struct key preshared_key; /* all zero: none, which is what the protocol uses then */
};

/* One link file. Start with conf_link_init(). */
struct conf_link {
	char name[IFNAMSIZ]; /* of link and interface: the file's name without ".conf" */

	/* [Interface] */
	struct key public_key;          /* derived from the private key; zero when there is none */
	char *private_key_file;         /* NULL: given in the file itself */
	uint16_t listen_port;           /* 0: any */
	uint32_t fwmark;                /* 0: none */
	struct conf_prefixes addresses; /* host bits kept */
	struct conf_strings dns;        /* servers and search domains; values_is_address() tells */
	unsigned int mtu;               /* 0: auto */
	enum conf_table_kind table_kind;
	uint32_t table;   /* number of the table; of a name what the host's rt_tables say */
	char *table_name; /* NULL: not given by name */
	struct conf_strings hooks[CONF_N_HOOKS]; /* in order; "%i" and all as written */
	bool save_config;
	enum conf_mode mode;
	char *bridge;
	char *namespace;                 /* NULL: the one vpnd runs in */
	struct conf_prefixes masquerade; /* Masquerade = PREFIX, ...; masked */
	bool masquerades_all;            /* Masquerade = yes */
	bool forward; /* also when Masquerade asks for it and Forward says nothing */
	bool bridge_create;
	unsigned int mss_clamp; /* CONF_MSS_AUTO, CONF_MSS_NONE, or bytes */
	enum conf_ready ready_when;
	/* Not from a file, but by the wg protocol alone: keys and peer may be missing, and
	 * addresses, routes, and whether the interface is up are the caller's business. */
	bool is_bare;

	/* [Peer] */
	struct key peer_key;
	char *preshared_key_file;
	struct conf_prefixes allowed_ips; /* masked; of the file: what this host has routes for */
	/* What `wg` has set in their place, for what the link accepts and sends: routes it leaves
	 * alone. See conf_link_accepted(). */
	struct conf_prefixes wg_allowed_ips;
	bool has_wg_allowed_ips;
	struct endpoint_spec *endpoints; /* in order of preference, owned */
	size_t n_endpoints;
	uint16_t persistent_keepalive; /* seconds, 0: off */
	enum conf_cipher cipher;

	/* Which of the values that a host may set for its links the file itself names. */
	struct {
		bool mtu;
		bool persistent_keepalive;
		bool cipher;
	} given;

	struct conf_secrets *secrets;
};

/*!
 * Sets defaults and allocates the secrets.
 * \return 0, or -ENOMEM (also when the kernel refuses guarded memory)
 */
int conf_link_init(struct conf_link *link);

/*! Frees everything and wipes the secrets; safe twice and after a failed init. */
void conf_link_deinit(struct conf_link *link);

/*! AllowedIPs as they count for packets: the file's, unless `wg` has set others. */
static inline const struct conf_prefixes *conf_link_accepted(const struct conf_link *link)
{
	return link->has_wg_allowed_ips ? &link->wg_allowed_ips : &link->allowed_ips;
}

/*!
 * Copies a link with all that it owns: lists that may grow on their own, and the secrets in a
 * guarded allocation of their own, so that either may be changed and freed without the other.
 * \param from  as init, a file or another copy left it; without secrets the copy has none
 * \param to    any bytes: written without a look at what it held, so free that first
 * \return 0, or -ENOMEM; then `to` is empty and conf_link_deinit() does nothing
 */
must_check int conf_link_copy(const struct conf_link *from, struct conf_link *to);

#endif
