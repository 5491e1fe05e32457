/*
 * What the service manager hears of a link (daemon/host/service.h): that it works, in what state it
 * is, and, where the unit has a watchdog, that all three loops turn.
 *
 * The sign of life for the watchdog is given when both data loops have answered a question of
 * control's, which is asked at half the manager's interval. A loop that hangs does not answer, or
 * does not ask: then the manager ends the process and starts it anew.
 */
#ifndef CORE_PULSE_H
#define CORE_PULSE_H

#include <ev.h>
#include <stdbool.h>

#include "common/nsec.h"
#include "daemon/host/service.h"

struct link;

struct pulse {
	ev_timer beat;
	bool has_beat;
	bool is_asked;                 /* the answers are awaited for the watchdog */
	bool is_started;               /* everything that belongs to a start is done, */
	bool is_ready;                 /* and it was said */
	nsec_t told_at;                /* when the status was told last; 0: never */
	char told[SERVICE_STATUS_MAX]; /* what it was */
};

/*!
 * To be called when everything that belongs to the start is done, hooks included: says READY, or
 * will say so after the first handshake when the link file wants that (ReadyWhen), and begins with
 * the signs of life.
 */
void pulse_start(struct link *link);

/*! Takes the timer off the loop; safe at any point after link_init(). */
void pulse_stop(struct link *link);

/*! Both data loops have answered. */
void pulse_answered(struct link *link);

/*!
 * Tells the state if it is another one, once a second at most, and READY when its time has come.
 * To be called after everything that may have changed the state.
 * \return when it must be called again, or NSEC_NEVER
 */
nsec_t pulse_act(struct link *link, nsec_t now);

/*!
 * A reload begins; pulse_reloaded() must follow, also when nothing was changed. A manager that
 * still waits for READY hears of neither: to it the end of a reload is READY as well
 * (sd_notify(3)).
 */
void pulse_reloading(const struct link *link);

/*! The reload is done, or was refused. When the service was not ready before, it is now only if its
 * time has come. */
void pulse_reloaded(struct link *link);

#endif
