/* A link that is none: it keeps a configuration, and shows and takes edits as a real one would. */
#ifndef TESTS_UNIT_UAPI_FAKE_H
#define TESTS_UNIT_UAPI_FAKE_H

#include "tests/unit/uapi_fixture.h"

#include "daemon/ctl/uapi_server.h"

struct fake {
	struct conf_link conf;
	uint16_t port; /* that the socket would have */
	uint64_t rx_bytes, tx_bytes;
	struct timespec last_handshake;
	int set_result; /* what set() answers; an edit counts only when it is 0 */
	unsigned int n_gets, n_sets, n_refused, n_gone;
	int last_error;
	char last_reason[UAPI_REASON_MAX];
	struct ev_loop *stop_when_gone; /* or NULL */
};

static inline const struct conf_link *fake_running(void *context)
{
	struct fake *fake = context;

	return &fake->conf;
}

static inline void fake_get(void *context, struct uapi_view *view)
{
	struct fake *fake = context;
	const struct conf_link *conf = &fake->conf;

	fake->n_gets++;
	view->private_key = &conf->secrets->private_key;
	view->listen_port = fake->port;
	view->fwmark = conf->fwmark;
	view->peer_key = &conf->peer_key;
	view->preshared_key = &conf->secrets->preshared_key;
	if (conf->n_endpoints > 0)
		view->endpoint = conf->endpoints[0].literal;
	view->last_handshake = fake->last_handshake;
	view->rx_bytes = fake->rx_bytes;
	view->tx_bytes = fake->tx_bytes;
	view->persistent_keepalive = conf->persistent_keepalive;
	view->allowed_ips = conf_link_accepted(conf)->items;
	view->n_allowed_ips = conf_link_accepted(conf)->n;
}

static inline int fake_set(void *context, struct uapi_edit *edit)
{
	struct fake *fake = context;
	struct conf_link before = fake->conf;

	fake->n_sets++;
	if (fake->set_result < 0)
		return fake->set_result;
	fake->conf = edit->conf;
	edit->conf = before;
	if (edit->named.listen_port)
		fake->port = fake->conf.listen_port;
	return 0;
}

static inline void fake_refused(void *context, int error, const char *reason)
{
	struct fake *fake = context;

	fake->n_refused++;
	fake->last_error = error;
	snprintf(fake->last_reason, sizeof(fake->last_reason), "%s", reason);
}

static inline void fake_gone(void *context)
{
	struct fake *fake = context;

	fake->n_gone++;
	if (fake->stop_when_gone)
		ev_break(fake->stop_when_gone, EVBREAK_ALL);
}

static const struct uapi_ops fake_ops = {
	.running = fake_running,
	.get = fake_get,
	.set = fake_set,
	.refused = fake_refused,
	.gone = fake_gone,
};

#endif
