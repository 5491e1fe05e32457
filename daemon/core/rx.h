/*
 * From the network to the interface: receives runs, opens each datagram where it lies, merges the
 * packets into superpackets again, and writes those. Handshake messages go to control.
 *
 * On a TAP interface the same happens with Ethernet frames, whatever is in them.
 *
 * What is written begins with an offload header; it finds room where the message header was.
 */
#ifndef CORE_RX_H
#define CORE_RX_H

#include "daemon/core/handshakes.h"
#include "daemon/core/worker.h"
#include "daemon/data/allowedips.h"
#include "daemon/data/gro.h"
#include "daemon/data/tun.h"

struct rx {
	struct worker *worker; /* the loop that this runs in: keys, wire, orders */
	const struct tun *tun;
	size_t receive_max;            /* datagrams or runs of one system call, 1 to UDP_BATCH */
	struct handshakes *handshakes; /* to control */
	uint8_t *slots;                /* UDP_BATCH buffers, owned */
	struct udp_datagram runs[UDP_BATCH];
	unsigned int gro_flags;
	unsigned int unmerged; /* of these: what the kernel refuses merged */
	nsec_t unmerged_until; /* then that is tried again */
	unsigned int said;     /* of `unmerged`: that was logged */
	struct gro gro;
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
int rx_run(struct rx *rx, int fd);

#endif
