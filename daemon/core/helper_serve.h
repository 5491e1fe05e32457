/*
 * The helper's own side: the process, and its loop over requests; see helper.h. What each request
 * does is in helper_work.c.
 */
#ifndef CORE_HELPER_SERVE_H
#define CORE_HELPER_SERVE_H

#include <stdnoreturn.h>

#include "daemon/core/helper.h"
#include "daemon/core/helper_wire.h"
#include "daemon/core/outside.h"
#include "daemon/host/netlink.h"

/* Commands and name servers that were replaced while a program ran, which may still use them. */
struct helper_old_conf {
	struct helper_old_conf *next;
	struct conf_link conf;
};

/* How many of them there may be. */
#define HELPER_OLD_CONFS_MAX 64

/* Everything that the helper has. */
struct helper_server {
	int fd; /* to the link */
	const struct helper_env *env;
	struct outside outside;
	struct netlink nl;          /* where the interface is */
	struct conf_link from_file; /* the file that is in force; its commands are those that run */
	struct conf_link
		offered_file; /* that was read since, and has been accepted by nobody yet */
	bool has_offered_file;
	bool is_offer_of_file;                  /* confs[HELPER_OFFERED] has its commands */
	struct conf_link confs[HELPER_N_CONFS]; /* without secrets */
	bool has_conf[HELPER_N_CONFS];
	struct helper_old_conf *old_confs;
	size_t n_old_confs;
	bool is_changing;     /* rules are those of what was offered, which is not in force yet */
	unsigned int ifindex; /* of the interface; 0: not known yet */
	uint32_t mark;        /* that was claimed last */
	struct resolver resolver;
	struct helper_file sockets[HELPER_N_SOCKETS];
	struct program_watch watch; /* serves requests while a program runs */
	bool is_busy;               /* a program may run */
	bool is_left;               /* another process takes everything over */
	bool is_alone;              /* the link is gone */
	bool has_begun;             /* HELPER_BEGIN was asked for: there is no second time */
	bool has_ended;             /* HELPER_END is done, and nothing else is any more */
};

/* What is sent back. */
struct helper_reply {
	struct helper_answer answer;
	struct conf_secrets *secrets; /* NULL: none; wiped and freed when they are sent */
	int fds[HELPER_FDS_MAX];      /* -1: none; closed when they are sent */
};

/* One request, while it is served. */
struct helper_job {
	struct helper_server *server;
	const union helper_argument *argument;
	const int *fds; /* HELPER_FDS_MAX, that came with it; -1: none */
	struct helper_reply *reply;
};

/* One row of the table of requests. */
struct helper_work {
	/*! Does it. \return the answer's result: an exit code, or a negative errno */
	int (*work)(const struct helper_job *job);
	size_t argument_len;
	size_t n_fds_min, n_fds_max; /* descriptors that come with it */
	bool is_long;                /* it may run programs: not while one runs */
};

/* HELPER_N_REQUESTS rows; HELPER_CANCEL has none. */
extern const struct helper_work helper_table[];

/*! LOAD: reads the file, and answers with what is in it; work() of the table. */
int helper_load_file(const struct helper_job *job);

/*! OFFER: takes a configuration, less what only the file decides; work() of the table. */
int helper_take_offer(const struct helper_job *job);

/*! ACCEPT: what was offered is in force; work() of the table. */
int helper_accept_offer(const struct helper_job *job);

/*!
 * The configuration that is meant.
 *
 * \param which  enum helper_conf, unchecked
 * \return NULL when there is none
 */
const struct conf_link *helper_conf_of(const struct helper_server *server, uint32_t which);

/*!
 * Becomes the helper. To be called in a fresh child with all signals blocked.
 * \param fd  this end of the pair
 */
noreturn void helper_serve(int fd, const struct helper_env *env);

/*! Prepares the struct; nothing is done yet. */
void helper_server_init(struct helper_server *server, int fd, const struct helper_env *env);

/*! Frees what it has, and changes nothing on the host. */
void helper_server_deinit(struct helper_server *server);

/*!
 * Takes one request, and answers it.
 * \param is_nested  while a program runs for another one: then what is long is refused
 * \return whether what runs is no longer wanted: somebody has said so, or the link is gone
 */
bool helper_serve_one(struct helper_server *server, bool is_nested);

/*! Undoes what the link has not had undone, as if it had asked for that. */
void helper_clean_up(struct helper_server *server);

#endif
