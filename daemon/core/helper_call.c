/* One request to the helper and its answer; see helper_call.h. */
#include "daemon/core/helper_call.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"

/* What takes no program is answered within microseconds; a helper that takes longer hangs. */
#define LIMIT (10 * NSEC_PER_SEC)
/* There may be 100,000 routes. */
#define LIMIT_ROUTES (30 * NSEC_PER_SEC)

static const struct {
	const char *what; /* behind "cannot" */
	nsec_t limit;     /* 0: LIMIT */
} requests[HELPER_N_REQUESTS] = {
	[HELPER_LOAD] = { "read the link file", 0 },
	[HELPER_OFFER] = { "hand over the new configuration", 0 },
	[HELPER_ACCEPT] = { "hand over the new configuration", 0 },
	[HELPER_BEGIN] = { "lock the link", 0 },
	[HELPER_CLAIM] = { "take a mark for the sockets", 0 },
	[HELPER_OPEN_UDP] = { "open UDP sockets", 0 },
	[HELPER_MARK_UDP] = { "set the mark of the sockets", 0 },
	[HELPER_APPLY] = { "set up the interface", LIMIT_ROUTES },
	[HELPER_CHANGE] = { "change addresses and routes", LIMIT_ROUTES },
	[HELPER_RESTORE] = { "restore addresses and routes", LIMIT_ROUTES },
	[HELPER_SET_MTU] = { "set the MTU", 0 },
	[HELPER_RULES] = { "set rules and default routes", LIMIT_ROUTES },
	[HELPER_DNS] = { "set the name servers", 0 },
	[HELPER_HOOK] = { "run the commands of the link file", 0 },
	[HELPER_RESOLVER] = { "start the process that resolves names", 0 },
	[HELPER_SOCKETS] = { "note the control sockets", 0 },
	[HELPER_LEAVE] = { "note what is kept", 0 },
	[HELPER_CANCEL] = { "end a program", 0 },
	[HELPER_END_RULES] = { "take rules and name servers back", 0 },
	[HELPER_END] = { "end the link", 0 },
};

const char *helper_error_text(int error)
{
	switch (error) {
	case -EPIPE:
		return "the helper process has ended; restart the link";
	case -EBUSY:
		return "a program runs for the link; try again when it has ended";
	case -EPROTO:
	case -EBADMSG:
		return "the helper process does not understand it";
	default:
		return strerror(-error);
	}
}

enum exit_code helper_code_of(const struct helper *helper, enum helper_request request, int result)
{
	if (result >= 0)
		return (enum exit_code)result;
	if (result != -EPIPE || !helper->is_ending)
		log_error("cannot %s: %s", requests[request].what, helper_error_text(result));
	return EXIT_UNAVAILABLE;
}

/* What was queued is not done any more. */
static void fail_queue(struct helper *helper)
{
	enum helper_request request;

	while (helper->n_queue > 0) {
		request = helper->queue[--helper->n_queue].request;
		if (helper->loop)
			helper->on_done(helper->context, request, EXIT_UNAVAILABLE);
	}
}

void helper_lose(struct helper *helper, bool is_hanging)
{
	if (helper->fd < 0)
		return;
	if (helper->loop)
		ev_io_stop(helper->loop, &helper->readable);
	close(helper->fd);
	helper->fd = -1;
	helper->has_done = false;
	helper->is_hanging = is_hanging;
	if (is_hanging)
		log_error("the helper, the process %d of this link that has its rights, does not "
			  "answer: the link goes on carrying packets, but cannot be changed; end "
			  "both, and start it again",
			  (int)helper->pid);
	else if (!helper->is_ending)
		log_error("the helper, the process of this link that has its rights, has ended: "
			  "the link goes on carrying packets, but cannot be changed; restart it");
	fail_queue(helper);
}

