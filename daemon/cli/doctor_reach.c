/* `vpnd doctor`: whether the peer answers, outside and inside the link. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "daemon/cli/doctor.h"
#include "daemon/cli/doctor_prefix.h"
#include "daemon/cli/echo.h"
#include "daemon/ctl/status_server.h"
#include "daemon/host/netns.h"

/* How long an answer is awaited. */
#define ECHO_LIMIT  (1500 * NSEC_PER_MSEC)
#define KNOCK_LIMIT (1000 * NSEC_PER_MSEC)
/* How long a handshake that has begun is awaited, and how often it is looked at: one retry. */
#define SETTLE_LIMIT (6500 * NSEC_PER_MSEC)
#define SETTLE_STEP  (200 * NSEC_PER_MSEC)

static bool is_state(const struct doctor *doctor, const char *state)
{
	return doctor->is_running && strcmp(doctor->status.state, state) == 0;
}

static bool is_unreachable(int error)
{
	return error == -EHOSTUNREACH || error == -ENETUNREACH || error == -EHOSTDOWN ||
	       error == -EACCES;
}

/* Asks the running link again. */
static void ask_again(struct doctor *doctor)
{
	status_answer_deinit(&doctor->status);
	status_ask(STATUS_DIR, doctor->name, &doctor->status);
	doctor->is_running = doctor->status.error == 0;
}

/* A handshake that is under way is awaited, so that there is something to say about it. */
static void settle(struct doctor *doctor)
{
	const struct timespec step = { .tv_nsec = (long)SETTLE_STEP };
	nsec_t until = nsec_boottime() + SETTLE_LIMIT;

	ask_again(doctor);
	while (is_state(doctor, "handshake") && nsec_boottime() < until) {
		nanosleep(&step, NULL);
		ask_again(doctor);
	}
}

/* The peer's address inside the link, if AllowedIPs name one; else one that it is likely to have.
 * \return false when there is nothing to try */
static bool inner_address(const struct doctor *doctor, union netaddr *ret, bool *ret_is_sure)
{
	const struct conf_prefixes *allowed = &doctor->conf.allowed_ips;
	const struct conf_prefixes *own = &doctor->conf.addresses;

	*ret_is_sure = true;
	for (size_t i = 0; i < allowed->n; i++) {
		if (prefix_is_host(&allowed->items[i]) &&
		    prefix_first_host(&allowed->items[i], own, ret))
			return true;
	}
	*ret_is_sure = false;
	for (size_t i = 0; i < own->n; i++) {
		struct prefix net = own->items[i];

		prefix_mask(&net);
		if (!prefix_is_host(&own->items[i]) && prefixes_meet(allowed, &net) &&
		    prefix_first_host(&net, own, ret))
			return true;
	}
	return false;
}

struct ping {
	const union netaddr *to;
	const char *device;
	nsec_t duration;
};

static int ping(void *context)
{
	struct ping *job = context;

	return echo_ask(job->to, job->device, 0, ECHO_LIMIT, &job->duration);
}

/* "192.0.2.1" of "192.0.2.1:0". */
static const char *address_text(const union netaddr *addr, char text[static NETADDR_TEXT_MAX])
{
	struct prefix prefix = { .family = (uint8_t)addr->sa.sa_family,
				 .len = addr->sa.sa_family == AF_INET ? 32 : 128 };
	char buf[PREFIX_TEXT_MAX];

	memcpy(prefix.addr,
	       addr->sa.sa_family == AF_INET ? (const void *)&addr->in4.sin_addr
					     : (const void *)&addr->in6.sin6_addr,
	       prefix_addr_len(addr->sa.sa_family));
	prefix_format(&prefix, buf);
	buf[strcspn(buf, "/")] = '\0';
	snprintf(text, NETADDR_TEXT_MAX, "%s", buf);
	return text;
}

