/*
 * Tests of daemon/core/endpoint.c. The resolver is the real one, but the far end of its socket
 * pair is held by the test instead of a keeper: questions are read and answered here, and the
 * clock is a number. A real keeper is forked only where one must be replaced, and is asked for
 * numeric addresses, which need no name server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/core/endpoint.h"
#include "daemon/host/resolver_child.h"
#include "tests/unit/seed.h"

#define SEC   NSEC_PER_SEC
#define BEGIN (1000 * SEC)

static struct resolver resolver;
static int keeper_fd; /* the keeper's end */
static struct endpoint_spec specs[CONF_ENDPOINTS_MAX];
static struct conf_link conf;
static struct endpoint endpoint;
static struct report report;
static int saved_stderr, log_fd;

static int set_up(void **state)
{
	int fds[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	resolver = (struct resolver)RESOLVER_NULL;
	resolver.fd = fds[0];
	keeper_fd = fds[1];
	memset(&report, 0, sizeof(report));
	log_fd = memfd_create("log", MFD_CLOEXEC);
	saved_stderr = dup(STDERR_FILENO);
	if (log_fd < 0 || saved_stderr < 0 || dup2(log_fd, STDERR_FILENO) < 0)
		return -1;
	log_init(NULL, LOG_LEVEL_INFO);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	resolver_stop(&resolver);
	if (keeper_fd >= 0)
		close(keeper_fd);
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(log_fd);
	return 0;
}

/* How many lines were said, all with `what` in them. */
static unsigned int n_said(const char *what)
{
	static char text[100000];
	ssize_t len = pread(log_fd, text, sizeof(text) - 1, 0);
	unsigned int n = 0;

	assert_true(len >= 0);
	text[len] = '\0';
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		assert_non_null(strstr(line, what));
		n++;
	}
	return n;
}

static union netaddr addr_of(const char *text)
{
	struct endpoint_spec spec;
	const char *reason = "";

	if (!endpoint_parse(text, &spec, &reason))
		fail_msg("%s: %s", text, reason);
	return spec.literal;
}

/* Begins with the entries of this list, up to NULL. */
static void begin(const char *const *entries)
{
	const char *reason = "";

	memset(&conf, 0, sizeof(conf));
	conf.endpoints = specs;
	for (; entries[conf.n_endpoints]; conf.n_endpoints++) {
		assert_true(conf.n_endpoints < ARRAY_SIZE(specs));
		if (!endpoint_parse(entries[conf.n_endpoints], &specs[conf.n_endpoints], &reason))
			fail_msg("%s: %s", entries[conf.n_endpoints], reason);
	}
	memset(&endpoint, 0xaa, sizeof(endpoint));
	endpoint_init(&endpoint, &conf, &resolver, BEGIN);
}

#define BEGIN_WITH(...) begin((const char *const[]) { __VA_ARGS__, NULL })

/* What the keeper was asked, if it was; at most one question can be waiting. */
static bool asked(struct resolver_question *ret)
{
	ssize_t len = recv(keeper_fd, ret, sizeof(*ret), MSG_DONTWAIT);

	if (len < 0)
		return false;
	assert_int_equal(len, sizeof(*ret));
	return true;
}

/* Ticks and says which entry was asked for, or -1. */
static int tick(nsec_t now)
{
	struct resolver_question question;

	endpoint_tick(&endpoint, now);
	if (!asked(&question))
		return -1;
	assert_true(question.id < conf.n_endpoints);
	assert_string_equal(question.host, specs[question.id].host);
	assert_int_equal(question.port, specs[question.id].port);
	return (int)question.id;
}

static int read_answer(const struct resolver_reply *reply, struct resolver_answer *answer)
{
	assert_int_equal(send(keeper_fd, reply, sizeof(*reply), 0), sizeof(*reply));
	return resolver_read(&resolver, answer);
}

/* The keeper's answer for an entry: an error, or addresses up to NULL. */
static void answer(uint64_t id, int error, const char *const *addrs, nsec_t now)
{
	struct resolver_reply reply;
	struct resolver_answer found;

	memset(&reply, 0, sizeof(reply));
	reply.id = id;
	reply.error = error;
	for (; addrs && addrs[reply.n_addrs]; reply.n_addrs++)
		reply.addrs[reply.n_addrs] = addr_of(addrs[reply.n_addrs]);
	assert_int_equal(read_answer(&reply, &found), 0);
	endpoint_answer(&endpoint, &found, &report, now);
}

#define ANSWER(id, now, ...) answer(id, 0, (const char *const[]) { __VA_ARGS__, NULL }, now)

/* The candidate after `current`, as text; "(none)" stands for no address at all. */
static const char *next_of(const char *current)
{
	static char text[NETADDR_TEXT_MAX];
	union netaddr from, to;

	memset(&from, 0, sizeof(from));
	if (current)
		from = addr_of(current);
	memset(&to, 0xaa, sizeof(to));
	if (!endpoint_next(&endpoint, &from, &to))
		return "(none)";
	return netaddr_format(&to, text);
}

