/*
 * What control tells a data loop: how things are now, and what it is to do once.
 *
 * Control writes the state whole whenever a part of it has changed. The loop takes it over at the
 * next turn; keypairs by the rules of keypair.h.
 */
#ifndef CORE_ORDERS_H
#define CORE_ORDERS_H

#include "daemon/core/mailbox.h"
#include "daemon/data/allowedips.h"
#include "daemon/data/udp.h"
#include "daemon/proto/keypair.h"

/* What is to be done once; bits. tx does all, rx those that have nothing to do with sending. */
enum order {
	ORDER_END = 1 << 0,       /* tell all facts and leave the loop */
	ORDER_REPORT = 1 << 1,    /* tell all facts now, also if there are no new ones */
	ORDER_FLUSH = 1 << 2,     /* send what is staged */
	ORDER_KEEPALIVE = 1 << 3, /* the same, or one keepalive when nothing is staged */
	ORDER_DROP_STAGED = 1 << 4,
	ORDER_RETRY_RUNS = 1 << 5, /* the way to the peer may take runs now */
	ORDER_EXCHANGE = 1 << 6, /* watch the sockets anew, and say up to which exchange that is */
};

/* How things are. */
struct order_state {
	unsigned int mtu;       /* of the interface */
	unsigned int whole_max; /* longest plaintext whose message the way carries whole; 0: not
				 * known. For frames, which may be longer */
	unsigned int way_mtu;   /* that of the way, of which whole_max is made */
	bool may_wait;          /* no path yet, but a name may still give one: stage, do not drop */
	/* What control may exchange; see exchange.h. */
	const struct allowedips *allowed;
	struct udp udp;
	uint32_t fwmark;
	uint64_t n_exchanges;
};

struct orders {
	struct mailbox box;        /* the loop reads */
	struct keypairs *keypairs; /* guarded, owned; with keys until they are taken */
	bool has_keypairs;
	struct order_state state;
	bool has_state;
	unsigned int todo; /* enum order bits */
};

/*! Makes the mailbox on the data loop, whose `on_mail` calls orders_take(). \return 0 or -ENOMEM */
int orders_init(struct orders *orders, struct ev_loop *loop, void (*on_mail)(void *),
		void *context);

/*! Wipes and frees; safe after a failed init, and twice. */
void orders_deinit(struct orders *orders);

/*!
 * Control: tells the state, and adds what is to be done.
 * \param state     NULL: no change
 * \param keypairs  what is there now; NULL: no change
 * \param todo      enum order bits
 */
void orders_give(struct orders *orders, const struct order_state *state,
		 const struct keypairs *keypairs, unsigned int todo);

/*!
 * The loop: takes what was told.
 * \param state     set to the last one that was told, if it was not taken yet
 * \param keypairs  the loop's own, which follow
 * \return what is to be done: enum order bits
 */
unsigned int orders_take(struct orders *orders, struct order_state *state,
			 struct keypairs *keypairs);

#endif
