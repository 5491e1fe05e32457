/* The table of all keys that a link file may hold, and the ways to find a row in it. */
#include "conf/keys.h"

#include <strings.h>

#include "common/parse.h"

#define LINK(member)   offsetof(struct conf_link, member)
#define SECRET(member) offsetof(struct conf_secrets, member)

static const char *const section_names[KEYS_N_SECTIONS] = {
	[KEYS_INTERFACE] = "Interface",
	[KEYS_PEER] = "Peer",
};

/* clang-format off */
const struct keys_row keys_table[KEYS_N] = {
	[KEYS_PRIVATE_KEY] = {
		KEYS_INTERFACE, KEYS_SECRET,
		"PrivateKey", values_key, SECRET(private_key), 0,
		"This end's private key, as vpnd genkey prints it",
	},
	[KEYS_PRIVATE_KEY_FILE] = {
		KEYS_INTERFACE, 0,
		"PrivateKeyFile", values_path, LINK(private_key_file), 0,
		"File that holds the private key",
	},
	[KEYS_LISTEN_PORT] = {
		KEYS_INTERFACE, 0,
		"ListenPort", values_port, LINK(listen_port), 0,
		"UDP port to listen on; 0 for any",
	},
	[KEYS_FWMARK] = {
		KEYS_INTERFACE, 0,
		"FwMark", values_mark, LINK(fwmark), 0,
		"Mark of all sealed packets for routing rules and firewalls",
	},
	[KEYS_ADDRESS] = {
		KEYS_INTERFACE, KEYS_REPEATABLE | KEYS_WORDS | KEYS_EMPTY,
		"Address", values_prefix, LINK(addresses), CONF_ADDRESSES_MAX,
		"Addresses of the interface, with prefix lengths",
	},
	[KEYS_DNS] = {
		KEYS_INTERFACE, KEYS_REPEATABLE | KEYS_WORDS | KEYS_EMPTY,
		"DNS", values_dns, LINK(dns), CONF_DNS_MAX,
		"Name servers and search domains while the link is up",
	},
	[KEYS_MTU] = {
		KEYS_INTERFACE, 0,
		"MTU", values_mtu, LINK(mtu), 0,
		"Largest packet of the interface, instead of one that fits the path",
	},
	[KEYS_TABLE] = {
		KEYS_INTERFACE, 0,
		"Table", values_table, LINK(table_kind), 0,
		"Routing table for AllowedIPs: auto, off, a number or a name",
	},
	[KEYS_PRE_UP] = {
		KEYS_INTERFACE, KEYS_REPEATABLE | KEYS_VERBATIM,
		"PreUp", values_hook, LINK(hooks[CONF_PRE_UP]), CONF_HOOKS_MAX,
		"Command before the interface is set up; %i is its name",
	},
	[KEYS_POST_UP] = {
		KEYS_INTERFACE, KEYS_REPEATABLE | KEYS_VERBATIM,
		"PostUp", values_hook, LINK(hooks[CONF_POST_UP]), CONF_HOOKS_MAX,
		"Command after the interface is set up",
	},
	[KEYS_PRE_DOWN] = {
		KEYS_INTERFACE, KEYS_REPEATABLE | KEYS_VERBATIM,
		"PreDown", values_hook, LINK(hooks[CONF_PRE_DOWN]), CONF_HOOKS_MAX,
		"Command before the interface is removed",
	},
	[KEYS_POST_DOWN] = {
		KEYS_INTERFACE, KEYS_REPEATABLE | KEYS_VERBATIM,
		"PostDown", values_hook, LINK(hooks[CONF_POST_DOWN]), CONF_HOOKS_MAX,
		"Command after the interface is removed",
	},
	[KEYS_SAVE_CONFIG] = {
		KEYS_INTERFACE, 0,
		"SaveConfig", values_bool, LINK(save_config), 0,
		"Accepted for compatibility; vpnd never writes the file",
	},
	[KEYS_MODE] = {
		KEYS_INTERFACE, 0,
		"Mode", values_mode, LINK(mode), 0,
		"tun for packets (default) or tap for Ethernet frames",
	},
	[KEYS_BRIDGE] = {
		KEYS_INTERFACE, 0,
		"Bridge", values_interface, LINK(bridge), 0,
		"Bridge that the interface joins; needs Mode = tap",
	},
	[KEYS_BRIDGE_CREATE] = {
		KEYS_INTERFACE, 0,
		"BridgeCreate", values_yes_no, LINK(bridge_create), 0,
		"Whether the bridge is made when there is none",
	},
	[KEYS_NAMESPACE] = {
		KEYS_INTERFACE, 0,
		"Namespace", values_namespace, LINK(namespace), 0,
		"Network namespace that the interface is placed in: a name, or a process",
	},
	[KEYS_FORWARD] = {
		KEYS_INTERFACE, 0,
		"Forward", values_yes_no, LINK(forward), 0,
		"Whether this host forwards packets between the link and its other interfaces",
	},
	[KEYS_MASQUERADE] = {
		KEYS_INTERFACE, KEYS_REPEATABLE | KEYS_WORDS,
		"Masquerade", values_masquerade, LINK(masquerade), CONF_MASQUERADE_MAX,
		"Whose packets leave with the interface's address: yes (all), or prefixes",
	},
	[KEYS_MSS_CLAMP] = {
		KEYS_INTERFACE, 0,
		"MssClamp", values_mss, LINK(mss_clamp), 0,
		"Largest segment of forwarded TCP: auto (default, what fits), no, or bytes",
	},
	[KEYS_READY_WHEN] = {
		KEYS_INTERFACE, 0,
		"ReadyWhen", values_ready, LINK(ready_when), 0,
		"When the service counts as started: interface (default) or handshake",
	},
	[KEYS_PUBLIC_KEY] = {
		KEYS_PEER, 0,
		"PublicKey", values_key, LINK(peer_key), 0,
		"The far end's public key, as vpnd pubkey prints it there",
	},
	[KEYS_PRESHARED_KEY] = {
		KEYS_PEER, KEYS_SECRET,
		"PresharedKey", values_key, SECRET(preshared_key), 0,
		"A second secret that both ends know, as vpnd genpsk prints it",
	},
	[KEYS_PRESHARED_KEY_FILE] = {
		KEYS_PEER, 0,
		"PresharedKeyFile", values_path, LINK(preshared_key_file), 0,
		"File that holds the preshared key",
	},
	[KEYS_ALLOWED_IPS] = {
		KEYS_PEER, KEYS_REPEATABLE | KEYS_LIST | KEYS_EMPTY,
		"AllowedIPs", values_prefix, LINK(allowed_ips), 0,
		"Prefixes that are reached through the link and may come out of it",
	},
	[KEYS_ENDPOINT] = {
		KEYS_PEER, KEYS_REPEATABLE,
		"Endpoint", values_endpoint, LINK(endpoints), CONF_ENDPOINTS_MAX,
		"Where the far end listens, host:port; several in order of preference",
	},
	[KEYS_PERSISTENT_KEEPALIVE] = {
		KEYS_PEER, 0,
		"PersistentKeepalive", values_keepalive, LINK(persistent_keepalive), 0,
		"Seconds between packets that keep a NAT's mapping open, or off",
	},
	[KEYS_CIPHER] = {
		KEYS_PEER, 0,
		"Cipher", values_cipher, LINK(cipher), 0,
		"auto (default), or the only cipher suite to use",
	},
};
/* clang-format on */

