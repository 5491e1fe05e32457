/* The life of a conf_link: defaults, growth of its lists, and its end. */
#include "conf/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	free(link->preshared_key_file);
	free(link->allowed_ips.items);
	free(link->endpoints);
	memset(link, 0, sizeof(*link));
}

void *conf_grow(void *items, size_t n, size_t item_size)
{
	if ((n & (n - 1)) != 0)
		return items;
	return reallocarray(items, n == 0 ? 1 : n * 2, item_size);
}
