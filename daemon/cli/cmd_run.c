/*
 * `vpnd run`: the life of a link, from top to bottom.
 *
 * The helper is forked first, before any key is in memory: it keeps the rights, and reads the file
 * and judges it whole. Then the link is opened; what fails ends with a sentence and an exit code
 * that tells systemd whether trying again can help.
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
#include "daemon/cli/check_place.h"
#include "daemon/cli/cmds.h"
#include "daemon/cli/load.h"
#include "daemon/cli/run.h"
#include "daemon/cli/run_servers.h"
#include "daemon/core/link.h"
#include "daemon/host/rights.h"
#include "daemon/host/sandbox.h"

/* Everything that a run owns. */
struct run {
	const struct run_task *task;
	struct ev_loop *loop;
	struct helper helper;
	struct resolver resolver;
	struct conf_host host;
	struct conf_link conf;
	struct link link;
	struct run_servers servers;
	ev_signal on_term, on_int, on_usr1, on_hup;
	const char *path;
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

/* In the helper: reads and judges the link file, and leaves the findings unsaid. */
static void read_file(void *context, struct conf_link *conf, struct diag *diag)
{
	const struct run *run = context;

	if (conf_link_init(conf) < 0) {
		diag_error_code(diag, EXIT_SYSTEM, "there is not enough memory to read it");
		return;
	}
	if (run->path)
		link_file_load(run->path, conf, diag);
	else
		run_make_bare(run->task->name, conf);
	conf_host_apply_defaults(&run->host, conf);
	conf_host_check_link(&run->host, conf, diag);
}

/* At start and at a reload. \return EXIT_DONE or the exit code, all findings being said */
static enum exit_code load(struct run *run, struct conf_link *conf)
{
	enum exit_code code = helper_load(&run->helper, conf);

