/*
 * The configurations that a helper has: what the file says, what is in force, and what the link
 * offers to put in its place; see helper_serve.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/helper_serve.h"
#include "daemon/host/hooks.h"

/* What a program that runs may still be using: commands and name servers. 0 or a negative errno. */
static int keep_words(struct helper_server *server, struct conf_link *old)
{
	struct helper_old_conf *kept;

	if (!server->is_busy || (!hooks_are_used(old) && old->dns.n == 0))
		return 0;
	if (server->n_old_confs == HELPER_OLD_CONFS_MAX)
		return -EBUSY;
	kept = calloc(1, sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	SWAP(kept->conf.dns, old->dns);
	for (size_t hook = 0; hook < CONF_N_HOOKS; hook++)
		SWAP(kept->conf.hooks[hook], old->hooks[hook]);
	kept->next = server->old_confs;
	server->old_confs = kept;
	server->n_old_confs++;
	return 0;
}

/* Puts a configuration in the place of another one. */
static int replace(struct helper_server *server, struct conf_link *old, struct conf_link *new)
{
	int r = keep_words(server, old);

	if (r < 0)
		return r;
	conf_link_deinit(old);
	*old = *new;
	memset(new, 0, sizeof(*new));
	return 0;
}

/* Members of which the link may not make values of its own. */
struct group {
	bool (*is_same)(const struct conf_link *a, const struct conf_link *b);
	void (*exchange)(struct conf_link *a, struct conf_link *b);
};

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool are_same_prefixes(const struct conf_prefixes *a, const struct conf_prefixes *b)
{
	return a->n == b->n &&
	       (a->n == 0 || memcmp(a->items, b->items, a->n * sizeof(*a->items)) == 0);
}

static bool is_same_bridge(const struct conf_link *a, const struct conf_link *b)
{
	return is_same_text(a->bridge, b->bridge) && a->bridge_create == b->bridge_create;
}

static void exchange_bridge(struct conf_link *a, struct conf_link *b)
{
	SWAP(a->bridge, b->bridge);
	SWAP(a->bridge_create, b->bridge_create);
}

static bool is_same_passing(const struct conf_link *a, const struct conf_link *b)
{
	return a->forward == b->forward && a->masquerades_all == b->masquerades_all &&
	       a->mss_clamp == b->mss_clamp && are_same_prefixes(&a->masquerade, &b->masquerade);
}

static void exchange_passing(struct conf_link *a, struct conf_link *b)
{
	SWAP(a->forward, b->forward);
	SWAP(a->masquerades_all, b->masquerades_all);
	SWAP(a->mss_clamp, b->mss_clamp);
	SWAP(a->masquerade, b->masquerade);
}

static bool are_same_addresses(const struct conf_link *a, const struct conf_link *b)
{
	return are_same_prefixes(&a->addresses, &b->addresses);
}

static void exchange_addresses(struct conf_link *a, struct conf_link *b)
{
	SWAP(a->addresses, b->addresses);
}

static bool are_same_routes(const struct conf_link *a, const struct conf_link *b)
{
	return are_same_prefixes(&a->allowed_ips, &b->allowed_ips);
}

static void exchange_routes(struct conf_link *a, struct conf_link *b)
{
	SWAP(a->allowed_ips, b->allowed_ips);
}

static bool is_same_table(const struct conf_link *a, const struct conf_link *b)
{
	return a->table_kind == b->table_kind && a->table == b->table &&
	       is_same_text(a->table_name, b->table_name);
}

static void exchange_table(struct conf_link *a, struct conf_link *b)
{
	SWAP(a->table_kind, b->table_kind);
	SWAP(a->table, b->table);
	SWAP(a->table_name, b->table_name);
}

static bool are_same_texts(const struct conf_strings *a, const struct conf_strings *b)
{
	bool is_same = a->n == b->n;

	for (size_t i = 0; is_same && i < a->n; i++)
		is_same = strcmp(a->items[i], b->items[i]) == 0;
	return is_same;
}

static bool is_same_dns(const struct conf_link *a, const struct conf_link *b)
{
	return are_same_texts(&a->dns, &b->dns);
}

static void exchange_dns(struct conf_link *a, struct conf_link *b)
{
	SWAP(a->dns, b->dns);
}

static const struct group groups[] = {
	{ is_same_bridge, exchange_bridge },        { is_same_passing, exchange_passing },
	{ are_same_addresses, exchange_addresses }, { are_same_routes, exchange_routes },
	{ is_same_table, exchange_table },          { is_same_dns, exchange_dns },
};

/* The file that was read last. */
static const struct conf_link *newest_file(const struct helper_server *server)
{
	return server->has_offered_file ? &server->offered_file : &server->from_file;
}

/*
 * What a link cannot change while it runs, and what only the administrator may decide: that is as
 * the newest file says, or as it is, which a change that failed goes back to.
 */
static int take_fixed(const struct helper_server *server, struct conf_link *conf)
{
	struct conf_link now;
	int r = conf_link_copy(&server->confs[HELPER_IN_FORCE], &now);

	if (r < 0)
		return r;
	memset(conf->name, 0, sizeof(conf->name));
	snprintf(conf->name, sizeof(conf->name), "%s", server->env->link);
	conf->mode = now.mode;
	conf->is_bare = now.is_bare;
	/* In force are the same words, wherever they lie. */
	SWAP(conf->namespace, now.namespace);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		if (!groups[i].is_same(conf, newest_file(server)))
			groups[i].exchange(conf, &now);
	}
	conf_link_deinit(&now);
	return 0;
}

