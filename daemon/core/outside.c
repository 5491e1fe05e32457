/* The host around a link; see outside.h. */
#include "daemon/core/outside.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/host/hooks.h"
#include "daemon/host/lock.h"
#include "daemon/host/run_dir.h"

/* Two seconds in all. */
#define LOCK_TRIES    80
#define LOCK_PAUSE_MS 25

/* A file in the run directory: PreUp was begun, and PostDown has not ended. */
#define HOOKS_NOTE "hooks"

static void init(struct outside *outside, const char *link)
{
	*outside = (struct outside) { .link = link, .lock = -1, .filter_watch = FILTER_WATCH_NULL };
	snprintf(outside->run_dir, sizeof(outside->run_dir), "%s/%s", RUN_PATHS_DIR, link);
}

void outside_init(struct outside *outside, const char *link, const char *file,
		  const struct conf_link *conf, const struct program_watch *watch)
{
	init(outside, link);
	outside->conf = conf;
	outside->file = file;
	outside->watch = watch;
}

enum exit_code outside_judge_hooks(const struct conf_link *conf, const char *file)
{
	const char *reason;

	if (!hooks_are_used(conf))
		return EXIT_DONE;
	if (!file) {
		log_error("commands like PostUp are run from a link file only");
		return EXIT_PERMISSION;
	}
	if (hooks_may_run(file, &reason))
		return EXIT_DONE;
	log_error("the link file %s: its commands (PreUp, PostUp, PreDown, PostDown) would run "
		  "with the rights of this service; `chown root` and `chmod go-w` file and "
		  "directory, or take the commands out",
		  reason);
	return EXIT_PERMISSION;
}

/* A process of the link that was killed is still being undone for some milliseconds. */
static int wait_for_lock(const char *run_dir)
{
	int fd = lock_take(run_dir);

	for (int i = 0; fd == -EBUSY && i < LOCK_TRIES; i++) {
		poll(NULL, 0, LOCK_PAUSE_MS);
		fd = lock_take(run_dir);
	}
	return fd;
}

static enum exit_code take_lock(struct outside *outside)
{
	outside->lock = wait_for_lock(outside->run_dir);
	if (outside->lock >= 0)
		return EXIT_DONE;
	if (outside->lock == -EBUSY) {
		log_error("the interface %s is in use by another process, which runs this link",
			  outside->link);
		return EXIT_UNAVAILABLE;
	}
	log_warning("the directory %s is of no use (%s): a second process of this link would not "
		    "be noticed, and what a crash leaves behind stays",
		    outside->run_dir,
		    outside->lock == -EPERM ? "somebody else may write there"
					    : strerror(-outside->lock));
	return EXIT_DONE;
}

static void recover(struct outside *outside)
{
	char text[NETUP_TEXT_MAX];
	int r = netup_recover(&outside->netup, text);

	if (r == NETUP_CLEANED)
		log_notice("removed the rules and settings that an earlier run had left behind");
	else if (r == NETUP_KEPT)
		log_info("took over the rules and settings of an earlier run");
	else if (r != 0)
		log_warning("%s", text);
}

/* Notes that the commands of the way up are in effect, or not any more. */
static void note_hooks(const struct outside *outside, bool are_in_effect)
{
	int dir = run_dir_open(outside->run_dir);
	int fd;

	if (dir < 0)
		return;
	if (are_in_effect) {
		fd = run_dir_create(dir, HOOKS_NOTE, 0600);
		if (fd >= 0)
			close(fd);
	} else {
		(void)unlinkat(dir, HOOKS_NOTE, 0);
	}
	close(dir);
}