int helper_post(struct helper *helper, struct helper_message *message, size_t argument_len,
		const int fds[static HELPER_FDS_MAX])
{
	struct helper_parcel parcel = { .head = message,
					.head_len = HELPER_HEAD_LEN + argument_len };
	int r;

	if (helper->fd < 0)
		return -EPIPE;
	memcpy(parcel.fds, fds, sizeof(parcel.fds));
	message->id = ++helper->last_id;
	/* There is room for far more than is ever on the way, unless nobody reads it. */
	r = helper_send(helper->fd, &parcel, MSG_DONTWAIT);
	if (r != -EPIPE && r != -EAGAIN)
		return r;
	helper_lose(helper, r == -EAGAIN);
	return -EPIPE;
}

/* The stop signal is taken, so that it does not end the commands that undo the start. */
static void cancel(struct helper *helper)
{
	static const int none[HELPER_FDS_MAX] = { -1, -1 };
	struct helper_message message = { .request = HELPER_CANCEL };
	struct signalfd_siginfo signals[2];

	(void)!read(helper->stop_fd, signals, sizeof(signals));
	helper->is_cancelled = true;
	(void)helper_post(helper, &message, 0, none);
}

static int left_ms(nsec_t until)
{
	nsec_t now = nsec_boottime();

	return now < until ? (int)MIN((until - now) / NSEC_PER_MSEC + 1, INT_MAX) : 0;
}

static nsec_t limit_of(const struct helper_call *call)
{
	nsec_t limit = requests[call->message.request].limit;

	return (limit ? limit : LIMIT) + call->programs_limit;
}

/* Waits for an answer, or for a signal that ends the program that is waited for. \return false:
 * there is no helper, or none that answers */
static bool wait_for_answer(struct helper *helper, const struct helper_call *call)
{
	nsec_t until = nsec_add(nsec_boottime(), limit_of(call));

	while (helper->fd >= 0) {
		struct pollfd fds[] = {
			{ .fd = helper->fd, .events = POLLIN },
			{ .fd = call->is_stoppable ? helper->stop_fd : -1, .events = POLLIN },
		};
		int n = poll(fds, ARRAY_SIZE(fds), left_ms(until));

		if (n > 0 && fds[0].revents != 0)
			return true;
		if (n > 0) {
			cancel(helper);
			/* Now it is short; a hanging one is not waited for when the link is to end.
			 */
			until = MIN(until, nsec_add(nsec_boottime(), LIMIT));
		}
		if (n == 0)
			helper_lose(helper, true);
	}
	return false;
}

/* The answer to the first of the queue came while another one was awaited. */
static void keep_done(struct helper *helper, const struct helper_answer *answer)
{
	helper->done = *answer;
	helper->has_done = true;
	if (helper->loop)
		ev_feed_event(helper->loop, &helper->readable, EV_READ);
}

int helper_await(struct helper *helper, struct helper_call *call)
{
	while (wait_for_answer(helper, call)) {
		struct helper_parcel parcel = { .head = &call->answer,
						.head_len = sizeof(call->answer),
						.rest = call->rest,
						.rest_len = call->rest_len };
		int r = helper_receive(helper->fd, &parcel, MSG_DONTWAIT);

		if (r == -EAGAIN)
			continue;
		if (r < 0) {
			helper_lose(helper, false);
			return r;
		}
		if (parcel.head_len >= sizeof(call->answer) &&
		    call->answer.id == call->message.id) {
			memcpy(call->fds, parcel.fds, sizeof(call->fds));
			return MIN(call->answer.result, 0);
		}
		if (helper->n_queue > 0 && call->answer.id == helper->queue[0].id)
			keep_done(helper, &call->answer);
		helper_close_fds(&parcel);
	}
	return -EPIPE;
}

int helper_call(struct helper *helper, struct helper_call *call)
{
	int r = helper_post(helper, &call->message, call->argument_len, call->fds);

	return r < 0 ? r : helper_await(helper, call);
}
