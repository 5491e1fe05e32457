/* `vpnd check`: every finding in the files named; nothing is started or changed. */
#include <stdio.h>
#include <string.h>

#include "common/diag.h"
#include "conf/link_file.h"
#include "conf/paths.h"
#include "daemon/cli/cmds.h"
#include "daemon/cli/supported.h"

static enum exit_code check_file(const char *path)
{
	struct diag diag = DIAG_NULL(path);
	struct conf_link link;
	enum exit_code code;

	if (conf_link_init(&link) < 0) {
		fputs("vpnd: not enough memory\n", stderr);
		return EXIT_SYSTEM;
	}
	link_file_load(path, &link, &diag);
	supported_check(&link, DIAG_WARNING, &diag);
	diag_print(&diag, stderr);
	code = diag.code;
	if (code == EXIT_DONE)
		printf("%s: good\n", path);
	diag_deinit(&diag);
	conf_link_deinit(&link);
	return code;
}

int cmd_check(int argc, char **argv)
{
	enum exit_code worst = EXIT_DONE;

	if (argc < 2)
		return cmd_usage("check LINK|PATH...");
	for (int i = 1; i < argc; i++) {
		char path[PATH_MAX];
		const char *reason;
		enum exit_code code;

		if (!paths_link_file(argv[i], path, &reason)) {
			fprintf(stderr, "vpnd: argument %d %s\n", i, reason);
			return EXIT_USAGE;
		}
		code = check_file(path);
		worst = MAX(worst, code);
	}
	return (int)worst;
}
