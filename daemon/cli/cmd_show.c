/*
 * `vpnd show`: what the links of this host do, as they say themselves. One link is shown with
 * everything, several in a table.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/paths.h"
#include "daemon/cli/cmds.h"
#include "daemon/cli/show_text.h"
#include "daemon/cli/show_watch.h"
#include "daemon/cli/terminal.h"
#include "daemon/ctl/status_json.h"
#include "daemon/ctl/status_server.h"

struct show_options {
	const char *name; /* NULL: all */
	bool is_json;
	bool watches;
};

/* In the place of what a link would say itself. */
static json_t *say_error(const struct status_answer *link)
{
	return json_pack("{s:i, s:s, s:s, s:s}", "version", STATUS_JSON_VERSION, "link", link->name,
			 "state", status_ask_state(link), "state_text",
			 status_ask_error(link->error));
}

/* An array, also of one: who reads it need not know how many there are. */
static void print_json(const struct status_answers *links)
{
	json_t *array = json_array();

	for (size_t i = 0; i < links->n; i++) {
		const struct status_answer *link = &links->items[i];

		json_array_append_new(array,
				      link->json ? json_incref(link->json) : say_error(link));
	}
	json_dumpf(array, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(array);
}

static void print_text(const struct status_answers *links, bool is_all)
{
	const struct show_style style = {
		.has_colours = terminal_has_colours(),
		.columns = terminal_columns(),
	};
	bool is_table = links->n > 1;

	if (links->n == 0 && is_all)
		fputs("vpnd: no link runs here, and there is no link file in " PATHS_CONF_DIR
		      "; `vpnd new` makes one\n",
		      stderr);
	if (is_table)
		show_head(stdout, &style);
	for (size_t i = 0; i < links->n; i++) {
		if (is_table)
			show_row(stdout, &style, &links->items[i], NULL);
		else
			show_link(stdout, &style, &links->items[i], NULL);
	}
}

static enum exit_code show(const struct show_options *options)
{
	bool is_all = options->name == NULL;
	struct status_answer one;
	struct status_answers links = { .items = &one, .n = 1 };
	enum exit_code code;
	int r = 0;

	if (is_all)
		r = status_ask_all(STATUS_DIR, PATHS_CONF_DIR, &links);
	else
		status_ask(STATUS_DIR, options->name, &one);
	if (r < 0) {
		fprintf(stderr, "vpnd: cannot look for links in " STATUS_DIR ": %s\n",
			strerror(-r));
		return r == -EACCES ? EXIT_PERMISSION : EXIT_SYSTEM;
	}
	if (options->is_json)
		print_json(&links);
	else
		print_text(&links, is_all);
	code = status_ask_code(&links, is_all);
	if (is_all)
		status_answers_deinit(&links);
	else
		status_answer_deinit(&one);
	return fflush(stdout) == 0 ? code : EXIT_SYSTEM;
}

int cmd_show(int argc, char **argv)
{
	static const char usage[] = "show [LINK] [--json | --watch]";
	static const struct option long_options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "watch", no_argument, NULL, 'w' },
		{ 0 },
	};
	struct show_options options = { 0 };
	char path[PATH_MAX], name[IFNAMSIZ];
	const char *reason;
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == 'j')
			options.is_json = true;
		else if (option == 'w')
			options.watches = true;
		else
			return cmd_usage(usage);
	}
	if (optind + 1 < argc || (options.is_json && options.watches))
		return cmd_usage(usage);
	if (optind < argc) {
		if (!paths_link_file(argv[optind], path, &reason) ||
		    !paths_link_name(path, name, &reason)) {
			fprintf(stderr, "vpnd: the argument of `vpnd show` %s\n", reason);
			return EXIT_USAGE;
		}
		options.name = name;
	}
	if (options.watches)
		return (int)show_watch(STATUS_DIR, PATHS_CONF_DIR, options.name,
				       terminal_has_colours());
	return (int)show(&options);
}
