/*
 * Loops on a desk: one that ends when a callback says so, and fails the test when none ever does;
 * and keypairs whose keys can be told apart.
 */
#ifndef TESTS_UNIT_LOOP_DESK_H
#define TESTS_UNIT_LOOP_DESK_H

#include "tests/unit/keypair_desk.h"

#include <ev.h>
#include <pthread.h>
#include <semaphore.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

/* Seconds that pass only when something is broken. */
#define PATIENCE 20.

static inline struct ev_loop *new_loop(void)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV | EVBACKEND_EPOLL);

	assert_non_null(loop);
	return loop;
}

static inline void on_patience(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)events;
	timer->data = loop; /* it is over */
	ev_break(loop, EVBREAK_ALL);
}

/* Runs the loop until a callback breaks it. */
static inline void run_loop(struct ev_loop *loop)
{
	ev_timer patience;

	ev_timer_init(&patience, on_patience, PATIENCE, 0.);
	patience.data = NULL;
	ev_now_update(loop);
	ev_timer_start(loop, &patience);
	ev_run(loop, 0);
	ev_timer_stop(loop, &patience);
	assert_null(patience.data);
}

/* Lets the loop do what is due now, and nothing that would have to be waited for. */
static inline void turn_loop(struct ev_loop *loop)
{
	ev_run(loop, EVRUN_NOWAIT);
}

/* A session whose keys are `n` for sending and `n + 100` for receiving. */
static inline struct keypair *install_two_keys(struct keypairs *keypairs, bool i_am_initiator,
					       uint8_t n)
{
	struct noise_session_keys keys = keys_of(n);

	memset(keys.receive, n + 100, sizeof(keys.receive));
	return keypairs_install(keypairs, &keys, i_am_initiator, n, n, START);
}

/* Whether a place holds the key whose bytes are all `n`. */
static inline bool is_key(const union cipher_key *key, uint8_t n)
{
	uint8_t bytes[CIPHER_KEY_LEN];
	union cipher_key expected;

	memset(&expected, 0, sizeof(expected));
	memset(bytes, n, sizeof(bytes));
	cipher_get(CIPHER_CHACHA20_POLY1305)->init(&expected, bytes);
	return memcmp(key, &expected, CIPHER_KEY_LEN) == 0;
}

static inline bool is_wiped(const union cipher_key *key)
{
	return sodium_is_zero((const unsigned char *)key, sizeof(*key));
}

#endif
