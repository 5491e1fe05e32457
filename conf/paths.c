/* Links' names and the paths of their files; see paths.h. */
#include "conf/paths.h"

#include <stdio.h>
#include <string.h>

#include "conf/values.h"

#define SUFFIX ".conf"

static const char no_link_name[] =
	"is not the name of a link: 1 to 15 letters, digits or \"_=+.-\"";

static bool has_suffix(const char *name)
{
	size_t len = strlen(name);

	return len >= strlen(SUFFIX) && strcmp(name + len - strlen(SUFFIX), SUFFIX) == 0;
}

bool paths_link_file(const char *arg, char ret[static PATH_MAX], const char **reason)
{
	bool is_path = strchr(arg, '/') != NULL;
	int len;

	if (!is_path && !values_is_interface(arg)) {
		*reason = no_link_name;
		return false;
	}
	/* Only a path ends so; without this hint the answer would be that site.conf.conf is not
	   there. */
	if (!is_path && has_suffix(arg)) {
		*reason = "is the name of a file; give the link's name without \".conf\", or a "
			  "path with a \"/\" in it";
		return false;
	}
	if (is_path)
		len = snprintf(ret, PATH_MAX, "%s", arg);
	else
		len = snprintf(ret, PATH_MAX, "%s/%s%s", PATHS_CONF_DIR, arg, SUFFIX);
	if (len < 0 || len >= PATH_MAX) {
		*reason = "is too long for a path";
		return false;
	}
	return true;
}

/* Whether the kernel uses the name itself. */
static bool is_taken_name(const char *name)
{
	static const char *const taken[] = { "all", "default", "lo" };

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		if (strcmp(name, taken[i]) == 0)
			return true;
	}
	return false;
}

bool paths_link_name(const char *path, char ret[static IFNAMSIZ], const char **reason)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;
	size_t len = strlen(base);
	char name[IFNAMSIZ];

	if (!has_suffix(base)) {
		*reason = "the file's name does not end in \".conf\"";
		return false;
	}
	len -= strlen(SUFFIX);
	*reason = "the file's name without \".conf\" names the interface, and is no name for one: "
		  "1 to 15 letters, digits or \"_=+.-\"";
	if (len >= sizeof(name))
		return false;
	memcpy(name, base, len);
	name[len] = '\0';
	if (!values_is_interface(name))
		return false;
	if (is_taken_name(name)) {
		*reason =
			"the file's name without \".conf\" names the interface, but \"lo\" is the "
			"loopback interface, and \"all\" and \"default\" are the kernel's words "
			"for every interface; choose another name";
		return false;
	}
	memcpy(ret, name, len + 1);
	return true;
}
