/* What a host's decisions mean for its links; see host_model.h. */
#include "conf/host_model.h"

#include <string.h>

#include "conf/host_keys.h"
#include "conf/keys.h"

#define USER_DEFAULT "vpnd"

void conf_host_init(struct conf_host *host)
{
	memset(host, 0, sizeof(*host));
	for (size_t i = 0; i < HOST_KEYS_N; i++) {
		if (host_keys_table[i].type == HOST_KEYS_USER)
			(void)!host_keys_set_user(&host_keys_table[i], host, USER_DEFAULT);
		else
			host_keys_set(&host_keys_table[i], host, host_keys_table[i].fallback);
	}
}

void conf_host_apply_defaults(const struct conf_host *host, struct conf_link *link)
{
	if (!link->given.mtu)
		link->mtu = host->defaults.mtu;
	if (!link->given.persistent_keepalive)
		link->persistent_keepalive = (uint16_t)host->defaults.persistent_keepalive;
	if (!link->given.cipher)
		link->cipher = host->defaults.cipher;
}

void conf_host_check_link(const struct conf_host *host, const struct conf_link *link,
			  struct diag *diag)
{
	for (size_t i = 0; i < CONF_N_HOOKS; i++) {
		if (!host->rights.hooks && link->hooks[i].n > 0)
			diag_error(diag, 0,
				   "%s is given, but the host file forbids commands with "
				   "rights.hooks = false; take it out or change that",
				   keys_hook_name((enum conf_hook)i));
	}
}
