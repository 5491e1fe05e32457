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
 * \param ways        for this loop alone; not owned
 * \param handshakes  where handshake messages go; not owned
 * \param gro_flags   enum gro_flag bits of what may be merged
 * \param on_facts    called by control when there are facts in worker.tray
 * \return 0 or -ENOMEM
 */
int rx_loop_init(struct rx_loop *loop, const struct data_loop_env *env, struct ways *ways,
		 struct handshakes *handshakes, unsigned int gro_flags, void (*on_facts)(void *));

/*! Stops the thread and frees everything; safe after a failed init and on all zero. */
void rx_loop_deinit(struct rx_loop *loop);

#endif
