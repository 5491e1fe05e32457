/*
 * For tests of the helper: the link file, without a file.
 */
#ifndef TESTS_UNIT_HELPER_FILE_H
#define TESTS_UNIT_HELPER_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "daemon/core/helper.h"

static struct conf_host host;

/* The file, as it is "read". */
static const char *file_bridge, *file_command, *file_dns;
static uint16_t file_port;
static bool is_file_bad;

static void add_text(struct conf_strings *list, const char *text)
{
	list->items = grow_list(list->items, list->n, sizeof(*list->items));
	list->items[list->n++] = strdup(text);
}

static void load(void *context, struct conf_link *conf, struct diag *diag)
{
	(void)context;
	if (conf_link_init(conf) < 0)
		abort();
	snprintf(conf->name, sizeof(conf->name), "helper-test");
	conf->bridge = file_bridge ? strdup(file_bridge) : NULL;
	conf->listen_port = file_port;
	if (file_command)
		add_text(&conf->hooks[CONF_POST_UP], file_command);
	if (file_dns)
		add_text(&conf->dns, file_dns);
	memset(conf->secrets->private_key.bytes, 7, 32);
	if (is_file_bad)
		diag_error(diag, 3, "something is wrong");
	diag_warning(diag, 4, "something is odd");
}

/* Its name is that of a file whose commands may be run: root alone can write it. */
static const struct helper_env env = {
	.link = "helper-test", .file = "/etc/passwd", .host = &host, .load = load
};

static void reset_file(void)
{
	conf_host_init(&host);
	file_bridge = file_command = file_dns = NULL;
	file_port = 0;
	is_file_bad = false;
}

#endif
