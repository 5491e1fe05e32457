/* What this build cannot do yet; see supported.h. */
#include "daemon/cli/supported.h"

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
