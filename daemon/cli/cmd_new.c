/*
 * `vpnd new`: makes a link, that is, both hosts' files.
 *
 * DIR/LINK.conf is for this host and lies where `vpnd run LINK` looks for it (DIR is /etc/vpnd
 * unless --out says otherwise). DIR/there/LINK.conf is for the far end: it has the name that it
 * must have on that host, which is why it lies in a directory of its own.
 *
 * The texts are made in memory first; then both files are written, or none; then they are read
 * back as `vpnd check` reads them, and taken away again should anything be wrong with them. What
 * the administrator has to do with them is printed at the end.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/parse.h"
#include "common/secret.h"
#include "conf/link_file.h"
#include "conf/paths.h"
#include "conf/values.h"
#include "daemon/cli/address_plan.h"
#include "daemon/cli/cmds.h"
#include "daemon/cli/file_pair.h"
#include "daemon/cli/host_arg.h"
#include "daemon/cli/link_writer.h"
#include "daemon/cli/load.h"
#include "daemon/cli/new_advice.h"
#include "daemon/proto/primitives.h"

#define HERE          LINK_WRITER_HERE
#define THERE         LINK_WRITER_THERE
#define THERE_DIR     "there"
#define RANDOM_NET    "random"
#define NO_FIXED_HOST "-"

_Static_assert((int)LINK_WRITER_N_HOSTS == FILE_PAIR_N, "a file for each host");

/* Everything that the command works on. */
struct new_link {
	struct link_writer writer;
	struct link_writer_secrets *secrets;
	struct file_pair pair;
	const char *dir;
	char there_dir[PATH_MAX];
	bool has_host[LINK_WRITER_N_HOSTS];
	bool made_dir, made_there_dir;
};

static const char usage[] = "new LINK --here HOST[:PORT]|- --there HOST[:PORT]|- "
			    "[--net PREFIX|random]... [--tap] [--out DIR]";

static const char *const host_options[LINK_WRITER_N_HOSTS] = { "--here", "--there" };

/* Complains about the value of an option. */
static enum exit_code wrong_value(const char *option, const char *value, const char *reason)
{
	char escaped[128];

	fprintf(stderr, "vpnd: %s %s %s\n", option,
		parse_escape(value, strlen(value), escaped, sizeof(escaped)), reason);
	return EXIT_USAGE;
}

/* --- arguments ----------------------------------------------------------------------- */

static enum exit_code take_host(struct new_link *new, enum link_writer_host which, const char *text)
{
	struct link_writer_end *end = &new->writer.ends[which];
	const char *reason;

	new->has_host[which] = true;
	end->is_roaming = strcmp(text, NO_FIXED_HOST) == 0;
	if (!end->is_roaming && !host_arg_parse(text, HOST_ARG_PORT, &end->host, &reason))
		return wrong_value(host_options[which], text, reason);
	return EXIT_DONE;
}

static enum exit_code add_net(struct new_link *new, const struct prefix *net, const char *text)
{
	struct link_writer_end *ends = new->writer.ends;
	size_t n = ends[HERE].n_addresses;
	struct address_plan plan;
	const char *reason;

	if (!address_plan_make(net, &plan, &reason))
		return wrong_value("--net", text, reason);
	for (size_t i = 0; i < n; i++) {
		if (ends[HERE].addresses[i].family == net->family)
			return wrong_value("--net", text,
					   "is the second of its family; give one network for "
					   "IPv4, one for IPv6, or one of each");
	}
	ends[HERE].addresses[n] = plan.here;
	ends[THERE].addresses[n] = plan.there;
	ends[HERE].n_addresses = ends[THERE].n_addresses = n + 1;
	return EXIT_DONE;
}

static enum exit_code take_net(struct new_link *new, const char *text)
{
	struct prefix net;
	const char *reason;

	if (strcmp(text, RANDOM_NET) == 0)
		net = address_plan_random();
	else if (!prefix_parse(text, &net, &reason))
		return wrong_value("--net", text, reason);
	return add_net(new, &net, text);
}

static enum exit_code take_link(struct new_link *new, const char *name)
{
	char path[PATH_MAX], link[IFNAMSIZ];
	const char *reason;

	if (strchr(name, '/') != NULL)
		return wrong_value("link", name,
				   "is a path; give the link's name, and --out for the directory");
	if (paths_link_name(name, link, &reason))
		return wrong_value("link", name,
				   "is the name of a file; give the link's name without \".conf\"");
	if (!paths_link_file(name, path, &reason))
		return wrong_value("link", name, reason);
	new->writer.link = name;
	return EXIT_DONE;
}

