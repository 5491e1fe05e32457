/* The tx thread; see tx_loop.h. */
#include "daemon/core/tx_loop.h"

#include <errno.h>
#include <string.h>

/* Sends a batch; reads the interface only while the socket takes what comes out of it. */
static void run_batch(struct tx_loop *loop, nsec_t now)
{
	const struct wire *wire = &loop->worker.wire;
	struct ev_loop *ev = loop->worker.loop;
	int r = tx_run(&loop->tx, now);

	if (r == TX_BLOCKED) {
		bool is_v4 = wire->path.remote.sa.sa_family == AF_INET;

		ev_io_stop(ev, &loop->tun_readable);
		ev_io_stop(ev, &loop->udp_writable);
		ev_io_set(&loop->udp_writable, is_v4 ? wire->udp.fd4 : wire->udp.fd6, EV_WRITE);
		ev_io_start(ev, &loop->udp_writable);
	} else if (r < 0) {
		ev_io_stop(ev, &loop->tun_readable);
		teller_lost(&loop->worker.teller, -r);
	} else {
		ev_io_stop(ev, &loop->udp_writable);
		ev_io_start(ev, &loop->tun_readable);
	}
}

/* A keepalive that the socket does not take waits for it like any batch: later ones would wait for
 * this one. */
static void keep_alive(struct tx_loop *loop, nsec_t now)
{
	tx_keepalive(&loop->tx, now);
	if (loop->tx.n_sent < loop->tx.n_messages)
		run_batch(loop, now);
}

static void obey(struct worker *worker, unsigned int todo)
{
	struct tx_loop *loop = container_of(worker, struct tx_loop, worker);
	nsec_t now = nsec_boottime();

	/* What waited for the old socket need not wait for the new one. */
	if ((todo & ORDER_EXCHANGE) && ev_is_active(&loop->udp_writable))
		run_batch(loop, now);
	if (todo & ORDER_DROP_STAGED)
		tx_drop_staged(&loop->tx);
	if (!(todo & (ORDER_FLUSH | ORDER_KEEPALIVE)))
		return;
	if (loop->tx.staged.n > 0) {
		tx_want_session(&loop->tx, now);
		run_batch(loop, now);
	} else if (todo & ORDER_KEEPALIVE) {
		keep_alive(loop, now);
	}
}

static void on_tun_readable(struct ev_loop *ev, ev_io *watcher, int events)
{
	struct tx_loop *loop = container_of(watcher, struct tx_loop, tun_readable);

	(void)ev;
	(void)events;
	run_batch(loop, nsec_boottime());
	worker_end_turn(&loop->worker);
}

static void on_udp_writable(struct ev_loop *ev, ev_io *watcher, int events)
{
	struct tx_loop *loop = container_of(watcher, struct tx_loop, udp_writable);

	(void)ev;
	(void)events;
	run_batch(loop, nsec_boottime());
	worker_end_turn(&loop->worker);
}

int tx_loop_init(struct tx_loop *loop, const struct data_loop_env *env, void (*on_facts)(void *))
{
	int r = worker_init(&loop->worker, env, "vpnd-tx", true, obey, on_facts);

	memset(&loop->tx, 0, sizeof(loop->tx));
	loop->tx.worker = &loop->worker;
	loop->tx.tun = env->tun;
	loop->tx.reads_max = env->host->data.tun_batch;
	storm_init(&loop->tx.storm, env->host->data.tap_broadcast_limit, 0);
	loop->tx.messages_max = MIN(env->host->data.udp_send_batch, (size_t)UDP_BATCH);
	if (r == 0)
		r = tx_init(&loop->tx);
	if (r < 0) {
		tx_loop_deinit(loop);
		return r;
	}
	ev_io_init(&loop->tun_readable, on_tun_readable, env->tun->fd, EV_READ);
	ev_io_init(&loop->udp_writable, on_udp_writable, -1, EV_WRITE);
	ev_io_start(loop->worker.loop, &loop->tun_readable);
	return 0;
}

void tx_loop_deinit(struct tx_loop *loop)
{
	worker_stop(&loop->worker);
	worker_deinit(&loop->worker);
	tx_deinit(&loop->tx);
}
