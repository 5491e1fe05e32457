/*
 * The link behind the wg protocol: what `wg show` sees of it, and what `wg set` does to it.
 * Protocol and sockets are in daemon/ctl; this is where they meet the link.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/cli/run_servers.h"

static const struct conf_link *running(void *context)
{
	const struct run_servers *servers = context;

	return servers->link->conf;
}

static uint64_t since(uint64_t n, uint64_t n_before)
{
	return n > n_before ? n - n_before : 0;
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
		.rx_bytes = since(status.counters.n[COUNT_RX_BYTES], servers->bytes_before[0]),
		.tx_bytes = since(status.counters.n[COUNT_TX_BYTES], servers->bytes_before[1]),
		.persistent_keepalive = status.persistent_keepalive,
		.allowed_ips = conf_link_accepted(link->conf)->items,
		.n_allowed_ips = conf_link_accepted(link->conf)->n,
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

static const enum counter byte_counters[] = { COUNT_RX_BYTES, COUNT_TX_BYTES };

void run_uapi_count(struct run_servers *servers)
{
	struct link_status now;

	if (!servers->is_counting)
		return;
	servers->is_counting = false;
	link_get_status(servers->link, nsec_boottime(), &now);
	/* Of control's own counters, which have the handshakes, those that were before. */
	for (size_t i = 0; i < ARRAY_SIZE(byte_counters); i++)
		servers->bytes_before[i] = now.counters.n[byte_counters[i]] -
					   servers->link->counters.n[byte_counters[i]] +
					   servers->own_bytes_before[i];
}

/* What went to and came from the peer before is not the new one's. The data loops tell theirs a
 * little later, but before there can be a session with the new peer. */
static void count_from(struct run_servers *servers, const uint64_t own_bytes[static 2])
{
	memcpy(servers->own_bytes_before, own_bytes, sizeof(servers->own_bytes_before));
	servers->is_counting = true;
	run_uapi_count(servers);
	servers->is_counting = true;
	link_ask_counters(servers->link);
}

static int change_link(struct run_servers *servers, struct uapi_edit *edit)
{
	const uint64_t own_bytes[] = { servers->link->counters.n[COUNT_RX_BYTES],
				       servers->link->counters.n[COUNT_TX_BYTES] };
	int r = link_set(servers->link, &edit->conf);

	if (r == 0 && edit->peer == UAPI_PEER_NEW)
		count_from(servers, own_bytes);
	return r;
}

/* In the log like a reload, and gone with the next one. */
static int set(void *context, struct uapi_edit *edit)
{
	struct run_servers *servers = context;
	struct link *link = servers->link;
	const char *missing = what_is_missing(edit);
	int r;

	if (missing && !link->conf->is_bare) {
		log_warning("a request of wg to change the link was refused: %s; stop the link "
			    "instead",
			    missing);
		return -EOPNOTSUPP;
	}
	log_notice("wg changes the link%s",
		   link->conf->is_bare
			   ? ""
			   : "; its file stays as it is, and counts again from the next reload on");
	r = change_link(servers, edit);
	if (r < 0)
		return r;
	/* Also when it is the one in the configuration: the peer may have moved since. */
	if (edit->named.endpoint) {
		link->wants_first_candidate = true;
		link_use_first_candidate(link);
	}
	if (edit->keepalive_now)
		link_tell(link, ORDER_KEEPALIVE);
	return 0;
}

static void refused(void *context, int error, const char *reason)
{
	(void)context;
	(void)error;
	log_warning("a request of wg %s", reason);
}

/* `wg` removes a socket on which nobody seems to listen: a link with a file has no reason to end.
 * One without could never be changed again, and ends as wireguard-go does. */
static void gone(void *context)
{
	struct run_servers *servers = context;

	if (servers->link->conf->is_bare) {
		log_notice("ending, because the socket of the wg protocol was removed");
		ev_break(servers->link->loop, EVBREAK_ALL);
		return;
	}
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

/* \return a descriptor or a negated errno value */
static int make_socket(const struct run_servers *servers, const char *name)
{
	char run_dir[sizeof(STATUS_DIR) + IFNAMSIZ];

	snprintf(run_dir, sizeof(run_dir), "%s/%s", STATUS_DIR, name);
	return uapi_listen_again(servers->kept[RUN_UAPI], UAPI_DIR, name, UAPI_MODE, run_dir);
}

int run_uapi_start(struct run_servers *servers)
{
	struct link *link = servers->link;
	const char *name = link->conf->name;
	int fd = servers->uapi_fd >= 0 ? servers->uapi_fd : make_socket(servers, name);
	int r = fd;

	if (fd >= 0)
		r = uapi_server_start(&servers->uapi, link->loop, fd, &ops, servers);
	if (r == -EADDRINUSE)
		log_warning("another process serves " UAPI_DIR "/%s.sock: `wg` shows that one and "
			    "not this link",
			    name);
	else if (r == -EPERM)
		log_warning("a socket of another user is in the way at " UAPI_DIR
			    "/%s.sock: `wg` does not see this link until that is removed and the "
			    "link restarted",
			    name);
	else if (r < 0)
		log_warning("cannot make " UAPI_DIR "/%s.sock (%s): `wg` does not see this link",
			    name, strerror(-r));
	if (r < 0 && fd >= 0)
		close(fd);
	return MIN(r, 0);
}
