/* A deadline on the boot-time clock; see alarm.h. */
#include "daemon/core/alarm.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/defs.h"

static void on_expired(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct alarm *alarm = container_of(watcher, struct alarm, watcher);
	uint64_t n_expirations;

	(void)loop;
	(void)events;
	if (read(watcher->fd, &n_expirations, sizeof(n_expirations)) < 0)
		return;
	alarm->rings_at = NSEC_NEVER;
	alarm->on_ring(alarm->context);
}

int alarm_init(struct alarm *alarm, struct ev_loop *loop, void (*on_ring)(void *), void *context)
{
	int fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	alarm->rings_at = NSEC_NEVER;
	alarm->on_ring = on_ring;
	alarm->context = context;
	ev_io_init(&alarm->watcher, on_expired, fd, EV_READ);
	ev_io_start(loop, &alarm->watcher);
	return 0;
}

void alarm_deinit(struct alarm *alarm, struct ev_loop *loop)
{
	ev_io_stop(loop, &alarm->watcher);
	close(alarm->watcher.fd);
}

void alarm_at(struct alarm *alarm, nsec_t deadline)
{
	/* Zero would disarm the timer; a deadline in the past rings at once. */
	nsec_t at = MAX(deadline, 1);
	struct itimerspec spec = {
		.it_value = { .tv_sec = (time_t)(at / NSEC_PER_SEC),
			      .tv_nsec = (long)(at % NSEC_PER_SEC) },
	};

	if (deadline >= alarm->rings_at)
		return;
	if (timerfd_settime(alarm->watcher.fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0)
		alarm->rings_at = deadline;
}
