/* `vpnd doctor`: other links of this host, by the files beside the link's own. */
#include <dirent.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/diag.h"
#include "conf/link_file.h"
#include "conf/paths.h"
#include "daemon/cli/doctor.h"
#include "daemon/cli/doctor_prefix.h"

#define OTHERS_MAX 256
/* Of lists that may be long, what is compared. */
#define PREFIXES_MAX 512

static void compare_networks(struct doctor *doctor, const struct conf_link *other)
{
	const struct conf_prefixes *own = &doctor->conf.allowed_ips;
	const struct conf_prefixes theirs = { .items = other->allowed_ips.items,
					      .n = MIN(other->allowed_ips.n, PREFIXES_MAX) };
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < MIN(own->n, PREFIXES_MAX); i++) {
		for (size_t j = 0; j < theirs.n; j++) {
			/* A narrower one beside a wider one is how routing works. */
			if (theirs.items[j].len != own->items[i].len ||
			    !prefix_overlaps(&theirs.items[j], &own->items[i]))
				continue;
			doctor_say(doctor, DOCTOR_WARN,
				   "Give each network to one link, or set Table = off.",
				   "the link %s has %s in its AllowedIPs as well: whichever starts "
				   "first gets the route",
				   other->name, prefix_format(&own->items[i], text));
			return;
		}
	}
}

static void compare(struct doctor *doctor, const struct conf_link *other)
{
	const struct conf_link *own = &doctor->conf;

	if (own->listen_port && other->listen_port == own->listen_port)
		doctor_say(doctor, DOCTOR_WARN, "Give one of them another ListenPort.",
			   "the link %s has ListenPort %u as well: only one of them can run",
			   other->name, own->listen_port);
	if (key_equal(&own->peer_key, &other->peer_key) &&
	    key_equal(&own->public_key, &other->public_key))
		doctor_say(
			doctor, DOCTOR_WARN,
			"Stop the other one, or give it keys of its own on both ends.",
			"the link %s has the same keys and the same peer: the peer takes both for "
			"one, which jumps between them",
			other->name);
	if (strcmp(own->namespace ? own->namespace : "",
		   other->namespace ? other->namespace : "") == 0)
		compare_networks(doctor, other);
}

/* Whether a name in the directory is the file of another link. */
static bool is_other(const struct doctor *doctor, const char *path, const char *entry)
{
	size_t len = strlen(entry);
	char name[IFNAMSIZ];
	const char *reason;

	return len > 5 && strcmp(entry + len - 5, ".conf") == 0 && entry[0] != '.' &&
	       paths_link_name(path, name, &reason) && strcmp(name, doctor->name) != 0;
}

static bool load_and_compare(struct doctor *doctor, const char *path)
{
	struct diag diag = DIAG_NULL(path);
	struct conf_link other;
	bool is_good = false;

	if (conf_link_init(&other) == 0) {
		link_file_load(path, &other, &diag);
		is_good = diag.n_errors == 0;
		if (is_good)
			compare(doctor, &other);
		conf_link_deinit(&other);
	}
	diag_deinit(&diag);
	return is_good;
}

void doctor_check_others(struct doctor *doctor)
{
	char copy[PATH_MAX], path[PATH_MAX + 256];
	const struct dirent *entry;
	size_t n = 0, n_before = doctor->findings.n;
	const char *dir_path;
	DIR *dir;

	if (!doctor->has_conf)
		return;
	memcpy(copy, doctor->path, sizeof(copy));
	dir_path = dirname(copy);
	dir = opendir(dir_path);
	while (dir && n < OTHERS_MAX && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", dir_path, entry->d_name);
		if (is_other(doctor, path, entry->d_name) && load_and_compare(doctor, path))
			n++;
	}
	if (dir)
		closedir(dir);
	if (n > 0 && doctor->findings.n == n_before)
		doctor_say(doctor, DOCTOR_OK, NULL,
			   "%zu other link%s of this host %s not in the way", n, n == 1 ? "" : "s",
			   n == 1 ? "is" : "are");
}
