/*
 * What "set=1" asks for; see uapi_set.h.
 *
 * The lines are read into drafts (uapi_draft.c). When all are right, one peer at most may be
 * left, and that one is written into the copy of the configuration.
 */
#include "daemon/ctl/uapi_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/secret.h"
#include "daemon/ctl/uapi_draft.h"

/* "set=1" was line 1. */
static int read_lines(struct uapi_draft *draft, const char *request, size_t len)
{
	const char *end = request + len;
	int r = 0;

	for (size_t number = 2; request < end && r == 0; number++) {
		const char *newline = memchr(request, '\n', (size_t)(end - request));
		const char *line_end = newline != NULL ? newline : end;

		if (line_end == request)
			break;
		r = uapi_draft_line(draft, request, (size_t)(line_end - request), number);
		request = newline != NULL ? newline + 1 : end;
	}
	return r;
}

/* Owned by the configuration from here on. */
static void take_allowed_ips(struct conf_link *conf, struct conf_prefixes list)
{
	free(conf->wg_allowed_ips.items);
	conf->wg_allowed_ips = list;
	conf->has_wg_allowed_ips = true;
}

static void forget_peer(struct conf_link *conf)
{
	sodium_memzero(&conf->peer_key, sizeof(conf->peer_key));
	sodium_memzero(&conf->secrets->preshared_key, sizeof(conf->secrets->preshared_key));
	free(conf->preshared_key_file);
	conf->preshared_key_file = NULL;
	free(conf->endpoints);
	conf->endpoints = NULL;
	conf->n_endpoints = 0;
	take_allowed_ips(conf, (struct conf_prefixes) { 0 });
	conf->persistent_keepalive = 0;
}

static int write_endpoint(struct conf_link *conf, const struct endpoint_spec *endpoint)
{
	struct endpoint_spec *endpoints = grow_list(NULL, 0, sizeof(*endpoints));

	if (endpoints == NULL)
		return -ENOMEM;
	*endpoints = *endpoint;
	free(conf->endpoints);
	conf->endpoints = endpoints;
	conf->n_endpoints = 1;
	return 0;
}

static int write_allowed_ips(struct uapi_draft *draft, const struct uapi_draft_peer *peer)
{
	struct conf_prefixes list;
	int r;

	if (!uapi_allowed_is_touched(&draft->allowed))
		return 0;
	r = uapi_allowed_judge(&draft->allowed, uapi_draft_index(draft, peer), &list);
	if (r < 0)
		return r;
	take_allowed_ips(&draft->edit->conf, list);
	draft->edit->named.allowed_ips = true;
	return 0;
}

/* Writes the draft of the one peer into the configuration. */
static int write_peer(struct uapi_draft *draft, const struct uapi_draft_peer *peer)
{
	struct uapi_edit *edit = draft->edit;
	struct conf_link *conf = &edit->conf;
	int r = 0;

	if (!peer->is_first) {
		edit->peer = UAPI_PEER_NEW;
		forget_peer(conf);
		conf->peer_key = peer->key;
	}
	if (peer->has_preshared_key) {
		conf->secrets->preshared_key = peer->preshared_key;
		free(conf->preshared_key_file);
		conf->preshared_key_file = NULL;
	}
	if (peer->has_keepalive) {
		conf->persistent_keepalive = peer->keepalive;
		conf->given.persistent_keepalive = true;
	}
	if (peer->has_endpoint)
		r = write_endpoint(conf, &peer->endpoint);
	edit->named.peer = draft->in_peer;
	edit->named.preshared_key = peer->has_preshared_key;
	edit->named.endpoint = peer->has_endpoint;
	edit->named.persistent_keepalive = peer->has_keepalive;
	edit->keepalive_now = peer->keepalive_before == 0 && peer->keepalive != 0;
	return r < 0 ? r : write_allowed_ips(draft, peer);
}

static int finish(struct uapi_draft *draft, const struct conf_link *running)
{
	struct uapi_edit *edit = draft->edit;
	const struct uapi_draft_peer *left = NULL;
	int r;

	for (size_t i = 0; i < UAPI_PEERS_MAX; i++) {
		if (draft->peers[i].is_live && left != NULL) {
			snprintf(edit->reason, sizeof(edit->reason),
				 "would leave more than one peer, but a link of vpnd has one: "
				 "remove the other in the same request, or make a link for each");
			return -EUSERS;
		}
		if (draft->peers[i].is_live)
			left = &draft->peers[i];
	}
	if (left == NULL) {
		edit->peer = uapi_has_peer(running) ? UAPI_PEER_REMOVED : UAPI_PEER_SAME;
		forget_peer(&edit->conf);
		return 0;
	}
	if (!left->is_first && key_is_low_order(&left->key)) {
		snprintf(edit->reason, sizeof(edit->reason),
			 "has a public_key that no private key has; take the far end's");
		return -EINVAL;
	}
	r = write_peer(draft, left);
	if (r < 0)
		snprintf(edit->reason, sizeof(edit->reason), "cannot be followed: memory is short");
	return r;
}

static void begin(struct uapi_draft *draft, const struct conf_link *running, struct uapi_edit *edit)
{
	draft->edit = edit;
	draft->allowed.before = conf_link_accepted(running);
	if (!uapi_has_peer(running))
		return;
	draft->peers[0] = (struct uapi_draft_peer) {
		.is_live = true,
		.is_first = true,
		.key = running->peer_key,
		.keepalive_before = running->persistent_keepalive,
		.keepalive = running->persistent_keepalive,
	};
}

int uapi_set(const char *request, size_t len, const struct conf_link *running,
	     struct uapi_edit *edit)
{
	struct uapi_draft *draft = secret_alloc(sizeof(*draft));
	int r = -ENOMEM;

	memset(edit, 0, sizeof(*edit));
	snprintf(edit->reason, sizeof(edit->reason), "cannot be read: memory is short");
	if (draft != NULL && conf_link_copy(running, &edit->conf) == 0) {
		begin(draft, running, edit);
		r = read_lines(draft, request, len);
		if (r == 0)
			r = finish(draft, running);
		uapi_allowed_deinit(&draft->allowed);
	}
	secret_free(draft);
	if (r < 0)
		conf_link_deinit(&edit->conf);
	else
		edit->reason[0] = '\0';
	return r;
}

void uapi_edit_deinit(struct uapi_edit *edit)
{
	conf_link_deinit(&edit->conf);
}
