/* The rx thread; see rx_loop.h. */
#include "daemon/core/rx_loop.h"

#include <errno.h>
#include <string.h>

static void run_batch(struct rx_loop *loop, int fd)
{
	int r = rx_run(&loop->rx, fd, nsec_boottime());

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

int rx_loop_init(struct rx_loop *loop, const struct tun *tun, const struct allowedips *allowed,
		 const struct wire *wire, struct ways *ways, struct handshakes *handshakes,
		 unsigned int gro_flags, struct ev_loop *control, void (*on_facts)(void *),
		 void *context)
{
	int r = worker_init(&loop->worker, "vpnd-rx", wire, false, NULL, control, on_facts,
			    context);
	struct rx *rx = &loop->rx;

	memset(rx, 0, sizeof(*rx));
	rx->worker = &loop->worker;
	rx->tun = tun;
	rx->allowed = allowed;
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
	ev_io_init(&loop->udp4_readable, on_udp4_readable, wire->udp.fd4, EV_READ);
	ev_io_init(&loop->udp6_readable, on_udp6_readable, wire->udp.fd6, EV_READ);
	if (wire->udp.fd4 >= 0)
		ev_io_start(loop->worker.loop, &loop->udp4_readable);
	if (wire->udp.fd6 >= 0)
		ev_io_start(loop->worker.loop, &loop->udp6_readable);
	return 0;
}

void rx_loop_deinit(struct rx_loop *loop)
{
	worker_stop(&loop->worker);
	worker_deinit(&loop->worker);
	rx_deinit(&loop->rx);
}