/* The first file is in force, and says what a link cannot change while it runs; see take_fixed().
 * A later one waits for being accepted: until then the commands of the one before count. */
static int keep_file(struct helper_server *server, struct conf_link *conf, int fd)
{
	int r;

	if (server->has_conf[HELPER_IN_FORCE]) {
		r = replace(server, &server->offered_file, conf);
		server->has_offered_file |= r == 0;
		return r;
	}
	r = helper_unpack(fd, &server->confs[HELPER_IN_FORCE]);
	server->has_conf[HELPER_IN_FORCE] = r == 0;
	return r == 0 ? replace(server, &server->from_file, conf) : r;
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
	return keep_file(server, conf, reply->fds[0]);
}

int helper_load_file(const struct helper_job *job)
{
	struct helper_server *server = job->server;
	struct diag diag = DIAG_NULL(server->env->file);
	struct conf_link conf = { .secrets = NULL };
	bool is_quiet = job->argument->is_quiet != 0;
	int r;

	server->env->load(server->env->context, &conf, &diag);
	if (!is_quiet) {
		diag_print(&diag, stderr);
		if (diag.code == EXIT_DONE)
			diag.code = outside_judge_hooks(&conf, server->env->file);
	}
	r = answer_file(server, &conf, &diag, is_quiet, job->reply);
	conf_link_deinit(&conf);
	diag_deinit(&diag);
	return r;
}

/* Whether a configuration comes from a file, and not from one before: a reload that was given up
 * leaves a file that no later change is to bring into force. */
static bool has_hooks_of(const struct conf_link *conf, const struct conf_link *file)
{
	for (size_t hook = 0; hook < CONF_N_HOOKS; hook++) {
		if (!are_same_texts(&conf->hooks[hook], &file->hooks[hook]))
			return false;
	}
	return true;
}

/* Commands are taken from the file alone. */
static void drop_hooks(struct conf_link *conf)
{
	struct conf_link none = { .secrets = NULL };

	for (size_t hook = 0; hook < CONF_N_HOOKS; hook++)
		SWAP(conf->hooks[hook], none.hooks[hook]);
	conf_link_deinit(&none);
}

int helper_take_offer(const struct helper_job *job)
{
	struct helper_server *server = job->server;
	struct conf_link conf;
	bool is_of_file;
	int r;

	if (!server->has_conf[HELPER_IN_FORCE])
		return -EINVAL;
	r = helper_unpack(job->fds[0], &conf);
	if (r < 0)
		return r;
	is_of_file = server->has_offered_file && has_hooks_of(&conf, &server->offered_file);
	drop_hooks(&conf);
	r = take_fixed(server, &conf);
	if (r == 0)
		r = replace(server, &server->confs[HELPER_OFFERED], &conf);
	if (r == 0) {
		server->has_conf[HELPER_OFFERED] = true;
		server->is_offer_of_file = is_of_file;
	}
	conf_link_deinit(&conf);
	return r;
}

int helper_accept_offer(const struct helper_job *job)
{
	struct helper_server *server = job->server;
	int r = 0;

	if (!server->has_conf[HELPER_OFFERED])
		return -EINVAL;
	server->is_changing = false;
	if (server->has_offered_file && server->is_offer_of_file) {
		r = replace(server, &server->from_file, &server->offered_file);
		server->has_offered_file = r < 0;
	}
	if (r == 0)
		SWAP(server->confs[HELPER_IN_FORCE], server->confs[HELPER_OFFERED]);
	return r;
}

/* The configuration that is meant, or NULL. */
const struct conf_link *helper_conf_of(const struct helper_server *server, uint32_t which)
{
	return which < HELPER_N_CONFS && server->has_conf[which] ? &server->confs[which] : NULL;
}
