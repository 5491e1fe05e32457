/*
 * What a link does on this host beside its own interface: the lock that makes it the only one of
 * its name, the administrator's commands, rules and packet filter of a full tunnel, name servers.
 * Says what goes wrong, and knows what of it has to be undone, in which order. It runs in the
 * helper (helper.h), and in `vpnd cleanup`.
 *
 *   start   lock, leftovers of a crash, mark | socket, interface, PreUp | addresses, routes |
 *           rules | the loops, and while they turn name servers, PostUp
 *   stop    the loops | PreDown, rules and name servers | interface | PostDown, lock
 *
 * A start that fails is undone like a stop; the commands of the way down run for those of the way
 * up that had begun: PostDown after PreUp, PreDown after PostUp. When nobody was left to run them,
 * because all processes were killed, the next start does it first, with those that the file has
 * then.
 */
#ifndef CORE_OUTSIDE_H
#define CORE_OUTSIDE_H

#include "common/err.h"
#include "common/run_paths.h"
#include "conf/host_model.h"
#include "conf/model.h"
#include "daemon/host/filter_watch.h"
#include "daemon/host/netup.h"

/* Bytes of the path of a link's run directory, with a NUL. */
#define OUTSIDE_RUN_DIR_MAX (sizeof(RUN_PATHS_DIR) + IFNAMSIZ)

struct outside {
	const struct conf_link *conf;      /* what the file says: its commands; not owned */
	const char *link;                  /* its name; not owned */
	const char *file;                  /* the link file, or NULL; not owned */
	const struct program_watch *watch; /* while commands and programs run; or NULL */
	char run_dir[OUTSIDE_RUN_DIR_MAX];
	int lock; /* -1: none */
	struct netup netup;
	struct filter_watch filter_watch;
	bool is_begun; /* outside_begin() was reached: there may be something to undo */
	bool has_begun[CONF_N_HOOKS];
};

/*! Sets everything to "nothing done". \param conf  filled at the latest at outside_begin() */
void outside_init(struct outside *outside, const char *link, const char *file,
		  const struct conf_link *conf, const struct program_watch *watch);

/*!
 * Whether the commands of a link file may be run, which is said if not.
 *
 * \return EXIT_DONE or EXIT_PERMISSION
 */
enum exit_code outside_judge_hooks(const struct conf_link *conf, const char *file);

/*!
 * First step: the rights for commands, the lock, the leftovers of an earlier process.
 * \param nl  open; not owned, used until outside_end_rules()
 * \return EXIT_DONE or the exit code
 */
enum exit_code outside_begin(struct outside *outside, struct netlink *nl);

/*! Takes the mark for the sockets, at start and at each reload. \param ret_mark  0: none */
enum exit_code outside_claim(struct outside *outside, const struct conf_link *conf,
			     uint32_t *ret_mark);

/*! Runs the commands of one hook. \return EXIT_DONE, also when cancelled; EXIT_UNAVAILABLE */
enum exit_code outside_run_hook(struct outside *outside, enum conf_hook hook);

/*! Default routes, rules and packet filter as the file has them; at a reload, and when the
 * interface was switched on again by hand. */
enum exit_code outside_set_rules(struct outside *outside, const struct conf_link *conf,
				 unsigned int ifindex);

/*!
 * Looks whether somebody has deleted what outside_set_rules() has put into the packet filter, and
 * puts it there again; when the descriptor of `filter_watch` is readable.
 *
 * \return whether it was gone
 */
bool outside_repair_rules(struct outside *outside, const struct conf_link *conf,
			  unsigned int ifindex);

/*! Name servers. */
void outside_set_dns(struct outside *outside, const struct conf_link *conf);

/*! PreDown, and takes rules and name servers back, while the interface is still there. Safe at any
 * point. */
void outside_end_rules(struct outside *outside);

/*! PostDown, and gives the lock back. Safe at any point, and twice. */
void outside_end(struct outside *outside);

/*!
 * `vpnd cleanup`: removes what a killed process of the link has left on this host.
 *
 * \param is_final  also when the interface is still there: else it is being kept for a next
 *                  process, and all is kept with it
 * \return EXIT_DONE, also when there was nothing; EXIT_UNAVAILABLE when the link is running
 */
enum exit_code outside_clean_up(const char *link, bool is_final);

#endif
