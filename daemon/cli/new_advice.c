/* What to do with the files of a new link; see new_advice.h. */
#include "daemon/cli/new_advice.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "conf/paths.h"

/* A path as a shell takes it. */
static const char *quoted(const char *path, char buf[static PATH_MAX + 3])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._+=@:,-";

	if (strspn(path, plain) == strlen(path))
		snprintf(buf, PATH_MAX + 3, "%s", path);
	else
		snprintf(buf, PATH_MAX + 3, "'%s'", path);
	return buf;
}

/* However it was spelled. */
static bool is_conf_dir(const char *dir)
{
	char real[PATH_MAX];

	return realpath(dir, real) != NULL && strcmp(real, PATHS_CONF_DIR) == 0;
}

static void print_places(const struct link_writer *writer, const char *dir,
			 const struct file_pair *pair, FILE *stream)
{
	const struct link_writer_end *far = &writer->ends[LINK_WRITER_THERE];
	const char *link = writer->link;
	bool is_ipv6 = strchr(far->host.host, ':') != NULL;
	char path[PATH_MAX + 3];

	fprintf(stream,
		"1. Put the files in their places. Both hold keys: nobody but root may read "
		"them.\n");
	if (is_conf_dir(dir))
		fprintf(stream, "   On this host nothing is to be done: %s is in its place.\n",
			pair->paths[LINK_WRITER_HERE]);
	else
		fprintf(stream,
			"   On this host:\n     install -D -m 600 %s " PATHS_CONF_DIR "/%s.conf\n",
			quoted(pair->paths[LINK_WRITER_HERE], path), link);
	quoted(pair->paths[LINK_WRITER_THERE], path);
	if (far->is_roaming)
		fprintf(stream,
			"   Bring %s to the far end as " PATHS_CONF_DIR "/%s.conf, mode 600,\n"
			"   then remove it here, because it is that host's secret:\n",
			path, link);
	else
		fprintf(stream,
			"   To the far end, and then away from here, because it is that host's "
			"secret:\n     scp -p %s root@%s%s%s:" PATHS_CONF_DIR "/%s.conf\n",
			path, is_ipv6 ? "[" : "", far->host.host, is_ipv6 ? "]" : "", link);
	fprintf(stream, "     rm %s\n", path);
}

static void print_firewalls(const struct link_writer *writer, FILE *stream)
{
	static const char *const names[LINK_WRITER_N_HOSTS] = { "This host", "The far end" };

	fprintf(stream, "2. Let the link through the firewalls:\n");
	for (size_t i = 0; i < LINK_WRITER_N_HOSTS; i++) {
		const struct link_writer_end *end = &writer->ends[i];

		if (end->is_roaming)
			fprintf(stream, "   %s calls the other: it needs no open port.\n",
				names[i]);
		else
			fprintf(stream, "   %s must receive UDP port %u at %s.\n", names[i],
				end->host.port, end->host.host);
	}
}

static void print_start(const struct link_writer *writer, FILE *stream)
{
	const struct prefix *first = &writer->ends[LINK_WRITER_THERE].addresses[0];
	char address[PREFIX_TEXT_MAX];

	prefix_format(first, address);
	address[strcspn(address, "/")] = '\0';
	fprintf(stream,
		"3. Start the link, now and whenever the hosts boot:\n"
		"   on this host:    systemctl enable --now vpnd@%s\n"
		"   on the far end:  systemctl enable --now vpnd@%s\n"
		"4. Try it from this host:\n     ping -c 3 %s\n",
		writer->link, writer->link, address);
}

void new_advice_print(const struct link_writer *writer, const char *dir,
		      const struct file_pair *pair, FILE *stream)
{
	fprintf(stream, "The link %s has two files:\n  %s  for this host\n  %s  for the far end\n",
		writer->link, pair->paths[LINK_WRITER_HERE], pair->paths[LINK_WRITER_THERE]);
	print_places(writer, dir, pair, stream);
	print_firewalls(writer, stream);
	print_start(writer, stream);
}
