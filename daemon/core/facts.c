/* From the data loops to control; see facts.h. */
#include "daemon/core/facts.h"

#include <string.h>

#include "common/defs.h"

/* Between two times that the usual is told, in seconds. */
#define TELL_INTERVAL 0.05

/* Everything but what is told again and again. */
static void clear(struct facts *facts)
{
	memset(facts, 0, offsetof(struct facts, counters));
}

static void add_confirmed(struct facts *facts, uint64_t serial)
{
	/* There are no more keypairs than places until control, which makes them, has read. */
	if (facts->n_confirmed < N_KEYPAIRS)
		facts->confirmed[facts->n_confirmed++] = serial;
}

/* Adds what is newer to what was told and not read. */
static void merge(struct facts *told, const struct facts *news)
{
	if (!told->first_data)
		told->first_data = news->first_data;
	told->last_data = MAX(told->last_data, news->last_data);
	told->n_data += news->n_data;
	told->last = MAX(told->last, news->last);
	if (news->last)
		told->send_counter = news->send_counter;
	if (news->wants_session)
		told->serial = news->serial;
	told->wants_session |= news->wants_session;
	for (size_t i = 0; i < news->n_confirmed; i++)
		add_confirmed(told, news->confirmed[i]);
	told->is_way_stale |= news->is_way_stale;
	if (news->lost)
		told->lost = news->lost;
	told->is_answer |= news->is_answer;
	told->n_exchanges = MAX(told->n_exchanges, news->n_exchanges);
	if (news->trouble.when)
		told->trouble = news->trouble;
	told->counters = news->counters;
	told->refuses_runs = news->refuses_runs;
	told->unmerged = news->unmerged;
}

static void tell(struct teller *teller)
{
	struct tray *tray = teller->tray;

	mailbox_begin(&tray->box);
	merge(&tray->facts, &teller->news);
	mailbox_send(&tray->box);
	teller->has_told_want |= teller->news.wants_session;
	clear(&teller->news);
	teller->has_news = false;
	teller->is_urgent = false;
}

static void on_again(struct ev_loop *loop, ev_timer *again, int events)
{
	struct teller *teller = container_of(again, struct teller, again);

	(void)events;
	teller->has_told_want = false;
	if (teller->has_news)
		tell(teller);
	else
		ev_timer_stop(loop, again);
}

void teller_init(struct teller *teller, struct ev_loop *loop, struct tray *tray)
{
	memset(teller, 0, sizeof(*teller));
	teller->tray = tray;
	teller->loop = loop;
	ev_init(&teller->again, on_again);
	teller->again.repeat = TELL_INTERVAL;
}

void teller_deinit(struct teller *teller)
{
	if (teller->loop)
		ev_timer_stop(teller->loop, &teller->again);
}

void teller_note(struct teller *teller, bool has_data, nsec_t now)
{
	struct facts *news = &teller->news;

	if (has_data) {
		if (!news->first_data)
			news->first_data = now;
		news->last_data = now;
		news->n_data++;
	}
	news->last = now;
	teller->has_news = true;
}

void teller_want_session(struct teller *teller, uint64_t serial)
{
	teller->news.wants_session = true;
	teller->news.serial = serial;
	teller->has_news = true;
	teller->is_urgent |= !teller->has_told_want;
}

void teller_confirm(struct teller *teller, uint64_t serial)
{
	add_confirmed(&teller->news, serial);
	teller->is_urgent = true;
}

void teller_lost(struct teller *teller, int error)
{
	teller->news.lost = error;
	teller->is_urgent = true;
}

void teller_trouble(struct teller *teller, const struct trouble *trouble)
{
	teller->news.trouble = *trouble;
	teller->has_news = true;
}

void teller_end_turn(struct teller *teller)
{
	if (!ev_is_active(&teller->again) && (teller->has_news || teller->is_urgent))
		ev_timer_again(teller->loop, &teller->again);
	if (teller->is_urgent)
		tell(teller);
}

void teller_answer(struct teller *teller)
{
	teller->news.is_answer = true;
	tell(teller);
}

void teller_exchanged(struct teller *teller, uint64_t n_exchanges)
{
	teller->news.n_exchanges = n_exchanges;
	tell(teller);
}

void tray_take(struct tray *tray, struct facts *ret)
{
	mailbox_take(&tray->box);
	*ret = tray->facts;
	clear(&tray->facts);
	mailbox_taken(&tray->box);
}
