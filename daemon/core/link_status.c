/*
 * The status of a link in the log, for kill -USR1 and for the end: the state in words, and every
 * counter that is not zero.
 */
#include "daemon/core/link.h"

/* Between the first initiation and the third without an answer there is no news, but a try. */
static const char *state_of(const struct link *link)
{
	if (link->report.state == REPORT_IDLE && link->peer.secrets->handshake.is_waiting)
		return "handshake under way";
	return report_state_name(link->report.state);
}

static unsigned long long seconds_since(nsec_t then, nsec_t now)
{
	return (now - then) / NSEC_PER_SEC;
}

static void log_state(const struct link *link, nsec_t now)
{
	const struct keypair *current = link->peer.secrets->keypairs.current;
	char remote[NETADDR_TEXT_MAX];

	log_notice("status: %s for %llu s, peer at %s, MTU %u", state_of(link),
		   seconds_since(link->report.since, now),
		   netaddr_format(&link->wire.path.remote, remote), link->mtu);
	if (link->peer.last_session_up)
		log_notice("status: last handshake %llu s ago, cipher %s",
			   seconds_since(link->peer.last_session_up, now),
			   current ? current->cipher->name : "none (its keys are erased)");
}

void link_log_status(const struct link *link, nsec_t now)
{
	static const char *const names[N_COUNTERS] = {
		[COUNT_TX_PACKETS] = "packets sent",
		[COUNT_TX_BYTES] = "bytes sent",
		[COUNT_RX_PACKETS] = "packets received",
		[COUNT_RX_BYTES] = "bytes received",
		[COUNT_RX_INVALID] = "no message",
		[COUNT_RX_FLOOD] = "handshake messages dropped in a flood",
		[COUNT_RX_NOT_IP] = "received, no IP packet",
		[COUNT_RX_NOT_ALLOWED] = "received, not in AllowedIPs",
		[COUNT_RX_WRITE_FAILED] = "received, interface full or down",
		[COUNT_TX_NOT_IP] = "to send, no IP packet",
		[COUNT_TX_NOT_ALLOWED] = "to send, not in AllowedIPs",
		[COUNT_TX_NO_ENDPOINT] = "to send, no endpoint",
		[COUNT_TX_NO_SESSION] = "packets dropped while there was no session",
		[COUNT_TX_TOO_BIG] = "to send, too big for the path",
		[COUNT_TX_SEND_FAILED] = "to send, refused by the socket",
		[COUNT_TX_BLOCKED] = "waits for the socket",
	};

	struct counters sum = link->counters;

	counters_add(&sum, &link->tx_counters);
	counters_add(&sum, &link->rx_counters);
	log_state(link, now);
	for (size_t i = 0; i < N_COUNTERS; i++) {
		if (sum.n[i])
			log_notice("status: %s: %llu", names[i], (unsigned long long)sum.n[i]);
	}
	for (enum peer_verdict i = 0; i < PEER_N_VERDICTS; i++) {
		if (sum.verdicts[i])
			log_notice("status: messages, %s: %llu", peer_verdict_name(i),
				   (unsigned long long)sum.verdicts[i]);
	}
}
