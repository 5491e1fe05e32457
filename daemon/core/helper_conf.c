/*
 * The configurations that a helper has: what the file says, what is in force, and what the link
 * offers to put in its place; see helper_serve.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/helper_serve.h"

/* Puts a configuration in the place of another one. While a program runs, that may be in use. */
static int replace(struct helper_server *server, struct conf_link *old, struct conf_link *new)
{
	struct helper_old_conf *kept;

	if (server->is_busy) {
		kept = malloc(sizeof(*kept));
		if (!kept)
			return -ENOMEM;
		*kept = (struct helper_old_conf) { server->old_confs, *old };
		server->old_confs = kept;
	} else {
		conf_link_deinit(old);
	}
	*old = *new;
	memset(new, 0, sizeof(*new));
	return 0;
}

#define EXCHANGE(a, b)                                                                             \
	do {                                                                                       \
		__typeof__(a) exchanged = (a);                                                     \
                                                                                                   \
		(a) = (b);                                                                         \
		(b) = exchanged;                                                                   \
	} while (0)

/* A list of its own; what there is no memory for is empty, which allows less. */
static struct conf_prefixes copy_networks(const struct conf_prefixes *from)
{
	struct conf_prefixes copy = { .items = NULL };

	copy.items = from->n > 0 ? calloc(from->n, sizeof(*from->items)) : NULL;
	if (!copy.items)
		return copy;
	memcpy(copy.items, from->items, from->n * sizeof(*from->items));
	copy.n = from->n;
	return copy;
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The file's bridge, or the one in force, which a change that failed goes back to. */
static void take_bridge(const struct helper_server *server, struct conf_link *conf)
{
	const struct conf_link *from = &server->from_file;

	if (!is_same(conf->bridge, from->bridge))
		from = &server->confs[HELPER_IN_FORCE];
	free(conf->bridge);
	conf->bridge = from->bridge ? strdup(from->bridge) : NULL;
	conf->bridge_create = from->bridge_create;
}

/* What a link cannot change while it runs, and what only the administrator may decide, is as the
 * file says. */
static void take_fixed(struct helper_server *server, struct conf_link *conf)
{
	struct conf_link *now = &server->confs[HELPER_IN_FORCE];

	memset(conf->name, 0, sizeof(conf->name));
	snprintf(conf->name, sizeof(conf->name), "%s", server->env->link);
	if (!server->has_conf[HELPER_IN_FORCE])
		return;
	conf->forward = server->from_file.forward;
	conf->masquerades_all = server->from_file.masquerades_all;
	conf->mss_clamp = server->from_file.mss_clamp;
	free(conf->masquerade.items);
	conf->masquerade = copy_networks(&server->from_file.masquerade);
	conf->mode = now->mode;
	conf->is_bare = now->is_bare;
	take_bridge(server, conf);
	/* In force are the same words, wherever they lie. */
	free(conf->namespace);
	conf->namespace = now->namespace ? strdup(now->namespace) : NULL;
}

/* The first file in force says what a link cannot change while it runs; see take_fixed(). */
static int put_in_force(struct helper_server *server, int fd)
{
	int r;

	if (server->has_conf[HELPER_IN_FORCE])
		return 0;
	r = helper_unpack(fd, &server->confs[HELPER_IN_FORCE]);
	server->has_conf[HELPER_IN_FORCE] = r == 0;
	return r;
}

/* Answers with what was read: the configuration, then the findings, as far as there are any. */
static int answer_file(struct helper_server *server, struct conf_link *conf,
		       const struct diag *diag, bool is_quiet, struct helper_reply *reply)
{
	size_t n = 0;
	int r = 0;

	if (diag->code == EXIT_DONE) {
		r = helper_pack(conf);
		if (r >= 0)
			reply->fds[n++] = r;
	}
	if (r >= 0 && is_quiet && diag->n_items > 0) {
		r = helper_pack_findings(diag);
		if (r >= 0)
			reply->fds[n] = r;
	}
	if (r < 0 || diag->code != EXIT_DONE)
		return r < 0 ? r : (int)diag->code;
	reply->secrets = conf->secrets;
	conf->secrets = NULL;
	if (is_quiet)
		return EXIT_DONE;
	r = replace(server, &server->from_file, conf);
	return r == 0 ? put_in_force(server, reply->fds[0]) : r;
}

int helper_load_file(struct helper_server *server, const union helper_argument *argument,
		     const int fds[static HELPER_FDS_MAX], struct helper_reply *reply)
{
	struct diag diag = DIAG_NULL(server->env->file);
	struct conf_link conf = { .secrets = NULL };
	bool is_quiet = argument->is_quiet != 0;
	int r;

	(void)fds;
	server->env->load(server->env->context, &conf, &diag);
	if (!is_quiet) {
		diag_print(&diag, stderr);
		if (diag.code == EXIT_DONE)
			diag.code = outside_judge_hooks(&conf, server->env->file);
	}
	r = answer_file(server, &conf, &diag, is_quiet, reply);
	conf_link_deinit(&conf);
	diag_deinit(&diag);
	return r;
}

int helper_take_offer(struct helper_server *server, const union helper_argument *argument,
		      const int fds[static HELPER_FDS_MAX], struct helper_reply *reply)
{
	struct conf_link conf;
	int r = helper_unpack(fds[0], &conf);

	(void)argument;
	(void)reply;
	if (r < 0)
		return r;
	take_fixed(server, &conf);
	r = replace(server, &server->confs[HELPER_OFFERED], &conf);
	server->has_conf[HELPER_OFFERED] = true;
	conf_link_deinit(&conf);
	return r;
}

int helper_accept_offer(struct helper_server *server, const union helper_argument *argument,
			const int fds[static HELPER_FDS_MAX], struct helper_reply *reply)
{
	(void)argument;
	(void)fds;
	(void)reply;
	if (!server->has_conf[HELPER_OFFERED])
		return -EINVAL;
	EXCHANGE(server->confs[HELPER_IN_FORCE], server->confs[HELPER_OFFERED]);
	server->has_conf[HELPER_IN_FORCE] = true;
	return 0;
}

/* The configuration that is meant, or NULL. */
const struct conf_link *helper_conf_of(const struct helper_server *server, uint32_t which)
{
	return which < HELPER_N_CONFS && server->has_conf[which] ? &server->confs[which] : NULL;
}
