/*
 * A data loop: a thread with a libev loop of its own, its copies of the keypairs, and the two
 * mailboxes between it and control. What it does with packets is in tx.c and rx.c; which
 * descriptors it watches for that, in tx_loop.c and rx_loop.c.
 */
#ifndef CORE_WORKER_H
#define CORE_WORKER_H

#include "daemon/core/facts.h"
#include "daemon/core/orders.h"
#include "daemon/core/wire.h"
#include "daemon/host/sandbox.h"

struct conf_host;
struct tun;

/* What the data loops of a link are made from. Nothing of it is owned, and but for the struct
 * itself all of it outlives the loops. */
struct data_loop_env {
	struct ev_loop *control;          /* the loop that reads the trays */
	void *context;                    /* of its callbacks */
	const struct wire *wire;          /* control's, with open sockets; theirs begin as copies */
	const struct tun *tun;            /* only read from now on */
	const struct allowedips *allowed; /* the same, until control exchanges it */
	const struct conf_host *host;     /* sizes of batches */
};

struct worker {
	const char *name;
	struct ev_loop *loop;
	pthread_t thread;
	bool is_running;

	struct orders orders;
	struct order_state state; /* as it was told last */
	unsigned int todo;        /* what was told and not done yet */
	void (*obey)(struct worker *worker, unsigned int todo);
	enum conf_sandbox sandbox; /* what confines the thread; off unless set */
	bool seals;                /* keeps the keys that seal, else those that open */
	struct keypairs *keypairs; /* guarded, owned */

	struct tray tray;
	struct teller teller;
	struct wire wire;         /* the loop's own view of the way to the peer */
	struct troubles troubles; /* what the loop says itself */
};

/*!
 * Makes the loop and its mailboxes; nothing runs yet.
 * \param name      of the thread, at most 15 characters; kept
 * \param seals     which half of the keys it keeps
 * \param obey      called in the thread with what is to be done (enum order bits), after the state
 *                  was taken over; or NULL
 * \param on_facts  called by control when there are facts in worker->tray
 * \return 0 or -ENOMEM
 */
int worker_init(struct worker *worker, const struct data_loop_env *env, const char *name,
		bool seals, void (*obey)(struct worker *worker, unsigned int todo),
		void (*on_facts)(void *context));

/*! Starts the thread, with all signals blocked and confined to the system calls that it needs.
 * \return 0 or negative errno */
int worker_start(struct worker *worker);

/*! Ends the thread and waits for that; safe when it does not run. */
void worker_stop(struct worker *worker);

/*! Frees everything; the thread has been stopped. Safe after a failed init and on all zero. */
void worker_deinit(struct worker *worker);

/*! In the thread, after a batch: tells what is new, of the wire also, if it is time. */
void worker_end_turn(struct worker *worker);

/*! In the thread: takes over state and keypairs before the bell is heard; what is to be done is
 * done then. */
void worker_look_for_orders(struct worker *worker);

/*! In the thread: the counters that are told. */
static inline struct counters *worker_counters(struct worker *worker)
{
	return &worker->teller.news.counters;
}

#endif