const char *keys_section_name(enum keys_section section)
{
	return section_names[section];
}

enum keys_section keys_section_find(const char *name)
{
	int section = parse_word(name, section_names, KEYS_N_SECTIONS);

	return section < 0 ? KEYS_N_SECTIONS : (enum keys_section)section;
}

const char *keys_section_nearest(const char *name)
{
	return parse_nearest(name, section_names, KEYS_N_SECTIONS);
}

enum keys_id keys_find(enum keys_section section, const char *name)
{
	for (size_t i = 0; i < KEYS_N; i++) {
		if (keys_table[i].section == section && strcasecmp(keys_table[i].name, name) == 0)
			return (enum keys_id)i;
	}
	return KEYS_NONE;
}

const char *keys_nearest(enum keys_section section, const char *name)
{
	const char *names[KEYS_N];
	size_t n_names = 0;

	for (size_t i = 0; i < KEYS_N; i++) {
		if (keys_table[i].section == section)
			names[n_names++] = keys_table[i].name;
	}
	return parse_nearest(name, names, n_names);
}

bool keys_is_verbatim(const char *name)
{
	for (size_t i = 0; i < KEYS_N; i++) {
		if (strcasecmp(keys_table[i].name, name) == 0)
			return (keys_table[i].flags & KEYS_VERBATIM) != 0;
	}
	return false;
}

const char *keys_hook_name(enum conf_hook hook)
{
	static const enum keys_id ids[CONF_N_HOOKS] = {
		[CONF_PRE_UP] = KEYS_PRE_UP,
		[CONF_POST_UP] = KEYS_POST_UP,
		[CONF_PRE_DOWN] = KEYS_PRE_DOWN,
		[CONF_POST_DOWN] = KEYS_POST_DOWN,
	};

	return keys_table[ids[hook]].name;
}

void *keys_field(const struct keys_row *row, struct conf_link *link)
{
	if ((row->flags & KEYS_SECRET) != 0)
		return (char *)link->secrets + row->offset;
	return (char *)link + row->offset;
}
