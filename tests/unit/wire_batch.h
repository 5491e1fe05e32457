/*
 * What the tests of daemon/core/wire.c send: one batch as tx makes it, and the link's parts around.
 */
#ifndef TESTS_UNIT_WIRE_BATCH_H
#define TESTS_UNIT_WIRE_BATCH_H

#include "tests/unit/datagrams.h"

#include "daemon/core/wire.h"

#define BEGIN      (1000 * NSEC_PER_SEC)
#define N_MESSAGE  6
#define N_DATAGRAM 21 /* in these */

static uint8_t data[65536];
static struct counters counters;
static struct troubles troubles;
static struct latest latest;
static struct wire wire;

/* A batch as tx makes it: runs and single datagrams, one behind the other in `data`. */
static inline size_t make_batch(struct udp_message *messages)
{
	static const struct {
		size_t len, segment_len;
	} shapes[N_MESSAGE] = { { 96, 96 },     { 14520, 1452 }, { 1452, 1452 },
				{ 3500, 1000 }, { 6000, 1500 },  { 80, 80 } };
	size_t at = 0;

	for (size_t i = 0; i < N_MESSAGE; i++) {
		messages[i] = (struct udp_message) {
			.data = data + at,
			.len = shapes[i].len,
			.segment_len = shapes[i].segment_len,
		};
		at += shapes[i].len;
	}
	return at;
}

#endif
