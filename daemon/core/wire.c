/* The way to the peer; see wire.h. */
#include "daemon/core/wire.h"

#include <errno.h>
#include <string.h>

#include "daemon/data/ecn.h"

/* ICMP errors read in one turn of the loop; more wait for the next. */
#define ERRORS_PER_TURN 16

void wire_forget_source(struct wire *wire)
{
	wire->path.has_source = false;
	wire->path.source_if = 0;
	latest_forget_source(wire->latest, &wire->path.remote);
}

void wire_set_path(struct wire *wire, const struct udp_path *path)
{
	wire->path = *path;
	latest_set_path(wire->latest, path);
}

/* Whether an address can be where the peer is. A host whose outer address is gone sends from its
 * inner one, behind the link's own interface: answers would go into the link itself, again and
 * again. */
static bool may_roam(struct wire *wire, const union netaddr *remote, nsec_t now)
{
	struct nl_path path;
	int r = way_ask(wire->ways, remote, now, &path);

	/* The next message from there brings it up again. */
	if (r == -EAGAIN)
		return false;
	if (r < 0 || path.ifindex != wire->own_ifindex)
		return true;
	troubles_say_loop(wire->troubles, remote, now);
	return false;
}

void wire_roam(struct wire *wire, const struct udp_path *path, nsec_t when)
{
	char from[NETADDR_TEXT_MAX], to[NETADDR_TEXT_MAX];
	union netaddr before;
	bool is_same;

	if (udp_path_equal(&wire->path, path))
		return;
	before = wire->path.remote;
	is_same = netaddr_equal(&before, &path->remote);
	if (!is_same && !may_roam(wire, &path->remote, when))
		return;
	if (!latest_learn_path(wire->latest, path, when))
		return;
	wire->path = *path;
	if (is_same)
		return;
	if (before.sa.sa_family != AF_UNSPEC)
		troubles_say(wire->troubles, TROUBLE_ROAMED, when, "the peer moved from %s to %s",
			     netaddr_format(&before, from), netaddr_format(&path->remote, to));
	wire->is_way_stale = true;
}

/* Whether an address that is no longer ours may be the reason of an error. */
static bool may_be_source(int error)
{
	switch (error) {
	case -EINVAL:
	case -EADDRNOTAVAIL:
	case -ENETUNREACH:
	case -EHOSTUNREACH:
	case -ENODEV:
		return true;
	default:
		return false;
	}
}

/* One message was refused: counts it and says why, once a minute. */
static void refuse(struct wire *wire, const union netaddr *remote, size_t len, int error,
		   nsec_t now)
{
	char text[NETADDR_TEXT_MAX];

	netaddr_format(remote, text);
	if (error == -EMSGSIZE) {
		wire->counters->n[COUNT_TX_TOO_BIG]++;
		troubles_say(wire->troubles, TROUBLE_TOO_BIG, now,
			     "the path to %s does not carry a datagram of %zu bytes: set a "
			     "smaller MTU for this link",
			     text, len);
		return;
	}
	wire->counters->n[COUNT_TX_SEND_FAILED]++;
	/* A full queue of the outer interface: losses are how networks say that. */
	if (error == -ENOBUFS)
		return;
	troubles_say(wire->troubles, TROUBLE_SEND, now, "cannot send to %s: %s; tries go on", text,
		     strerror(-error));
}

/* How long runs are not tried on a path that was too narrow for them. */
#define NARROW_TIME (10 * NSEC_PER_SEC)

/* Whether this run may be given to the kernel as one. */
static bool may_send_as_run(const struct wire *wire, const struct udp_message *run, nsec_t now)
{
	return wire->udp.has_segment && !wire->refuses_runs &&
	       (run->segment_len < wire->narrow_len || now >= wire->narrow_until);
}

/* Once for each address: control has it tried again whenever the way may be another one. */
static void say_no_runs(struct wire *wire)
{
	if (netaddr_equal(&wire->no_runs_to, &wire->path.remote))
		return;
	wire->no_runs_to = wire->path.remote;
	log_info("the way to the peer does not take runs of datagrams (no UDP_SEGMENT): they are "
		 "sent one by one");
}

/*
 * The kernel refused a run: EIO says that this way has no checksum offload, for as long as it is
 * this way, EMSGSIZE (or EINVAL, before Linux 6.14) that its MTU is too small. Neither is the end
 * of the datagrams.
 */
