/*
 * Fuzz target: a link file of any bytes. Whatever is in it, the model keeps its limits, findings
 * stand in lines of the file and are printable, and the same text always gives the same result.
 * Where there is no error, everything that the daemon relies on must be there.
 */
#include "tests/fuzz/file_target.h"

#include "common/keytext.h"
#include "conf/link_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No key is repeated in a finding. */
static void check_secrets(const struct diag *diag, const struct conf_link *link)
{
	char private_key[KEYTEXT_LEN + 1];
	char preshared_key[KEYTEXT_LEN + 1];

	keytext_encode(&link->secrets->private_key, private_key);
	keytext_encode(&link->secrets->preshared_key, preshared_key);
	for (size_t i = 0; i < diag->n_items; i++) {
		check(strstr(diag->items[i].text, private_key) == NULL);
		check(strstr(diag->items[i].text, preshared_key) == NULL);
	}
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

static void read_file(const char *text, size_t size, struct diag *diag)
{
	struct conf_link link;

	check(conf_link_init(&link) == 0);
	link_file_parse(text, size, &link, diag);
	check_secrets(diag, &link);
	check_limits(&link);
	if (diag->n_errors == 0)
		check_good_link(&link);
	conf_link_deinit(&link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return read_twice(read_file, data, size);
}
