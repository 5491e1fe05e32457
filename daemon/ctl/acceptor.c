/* Taking connections; see acceptor.h. */
#include "daemon/ctl/acceptor.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

/* How long accept() is left alone when it found no descriptor or no memory. */
#define RETRY_SECONDS 1.0

static bool is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

static int accept_one(struct acceptor *acceptor)
{
	int fd = accept4(acceptor->acceptable.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	/* Before it is taken: it may be gone again when that returns. */
	acceptor->n_clients++;
	r = acceptor->take(acceptor->context, fd);
	if (r < 0)
		acceptor->n_clients--;
	return r;
}

static void on_acceptable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct acceptor *acceptor = watcher->data;

	(void)events;
	if (acceptor->n_clients == acceptor->n_clients_max) {
		ev_io_stop(loop, watcher);
		return;
	}
	if (is_shortage(-accept_one(acceptor))) {
		ev_io_stop(loop, watcher);
		ev_timer_set(&acceptor->retry, RETRY_SECONDS, 0.0);
		ev_timer_start(loop, &acceptor->retry);
	}
}

static void on_retry(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct acceptor *acceptor = watcher->data;

	(void)events;
	ev_io_start(loop, &acceptor->acceptable);
}

void acceptor_start(struct acceptor *acceptor, struct ev_loop *loop, int fd)
{
	acceptor->loop = loop;
	acceptor->n_clients = 0;
	ev_io_init(&acceptor->acceptable, on_acceptable, fd, EV_READ);
	ev_timer_init(&acceptor->retry, on_retry, RETRY_SECONDS, 0.0);
	acceptor->acceptable.data = acceptor;
	acceptor->retry.data = acceptor;
	ev_io_start(loop, &acceptor->acceptable);
}

void acceptor_release(struct acceptor *acceptor)
{
	acceptor->n_clients--;
	if (acceptor->loop && !ev_is_active(&acceptor->retry))
		ev_io_start(acceptor->loop, &acceptor->acceptable);
}

void acceptor_stop(struct acceptor *acceptor)
{
	if (!acceptor->loop)
		return;
	ev_io_stop(acceptor->loop, &acceptor->acceptable);
	ev_timer_stop(acceptor->loop, &acceptor->retry);
	acceptor->loop = NULL;
}
