/* The link's side of the helper; see helper.h. */
#include "daemon/core/helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "common/secret.h"
#include "daemon/core/helper_serve.h"

int helper_start(struct helper *helper, const struct helper_env *env)
{
	sigset_t all, before;
	int fds[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	helper->pid = fork();
	error = -errno;
	if (helper->pid == 0) {
		close(fds[0]);
		helper_serve(fds[1], env);
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(fds[1]);
	if (helper->pid < 0) {
		close(fds[0]);
		return error;
	}
	helper->fd = fds[0];
	return 0;
}

/* It is not there any more. */
static void lose(struct helper *helper)
{
	if (helper->fd < 0)
		return;
	if (helper->loop)
		ev_io_stop(helper->loop, &helper->readable);
	close(helper->fd);
	helper->fd = -1;
	helper->n_queue = 0;
	if (!helper->is_ending)
		log_error("the helper, the process of this link that has its rights, has ended: "
			  "the link goes on carrying packets, but cannot be changed; restart it");
}

void helper_stop(struct helper *helper)
{
	helper->is_ending = true;
	lose(helper);
	if (helper->pid > 0) {
		while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	helper->pid = -1;
}

static int post(struct helper *helper, struct helper_message *message, size_t argument_len,
		const int fds[static HELPER_FDS_MAX])
{
	struct helper_parcel parcel = { .head = message,
					.head_len = HELPER_HEAD_LEN + argument_len };
	int r;

	if (helper->fd < 0)
		return -EPIPE;
	memcpy(parcel.fds, fds, sizeof(parcel.fds));
	message->id = ++helper->last_id;
	r = helper_send(helper->fd, &parcel, 0);
	if (r == -EPIPE)
		lose(helper);
	return r;
}

/* The stop signal is taken, so that it does not end the commands that undo the start. */
static void cancel(struct helper *helper)
{
	static const int none[HELPER_FDS_MAX] = { -1, -1 };
	struct helper_message message = { .request = HELPER_CANCEL };
	struct signalfd_siginfo signals[2];

	(void)!read(helper->stop_fd, signals, sizeof(signals));
	helper->is_cancelled = true;
	(void)post(helper, &message, 0, none);
}

/* Waits for an answer, or for a signal that ends the program that is waited for. */
static void await(struct helper *helper)
{
	struct pollfd fds[] = { { .fd = helper->fd, .events = POLLIN },
				{ .fd = helper->stop_fd, .events = POLLIN } };

	while (fds[0].revents == 0) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			fds[0].revents = 0;
		else if (fds[0].revents == 0 && fds[1].revents != 0)
			cancel(helper);
	}
}

/* The answer to the first of the queue came while another one was awaited. */
static void keep_done(struct helper *helper, const struct helper_answer *answer)
{
	helper->done = *answer;
	helper->has_done = true;
	if (helper->loop)
		ev_feed_event(helper->loop, &helper->readable, EV_READ);
}

/* One request and its answer. */
struct exchange_of {
	struct helper_message message;
	size_t argument_len;
	int fds[HELPER_FDS_MAX]; /* those of the request, then those of the answer */
	struct helper_answer answer;
	void *rest;
	size_t rest_len;
	bool is_slow;
};

#define EXCHANGE(which, argument_size)                                                             \
	{                                                                                          \
		.message.request = (which), .argument_len = (argument_size), .fds = { -1, -1 }     \
	}

/* Receives until the answer is there; 0 or a negative errno. */
static int receive(struct helper *helper, struct exchange_of *of)
{
	for (;;) {
		struct helper_parcel parcel = { .head = &of->answer,
						.head_len = sizeof(of->answer),
						.rest = of->rest,
						.rest_len = of->rest_len };
		int r;

		if (of->is_slow && helper->stop_fd >= 0)
			await(helper);
		r = helper_receive(helper->fd, &parcel, 0);
		if (r < 0) {
			lose(helper);
			return r;
		}
		memcpy(of->fds, parcel.fds, sizeof(of->fds));
		if (parcel.head_len >= sizeof(of->answer) && of->answer.id == of->message.id)
			return of->answer.result < 0 ? of->answer.result : 0;
		if (helper->n_queue > 0 && of->answer.id == helper->queue[0].id)
			keep_done(helper, &of->answer);
		helper_close_fds(&parcel);
	}
}

static int call(struct helper *helper, struct exchange_of *of)
{
	int r = post(helper, &of->message, of->argument_len, of->fds);

	return r < 0 ? r : receive(helper, of);
}

/* What a request that has said its errors itself means for the link. */
static enum exit_code code_of(const struct helper *helper, int result)
{
	if (result >= 0)
		return (enum exit_code)result;
	if (result == -EPIPE && !helper->is_ending)
		log_error("that is not possible without the helper, which has ended: restart the "
			  "link");
	else if (result == -EBUSY)
		log_error("that is not possible while a program runs for the link");
	else if (result != -EPIPE)
		log_error("the helper refuses: %s", strerror(-result));
	return EXIT_UNAVAILABLE;
}

static enum exit_code do_number(struct helper *helper, enum helper_request request,
				uint32_t argument, bool is_slow)
{
	struct exchange_of of = EXCHANGE(request, sizeof(uint32_t));
	int r;

	of.message.argument.conf = argument;
	of.is_slow = is_slow;
	r = call(helper, &of);
	return code_of(helper, r < 0 ? r : of.answer.result);
}

enum exit_code helper_do(struct helper *helper, enum helper_request request, uint32_t argument)
{
	return do_number(helper, request, argument, false);
}

enum exit_code helper_do_slowly(struct helper *helper, enum helper_request request,
				uint32_t argument)
{
	return do_number(helper, request, argument, true);
}

/* Both ways of loading. \return 0 with a configuration; an exit code; or a negative errno */
static int load(struct helper *helper, struct exchange_of *of, struct conf_link *ret)
{
	struct conf_secrets *secrets = secret_alloc(sizeof(*secrets));
	int r;

	memset(ret, 0, sizeof(*ret));
	if (!secrets)
		return -ENOMEM;
	of->rest = secrets;
	of->rest_len = sizeof(*secrets);
	r = call(helper, of);
	if (r == 0)
		r = of->answer.result;
	if (r == EXIT_DONE) {
		r = of->fds[0] >= 0 ? helper_unpack(of->fds[0], ret) : -EBADMSG;
		ret->secrets = r == 0 ? secrets : NULL;
	}
	if (r != EXIT_DONE)
		secret_free(secrets);
	return r;
}

static void close_all(const int fds[static HELPER_FDS_MAX])
{
	for (size_t i = 0; i < HELPER_FDS_MAX; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

enum exit_code helper_load(struct helper *helper, struct conf_link *ret)
{
	struct exchange_of of = EXCHANGE(HELPER_LOAD, sizeof(uint32_t));
	int r = load(helper, &of, ret);

	close_all(of.fds);
	return code_of(helper, r);
}

void helper_look(struct helper *helper, struct conf_link *ret, struct diag *diag)
{
	struct exchange_of of = EXCHANGE(HELPER_LOAD, sizeof(uint32_t));
	int r;

	of.message.argument.is_quiet = 1;
	r = load(helper, &of, ret);
	/* Of a file that cannot be used only the findings come. */
	if (r > 0 && of.fds[0] >= 0)
		r = helper_unpack_findings(of.fds[0], diag);
	else if (r == 0 && of.fds[1] >= 0)
		r = helper_unpack_findings(of.fds[1], diag);
	if (r != 0)
		diag_error_code(diag, EXIT_UNAVAILABLE, "it cannot be read: %s",
				r < 0 ? strerror(-r) : "the helper says nothing");
	close_all(of.fds);
}

static int give_conf(struct helper *helper, const struct conf_link *conf)
{
	struct exchange_of of = EXCHANGE(HELPER_OFFER, 0);
	int fd, r;

	if (helper->fd < 0)
		return -EPIPE;
	fd = helper_pack(conf);
	if (fd < 0)
		return fd;
	of.fds[0] = fd;
	r = call(helper, &of);
	close(fd);
	return r;
}

int helper_offer(struct helper *helper, const struct conf_link *conf)
{
	return give_conf(helper, conf);
}

int helper_accept(struct helper *helper, const struct conf_link *conf)
{
	struct exchange_of of = EXCHANGE(HELPER_ACCEPT, 0);
	int r = conf ? give_conf(helper, conf) : 0;

	return r < 0 ? r : call(helper, &of);
}

enum exit_code helper_claim(struct helper *helper, enum helper_conf which, uint32_t *ret_mark)
{
	struct exchange_of of = EXCHANGE(HELPER_CLAIM, sizeof(uint32_t));
	int r;

	*ret_mark = 0;
	of.message.argument.conf = (uint32_t)which;
	r = call(helper, &of);
	if (r == 0)
		*ret_mark = of.answer.value.mark;
	return code_of(helper, r < 0 ? r : of.answer.result);
}

int helper_open_udp(struct helper *helper, uint16_t port, struct udp *ret)
{
	struct exchange_of of = EXCHANGE(HELPER_OPEN_UDP, sizeof(uint32_t));
	size_t n = 0;
	int r;

	of.message.argument.port = port;
	r = call(helper, &of);
	if (r < 0)
		return r;
	*ret = of.answer.value.udp;
	ret->fd4 = ret->fd4 >= 0 ? of.fds[n++] : -1;
	ret->fd6 = ret->fd6 >= 0 ? of.fds[n++] : -1;
	return 0;
}

int helper_mark_udp(struct helper *helper, const struct udp *udp)
{
	struct exchange_of of = EXCHANGE(HELPER_MARK_UDP, 0);
	size_t n = 0;

	if (udp->fd4 >= 0)
		of.fds[n++] = udp->fd4;
	if (udp->fd6 >= 0)
		of.fds[n++] = udp->fd6;
	return call(helper, &of);
}

int helper_set_mtu(struct helper *helper, unsigned int mtu)
{
	struct exchange_of of = EXCHANGE(HELPER_SET_MTU, sizeof(uint32_t));

	of.message.argument.mtu = mtu;
	return call(helper, &of);
}

void helper_tell_sockets(struct helper *helper,
			 const struct helper_file sockets[static HELPER_N_SOCKETS])
{
	struct exchange_of of = EXCHANGE(HELPER_SOCKETS, sizeof(of.message.argument.sockets));

	memcpy(of.message.argument.sockets, sockets, sizeof(of.message.argument.sockets));
	(void)call(helper, &of);
}

int helper_get_keeper(void *context)
{
	struct exchange_of of = EXCHANGE(HELPER_RESOLVER, 0);
	int r = call(context, &of);

	return r < 0 ? r : of.fds[0];
}

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
	if (post(helper, &message, sizeof(uint32_t), none) == 0)
		task->id = message.id;
}

void helper_queue(struct helper *helper, enum helper_request request, uint32_t argument)
{
	const struct helper_task *last =
		helper->n_queue > 0 ? &helper->queue[helper->n_queue - 1] : NULL;

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
	helper->on_done(helper->context, request, code_of(helper, answer->result));
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
		lose(helper);
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
	if (helper->fd < 0)
		return;
	helper->loop = loop;
	ev_io_init(&helper->readable, on_readable, helper->fd, EV_READ);
	ev_io_start(loop, &helper->readable);
	if (helper->has_done)
		ev_feed_event(loop, &helper->readable, EV_READ);
}

/* Waits for the end of what is being done, which was cancelled. */
static void drain(struct helper *helper)
{
	struct exchange_of of = EXCHANGE(HELPER_HOOK, 0);

	of.message.id = helper->queue[0].id;
	if (!helper->has_done && of.message.id != 0)
		(void)receive(helper, &of);
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
		(void)post(helper, &message, 0, none);
		if (helper->fd >= 0)
			drain(helper);
	}
	helper->n_queue = 0;
}

void helper_end_rules(struct helper *helper)
{
	helper->is_ending = true;
	if (helper->fd >= 0)
		(void)helper_do_slowly(helper, HELPER_END_RULES, 0);
	else if (helper->pid > 0)
		log_warning("without the helper nothing of what the link has changed on this host "
			    "is undone: the next start does it, or `vpnd cleanup`");
}

void helper_end(struct helper *helper)
{
	if (helper->fd >= 0)
		(void)helper_do_slowly(helper, HELPER_END, 0);
}
