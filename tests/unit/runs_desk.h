/*
 * Runs on a desk: two ends, known bytes to send, and a look at what has come of them.
 */
#ifndef TESTS_RUNS_DESK_H
#define TESTS_RUNS_DESK_H

#include "tests/unit/datagrams.h"

#define LEN_MAX 65536

static struct ends ends;
static struct arrived arrived;
static uint8_t sent[LEN_MAX];

static const struct family {
	const char *near, *far;
} families[] = { { "127.0.0.1", "127.0.0.2" }, { "fd00::1", "fd00::2" } };

static inline void begin(void)
{
	open_ends(&ends);
	arrived_init(&arrived);
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 7 + i / 251);
}

static inline void end(void)
{
	close_ends(&ends);
	arrived_deinit(&arrived);
}

static inline struct udp_message run_of(size_t at, size_t len, size_t segment_len, uint8_t tos)
{
	return (struct udp_message) {
		.data = sent + at, .len = len, .segment_len = segment_len, .tos = tos
	};
}

/* Receives datagrams until all `len` bytes behind `at` have come, each as long as it must be. */
static inline void expect_datagrams(int fd, size_t at, size_t len, size_t segment_len)
{
	size_t done = 0;

	while (done < len) {
		receive(&arrived, fd);
		for (size_t i = 0; i < arrived.n_runs; i++) {
			const struct udp_datagram *run = &arrived.runs[i];

			assert_int_equal(run->segment_len, MIN(segment_len, len - done));
			assert_true(run->len <= len - done);
			/* Whatever comes is whole datagrams; only the last one is shorter. */
			assert_true(run->len % segment_len == 0 || done + run->len == len);
			assert_memory_equal(run->data, sent + at + done, run->len);
			done += run->len;
		}
	}
	assert_int_equal(udp_receive(fd, arrived.runs, UDP_BATCH), -EAGAIN);
}

#endif
