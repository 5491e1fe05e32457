/*
 * The rx thread: watches the two sockets.
 */
#ifndef CORE_RX_LOOP_H
#define CORE_RX_LOOP_H

#include "conf/host_model.h"
#include "daemon/core/rx.h"

struct rx_loop {
	struct worker worker;
	struct rx rx;
	ev_io udp4_readable;
	ev_io udp6_readable;
};

/*!
 * Makes the loop; worker_start() starts it.
 * \param tun           not owned; only read from now on
 * \param allowed       the same, until control exchanges it
 * \param wire          control's, with open sockets
 * \param host          sizes of batches
 * \param ways          for this loop alone
 * \param handshakes         where handshake messages go; not owned
 * \param gro_flags          enum gro_flag bits of what may be merged
 * \param on_facts           called by the control loop when there are facts in worker.tray
 * \return 0 or -ENOMEM
 */
int rx_loop_init(struct rx_loop *loop, const struct tun *tun, const struct allowedips *allowed,
		 const struct wire *wire, struct ways *ways, struct handshakes *handshakes,
		 unsigned int gro_flags, const struct conf_host *host, struct ev_loop *control,
		 void (*on_facts)(void *), void *context);

/*! Stops the thread and frees everything; safe after a failed init and on all zero. */
void rx_loop_deinit(struct rx_loop *loop);

#endif
