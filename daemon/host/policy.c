/* Marks, places and rules of full tunnels; see policy.h for how they work together. */
#include "daemon/host/policy.h"

#include <errno.h>
#include <linux/rtnetlink.h>

#include "conf/prefixes.h"

enum {
	/* The first link's place: in front of main (32766) and of what ip(8) puts there. */
	PLACE_FIRST = 32700,
	PLACE_STEP = 10,
	N_PLACES = 1000,
	N_RULES = 3,
	N_MARKS = 1024,
	TRIES = 16, /* as many links may start at the same time */
	MAIN_PRIORITY = 32766,
};

static const uint8_t families[] = { AF_INET, AF_INET6 };
#define N_FAMILIES ARRAY_SIZE(families)

/* What the rules of this host look like. */
struct survey {
	uint32_t wanted;              /* the mark that comes first, or 0 */
	bool is_wanted_used;          /* by any rule */
	bool is_wanted_ours;          /* by a rule of another link */
	bool used_marks[N_MARKS];     /* from POLICY_MARK_FIRST */
	bool used_places[N_PLACES];   /* from PLACE_FIRST downwards */
	uint32_t landing[N_FAMILIES]; /* where packets with our mark go on, 0: not found */
	const struct policy *except;  /* whose rules do not count as another link's */
	bool has_others;
};

bool policy_is_needed(const struct conf_link *conf)
{
	if (conf->table_kind != CONF_TABLE_AUTO || conf->namespace)
		return false;
	for (size_t i = 0; i < conf->allowed_ips.n; i++) {
		if (conf->allowed_ips.items[i].len == 0)
			return true;
	}
	return false;
}

static void note_number(struct survey *survey, uint32_t number, bool is_ours)
{
	if (number == 0)
		return;
	if (number == survey->wanted) {
		survey->is_wanted_used = true;
		survey->is_wanted_ours |= is_ours;
	}
	if (number >= POLICY_MARK_FIRST && number - POLICY_MARK_FIRST < N_MARKS)
		survey->used_marks[number - POLICY_MARK_FIRST] = true;
}

static void note_rule(const struct nl_rule *rule, void *context)
{
	struct survey *survey = context;
	bool is_ours = rule->protocol == POLICY_PROTOCOL;
	uint32_t *landing = &survey->landing[rule->family == AF_INET ? 0 : 1];

	note_number(survey, rule->mark, is_ours);
	note_number(survey, rule->table, is_ours);
	if (is_ours && rule->priority < PLACE_FIRST + N_RULES) {
		/* The three rules of a place round to the same number. */
		size_t place = (PLACE_FIRST + N_RULES - 1 - rule->priority) / PLACE_STEP;

		if (place < N_PLACES)
			survey->used_places[place] = true;
	}
	if (is_ours && (!survey->except || rule->priority < survey->except->priority ||
			rule->priority >= survey->except->priority + N_RULES))
		survey->has_others = true;
	/* Usually main; where rules were moved for VRFs, the local table comes late, too. */
	if (!is_ours && rule->priority > PLACE_FIRST + N_RULES && rule->suppress_len < 0 &&
	    (rule->table == RT_TABLE_MAIN || rule->table == RT_TABLE_LOCAL) &&
	    (*landing == 0 || rule->priority < *landing))
		*landing = rule->priority;
}

static int look_around(struct netlink *nl, struct survey *survey)
{
	int error = 0;

	for (size_t i = 0; i < N_FAMILIES && error == 0; i++)
		error = nl_rule_list(nl, families[i], note_rule, survey);
	return error;
}

/* Rule P of policy.h: past the rules of all links. */
static struct nl_rule bypass_rule(uint8_t family, const struct policy *policy, uint32_t landing)
{
	return (struct nl_rule) { .family = family,
				  .protocol = POLICY_PROTOCOL,
				  .priority = policy->priority,
				  .mark = policy->mark,
				  .target = landing != 0 ? landing : MAIN_PRIORITY,
				  .suppress_len = -1 };
}

/* Rule P+1: what main knows a specific route for. */
static struct nl_rule specific_rule(uint8_t family, const struct policy *policy)
{
	return (struct nl_rule) { .family = family,
				  .protocol = POLICY_PROTOCOL,
				  .priority = policy->priority + 1,
				  .table = RT_TABLE_MAIN,
				  .suppress_len = 0 };
}

/* Rule P+2: everything else. */
static struct nl_rule tunnel_rule(uint8_t family, const struct policy *policy)
{
	return (struct nl_rule) { .family = family,
				  .protocol = POLICY_PROTOCOL,
				  .is_not = true,
				  .priority = policy->priority + 2,
				  .mark = policy->mark,
				  .table = policy->mark,
				  .suppress_len = -1 };
}

/* Whether a number can be mark and table of a link: no rule and no route has it. */
static int is_free(struct netlink *nl, uint32_t number, bool *ret)
{
	bool is_used = false;
	int error = 0;

	if (number < RT_TABLE_DEFAULT || number > RT_TABLE_LOCAL)
		error = nl_route_table_used(nl, number, &is_used);
	else
		is_used = true; /* main, default, local: even while they are empty */
	*ret = !is_used;
	return error;
}

/* Without a FwMark: the number that comes first, or the next free one. */
static int choose_mark(struct netlink *nl, const struct survey *survey, uint32_t *ret)
{
	bool found = false;
	int error;

	if (survey->wanted != 0 && !survey->is_wanted_used) {
		*ret = survey->wanted;
		error = is_free(nl, *ret, &found);
		if (error < 0 || found)
			return error;
	}
	for (uint32_t i = 0; i < N_MARKS; i++) {
		if (survey->used_marks[i])
			continue;
		*ret = POLICY_MARK_FIRST + i;
		error = is_free(nl, *ret, &found);
		if (error < 0 || found)
			return error;
	}
	return POLICY_FULL;
}

