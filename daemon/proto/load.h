/*
 * "Under load": when handshakes come faster than we want to compute them, cookies are asked for
 * (paper section 5.3).
 *
 * A handshake message with a valid mac1 costs up to four X25519, some 200 microseconds. A leaky
 * bucket counts them: it drains LOAD_PER_SECOND in a second and holds as many. While it
 * overflows, and for one second after (kernel receive.c), we are under load. So strangers who
 * know our public key can take about three per cent of one core, whatever they send.
 */
#ifndef PROTO_LOAD_H
#define PROTO_LOAD_H

#include <stdbool.h>

#include "common/nsec.h"

#define LOAD_PER_SECOND 128
#define LOAD_LINGER     NSEC_PER_SEC

/* All zero is ready. */
struct load_gauge {
	nsec_t empty_at; /* when the bucket will have drained */
	nsec_t loaded_until;
};

/*! Counts one handshake message with a valid mac1; returns whether we are under load now. */
bool load_count(struct load_gauge *gauge, nsec_t now);

#endif
