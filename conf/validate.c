/* The rules across keys; see validate.h. validate_link() lists them. */
#include "conf/validate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/prefixes.h"

#define LINE(lines, id) ((lines)->keys[id].line)

static void check_sections(const struct validate_lines *lines, struct diag *diag)
{
	for (size_t i = 0; i < KEYS_N_SECTIONS; i++) {
		if (lines->sections[i] == 0 && !lines->refused_heading)
			diag_error(diag, 0,
				   "there is no [%s] section; a link file has [Interface] and "
				   "[Peer]",
				   keys_section_name((enum keys_section)i));
	}
}

/* A key and the file that may hold it instead: not both. */
static void check_one_source(const struct validate_lines *lines, enum keys_id key,
			     enum keys_id file, struct diag *diag)
{
	if (LINE(lines, key) != 0 && LINE(lines, file) != 0)
		diag_error(diag, MAX(LINE(lines, key), LINE(lines, file)),
			   "%s and %s are both given; keep one of them", keys_table[key].name,
			   keys_table[file].name);
}

/* wg-quick(8) shows "PostUp = wg set %i private-key FILE" for a key outside of the file. */
static bool has_key_hook(const struct conf_link *link)
{
	for (size_t i = 0; i < CONF_N_HOOKS; i++) {
		for (size_t j = 0; j < link->hooks[i].n; j++) {
			if (strstr(link->hooks[i].items[j], "private-key") != NULL)
				return true;
		}
	}
	return false;
}

static void check_private_key(struct conf_link *link, const struct validate_lines *lines,
			      struct diag *diag)
{
	unsigned int line = MAX(LINE(lines, KEYS_PRIVATE_KEY), LINE(lines, KEYS_PRIVATE_KEY_FILE));

	check_one_source(lines, KEYS_PRIVATE_KEY, KEYS_PRIVATE_KEY_FILE, diag);
	if (line == 0 && lines->sections[KEYS_INTERFACE] != 0)
		diag_error(diag, lines->sections[KEYS_INTERFACE],
			   "[Interface] has no PrivateKey and no PrivateKeyFile; %s",
			   has_key_hook(link)
				   ? "in the place of the command that sets private-key, "
				     "name the same file with PrivateKeyFile"
				   : "\"vpnd genkey\" makes a key");
	if (!lines->has_private_key)
		return;
	if (key_is_zero(&link->secrets->private_key)) {
		diag_error(diag, line,
			   "the private key is all zero, which is no key; \"vpnd "
			   "genkey\" makes one");
		return;
	}
	crypto_scalarmult_base(link->public_key.bytes, link->secrets->private_key.bytes);
}

static void check_preshared_key(const struct conf_link *link, const struct validate_lines *lines,
				struct diag *diag)
{
	check_one_source(lines, KEYS_PRESHARED_KEY, KEYS_PRESHARED_KEY_FILE, diag);
	if (lines->keys[KEYS_PRESHARED_KEY].parsed && key_is_zero(&link->secrets->preshared_key))
		diag_warning(diag, LINE(lines, KEYS_PRESHARED_KEY),
			     "PresharedKey is all zero, which is the same as none");
}

/* The top bit of a public key means nothing (RFC 7748 section 5), so it is not compared. */
static bool is_same_point(const struct key *a, const struct key *b)
{
	struct key left = *a;
	struct key right = *b;

	left.bytes[KEY_LEN - 1] &= 0x7f;
	right.bytes[KEY_LEN - 1] &= 0x7f;
	return key_equal(&left, &right);
}

static void check_peer_key(const struct conf_link *link, const struct validate_lines *lines,
			   struct diag *diag)
{
	unsigned int line = LINE(lines, KEYS_PUBLIC_KEY);

	if (line == 0 && lines->sections[KEYS_PEER] != 0)
		diag_error(diag, lines->sections[KEYS_PEER],
			   "[Peer] has no PublicKey; \"vpnd pubkey\" at the far end prints it");
	if (!lines->keys[KEYS_PUBLIC_KEY].parsed)
		return;
	if (key_is_zero(&link->peer_key))
		diag_error(diag, line, "PublicKey is all zero, which is no key");
	else if (key_is_low_order(&link->peer_key))
		diag_error(diag, line,
			   "PublicKey is a point of low order, which no private key has; take the "
			   "far end's");
	else if (!key_is_zero(&link->public_key) &&
		 is_same_point(&link->peer_key, &link->public_key))
		diag_error(diag, line,
			   "PublicKey is the public key of this end; the far end's belongs here");
}

