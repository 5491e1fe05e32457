/*
 * Batches: that each cipher makes of many messages what it makes of each, in runs as they lie in
 * memory, and that a forgery among them is refused alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/proto/cipher.h"
#include "tests/unit/seed.h"

#define BATCH_MAX  64
#define HEADER_LEN 16
#define TEXT_MAX   9300
#define RUN_MAX    (BATCH_MAX * (HEADER_LEN + TEXT_MAX + CIPHER_TAG_MAX))

/* Messages back to back, each with a header, as the datagrams of a run. */
struct run {
	const struct cipher *cipher;
	union cipher_key key;
	size_t n;
	size_t lens[BATCH_MAX]; /* of the plaintexts */
	size_t at[BATCH_MAX];   /* where each text begins */
	size_t used;
	uint64_t counters[BATCH_MAX];
};

static uint8_t plain[RUN_MAX], sealed[RUN_MAX], memory[RUN_MAX];

/* Draws a run and writes `plain` (room for the tags in it) and `sealed`, message by message. */
static void make_run(struct run *run, size_t n, const size_t *len, struct seeded *seeded)
{
	uint8_t bytes[CIPHER_KEY_LEN];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)seeded_next(seeded);
	run->cipher->init(&run->key, bytes);
	run->n = n;
	run->used = 0;
	for (size_t i = 0; i < n; i++) {
		run->lens[i] = len ? *len : seeded_below(seeded, TEXT_MAX + 1);
		run->at[i] = run->used + HEADER_LEN;
		run->used = run->at[i] + run->lens[i] + run->cipher->tag_len;
		run->counters[i] = seeded_next(seeded);
	}
	for (size_t i = 0; i < run->used; i++)
		plain[i] = (uint8_t)seeded_next(seeded);
	memcpy(sealed, plain, run->used);
	for (size_t i = 0; i < n; i++)
		cipher_seal(run->cipher, &run->key, sealed + run->at[i], plain + run->at[i],
			    run->lens[i], run->counters[i]);
}

/* Jobs over the messages of a run; `extra` is what `len` has beside the plaintext. */
static void make_jobs(struct cipher_job *jobs, const struct run *run, uint8_t *to,
		      const uint8_t *from, size_t extra)
{
	for (size_t i = 0; i < run->n; i++)
		jobs[i] = (struct cipher_job) {
			.to = to + run->at[i],
			.from = from + run->at[i],
			.len = run->lens[i] + extra,
			.counter = run->counters[i],
			.is_authentic = i % 2 == 0, /* must be overwritten either way */
		};
}

static void check_opened(const struct run *run, const struct cipher_job *jobs)
{
	for (size_t i = 0; i < run->n; i++) {
		assert_true(jobs[i].is_authentic);
		assert_memory_equal(jobs[i].to, plain + run->at[i], run->lens[i]);
		/* The header in front is as it was. */
		assert_memory_equal(jobs[i].to - HEADER_LEN, plain + run->at[i] - HEADER_LEN,
				    HEADER_LEN);
	}
}

static void check_run(const struct run *run)
{
	size_t tag_len = run->cipher->tag_len;
	struct cipher_job jobs[BATCH_MAX];

	/* Apart: nothing but the messages is written, so the headers are put there. */
	for (size_t i = 0; i < run->n; i++)
		memcpy(memory + run->at[i] - HEADER_LEN, plain + run->at[i] - HEADER_LEN,
		       HEADER_LEN);
	make_jobs(jobs, run, memory, plain, 0);
	run->cipher->seal_batch(&run->key, jobs, run->n);
	assert_memory_equal(memory, sealed, run->used);
	make_jobs(jobs, run, memory, sealed, tag_len);
	run->cipher->open_batch(&run->key, jobs, run->n);
	check_opened(run, jobs);

	/* In place. */
	memcpy(memory, plain, run->used);
	make_jobs(jobs, run, memory, memory, 0);
	run->cipher->seal_batch(&run->key, jobs, run->n);
	assert_memory_equal(memory, sealed, run->used);
	make_jobs(jobs, run, memory, memory, tag_len);
	run->cipher->open_batch(&run->key, jobs, run->n);
	check_opened(run, jobs);
}

/* Runs a case for each cipher that is available. */
static void with_each(void (*run_case)(struct run *run, struct seeded *seeded))
{
	struct seeded seeded = seeded_begin("batches");

	for (enum cipher_suite suite = 0; suite < N_CIPHERS; suite++) {
		struct run run = { .cipher = cipher_get(suite) };

		if (run.cipher->is_available())
			run_case(&run, &seeded);
		else
			print_message("%s is not available here\n", run.cipher->name);
	}
}

static void try_all_sizes(struct run *run, struct seeded *seeded)
{
	static const size_t lengths[] = { 0, 16, 64, 96, 448, 1420, 9120, TEXT_MAX };

	for (size_t n = 0; n <= BATCH_MAX; n++) {
		make_run(run, n, NULL, seeded);
		check_run(run);
	}
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		make_run(run, BATCH_MAX, &lengths[i], seeded);
		check_run(run);
	}
}

