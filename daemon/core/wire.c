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
		report_trouble(wire->report, REPORT_TOO_BIG, now,
			       "the path to %s does not carry a datagram of %zu bytes: set a "
			       "smaller MTU for this link",
			       text, len);
		return;
	}
	wire->counters->n[COUNT_TX_SEND_FAILED]++;
	report_trouble(wire->report, REPORT_SEND, now, "cannot send to %s: %s; tries go on", text,
		       strerror(-error));
}

size_t wire_send(struct wire *wire, const struct udp_message *messages, size_t n, nsec_t now)
{
	size_t n_done = 0;

	while (n_done < n) {
		int r = udp_send(&wire->udp, &wire->path, messages + n_done, n - n_done);

		if (r == -EAGAIN)
			break;
		if (r < 0 && wire->path.has_source && may_be_source(r)) {
			wire_forget_source(wire);
			continue;
		}
		if (r < 0) {
			refuse(wire, &wire->path.remote, messages[n_done].len, r, now);
			n_done++;
			continue;
		}
		for (int i = 0; i < r; i++)
			wire->counters->n[COUNT_TX_BYTES] += messages[n_done + i].len;
		n_done += (size_t)r;
	}
	return n_done;
}

void wire_send_handshake(struct wire *wire, const struct udp_path *path, void *message, size_t len,
			 nsec_t now)
{
	struct udp_message one = { .data = message, .len = len, .tos = ECN_TOS_HANDSHAKE };
	struct udp_path unpinned = *path;
	int r = udp_send(&wire->udp, path, &one, 1);

	if (r < 0 && path->has_source && may_be_source(r)) {
		unpinned.has_source = false;
		unpinned.source_if = 0;
		r = udp_send(&wire->udp, &unpinned, &one, 1);
	}
	if (r < 0)
		refuse(wire, &path->remote, len, r, now);
	else
		wire->counters->n[COUNT_TX_BYTES] += len;
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
			report_trouble(wire->report, REPORT_ICMP, now,
				       "refused by %s: nothing listens on that UDP port there",
				       text);
		else if (error.error != EMSGSIZE)
			report_trouble(wire->report, REPORT_ICMP, now,
				       "%s cannot be reached: %s (said a router on the way)", text,
				       strerror(error.error));
	}
}
