/* The table of all settings that the host file may hold, and what works by the table alone. */
#include "conf/host_keys.h"

#include <string.h>

#include "common/defs.h"
#include "common/parse.h"

#define HOST(member) offsetof(struct conf_host, member)

/* The members behind `fallback`, for each type. */
#define SWITCH_WANTS                    "true or false, without quotation marks"
#define SWITCH_LIMITS                   0, 1, true, NULL, SWITCH_WANTS
#define WORDS(list)                     0, 0, false, list, NULL
#define USER_LIMITS                     0, 0, false, NULL, "the name of a user, in quotation marks"
#define NUMBER(min, max, wants)         min, max, false, NULL, wants
#define NUMBER_OR_ZERO(min, max, wants) min, max, true, NULL, wants

#define UDP_BATCH_WANTS "a number from 1 to 64"
#define BUFFER_WANTS    "0 (as the kernel has it) or a number of bytes from 65536 to 536870912"

/* Members that take words are written as unsigned int. */
_Static_assert(sizeof(enum log_level) == sizeof(unsigned int), "host_keys_set()");
_Static_assert(sizeof(enum log_target) == sizeof(unsigned int), "host_keys_set()");
_Static_assert(sizeof(enum conf_sandbox) == sizeof(unsigned int), "host_keys_set()");
_Static_assert(sizeof(enum conf_cipher) == sizeof(unsigned int), "host_keys_set()");
/* What a row says it wants must be what its limits say. */
_Static_assert(CONF_MTU_MIN_IPV6 == 1280 && CONF_MTU_MAX == 65475, "the text of defaults.mtu");
_Static_assert(CONF_TUN_BATCH_MAX == 256 && CONF_UDP_BATCH_MAX == 64, "the texts of batches");
_Static_assert(CONF_SOCKET_BUFFER_MIN == 65536 && CONF_SOCKET_BUFFER_MAX == 536870912,
	       "BUFFER_WANTS");
_Static_assert(CONF_BROADCAST_LIMIT_MAX == 1000000, "the text of data.tap_broadcast_limit");