/* What no single argument can say. */
static enum exit_code check_hosts(const struct new_link *new)
{
	const struct link_writer_end *ends = new->writer.ends;

	for (size_t i = 0; i < LINK_WRITER_N_HOSTS; i++) {
		if (new->has_host[i])
			continue;
		fprintf(stderr,
			"vpnd: %s is missing: it says where %s is reached, as HOST or HOST:PORT; "
			"\"-\" if it has no fixed address\n",
			host_options[i], i == HERE ? "this host" : "the far end");
		return EXIT_USAGE;
	}
	if (ends[HERE].is_roaming && ends[THERE].is_roaming) {
		fputs("vpnd: --here and --there cannot both be \"-\": at least one end must be "
		      "where the other can find it\n",
		      stderr);
		return EXIT_USAGE;
	}
	if (!ends[HERE].is_roaming && !ends[THERE].is_roaming &&
	    strcasecmp(ends[HERE].host.host, ends[THERE].host.host) == 0 &&
	    ends[HERE].host.port == ends[THERE].host.port) {
		fputs("vpnd: --here and --there are the same host and port; --here is the address "
		      "at which the far end reaches this host\n",
		      stderr);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

static enum exit_code take_arguments(struct new_link *new, int argc, char **argv)
{
	static const struct option options[] = {
		{ "here", required_argument, NULL, 'h' }, { "there", required_argument, NULL, 't' },
		{ "net", required_argument, NULL, 'n' },  { "tap", no_argument, NULL, 'e' },
		{ "out", required_argument, NULL, 'o' },  { 0 },
	};
	enum exit_code code = EXIT_DONE;
	int option;

	while (code == EXIT_DONE && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			code = take_host(new, HERE, optarg);
		else if (option == 't')
			code = take_host(new, THERE, optarg);
		else if (option == 'n')
			code = take_net(new, optarg);
		else if (option == 'e')
			new->writer.is_tap = true;
		else if (option == 'o')
			new->dir = optarg;
		else
			return (enum exit_code)cmd_usage(usage);
	}
	if (code != EXIT_DONE)
		return code;
	if (optind + 1 != argc)
		return (enum exit_code)cmd_usage(usage);
	code = take_link(new, argv[optind]);
	if (code == EXIT_DONE)
		code = check_hosts(new);
	if (code == EXIT_DONE && new->writer.ends[HERE].n_addresses == 0)
		code = take_net(new, RANDOM_NET);
	return code;
}

/* Characters with which a terminal or a shell would do something. */
static bool has_strange_characters(const char *path)
{
	for (const char *c = path; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == '\'' || *c == 0x7f)
			return true;
	}
	return false;
}

/* --- files --------------------------------------------------------------------------- */

static enum exit_code make_paths(struct new_link *new)
{
	const char *link = new->writer.link;
	int here, there, dir;

	dir = snprintf(new->there_dir, PATH_MAX, "%s/" THERE_DIR, new->dir);
	here = snprintf(new->pair.paths[HERE], PATH_MAX, "%s/%s.conf", new->dir, link);
	there = snprintf(new->pair.paths[THERE], PATH_MAX, "%s/" THERE_DIR "/%s.conf", new->dir,
			 link);
	if (new->dir[0] == '\0')
		return wrong_value("--out", "\"\"", "is no directory");
	/* It is printed as a part of commands. */
	if (has_strange_characters(new->dir))
		return wrong_value("--out", new->dir,
				   "has quotes or control characters in it; choose a plain name");
	if (dir < 0 || here < 0 || there < 0 || MAX(here, there) >= PATH_MAX)
		return wrong_value("--out", new->dir, "is too long for a path");
	return EXIT_DONE;
}

static enum exit_code make_texts(struct new_link *new)
{
	struct link_writer_secrets *secrets = secret_alloc(sizeof(*secrets));
	int r = secrets != NULL ? 0 : -ENOMEM;