static void check_bridge(const struct conf_link *link, const struct validate_lines *lines,
			 struct diag *diag)
{
	unsigned int line = LINE(lines, KEYS_BRIDGE);

	if (line == 0 && link->bridge_create)
		diag_error(diag, LINE(lines, KEYS_BRIDGE_CREATE),
			   "BridgeCreate is given without Bridge, which names the bridge to make");
	if (line != 0 && link->mode != CONF_MODE_TAP &&
	    (LINE(lines, KEYS_MODE) == 0 || lines->keys[KEYS_MODE].parsed))
		diag_error(diag, line,
			   "Bridge needs Mode = tap, because a bridge takes Ethernet frames only");
	if (link->bridge != NULL && strcmp(link->bridge, link->name) == 0)
		diag_error(diag, line,
			   "Bridge is the link's own interface; it must be a bridge that exists");
	if (line != 0 && LINE(lines, KEYS_ADDRESS) != 0)
		diag_warning(diag, LINE(lines, KEYS_ADDRESS),
			     "Address and Bridge are both given, but what arrives goes to the "
			     "bridge, and nobody reaches the address; give it to the bridge");
}

/* What a namespace of its own leaves without a meaning. */
static void check_namespace(const struct conf_link *link, const struct validate_lines *lines,
			    struct diag *diag)
{
	if (LINE(lines, KEYS_NAMESPACE) != 0 && link->dns.n > 0)
		diag_warning(diag, LINE(lines, KEYS_DNS),
			     "DNS is not set inside of a Namespace: write name servers into "
			     "/etc/netns/NAME/resolv.conf, where `ip netns exec` finds them, or "
			     "tell the container");
}

static void check_interface(const struct conf_link *link, const struct validate_lines *lines,
			    struct diag *diag)
{
	if (prefixes_has_family(&link->addresses, AF_INET6) && link->mtu != 0 &&
	    link->mtu < CONF_MTU_MIN_IPV6)
		diag_error(diag, LINE(lines, KEYS_MTU),
			   "MTU is %u, but the interface has an IPv6 address, and IPv6 needs at "
			   "least %d",
			   link->mtu, CONF_MTU_MIN_IPV6);
	if (link->mode == CONF_MODE_TAP && link->mtu > CONF_MTU_MAX_TAP)
		diag_error(diag, LINE(lines, KEYS_MTU),
			   "MTU is %u, but with Mode = tap it is at most %d, because the Ethernet "
			   "header takes room as well",
			   link->mtu, CONF_MTU_MAX_TAP);
	if (link->save_config)
		diag_warning(diag, LINE(lines, KEYS_SAVE_CONFIG),
			     "SaveConfig = true has no effect: vpnd never writes the file");
}

/* Whether this is the address of everybody or of nobody. */
static bool is_no_host(const union netaddr *addr)
{
	if (addr->sa.sa_family == AF_INET) {
		uint32_t ip = ntohl(addr->in4.sin_addr.s_addr);

		return ip == INADDR_ANY || ip == INADDR_BROADCAST || IN_MULTICAST(ip);
	}
	if (addr->sa.sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr) ||
		       IN6_IS_ADDR_MULTICAST(&addr->in6.sin6_addr);
	return false;
}

/* Linux refuses these for IPv6 ("Invalid address", "Cannot assign loopback address on this device",
 * "Cannot assign multicast address"). For IPv4 it takes them, but for 0.0.0.0, which it forgets
 * without a word; and nobody can talk to such a host: RFC 1122 section 3.2.1.3. */
static bool is_no_own_address(const struct prefix *address)
{
	union netaddr addr = { .sa.sa_family = address->family };

	if (address->family == AF_INET) {
		memcpy(&addr.in4.sin_addr, address->addr, sizeof(addr.in4.sin_addr));
		return is_no_host(&addr) || address->addr[0] == IN_LOOPBACKNET;
	}
	memcpy(&addr.in6.sin6_addr, address->addr, sizeof(addr.in6.sin6_addr));
	return is_no_host(&addr) || IN6_IS_ADDR_LOOPBACK(&addr.in6.sin6_addr);
}