/* Follows the circle along this list, up to NULL; its first follows its last. */
static void walk(const char *const *circle)
{
	size_t n = 0;

	while (circle[n])
		n++;
	for (size_t i = 0; i < 2 * n; i++)
		assert_string_equal(next_of(circle[i % n]), circle[(i + 1) % n]);
}

#define WALK(...) walk((const char *const[]) { __VA_ARGS__, NULL })

static void literals_are_a_circle_and_never_asked(void **state)
{
	(void)state;
	BEGIN_WITH("192.0.2.1:1", "[2001:db8::1]:2", "192.0.2.1:3");
	assert_false(endpoint_may_come(&endpoint));
	assert_string_equal(next_of(NULL), "192.0.2.1:1");
	WALK("192.0.2.1:1", "[2001:db8::1]:2", "192.0.2.1:3");
	for (nsec_t now = BEGIN; now < BEGIN + 1000 * SEC; now += 100 * SEC) {
		assert_int_equal(endpoint_deadline(&endpoint), NSEC_NEVER);
		assert_int_equal(tick(now), -1);
		endpoint_refresh(&endpoint, now);
	}
}

static void one_literal_has_no_other(void **state)
{
	(void)state;
	BEGIN_WITH("192.0.2.1:1");
	assert_string_equal(next_of(NULL), "192.0.2.1:1");
	assert_string_equal(next_of("192.0.2.1:1"), "(none)");
	/* Twice in the file is still one place. */
	BEGIN_WITH("192.0.2.1:1", "192.0.2.1:1");
	assert_string_equal(next_of("192.0.2.1:1"), "(none)");
}

static void without_endpoint_there_is_only_what_is_learned(void **state)
{
	(void)state;
	begin((const char *const[]) { NULL });
	assert_false(endpoint_may_come(&endpoint));
	assert_int_equal(endpoint_deadline(&endpoint), NSEC_NEVER);
	assert_int_equal(tick(BEGIN), -1);
	assert_string_equal(next_of(NULL), "(none)");
	assert_string_equal(next_of("192.0.2.7:7"), "(none)");
	assert_string_equal(next_of(NULL), "192.0.2.7:7");
	assert_string_equal(next_of("192.0.2.8:8"), "(none)");
	assert_string_equal(next_of(NULL), "192.0.2.8:8");
}

static void names_are_asked_at_once_one_at_a_time(void **state)
{
	(void)state;
	BEGIN_WITH("a.test:1", "192.0.2.1:2", "b.test:3");
	assert_true(endpoint_may_come(&endpoint));
	assert_int_equal(endpoint_deadline(&endpoint), BEGIN);
	assert_string_equal(next_of(NULL), "192.0.2.1:2");
	assert_int_equal(tick(BEGIN), 0);
	assert_int_equal(tick(BEGIN), -1);
	ANSWER(0, BEGIN + SEC, "198.51.100.1:1", "[2001:db8::1]:1");
	assert_true(endpoint_deadline(&endpoint) <= BEGIN + SEC);
	assert_int_equal(tick(BEGIN + SEC), 2);
	ANSWER(2, BEGIN + SEC, "198.51.100.3:3");
	assert_int_equal(tick(BEGIN + SEC), -1);
	assert_int_equal(endpoint_deadline(&endpoint), NSEC_NEVER);
	assert_string_equal(next_of(NULL), "198.51.100.1:1");
	WALK("198.51.100.1:1", "[2001:db8::1]:1", "192.0.2.1:2", "198.51.100.3:3");
}

static void name_without_answer_gives_nothing(void **state)
{
	(void)state;
	BEGIN_WITH("a.test:1");
	assert_true(endpoint_may_come(&endpoint));
	assert_string_equal(next_of(NULL), "(none)");
	assert_int_equal(tick(BEGIN), 0);
	ANSWER(0, BEGIN, "198.51.100.1:1");
	assert_string_equal(next_of(NULL), "198.51.100.1:1");
}

static void newer_answer_replaces_the_older(void **state)
{
	(void)state;
	BEGIN_WITH("a.test:1", "192.0.2.1:2");
	tick(BEGIN);
	ANSWER(0, BEGIN, "198.51.100.1:1", "198.51.100.2:1", "198.51.100.3:1");
	endpoint_refresh(&endpoint, BEGIN + 100 * SEC);
	assert_int_equal(tick(BEGIN + 100 * SEC), 0);
	/* Until the answer comes, what was known is good. */
	WALK("198.51.100.1:1", "198.51.100.2:1", "198.51.100.3:1", "192.0.2.1:2");
	ANSWER(0, BEGIN + 101 * SEC, "198.51.100.9:1");
	WALK("198.51.100.9:1", "192.0.2.1:2");
}

