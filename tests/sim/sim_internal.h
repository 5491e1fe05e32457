/*
 * Between sim.c and sim_check.c: the places where the watch looks. A rule that breaks does not
 * return.
 */
#ifndef SIM_INTERNAL_H
#define SIM_INTERNAL_H

#include "common/defs.h"
#include "tests/sim/sim.h"

/*! Prints the seed, the time and what is wrong, and aborts. */
_Noreturn void sim_fail(const struct sim *sim, const char *format, ...) printf_like(2, 3);

/*! One line of the trace. */
void sim_trace(const struct sim *sim, const char *format, ...) printf_like(2, 3);

/*! Fails unless `condition` holds. */
#define sim_require(sim, condition, ...)                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			sim_fail(sim, __VA_ARGS__);                                                \
	} while (0)

/*! Before a keypair seals. */
void check_seal(struct sim *sim, const struct sim_end *end, const struct keypair *keypair);

/*! After an initiation was made. */
void check_initiation(struct sim *sim, struct sim_end *end);

/*! After a handshake message was received and maybe answered. */
void check_reply(struct sim *sim, struct sim_end *end, enum peer_verdict verdict,
		 const struct peer_reply *reply, size_t request_len);

/*! When a packet comes out at `end`. */
void check_delivery(struct sim *sim, struct sim_end *end, const uint8_t *packet, size_t len);

/*! A packet was staged. */
void check_staged(struct sim_end *end, uint32_t number);

/*! A staged packet was taken: must be the oldest of those that are expected. */
void check_unstaged(struct sim *sim, struct sim_end *end, uint32_t number);

/*! After anything: slots, counters, windows, timers. */
void check_end(struct sim *sim, struct sim_end *end);

/*! Forgets what was remembered of the life before. */
void check_restart(struct sim_end *end);

#endif
