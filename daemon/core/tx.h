/*
 * From the interface to the network: reads packets, seals them where they lie, sends the batch.
 *
 * Each packet is read behind room for the message header and in front of room for the tag, so
 * nothing is copied. A batch is what one turn of the loop takes: packets that waited for a
 * session first, then what the interface has, up to UDP_BATCH. While the socket is full, the
 * interface is not read: packets wait in the kernel's queue, where its queueing discipline works.
 */
#ifndef CORE_TX_H
#define CORE_TX_H

#include <stdbool.h>

#include "daemon/core/wire.h"
#include "daemon/data/allowedips.h"
#include "daemon/proto/peer.h"

struct tx {
	int tun;
	unsigned int mtu; /* of the interface: padding never goes beyond it */
	bool may_wait;    /* no path yet, but a name may still give one: stage, do not drop */
	struct wire *wire;
	struct peer *peer;
	const struct allowedips *allowed;
	uint8_t *slots; /* UDP_BATCH buffers, owned */
	struct udp_message messages[UDP_BATCH];
	size_t n_messages; /* sealed, in `messages` */
	size_t n_sent;     /* of these, given to the socket */
};

enum tx_result {
	TX_IDLE = 0,    /* nothing more to send now */
	TX_MORE = 1,    /* a full batch went out; there may be more */
	TX_BLOCKED = 2, /* the socket is full; call again when it is writable */
};

/*! Allocates the slots; the pointers must have been set. \return 0 or -ENOMEM */
int tx_init(struct tx *tx);

/*! Frees the slots; safe twice. */
void tx_deinit(struct tx *tx);

/*!
 * Sends one batch, or the rest of one that was blocked.
 * \return an enum tx_result; a negative errno when the interface cannot be read any more
 */
int tx_run(struct tx *tx, nsec_t now);

/*! Sends one keepalive, unless packets are under way already or there is no session. */
void tx_keepalive(struct tx *tx, nsec_t now);

#endif
