/*
 * `vpnd run`: the life of a link, from top to bottom.
 *
 * The resolver's process is forked first, before any key is in memory. Then the file is read and
 * judged whole, then the link is opened; what fails ends with a sentence and an exit code that
 * tells systemd whether trying again can help.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/log.h"
#include "conf/host_file.h"
#include "conf/link_file.h"
#include "conf/paths.h"
#include "daemon/cli/cmds.h"
#include "daemon/cli/run_servers.h"
#include "daemon/cli/supported.h"
#include "daemon/core/link.h"

/* Everything that a run owns. */
struct run {
	struct ev_loop *loop;
	struct resolver resolver;
	struct conf_host host;
	struct conf_link conf;
	struct link link;
	struct run_servers servers;
	ev_signal on_term, on_int, on_usr1, on_hup;
	const char *path;
	int stop_fd; /* readable while SIGTERM or SIGINT is blocked and waits */
	bool is_open;
};

static void on_stop(struct ev_loop *loop, ev_signal *watcher, int events)
{
	(void)events;
	log_notice("ending, because of %s", watcher->signum == SIGTERM ? "SIGTERM" : "SIGINT");
	ev_break(loop, EVBREAK_ALL);
}

static void on_status(struct ev_loop *loop, ev_signal *watcher, int events)
{
	struct run *run = container_of(watcher, struct run, on_usr1);

	(void)loop;
	(void)events;
	if (run->is_open)
		link_ask_status(&run->link);
}

/* Reads and judges the link file. \return EXIT_DONE or the exit code, all findings being said */
static enum exit_code load(const struct run *run, struct conf_link *conf)
{
	struct diag diag = DIAG_NULL(run->path);
	enum exit_code code;

	if (conf_link_init(conf) < 0) {
		log_error("not enough memory");
		return EXIT_SYSTEM;
	}
	if (mlock(conf->secrets, sizeof(*conf->secrets)) < 0)
		log_warning("keys cannot be locked in memory (%s) and may reach the swap: raise "
			    "the limit `ulimit -l`",
			    strerror(errno));
	link_file_load(run->path, conf, &diag);
	host_apply_defaults(&run->host, conf);
	host_check_link(&run->host, conf, &diag);
	supported_check(conf, DIAG_ERROR, &diag);
	diag_print(&diag, stderr);
	code = diag.code;
	diag_deinit(&diag);
	return code;
}

/* SIGHUP: the file is read again, and what has changed is applied. */
static void reload(struct run *run)
{
	struct conf_link conf;
	int r;

	log_notice("reading %s again", run->path);
	if (load(run, &conf) != EXIT_DONE || outside_judge_hooks(&conf, run->path) != EXIT_DONE) {
		log_error("the file cannot be used: nothing is changed");
	} else {
		r = link_change(&run->link, &conf);
		if (r == 0)
			log_notice("reloaded");
		else if (r > 0)
			log_warning("reloaded, but not all of it could be applied");
	}
	conf_link_deinit(&conf);
}

static void on_reload(struct ev_loop *loop, ev_signal *watcher, int events)
{
	struct run *run = container_of(watcher, struct run, on_hup);

	(void)loop;
	(void)events;
	if (!run->is_open)
		return;
	pulse_reloading();
	reload(run);
	pulse_reloaded(&run->link);
}

/* The two that end a link are blocked from main() on until it is open, and again while it is
 * closed: one that comes then ends a command of the administrator that runs (stop_fd). */
static void block_stop_signals(bool is_blocked)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(is_blocked ? SIG_BLOCK : SIG_UNBLOCK, &signals, NULL);
}

