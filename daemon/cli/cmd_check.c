/*
 * `vpnd check`: every finding in the host file and in the link files named, as `vpnd run` would
 * have them; nothing is started or changed. With --diff also what a reload would change.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "conf/host_file.h"
#include "conf/link_file.h"
#include "conf/paths.h"
#include "daemon/cli/check_diff.h"
#include "daemon/cli/check_place.h"
#include "daemon/cli/cmds.h"
#include "daemon/cli/load.h"

static enum exit_code check_link(const char *path, const struct conf_host *host, bool wants_diff)
{
	struct diag diag = DIAG_NULL(path);
	struct conf_link link;
	enum exit_code code;

	if (conf_link_init(&link) < 0) {
		fputs("vpnd: not enough memory\n", stderr);
		return EXIT_SYSTEM;
	}
	link_file_check(path, &link, &diag);
	conf_host_apply_defaults(host, &link);
	conf_host_check_link(host, &link, &diag);
	if (diag.n_errors == 0) {
		check_place(&link, &diag);
		check_key_files(path, host, &link, &diag);
	}
	code = load_end(&diag);
	if (code == EXIT_DONE && wants_diff)
		code = check_diff(path, &link);
	else if (code == EXIT_DONE)
		printf("%s: good\n", path);
	conf_link_deinit(&link);
	return code;
}

int cmd_check(int argc, char **argv)
{
	static const char usage[] = "check [-c HOST-FILE] [--diff] LINK|PATH...";
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "diff", no_argument, NULL, 'd' },
		{ 0 },
	};
	const char *host_path = HOST_FILE_PATH;
	struct conf_host host;
	enum exit_code worst;
	bool wants_diff = false;
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (option == 'd')
			wants_diff = true;
		else if (option == 'c')
			host_path = optarg;
		else
			return cmd_usage(usage);
	}
	if (optind == argc)
		return cmd_usage(usage);
	worst = load_host(host_path, &host);
	for (int i = optind; i < argc; i++) {
		char path[PATH_MAX];
		const char *reason;
		enum exit_code code;

		if (!paths_link_file(argv[i], path, &reason)) {
			fprintf(stderr, "vpnd: argument %d %s\n", i, reason);
			return EXIT_USAGE;
		}
		code = check_link(path, &host, wants_diff);
		worst = MAX(worst, code);
	}
	return (int)worst;
}
