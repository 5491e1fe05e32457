/*
 * How the threads speak: a lock around what is told, and a bell at the reader's loop.
 *
 * There are three threads, each with a loop: control decides, tx and rx carry packets. None
 * touches what another owns. Who has something to say writes it into a place that both know and
 * rings; the reader takes it out in a turn of its own loop. What is told has a bounded size: news
 * that was not read yet is written over or added to, and handshake messages have a queue that can
 * be full. tx and rx take the lock when there is mail, and when they tell something themselves:
 * some twenty times a second, and for each handshake message; never for a packet of data.
 */
#ifndef CORE_MAILBOX_H
#define CORE_MAILBOX_H

#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* What is told lies beside the mailbox, in the structure around both. */
struct mailbox {
	pthread_mutex_t lock;
	atomic_bool has_mail;
	struct ev_loop *loop; /* the reader's */
	ev_async bell;
	void (*on_mail)(void *context);
	void *context;
};

/*!
 * Puts the bell on the reader's loop, which does not run yet or is the caller's.
 * \param on_mail  called by that loop, before its other watchers, after a mailbox_send(); the mail
 *                 may have been taken already, by who looked for it
 */
void mailbox_init(struct mailbox *mailbox, struct ev_loop *loop, void (*on_mail)(void *context),
		  void *context);

/*! Takes it off the loop, which does not run any more or is the caller's. */
void mailbox_deinit(struct mailbox *mailbox);

/*! Begins to write what is told. */
void mailbox_begin(struct mailbox *mailbox);

/*! Ends it, and rings. */
void mailbox_send(struct mailbox *mailbox);

/*! Begins to read what was told; ends with mailbox_taken(). */
void mailbox_take(struct mailbox *mailbox);

/*! What was told has been read, and may be written anew. */
void mailbox_taken(struct mailbox *mailbox);

/*! Whether something was sent that was not taken; a plain load. */
static inline bool mailbox_has_mail(const struct mailbox *mailbox)
{
	return atomic_load_explicit(&mailbox->has_mail, memory_order_acquire);
}

#endif