static void learned_address_is_the_last_of_the_circle(void **state)
{
	(void)state;
	BEGIN_WITH("192.0.2.1:1", "192.0.2.2:2");
	/* Behind where the peer was heard comes the first; later it has its turn. */
	assert_string_equal(next_of("203.0.113.5:5"), "192.0.2.1:1");
	WALK("192.0.2.1:1", "192.0.2.2:2", "203.0.113.5:5");
	/* Another takes its place. */
	assert_string_equal(next_of("203.0.113.6:6"), "192.0.2.1:1");
	WALK("192.0.2.1:1", "192.0.2.2:2", "203.0.113.6:6");
	/* The same address at another port is another. */
	assert_string_equal(next_of("192.0.2.1:9"), "192.0.2.1:1");
	WALK("192.0.2.1:1", "192.0.2.2:2", "192.0.2.1:9");
}

/* The peer moved, and then its name followed: the entries behind the name must still be tried. */
static void learned_address_that_becomes_a_candidate_does_not_cut_the_circle(void **state)
{
	(void)state;
	BEGIN_WITH("a.test:1", "192.0.2.2:2");
	tick(BEGIN);
	ANSWER(0, BEGIN, "198.51.100.1:1");
	assert_string_equal(next_of("198.51.100.9:1"), "198.51.100.1:1");
	endpoint_refresh(&endpoint, BEGIN + 100 * SEC);
	assert_int_equal(tick(BEGIN + 100 * SEC), 0);
	ANSWER(0, BEGIN + 101 * SEC, "198.51.100.9:1");
	WALK("198.51.100.9:1", "192.0.2.2:2");
	/* When the name moves on, it is a place of its own again. */
	endpoint_refresh(&endpoint, BEGIN + 200 * SEC);
	assert_int_equal(tick(BEGIN + 200 * SEC), 0);
	ANSWER(0, BEGIN + 200 * SEC, "198.51.100.1:1");
	WALK("198.51.100.1:1", "192.0.2.2:2", "198.51.100.9:1");
}

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
	while (now < BEGIN + 4 * 3600 * SEC) {
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

static void answers_for_nobody_are_ignored(void **state)
{
	const uint64_t ids[] = { 2, 3, CONF_ENDPOINTS_MAX, 1ULL << 32, UINT64_MAX };
	struct endpoint before;

	(void)state;
	BEGIN_WITH("a.test:1", "192.0.2.1:2");
	tick(BEGIN);
	before = endpoint;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct resolver_answer found = { .id = ids[i],
						 .n_addrs = 1,
						 .addrs = { addr_of("198.51.100.66:6") } };

		endpoint_answer(&endpoint, &found, &report, BEGIN);
		found.error = EAI_AGAIN;
		found.n_addrs = 0;
		endpoint_answer(&endpoint, &found, &report, BEGIN);
		assert_memory_equal(&endpoint, &before, sizeof(before));
	}
	assert_int_equal(n_said(""), 0);
}

static void all_addresses_of_a_name_fit_and_no_more(void **state)
{
	struct resolver_reply reply;
	struct resolver_answer found;
	char text[32];

	(void)state;
	BEGIN_WITH("a.test:1", "192.0.2.1:2");
	tick(BEGIN);
	memset(&reply, 0, sizeof(reply));
	reply.n_addrs = RESOLVER_ADDRS_MAX;
	for (unsigned int i = 0; i < RESOLVER_ADDRS_MAX; i++) {
		snprintf(text, sizeof(text), "198.51.100.%u:1", i + 1);
		reply.addrs[i] = addr_of(text);
	}
	assert_int_equal(read_answer(&reply, &found), 0);
	endpoint_answer(&endpoint, &found, &report, BEGIN);
	assert_string_equal(next_of("198.51.100.16:1"), "192.0.2.1:2");
	assert_string_equal(next_of("198.51.100.15:1"), "198.51.100.16:1");
	/* One more than there is room for never gets this far. */
	endpoint_refresh(&endpoint, BEGIN + 60 * SEC);
	assert_int_equal(tick(BEGIN + 60 * SEC), 0);
	reply.n_addrs = RESOLVER_ADDRS_MAX + 1;
	assert_int_equal(read_answer(&reply, &found), RESOLVER_GONE);
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

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(literals_are_a_circle_and_never_asked),
		WITH(one_literal_has_no_other),
		WITH(without_endpoint_there_is_only_what_is_learned),
		WITH(names_are_asked_at_once_one_at_a_time),
		WITH(name_without_answer_gives_nothing),
		WITH(newer_answer_replaces_the_older),
		WITH(learned_address_is_the_last_of_the_circle),
		WITH(learned_address_that_becomes_a_candidate_does_not_cut_the_circle),
		WITH(failures_are_asked_again_with_growing_pauses),
		WITH(failures_are_said_once_a_minute),
		WITH(refresh_waits_thirty_seconds),
		WITH(refresh_leaves_the_pause_of_a_failure),
		WITH(open_question_is_waited_for),
		WITH(deadline_is_never_a_busy_loop),
		WITH(slow_names_do_not_starve_the_others),
		WITH(answers_for_nobody_are_ignored),
		WITH(all_addresses_of_a_name_fit_and_no_more),
		WITH(lost_answer_is_made_good),
		WITH(dead_keeper_is_replaced),
		WITH(question_that_cannot_be_asked_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
