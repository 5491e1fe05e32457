/* The life of a conf_link: defaults, its copies, and its end. */
#include "conf/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/secret.h"

int conf_link_init(struct conf_link *link)
{
	memset(link, 0, sizeof(*link));
	link->secrets = secret_alloc(sizeof(*link->secrets));
	return link->secrets ? 0 : -ENOMEM;
}

static void free_strings(struct conf_strings *strings)
{
	for (size_t i = 0; i < strings->n; i++)
		free(strings->items[i]);
	free(strings->items);
}

void conf_link_deinit(struct conf_link *link)
{
	secret_free(link->secrets);
	free(link->private_key_file);
	free(link->addresses.items);
	free_strings(&link->dns);
	free(link->table_name);
	for (size_t i = 0; i < CONF_N_HOOKS; i++)
		free_strings(&link->hooks[i]);
	free(link->bridge);
	free(link->namespace);
	free(link->masquerade.items);
	free(link->preshared_key_file);
	free(link->allowed_ips.items);
	free(link->wg_allowed_ips.items);
	free(link->endpoints);
	memset(link, 0, sizeof(*link));
}

static bool copy_items(const void *from, size_t n, size_t item_size, void **to)
{
	*to = NULL;
	if (n == 0)
		return true;
	*to = grow_list_for(n, item_size);
	if (*to == NULL)
		return false;
	memcpy(*to, from, n * item_size);
	return true;
}

static bool copy_string(const char *from, char **to)
{
	*to = from != NULL ? strdup(from) : NULL;
	return from == NULL || *to != NULL;
}

static bool copy_prefixes(const struct conf_prefixes *from, struct conf_prefixes *to)
{
	void *items;

	if (!copy_items(from->items, from->n, sizeof(*from->items), &items))
		return false;
	to->items = items;
	to->n = from->n;
	return true;
}

/* What is copied counts at once, so that a copy that ends halfway can be freed. */
static bool copy_strings(const struct conf_strings *from, struct conf_strings *to)
{
	void *items;

	if (!copy_items(from->items, from->n, sizeof(*from->items), &items))
		return false;
	to->items = items;
	for (to->n = 0; to->n < from->n; to->n++) {
		if (!copy_string(from->items[to->n], &to->items[to->n]))
			return false;
	}
	return true;
}

/* The members without anything behind them. */
static void copy_plain(const struct conf_link *from, struct conf_link *to)
{
	*to = *from;
	to->private_key_file = NULL;
	to->addresses = (struct conf_prefixes) { 0 };
	to->dns = (struct conf_strings) { 0 };
	to->table_name = NULL;
	memset(to->hooks, 0, sizeof(to->hooks));
	to->bridge = NULL;
	to->namespace = NULL;
	to->masquerade = (struct conf_prefixes) { 0 };
	to->preshared_key_file = NULL;
	to->allowed_ips = (struct conf_prefixes) { 0 };
	to->wg_allowed_ips = (struct conf_prefixes) { 0 };
	to->endpoints = NULL;
	to->n_endpoints = 0;
	to->secrets = NULL;
}

static bool copy_owned(const struct conf_link *from, struct conf_link *to)
{
	void *endpoints;
	bool ok = copy_string(from->private_key_file, &to->private_key_file) &&
		  copy_prefixes(&from->addresses, &to->addresses) &&
		  copy_strings(&from->dns, &to->dns) &&
		  copy_string(from->table_name, &to->table_name) &&
		  copy_string(from->bridge, &to->bridge) &&
		  copy_string(from->namespace, &to->namespace) &&
		  copy_prefixes(&from->masquerade, &to->masquerade) &&
		  copy_string(from->preshared_key_file, &to->preshared_key_file) &&
		  copy_prefixes(&from->allowed_ips, &to->allowed_ips) &&
		  copy_prefixes(&from->wg_allowed_ips, &to->wg_allowed_ips);

	for (size_t i = 0; ok && i < CONF_N_HOOKS; i++)
		ok = copy_strings(&from->hooks[i], &to->hooks[i]);
	if (!ok ||
	    !copy_items(from->endpoints, from->n_endpoints, sizeof(*from->endpoints), &endpoints))
		return false;
	to->endpoints = endpoints;
	to->n_endpoints = from->n_endpoints;
	return true;
}

int conf_link_copy(const struct conf_link *from, struct conf_link *to)
{
	copy_plain(from, to);
	if (from->secrets != NULL)
		to->secrets = secret_alloc(sizeof(*to->secrets));
	if ((from->secrets != NULL && to->secrets == NULL) || !copy_owned(from, to)) {
		conf_link_deinit(to);
		return -ENOMEM;
	}
	if (from->secrets != NULL)
		*to->secrets = *from->secrets;
	return 0;
}
