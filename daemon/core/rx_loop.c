/* The rx thread; see rx_loop.h. */
#include "daemon/core/rx_loop.h"

#include <errno.h>
#include <string.h>

static void run_batch(struct rx_loop *loop, int fd)
{
	int r = rx_run(&loop->rx, fd);

	if (r < 0) {
		ev_io_stop(loop->worker.loop, &loop->udp4_readable);
		ev_io_stop(loop->worker.loop, &loop->udp6_readable);
		teller_lost(&loop->worker.teller, -r);
	}
	worker_end_turn(&loop->worker);
}

static void on_udp4_readable(struct ev_loop *ev, ev_io *watcher, int events)
{
	(void)ev;
	(void)events;
	run_batch(container_of(watcher, struct rx_loop, udp4_readable), watcher->fd);
}

static void on_udp6_readable(struct ev_loop *ev, ev_io *watcher, int events)
{
	(void)ev;
	(void)events;
	run_batch(container_of(watcher, struct rx_loop, udp6_readable), watcher->fd);
}

static void watch(struct ev_loop *ev, ev_io *watcher, int fd)
{
	ev_io_stop(ev, watcher);
	if (fd < 0)
		return;
	ev_io_set(watcher, fd, EV_READ);
	ev_io_start(ev, watcher);
}

static void watch_sockets(struct rx_loop *loop, const struct udp *udp)
{
	watch(loop->worker.loop, &loop->udp4_readable, udp->fd4);
	watch(loop->worker.loop, &loop->udp6_readable, udp->fd6);
}

static void obey(struct worker *worker, unsigned int todo)
{
	struct rx_loop *loop = container_of(worker, struct rx_loop, worker);

	if (todo & ORDER_EXCHANGE)
		watch_sockets(loop, &worker->wire.udp);
}

int rx_loop_init(struct rx_loop *loop, const struct data_loop_env *env, struct ways *ways,
		 struct handshakes *handshakes, unsigned int gro_flags, void (*on_facts)(void *))
{
	int r = worker_init(&loop->worker, env, "vpnd-rx", false, obey, on_facts);
	struct rx *rx = &loop->rx;

	memset(rx, 0, sizeof(*rx));
	rx->worker = &loop->worker;
	rx->tun = env->tun;
	rx->receive_max = MIN(env->host->data.udp_receive_batch, (size_t)UDP_BATCH);
	rx->handshakes = handshakes;
	loop->worker.wire.ways = ways;
	rx->gro_flags = gro_flags;
	if (r == 0)
		r = rx_init(rx);
	if (r < 0) {
		rx_loop_deinit(loop);
		return r;
	}
	gro_begin(&rx->gro, gro_flags);
	ev_io_init(&loop->udp4_readable, on_udp4_readable, -1, EV_READ);
	ev_io_init(&loop->udp6_readable, on_udp6_readable, -1, EV_READ);
	watch_sockets(loop, &env->wire->udp);
	return 0;
}

void rx_loop_deinit(struct rx_loop *loop)
{
	worker_stop(&loop->worker);
	worker_deinit(&loop->worker);
	rx_deinit(&loop->rx);
}