/* clang-format off */
const struct host_keys_row host_keys_table[HOST_KEYS_N] = {
	[HOST_KEYS_LOG_LEVEL] = {
		"log", "level", HOST(log.level), HOST_KEYS_WORD, LOG_LEVEL_INFO,
		WORDS(&words_log_level),
		"Least important messages that are printed",
	},
	[HOST_KEYS_LOG_TARGET] = {
		"log", "target", HOST(log.target), HOST_KEYS_WORD, LOG_TARGET_AUTO,
		WORDS(&words_log_target),
		"Where messages go: auto is the journal where stderr leads to it, else stderr",
	},
	[HOST_KEYS_TUN_SPLIT_TCP] = {
		"data", "tun_split_tcp", HOST(data.tun_split_tcp), HOST_KEYS_SWITCH, 1, SWITCH_LIMITS,
		"Take superpackets of TCP from the interface",
	},
	[HOST_KEYS_TUN_SPLIT_UDP] = {
		"data", "tun_split_udp", HOST(data.tun_split_udp), HOST_KEYS_SWITCH, 1, SWITCH_LIMITS,
		"Take superpackets of UDP from the interface",
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
	[HOST_KEYS_TUN_BATCH] = {
		"data", "tun_batch", HOST(data.tun_batch), HOST_KEYS_NUMBER, CONF_TUN_BATCH_MAX,
		NUMBER(1, CONF_TUN_BATCH_MAX, "a number from 1 to 256"),
		"Most packets that are read from the interface before they are sent",
	},
	[HOST_KEYS_UDP_SEND_BATCH] = {
		"data", "udp_send_batch", HOST(data.udp_send_batch), HOST_KEYS_NUMBER,
		CONF_UDP_BATCH_MAX, NUMBER(1, CONF_UDP_BATCH_MAX, UDP_BATCH_WANTS),
		"Most messages that are sent with one system call",
	},
	[HOST_KEYS_UDP_RECEIVE_BATCH] = {
		"data", "udp_receive_batch", HOST(data.udp_receive_batch), HOST_KEYS_NUMBER,
		CONF_UDP_BATCH_MAX, NUMBER(1, CONF_UDP_BATCH_MAX, UDP_BATCH_WANTS),
		"Most messages that are received with one system call",
	},
	[HOST_KEYS_UDP_SEND_BUFFER] = {
		"data", "udp_send_buffer", HOST(data.udp_send_buffer), HOST_KEYS_NUMBER, 0,
		NUMBER_OR_ZERO(CONF_SOCKET_BUFFER_MIN, CONF_SOCKET_BUFFER_MAX, BUFFER_WANTS),
		"Bytes that may wait in the socket to be sent; 0 for the kernel's default",
	},
	/* Seven MiB hold what arrives while a busy processor is away for some milliseconds. */
	[HOST_KEYS_UDP_RECEIVE_BUFFER] = {
		"data", "udp_receive_buffer", HOST(data.udp_receive_buffer), HOST_KEYS_NUMBER,
		7 * 1024 * 1024,
		NUMBER_OR_ZERO(CONF_SOCKET_BUFFER_MIN, CONF_SOCKET_BUFFER_MAX, BUFFER_WANTS),
		"Bytes that may wait in the socket to be read; 0 for the kernel's default",
	},
	/* 2,000 full-size frames are 24 Mbit/s: more than networks have that work, and little enough
	   for a link of a loop to stay usable. */
	[HOST_KEYS_TAP_BROADCAST_LIMIT] = {
		"data", "tap_broadcast_limit", HOST(data.tap_broadcast_limit), HOST_KEYS_NUMBER, 2000,
		NUMBER_OR_ZERO(1, CONF_BROADCAST_LIMIT_MAX,
			       "0 (no limit) or a number of frames a second up to 1000000"),
		"Most broadcast and multicast frames a second that a TAP link sends; 0 for all",
	},
	[HOST_KEYS_HOOKS] = {
		"rights", "hooks", HOST(rights.hooks), HOST_KEYS_SWITCH, 1, SWITCH_LIMITS,
		"Run the commands PreUp, PostUp, PreDown and PostDown of link files",
	},
	[HOST_KEYS_USER_NAME] = {
		"rights", "user", HOST(rights.user), HOST_KEYS_USER, 0, USER_LIMITS,
		"The user that a link becomes when it is started as root",
	},
	[HOST_KEYS_SANDBOX] = {
		"rights", "sandbox", HOST(rights.sandbox), HOST_KEYS_WORD, CONF_SANDBOX_DEFAULT,
		WORDS(&words_sandbox),
		"What becomes of system calls that a link has no need of: refuse, kill, or off",
	},
	/* The least is IPv6's: whether a link may have less depends on its addresses, which its own
	   file is checked for. */
	[HOST_KEYS_MTU] = {
		"defaults", "mtu", HOST(defaults.mtu), HOST_KEYS_NUMBER, 0,
		NUMBER_OR_ZERO(CONF_MTU_MIN_IPV6, CONF_MTU_MAX,
			       "0 (what fits the path) or a number from 1280 to 65475"),
		"MTU of links that name none; 0 for what fits the path",
	},
	[HOST_KEYS_PERSISTENT_KEEPALIVE] = {
		"defaults", "persistent_keepalive", HOST(defaults.persistent_keepalive),
		HOST_KEYS_NUMBER, 0,
		NUMBER(0, 65535, "a number of seconds from 0 (off) to 65535"),
		"PersistentKeepalive of links that name none, in seconds; 0 for off",
	},
	[HOST_KEYS_CIPHER] = {
		"defaults", "cipher", HOST(defaults.cipher), HOST_KEYS_WORD, CONF_CIPHER_AUTO,
		WORDS(&words_cipher),
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

const char *host_keys_group(size_t i)
{
	const char *last = "";

	for (size_t row = 0; row < HOST_KEYS_N; row++) {
		if (strcmp(host_keys_table[row].group, last) == 0)
			continue;
		last = host_keys_table[row].group;
		if (i-- == 0)
			return last;
	}
	return NULL;
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

bool host_keys_set_user(const struct host_keys_row *row, struct conf_host *host, const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_-.";
	size_t len = strlen(name);

	if (len == 0 || len >= CONF_USER_MAX || strspn(name, allowed) != len || name[0] == '-')
		return false;
	memcpy((char *)host + row->offset, name, len + 1);
	return true;
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
