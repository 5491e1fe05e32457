/* Tests of daemon/core/endpoint.c: when names are asked for, and asked for again. */
#include "tests/unit/endpoint_desk.h"

#include <netdb.h>
#include <poll.h>

#include "tests/unit/seed.h"

static void failures_are_asked_again_with_growing_pauses(void **state)
{
	nsec_t now = BEGIN, backoff = SEC;

	(void)state;
	BEGIN_WITH("a.test:1");
	for (unsigned int i = 0; i < 40; i++) {
		assert_int_equal(endpoint_deadline(&endpoint), now);
		assert_int_equal(tick(now - 1), -1);
		assert_int_equal(tick(now), 0);
		now += SEC / 2; /* the answer takes a while; the pause begins with it */
		answer(0, i % 2 ? EAI_AGAIN : RESOLVER_STALLED, NULL, now);
		now += backoff;
		backoff = MIN(backoff * 6 / 5, 20 * SEC);
	}
	assert_int_equal(backoff, 20 * SEC);
	/* A success forgets it. */
	assert_int_equal(tick(now), 0);
	ANSWER(0, now, "198.51.100.1:1");
	assert_int_equal(endpoint_deadline(&endpoint), NSEC_NEVER);
	now += 1000 * SEC;
	endpoint_refresh(&endpoint, now);
	assert_int_equal(tick(now), 0);
	answer(0, EAI_NONAME, NULL, now);
	assert_int_equal(endpoint_deadline(&endpoint), now + SEC);
	/* And a failure does not forget the addresses. */
	assert_string_equal(next_of(NULL), "198.51.100.1:1");
}

static void failures_are_said_once_a_minute(void **state)
{
	nsec_t now = BEGIN;

	(void)state;
	BEGIN_WITH("a.test:1");
	for (; now < BEGIN + 300 * SEC; now = endpoint_deadline(&endpoint)) {
		assert_int_equal(tick(now), 0);
		answer(0, EAI_NONAME, NULL, now);
	}
	assert_in_range(n_said("cannot resolve the Endpoint a.test: the name does not exist"), 4,
			5);
}

static void refresh_waits_thirty_seconds(void **state)
{
	(void)state;
	BEGIN_WITH("a.test:1", "b.test:2", "192.0.2.1:3");
	assert_int_equal(tick(BEGIN), 0);
	ANSWER(0, BEGIN + SEC, "198.51.100.1:1");
	assert_int_equal(tick(BEGIN + SEC), 1);
	/* One question open, one answered: the open one is left alone. */
	endpoint_refresh(&endpoint, BEGIN + 2 * SEC);
	ANSWER(1, BEGIN + 3 * SEC, "198.51.100.2:2");
	endpoint_refresh(&endpoint, BEGIN + 4 * SEC);
	assert_int_equal(endpoint_deadline(&endpoint), BEGIN + 30 * SEC);
	/* Asking for it again and again does not put it off. */
	for (nsec_t now = BEGIN + 5 * SEC; now < BEGIN + 30 * SEC; now += SEC) {
		endpoint_refresh(&endpoint, now);
		assert_int_equal(tick(now), -1);
	}
	assert_int_equal(tick(BEGIN + 30 * SEC), 0);
	ANSWER(0, BEGIN + 30 * SEC, "198.51.100.1:1");
	assert_int_equal(tick(BEGIN + 30 * SEC), -1);
	assert_int_equal(endpoint_deadline(&endpoint), BEGIN + 31 * SEC);
	assert_int_equal(tick(BEGIN + 31 * SEC), 1);
	ANSWER(1, BEGIN + 31 * SEC, "198.51.100.2:2");
	/* Long after, it is at once. */
	assert_int_equal(endpoint_deadline(&endpoint), NSEC_NEVER);
	endpoint_refresh(&endpoint, BEGIN + 1000 * SEC);
	assert_int_equal(endpoint_deadline(&endpoint), BEGIN + 1000 * SEC);
}

static void refresh_leaves_the_pause_of_a_failure(void **state)
{
	(void)state;
	BEGIN_WITH("a.test:1");
	tick(BEGIN);
	answer(0, EAI_AGAIN, NULL, BEGIN);
	endpoint_refresh(&endpoint, BEGIN + SEC / 2);
	assert_int_equal(endpoint_deadline(&endpoint), BEGIN + SEC);
	assert_int_equal(tick(BEGIN + SEC / 2), -1);
	assert_int_equal(tick(BEGIN + SEC), 0);
}

static void open_question_is_waited_for(void **state)
{
	(void)state;
	BEGIN_WITH("a.test:1", "b.test:2");
	assert_int_equal(tick(BEGIN), 0);
	/* The other name is due, but nothing can be done until the answer or the limit. */
	assert_int_equal(endpoint_deadline(&endpoint), resolver.give_up);
	assert_true(resolver.give_up >= BEGIN + RESOLVER_LIMIT);
	assert_int_equal(tick(BEGIN + 10 * SEC), -1);
	assert_int_equal(endpoint_deadline(&endpoint), resolver.give_up);
	assert_int_equal(resolver.id, 0);
}