static void check_addresses(const struct conf_link *link, const struct validate_lines *lines,
			    struct diag *diag)
{
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < link->addresses.n; i++) {
		if (is_no_own_address(&link->addresses.items[i]))
			diag_error(diag, lines->keys[KEYS_ADDRESS].lines[i],
				   "Address %s is a loopback, multicast, broadcast or unspecified "
				   "address, which no interface of a tunnel can have",
				   prefix_format(&link->addresses.items[i], text));
	}
}

static bool same_endpoint(const struct endpoint_spec *a, const struct endpoint_spec *b)
{
	return a->port == b->port && strcasecmp(a->host, b->host) == 0;
}

static void check_endpoints(struct conf_link *link, struct validate_lines *lines, struct diag *diag)
{
	unsigned int *entry_lines = lines->keys[KEYS_ENDPOINT].lines;
	size_t n_kept = 0;

	for (size_t i = 0; i < link->n_endpoints; i++) {
		const struct endpoint_spec *spec = &link->endpoints[i];
		size_t same = 0;

		if (is_no_host(&spec->literal))
			diag_error(diag, entry_lines[i],
				   "Endpoint is a multicast, broadcast or unspecified address; it "
				   "must be the address of one host");
		while (same < n_kept && !same_endpoint(&link->endpoints[same], spec))
			same++;
		if (same < n_kept) {
			diag_warning(diag, entry_lines[i], "Endpoint repeats the one in line %u",
				     entry_lines[same]);
			continue;
		}
		link->endpoints[n_kept] = *spec;
		entry_lines[n_kept++] = entry_lines[i];
	}
	link->n_endpoints = n_kept;
	lines->keys[KEYS_ENDPOINT].n_entries = n_kept;
}

/* One entry of a list while it is searched for entries that are there twice. */
struct ranked {
	struct prefix prefix;
	size_t pos; /* in the list */
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *left = a;
	const struct ranked *right = b;
	int order = prefixes_compare(&left->prefix, &right->prefix);

	return order != 0 ? order : (left->pos > right->pos) - (left->pos < right->pos);
}

/* Drops entries that stand earlier in the list as well. Sorted, because lists of a hundred
   thousand prefixes exist. */
static void drop_repeated(struct conf_prefixes *list, struct validate_lines *lines, enum keys_id id,
			  struct diag *diag)
{
	unsigned int *entry_lines = lines->keys[id].lines;
	struct ranked *ranked = calloc(MAX(list->n, 1), sizeof(*ranked));
	size_t n_kept = 0;
	char text[PREFIX_TEXT_MAX];

	if (ranked == NULL) {
		diag_error_code(diag, EXIT_SYSTEM, "there is no memory to check %s",
				keys_table[id].name);
		return;
	}
	for (size_t i = 0; i < list->n; i++)
		ranked[i] = (struct ranked) { list->items[i], i };
	qsort(ranked, list->n, sizeof(*ranked), compare_ranked);
	for (size_t i = 1, first = 0; i < list->n; i++) {
		if (prefixes_compare(&ranked[first].prefix, &ranked[i].prefix) != 0) {
			first = i;
			continue;
		}
		diag_warning(diag, entry_lines[ranked[i].pos], "%s %s is in line %u already",
			     keys_table[id].name, prefix_format(&ranked[i].prefix, text),
			     entry_lines[ranked[first].pos]);
		list->items[ranked[i].pos].family = AF_UNSPEC; /* marks it for the loop below */
	}
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].family == AF_UNSPEC)
			continue;
		list->items[n_kept] = list->items[i];
		entry_lines[n_kept++] = entry_lines[i];
	}
	list->n = n_kept;
	lines->keys[id].n_entries = n_kept;
	free(ranked);
}

/* As wg does it: an address with a shorter length is taken for the network around it. */
static void mask_prefixes(struct conf_prefixes *list, const struct validate_lines *lines,
			  enum keys_id id, struct diag *diag)
{
	char given[PREFIX_TEXT_MAX];
	char used[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < list->n; i++) {
		struct prefix *prefix = &list->items[i];

		if (!prefix_has_host_bits(prefix))
			continue;
		prefix_format(prefix, given);
		prefix_mask(prefix);
		diag_warning(diag, lines->keys[id].lines[i],
			     "%s %s has bits set behind its length; %s is used",
			     keys_table[id].name, given, prefix_format(prefix, used));
	}
}

