/*
 * What a link counts, each loop for itself. Whatever a stranger can cause is counted here and not
 * logged line by line.
 */
#ifndef CORE_COUNTERS_H
#define CORE_COUNTERS_H

#include <stdint.h>

#include "daemon/proto/peer.h"

enum counter {
	COUNT_TX_PACKETS,      /* from the interface, sealed and sent */
	COUNT_TX_BYTES,        /* UDP payload of all messages sent */
	COUNT_RX_PACKETS,      /* to the interface */
	COUNT_RX_BYTES,        /* UDP payload of all authentic messages */
	COUNT_RX_EXPECTED,     /* data messages that the peer has sealed, by their counters */
	COUNT_RX_INVALID,      /* datagrams that are no message at all */
	COUNT_RX_FLOOD,        /* handshake messages that came faster than they are read */
	COUNT_RX_NOT_IP,       /* authentic, but no packet or frame inside that fits */
	COUNT_RX_NOT_ALLOWED,  /* authentic, but from an inside address out of AllowedIPs */
	COUNT_RX_WRITE_FAILED, /* the interface did not take the packet */
	COUNT_TX_NOT_IP,       /* from the interface, but no packet or frame */
	COUNT_TX_NOT_ALLOWED,  /* to an inside address out of AllowedIPs */
	COUNT_TX_NO_ENDPOINT,  /* nobody to send to */
	COUNT_TX_NO_SESSION,   /* waited for a session in vain, or too many waited */
	COUNT_TX_TOO_BIG,      /* the path does not carry a datagram of that size */
	COUNT_TX_STORM,        /* frames to everybody beyond the host's limit */
	COUNT_TX_SEND_FAILED,  /* the socket refused, for any other reason */
	COUNT_TX_BLOCKED,      /* times that the socket was full and the interface had to wait */
	N_COUNTERS,
};

struct counters {
	uint64_t n[N_COUNTERS];
	uint64_t verdicts[PEER_N_VERDICTS]; /* datagrams by what they turned out to be */
};

/*! Adds up what the loops have counted. */
static inline void counters_add(struct counters *sum, const struct counters *some)
{
	for (size_t i = 0; i < N_COUNTERS; i++)
		sum->n[i] += some->n[i];
	for (size_t i = 0; i < PEER_N_VERDICTS; i++)
		sum->verdicts[i] += some->verdicts[i];
}

#endif