	if (code == EXIT_DONE && mlock(conf->secrets, sizeof(*conf->secrets)) < 0)
		log_warning("keys cannot be locked in memory (%s) and may reach the swap: raise "
			    "the limit `ulimit -l`",
			    strerror(errno));
	return code;
}

/* SIGHUP: the file is read again, and what has changed is applied. */
static void reload(struct run *run)
{
	struct conf_link conf;
	int r;

	if (!run->path) {
		log_notice("there is no link file to be read again");
		return;
	}
	log_notice("reading %s again", run->path);
	if (load(run, &conf) != EXIT_DONE) {
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
	pulse_reloading(&run->link);
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
	run->helper.stop_fd = open_stop_fd();
}

void run_protect_memory(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

/* Until a signal, the end of the interface, or of wg's socket ends the link. */
static void serve(struct run *run)
{
	if (run->task->on_ready)
		run->task->on_ready(run->task->context);
	ev_run(run->loop, 0);
	(void)service_stopping();
}

/* An interface without a file is ended by deleting it, as one of the kernel's is. \param r  whether
 * there was a socket to configure it by: 0 or a negative errno */
static enum exit_code exit_code_without_file(const struct run *run, int r)
{
	if (r < 0)
		return r == -EADDRINUSE ? EXIT_UNAVAILABLE : EXIT_SYSTEM;
	return run->link.exit_code == EXIT_UNAVAILABLE ? EXIT_DONE : run->link.exit_code;
}

/* All is open now; what is needed besides, the helper does. What is told of the kernel and of the
 * build is no fault of the link, and does not keep it from running. */
static enum exit_code give_up_rights(struct run *run)
{
	char text[RIGHTS_TEXT_MAX];
	int r = rights_drop(run->host.rights.user, text);

	if (r < 0) {
		log_error("cannot give up rights (%s): the link does not run with them", text);
		return EXIT_SYSTEM;
	}
	if (r == RIGHTS_NO_USER)
		log_warning("%s", text);
	if (run->host.rights.sandbox == CONF_SANDBOX_OFF)
		return EXIT_DONE;
	r = rights_close_files();
	if (r < 0)
		log_info("the link keeps the right to open files (Landlock: %s)", strerror(-r));
	return EXIT_DONE;
}

/* The threads are there, and confined by themselves; this one is the last. */
static enum exit_code confine(const struct run *run)
{
	int r = sandbox_enter(SANDBOX_CONTROL, run->host.rights.sandbox);

	if (r == SANDBOX_MISSING)
		log_info("system calls are not confined: vpnd was built without libseccomp");
	if (r >= 0)
		return EXIT_DONE;
	log_error("cannot confine system calls (%s): a kernel without seccomp needs `rights: { "
		  "sandbox = \"off\"; };` in the host file",
		  strerror(-r));
	return EXIT_SYSTEM;
}

/* From the open link to the one that runs. */
static enum exit_code watch_without_rights(struct run *run)
{
	enum exit_code code = give_up_rights(run);

	if (code == EXIT_DONE)
		code = link_watch(&run->link);
	return code == EXIT_DONE ? confine(run) : code;
}

static enum exit_code open_and_run(struct run *run)
{
	const struct link_env env = {
		.loop = run->loop,
		.host = &run->host,
		.conf = &run->conf,
		.resolver = &run->resolver,
		.helper = &run->helper,
		.tun_fd = run->task->tun_fd,
	};
	enum exit_code code;
	int r;

	link_init(&run->link, &env);
	run_servers_take(&run->servers);
	code = link_open(&run->link);
	if (code == EXIT_DONE && link_is_open(&run->link)) {
		run->is_open = true;
		run->servers.file = run->path;
		run->servers.uapi_fd = run->task->uapi_fd;
		r = run_servers_start(&run->servers, &run->link);
		if (r == 0 || run->path)
			run->link.exit_code = watch_without_rights(run);
		block_stop_signals(false);
		if (run->link.exit_code == EXIT_DONE && (r == 0 || run->path))
			serve(run);
		run_servers_stop(&run->servers);
		block_stop_signals(true);
		run->is_open = false;
		link_stop(&run->link);
		link_log_status(&run->link, nsec_boottime());
		code = run->path ? run->link.exit_code : exit_code_without_file(run, r);
	} else {
		run_servers_stop(&run->servers);
	}
	link_close(&run->link);
	return code;
}

/* The helper, and with its help what resolves names. */
static enum exit_code start_helper(struct run *run)
{
	char name[IFNAMSIZ];
	const char *reason;
	const struct helper_env env = {
		.link = run->path ? name : run->task->name,
		.file = run->path,
		.host = &run->host,
		.load = read_file,
		.context = run,
	};
	int r;

	if (run->path && !paths_link_name(run->path, name, &reason))
		return EXIT_USAGE;
	r = helper_start(&run->helper, &env);
	if (r < 0) {
		log_error("cannot fork the process that keeps the rights: %s", strerror(-r));
		return EXIT_SYSTEM;
	}
	run->resolver.get_keeper = helper_get_keeper;
	run->resolver.context = &run->helper;
	r = resolver_start(&run->resolver);
	if (r < 0)
		log_error("cannot fork the process that resolves names: %s", helper_error_text(r));
	return r < 0 ? EXIT_SYSTEM : EXIT_DONE;
}

static enum exit_code run_with_helper(struct run *run)
{
	enum exit_code code;

	run->loop = ev_default_loop(EVFLAG_NOENV | EVBACKEND_EPOLL);
	if (!run->loop) {
		log_error("cannot make an event loop");
		return EXIT_SYSTEM;
	}
	watch_signals(run);
	code = load(run, &run->conf);
	if (code == EXIT_DONE)
		code = open_and_run(run);
	conf_link_deinit(&run->conf);
	resolver_stop(&run->resolver);
	if (run->helper.stop_fd >= 0)
		close(run->helper.stop_fd);
	run->helper.stop_fd = -1;
	ev_loop_destroy(run->loop);
	return code;
}

enum exit_code run_link(const struct run_task *task)
{
	struct run run = {
		.task = task,
		.helper = HELPER_NULL,
		.resolver = RESOLVER_NULL,
		.host = *task->host,
		.path = task->path,
	};
	enum exit_code code;
	int r;

	r = service_init();
	if (r < 0)
		log_warning("the service manager cannot be told anything: %s", strerror(-r));
	code = start_helper(&run);
	if (code == EXIT_DONE)
		code = run_with_helper(&run);
	helper_stop(&run.helper);
	service_deinit();
	log_flush();
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
	const struct run_task task = { .host = &host, .path = path, .tun_fd = -1, .uapi_fd = -1 };

	if (run_is_uapi(argc, argv))
		return cmd_run_uapi(argc, argv);
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
	log_init(name, is_verbose ? LOG_LEVEL_DEBUG : host.log.level);
	r = log_open(host.log.target);
	if (r < 0)
		log_warning("the journal cannot be reached (%s): messages go to stderr",
			    strerror(-r));
	run_protect_memory();
	return (int)run_link(&task);
}
