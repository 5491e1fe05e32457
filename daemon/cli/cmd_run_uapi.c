/*
 * `vpnd run --uapi`: an interface that `wg` and programs built like it configure, as wireguard-go
 * makes one. It begins with no key and no peer, and vpnd touches neither its addresses and routes
 * nor whether it is up.
 *
 * Called under the name wireguard-go it takes that program's arguments, so that what starts
 * wireguard-go (wg-quick, for one) can start vpnd in its place. The environment is wireguard-go's
 * in both cases; its source (main.go) is where its meaning is from.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/parse.h"
#include "conf/host_file.h"
#include "conf/values.h"
#include "daemon/cli/background.h"
#include "daemon/cli/cmds.h"
#include "daemon/cli/load.h"
#include "daemon/cli/run.h"
#include "daemon/ctl/uapi_listen.h"
#include "daemon/data/tun.h"

/* As wireguard-go has it: what fits 1500 bytes over IPv6. */
#define MTU_BARE 1420

/* What arguments and environment say. */
struct order {
	char name[IFNAMSIZ];
	const char *host_path;
	bool is_verbose;
	bool is_foreground;
	bool has_log_level; /* and is to be seen: stdout and stderr stay open */
	enum log_level log_level;
	int tun_fd, uapi_fd; /* -1: none */
};

void run_make_bare(const char *name, struct conf_link *conf)
{
	snprintf(conf->name, sizeof(conf->name), "%s", name);
	conf->is_bare = true;
	conf->table_kind = CONF_TABLE_OFF;
	/* Like the interface's other values, these are not the host file's to set. */
	conf->mtu = MTU_BARE;
	conf->given.mtu = true;
	conf->given.persistent_keepalive = true;
}

bool run_is_uapi(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--uapi") == 0)
			return true;
	}
	return false;
}

/* LOG_LEVEL; what wireguard-go does not know it takes for "error". */
static void read_log_level(struct order *order)
{
	static const struct {
		const char *word;
		enum log_level level;
	} words[] = {
		{ "verbose", LOG_LEVEL_DEBUG },
		{ "debug", LOG_LEVEL_DEBUG },
		{ "error", LOG_LEVEL_ERROR },
		{ "silent", LOG_LEVEL_NONE },
	};
	const char *value = getenv("LOG_LEVEL");

	if (!value || !value[0])
		return;
	order->log_level = LOG_LEVEL_ERROR;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(value, words[i].word) == 0)
			order->log_level = words[i].level;
	}
	order->has_log_level = true;
}

/* A descriptor named by the environment. \return false when it is none, which is said */
static bool read_fd(const char *variable, int *ret)
{
	const char *value = getenv(variable);
	uint64_t number;

	*ret = -1;
	if (!value || !value[0])
		return true;
	if (!parse_number(value, INT32_MAX, &number) || number <= STDERR_FILENO) {
		fprintf(stderr, "vpnd: %s in the environment is not the number of a descriptor\n",
			variable);
		return false;
	}
	*ret = (int)number;
	return true;
}

/* The interface and the socket that whoever starts us has opened. The interface's own name counts
 * more than the argument. */
static bool read_descriptors(struct order *order)
{
	int r;

	if (!read_fd("WG_TUN_FD", &order->tun_fd) || !read_fd("WG_UAPI_FD", &order->uapi_fd))
		return false;
	r = order->tun_fd < 0 ? 0 : tun_get_name(order->tun_fd, order->name);
	if (r < 0) {
		fprintf(stderr, "vpnd: the descriptor in WG_TUN_FD is not a TUN interface: %s\n",
			strerror(-r));
		return false;
	}
	r = order->uapi_fd < 0 ? 0 : uapi_listen_adopt(order->uapi_fd);
	if (r < 0)
		fprintf(stderr,
			"vpnd: the descriptor in WG_UAPI_FD is not a listening Unix socket\n");
	return r == 0;
}

static bool read_environment(struct order *order)
{
	const char *foreground = getenv("WG_PROCESS_FOREGROUND");

	if (foreground && strcmp(foreground, "1") == 0)
		order->is_foreground = true;
	read_log_level(order);
	return read_descriptors(order);
}

/* \return EXIT_DONE or the exit code, which was said */
static enum exit_code read_arguments(int argc, char **argv, struct order *order)
{
	static const char usage[] = "run --uapi [-f|--foreground] [-v] [-c HOST-FILE] IFNAME";
	static const struct option options[] = {
		{ "uapi", no_argument, NULL, 'u' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "config", required_argument, NULL, 'c' },
		{ 0 },
	};
	int option;

	*order = (struct order) { .host_path = HOST_FILE_PATH, .tun_fd = -1, .uapi_fd = -1 };
	while ((option = getopt_long(argc, argv, "fvc:", options, NULL)) != -1) {
		order->is_foreground |= option == 'f';
		order->is_verbose |= option == 'v';
		if (option == 'c')
			order->host_path = optarg;
		if (option == '?')
			return (enum exit_code)cmd_usage(usage);
	}
	if (optind + 1 != argc)
		return (enum exit_code)cmd_usage(usage);
	if (!values_is_interface(argv[optind])) {
		fprintf(stderr, "vpnd: the argument of `vpnd run --uapi` is not the name of an "
				"interface: 1 to 15 letters, digits or \"_=+.-\"\n");
		return EXIT_USAGE;
	}
	snprintf(order->name, sizeof(order->name), "%s", argv[optind]);
	return EXIT_DONE;
}

static void open_log(const struct order *order, const struct conf_host *host)
{
	enum log_level level = host->log.level;
	int r;

	if (order->has_log_level)
		level = order->log_level;
	log_init(order->name, order->is_verbose ? LOG_LEVEL_DEBUG : level);
	r = log_open(host->log.target);
	if (r < 0)
		log_warning("the journal cannot be reached (%s): messages go to stderr",
			    strerror(-r));
}

static void on_ready(void *context)
{
	background_ready(context);
}

/* \return 0 in the process that is to go on; 1 in one that is done, with its exit code */
static int go_to_background(const struct order *order, struct background *background, int *ret_code)
{
	bool keeps_output = order->has_log_level && order->log_level != LOG_LEVEL_NONE;
	int r = order->is_foreground ? 0 : background_start(background, keeps_output, ret_code);

	if (r >= 0)
		return r;
	fprintf(stderr, "vpnd: cannot go to the background: %s\n", strerror(-r));
	*ret_code = EXIT_SYSTEM;
	return 1;
}

int cmd_run_uapi(int argc, char **argv)
{
	struct background background = BACKGROUND_NULL;
	struct conf_host host;
	struct order order;
	struct run_task task = {
		.host = &host, .name = order.name, .on_ready = on_ready, .context = &background
	};
	int code = (int)read_arguments(argc, argv, &order);

	if (code == EXIT_DONE && !read_environment(&order))
		code = EXIT_USAGE;
	if (code == EXIT_DONE)
		code = (int)load_host(order.host_path, &host);
	if (code != EXIT_DONE || go_to_background(&order, &background, &code) != 0)
		return code;
	task.tun_fd = order.tun_fd;
	task.uapi_fd = order.uapi_fd;
	open_log(&order, &host);
	run_protect_memory();
	return (int)run_link(&task);
}
