/*
 * Tests of daemon/cli/doctor_ruleset.c, with documents as `nft -j list ruleset` prints them, put
 * together from parts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "daemon/cli/doctor_ruleset.h"

#define CHAIN(hook, policy)                                                                        \
	"{\"chain\":{\"family\":\"inet\",\"table\":\"f\",\"name\":\"" hook                         \
	"\",\"type\":\"filter\",\"hook\":\"" hook "\",\"prio\":0,\"policy\":\"" policy "\"}}"
#define PLAIN_CHAIN "{\"chain\":{\"family\":\"inet\",\"table\":\"f\",\"name\":\"more\"}}"
#define RULE(chain, expressions)                                                                   \
	"{\"rule\":{\"family\":\"inet\",\"table\":\"f\",\"chain\":\"" chain                        \
	"\",\"expr\":[" expressions "]}}"
#define MATCH(op, left, right)                                                                     \
	"{\"match\":{\"op\":\"" op "\",\"left\":" left ",\"right\":" right "}}"
#define DPORT(op, right)                                                                           \
	MATCH(op, "{\"payload\":{\"protocol\":\"udp\",\"field\":\"dport\"}}", right)
#define IIF     MATCH("==", "{\"meta\":{\"key\":\"iifname\"}}", "\"eth0\"")
#define L4UDP   MATCH("==", "{\"meta\":{\"key\":\"l4proto\"}}", "\"udp\"")
#define DROP    "{\"drop\":null}"
#define ACCEPT  "{\"accept\":null}"
#define REJECT  "{\"reject\":{\"type\":\"icmp\"}}"
#define COUNTER "{\"counter\":{\"packets\":0,\"bytes\":0}}"
#define JUMP    "{\"jump\":{\"target\":\"more\"}}"
#define XT      "{\"xt\":{\"type\":\"match\",\"name\":\"udp\"}}"
#define SET                                                                                        \
	"{\"set\":{\"family\":\"inet\",\"table\":\"f\",\"name\":\"ports\",\"elem\":[53,"           \
	"{\"elem\":{\"val\":51820,\"timeout\":5}}]}}"

static char place[RULESET_PLACE_MAX];

static enum ruleset_answer judged(const char *items, const char *hook)
{
	char document[8192];
	enum ruleset_answer answer;
	json_t *json;

	snprintf(document, sizeof(document), "{\"nftables\":[%s]}", items);
	json = json_loads(document, 0, NULL);
	assert_non_null(json);
	answer = ruleset_judge(json, hook, 51820, place);
	json_decref(json);
	return answer;
}

static const struct {
	enum ruleset_answer wanted;
	const char *items;
} cases[] = {
	{ RULESET_OPEN, "" },
	{ RULESET_OPEN, CHAIN("input", "accept") },
	{ RULESET_CLOSED, CHAIN("input", "drop") },
	{ RULESET_CLOSED, CHAIN("prerouting", "drop") },
	{ RULESET_OPEN, CHAIN("forward", "drop") },
	{ RULESET_OPEN, CHAIN("output", "drop") },
	{ RULESET_DROPPED,
	  CHAIN("input", "accept") "," RULE("input", DPORT("==", "51820") "," DROP) },
	{ RULESET_DROPPED,
	  CHAIN("input", "accept") "," RULE("input", L4UDP "," DPORT("==", "51820") "," REJECT) },
	{ RULESET_OPEN, CHAIN("input", "accept") "," RULE("input", DPORT("==", "51821") "," DROP) },
	{ RULESET_DROPPED,
	  CHAIN("input", "accept") "," RULE("input", DPORT("!=", "51821") "," DROP) },
	{ RULESET_OPEN, CHAIN("input", "accept") "," RULE("input", DPORT("!=", "51820") "," DROP) },
	{ RULESET_SOMETIMES,
	  CHAIN("input", "accept") "," RULE("input", IIF "," DPORT("==", "51820") "," DROP) },
	{ RULESET_OPEN,
	  CHAIN("input", "drop") "," RULE("input", DPORT("==", "51820") "," COUNTER "," ACCEPT) },
	{ RULESET_OPEN,
	  CHAIN("input", "drop") "," RULE("input", IIF "," DPORT("==", "51820") "," ACCEPT) },
	/* The first that decides counts. */
	{ RULESET_OPEN,
	  CHAIN("input", "drop") "," RULE("input", DPORT("==", "51820") "," ACCEPT) "," RULE(
		  "input", DPORT("==", "51820") "," DROP) },
	{ RULESET_OPEN,
	  CHAIN("input", "drop") "," RULE(
		  "input", DPORT("==", "{\"set\":[22,{\"range\":[51800,51830]}]}") "," ACCEPT) },
	{ RULESET_CLOSED,
	  CHAIN("input", "drop") "," RULE(
		  "input", DPORT("==", "{\"set\":[22,{\"range\":[1,51819]}]}") "," ACCEPT) },
	{ RULESET_OPEN,
	  SET "," CHAIN("input", "drop") "," RULE("input", DPORT("==", "\"@ports\"") "," ACCEPT) },
	{ RULESET_CLOSED,
	  SET "," CHAIN("input", "drop") "," RULE("input", DPORT("==", "\"@others\"") "," ACCEPT) },
	/* What other packets may do. */
	{ RULESET_CLOSED, CHAIN("input", "drop") "," RULE("input", IIF "," ACCEPT) },
	{ RULESET_OPEN, CHAIN("input", "drop") "," RULE("input", ACCEPT) },
	/* "Everything else" as a rule. */
	{ RULESET_CLOSED, CHAIN("input", "accept") "," RULE("input", COUNTER "," DROP) },
	/* Chains that may be jumped to, and another hook's. */
	{ RULESET_OPEN, CHAIN("input", "drop") "," PLAIN_CHAIN "," RULE("input", JUMP) "," RULE(
				"more", DPORT("==", "51820") "," ACCEPT) },
	{ RULESET_SOMETIMES,
	  CHAIN("input", "accept") "," PLAIN_CHAIN "," RULE("input", JUMP) "," RULE(
		  "more", DPORT("==", "51820") "," DROP) },
	{ RULESET_OPEN, CHAIN("input", "accept") "," CHAIN("forward", "accept") "," RULE(
				"forward", DPORT("==", "51820") "," DROP) },
	/* Of what is not understood nothing is known. */
	{ RULESET_OPAQUE, CHAIN("input", "drop") "," RULE("input", XT "," COUNTER) },
	{ RULESET_OPEN, CHAIN("input", "accept") "," RULE("input", XT "," COUNTER) },
	/* Nonsense. */
	{ RULESET_OPEN, "{},[],7,{\"chain\":7},{\"rule\":{}},{\"chain\":{}}" },
	{ RULESET_CLOSED, CHAIN("input", "drop") ",{\"rule\":{\"family\":\"inet\",\"table\":"
						 "\"f\",\"chain\":\"input\",\"expr\":7}}" },
};

static void each_ruleset_is_judged(void **state)
{

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum ruleset_answer answer = judged(cases[i].items, "input");

		if (answer != cases[i].wanted)
			print_message("case %zu\n", i);
		assert_int_equal(answer, cases[i].wanted);
		assert_true((answer == RULESET_OPEN) == (place[0] == '\0'));
	}
}

static void the_place_is_named(void **state)
{
	(void)state;
	assert_int_equal(judged(CHAIN("output", "drop") "," CHAIN("input", "accept"), "output"),
			 RULESET_CLOSED);
	assert_string_equal(place, "table inet f, chain output");
}

static void no_document_is_open(void **state)
{
	(void)state;
	assert_int_equal(ruleset_judge(NULL, "input", 51820, place), RULESET_OPEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_ruleset_is_judged),
		cmocka_unit_test(the_place_is_named),
		cmocka_unit_test(no_document_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