static void batches_are_their_messages(void **state)
{
	(void)state;
	with_each(try_all_sizes);
}

/* Without messages, a batch needs no memory at all. */
static void try_nothing(struct run *run, struct seeded *seeded)
{
	make_run(run, 0, NULL, seeded);
	run->cipher->seal_batch(&run->key, NULL, 0);
	run->cipher->open_batch(&run->key, NULL, 0);
}

static void nothing_is_a_batch(void **state)
{
	(void)state;
	with_each(try_nothing);
}

/* Opens a run whose message `bad` was spoiled: it is refused, and no other. */
static void refuse_one(const struct run *run, struct cipher_job *jobs, size_t bad)
{
	run->cipher->open_batch(&run->key, jobs, run->n);
	for (size_t i = 0; i < run->n; i++) {
		assert_int_equal(jobs[i].is_authentic, i != bad);
		if (i != bad)
			assert_memory_equal(jobs[i].to, plain + run->at[i], run->lens[i]);
		else if (run->lens[i] >= 16)
			assert_memory_not_equal(jobs[i].to, plain + run->at[i], run->lens[i]);
	}
}

static void spoil_each(struct run *run, struct seeded *seeded)
{
	size_t tag_len = run->cipher->tag_len;
	struct cipher_job jobs[BATCH_MAX];

	for (size_t bad = 0; bad < BATCH_MAX; bad++) {
		size_t bits;

		make_run(run, BATCH_MAX, NULL, seeded);
		bits = 8 * (run->lens[bad] + tag_len);
		/* A bit of it. */
		memcpy(memory, sealed, run->used);
		memory[run->at[bad] + seeded_below(seeded, bits) / 8] ^=
			(uint8_t)(1 << seeded_below(seeded, 8));
		make_jobs(jobs, run, memory, memory, tag_len);
		refuse_one(run, jobs, bad);
		/* Its counter. */
		memcpy(memory, sealed, run->used);
		make_jobs(jobs, run, memory, memory, tag_len);
		jobs[bad].counter ^= 1ULL << seeded_below(seeded, 64);
		refuse_one(run, jobs, bad);
		/* Too short for a tag. */
		memcpy(memory, sealed, run->used);
		make_jobs(jobs, run, memory, memory, tag_len);
		jobs[bad].len = seeded_below(seeded, tag_len);
		refuse_one(run, jobs, bad);
	}
}

static void one_forgery_is_refused_alone(void **state)
{
	(void)state;
	with_each(spoil_each);
}

static void spoil_all(struct run *run, struct seeded *seeded)
{
	struct cipher_job jobs[BATCH_MAX];

	make_run(run, BATCH_MAX, NULL, seeded);
	memcpy(memory, sealed, run->used);
	make_jobs(jobs, run, memory, memory, run->cipher->tag_len);
	for (size_t i = 0; i < BATCH_MAX; i++)
		memory[run->at[i] + run->lens[i]] ^= 1;
	run->cipher->open_batch(&run->key, jobs, BATCH_MAX);
	for (size_t i = 0; i < BATCH_MAX; i++)
		assert_false(jobs[i].is_authentic);
}

static void a_batch_of_forgeries_is_refused(void **state)
{
	(void)state;
	with_each(spoil_all);
}

/* Counters need not be in order, and a message is none of its neighbour's. */
static void swap_two(struct run *run, struct seeded *seeded)
{
	static const size_t len = 100;
	struct cipher_job jobs[BATCH_MAX], job;

	make_run(run, BATCH_MAX, &len, seeded);
	memcpy(memory, sealed, run->used);
	make_jobs(jobs, run, memory, memory, run->cipher->tag_len);
	job = jobs[3];
	jobs[3] = jobs[40];
	jobs[40] = job;
	run->cipher->open_batch(&run->key, jobs, BATCH_MAX);
	for (size_t i = 0; i < BATCH_MAX; i++)
		assert_true(jobs[i].is_authentic);

	memcpy(memory, sealed, run->used);
	make_jobs(jobs, run, memory, memory, run->cipher->tag_len);
	jobs[3].counter = run->counters[40];
	jobs[40].counter = run->counters[3];
	run->cipher->open_batch(&run->key, jobs, BATCH_MAX);
	for (size_t i = 0; i < BATCH_MAX; i++)
		assert_int_equal(jobs[i].is_authentic, i != 3 && i != 40);
}

static void order_does_not_matter(void **state)
{
	(void)state;
	with_each(swap_two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_are_their_messages),
		cmocka_unit_test(nothing_is_a_batch),
		cmocka_unit_test(one_forgery_is_refused_alone),
		cmocka_unit_test(a_batch_of_forgeries_is_refused),
		cmocka_unit_test(order_does_not_matter),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
