/* A thread with a loop; see worker.h. */
#include "daemon/core/worker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/secret.h"

/* Takes over state and keypairs, of which each loop keeps its half. */
static void take_orders(struct worker *worker)
{
	worker->todo |= orders_take(&worker->orders, &worker->state, worker->keypairs);
	worker->wire.udp = worker->state.udp;
	if (worker->wire.ways)
		worker->wire.ways->fwmark = worker->state.fwmark;
	if (worker->seals)
		keypairs_wipe_receive_keys(worker->keypairs);
	else
		keypairs_wipe_send_keys(worker->keypairs);
}

/* What the loop said itself, and what it found out about runs. */
static void note_wire(struct worker *worker)
{
	worker->teller.news.refuses_runs = worker->wire.refuses_runs;
	if (!worker->troubles.has_news)
		return;
	worker->troubles.has_news = false;
	teller_trouble(&worker->teller, &worker->troubles.last);
}

static void on_orders(void *context)
{
	struct worker *worker = context;
	unsigned int todo;

	take_orders(worker);
	todo = worker->todo;
	worker->todo = 0;
	if (todo & ORDER_RETRY_RUNS)
		worker->wire.refuses_runs = false;
	if (worker->obey)
		worker->obey(worker, todo);
	note_wire(worker);
	if (todo & ORDER_EXCHANGE)
		teller_exchanged(&worker->teller, worker->state.n_exchanges);
	if (todo & (ORDER_REPORT | ORDER_END))
		teller_answer(&worker->teller);
	worker_end_turn(worker);
	if (todo & ORDER_END)
		ev_break(worker->loop, EVBREAK_ALL);
}

int worker_init(struct worker *worker, const struct data_loop_env *env, const char *name,
		bool seals, void (*obey)(struct worker *worker, unsigned int todo),
		void (*on_facts)(void *context))
{
	memset(worker, 0, sizeof(*worker));
	worker->name = name;
	worker->obey = obey;
	worker->seals = seals;
	worker->loop = ev_loop_new(EVFLAG_NOENV | EVBACKEND_EPOLL);
	worker->keypairs = secret_alloc(sizeof(*worker->keypairs));
	if (!worker->loop || !worker->keypairs ||
	    orders_init(&worker->orders, worker->loop, on_orders, worker) < 0) {
		worker_deinit(worker);
		return -ENOMEM;
	}
	mailbox_init(&worker->tray.box, env->control, on_facts, env->context);
	teller_init(&worker->teller, worker->loop, &worker->tray);
	worker->state.allowed = env->allowed;
	worker->state.udp = env->wire->udp;
	worker->wire = *env->wire;
	worker->wire.ways = NULL;
	worker->wire.counters = worker_counters(worker);
	worker->wire.troubles = &worker->troubles;
	return 0;
}

static void *run(void *context)
{
	struct worker *worker = context;
	int r;

	pthread_setname_np(pthread_self(), worker->name);
	r = sandbox_enter(worker->seals ? SANDBOX_TX : SANDBOX_RX, worker->sandbox);
	if (r < 0) {
		log_error("cannot confine the thread %s (%s): rather than with rights that it does "
			  "not need, the link ends",
			  worker->name, strerror(-r));
		_exit(EXIT_SYSTEM);
	}
	ev_run(worker->loop, 0);
	return NULL;
}

int worker_start(struct worker *worker)
{
	sigset_t all, before;
	int r;

	/* Signals are control's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&worker->thread, NULL, run, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return -r;
	worker->is_running = true;
	return 0;
}

void worker_stop(struct worker *worker)
{
	if (!worker->is_running)
		return;
	orders_give(&worker->orders, NULL, NULL, ORDER_END);
	pthread_join(worker->thread, NULL);
	worker->is_running = false;
}

void worker_deinit(struct worker *worker)
{
	teller_deinit(&worker->teller);
	mailbox_deinit(&worker->tray.box);
	orders_deinit(&worker->orders);
	secret_free(worker->keypairs);
	if (worker->loop)
		ev_loop_destroy(worker->loop);
	memset(worker, 0, sizeof(*worker));
}

void worker_end_turn(struct worker *worker)
{
	struct wire *wire = &worker->wire;
	struct teller *teller = &worker->teller;

	note_wire(worker);
	if (wire->is_way_stale) {
		teller->news.is_way_stale = true;
		teller->is_urgent = true;
		wire->is_way_stale = false;
	}
	teller_end_turn(teller);
}

void worker_look_for_orders(struct worker *worker)
{
	if (mailbox_has_mail(&worker->orders.box))
		take_orders(worker);
}
