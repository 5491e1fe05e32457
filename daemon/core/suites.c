/* Which ciphers this host agrees to; see suites.h. */
#include "daemon/core/suites.h"

#include <string.h>

#include "daemon/proto/messages.h"

/* A full packet, because bulk is where the difference matters. */
#define MEASURE_LEN      1420
#define MEASURE_DURATION (NSEC_PER_MSEC / 4)
/* Each cipher has so many goes, in turn: what disturbs one of them seldom disturbs all. */
#define MEASURE_ROUNDS 4
/* Packets between two looks at the clock: one batch, like those that are received. */
#define PACKETS_PER_LOOK 32

/* Makes a batch of as many packets as fit, in place and back to back. */
static size_t make_batch(struct cipher_job *jobs, uint8_t *packets, size_t size, size_t len,
			 size_t tag_len)
{
	size_t n = MIN(PACKETS_PER_LOOK, size / (len + tag_len));

	for (size_t i = 0; i < n; i++) {
		uint8_t *packet = packets + i * (len + tag_len);

		jobs[i] = (struct cipher_job) { .to = packet, .from = packet, .len = len };
	}
	return n;
}

double suites_measure(enum cipher_suite suite, size_t len, nsec_t duration)
{
	static uint8_t packets[4 * (SUITES_MEASURE_MAX + CIPHER_TAG_MAX)];
	static const uint8_t bytes[CIPHER_KEY_LEN];
	const struct cipher *cipher = cipher_get(suite);
	struct cipher_job jobs[PACKETS_PER_LOOK];
	size_t n = make_batch(jobs, packets, sizeof(packets), len, cipher->tag_len);
	union cipher_key key;
	uint64_t counter = 0;
	nsec_t start, now;

	cipher->init(&key, bytes);
	cipher->seal_batch(&key, jobs, n); /* warms up */
	start = now = nsec_thread_cpu();
	while (now - start < duration) {
		for (size_t i = 0; i < n; i++)
			jobs[i].counter = counter++;
		cipher->seal_batch(&key, jobs, n);
		now = nsec_thread_cpu();
	}
	return (double)counter * (double)len / ((double)(now - start) / (double)NSEC_PER_SEC);
}

static bool has_long_tag(enum cipher_suite suite)
{
	return cipher_get(suite)->tag_len > cipher_get(CIPHER_CHACHA20_POLY1305)->tag_len;
}

/* Puts a suite where its speed belongs; returns the new number of suites. */
static size_t insert(enum cipher_suite *suites, double *speeds, size_t n, enum cipher_suite suite,
		     double speed)
{
	size_t at = n;

	while (at > 0 && speeds[at - 1] < speed) {
		suites[at] = suites[at - 1];
		speeds[at] = speeds[at - 1];
		at--;
	}
	suites[at] = suite;
	speeds[at] = speed;
	return n + 1;
}

static bool may_offer(enum cipher_suite suite, bool has_room)
{
	return cipher_get(suite)->is_available() && (has_room || !has_long_tag(suite));
}

static void choose_fast_ones(bool has_room, struct suites *ret)
{
	double best[N_CIPHERS] = { 0 }, chosen[N_CIPHERS], speed;
	enum cipher_suite suite;

	for (unsigned int round = 0; round < MEASURE_ROUNDS; round++) {
		for (suite = 0; suite < N_CIPHERS; suite++) {
			if (!may_offer(suite, has_room))
				continue;
			speed = suites_measure(suite, MEASURE_LEN, MEASURE_DURATION);
			best[suite] = MAX(best[suite], speed);
		}
	}
	for (suite = CIPHER_CHACHA20_POLY1305 + 1; suite < N_CIPHERS; suite++) {
		if (best[suite] > best[CIPHER_CHACHA20_POLY1305])
			ret->n = insert(ret->items, chosen, ret->n, suite, best[suite]);
	}
}

bool suites_choose(enum conf_cipher wanted, bool has_room, struct suites *ret)
{
	static const enum cipher_suite named[] = {
		[CONF_CIPHER_CHACHA20_POLY1305] = CIPHER_CHACHA20_POLY1305,
		[CONF_CIPHER_AES256_GCM] = CIPHER_AES256_GCM,
		[CONF_CIPHER_AEGIS128L] = CIPHER_AEGIS128L,
		[CONF_CIPHER_AEGIS256] = CIPHER_AEGIS256,
	};
	enum cipher_suite suite;

	memset(ret, 0, sizeof(*ret));
	if (wanted == CONF_CIPHER_AUTO) {
		choose_fast_ones(has_room, ret);
	} else {
		suite = named[wanted];
		if (!cipher_get(suite)->is_available())
			return false;
		ret->is_forced = true;
		if (suite != CIPHER_CHACHA20_POLY1305)
			ret->items[ret->n++] = suite;
	}
	for (size_t i = 0; i < ret->n; i++) {
		if (has_long_tag(ret->items[i]))
			ret->extra_tag_len = CIPHER_TAG_MAX - TAG_LEN;
	}
	return true;
}
