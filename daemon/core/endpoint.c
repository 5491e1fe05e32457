/* Where the peer may be; see endpoint.h. */
#include "daemon/core/endpoint.h"

#include <string.h>

/* Waiting times between questions after a failure: those of wg(8). */
#define BACKOFF_FIRST NSEC_PER_SEC
#define BACKOFF_MAX   (20 * NSEC_PER_SEC)
/* A name that did resolve is not asked again sooner than this. */
#define REFRESH_INTERVAL (30 * NSEC_PER_SEC)
/* Initiations to one address before the next candidate's turn: one may be lost. */
#define TRIES_PER_CANDIDATE 2

void endpoint_init(struct endpoint *endpoint, const struct conf_link *conf,
		   struct resolver *resolver, nsec_t now)
{
	*endpoint = (struct endpoint) {
		.specs = conf->endpoints,
		.n_specs = conf->n_endpoints,
		.resolver = resolver,
	};
	for (size_t i = 0; i < endpoint->n_specs; i++) {
		struct endpoint_name *name = &endpoint->names[i];

		name->backoff = BACKOFF_FIRST;
		name->ask_at = now;
		if (endpoint->specs[i].literal.sa.sa_family != AF_UNSPEC) {
			name->addrs[0] = endpoint->specs[i].literal;
			name->n_addrs = 1;
			name->ask_at = NSEC_NEVER;
		}
	}
}

void endpoint_change(struct endpoint *endpoint, const struct conf_link *conf, nsec_t now)
{
	uint64_t round = endpoint->round + 1;

	endpoint_init(endpoint, conf, endpoint->resolver, now);
	endpoint->round = round;
}

static bool is_name(const struct endpoint *endpoint, size_t i)
{
	return endpoint->specs[i].literal.sa.sa_family == AF_UNSPEC;
}

bool endpoint_may_come(const struct endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->n_specs; i++) {
		if (is_name(endpoint, i))
			return true;
	}
	return false;
}

/* The candidate of a running number from the file, or NULL behind the last. */
static const union netaddr *from_file(const struct endpoint *endpoint, size_t number)
{
	for (size_t i = 0; i < endpoint->n_specs; i++) {
		if (number < endpoint->names[i].n_addrs)
			return &endpoint->names[i].addrs[number];
		number -= endpoint->names[i].n_addrs;
	}
	return NULL;
}

/* The number of an address among the file's candidates; their count if it is none of them. */
static size_t find(const struct endpoint *endpoint, const union netaddr *address)
{
	const union netaddr *candidate;
	size_t number = 0;

	while ((candidate = from_file(endpoint, number)) && !netaddr_equal(candidate, address))
		number++;
	return number;
}

static size_t count(const struct endpoint *endpoint)
{
	size_t n = 0;

	for (size_t i = 0; i < endpoint->n_specs; i++)
		n += endpoint->names[i].n_addrs;
	return n;
}

bool endpoint_next(struct endpoint *endpoint, const union netaddr *current, union netaddr *ret)
{
	size_t n_file = count(endpoint), n = n_file, at = find(endpoint, current);

	/* A detour is no place where the peer was heard, though its name may stand for others now.
	 */
	if (at == n_file && current->sa.sa_family != AF_UNSPEC &&
	    !netaddr_equal(current, &endpoint->detour))
		endpoint->learned = *current;
	/* The learned address stands behind the file's, unless it has become one of them. */
	if (endpoint->learned.sa.sa_family != AF_UNSPEC &&
	    find(endpoint, &endpoint->learned) == n_file)
		n++;
	if (current->sa.sa_family == AF_UNSPEC)
		at = n - 1;
	for (size_t step = 1; step <= n; step++) {
		const union netaddr *next = from_file(endpoint, (at + step) % n);

		if (!next)
			next = &endpoint->learned;
		if (!netaddr_equal(next, current)) {
			*ret = *next;
			return true;
		}
	}
	return false;
}

const union netaddr *endpoint_target(const struct endpoint *endpoint, const union netaddr *remote)
{
	bool is_detour = endpoint->detour.sa.sa_family != AF_UNSPEC &&
			 netaddr_equal(&endpoint->detour_from, remote);

	return is_detour ? &endpoint->detour : remote;
}

