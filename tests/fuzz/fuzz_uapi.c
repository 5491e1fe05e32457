/*
 * Fuzz target: the lines of a "set=1" request. The first byte chooses the link that runs, the
 * rest are the lines. Whatever they are: an edit keeps the promises that the daemon relies on, no
 * edit leaves nothing behind but a printable reason, and what an edited link shows can be set
 * again and changes nothing.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "daemon/ctl/uapi_get.h"
#include "daemon/ctl/uapi_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static struct key key_of(uint8_t byte)
{
	struct key key;

	memset(key.bytes, byte, sizeof(key.bytes));
	return key;
}

static void add_allowed(struct conf_link *conf, const char *text)
{
	struct conf_prefixes *list = &conf->allowed_ips;
	struct prefix *items = grow_list(list->items, list->n, sizeof(*items));
	const char *reason;

	check(items != NULL && prefix_parse(text, &items[list->n], &reason));
	list->items = items;
	list->n++;
}

/* 1: a private key; 2: a peer; 4: whose keepalive is on. */
static void make_running(struct conf_link *conf, uint8_t kind)
{
	check(conf_link_init(conf) == 0);
	if (kind & 1) {
		conf->secrets->private_key = key_of(0x48);
		crypto_scalarmult_base(conf->public_key.bytes, conf->secrets->private_key.bytes);
	}
	if (kind & 2) {
		conf->peer_key = key_of(0xa1);
		conf->secrets->preshared_key = key_of(0x77);
		conf->persistent_keepalive = kind & 4 ? 25 : 0;
		add_allowed(conf, "10.1.0.0/16");
		add_allowed(conf, "fd00::/64");
	}
}

static void check_reason(const struct uapi_edit *edit, int r)
{
	check(r == -EPROTO || r == -EINVAL || r == -EUSERS);
	check(edit->conf.secrets == NULL && edit->conf.allowed_ips.items == NULL);
	check(edit->reason[0] != '\0' && memchr(edit->reason, '\0', UAPI_REASON_MAX) != NULL);
	for (const char *c = edit->reason; *c != '\0'; c++)
		check(*c >= ' ' && *c < 0x7f);
}

static void check_peerless(const struct conf_link *conf)
{
	check(conf_link_accepted(conf)->n == 0 && conf->n_endpoints == 0);
	check(conf->persistent_keepalive == 0 && key_is_zero(&conf->secrets->preshared_key));
}

static void check_edit(const struct uapi_edit *edit, const struct conf_link *running)
{
	const struct conf_link *conf = &edit->conf;
	struct key public_key = { { 0 } };

	check(edit->reason[0] == '\0');
	if (!key_is_zero(&conf->secrets->private_key))
		crypto_scalarmult_base(public_key.bytes, conf->secrets->private_key.bytes);
	check(key_equal(&public_key, &conf->public_key));
	check(edit->peer != UAPI_PEER_REMOVED || (uapi_has_peer(running) && !uapi_has_peer(conf)));
	check(edit->peer != UAPI_PEER_NEW || uapi_has_peer(conf));
	check(edit->peer != UAPI_PEER_SAME || key_equal(&conf->peer_key, &running->peer_key));
	check(!edit->keepalive_now || conf->persistent_keepalive != 0);
	check(!edit->named.endpoint || conf->n_endpoints == 1);
	check(conf->n_endpoints <= 1);
	check(conf->n_endpoints == 0 || conf->endpoints[0].literal.sa.sa_family != AF_UNSPEC);
	check(!uapi_has_peer(conf) || !key_equal(&conf->peer_key, &conf->public_key));
	if (!uapi_has_peer(conf))
		check_peerless(conf);
	for (size_t i = 0; i < conf_link_accepted(conf)->n; i++)
		check(!prefix_has_host_bits(&conf_link_accepted(conf)->items[i]));
}

static struct uapi_view view_of(const struct conf_link *conf)
{
	struct uapi_view view = {
		.private_key = &conf->secrets->private_key,
		.listen_port = conf->listen_port,
		.fwmark = conf->fwmark,
		.peer_key = &conf->peer_key,
		.preshared_key = &conf->secrets->preshared_key,
		.persistent_keepalive = conf->persistent_keepalive,
		.allowed_ips = conf_link_accepted(conf)->items,
		.n_allowed_ips = conf_link_accepted(conf)->n,
	};

	if (conf->n_endpoints > 0)
		view.endpoint = conf->endpoints[0].literal;
	return view;
}

/* Takes the lines that only a get has out of an answer. */
static size_t drop_state(char *text, size_t len)
{
	static const char *const names[] = { "last_handshake_time_sec", "last_handshake_time_nsec",
					     "tx_bytes", "rx_bytes", "errno" };
	char *out = text;

	for (char *line = text; line < text + len;) {
		size_t line_len =
			(size_t)((char *)memchr(line, '\n', (size_t)(text + len - line)) - line) +
			1;
		bool is_state = line_len == 1;

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			is_state = is_state || strncmp(line, names[i], strlen(names[i])) == 0;
		if (!is_state) {
			memmove(out, line, line_len);
			out += line_len;
		}
		line += line_len;
	}
	return (size_t)(out - text);
}

static void check_shown(const struct conf_link *conf)
{
	struct uapi_view view = view_of(conf);
	struct uapi_buf buf = { 0 };
	struct uapi_edit edit;
	size_t len;

	check(uapi_get(&view, &buf) == 0);
	len = drop_state(buf.bytes, buf.len);
	check(uapi_set(buf.bytes, len, conf, &edit) == 0);
	check(edit.peer == UAPI_PEER_SAME);
	check(key_equal(&edit.conf.public_key, &conf->public_key));
	check(key_equal(&edit.conf.secrets->preshared_key, &conf->secrets->preshared_key));
	check(edit.conf.allowed_ips.n == conf->allowed_ips.n);
	check(conf->allowed_ips.n == 0 ||
	      memcmp(edit.conf.allowed_ips.items, conf->allowed_ips.items,
		     conf->allowed_ips.n * sizeof(*conf->allowed_ips.items)) == 0);
	check(conf->n_endpoints == 0 ||
	      netaddr_equal(&edit.conf.endpoints[0].literal, &conf->endpoints[0].literal));
	uapi_edit_deinit(&edit);
	uapi_buf_deinit(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_link running;
	struct uapi_edit edit;
	int r;

	if (size == 0)
		return 0;
	make_running(&running, data[0]);
	r = uapi_set((const char *)data + 1, size - 1, &running, &edit);
	if (r < 0) {
		check_reason(&edit, r);
	} else {
		check_edit(&edit, &running);
		check_shown(&edit.conf);
	}
	uapi_edit_deinit(&edit);
	conf_link_deinit(&running);
	return 0;
}
