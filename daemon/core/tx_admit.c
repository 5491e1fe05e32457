/* Which packets may go to the peer; see tx_admit.h. */
#include "daemon/core/tx_admit.h"

#include "daemon/data/icmp.h"

/* Between two ICMP messages to local programs. */
#define ICMP_INTERVAL (10 * NSEC_PER_MSEC)

/* Whether the packet is a message of ours: a route has sent it into the link that it carries. */
static bool is_own(const struct tx *tx, const struct inner *inner)
{
	const union netaddr *remote = &tx->worker->wire.path.remote;
	const void *address = remote->sa.sa_family == AF_INET
				      ? (const void *)&remote->in4.sin_addr
				      : (const void *)&remote->in6.sin6_addr;

	return remote->sa.sa_family == inner->family &&
	       inner_is_udp(inner, tx->worker->wire.udp.port, address, netaddr_port(remote));
}

static bool is_allowed(struct tx *tx, const struct inner *inner, nsec_t now)
{
	char address[INNER_ADDRESS_TEXT_MAX];

	if (allowedips_contain(tx->worker->state.allowed, inner->family, inner->destination))
		return true;
	worker_counters(tx->worker)->n[COUNT_TX_NOT_ALLOWED]++;
	inner_format_address(inner->family, inner->destination, address);
	troubles_say(&tx->worker->troubles, TROUBLE_NOT_ALLOWED_OUT, now,
		     "dropped packets to %s, which AllowedIPs does not allow", address);
	return false;
}

/* Whether there is no reason against sending it to the peer. */
static bool may_go(struct tx *tx, const struct inner *inner, nsec_t now)
{
	if (!tx->tun->is_tap && !is_allowed(tx, inner, now))
		return false;
	if (inner && is_own(tx, inner)) {
		worker_counters(tx->worker)->n[COUNT_TX_NOT_ALLOWED]++;
		troubles_say_loop(&tx->worker->troubles, &tx->worker->wire.path.remote, now);
		return false;
	}
	if (!wire_has_path(&tx->worker->wire) && !tx->worker->state.may_wait) {
		worker_counters(tx->worker)->n[COUNT_TX_NO_ENDPOINT]++;
		troubles_say(&tx->worker->troubles, TROUBLE_NO_ENDPOINT, now,
			     "dropped packets: the peer has no Endpoint in the file and has not "
			     "called yet");
		return false;
	}
	return true;
}

/* Whether the frames that were prepared go to a known station, or are within the limit for the
 * others; counts them if not. */
static bool is_calm(struct tx *tx, nsec_t now)
{
	const struct stations *stations = &tx->worker->wire.latest->stations;
	size_t n = vnet_split_count(&tx->split);

	if (storm_admits(&tx->storm, stations, tx->split.packet, n, now))
		return true;
	worker_counters(tx->worker)->n[COUNT_TX_STORM] += n;
	troubles_say(&tx->worker->troubles, TROUBLE_STORM, now,
		     "dropped broadcast or multicast frames, or frames to unknown addresses: "
		     "there are more than %u a second (data.tap_broadcast_limit), as in a "
		     "network with a loop and without spanning tree",
		     tx->storm.limit);
	return false;
}

/* Tells the program that sent a packet that it goes nowhere. */
static void tell_unreachable(struct tx *tx, const struct inner *inner, nsec_t now)
{
	uint8_t message[VNET_HDR_LEN + ICMP_MAX_LEN] = { 0 };
	size_t len = icmp_unreachable(inner, message + VNET_HDR_LEN);
	size_t skip = tx->tun->has_vnet ? 0 : VNET_HDR_LEN;
	struct iovec iov = { message + skip, VNET_HDR_LEN - skip + len };

	if (len == 0 || now < tx->next_icmp)
		return;
	tx->next_icmp = now + ICMP_INTERVAL;
	/* A full interface loses it, as networks lose such messages. */
	(void)tun_write(tx->tun, &iov, 1);
}

bool tx_admit(struct tx *tx, const struct inner *inner, nsec_t now)
{
	/* To who sends frames the link is a cable, and a cable does not answer. */
	if (tx->tun->is_tap)
		return is_calm(tx, now) && may_go(tx, inner, now);
	if (may_go(tx, inner, now))
		return true;
	tell_unreachable(tx, inner, now);
	return false;
}