bool endpoint_unanswered(struct endpoint *endpoint, const union netaddr *remote)
{
	const union netaddr *target = endpoint_target(endpoint, remote);

	if (target == remote)
		endpoint_rejoin(endpoint);
	if (!netaddr_equal(&endpoint->tried, target))
		endpoint->n_tries = 0;
	endpoint->tried = *target;
	endpoint->n_unanswered++;
	return ++endpoint->n_tries >= TRIES_PER_CANDIDATE;
}

void endpoint_detour(struct endpoint *endpoint, const union netaddr *candidate,
		     const union netaddr *remote)
{
	endpoint->detour = *candidate;
	endpoint->detour_from = *remote;
}

void endpoint_rejoin(struct endpoint *endpoint)
{
	endpoint->detour.sa.sa_family = AF_UNSPEC;
}

void endpoint_answered(struct endpoint *endpoint)
{
	endpoint->n_unanswered = 0;
	endpoint->n_tries = 0;
	endpoint_rejoin(endpoint);
}

void endpoint_refresh(struct endpoint *endpoint, nsec_t now)
{
	for (size_t i = 0; i < endpoint->n_specs; i++) {
		struct endpoint_name *name = &endpoint->names[i];

		if (is_name(endpoint, i) && name->ask_at == NSEC_NEVER)
			name->ask_at = MAX(now, name->asked_at + REFRESH_INTERVAL);
	}
}

/* The name that has waited longest for its question, so that slow ones do not starve the others. */
static size_t most_overdue(const struct endpoint *endpoint)
{
	size_t found = 0;

	for (size_t i = 1; i < endpoint->n_specs; i++) {
		if (endpoint->names[i].ask_at < endpoint->names[found].ask_at)
			found = i;
	}
	return found;
}

void endpoint_tick(struct endpoint *endpoint, nsec_t now)
{
	size_t i = most_overdue(endpoint);
	struct endpoint_name *name = &endpoint->names[i];
	int r;

	if (endpoint->n_specs == 0 || name->ask_at > now)
		return;
	r = resolver_ask(endpoint->resolver, endpoint->round * CONF_ENDPOINTS_MAX + i,
			 endpoint->specs[i].host, endpoint->specs[i].port, now);
	if (r == RESOLVER_BUSY)
		return;
	/* A lost answer, or a fork that failed, is made good by asking again. */
	name->asked_at = now;
	name->ask_at = now + (r < 0 ? BACKOFF_MAX : RESOLVER_LIMIT + BACKOFF_MAX);
}

nsec_t endpoint_deadline(const struct endpoint *endpoint)
{
	nsec_t earliest = NSEC_NEVER;

	for (size_t i = 0; i < endpoint->n_specs; i++)
		earliest = MIN(earliest, endpoint->names[i].ask_at);
	/* While a question is open, its answer comes first, or its end. */
	if (endpoint->resolver->is_asked)
		earliest = MAX(earliest, endpoint->resolver->give_up);
	return earliest;
}

void endpoint_answer(struct endpoint *endpoint, const struct resolver_answer *answer,
		     struct report *report, nsec_t now)
{
	size_t i = (size_t)(answer->id % CONF_ENDPOINTS_MAX);
	struct endpoint_name *name = &endpoint->names[i];

	if (answer->id / CONF_ENDPOINTS_MAX != endpoint->round || i >= endpoint->n_specs)
		return;
	if (answer->error) {
		troubles_say(&report->troubles, TROUBLE_NAME, now,
			     "cannot resolve the Endpoint %s: %s; asking again until it works",
			     endpoint->specs[i].host, resolver_error_text(answer->error));
		name->ask_at = now + name->backoff;
		name->backoff = MIN(name->backoff * 6 / 5, BACKOFF_MAX);
		return;
	}
	name->n_addrs = answer->n_addrs;
	memcpy(name->addrs, answer->addrs, answer->n_addrs * sizeof(name->addrs[0]));
	name->ask_at = NSEC_NEVER;
	name->backoff = BACKOFF_FIRST;
}
