/*
 * Names to addresses without ever blocking the caller.
 *
 * How it works. getaddrinfo() blocks for as long as it likes and loads code that cannot be
 * foreseen, so it runs in other processes. resolver_start() forks a keeper, which holds nothing
 * but one end of a socket pair. For each question the keeper forks a worker, waits for it no
 * longer than the limit, and sends the answer. A worker sees /etc/resolv.conf and /etc/hosts as
 * they are at that moment, because nothing of an earlier lookup is left in it; and a lookup that
 * stalls or crashes takes only the worker with it.
 *
 *   vpnd ---- socket pair ---- keeper ---- pipe ---- worker: getaddrinfo()
 *
 * What name servers answer is parsed in the worker, without any right: as a user without any, and
 * where the kernel has Landlock, with nothing of the file system but what name lookups read.
 *
 * The keeper is to be forked before keys are loaded and before threads are started. Should
 * somebody kill it, the next question needs another: from get_keeper(), where a process that may
 * not fork any more has somebody who does; else it is forked from the process as it is then, and
 * memory that holds secrets must therefore be marked MADV_DONTFORK by its owner.
 *
 * Call everything from the one thread that lives as long as the process: the kernel ends the
 * keeper when the thread that forked it ends.
 */
#ifndef DAEMON_HOST_RESOLVER_H
#define DAEMON_HOST_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/defs.h"
#include "common/netaddr.h"
#include "common/nsec.h"

/* Addresses of one name that are kept; of more, getaddrinfo()'s first (RFC 6724) are. */
#define RESOLVER_ADDRS_MAX 16

/* How long one lookup may take before it is given up. */
#define RESOLVER_LIMIT (30 * NSEC_PER_SEC)

/* In resolver_answer.error: the lookup was given up. Not a value of getaddrinfo(). */
#define RESOLVER_STALLED 1000

/* Expected answers of resolver_ask() and resolver_read(). */
enum resolver_result {
	RESOLVER_NEW_FD = 1, /* asked, but a new keeper: watch resolver_fd() anew */
	RESOLVER_BUSY,       /* not asked: the question before is still open */
	RESOLVER_NOTHING,    /* no answer yet */
	RESOLVER_GONE,       /* the keeper died; stop watching, and ask again when needed */
};

/* Start with RESOLVER_NULL; resolver_stop() may be called at any time and twice. */
struct resolver {
	int fd;         /* our end of the pair; -1: there is no keeper */
	pid_t keeper;   /* -1: there is none */
	nsec_t limit;   /* for one lookup; at least a millisecond */
	bool is_asked;  /* a question is open */
	uint64_t id;    /* of the open question */
	nsec_t give_up; /* boot time at which the keeper itself counts as stalled */
	/*! Gives the end of a pair whose other end a new keeper has, or a negative errno; whoever
	 * forked that one ends it. NULL: it is forked here. */
	int (*get_keeper)(void *context);
	void *context;
	const char *user; /* whom a keeper forked by root becomes; NULL: it gives up nothing */
};

#define RESOLVER_NULL                                                                              \
	{                                                                                          \
		.fd = -1, .keeper = -1, .limit = RESOLVER_LIMIT                                    \
	}

/* What became of a name. */
struct resolver_answer {
	uint64_t id;                             /* as asked */
	int error;                               /* 0, an EAI_* value, or RESOLVER_STALLED */
	size_t n_addrs;                          /* at least 1 when error is 0 */
	union netaddr addrs[RESOLVER_ADDRS_MAX]; /* in the order to try them, with the port */
};

/*!
 * Forks the keeper, or gets one.
 * \return 0 or a negative errno (-EAGAIN, -ENOMEM, -EMFILE)
 */
int resolver_start(struct resolver *resolver);

/*! Ends the keeper and what it is doing; returns at once. */
void resolver_stop(struct resolver *resolver);

/*! The descriptor to watch for being readable; -1 while there is no keeper. */
int resolver_fd(const struct resolver *resolver);

/*!
 * Asks for the addresses of a name, one question at a time. When the keeper is dead, or has not
 * answered although the limit is over, it is replaced and the open question is forgotten; the old
 * descriptor is closed then.
 * \param id    comes back with the answer; never a pointer
 * \param host  1 to HOST_NAME_LEN characters
 * \param port  host order, put into each address
 * \param now   boot time
 * \return 0; RESOLVER_NEW_FD; RESOLVER_BUSY; -EINVAL: no host name; a negative errno of the fork
 */
int resolver_ask(struct resolver *resolver, uint64_t id, const char *host, uint16_t port,
		 nsec_t now);

/*!
 * Takes an answer, without blocking.
 * \param ret  written when the result is 0
 * \return 0; RESOLVER_NOTHING; RESOLVER_GONE (the descriptor is closed then)
 */
int resolver_read(struct resolver *resolver, struct resolver_answer *ret);

/*!
 * Says in words why a name has no address.
 * \param error  of a resolver_answer
 * \return a fragment like "the name does not exist"
 */
const char *resolver_error_text(int error);

#endif
