/*
 * System calls: each thread of a link may make those that it is known to make, and no other
 * (seccomp(2)). What an intruder would want first is not among them: opening files and sockets,
 * running programs, making processes, looking into others, memory that is both written and run.
 *
 * The list is proven by running the end-to-end tests with CONF_SANDBOX_KILL. It belongs to a
 * thread; threads that are made later inherit it.
 */
#ifndef DAEMON_HOST_SANDBOX_H
#define DAEMON_HOST_SANDBOX_H

#include "conf/host_model.h"

enum sandbox_thread {
	SANDBOX_CONTROL, /* handshakes, timers, control sockets, netlink, the helper */
	SANDBOX_TX,      /* interface to UDP */
	SANDBOX_RX,      /* UDP to interface */
};

/* Expected answer of sandbox_enter(). */
enum sandbox_answer {
	SANDBOX_MISSING = 1, /* not done: vpnd was built without libseccomp */
};

/*!
 * Confines the calling thread from now on, for good. The thread must not get rights any more
 * (rights_drop()).
 * \param mode  CONF_SANDBOX_OFF: nothing happens; CONF_SANDBOX_REFUSE: other system calls fail with
 *              EPERM; CONF_SANDBOX_KILL: they end the process with SIGSYS
 * \return 0; SANDBOX_MISSING; a negative errno
 */
int sandbox_enter(enum sandbox_thread thread, enum conf_sandbox mode);

#endif
