/*
 * What control exchanges while the data loops work with it: AllowedIPs and the sockets.
 *
 * The rule. The data loops read AllowedIPs through what they were told last (struct order_state),
 * never keep the pointer beyond a batch, and never change what is behind it. Control makes the new
 * ones, tells of them with ORDER_EXCHANGE and the number of the exchange, and keeps the old ones. A
 * loop answers with the highest number that it has taken over, after the batch in which it did.
 * When both have answered with that number or a higher one, nobody can have the old ones any more,
 * and control frees them.
 *
 * New sockets take the descriptors of the old ones (dup2(2)), which the kernel does in one step and
 * not under a call that is under way; the order has rx watch them anew, and tells the new port.
 */
#ifndef CORE_EXCHANGE_H
#define CORE_EXCHANGE_H

#include "daemon/data/allowedips.h"

enum exchange_loop { EXCHANGE_TX, EXCHANGE_RX, EXCHANGE_N_LOOPS };

struct exchange_old; /* something that may still be in use */

/* All zero is ready. */
struct exchange {
	uint64_t n_exchanges;                /* that were made */
	uint64_t answered[EXCHANGE_N_LOOPS]; /* that each loop has taken over */
	struct exchange_old *olds;           /* newest first; owned */
};

/*!
 * Counts an exchange, and keeps what it has replaced until nobody uses that.
 * \param allowed  of exchange_make_allowed(), or NULL
 * \return 0 or -ENOMEM: then nothing was taken over, and the old ones must stay in use
 */
int exchange_keep(struct exchange *exchange, struct allowedips *allowed);

/*! Control: a loop has answered. \param n_exchanges  0: it has not */
void exchange_answered(struct exchange *exchange, enum exchange_loop loop, uint64_t n_exchanges);

/*! The loops have ended: frees everything. Safe twice. */
void exchange_end(struct exchange *exchange);

/*!
 * Makes AllowedIPs on the heap.
 *
 * \param ret  for exchange_free_allowed()
 * \return 0 or -ENOMEM
 */
int exchange_make_allowed(const struct prefix *prefixes, size_t n, struct allowedips **ret);

/*! Frees them; NULL is fine. */
void exchange_free_allowed(struct allowedips *allowed);

#endif
