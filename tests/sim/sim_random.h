/*
 * Random numbers that can be had again: one seed decides everything that a simulated run does.
 *
 * Two independent streams come from the seed. One stands in for libsodium's randombytes and
 * feeds the protocol core (ephemeral keys, indices, jitter); the other is for the scenario (what
 * is lost, when an end restarts). So a change in the core does not shuffle the scenarios.
 */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdint.h>

/*! Puts the seeded stream in the place of libsodium's, then initialises libsodium. Call first. */
void sim_random_install(void);

/*! Starts both streams anew. */
void sim_random_seed(uint64_t seed);

/*! The next 64 bits of the scenario's stream. */
uint64_t sim_random_next(void);

/*! A number from 0 to `bound` - 1 of the scenario's stream; 0 when `bound` is 0. */
uint64_t sim_random_below(uint64_t bound);

/*! Reads a number from the environment, decimal or 0x…; `fallback` when unset or no number. */
uint64_t sim_random_env(const char *name, uint64_t fallback);

#endif
