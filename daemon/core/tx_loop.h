/*
 * The tx thread: watches the interface, and the socket while that is full.
 */
#ifndef CORE_TX_LOOP_H
#define CORE_TX_LOOP_H

#include "conf/host_model.h"
#include "daemon/core/tx.h"

struct tx_loop {
	struct worker worker;
	struct tx tx;
	ev_io tun_readable;
	ev_io udp_writable; /* started only while the socket is full */
};

/*!
 * Makes the loop; worker_start() starts it.
 * \param on_facts  called by control when there are facts in worker.tray
 * \return 0 or -ENOMEM
 */
int tx_loop_init(struct tx_loop *loop, const struct data_loop_env *env, void (*on_facts)(void *));

/*! Stops the thread and frees everything; safe after a failed init and on all zero. */
void tx_loop_deinit(struct tx_loop *loop);

#endif