/* Hours of names that resolve or not, sooner or later: the loop never turns without need. */
static void deadline_is_never_a_busy_loop(void **state)
{
	struct seeded seeded = seeded_begin("endpoint");
	unsigned int n_turns = 0, n_questions = 0;
	nsec_t now = BEGIN;

	(void)state;
	BEGIN_WITH("a.test:1", "192.0.2.1:2", "b.test:3", "c.test:4");
	while (now < BEGIN + 14400 * SEC) {
		int id = tick(now);
		nsec_t deadline = endpoint_deadline(&endpoint);

		n_turns++;
		n_questions += id >= 0;
		assert_true(deadline > now);
		if (id >= 0) {
			nsec_t at = now + seeded_below(&seeded, 30 * SEC);

			assert_true(deadline > at); /* the answer comes first */
			now = at;
			if (seeded_below(&seeded, 3))
				answer((uint64_t)id, EAI_AGAIN, NULL, now);
			else
				ANSWER((uint64_t)id, now, "198.51.100.1:1");
			continue;
		}
		if (deadline == NSEC_NEVER) {
			now += seeded_below(&seeded, 60 * SEC);
			endpoint_refresh(&endpoint, now);
			assert_true(endpoint_deadline(&endpoint) != NSEC_NEVER);
			now = MAX(now, endpoint_deadline(&endpoint));
		} else {
			now = deadline;
		}
	}
	assert_true(n_questions > 100);
	/* A turn asks, or finds nothing due after an answer: never a third. */
	assert_true(n_turns <= 2 * n_questions + 2);
}

/* Names that no server answers for are slow; they must not keep the others from being asked. */
static void slow_names_do_not_starve_the_others(void **state)
{
	bool was_asked[4] = { false };
	nsec_t now = BEGIN;

	(void)state;
	BEGIN_WITH("a.test:1", "b.test:2", "c.test:3", "d.test:4");
	for (unsigned int i = 0; i < 12; i++) {
		int id;

		while ((id = tick(now)) < 0)
			now = endpoint_deadline(&endpoint);
		was_asked[id] = true;
		now += RESOLVER_LIMIT;
		answer((uint64_t)id, RESOLVER_STALLED, NULL, now);
	}
	for (size_t i = 0; i < ARRAY_SIZE(was_asked); i++) {
		if (!was_asked[i])
			fail_msg("the name %zu was not asked for in twelve questions", i);
	}
}

static void lost_answer_is_made_good(void **state)
{
	nsec_t deadline;

	(void)state;
	BEGIN_WITH("127.0.0.1:1");
	specs[0].literal.sa.sa_family = AF_UNSPEC; /* as if it were a name */
	endpoint_init(&endpoint, &conf, &resolver, BEGIN);
	assert_int_equal(tick(BEGIN), 0);
	deadline = endpoint_deadline(&endpoint);
	assert_in_range(deadline - BEGIN, RESOLVER_LIMIT, 60 * SEC);
	/* The keeper said nothing for so long that it is replaced, by a process this time. */
	endpoint_tick(&endpoint, deadline);
	assert_true(resolver.keeper > 0 && resolver.is_asked);
	assert_true(endpoint_deadline(&endpoint) > deadline);
}

static void dead_keeper_is_replaced(void **state)
{
	struct pollfd readable = { .events = POLLIN };
	struct resolver_answer found;

	(void)state;
	BEGIN_WITH("127.0.0.1:51820", "192.0.2.1:2");
	specs[0].literal.sa.sa_family = AF_UNSPEC;
	endpoint_init(&endpoint, &conf, &resolver, BEGIN);
	close(keeper_fd);
	keeper_fd = -1;
	endpoint_tick(&endpoint, BEGIN);
	assert_true(resolver.keeper > 0);
	readable.fd = resolver_fd(&resolver);
	assert_int_equal(poll(&readable, 1, 20000), 1);
	assert_int_equal(resolver_read(&resolver, &found), 0);
	endpoint_answer(&endpoint, &found, &report, BEGIN + SEC);
	WALK("127.0.0.1:51820", "192.0.2.1:2");
}

static void question_that_cannot_be_asked_waits(void **state)
{
	(void)state;
	BEGIN_WITH("a.test:1", "b.test:2");
	specs[0].host[0] = '\0'; /* the resolver refuses it, as it might for want of memory */
	assert_int_equal(tick(BEGIN), -1);
	assert_int_equal(tick(BEGIN), 1);
	ANSWER(1, BEGIN, "198.51.100.2:2");
	assert_int_equal(tick(BEGIN), -1);
	assert_int_equal(endpoint_deadline(&endpoint), BEGIN + 20 * SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(failures_are_asked_again_with_growing_pauses),
		WITH(failures_are_said_once_a_minute),
		WITH(refresh_waits_thirty_seconds),
		WITH(refresh_leaves_the_pause_of_a_failure),
		WITH(open_question_is_waited_for),
		WITH(deadline_is_never_a_busy_loop),
		WITH(slow_names_do_not_starve_the_others),
		WITH(lost_answer_is_made_good),
		WITH(dead_keeper_is_replaced),
		WITH(question_that_cannot_be_asked_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
