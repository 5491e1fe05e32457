/*
 * The helper: a process that keeps the rights which the link gives up.
 *
 *        the network                                       this host
 *             |                                                ^
 *             v                                                |
 *      +------------+   a request, of a fixed list     +---------------+
 *      |    link    | -------------------------------> |    helper     | ---> hooks, resolvectl
 *      | no rights  | <------------------------------- | all its rights| ---> resolver
 *      +------------+   an answer; sockets, the file   +---------------+
 *
 * It is forked before there is anything secret in memory, and it never sees a byte that came from
 * the network. It reads the link file, locks the link, and does everything to this host that
 * outside.h and ifsetup.h can do: for this one link, whose name and file it was told when it was
 * forked. Of what the link says it believes what the link may decide anyway (the MTU, the mark);
 * addresses, routes, commands and the like it takes from the file alone.
 *
 * It ends with the link, whatever that ends of, and undoes then what is still to be undone. So
 * nothing is left when the link is killed. When the helper is killed, or hangs, the link goes on:
 * packets need no rights. Then it can neither be reloaded nor follow the way to the peer by its
 * MTU, and says so. The lock of the link lives as long as either.
 *
 * Most requests take microseconds and are waited for. Those that run programs may take half a
 * minute: helper_queue() has them done one after the other while the link's loops turn, and other
 * requests are served in between.
 */
#ifndef CORE_HELPER_H
#define CORE_HELPER_H

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"
#include "conf/host_model.h"
#include "conf/model.h"
#include "daemon/core/helper_request.h"
#include "daemon/host/resolver.h"

/* What a helper is made for. Nothing is owned, and all outlives it. */
struct helper_env {
	const char *link;             /* its name */
	const char *file;             /* the link file; NULL: there is none */
	const struct conf_host *host; /* what the host file says */
	/*! Reads and judges the link file, or makes what stands for it, and leaves the findings
	 * unsaid; called in the helper, which frees both in any case. */
	void (*load)(void *context, struct conf_link *conf, struct diag *diag);
	void *context;
};

/* Requests that wait for their turn. */
#define HELPER_QUEUE_MAX 4

struct helper_task {
	enum helper_request request; /* HELPER_DNS or HELPER_HOOK */
	uint32_t argument;
	uint32_t id; /* 0: not sent yet */
};

/* The link's side. Start with HELPER_NULL. */
struct helper {
	int fd; /* -1: there is no helper, or it has ended */
	pid_t pid;
	int pid_fd;        /* of pidfd_open(2); -1: none */
	bool is_hanging;   /* it does not answer: it is not waited for */
	int lock;          /* a copy of the link's lock, held as long as the link lives; -1: none */
	int stop_fd;       /* of signalfd(2): readable when a start is to be given up; -1: never */
	bool is_cancelled; /* it became readable while a program ran */
	bool is_ending;    /* that it ends is no news */
	uint32_t last_id;
	struct helper_task queue[HELPER_QUEUE_MAX];
	size_t n_queue;
	struct helper_answer done; /* to the first of the queue, come while another was awaited */
	bool has_done;
	struct ev_loop *loop; /* NULL: not on a loop */
	ev_io readable;
	/*! A queued request is done, or will not be. \param result  of the exit codes */
	void (*on_done)(void *context, enum helper_request request, enum exit_code result);
	void *context;
};

#define HELPER_NULL                                                                                \
	{                                                                                          \
		.fd = -1, .pid = -1, .pid_fd = -1, .lock = -1, .stop_fd = -1                       \
	}

/*!
 * Forks it. To be called before there are threads, secrets and a loop; the log is open.
 * \return 0 or a negative errno
 */
int helper_start(struct helper *helper, const struct helper_env *env);

/*! Ends it, and waits for that, unless it hangs; it undoes what was not undone. Safe at any time.
 */
void helper_stop(struct helper *helper);

/*! Whether it is there. */
static inline bool helper_is_there(const struct helper *helper)
{
	return helper->fd >= 0;
}

