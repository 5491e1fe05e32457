/* What the helper does while the link's loops turn: one program after the other; see helper.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/core/helper_call.h"

/* Sends the first of the queue. */
static void go_on(struct helper *helper)
{
	static const int none[HELPER_FDS_MAX] = { -1, -1 };
	struct helper_task *task = &helper->queue[0];
	struct helper_message message = { .argument.conf = 0 };

	if (helper->n_queue == 0 || task->id != 0)
		return;
	message.request = (uint32_t)task->request;
	message.argument.conf = task->argument;
	if (helper_post(helper, &message, sizeof(uint32_t), none) == 0)
		task->id = message.id;
}

void helper_queue(struct helper *helper, enum helper_request request, uint32_t argument)
{
	const struct helper_task *last =
		helper->n_queue > 0 ? &helper->queue[helper->n_queue - 1] : NULL;

	if (helper->fd < 0 && helper->loop)
		helper->on_done(helper->context, request, EXIT_UNAVAILABLE);
	if (helper->fd < 0 || helper->n_queue == HELPER_QUEUE_MAX)
		return;
	/* What has not begun yet does it for both. */
	if (last && last->id == 0 && last->request == request)
		return;
	helper->queue[helper->n_queue++] = (struct helper_task) { request, argument, 0 };
	go_on(helper);
}

/* The first of the queue is done: its turn is the next one's. */
static void finish(struct helper *helper, const struct helper_answer *answer)
{
	enum helper_request request = helper->queue[0].request;

	helper->n_queue--;
	memmove(helper->queue, helper->queue + 1, helper->n_queue * sizeof(helper->queue[0]));
	go_on(helper);
	helper->on_done(helper->context, request, helper_code_of(helper, request, answer->result));
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct helper *helper = container_of(watcher, struct helper, readable);
	struct helper_answer answer;
	struct helper_parcel parcel = { .head = &answer, .head_len = sizeof(answer) };
	int r;

	(void)loop;
	(void)events;
	if (helper->has_done) {
		helper->has_done = false;
		finish(helper, &helper->done);
		return;
	}
	r = helper_receive(helper->fd, &parcel, MSG_DONTWAIT);
	if (r == -EAGAIN)
		return;
	if (r < 0) {
		helper_lose(helper, false);
		return;
	}
	helper_close_fds(&parcel);
	if (parcel.head_len == sizeof(answer) && helper->n_queue > 0 &&
	    answer.id == helper->queue[0].id)
		finish(helper, &answer);
}

void helper_watch(struct helper *helper, struct ev_loop *loop,
		  void (*on_done)(void *context, enum helper_request request,
				  enum exit_code result),
		  void *context)
{
	helper->on_done = on_done;
	helper->context = context;
	helper->loop = loop;
	ev_io_init(&helper->readable, on_readable, helper->fd, EV_READ);
	if (helper->fd >= 0)
		ev_io_start(loop, &helper->readable);
	if (helper->has_done)
		ev_feed_event(loop, &helper->readable, EV_READ);
}

/* Waits for the end of what is being done, which was cancelled. */
static void drain(struct helper *helper)
{
	struct helper_call call = HELPER_CALL(HELPER_HOOK, 0);

	call.message.id = helper->queue[0].id;
	if (!helper->has_done && call.message.id != 0)
		(void)helper_await(helper, &call);
	helper->has_done = false;
}

void helper_unwatch(struct helper *helper)
{
	static const int none[HELPER_FDS_MAX] = { -1, -1 };
	struct helper_message message = { .request = HELPER_CANCEL };

	if (helper->loop) {
		ev_io_stop(helper->loop, &helper->readable);
		ev_clear_pending(helper->loop, &helper->readable);
		helper->loop = NULL;
	}
	if (helper->n_queue > 0) {
		(void)helper_post(helper, &message, 0, none);
		if (helper->fd >= 0)
			drain(helper);
	}
	helper->n_queue = 0;
}
