/* Names of routing tables; see rt_tables.h. */
#include "conf/rt_tables.h"

#include <glob.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/parse.h"

#define LINE_LEN 512
#define BLANKS   " \t\r\n"

/* Where tables are named, most important first; the newer iproute2 ships its own in one of the
   two places in /usr. */
static const char *const places[] = { "/etc/iproute2", "/usr/share/iproute2", "/usr/lib/iproute2" };

/* Whether one line names the table. */
static bool read_line(char *line, const char *name, uint32_t *ret)
{
	char *rest = NULL;
	const char *number, *word;
	uint64_t value;

	line[strcspn(line, "#")] = '\0';
	number = strtok_r(line, BLANKS, &rest);
	word = strtok_r(NULL, BLANKS, &rest);
	if (number == NULL || word == NULL || strcmp(word, name) != 0 ||
	    !parse_number(number, UINT32_MAX, &value) || value == RT_TABLE_UNSPEC)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static bool read_file(const char *path, const char *name, uint32_t *ret)
{
	FILE *file = fopen(path, "re");
	char line[LINE_LEN];
	bool is_found = false;

	if (file == NULL)
		return false;
	while (!is_found && fgets(line, sizeof(line), file) != NULL)
		is_found = read_line(line, name, ret);
	fclose(file);
	return is_found;
}

/* Whether an earlier place has a file of this name, which counts instead. */
static bool is_overridden(const char *root, size_t place, const char *name)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < place; i++) {
		snprintf(path, sizeof(path), "%s%s/%s", root, places[i], name);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

static bool read_place(const char *root, size_t place, const char *name, uint32_t *ret)
{
	int prefix_len = (int)(strlen(root) + strlen(places[place]) + 1);
	char path[PATH_MAX];
	bool is_found = false;
	glob_t found;

	snprintf(path, sizeof(path), "%s%s/rt_tables", root, places[place]);
	if (!is_overridden(root, place, "rt_tables") && read_file(path, name, ret))
		return true;
	snprintf(path, sizeof(path), "%s%s/rt_tables.d/*.conf", root, places[place]);
	if (glob(path, 0, NULL, &found) != 0)
		return false;
	for (size_t i = 0; i < found.gl_pathc && !is_found; i++)
		is_found = !is_overridden(root, place, found.gl_pathv[i] + prefix_len) &&
			   read_file(found.gl_pathv[i], name, ret);
	globfree(&found);
	return is_found;
}

bool rt_tables_find(const char *root, const char *name, uint32_t *ret)
{
	static const struct {
		const char *name;
		uint32_t table;
	} fixed[] = {
		{ "default", RT_TABLE_DEFAULT },
		{ "main", RT_TABLE_MAIN },
		{ "local", RT_TABLE_LOCAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (read_place(root, i, name, ret))
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (strcmp(fixed[i].name, name) == 0) {
			*ret = fixed[i].table;
			return true;
		}
	}
	return false;
}
