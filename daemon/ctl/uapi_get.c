/* The answer to "get=1"; see uapi_get.h. */
#include "daemon/ctl/uapi_get.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* The lines of the device and of the peer, without AllowedIPs, are shorter than this. */
#define FIXED_MAX 1024

static bool has_key(const struct key *key)
{
	return key != NULL && !key_is_zero(key);
}

static void add_device(const struct uapi_view *view, struct uapi_buf *buf)
{
	if (has_key(view->private_key))
		uapi_buf_add_key(buf, "private_key", view->private_key);
	if (view->listen_port != 0)
		uapi_buf_print(buf, "listen_port=%u\n", view->listen_port);
	if (view->fwmark != 0)
		uapi_buf_print(buf, "fwmark=%" PRIu32 "\n", view->fwmark);
}

/* snprintf() would be most of the time that a hundred thousand of them take. */
static void add_allowed_ips(const struct uapi_view *view, struct uapi_buf *buf)
{
	static const char name[] = "allowed_ip=";
	char line[sizeof(name) + PREFIX_TEXT_MAX];
	char *text = line + sizeof(name) - 1;

	memcpy(line, name, sizeof(name));
	for (size_t i = 0; i < view->n_allowed_ips; i++) {
		size_t len;

		prefix_format(&view->allowed_ips[i], text);
		len = strlen(text);
		text[len] = '\n';
		uapi_buf_add(buf, line, sizeof(name) - 1 + len + 1);
	}
}

static void add_peer(const struct uapi_view *view, struct uapi_buf *buf)
{
	static const struct key no_key;
	char text[NETADDR_TEXT_MAX];

	uapi_buf_add_key(buf, "public_key", view->peer_key);
	uapi_buf_add_key(buf, "preshared_key",
			 view->preshared_key != NULL ? view->preshared_key : &no_key);
	uapi_buf_print(buf, "protocol_version=1\n");
	if (view->endpoint.sa.sa_family != AF_UNSPEC)
		uapi_buf_print(buf, "endpoint=%s\n", netaddr_format(&view->endpoint, text));
	uapi_buf_print(buf, "last_handshake_time_sec=%" PRIdMAX "\nlast_handshake_time_nsec=%ld\n",
		       (intmax_t)view->last_handshake.tv_sec, view->last_handshake.tv_nsec);
	uapi_buf_print(buf, "tx_bytes=%" PRIu64 "\nrx_bytes=%" PRIu64 "\n", view->tx_bytes,
		       view->rx_bytes);
	uapi_buf_print(buf, "persistent_keepalive_interval=%u\n", view->persistent_keepalive);
	add_allowed_ips(view, buf);
}

int uapi_get(const struct uapi_view *view, struct uapi_buf *buf)
{
	size_t len = buf->len;
	size_t line_max = sizeof("allowed_ip=") + PREFIX_TEXT_MAX;

	/* At once: to grow by doubling would copy and wipe megabytes again and again. */
	if (uapi_buf_reserve(buf, FIXED_MAX + view->n_allowed_ips * line_max)) {
		add_device(view, buf);
		if (has_key(view->peer_key))
			add_peer(view, buf);
		uapi_buf_print(buf, "errno=0\n\n");
	}
	if (!buf->is_broken)
		return 0;
	if (buf->len > len)
		sodium_memzero(buf->bytes + len, buf->len - len);
	buf->len = len;
	buf->is_broken = false;
	return -ENOMEM;
}
