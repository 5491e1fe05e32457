/*
 * The service manager: what vpnd tells systemd, and the descriptors that systemd keeps while the
 * service restarts. Without a service manager everything in here does nothing and succeeds.
 *
 * How this works: the manager names a datagram socket in the environment; each message is some
 * lines NAME=VALUE, with descriptors attached where they are to be kept (sd_notify(3) describes
 * names and values and promises that they stay). The library that systemd has for this opens a
 * socket for each message; vpnd gives up the right to open sockets soon after its start, so it
 * opens one at the start and keeps it. What the environment said is taken out of it: programs that
 * vpnd starts are not the service.
 *
 * There is one manager for a process, so there is no object: the functions are for the control
 * thread alone.
 */
#ifndef HOST_SERVICE_H
#define HOST_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "common/nsec.h"

enum service_limits {
	SERVICE_FDS_MAX = 8,     /* descriptors that are taken over; more are closed */
	SERVICE_NAME_MAX = 64,   /* bytes of a descriptor's name, with a NUL */
	SERVICE_STATUS_MAX = 200 /* bytes of a status, with a NUL */
};

/*!
 * Finds the service manager in the environment, opens the socket to it, and takes the descriptors
 * that it hands over (sd_listen_fds(3)): they get closed on exec. To be called once, before
 * anything opens a descriptor or starts a process.
 * \return 0, also without a manager; a negative errno: there is one, and it cannot be told anything
 */
int service_init(void);

/*! Closes the socket and what was not taken. */
void service_deinit(void);

/*! Whether there is a service manager that listens. */
bool service_is_there(void);

/*!
 * Whether it starts a process that was killed again, and keeps for that one what is stored: the
 * unit says so by VPND_KEEPS=1 in the environment, because no manager does.
 */
bool service_keeps(void);

/*!
 * The link works, or the reload is done.
 * \param status  one line without a newline, shown by `systemctl status`
 * \return 0 or a negative errno
 */
int service_ready(const char *status);

/*! A reload begins; service_ready() ends it. \return 0 or a negative errno */
int service_reloading(void);

/*! The end begins. \return 0 or a negative errno */
int service_stopping(void);

/*! Shows one line. \return 0 or a negative errno; -EAGAIN while the manager is slow */
int service_status(const char *status);

/*!
 * Asks for patience: start, reload or stop go on for up to `more` from now (EXTEND_TIMEOUT_USEC).
 * \return 0 or a negative errno
 */
int service_extend(nsec_t more);

/*!
 * How often the manager wants a sign of life, at the least: WatchdogSec of the unit.
 * \return an interval, or 0: not at all
 */
nsec_t service_watchdog(void);

/*! Gives the sign of life. \return 0 or a negative errno */
int service_feed(void);

/*!
 * Has the manager keep a copy of a descriptor until the unit is stopped; the next process of the
 * service gets it. A copy that it has already is not kept twice. The manager does not watch it: by
 * itself it would throw away a socket with an ICMP error on it.
 * \param name  printable ASCII without ":", shorter than SERVICE_NAME_MAX
 * \return 0 or a negative errno
 */
int service_store(int fd, const char *name);

/*!
 * Takes a descriptor that the process before has stored.
 * \param name  the whole name
 * \return the descriptor, the caller's from now on; -1: there is none of that name
 */
int service_take(const char *name);

/*!
 * Closes all descriptors that were handed over and not taken, and has the manager close its copies,
 * also those that have the same name as one that was taken. Does not wait for that.
 * \return how many there were
 */
size_t service_drop_rest(void);

/*! Has the manager close its copies of that name. \return 0 or a negative errno */
int service_unstore(const char *name);

/*!
 * Waits until the manager has done everything that was asked for, half a second at most.
 * \return 0; -ETIMEDOUT; another negative errno
 */
int service_settle(void);

#endif
