/* A link seen from its far end; see export_writer.h. */
#include "daemon/cli/export_writer.h"

#include <string.h>

#include "common/keytext.h"
#include "daemon/cli/host_arg.h"

/* As `vpnd new` has it: shorter than what a NAT keeps a mapping for. */
#define KEEPALIVE 25

/* A line of comment, for files that have them. */
#define NOTE(writer, text, ...)                                                                    \
	do {                                                                                       \
		if ((writer)->has_comments)                                                        \
			secret_text_add(text, __VA_ARGS__);                                        \
	} while (0)

static bool is_host(const struct prefix *prefix)
{
	return prefix->len == (prefix->family == AF_INET ? 32 : 128);
}

/* The network of this end that an address of the far end lies in; NULL: none. */
static const struct prefix *network_of(const struct conf_link *link, const struct prefix *host)
{
	for (size_t i = 0; i < link->addresses.n; i++) {
		const struct prefix *own = &link->addresses.items[i];

		if (!is_host(own) && prefix_contains(own, host->family, host->addr))
			return own;
	}
	return NULL;
}

static size_t add_family(const struct conf_link *link, int family, struct prefix *ret, size_t max)
{
	const struct prefix *only = NULL;
	size_t n = 0, n_hosts = 0;

	for (size_t i = 0; i < link->allowed_ips.n; i++) {
		const struct prefix *host = &link->allowed_ips.items[i];
		const struct prefix *network;

		if (host->family != family || !is_host(host))
			continue;
		n_hosts++;
		only = host;
		network = network_of(link, host);
		if (network == NULL || n == max)
			continue;
		ret[n] = *host;
		ret[n++].len = network->len;
	}
	if (n == 0 && n_hosts == 1 && max > 0)
		ret[n++] = *only;
	return n;
}

size_t export_writer_addresses(const struct conf_link *link, struct prefix *ret, size_t max)
{
	size_t n = add_family(link, AF_INET, ret, max);

	return n + add_family(link, AF_INET6, ret + n, max - n);
}

static unsigned int add_private_key(const struct export_writer *writer, struct secret_text *text)
{
	char public_text[KEYTEXT_LEN + 1];

	if (writer->private_key != NULL) {
		NOTE(writer, text, "# The far end's private key: nobody else may know it.\n");
		secret_text_key(text, "PrivateKey", writer->private_key);
		return 0;
	}
	keytext_encode(&writer->link->peer_key, public_text);
	NOTE(writer, text,
	     "# >>> TO BE FILLED IN at the far end: the private key whose public key is\n"
	     "# >>> %s (`wg pubkey` tells). Only the far end has it.\n"
	     "# PrivateKey = \n",
	     public_text);
	return EXPORT_WRITER_NO_KEY;
}

static void add_list(const char *name, const struct prefix *prefixes, size_t n, bool as_hosts,
		     struct secret_text *text)
{
	char buf[PREFIX_TEXT_MAX];

	secret_text_add(text, "%s = ", name);
	for (size_t i = 0; i < n; i++) {
		struct prefix prefix = prefixes[i];

		if (as_hosts)
			prefix.len = prefix.family == AF_INET ? 32 : 128;
		secret_text_add(text, "%s%s", i > 0 ? ", " : "", prefix_format(&prefix, buf));
	}
	secret_text_add(text, "\n");
}

static unsigned int add_addresses(const struct export_writer *writer, struct secret_text *text)
{
	struct prefix addresses[CONF_ADDRESSES_MAX];
	size_t n = export_writer_addresses(writer->link, addresses, ARRAY_SIZE(addresses));

	if (n == 0) {
		NOTE(writer, text,
		     "# >>> TO BE FILLED IN: the far end's address inside the link. AllowedIPs of\n"
		     "# >>> this file's origin names networks, but no single address of it.\n"
		     "# Address = \n");
		return EXPORT_WRITER_NO_ADDRESS;
	}
	NOTE(writer, text,
	     "# The far end's address inside the link: the AllowedIPs of the vpnd end.\n");
	add_list("Address", addresses, n, false, text);
	return 0;
}