/*! Puts it on the link's loop, so that queued requests go on. \param on_done  see the struct */
void helper_watch(struct helper *helper, struct ev_loop *loop,
		  void (*on_done)(void *context, enum helper_request request,
				  enum exit_code result),
		  void *context);

/*! Takes it off the loop; what is queued is forgotten, and a program that runs for it is ended. */
void helper_unwatch(struct helper *helper);

/*!
 * Has it read the link file. What the file's commands are, the helper knows from then on.
 * \param ret  with its secrets; for conf_link_deinit(), also after a failure
 * \return EXIT_DONE or the exit code; all findings were said
 */
enum exit_code helper_load(struct helper *helper, struct conf_link *ret);

/*!
 * Has it look at the link file as helper_load() does, without any effect.
 * \param ret   as there
 * \param diag  gets the findings, which are not said
 */
void helper_look(struct helper *helper, struct conf_link *ret, struct diag *diag);

/*! Tells it of a configuration that may come into force. \return 0 or a negative errno */
int helper_offer(struct helper *helper, const struct conf_link *conf);

/*!
 * Tells it which one is in force: `conf`, or the one that was offered.
 *
 * \param conf  or NULL
 * \return 0 or a negative errno
 */
int helper_accept(struct helper *helper, const struct conf_link *conf);

/*! Does what needs nothing but the argument's first number, and waits for it. What fails is logged.
 * \return EXIT_DONE or the exit code */
enum exit_code helper_do(struct helper *helper, enum helper_request request, uint32_t argument);

/*!
 * The same for what may take long; SIGTERM ends the program that runs, and is_cancelled says so.
 * \param limit  how long the administrator's commands may take, 0: there are none; a helper that
 *               takes longer hangs, and is given up
 */
enum exit_code helper_do_slowly(struct helper *helper, enum helper_request request,
				uint32_t argument, nsec_t limit);

/*!
 * First step: the rights for commands, the lock, which link and helper hold together, and the
 * leftovers of an earlier process, for which PreDown and PostDown may be run.
 *
 * \param limit  as for helper_do_slowly()
 * \return EXIT_DONE or the exit code
 */
enum exit_code helper_begin(struct helper *helper, nsec_t limit);

/*!
 * Why the helper does not do something, for the end of a sentence.
 *
 * \param error  a negative errno
 */
const char *helper_error_text(int error);

/*! Has DNS or HOOK done behind what waits already; on_done() hears of it. */
void helper_queue(struct helper *helper, enum helper_request request, uint32_t argument);

/*! Whether something is queued, or is being done. */
static inline bool helper_is_busy(const struct helper *helper)
{
	return helper->n_queue > 0;
}

/*!
 * Takes the mark for sockets.
 *
 * \param ret_mark  0: none
 * \return EXIT_DONE or the exit code
 */
enum exit_code helper_claim(struct helper *helper, enum helper_conf which, uint32_t *ret_mark);

/*!
 * Opens sockets with that mark.
 *
 * \param port  host order; 0: any
 * \return as udp_open()
 */
int helper_open_udp(struct helper *helper, uint16_t port, struct udp *ret);

/*! Sets that mark on sockets that are open. \return 0 or a negative errno */
int helper_mark_udp(struct helper *helper, const struct udp *udp);

/*! Sets the interface's MTU. \return 0 or a negative errno */
int helper_set_mtu(struct helper *helper, unsigned int mtu);

/*! Has it remove these at the end: of status, of changes, of the wg protocol. */
void helper_tell_sockets(struct helper *helper,
			 const struct helper_file sockets[static HELPER_N_SOCKETS]);

/*! Another resolver's keeper: get_keeper() of resolver.h. \param context  the helper */
int helper_get_keeper(void *context);

/*!
 * Undoes default routes and name servers while the interface is there, after PreDown.
 *
 * \param limit  as for helper_do_slowly()
 */
void helper_end_rules(struct helper *helper, nsec_t limit);

/*! PostDown, and gives the lock back. \param limit  as for helper_do_slowly() */
void helper_end(struct helper *helper, nsec_t limit);

#endif
