/* The table of all settings that the host file may hold, and what works by the table alone. */
#include "conf/host_keys.h"

#include <string.h>

#include "common/defs.h"
#include "common/parse.h"

#define HOST(member)  offsetof(struct conf_host, member)
#define SWITCH_LIMITS 0, 1, NULL, 0, "true or false, without quotation marks"
#define WORDS(list)   0, 0, list, ARRAY_SIZE(list), NULL

/* Members that take words are written as unsigned int. */
_Static_assert(sizeof(enum conf_log_level) == sizeof(unsigned int), "host_keys_set()");
_Static_assert(sizeof(enum conf_cipher) == sizeof(unsigned int), "host_keys_set()");
/* What a row says it wants must be what its limits say. */
_Static_assert(CONF_MTU_MIN_IPV6 == 1280 && CONF_MTU_MAX == 65475, "the text of defaults.mtu");

static const struct host_keys_word log_levels[] = {
	{ "error", CONF_LOG_ERROR }, { "warning", CONF_LOG_WARNING }, { "notice", CONF_LOG_NOTICE },
	{ "info", CONF_LOG_INFO },   { "debug", CONF_LOG_DEBUG },
};

static const struct host_keys_word ciphers[] = {
	{ "auto", CONF_CIPHER_AUTO },
	{ "chacha20-poly1305", CONF_CIPHER_CHACHA20_POLY1305 },
	{ "aes256-gcm", CONF_CIPHER_AES256_GCM },
	{ "aegis128l", CONF_CIPHER_AEGIS128L },
	{ "aegis256", CONF_CIPHER_AEGIS256 },
};

/* clang-format off */
const struct host_keys_row host_keys_table[HOST_KEYS_N] = {
	[HOST_KEYS_LOG_LEVEL] = {
		"log", "level", HOST(log.level), HOST_KEYS_WORD, CONF_LOG_INFO, WORDS(log_levels),
		"Least important messages that are printed",
	},
	[HOST_KEYS_TUN_OFFLOAD] = {
		"data", "tun_offload", HOST(data.tun_offload), HOST_KEYS_SWITCH, 1, SWITCH_LIMITS,
		"Take superpackets from the interface",
	},
	[HOST_KEYS_TUN_MERGE_TCP] = {
		"data", "tun_merge_tcp", HOST(data.tun_merge_tcp), HOST_KEYS_SWITCH, 1, SWITCH_LIMITS,
		"Join TCP segments on their way to the interface",
	},
	[HOST_KEYS_TUN_MERGE_UDP] = {
		"data", "tun_merge_udp", HOST(data.tun_merge_udp), HOST_KEYS_SWITCH, 1, SWITCH_LIMITS,
		"Join UDP datagrams on their way to the interface",
	},
	[HOST_KEYS_UDP_SEGMENT] = {
		"data", "udp_segment", HOST(data.udp_segment), HOST_KEYS_SWITCH, 1, SWITCH_LIMITS,
		"Let the kernel cut runs of sealed packets when sending",
	},
	[HOST_KEYS_UDP_GRO] = {
		"data", "udp_gro", HOST(data.udp_gro), HOST_KEYS_SWITCH, 1, SWITCH_LIMITS,
		"Let the kernel join sealed packets when receiving",
	},
	[HOST_KEYS_TRUST_INNER_CHECKSUM] = {
		"data", "trust_inner_checksum", HOST(data.trust_inner_checksum), HOST_KEYS_SWITCH, 0,
		SWITCH_LIMITS,
		"Do not verify the checksums of packets that the peer has sealed",
	},
	/* The least is IPv6's: whether a link may have less depends on its addresses, which its own
	   file is checked for. */
	[HOST_KEYS_MTU] = {
		"defaults", "mtu", HOST(defaults.mtu), HOST_KEYS_NUMBER, 0,
		CONF_MTU_MIN_IPV6, CONF_MTU_MAX, NULL, 0,
		"0 (what fits the path) or a number from 1280 to 65475",
		"MTU of links that name none; 0 for what fits the path",
	},
	[HOST_KEYS_PERSISTENT_KEEPALIVE] = {
		"defaults", "persistent_keepalive", HOST(defaults.persistent_keepalive),
		HOST_KEYS_NUMBER, 0, 0, 65535, NULL, 0,
		"a number of seconds from 0 (off) to 65535",
		"PersistentKeepalive of links that name none, in seconds; 0 for off",
	},
	[HOST_KEYS_CIPHER] = {
		"defaults", "cipher", HOST(defaults.cipher), HOST_KEYS_WORD, CONF_CIPHER_AUTO,
		WORDS(ciphers),
		"Cipher of links that name none",
	},
};
/* clang-format on */

bool host_keys_is_group(const char *name)
{
	for (size_t i = 0; i < HOST_KEYS_N; i++) {
		if (strcmp(host_keys_table[i].group, name) == 0)
			return true;
	}
	return false;
}

const char *host_keys_nearest_group(const char *name)
{
	const char *names[HOST_KEYS_N];

	for (size_t i = 0; i < HOST_KEYS_N; i++)
		names[i] = host_keys_table[i].group;
	return parse_nearest(name, names, HOST_KEYS_N);
}

enum host_keys_id host_keys_find(const char *group, const char *name)
{
	for (size_t i = 0; i < HOST_KEYS_N; i++) {
		if (strcmp(host_keys_table[i].name, name) == 0 &&
		    (group == NULL || strcmp(host_keys_table[i].group, group) == 0))
			return (enum host_keys_id)i;
	}
	return HOST_KEYS_NONE;
}

const char *host_keys_nearest(const char *group, const char *name)
{
	const char *names[HOST_KEYS_N];
	size_t n_names = 0;

	for (size_t i = 0; i < HOST_KEYS_N; i++) {
		if (strcmp(host_keys_table[i].group, group) == 0)
			names[n_names++] = host_keys_table[i].name;
	}
	return parse_nearest(name, names, n_names);
}

void host_keys_set(const struct host_keys_row *row, struct conf_host *host, unsigned int value)
{
	char *field = (char *)host + row->offset;
	bool is_on = value != 0;

	if (row->type == HOST_KEYS_SWITCH)
		memcpy(field, &is_on, sizeof(is_on));
	else
		memcpy(field, &value, sizeof(value));
}

unsigned int host_keys_get(const struct host_keys_row *row, const struct conf_host *host)
{
	const char *field = (const char *)host + row->offset;
	unsigned int value;
	bool is_on;

	if (row->type == HOST_KEYS_SWITCH) {
		memcpy(&is_on, field, sizeof(is_on));
		return is_on;
	}
	memcpy(&value, field, sizeof(value));
	return value;
}

void conf_host_init(struct conf_host *host)
{
	memset(host, 0, sizeof(*host));
	for (size_t i = 0; i < HOST_KEYS_N; i++)
		host_keys_set(&host_keys_table[i], host, host_keys_table[i].fallback);
}

void host_apply_defaults(const struct conf_host *host, struct conf_link *link)
{
	if (!link->given.mtu)
		link->mtu = host->defaults.mtu;
	if (!link->given.persistent_keepalive)
		link->persistent_keepalive = (uint16_t)host->defaults.persistent_keepalive;
	if (!link->given.cipher)
		link->cipher = host->defaults.cipher;
}