/* In front of all others; when that is the very first place, anywhere. */
static int choose_place(const struct survey *survey, uint32_t *ret)
{
	size_t place = N_PLACES;

	while (place > 0 && !survey->used_places[place - 1])
		place--;
	if (place == N_PLACES) {
		place = 0;
		while (place < N_PLACES && survey->used_places[place])
			place++;
	}
	if (place == N_PLACES)
		return POLICY_FULL;
	*ret = PLACE_FIRST - (uint32_t)place * PLACE_STEP;
	return 0;
}

/* Makes rule P for both versions; -EEXIST: somebody was faster. */
static int make_bypass(struct netlink *nl, const struct survey *survey, const struct policy *policy)
{
	struct nl_rule rule = bypass_rule(AF_INET, policy, survey->landing[0]);
	int error = nl_rule_add(nl, &rule);

	if (error < 0)
		return error;
	rule = bypass_rule(AF_INET6, policy, survey->landing[1]);
	error = nl_rule_add(nl, &rule);
	if (error == 0 || error == -EEXIST || error == -EAFNOSUPPORT || error == -EOPNOTSUPP)
		return 0;
	(void)policy_remove(nl, policy);
	return error;
}

static int try_claim(struct netlink *nl, const struct conf_link *conf, struct policy *policy)
{
	struct survey survey = { .wanted = conf->fwmark ? conf->fwmark : conf->listen_port };
	int result = look_around(nl, &survey);

	if (result < 0)
		return result;
	policy->mark = conf->fwmark;
	if (conf->fwmark == 0)
		result = choose_mark(nl, &survey, &policy->mark);
	else if (survey.is_wanted_ours)
		result = POLICY_TAKEN;
	if (result == 0)
		result = choose_place(&survey, &policy->priority);
	return result != 0 ? result : make_bypass(nl, &survey, policy);
}

int policy_claim(struct netlink *nl, const struct conf_link *conf, struct policy *policy)
{
	struct policy claim = *policy;
	int result = -EEXIST;

	if (claim.mark != 0 && (conf->fwmark == 0 || conf->fwmark == claim.mark)) {
		struct survey survey = { .wanted = claim.mark };

		result = look_around(nl, &survey);
		if (result == 0)
			result = make_bypass(nl, &survey, &claim);
		/* It is there: that is what the link owned before. */
		return result == -EEXIST ? 0 : result;
	}
	for (int i = 0; i < TRIES && result == -EEXIST; i++)
		result = try_claim(nl, conf, &claim);
	if (result == 0)
		*policy = claim;
	return result == -EEXIST ? POLICY_FULL : result;
}

static int remove_rule(struct netlink *nl, const struct nl_rule *rule)
{
	int error = nl_rule_del(nl, rule);

	return error == -ENOENT || error == -EAFNOSUPPORT || error == -EOPNOTSUPP ? 0 : error;
}

static int remove_family(struct netlink *nl, uint8_t family, const struct policy *policy)
{
	/* The one that leads into the tunnel first: nothing is lost on the way. */
	const struct nl_rule rules[] = { tunnel_rule(family, policy),
					 specific_rule(family, policy) };
	int result = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		int error = remove_rule(nl, &rules[i]);

		if (result == 0)
			result = error;
	}
	return result;
}

static int apply_family(struct netlink *nl, unsigned int ifindex, uint8_t family,
			const struct policy *policy, struct nl_route_failure *failure)
{
	const struct nl_rule rules[] = { specific_rule(family, policy),
					 tunnel_rule(family, policy) };
	struct prefix everything = { .family = family, .len = 0 };
	int result = nl_route_add(nl, ifindex, policy->mark, &everything, 1, failure);

	for (size_t i = 0; i < ARRAY_SIZE(rules) && result == 0; i++) {
		result = nl_rule_add(nl, &rules[i]);
		if (result == -EEXIST)
			result = 0;
	}
	return result;
}

int policy_apply(struct netlink *nl, const struct conf_link *conf, unsigned int ifindex,
		 const struct policy *policy, struct nl_route_failure *failure)
{
	int result = 0;

	*failure = (struct nl_route_failure) { .ifindex = 0 };
	for (size_t i = 0; i < N_FAMILIES && result == 0; i++) {
		const struct prefix everything = { .family = families[i], .len = 0 };

		if (prefixes_has_default(&conf->allowed_ips, families[i])) {
			result = apply_family(nl, ifindex, families[i], policy, failure);
			continue;
		}
		result = remove_family(nl, families[i], policy);
		if (result == 0)
			result = nl_route_del(nl, ifindex, policy->mark, &everything, 1);
		if (result == -EAFNOSUPPORT || result == -EOPNOTSUPP)
			result = 0;
	}
	return result;
}

int policy_remove(struct netlink *nl, const struct policy *policy)
{
	int result = 0;

	if (policy->mark == 0)
		return 0;
	for (size_t i = 0; i < N_FAMILIES; i++) {
		struct nl_rule bypass = bypass_rule(families[i], policy, 0);
		int error = remove_family(nl, families[i], policy);

		if (result == 0)
			result = error;
		error = remove_rule(nl, &bypass);
		if (result == 0)
			result = error;
	}
	return result;
}

int policy_has_others(struct netlink *nl, const struct policy *policy, bool *ret)
{
	struct survey survey = { .except = policy };
	int error = look_around(nl, &survey);

	if (error == 0)
		*ret = survey.has_others;
	return error;
}