static void knock(struct doctor *doctor, const char *text)
{
	const union netaddr *remote = &doctor->remotes[0];
	int r = echo_knock(remote, doctor->mark, KNOCK_LIMIT);
	unsigned int port = netaddr_port(remote);

	if (r == -ECONNREFUSED)
		doctor_say(doctor, DOCTOR_FAIL,
			   "Start the peer's link, and compare its ListenPort with Endpoint here.",
			   "the peer's host %s refuses UDP port %u: nothing listens there", text,
			   port);
	else if (is_unreachable(r))
		doctor_say(doctor, DOCTOR_FAIL,
			   "Check that the address is right and that the host is up; a router or a "
			   "firewall on the way may refuse as well.",
			   "%s, UDP port %u, cannot be reached: %s", text, port, strerror(-r));
	else
		doctor_say(doctor, DOCTOR_NOTE, NULL,
			   "UDP to port %u there is not refused, which is as it is when WireGuard "
			   "listens, and when a firewall drops it",
			   port);
}

void doctor_check_peer(struct doctor *doctor)
{
	char text[NETADDR_TEXT_MAX];
	nsec_t duration;
	int r;

	/* That the link works is answer enough. */
	if (doctor->n_remotes == 0 || is_state(doctor, "up"))
		return;
	address_text(&doctor->remotes[0], text);
	r = echo_ask(&doctor->remotes[0], NULL, doctor->mark, ECHO_LIMIT, &duration);
	if (r == 0)
		doctor_say(
			doctor, DOCTOR_OK, NULL,
			"the peer's host %s answers pings, in %.1f ms: address and route are right",
			text, (double)duration / (double)NSEC_PER_MSEC);
	else if (r == -EPERM || r == -EACCES)
		doctor_say(doctor, DOCTOR_NOTE, NULL,
			   "you may not send pings, so the peer's host was not tried");
	else if (is_unreachable(r))
		doctor_say(doctor, DOCTOR_WARN,
			   "Check that the address is right and that the host is up.",
			   "the peer's host %s cannot be reached: %s", text, strerror(-r));
	else
		doctor_say(doctor, DOCTOR_NOTE, NULL,
			   "the peer's host %s does not answer pings, which many firewalls forbid",
			   text);
	knock(doctor, text);
}

static void say_inside(struct doctor *doctor, const char *text, bool is_sure)
{
	bool has_received = doctor->status.rx_packets > 0;

	doctor_say(
		doctor,
		!is_sure       ? DOCTOR_NOTE
		: has_received ? DOCTOR_WARN
			       : DOCTOR_FAIL,
		"Its firewall may drop pings; if nothing else passes either, its AllowedIPs lack "
		"this end's address, or it has another one itself: `vpnd doctor` there.",
		"%s does not answer pings through the link, although there is a session%s", text,
		has_received ? "" : ", and no packet has come from it yet");
}

void doctor_check_inside(struct doctor *doctor)
{
	char text[NETADDR_TEXT_MAX];
	union netaddr inner;
	struct ping job = { .to = &inner, .device = doctor->name };
	const char *namespace = doctor->conf.namespace;
	bool is_sure;
	int r;

	/* Without an address of the peer, a packet is only one more that is dropped. */
	if (!doctor->ifindex || !doctor->has_conf ||
	    (doctor->is_running && !doctor->status.endpoint) ||
	    !inner_address(doctor, &inner, &is_sure)) {
		if (is_state(doctor, "handshake"))
			settle(doctor);
		return;
	}
	r = netns_call(namespace, ping, &job);
	if (doctor->is_running)
		settle(doctor);
	if (r == -ETIMEDOUT && is_state(doctor, "up"))
		r = netns_call(namespace, ping, &job);
	address_text(&inner, text);
	if (r == 0)
		doctor_say(doctor, DOCTOR_OK, NULL, "%s answers through the link, in %.1f ms", text,
			   (double)job.duration / (double)NSEC_PER_MSEC);
	else if (r == -EPERM || r == -EACCES)
		doctor_say(doctor, DOCTOR_NOTE, NULL,
			   "you may not send pings, so the inside of the link was not tried");
	else if (is_state(doctor, "up"))
		say_inside(doctor, text, is_sure);
}
