/* Tests of daemon/core/endpoint.c: which addresses there are, and which comes next. */
#include "tests/unit/endpoint_desk.h"

#include <netdb.h>

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
	/* In the middle, it does not lead back to itself either. */
	endpoint_refresh(&endpoint, BEGIN + 300 * SEC);
	assert_int_equal(tick(BEGIN + 300 * SEC), 0);
	ANSWER(0, BEGIN + 300 * SEC, "198.51.100.1:1", "198.51.100.9:1");
	WALK("198.51.100.1:1", "198.51.100.9:1", "192.0.2.2:2");
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

/* As the link does it: an initiation to the target was not answered; with a key, data stays. */
static void fail_at(union netaddr *data, bool has_key, const char *target)
{
	union netaddr at = *endpoint_target(&endpoint, data), next;
	char text[NETADDR_TEXT_MAX];

	assert_string_equal(netaddr_format(&at, text), target);
	if (!endpoint_unanswered(&endpoint, data) || !endpoint_next(&endpoint, &at, &next))
		return;
	if (has_key) {
		endpoint_detour(&endpoint, &next, data);
	} else {
		endpoint_rejoin(&endpoint);
		*data = next;
	}
}

/* Also the first after an address that had more tries than one, and also around the circle. */
static void each_candidate_gets_two_tries(void **state)
{
	static const char *const order[] = { "192.0.2.1:1", "192.0.2.2:2", "192.0.2.3:3" };

	(void)state;
	for (unsigned int has_key = 0; has_key < 2; has_key++) {
		union netaddr data = addr_of("192.0.2.1:1");

		BEGIN_WITH("192.0.2.1:1", "192.0.2.2:2", "192.0.2.3:3");
		for (unsigned int i = 0; i < 12; i++)
			fail_at(&data, has_key, order[i / 2 % 3]);
		assert_int_equal(endpoint.n_unanswered, 12);
		assert_true(!has_key || netaddr_equal(&data, &specs[0].literal));
	}
}

static void data_stays_where_the_peer_was_heard_from(void **state)
{
	const union netaddr moved = addr_of("198.51.100.9:9"), on = addr_of("198.51.100.10:10");
	union netaddr data = moved;

	(void)state;
	BEGIN_WITH("192.0.2.1:1");
	fail_at(&data, true, "198.51.100.9:9");
	fail_at(&data, true, "198.51.100.9:9");
	fail_at(&data, true, "192.0.2.1:1");
	fail_at(&data, true, "192.0.2.1:1");
	fail_at(&data, true, "198.51.100.9:9");
	assert_true(netaddr_equal(&data, &moved));
	/* The peer moves on while its address is looked for: it has two tries there. */
	fail_at(&data, true, "198.51.100.9:9");
	fail_at(&data, true, "192.0.2.1:1");
	data = on;
	fail_at(&data, true, "198.51.100.10:10");
	fail_at(&data, true, "198.51.100.10:10");
	fail_at(&data, true, "192.0.2.1:1");
	/* The key is too old now. */
	fail_at(&data, false, "192.0.2.1:1");
	assert_true(netaddr_equal(&data, &on));
	for (unsigned int i = 0; i < 8; i++)
		fail_at(&data, false, i & 2 ? "192.0.2.1:1" : "198.51.100.10:10");
}

/* A way back to where an earlier detour began does not bring it up again. */
static void a_detour_ends_when_the_peer_moves(void **state)
{
	union netaddr data = addr_of("198.51.100.9:9");

	(void)state;
	BEGIN_WITH("192.0.2.1:1");
	fail_at(&data, true, "198.51.100.9:9");
	fail_at(&data, true, "198.51.100.9:9");
	fail_at(&data, true, "192.0.2.1:1");
	data = addr_of("198.51.100.10:10");
	fail_at(&data, true, "198.51.100.10:10");
	data = addr_of("198.51.100.9:9");
	fail_at(&data, true, "198.51.100.9:9");
}

/* The name stands for another address meanwhile: the old one is nowhere any more, and where the
 * peer was heard from is not forgotten for it. */
static void a_detour_is_not_learned(void **state)
{
	union netaddr data = addr_of("198.51.100.9:9");

	(void)state;
	BEGIN_WITH("192.0.2.1:1");
	for (unsigned int i = 0; i < 3; i++)
		fail_at(&data, true, i < 2 ? "198.51.100.9:9" : "192.0.2.1:1");
	endpoint.names[0].addrs[0] = addr_of("192.0.2.2:1");
	fail_at(&data, true, "192.0.2.1:1");
	assert_true(netaddr_equal(&endpoint.learned, &data));
}

static void a_session_ends_the_search(void **state)
{
	union netaddr data = addr_of("198.51.100.9:9");

	(void)state;
	BEGIN_WITH("192.0.2.1:1");
	for (unsigned int i = 0; i < 3; i++)
		fail_at(&data, true, i < 2 ? "198.51.100.9:9" : "192.0.2.1:1");
	endpoint_answered(&endpoint);
	assert_int_equal(endpoint.n_unanswered, 0);
	fail_at(&data, true, "198.51.100.9:9");
	fail_at(&data, true, "198.51.100.9:9");
	fail_at(&data, true, "192.0.2.1:1");
}

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
		WITH(answers_for_nobody_are_ignored),
		WITH(all_addresses_of_a_name_fit_and_no_more),
		WITH(each_candidate_gets_two_tries),
		WITH(data_stays_where_the_peer_was_heard_from),
		WITH(a_session_ends_the_search),
		WITH(a_detour_ends_when_the_peer_moves),
		WITH(a_detour_is_not_learned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
