/*
 * `vpnd cleanup`: takes back what a killed process of a link has left on this host. The next start
 * does the same first; this is for a link that is not to be started again (ExecStopPost=).
 */
#include <stdio.h>

#include "common/log.h"
#include "conf/paths.h"
#include "daemon/cli/cmds.h"
#include "daemon/core/outside.h"

int cmd_cleanup(int argc, char **argv)
{
	const char *reason;
	char path[PATH_MAX];
	char name[IFNAMSIZ];

	if (argc != 2 || argv[1][0] == '-')
		return cmd_usage("cleanup LINK|PATH");
	/* The file need not be there any more: only its name counts. */
	if (!paths_link_file(argv[1], path, &reason) || !paths_link_name(path, name, &reason)) {
		fprintf(stderr, "vpnd: the argument of `vpnd cleanup` %s\n", reason);
		return EXIT_USAGE;
	}
	log_init(name, LOG_LEVEL_INFO);
	return (int)outside_clean_up(name);
}
