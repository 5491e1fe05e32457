/*
 * A deadline on the boot-time clock, on a libev loop.
 *
 * libev's own timers run on the monotonic clock, which stands still while the machine sleeps: a
 * rekey would come hours late. A timerfd on CLOCK_BOOTTIME fires at once after resume.
 *
 * The deadlines of a link move with what the data loops report, mostly to later. The kernel is told
 * only when one moves to earlier; when the alarm rings too early, it is simply set again.
 */
#ifndef CORE_ALARM_H
#define CORE_ALARM_H

#include <ev.h>

#include "common/nsec.h"

struct alarm {
	ev_io watcher;   /* on the timerfd */
	nsec_t rings_at; /* what the kernel was told; NSEC_NEVER: nothing */
	void (*on_ring)(void *context);
	void *context;
};

/*!
 * Makes an alarm that is not set and puts it on the loop.
 * \return 0 or a negative errno of timerfd_create(2)
 */
int alarm_init(struct alarm *alarm, struct ev_loop *loop, void (*on_ring)(void *), void *context);

/*! Takes it off the loop and closes it. */
void alarm_deinit(struct alarm *alarm, struct ev_loop *loop);

/*! Makes sure that the alarm rings at `deadline` or earlier. NSEC_NEVER asks for nothing. */
void alarm_at(struct alarm *alarm, nsec_t deadline);

#endif