static unsigned int add_interface(const struct export_writer *writer, struct secret_text *text)
{
	const struct conf_link *link = writer->link;
	unsigned int gaps;

	secret_text_add(text, "[Interface]\n");
	gaps = add_private_key(writer, text);
	gaps |= add_addresses(writer, text);
	if (link->n_endpoints > 0) {
		NOTE(writer, text, "# Where the vpnd end sends to; let it through the firewall.\n");
		secret_text_add(text, "ListenPort = %u\n", link->endpoints[0].port);
	}
	if (link->mtu != 0) {
		NOTE(writer, text, "# The same as at the vpnd end.\n");
		secret_text_add(text, "MTU = %u\n", link->mtu);
	}
	return gaps;
}

static void add_allowed_ips(const struct export_writer *writer, struct secret_text *text)
{
	const struct conf_prefixes *own = &writer->link->addresses;

	if (own->n == 0) {
		NOTE(writer, text,
		     "# >>> TO BE FILLED IN: the vpnd end has no address inside the link, so\n"
		     "# >>> nothing but the networks behind it can be reached.\n"
		     "# AllowedIPs = \n");
		return;
	}
	NOTE(writer, text,
	     "# What is reached through the link: the addresses of the vpnd end. Add the\n"
	     "# networks behind it; \"0.0.0.0/0, ::/0\" sends everything through the link.\n");
	add_list("AllowedIPs", own->items, own->n, true, text);
}

/* Where the vpnd end is, and what keeps the way back from it open. */
static unsigned int add_endpoint(const struct export_writer *writer, struct secret_text *text)
{
	const struct conf_link *link = writer->link;
	char buf[HOST_ARG_TEXT_MAX];

	if (writer->address == NULL) {
		NOTE(writer, text,
		     "# >>> TO BE FILLED IN, unless only the vpnd end calls: where that end is\n"
		     "# >>> reached (`vpnd export --here HOST` writes it here).\n"
		     "# Endpoint = HOST:%u\n",
		     link->listen_port != 0 ? link->listen_port : HOST_ARG_PORT);
		return EXPORT_WRITER_NO_ENDPOINT |
		       (link->n_endpoints == 0 ? EXPORT_WRITER_NO_CALLER : 0);
	}
	NOTE(writer, text, "# Where the vpnd end is reached.\n");
	secret_text_add(text, "Endpoint = %s\n", host_arg_format(writer->address, buf));
	if (link->n_endpoints == 0) {
		NOTE(writer, text,
		     "# The vpnd end does not know where this one is: packets every %d seconds\n"
		     "# keep the way back open through NAT.\n",
		     KEEPALIVE);
		secret_text_add(text, "PersistentKeepalive = %d\n", KEEPALIVE);
	}
	return 0;
}

static unsigned int add_peer(const struct export_writer *writer, struct secret_text *text)
{
	const struct conf_link *link = writer->link;

	secret_text_add(text, "[Peer]\n");
	NOTE(writer, text, "# The vpnd end.\n");
	secret_text_key(text, "PublicKey", &link->public_key);
	if (!key_is_zero(&link->secrets->preshared_key))
		secret_text_key(text, "PresharedKey", &link->secrets->preshared_key);
	add_allowed_ips(writer, text);
	return add_endpoint(writer, text);
}

static unsigned int stock_limits(const struct conf_link *link)
{
	unsigned int gaps = 0;

	if (link->cipher != CONF_CIPHER_AUTO && link->cipher != CONF_CIPHER_CHACHA20_POLY1305)
		gaps |= EXPORT_WRITER_CIPHER;
	return gaps;
}

unsigned int export_writer_file(const struct export_writer *writer, struct secret_text *text)
{
	unsigned int gaps = stock_limits(writer->link);

	NOTE(writer, text,
	     "# For the far end of the vpnd link %s: a file for a stock WireGuard.\n"
	     "# Save it as /etc/wireguard/%s.conf there, mode 0600, and start it with\n"
	     "# `wg-quick up %s`. It may hold secrets.\n\n",
	     writer->link->name, writer->link->name, writer->link->name);
	gaps |= add_interface(writer, text);
	secret_text_add(text, "\n");
	gaps |= add_peer(writer, text);
	return gaps;
}
