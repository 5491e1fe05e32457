/* Files that a command reads; see load.h. */
#include "daemon/cli/load.h"

#include <stdio.h>

#include "conf/host_file.h"
#include "daemon/cli/check_place.h"

enum exit_code load_end(struct diag *diag)
{
	enum exit_code code = diag->code;

	diag_print(diag, stderr);
	diag_deinit(diag);
	return code;
}

enum exit_code load_host(const char *path, struct conf_host *host)
{
	struct diag diag = DIAG_NULL(path);

	conf_host_init(host);
	host_file_load(path, host, &diag);
	check_user(host, &diag);
	return load_end(&diag);
}
