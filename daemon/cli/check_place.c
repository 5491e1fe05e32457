/* Bridge, namespace, key files and user, as they are now; see check_place.h. */
#include "daemon/cli/check_place.h"

#include <errno.h>
#include <fnmatch.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/paths.h"
#include "daemon/host/bridge.h"
#include "daemon/host/netns.h"
#include "daemon/host/rights.h"

static bool check_namespace(const struct conf_link *link, struct diag *diag)
{
	int fd = netns_open(link->namespace);
	char text[NETNS_TEXT_MAX];

	if (fd >= 0) {
		close(fd);
		return true;
	}
	if (fd == -ENOENT || fd == -EINVAL) {
		netns_explain(link->namespace, fd, text);
		diag_warning(diag, 0, "Namespace: `vpnd run` would fail now: %s", text);
	}
	return false;
}

static void check_bridge(const struct conf_link *link, struct diag *diag)
{
	struct netlink nl = NETLINK_NULL;
	char text[BRIDGE_TEXT_MAX];
	struct nl_link bridge;
	int answer;

	if (netns_open_netlink(link->namespace, &nl) < 0)
		return;
	answer = bridge_find(&nl, link->bridge, &bridge);
	if (answer == BRIDGE_OTHER || (answer == BRIDGE_MISSING && !link->bridge_create)) {
		bridge_explain(link->bridge, answer, text);
		diag_warning(diag, 0, "Bridge: `vpnd run` would fail now: %s", text);
	} else if (answer == 0 && link->mtu != 0 && link->mtu != bridge.mtu) {
		diag_warning(diag, 0,
			     "Bridge: %s has an MTU of %u and the link one of %u: full-size frames "
			     "of the wider one are dropped; leave MTU out",
			     link->bridge, bridge.mtu, link->mtu);
	}
	netlink_close(&nl);
}

void check_place(const struct conf_link *link, struct diag *diag)
{
	if (link->namespace && !check_namespace(link, diag))
		return;
	if (link->bridge)
		check_bridge(link, diag);
}

/* Becomes the user in a child, and looks. What cannot be found out is no finding. */
static bool may_read(const struct passwd *user, const char *path)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		bool is_user = initgroups(user->pw_name, user->pw_gid) == 0 &&
			       setgid(user->pw_gid) == 0 && setuid(user->pw_uid) == 0;

		_exit(is_user && access(path, R_OK) < 0 && errno == EACCES ? 1 : 0);
	}
	return child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
	       WEXITSTATUS(status) == 0;
}

/* What the unit hides: systemd.exec(5), ProtectHome=yes. */
static bool is_in_home(const char *path)
{
	static const char *const homes[] = { "/home/", "/root/", "/run/user/" };

	for (size_t i = 0; i < ARRAY_SIZE(homes); i++) {
		if (strncmp(path, homes[i], strlen(homes[i])) == 0)
			return true;
	}
	return false;
}

/* The files to which each start of the unit gives the service's group the right to read. */
static bool is_made_readable(const char *path)
{
	return fnmatch(PATHS_CONF_DIR "/*.key", path, FNM_PATHNAME) == 0 ||
	       fnmatch(PATHS_CONF_DIR "/*.psk", path, FNM_PATHNAME) == 0;
}

static void check_key_file(const char *key, const char *name, const struct passwd *user,
			   struct diag *diag)
{
	char path[PATH_MAX], *real;
	int len = snprintf(path, sizeof(path), "%s%s", name[0] == '/' ? "" : PATHS_CONF_DIR "/",
			   name);

	/* A credential has no path, and is always there for the unit that names it. */
	if (strncmp(name, "credential:", strlen("credential:")) == 0 || len < 0 ||
	    len >= (int)sizeof(path))
		return;
	real = realpath(path, NULL);
	if (real && is_in_home(real))
		diag_warning(diag, 0,
			     "%s lies in a home directory, which the unit vpnd@.service hides from "
			     "the link (ProtectHome=yes): move it to " PATHS_CONF_DIR,
			     key);
	else if (real && user && !is_made_readable(real) && !may_read(user, real))
		diag_warning(diag, 0,
			     "%s may not be read by the user %s, as which the unit vpnd@.service "
			     "runs the link: `chgrp vpnd` and `chmod 640` the file, or move it "
			     "to " PATHS_CONF_DIR " with a name that ends in .key or .psk",
			     key, user->pw_name);
	free(real);
}

/* Only root can look as another user, and only links of this directory are the unit's. */
void check_key_files(const char *path, const struct conf_host *host, const struct conf_link *link,
		     struct diag *diag)
{
	char *real = geteuid() == 0 ? realpath(path, NULL) : NULL;
	const struct passwd *user;

	if (real && strcmp(dirname(real), PATHS_CONF_DIR) == 0) {
		user = getpwnam(host->rights.user); /* NOLINT(concurrency-mt-unsafe): one thread */
		if (link->private_key_file)
			check_key_file("PrivateKeyFile", link->private_key_file, user, diag);
		if (link->preshared_key_file)
			check_key_file("PresharedKeyFile", link->preshared_key_file, user, diag);
	}
	free(real);
}

void check_user(const struct conf_host *host, struct diag *diag)
{
	char text[RIGHTS_TEXT_MAX];
	struct conf_host standard;

	conf_host_init(&standard);
	if (strcmp(host->rights.user, standard.rights.user) != 0 &&
	    rights_check_user(host->rights.user, text) < 0)
		diag_error(diag, 0, "rights.user: %s", text);
}