static int open_stop_fd(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Signals are caught before anything else happens, so that one that comes during the start ends
 * the link as cleanly as one that comes later. */
static void watch_signals(struct run *run)
{
	static const int ignored[] = { SIGPIPE, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF };

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	ev_signal_init(&run->on_term, on_stop, SIGTERM);
	ev_signal_init(&run->on_int, on_stop, SIGINT);
	ev_signal_init(&run->on_usr1, on_status, SIGUSR1);
	ev_signal_init(&run->on_hup, on_reload, SIGHUP);
	ev_signal_start(run->loop, &run->on_term);
	ev_signal_start(run->loop, &run->on_int);
	ev_signal_start(run->loop, &run->on_usr1);
	ev_signal_start(run->loop, &run->on_hup);
	run->stop_fd = open_stop_fd();
}

/* No core dump, no debugger of another user: the process is about to hold keys. */
static void protect_memory(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

static enum exit_code open_and_run(struct run *run)
{
	const struct link_env env = {
		.loop = run->loop,
		.host = &run->host,
		.conf = &run->conf,
		.file = run->path,
		.resolver = &run->resolver,
		.cancel_fd = run->stop_fd,
	};
	enum exit_code code;

	link_init(&run->link, &env);
	code = link_open(&run->link);
	block_stop_signals(false);
	if (code == EXIT_DONE && link_is_open(&run->link)) {
		run->is_open = true;
		run_servers_start(&run->servers, &run->link);
		pulse_start(&run->link);
		ev_run(run->loop, 0);
		(void)service_stopping();
		run_servers_stop(&run->servers);
		block_stop_signals(true);
		run->is_open = false;
		link_stop(&run->link);
		link_log_status(&run->link, nsec_boottime());
		code = run->link.exit_code;
	}
	link_close(&run->link);
	return code;
}

static enum exit_code run_link(const char *path, const struct conf_host *host)
{
	struct run run = { .resolver = RESOLVER_NULL, .host = *host, .path = path, .stop_fd = -1 };
	enum exit_code code = EXIT_SYSTEM;
	int r;

	r = service_init();
	if (r < 0)
		log_warning("the service manager cannot be told anything: %s", strerror(-r));
	run.loop = ev_default_loop(EVFLAG_NOENV | EVBACKEND_EPOLL);
	if (!run.loop) {
		log_error("cannot make an event loop");
		return EXIT_SYSTEM;
	}
	watch_signals(&run);
	r = resolver_start(&run.resolver);
	if (r < 0)
		log_error("cannot fork the process that resolves names: %s", strerror(-r));
	else
		code = load(&run, &run.conf);
	if (code == EXIT_DONE)
		code = open_and_run(&run);
	conf_link_deinit(&run.conf);
	resolver_stop(&run.resolver);
	if (run.stop_fd >= 0)
		close(run.stop_fd);
	ev_loop_destroy(run.loop);
	service_deinit();
	return code;
}

static enum exit_code load_host(const char *path, struct conf_host *host)
{
	struct diag diag = DIAG_NULL(path);
	enum exit_code code;

	conf_host_init(host);
	host_file_load(path, host, &diag);
	diag_print(&diag, stderr);
	code = diag.code;
	diag_deinit(&diag);
	return code;
}

int cmd_run(int argc, char **argv)
{
	static const char usage[] = "run [-v] [-c HOST-FILE] LINK|PATH";
	static const struct option options[] = {
		{ "verbose", no_argument, NULL, 'v' },
		{ "config", required_argument, NULL, 'c' },
		{ 0 },
	};
	const char *host_path = HOST_FILE_PATH, *reason;
	char path[PATH_MAX], name[IFNAMSIZ];
	bool is_verbose = false;
	struct conf_host host;
	enum exit_code code;
	int option, r;

	while ((option = getopt_long(argc, argv, "vc:", options, NULL)) != -1) {
		if (option == 'v')
			is_verbose = true;
		else if (option == 'c')
			host_path = optarg;
		else
			return cmd_usage(usage);
	}
	if (optind + 1 != argc)
		return cmd_usage(usage);
	if (!paths_link_file(argv[optind], path, &reason) ||
	    !paths_link_name(path, name, &reason)) {
		fprintf(stderr, "vpnd: the argument of `vpnd run` %s\n", reason);
		return EXIT_USAGE;
	}
	code = load_host(host_path, &host);
	if (code != EXIT_DONE)
		return (int)code;
	log_init(name, is_verbose ? LOG_LEVEL_DEBUG : (enum log_level)host.log.level);
	r = log_open((enum log_target)host.log.target);
	if (r < 0)
		log_warning("the journal cannot be reached (%s): messages go to stderr",
			    strerror(-r));
	protect_memory();
	return (int)run_link(path, &host);
}