static bool learn_from_refused_run(struct wire *wire, const struct udp_message *run, int error,
				   nsec_t now)
{
	if (error == -EIO) {
		wire->refuses_runs = true;
		say_no_runs(wire);
		return true;
	}
	if (error != -EMSGSIZE && error != -EINVAL)
		return false;
	wire->narrow_len = run->segment_len;
	wire->narrow_until = now + NARROW_TIME;
	return true;
}

/* How many messages from the first can go out with one call. */
static size_t count_alike(const struct wire *wire, const struct udp_message *messages, size_t n,
			  nsec_t now)
{
	size_t i = 0;

	while (i < n && (!udp_is_run(&messages[i]) || may_send_as_run(wire, &messages[i], now)))
		i++;
	return i;
}

/* Takes datagrams off the front of a run; true when all of it is gone. */
static bool advance_run(struct udp_message *run, size_t n_datagrams)
{
	size_t len = MIN(n_datagrams * run->segment_len, run->len);

	run->data += len;
	run->len -= len;
	return run->len == 0;
}

/* One attempt: returns how many messages are done with, or negative errno. */
static int send_some(struct wire *wire, struct udp_message *messages, size_t n, nsec_t now)
{
	size_t n_alike = count_alike(wire, messages, n, now);
	int r;

	if (n_alike > 0) {
		r = udp_send(&wire->udp, &wire->path, messages, n_alike);
		for (int i = 0; i < r; i++)
			wire->counters->n[COUNT_TX_BYTES] += messages[i].len;
		return r;
	}
	r = udp_send_singly(&wire->udp, &wire->path, messages);
	if (r <= 0)
		return r;
	wire->counters->n[COUNT_TX_BYTES] += MIN((size_t)r * messages->segment_len, messages->len);
	return advance_run(messages, (size_t)r) ? 1 : 0;
}

size_t wire_send(struct wire *wire, struct udp_message *messages, size_t n, nsec_t now)
{
	size_t n_done = 0;

	while (n_done < n) {
		struct udp_message *first = &messages[n_done];
		bool is_as_run = udp_is_run(first) && may_send_as_run(wire, first, now);
		int r = send_some(wire, first, n - n_done, now);

		if (r == -EAGAIN)
			break;
		if (r >= 0) {
			n_done += (size_t)r;
		} else if (is_as_run && learn_from_refused_run(wire, first, r, now)) {
			continue; /* one by one */
		} else if (wire->path.has_source && may_be_source(r)) {
			wire_forget_source(wire);
			/* If it was for that, then not for the length. */
			wire->narrow_until = 0;
		} else {
			refuse(wire, &wire->path.remote, first->segment_len, r, now);
			/* Size concerns one datagram, anything else all of them. */
			n_done += r != -EMSGSIZE || advance_run(first, 1) ? 1 : 0;
		}
	}
	return n_done;
}

void wire_send_handshake(struct wire *wire, const struct udp_path *path, void *message, size_t len,
			 nsec_t now)
{
	struct udp_message one = {
		.data = message, .len = len, .segment_len = len, .tos = ECN_TOS_HANDSHAKE
	};
	struct udp_path unpinned = *path;
	int r = udp_send(&wire->udp, path, &one, 1);

	if (r < 0 && path->has_source && may_be_source(r)) {
		unpinned.has_source = false;
		unpinned.source_if = 0;
		r = udp_send(&wire->udp, &unpinned, &one, 1);
	}
	if (r >= 0)
		wire->counters->n[COUNT_TX_BYTES] += len;
	else if (r == -EAGAIN)
		wire->counters->n[COUNT_TX_BLOCKED]++;
	else if (netaddr_equal(&path->remote, &wire->path.remote))
		refuse(wire, &path->remote, len, r, now);
	else /* a stranger's address is no trouble of this link */
		wire->counters->n[COUNT_TX_SEND_FAILED]++;
}

void wire_read_errors(struct wire *wire, int fd, nsec_t now)
{
	char text[NETADDR_TEXT_MAX];
	struct udp_error error;

	for (int i = 0; i < ERRORS_PER_TURN && udp_read_error(fd, &error); i++) {
		if (!netaddr_equal(&error.remote, &wire->path.remote))
			continue;
		netaddr_format(&error.remote, text);
		if (error.error == ECONNREFUSED)
			troubles_say(wire->troubles, TROUBLE_ICMP, now,
				     "refused by %s: nothing listens on that UDP port there", text);
		else if (error.error == EMSGSIZE)
			wire->is_way_stale = true;
		else
			troubles_say(wire->troubles, TROUBLE_ICMP, now,
				     "%s cannot be reached: %s (said a router on the way)", text,
				     strerror(error.error));
	}
}
