/* The link as the service manager sees it; see pulse.h. */
#include "daemon/core/pulse.h"

#include <stdio.h>
#include <string.h>

#include "daemon/core/link.h"

#define STATUS_INTERVAL NSEC_PER_SEC

/* The state in one line: "up, peer at 192.0.2.1:51820, cipher aes256-gcm, MTU 1420". */
static void describe(const struct link *link, char ret[static SERVICE_STATUS_MAX])
{
	const struct keypair *current = link->peer.secrets->keypairs.current;
	const union netaddr *remote = &link->wire.path.remote;
	char text[NETADDR_TEXT_MAX];

	snprintf(ret, SERVICE_STATUS_MAX, "%s, peer at %s%s%s, MTU %u", link_state_name(link)->text,
		 remote->sa.sa_family != AF_UNSPEC ? netaddr_format(remote, text)
						   : "an address not known yet",
		 current ? ", cipher " : "", current ? current->cipher->name : "", link->mtu);
}

static void warn(int error)
{
	if (error < 0)
		log_warning("the service manager does not hear us: %s", strerror(-error));
}

static void note_told(struct pulse *pulse, const char *status, nsec_t now)
{
	pulse->told_at = now;
	snprintf(pulse->told, sizeof(pulse->told), "%s", status);
}

static void say_ready(struct link *link, nsec_t now)
{
	char status[SERVICE_STATUS_MAX];

	describe(link, status);
	warn(service_ready(status));
	note_told(&link->pulse, status, now);
	link->pulse.is_ready = true;
}

nsec_t pulse_act(struct link *link, nsec_t now)
{
	struct pulse *pulse = &link->pulse;
	char status[SERVICE_STATUS_MAX];

	if (!service_is_there())
		return NSEC_NEVER;
	if (pulse->is_started && !pulse->is_ready &&
	    (link->conf->ready_when == CONF_READY_INTERFACE || link->report.state == REPORT_UP))
		say_ready(link, now);
	describe(link, status);
	if (strcmp(status, pulse->told) == 0)
		return NSEC_NEVER;
	if (pulse->told_at && !nsec_expired(pulse->told_at, STATUS_INTERVAL, now))
		return pulse->told_at + STATUS_INTERVAL;
	/* A manager that is slow hears of the next change, or of this one in a second. */
	if (service_status(status) < 0)
		status[0] = '\0';
	note_told(pulse, status, now);
	return status[0] ? NSEC_NEVER : now + STATUS_INTERVAL;
}

static void on_beat(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct link *link = container_of(watcher, struct link, pulse.beat);

	(void)loop;
	(void)events;
	link->pulse.is_asked = true;
	link_ask_counters(link);
}

void pulse_answered(struct link *link)
{
	if (link->pulse.is_asked)
		(void)service_feed();
	link->pulse.is_asked = false;
}

void pulse_start(struct link *link)
{
	struct pulse *pulse = &link->pulse;
	double interval = (double)service_watchdog() / (double)NSEC_PER_SEC / 2;

	pulse->is_started = true;
	if (link->conf->ready_when == CONF_READY_HANDSHAKE && service_is_there())
		log_info("ready after the first handshake, as ReadyWhen says: until then the "
			 "service manager waits");
	alarm_at(&link->alarm, pulse_act(link, nsec_boottime()));
	if (interval <= 0 || pulse->has_beat)
		return;
	ev_timer_init(&pulse->beat, on_beat, interval, interval);
	ev_timer_start(link->loop, &pulse->beat);
	pulse->has_beat = true;
}

void pulse_stop(struct link *link)
{
	if (link->pulse.has_beat)
		ev_timer_stop(link->loop, &link->pulse.beat);
	link->pulse.has_beat = false;
}

void pulse_reloading(const struct link *link)
{
	if (link->pulse.is_ready)
		warn(service_reloading());
}

void pulse_reloaded(struct link *link)
{
	nsec_t now = nsec_boottime();

	if (link->pulse.is_ready)
		say_ready(link, now);
	else
		alarm_at(&link->alarm, pulse_act(link, now));
}
