/* What this build cannot do yet; see supported.h. */
#include "daemon/cli/supported.h"

static bool has_default_route(const struct conf_link *conf)
{
	for (size_t i = 0; i < conf->allowed_ips.n; i++) {
		if (conf->allowed_ips.items[i].len == 0)
			return true;
	}
	return false;
}

void supported_check(const struct conf_link *conf, enum diag_level level, struct diag *diag)
{
	const struct {
		bool is_used;
		const char *what;
		const char *instead;
	} features[] = {
		{ conf->mode == CONF_MODE_TAP, "Mode = tap", "use tun" },
		{ conf->bridge != NULL, "Bridge", "take it out" },
		{ conf->namespace != NULL, "Namespace", "take it out" },
		{ conf->dns.n > 0, "DNS", "take it out and set the name server yourself" },
		{ conf->table_kind == CONF_TABLE_ID || conf->table_kind == CONF_TABLE_NAME,
		  "a Table other than auto and off",
		  "set Table = off and add the routes yourself" },
		{ conf->table_kind == CONF_TABLE_AUTO && has_default_route(conf),
		  "a default route in AllowedIPs with Table = auto",
		  "set Table = off and add the routes yourself" },
		{ conf->ready_when == CONF_READY_HANDSHAKE, "ReadyWhen = handshake",
		  "take it out" },
		{ conf->hooks[CONF_PRE_UP].n > 0, "PreUp", "run the command yourself" },
		{ conf->hooks[CONF_POST_UP].n > 0, "PostUp", "run the command yourself" },
		{ conf->hooks[CONF_PRE_DOWN].n > 0, "PreDown", "run the command yourself" },
		{ conf->hooks[CONF_POST_DOWN].n > 0, "PostDown", "run the command yourself" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		if (!features[i].is_used)
			continue;
		if (level == DIAG_ERROR)
			diag_error(diag, 0,
				   "the link file uses %s, which this build does not do "
				   "yet: %s",
				   features[i].what, features[i].instead);
		else
			diag_warning(diag, 0,
				     "`vpnd run` will refuse %s, which this build does "
				     "not do yet: %s",
				     features[i].what, features[i].instead);
	}
}
