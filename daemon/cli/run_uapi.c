/*
 * The link behind the wg protocol: what `wg show` sees of it, and what `wg set` does to it.
 * Protocol and sockets are in daemon/ctl; this is where they meet the link.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/cli/run_servers.h"

static const struct conf_link *running(void *context)
{
	const struct run_servers *servers = context;

	return servers->link->conf;
}

/* Keys are where they are used: the file's were wiped when the link was opened. */
static void get(void *context, struct uapi_view *view)
{
	const struct run_servers *servers = context;
	const struct link *link = servers->link;
	const struct noise_identity *identity = &link->peer.secrets->identity;
	struct link_status status;

	link_get_status(link, nsec_boottime(), &status);
	*view = (struct uapi_view) {
		.private_key = &identity->own_private,
		.listen_port = status.listen_port,
		.fwmark = status.fwmark,
		.peer_key = &identity->peer_public,
		.preshared_key = &identity->preshared,
		.endpoint = status.remote,
		.last_handshake = status.session,
		.rx_bytes = status.counters.n[COUNT_RX_BYTES],
		.tx_bytes = status.counters.n[COUNT_TX_BYTES],
		.persistent_keepalive = status.persistent_keepalive,
		.allowed_ips = link->conf->allowed_ips.items,
		.n_allowed_ips = link->conf->allowed_ips.n,
	};
}

/* What a link made from a file cannot be without. \return a clause, or NULL */
static const char *what_is_missing(const struct uapi_edit *edit)
{
	if (!uapi_has_private_key(&edit->conf))
		return "it would leave no private key";
	if (!uapi_has_peer(&edit->conf))
		return "it would leave no peer";
	return NULL;
}

/* The changes are those of a reload: wholly in the log, and gone with the next reload. */
static int set(void *context, struct uapi_edit *edit)
{
	const struct run_servers *servers = context;
	struct link *link = servers->link;
	uint16_t port = edit->conf.listen_port;
	const char *missing = what_is_missing(edit);
	int r;

	if (missing) {
		log_warning("a request of wg to change the link was refused: %s; stop the link "
			    "instead",
			    missing);
		return -EOPNOTSUPP;
	}
	log_notice("wg changes the link; its file stays as it is, and counts again from the next "
		   "reload on");
	r = link_change(link, &edit->conf);
	if (r < 0)
		return r;
	/* Also when it is the one in the configuration: the peer may have moved since. */
	if (edit->named.endpoint) {
		link->wants_first_candidate = true;
		link_use_first_candidate(link);
	}
	if (edit->keepalive_now)
		link_tell(link, ORDER_KEEPALIVE);
	if (r > 0)
		return port && link->conf->listen_port != port ? -EADDRINUSE : -EINVAL;
	return 0;
}

static void refused(void *context, int error, const char *reason)
{
	(void)context;
	(void)error;
	log_warning("a request of wg %s", reason);
}

/* `wg` removes a socket on which nobody seems to listen: the link has no reason to end. */
static void gone(void *context)
{
	struct run_servers *servers = context;

	log_warning("the socket of the wg protocol was removed: `wg` does not see the link until "
		    "it is restarted");
	uapi_server_stop(&servers->uapi, true);
}

static const struct uapi_ops ops = {
	.running = running,
	.get = get,
	.set = set,
	.refused = refused,
	.gone = gone,
};

int run_uapi_start(struct run_servers *servers)
{
	struct link *link = servers->link;
	const char *name = link->conf->name;
	int fd = uapi_listen(UAPI_DIR, name);
	int r = fd;

	if (fd >= 0)
		r = uapi_server_start(&servers->uapi, link->loop, fd, &ops, servers);
	if (r == -EADDRINUSE)
		log_warning("another process serves " UAPI_DIR "/%s.sock: `wg` shows that one and "
			    "not this link",
			    name);
	else if (r < 0)
		log_warning("cannot make " UAPI_DIR "/%s.sock (%s): `wg` does not see this link",
			    name, strerror(-r));
	if (r < 0 && fd >= 0)
		close(fd);
	return MIN(r, 0);
}
