/*
 * Fuzz target: a link file of any bytes. Whatever is in it, the model keeps its limits, findings
 * stand in lines of the file and are printable, and the same text always gives the same result.
 * Where there is no error, everything that the daemon relies on must be there.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/keytext.h"
#include "conf/link_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_findings(const struct diag *diag, const struct conf_link *link, size_t n_lines)
{
	char private_key[KEYTEXT_LEN + 1];
	char preshared_key[KEYTEXT_LEN + 1];
	size_t n_errors = 0;

	keytext_encode(&link->secrets->private_key, private_key);
	keytext_encode(&link->secrets->preshared_key, preshared_key);
	for (size_t i = 0; i < diag->n_items; i++) {
		const struct diag_item *item = &diag->items[i];

		n_errors += item->level == DIAG_ERROR;
		check(item->line <= n_lines);
		check(item->text[0] != '\0');
		for (const char *c = item->text; *c != '\0'; c++)
			check(*c >= ' ' && *c < 0x7f);
		check(strstr(item->text, private_key) == NULL);
		check(strstr(item->text, preshared_key) == NULL);
	}
	check(n_errors <= diag->n_errors);
	check((diag->n_errors == 0) == (diag->code == EXIT_DONE));
}

static void check_limits(const struct conf_link *link)
{
	check(link->addresses.n <= CONF_ADDRESSES_MAX);
	check(link->dns.n <= CONF_DNS_MAX);
	check(link->n_endpoints <= CONF_ENDPOINTS_MAX);
	for (size_t i = 0; i < CONF_N_HOOKS; i++)
		check(link->hooks[i].n <= CONF_HOOKS_MAX);
	check(link->mtu == 0 || (link->mtu >= CONF_MTU_MIN && link->mtu <= CONF_MTU_MAX));
	for (size_t i = 0; i < link->allowed_ips.n; i++)
		check(!prefix_has_host_bits(&link->allowed_ips.items[i]));
	check(link->bridge == NULL || strlen(link->bridge) < IFNAMSIZ);
	check(link->namespace == NULL || strchr(link->namespace, '/') == NULL);
}

static void check_good_link(const struct conf_link *link)
{
	check(!key_is_zero(&link->peer_key));
	check(link->private_key_file != NULL || !key_is_zero(&link->public_key));
	check(link->private_key_file == NULL || key_is_zero(&link->secrets->private_key));
	check(!key_equal(&link->peer_key, &link->public_key));
	check(link->bridge == NULL || link->mode == CONF_MODE_TAP);
	check((link->table_kind == CONF_TABLE_NAME) == (link->table_name != NULL));
}

/* What is said about a text, to be compared with what is said the next time. */
static char *read_once(const char *text, size_t size, size_t n_lines)
{
	struct diag diag = DIAG_NULL("x");
	struct conf_link link;
	char *said = NULL;
	size_t said_size = 0;
	FILE *stream = open_memstream(&said, &said_size);

	check(stream != NULL && conf_link_init(&link) == 0);
	link_file_parse(text, size, &link, &diag);
	check_findings(&diag, &link, n_lines);
	check_limits(&link);
	if (diag.n_errors == 0)
		check_good_link(&link);
	diag_print(&diag, stream);
	fclose(stream);
	diag_deinit(&diag);
	conf_link_deinit(&link);
	return said;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t n_lines = 1;
	char *first;
	char *second;

	for (size_t i = 0; i < size; i++)
		n_lines += text[i] == '\n';
	first = read_once(text, size, n_lines);
	second = read_once(text, size, n_lines);
	check(strcmp(first, second) == 0);
	free(first);
	free(second);
	return 0;
}
