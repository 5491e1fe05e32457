/* The host around a link; see outside.h. */
#include "daemon/core/outside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/host/hooks.h"
#include "daemon/host/lock.h"
#include "daemon/host/program.h"
#include "daemon/host/service.h"

static void init(struct outside *outside, const char *link)
{
	*outside = (struct outside) { .link = link, .cancel_fd = -1, .lock = -1 };
	snprintf(outside->run_dir, sizeof(outside->run_dir), "%s/%s", OUTSIDE_RUN_DIR, link);
}

void outside_init(struct outside *outside, const struct conf_link *conf, const char *file,
		  int cancel_fd)
{
	init(outside, conf->name);
	outside->conf = conf;
	outside->file = file;
	outside->cancel_fd = cancel_fd;
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

static enum exit_code take_lock(struct outside *outside)
{
	outside->lock = lock_take(outside->run_dir);
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
		    outside->lock == -EPERM ? "others may write there" : strerror(-outside->lock));
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

enum exit_code outside_begin(struct outside *outside, struct netlink *nl)
{
	enum exit_code code = outside_judge_hooks(outside->conf, outside->file);

	if (code == EXIT_DONE)
		code = take_lock(outside);
	if (code != EXIT_DONE)
		return code;
	netup_init(&outside->netup, nl, outside->link, outside->run_dir);
	outside->netup.dns.cancel_fd = outside->cancel_fd;
	outside->is_begun = true;
	if (outside->lock >= 0)
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
		.cancel_fd = outside->cancel_fd,
		.say = say,
	};
	char text[HOOKS_TEXT_MAX];
	int r;

	outside->has_begun[hook] = true;
	if (outside->conf->hooks[hook].n > 0)
		(void)service_extend(outside->conf->hooks[hook].n * (HOOKS_LIMIT + PROGRAM_GRACE));
	r = hooks_run(&hooks, hook, &outside->conf->hooks[hook], text);
	if (r == 0)
		return EXIT_DONE;
	outside->is_cancelled |= r == HOOKS_CANCELLED;
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
	int r = netup_start(&outside->netup, conf, ifindex, text);

	if (r == NETUP_WARNING)
		log_warning("%s", text);
	else if (r != 0)
		log_error("%s", text);
	return exit_code_of(r);
}

enum exit_code outside_connect(struct outside *outside, const struct conf_link *conf,
			       unsigned int ifindex)
{
	enum exit_code code = outside_set_rules(outside, conf, ifindex);

	if (code != EXIT_DONE)
		return code;
	outside_set_dns(outside, conf);
	outside->is_connected = true;
	return EXIT_DONE;
}

/* What has ended the start must not end the commands that undo it. */
static void forget_cancel(struct outside *outside)
{
	struct signalfd_siginfo signals[2];

	if (outside->is_cancelled && outside->cancel_fd >= 0)
		(void)!read(outside->cancel_fd, signals, sizeof(signals));
}

void outside_end_rules(struct outside *outside)
{
	char text[NETUP_TEXT_MAX];

	if (!outside->is_begun)
		return;
	outside->is_begun = false;
	outside->netup.dns.cancel_fd = -1;
	forget_cancel(outside);
	if (outside->has_begun[CONF_POST_UP])
		(void)outside_run_hook(outside, CONF_PRE_DOWN);
	if (netup_stop(&outside->netup, text) != 0)
		log_warning("%s", text);
	outside->is_connected = false;
}

void outside_end(struct outside *outside)
{
	if (outside->has_begun[CONF_PRE_UP] && !outside->has_begun[CONF_POST_DOWN])
		(void)outside_run_hook(outside, CONF_POST_DOWN);
	lock_release(outside->run_dir, outside->lock);
	outside->lock = -1;
}

enum exit_code outside_clean_up(const char *link)
{
	struct netlink nl = NETLINK_NULL;
	enum exit_code code = EXIT_DONE;
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
	}
	outside_end(&outside);
	netlink_close(&nl);
	return code;
}
