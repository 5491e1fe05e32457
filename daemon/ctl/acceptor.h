/*
 * Takes connections from a listening socket on a loop, for the servers of this room: one a turn, so
 * that a crowd cannot keep the loop from its other work; no more at a time than the server has
 * places for; and none for a second after descriptors or memory were short, because who waits makes
 * the socket readable again at once, and the loop would spin.
 */
#ifndef CTL_ACCEPTOR_H
#define CTL_ACCEPTOR_H

#include <stddef.h>

#include <ev.h>

/* All zero: not started. */
struct acceptor {
	struct ev_loop *loop; /* NULL: not started */
	size_t n_clients, n_clients_max;
	/* Takes a connection, which is non-blocking and its own from then on. Returns 0; or a
	 * negative errno when memory is short: then it has closed it. */
	int (*take)(void *context, int fd);
	void *context;
	ev_io acceptable;
	ev_timer retry;
};

/*!
 * Begins. `take`, `context` and `n_clients_max` are set.
 * \param acceptor  stays where it is until it is stopped
 * \param fd        listening and non-blocking; not owned
 */
void acceptor_start(struct acceptor *acceptor, struct ev_loop *loop, int fd);

/*! A client that was taken is gone: there is a place for another one. */
void acceptor_release(struct acceptor *acceptor);

/*! Ends; safe twice. Clients that are there may still be released. */
void acceptor_stop(struct acceptor *acceptor);

#endif