	new->secrets = secrets;
	for (size_t i = 0; i < FILE_PAIR_N && r == 0; i++)
		r = secret_text_init(&new->pair.texts[i], LINK_WRITER_SIZE);
	if (r < 0) {
		fputs("vpnd: not enough memory\n", stderr);
		return EXIT_SYSTEM;
	}
	for (size_t i = 0; i < LINK_WRITER_N_HOSTS; i++)
		prim_dh_generate(&secrets->private_keys[i], new->writer.ends[i].public_key.bytes);
	randombytes_buf(secrets->preshared_key.bytes, KEY_LEN);
	new->writer.secrets = secrets;
	for (size_t i = 0; i < LINK_WRITER_N_HOSTS; i++)
		link_writer_file(&new->writer, (enum link_writer_host)i, &new->pair.texts[i]);
	return EXIT_DONE;
}

static enum exit_code cannot_write(const char *path, int error)
{
	char escaped[256];

	parse_escape(path, strlen(path), escaped, sizeof(escaped));
	if (error == EEXIST) {
		fprintf(stderr,
			"vpnd: %s is there already and is not overwritten; nothing was written. "
			"Remove it, choose another name, or give another directory with --out\n",
			escaped);
		return EXIT_UNAVAILABLE;
	}
	fprintf(stderr, "vpnd: cannot write %s: %s; nothing was written%s\n", escaped,
		strerror(error),
		error == EACCES || error == EPERM
			? ". Run this as root, or give another directory with --out"
			: "");
	if (error == EACCES || error == EPERM || error == EROFS)
		return EXIT_PERMISSION;
	return error == ENOENT || error == ENOTDIR ? EXIT_UNAVAILABLE : EXIT_SYSTEM;
}

static enum exit_code make_dir(const char *path, mode_t mode, bool *ret_made)
{
	*ret_made = mkdir(path, mode) == 0;
	if (!*ret_made && errno != EEXIST)
		return cannot_write(path, errno);
	return EXIT_DONE;
}

/* Reads a file as `vpnd check` does. Only what is wrong is printed. */
static enum exit_code read_back(const char *path)
{
	struct diag diag = DIAG_NULL(path);
	struct conf_link link;
	enum exit_code code;

	if (conf_link_init(&link) < 0) {
		fputs("vpnd: not enough memory\n", stderr);
		return EXIT_SYSTEM;
	}
	link_file_load(path, &link, &diag);
	code = load_end(&diag);
	conf_link_deinit(&link);
	return code;
}

static enum exit_code write_and_check(struct new_link *new)
{
	enum exit_code code = EXIT_DONE;
	size_t failed = 0;
	int r = file_pair_write(&new->pair, &failed);

	if (r < 0)
		return cannot_write(new->pair.paths[failed], -r);
	for (size_t i = 0; i < FILE_PAIR_N && code == EXIT_DONE; i++)
		code = read_back(new->pair.paths[i]);
	if (code != EXIT_DONE) {
		file_pair_remove(&new->pair);
		fputs("vpnd: the files would be refused like this, and were removed again\n",
		      stderr);
	}
	return code;
}

static enum exit_code write_files(struct new_link *new)
{
	enum exit_code code = make_dir(new->dir, 0755, &new->made_dir);

	if (code == EXIT_DONE)
		code = make_dir(new->there_dir, 0700, &new->made_there_dir);
	if (code == EXIT_DONE)
		code = write_and_check(new);
	if (code != EXIT_DONE && new->made_there_dir)
		rmdir(new->there_dir);
	if (code != EXIT_DONE && new->made_dir)
		rmdir(new->dir);
	return code;
}

/* The files are there by now; what can fail is only the advice. */
static enum exit_code advise(const struct new_link *new)
{
	new_advice_print(&new->writer, new->dir, &new->pair, stdout);
	if (fflush(stdout) == 0)
		return EXIT_DONE;
	perror("vpnd: both files are written, but what to do with them cannot be printed");
	return EXIT_SYSTEM;
}

int cmd_new(int argc, char **argv)
{
	static struct new_link new = { .dir = PATHS_CONF_DIR };
	enum exit_code code = take_arguments(&new, argc, argv);

	if (code == EXIT_DONE)
		code = make_paths(&new);
	if (code == EXIT_DONE)
		code = make_texts(&new);
	if (code == EXIT_DONE)
		code = write_files(&new);
	/* Until here a signal would have left half of the work. */
	cmd_unblock_signals();
	for (size_t i = 0; i < FILE_PAIR_N; i++)
		secret_text_deinit(&new.pair.texts[i]);
	secret_free(new.secrets);
	if (code == EXIT_DONE)
		code = advise(&new);
	return (int)code;
}