static bool has_note_of_hooks(const struct outside *outside)
{
	int dir = run_dir_open(outside->run_dir);
	int fd;

	if (dir < 0)
		return false;
	fd = run_dir_read(dir, HOOKS_NOTE);
	close(dir);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* All processes of the link were killed at once: PreDown and PostDown are run now, so that PreUp
 * and PostUp find what they found then. */
static void recover_hooks(struct outside *outside)
{
	if (!has_note_of_hooks(outside))
		return;
	if (outside->conf->hooks[CONF_PRE_DOWN].n + outside->conf->hooks[CONF_POST_DOWN].n > 0)
		log_notice("running PreDown and PostDown for an earlier run that was killed");
	(void)outside_run_hook(outside, CONF_PRE_DOWN);
	(void)outside_run_hook(outside, CONF_POST_DOWN);
	outside->has_begun[CONF_PRE_DOWN] = outside->has_begun[CONF_POST_DOWN] = false;
	note_hooks(outside, false);
}

enum exit_code outside_begin(struct outside *outside, struct netlink *nl)
{
	enum exit_code code = outside_judge_hooks(outside->conf, outside->file);

	if (code == EXIT_DONE)
		code = take_lock(outside);
	if (code != EXIT_DONE)
		return code;
	netup_init(&outside->netup, nl, outside->link, outside->run_dir);
	outside->netup.dns.watch = outside->watch;
	outside->is_begun = true;
	if (outside->lock < 0)
		return EXIT_DONE;
	recover_hooks(outside);
	recover(outside);
	return EXIT_DONE;
}

static enum exit_code exit_code_of(int answer)
{
	switch (answer) {
	case 0:
	case NETUP_WARNING:
		return EXIT_DONE;
	case NETUP_TAKEN:
	case NETUP_MISSING:
		return EXIT_UNAVAILABLE;
	case -EPERM:
		return EXIT_PERMISSION;
	default:
		return EXIT_SYSTEM;
	}
}

enum exit_code outside_claim(struct outside *outside, const struct conf_link *conf,
			     uint32_t *ret_mark)
{
	char text[NETUP_TEXT_MAX];
	int r = netup_claim(&outside->netup, conf, ret_mark, text);

	if (r != 0)
		log_error("%s", text);
	return exit_code_of(r);
}

static void say(void *context, const char *line)
{
	(void)context;
	log_info("%s", line);
}

enum exit_code outside_run_hook(struct outside *outside, enum conf_hook hook)
{
	const struct hooks hooks = {
		.link = outside->link,
		.file = outside->file,
		.watch = outside->watch,
		.say = say,
	};
	/* The file may be read again while they run; the old list is kept so long. */
	const struct conf_strings commands = outside->conf->hooks[hook];
	char text[HOOKS_TEXT_MAX];
	int r;

	outside->has_begun[hook] = true;
	if (hook == CONF_PRE_UP && outside->lock >= 0 && hooks_are_used(outside->conf))
		note_hooks(outside, true);
	r = hooks_run(&hooks, hook, &commands, text);
	if (r == 0)
		return EXIT_DONE;
	if (hook == CONF_PRE_DOWN || hook == CONF_POST_DOWN || r == HOOKS_CANCELLED) {
		log_warning("%s", text);
		return EXIT_DONE;
	}
	log_error("%s: the start is undone", text);
	return EXIT_UNAVAILABLE;
}

void outside_set_dns(struct outside *outside, const struct conf_link *conf)
{
	char text[NETUP_TEXT_MAX];

	if (netup_set_dns(&outside->netup, conf, text) != 0)
		log_warning("%s", text);
}

enum exit_code outside_set_rules(struct outside *outside, const struct conf_link *conf,
				 unsigned int ifindex)
{
	char text[NETUP_TEXT_MAX];
	int r;

	/* Without it the link is no worse than a firewall that nobody watches. */
	(void)filter_watch_open(&outside->filter_watch, outside->link, conf->namespace);
	r = netup_start(&outside->netup, conf, ifindex, text);

	if (r == NETUP_WARNING)
		log_warning("%s", text);
	else if (r != 0)
		log_error("%s", text);
	return exit_code_of(r);
}

bool outside_repair_rules(struct outside *outside, const struct conf_link *conf,
			  unsigned int ifindex)
{
	char text[NETUP_TEXT_MAX];
	int r;

	if (!filter_watch_read(&outside->filter_watch) || !outside->netup.undo.has_filter)
		return false;
	r = netup_repair(&outside->netup, conf, ifindex, text);
	if (r < 0)
		log_error("another program has deleted the link's table of the packet filter: %s",
			  text);
	else
		log_notice("another program has deleted the link's table of the packet filter; it "
			   "is made again");
	return true;
}

/* PreDown, if PostUp had begun. */
static void run_pre_down(struct outside *outside)
{
	outside->netup.dns.watch = NULL;
	if (outside->has_begun[CONF_POST_UP] && !outside->has_begun[CONF_PRE_DOWN])
		(void)outside_run_hook(outside, CONF_PRE_DOWN);
}

/* PostDown, if PreUp had begun. */
static void run_post_down(struct outside *outside)
{
	if (outside->has_begun[CONF_PRE_UP] && !outside->has_begun[CONF_POST_DOWN])
		(void)outside_run_hook(outside, CONF_POST_DOWN);
	if (outside->lock >= 0 && outside->has_begun[CONF_PRE_UP])
		note_hooks(outside, false);
}

void outside_end_rules(struct outside *outside)
{
	char text[NETUP_TEXT_MAX];

	if (!outside->is_begun)
		return;
	outside->is_begun = false;
	run_pre_down(outside);
	filter_watch_close(&outside->filter_watch);
	if (outside->conf->bridge)
		netup_leave_bridge(&outside->netup, outside->conf->bridge);
	if (netup_stop(&outside->netup, text) != 0)
		log_warning("%s", text);
}

void outside_end(struct outside *outside)
{
	run_post_down(outside);
	lock_release(outside->run_dir, outside->lock);
	outside->lock = -1;
}

enum exit_code outside_clean_up(const char *link, bool is_final)
{
	struct netlink nl = NETLINK_NULL;
	enum exit_code code = EXIT_DONE;
	char text[NETUP_TEXT_MAX];
	struct outside outside;
	int r = netlink_open(&nl);

	if (r < 0) {
		log_error("cannot ask the kernel about routes: %s", strerror(-r));
		return EXIT_SYSTEM;
	}
	init(&outside, link);
	code = take_lock(&outside);
	if (outside.lock >= 0) {
		netup_init(&outside.netup, &nl, link, outside.run_dir);
		recover(&outside);
		if (is_final && netup_stop(&outside.netup, text) != 0)
			log_warning("%s", text);
	}
	outside_end(&outside);
	netlink_close(&nl);
	return code;
}
