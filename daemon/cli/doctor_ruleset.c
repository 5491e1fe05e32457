/* What a packet filter does to a UDP port; see doctor_ruleset.h. */
#include "daemon/cli/doctor_ruleset.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What one rule has to say about the port. */
struct rule {
	bool names_port; /* matches on it, */
	bool excludes;   /* or on others only */
	bool is_opaque;  /* has parts that are not understood */
	size_t n_others; /* matches on other things */
	bool accepts;
	bool drops;
};

static const json_t *at(const json_t *json, const char *name, const char *inner)
{
	return json_object_get(json_object_get(json, name), inner);
}

static bool is_text(const json_t *json, const char *name, const char *wanted)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text && strcmp(text, wanted) == 0;
}

static bool is_same(const json_t *a, const json_t *b, const char *name)
{
	const char *text = json_string_value(json_object_get(b, name));

	return text && is_text(a, name, text);
}

static bool has_port(const json_t *value, uint16_t port);

/* A number, a range, or an element with a timeout or a comment. */
static bool is_port(const json_t *value, uint16_t port)
{
	const json_t *range = json_object_get(value, "range");

	if (json_is_integer(value))
		return json_integer_value(value) == port;
	if (json_array_size(range) == 2)
		return port >= json_integer_value(json_array_get(range, 0)) &&
		       port <= json_integer_value(json_array_get(range, 1));
	return at(value, "elem", "val") && has_port(at(value, "elem", "val"), port);
}

/* The same, or an anonymous set of them. */
static bool has_port(const json_t *value, uint16_t port)
{
	const json_t *list = json_is_array(value) ? value : json_object_get(value, "set");

	if (!list)
		return is_port(value, port);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		if (is_port(item, port))
			return true;
	}
	return false;
}

/* "@ports": a set of the rule's table. */
static const json_t *named_set(const json_t *ruleset, const json_t *rule, const char *name)
{

	for (size_t i = 0; i < json_array_size(ruleset); i++) {
		const json_t *item = json_array_get(ruleset, i);
		const json_t *set = json_object_get(item, "set");

		if (is_text(set, "name", name) && is_same(set, rule, "table") &&
		    is_same(set, rule, "family"))
			return json_object_get(set, "elem");
	}
	return NULL;
}

static bool is_port_field(const json_t *match)
{
	const json_t *payload = at(match, "left", "payload");

	return is_text(payload, "field", "dport") &&
	       (is_text(payload, "protocol", "udp") || is_text(payload, "protocol", "th"));
}

/* "meta l4proto udp" and the like say what is known anyway. */
static bool is_udp(const json_t *match)
{
	const json_t *right = json_object_get(match, "right");
	const json_t *left = json_object_get(match, "left");
	bool is_protocol = is_text(json_object_get(left, "meta"), "key", "l4proto") ||
			   is_text(json_object_get(left, "payload"), "field", "protocol") ||
			   is_text(json_object_get(left, "payload"), "field", "nexthdr");

	return is_protocol && json_is_string(right) && strcmp(json_string_value(right), "udp") == 0;
}

static void read_match(const json_t *ruleset, const json_t *rule, const json_t *match,
		       uint16_t port, struct rule *ret)
{
	const json_t *right = json_object_get(match, "right");
	const char *name = json_string_value(right);
	bool has;

	if (is_udp(match))
		return;
	if (!is_port_field(match)) {
		ret->n_others++;
		return;
	}
	if (name && name[0] == '@')
		right = named_set(ruleset, rule, name + 1);
	has = has_port(right, port);
	if (is_text(match, "op", "!="))
		has = !has;
	ret->names_port = ret->names_port || has;
	ret->excludes = ret->excludes || !has;
}

static struct rule read_rule(const json_t *ruleset, const json_t *rule, uint16_t port)
{
	static const char *const harmless[] = { "counter", "log", "limit", "comment", "notrack" };
	const json_t *expressions = json_object_get(rule, "expr");
	struct rule result = { 0 };

