/*
 * From the network to the interface: receives a batch, opens data where it lies, writes packets,
 * and hands handshake messages to the peer.
 */
#ifndef CORE_RX_H
#define CORE_RX_H

#include "daemon/core/wire.h"
#include "daemon/data/allowedips.h"
#include "daemon/proto/peer.h"

struct rx {
	int tun;
	struct wire *wire;
	struct peer *peer;
	const struct allowedips *allowed;
	void (*on_roamed)(void *context); /* the peer's address is another one */
	void *context;
	uint8_t *slots; /* UDP_BATCH buffers, owned */
	struct udp_datagram datagrams[UDP_BATCH];
};

/*! Allocates the slots; the pointers must have been set. \return 0 or -ENOMEM */
int rx_init(struct rx *rx);

/*! Frees the slots; safe twice. */
void rx_deinit(struct rx *rx);

/*!
 * Receives and handles one batch.
 * \param fd  one of the two sockets, readable
 * \return 0; -EBADFD when the interface was deleted
 */
int rx_run(struct rx *rx, int fd, nsec_t now);

#endif
