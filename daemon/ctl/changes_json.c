/* What a reload would change, as JSON; see changes_json.h. */
#include "daemon/ctl/changes_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The findings as `vpnd check` prints them, a line each. */
static json_t *list_findings(const struct diag *diag)
{
	json_t *array = json_array();
	char *text = NULL, *rest;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out || !array) {
		if (out)
			fclose(out);
		free(text);
		json_decref(array);
		return NULL;
	}
	diag_print(diag, out);
	if (fclose(out) == 0) {
		rest = text;
		for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
			if (*line)
				json_array_append_new(array, json_string(line));
		}
	}
	free(text);
	return array;
}

static json_t *list_changes(const struct conf_changes *changes)
{
	json_t *array = changes ? json_array() : json_null();

	for (size_t i = 0; changes && i < changes->n_items; i++) {
		const struct conf_change *change = &changes->items[i];

		json_array_append_new(array, json_pack("{s:s, s:s, s:s}", "key",
						       keys_table[change->key].name, "text",
						       change->text, "how", change->how));
	}
	return array;
}

char *changes_json(const char *link, const char *file, const struct diag *diag,
		   const struct conf_changes *changes)
{
	json_t *path = json_string(file);
	json_t *json;
	char *text;

	/* A path that is not UTF-8 cannot be told. */
	if (!path)
		path = json_string("?");
	json = json_pack("{s:i, s:s, s:o, s:i, s:o, s:o}", "version", CHANGES_JSON_VERSION, "link",
			 link, "file", path, "code", (int)diag->code, "findings",
			 list_findings(diag), "changes", list_changes(changes));
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	return text;
}