	for (size_t i = 0; i < json_array_size(expressions); i++) {
		json_t *expression = json_array_get(expressions, i);
		const char *kind = json_object_iter_key(json_object_iter(expression));
		bool is_known = false;

		if (!kind)
			continue;
		if (strcmp(kind, "match") == 0) {
			read_match(ruleset, rule, json_object_get(expression, kind), port, &result);
			continue;
		}
		for (size_t j = 0; j < sizeof(harmless) / sizeof(harmless[0]); j++)
			is_known = is_known || strcmp(kind, harmless[j]) == 0;
		/* A limit lets some of them pass. */
		if (strcmp(kind, "limit") == 0)
			result.n_others++;
		result.accepts = result.accepts || strcmp(kind, "accept") == 0;
		result.drops =
			result.drops || strcmp(kind, "drop") == 0 || strcmp(kind, "reject") == 0;
		if (!is_known && !result.accepts && !result.drops)
			result.is_opaque = true;
	}
	return result;
}

/* Whether a rule stands in a chain with a hook of its own. */
static bool is_hooked(const json_t *ruleset, const json_t *rule)
{

	for (size_t i = 0; i < json_array_size(ruleset); i++) {
		const json_t *item = json_array_get(ruleset, i);
		const json_t *chain = json_object_get(item, "chain");
		const char *name = json_string_value(json_object_get(chain, "name"));

		if (name && is_text(rule, "chain", name) && is_same(chain, rule, "table") &&
		    is_same(chain, rule, "family"))
			return json_object_get(chain, "hook") != NULL;
	}
	return false;
}

/* Judges one base chain by its rules, and by those of chains that it may jump to, in their order.
 */
static enum ruleset_answer judge_chain(const json_t *ruleset, const json_t *chain, uint16_t port)
{
	enum ruleset_answer worst = RULESET_OPEN;
	bool drops_rest = is_text(chain, "policy", "drop"), is_opaque = false;

	for (size_t i = 0; i < json_array_size(ruleset); i++) {
		const json_t *item = json_array_get(ruleset, i);
		const json_t *json = json_object_get(item, "rule");
		const char *name = json_string_value(json_object_get(chain, "name"));
		bool is_here = json && name && is_text(json, "chain", name);
		struct rule rule;

		if (!json || !is_same(json, chain, "table") || !is_same(json, chain, "family") ||
		    (!is_here && is_hooked(ruleset, json)))
			continue;
		rule = read_rule(ruleset, json, port);
		/* Which packets get there is not known. */
		if (!is_here)
			rule.n_others++;
		if (rule.excludes)
			continue;
		is_opaque = is_opaque || rule.is_opaque;
		if (rule.names_port && rule.accepts)
			return worst;
		if (rule.names_port && rule.drops && rule.n_others == 0 && !rule.is_opaque)
			return RULESET_DROPPED;
		if (rule.names_port && rule.drops)
			worst = RULESET_SOMETIMES;
		/* "Everything else", at the end of a chain. */
		if (!rule.names_port && rule.drops && rule.n_others == 0 && !rule.is_opaque &&
		    is_here)
			drops_rest = true;
		if (!rule.names_port && rule.accepts && rule.n_others == 0 && !rule.is_opaque)
			return worst;
	}
	if (worst == RULESET_OPEN && drops_rest)
		worst = is_opaque ? RULESET_OPAQUE : RULESET_CLOSED;
	return worst;
}

static bool is_on_hook(const json_t *chain, const char *hook)
{
	bool is_input = strcmp(hook, "input") == 0;

	return is_text(chain, "hook", hook) || (is_input && (is_text(chain, "hook", "prerouting") ||
							     is_text(chain, "hook", "ingress")));
}

enum ruleset_answer ruleset_judge(const json_t *ruleset, const char *hook, uint16_t port,
				  char place[static RULESET_PLACE_MAX])
{
	const json_t *items = json_object_get(ruleset, "nftables");
	enum ruleset_answer worst = RULESET_OPEN;

	place[0] = '\0';
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		const json_t *chain = json_object_get(item, "chain");
		enum ruleset_answer answer;

		if (!chain || !is_text(chain, "type", "filter") || !is_on_hook(chain, hook))
			continue;
		answer = judge_chain(items, chain, port);
		if (answer <= worst)
			continue;
		worst = answer;
		snprintf(place, RULESET_PLACE_MAX, "table %s %s, chain %s",
			 json_string_value(json_object_get(chain, "family")),
			 json_string_value(json_object_get(chain, "table")),
			 json_string_value(json_object_get(chain, "name")));
	}
	return worst;
}
