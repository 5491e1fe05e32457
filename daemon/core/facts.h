/*
 * What a data loop tells control: what it has sent or received, with the times, and what it has
 * come across that is for control to decide.
 *
 * The loop notes facts for every batch, without a lock, in a copy of its own, and tells them 50 ms
 * after the first: not at once, because to wake control would delay the very packet that is news.
 * So control, which has the peer's timers, knows everything a little later, and with the exact
 * times. What cannot wait (packets without a session, the first packet of a new keypair) is told at
 * the end of the turn.
 */
#ifndef CORE_FACTS_H
#define CORE_FACTS_H

#include "daemon/core/counters.h"
#include "daemon/core/mailbox.h"
#include "daemon/core/troubles.h"

struct facts {
	/* when something was sent or received since these were told last; 0: nothing */
	nsec_t first_data, last_data; /* not keepalives */
	uint64_t n_data;              /* messages of those; tx counts batches */
	nsec_t last;                  /* anything authentic */

	/* tx */
	uint64_t send_counter; /* of the current keypair */
	bool wants_session;    /* packets wait that the keypair `serial` may not seal any more */
	uint64_t serial;

	/* rx */
	uint64_t confirmed[N_KEYPAIRS]; /* serials of keypairs: their first packet came */
	size_t n_confirmed;

	/* both */
	bool is_way_stale;      /* as struct wire has it */
	int lost;               /* the interface is gone: an errno value */
	bool is_answer;         /* to ORDER_REPORT */
	uint64_t n_exchanges;   /* nothing from before this exchange is used any more; 0: no news */
	struct trouble trouble; /* what the loop said last; `when` 0: nothing new */

	/* how things are, told again and again */
	struct counters counters; /* since the start */
	bool refuses_runs;        /* as struct wire has it; tx */
	unsigned int unmerged;    /* as struct rx has it */
};

/* Where control finds them. */
struct tray {
	struct mailbox box; /* control reads */
	struct facts facts;
};

/* The loop's side. */
struct teller {
	struct tray *tray;
	struct ev_loop *loop;
	ev_timer again;
	struct facts news; /* its counters are the loop's own */
	bool has_news;
	bool is_urgent;
	bool has_told_want; /* within this interval */
};

/*! \param loop  the data loop */
void teller_init(struct teller *teller, struct ev_loop *loop, struct tray *tray);

/*! Takes its timer off the loop. */
void teller_deinit(struct teller *teller);

/*! Notes that authentic messages were sent or received. */
void teller_note(struct teller *teller, bool has_data, nsec_t now);

/*! Notes that packets wait without a session. */
void teller_want_session(struct teller *teller, uint64_t serial);

/*! Notes the first packet of a keypair. */
void teller_confirm(struct teller *teller, uint64_t serial);

/*! Notes that the interface is gone. */
void teller_lost(struct teller *teller, int error);

/*! Notes what was said. */
void teller_trouble(struct teller *teller, const struct trouble *trouble);

/*! At the end of a turn: tells what has to be told now. */
void teller_end_turn(struct teller *teller);

/*! Tells everything now, as an answer to ORDER_REPORT. */
void teller_answer(struct teller *teller);

/*! Tells now that nothing from before an exchange is used any more; see exchange.h. */
void teller_exchanged(struct teller *teller, uint64_t n_exchanges);

/*! Control: takes what was told. */
void tray_take(struct tray *tray, struct facts *ret);

#endif
