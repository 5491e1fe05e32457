/* A link file with comments; see link_writer.h. */
#include "daemon/cli/link_writer.h"

#include "daemon/cli/host_arg.h"

static const char *name_of(const struct link_writer_end *end)
{
	return end->is_roaming ? "a host without a fixed address" : end->host.host;
}

static void add_head(const char *link, const struct link_writer_end *own,
		     const struct link_writer_end *far, struct secret_text *text)
{
	secret_text_add(text,
			"# The link %s of vpnd, as its end on %s sees it.\n"
			"# The far end is %s.\n"
			"#\n"
			"# Its place is /etc/vpnd/%s.conf. It holds keys: nobody but root and the\n"
			"# service may read it. `vpnd check %s` reports every mistake in it, and\n"
			"# vpnd@%s.service starts the link. The interface is called %s.\n\n",
			link, name_of(own), name_of(far), link, link, link, link);
}

static void add_addresses(const struct link_writer_end *own, struct secret_text *text)
{
	char buf[PREFIX_TEXT_MAX];

	secret_text_add(
		text, "# What this end is called inside the link. Any network will do that is used "
		      "nowhere\n# else on the two hosts.\nAddress = ");
	for (size_t i = 0; i < own->n_addresses; i++)
		secret_text_add(text, "%s%s", i > 0 ? ", " : "",
				prefix_format(&own->addresses[i], buf));
	secret_text_add(text, "\n");
}

static void add_interface(const struct link_writer_end *own, const struct key *private_key,
			  bool is_tap, struct secret_text *text)
{
	secret_text_add(text,
			"[Interface]\n"
			"# Who this end is. Never show this key to anybody; the far end knows "
			"its public half,\n# ");
	secret_text_key(text, "PublicKey", &own->public_key);
	secret_text_key(text, "PrivateKey", private_key);
	add_addresses(own, text);
	if (!own->is_roaming)
		secret_text_add(
			text,
			"# The UDP port that the far end sends to. The firewall of this host must "
			"let it in.\nListenPort = %u\n",
			own->host.port);
	else
		secret_text_add(text, "# No ListenPort: nobody has to find this host, so any port "
				      "will do.\n");
	if (is_tap)
		secret_text_add(text, "# The link carries Ethernet frames, not packets: both ends "
				      "must say so. Add\n# `Bridge = NAME` to make the interface "
				      "part of a bridge.\nMode = tap\n");
	secret_text_add(text,
			is_tap ? "# No MTU: 1500, as any Ethernet has it.\n\n"
			       : "# No MTU: vpnd takes what the path to the far end carries.\n\n");
}

static void add_allowed_ips(const struct link_writer_end *far, bool is_tap,
			    struct secret_text *text)
{
	char buf[PREFIX_TEXT_MAX];

	if (is_tap) {
		secret_text_add(text, "# No AllowedIPs: they would only make routes, and this link "
				      "carries any frame.\n");
		return;
	}
	secret_text_add(text, "# What is sent into the link, and what may come out of it: the far "
			      "end's own addresses.\n# Add the networks behind it, separated by "
			      "commas.\nAllowedIPs = ");
	for (size_t i = 0; i < far->n_addresses; i++) {
		struct prefix host = far->addresses[i];

		host.len = host.family == AF_INET ? 32 : 128;
		secret_text_add(text, "%s%s", i > 0 ? ", " : "", prefix_format(&host, buf));
	}
	secret_text_add(text, "\n");
}

static void add_peer(const struct link_writer_end *own, const struct link_writer_end *far,
		     const struct key *preshared, bool is_tap, struct secret_text *text)
{
	char buf[HOST_ARG_TEXT_MAX];

	secret_text_add(text,
			"[Peer]\n# Who the far end is: only the holder of the private key that "
			"belongs to this is\n# let in.\n");
	secret_text_key(text, "PublicKey", &far->public_key);
	secret_text_add(text,
			"# A second secret, the same at both ends: it keeps what is recorded "
			"today unreadable\n# should somebody break the keys above one day.\n");
	secret_text_key(text, "PresharedKey", preshared);
	add_allowed_ips(far, is_tap, text);
	if (!far->is_roaming)
		secret_text_add(text,
				"# Where the far end is reached: a name or an address, and its "
				"ListenPort.\nEndpoint = %s\n",
				host_arg_format(&far->host, buf));
	else
		secret_text_add(text,
				"# No Endpoint: the far end calls, from wherever it is, and is "
				"answered there.\n");
	if (own->is_roaming)
		secret_text_add(
			text,
			"# Seconds between packets that keep the way back open through NAT and "
			"firewalls.\nPersistentKeepalive = %d\n",
			LINK_WRITER_KEEPALIVE);
}

void link_writer_file(const struct link_writer *writer, enum link_writer_host host,
		      struct secret_text *text)
{
	const struct link_writer_end *own = &writer->ends[host];
	const struct link_writer_end *far = &writer->ends[LINK_WRITER_N_HOSTS - 1 - host];

	add_head(writer->link, own, far, text);
	add_interface(own, &writer->secrets->private_keys[host], writer->is_tap, text);
	add_peer(own, far, &writer->secrets->preshared_key, writer->is_tap, text);
}