/* Behind a TAP interface is a network, and a route that names none of its stations has the kernel
 * look for each destination in it. */
static void check_tap_default(const struct conf_link *link, const struct validate_lines *lines,
			      struct diag *diag)
{
	if (link->mode != CONF_MODE_TAP || link->table_kind == CONF_TABLE_OFF)
		return;
	for (size_t i = 0; i < link->allowed_ips.n; i++) {
		if (link->allowed_ips.items[i].len > 0)
			continue;
		diag_warning(diag, lines->keys[KEYS_ALLOWED_IPS].lines[i],
			     "on Mode = tap a default route asks by ARP for every address: use "
			     "Table = off and \"PostUp = ip route add default via ADDRESS\"");
		return;
	}
}

static void check_allowed_ips(struct conf_link *link, struct validate_lines *lines,
			      struct diag *diag)
{
	if (LINE(lines, KEYS_ALLOWED_IPS) == 0 && lines->sections[KEYS_PEER] != 0 &&
	    link->mode == CONF_MODE_TUN)
		diag_warning(diag, lines->sections[KEYS_PEER],
			     "[Peer] has no AllowedIPs, so no packet may pass the link; "
			     "\"0.0.0.0/0, ::/0\" with Table = off allows all");
	mask_prefixes(&link->allowed_ips, lines, KEYS_ALLOWED_IPS, diag);
	drop_repeated(&link->allowed_ips, lines, KEYS_ALLOWED_IPS, diag);
	check_tap_default(link, lines, diag);
}

/* A prefix of a version of which the interface has no address: nothing can take its place. */
static void check_masquerade_families(const struct conf_link *link,
				      const struct validate_lines *lines, struct diag *diag)
{
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < link->masquerade.n; i++) {
		const struct prefix *prefix = &link->masquerade.items[i];
		const char *version = prefix->family == AF_INET ? "IPv4" : "IPv6";

		if (link->addresses.n > 0 && !prefixes_has_family(&link->addresses, prefix->family))
			diag_warning(diag, lines->keys[KEYS_MASQUERADE].lines[i],
				     "Masquerade has %s, but the interface has no %s address that "
				     "could stand in its place; add an Address",
				     prefix_format(prefix, text), version);
	}
}

/* Forward, Masquerade and MssClamp: what other hosts send through the link. */
static void check_forwarding(struct conf_link *link, struct validate_lines *lines,
			     struct diag *diag)
{
	unsigned int line = LINE(lines, KEYS_MASQUERADE);
	bool has_words = lines->keys[KEYS_MASQUERADE].n_entries > link->masquerade.n;

	if (link->masquerade.n > 0 && has_words) {
		diag_error(diag, line,
			   "Masquerade has \"yes\" or \"no\" beside prefixes; keep one of them");
		return;
	}
	mask_prefixes(&link->masquerade, lines, KEYS_MASQUERADE, diag);
	drop_repeated(&link->masquerade, lines, KEYS_MASQUERADE, diag);
	check_masquerade_families(link, lines, diag);
	if (!link->masquerades_all && link->masquerade.n == 0)
		line = 0;
	if (line != 0 && link->bridge != NULL)
		diag_error(diag, line,
			   "Masquerade and Bridge are both given, but packets leave by the bridge "
			   "then, and not by the link's interface; keep one of them");
	if (link->mss_clamp >= CONF_MSS_MIN && link->bridge != NULL)
		diag_warning(diag, LINE(lines, KEYS_MSS_CLAMP),
			     "MssClamp has no effect with Bridge: frames are bridged as they are");
	/* Nobody else's packets would be there to masquerade. */
	if (line != 0 && LINE(lines, KEYS_FORWARD) == 0)
		link->forward = true;
}

void validate_link(struct conf_link *link, struct validate_lines *lines, struct diag *diag)
{
	check_sections(lines, diag);
	check_private_key(link, lines, diag);
	check_interface(link, lines, diag);
	check_bridge(link, lines, diag);
	drop_repeated(&link->addresses, lines, KEYS_ADDRESS, diag);
	check_addresses(link, lines, diag);
	check_peer_key(link, lines, diag);
	check_preshared_key(link, lines, diag);
	check_allowed_ips(link, lines, diag);
	check_endpoints(link, lines, diag);
	check_forwarding(link, lines, diag);
	check_namespace(link, lines, diag);
}
