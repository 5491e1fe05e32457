/* Where the peer may be; see endpoint.h. */
#include "daemon/core/endpoint.h"

#include <string.h>

/* Waiting times between questions after a failure: those of wg(8). */
#define BACKOFF_FIRST NSEC_PER_SEC
#define BACKOFF_MAX   (20 * NSEC_PER_SEC)
/* A name that did resolve is not asked again sooner than this. */
#define REFRESH_INTERVAL (30 * NSEC_PER_SEC)

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

/* The candidate of a running number, or NULL behind the last. */
static const union netaddr *candidate(const struct endpoint *endpoint, size_t number)
{
	for (size_t i = 0; i < endpoint->n_specs; i++) {
		if (number < endpoint->names[i].n_addrs)
			return &endpoint->names[i].addrs[number];
		number -= endpoint->names[i].n_addrs;
	}
	return number == 0 && endpoint->learned.sa.sa_family != AF_UNSPEC ? &endpoint->learned
									  : NULL;
}

bool endpoint_next(struct endpoint *endpoint, const union netaddr *current, union netaddr *ret)
{
	bool has_current = current->sa.sa_family != AF_UNSPEC;
	const union netaddr *found;
	size_t number = 0;

	if (has_current) {
		while ((found = candidate(endpoint, number)) && !netaddr_equal(found, current))
			number++;
		if (found)
			number++;
		else
			endpoint->learned = *current;
	}
	/* Behind an address that was learned, and behind the last, comes the first. */
	if (!has_current || netaddr_equal(&endpoint->learned, current) ||
	    !candidate(endpoint, number))
		number = 0;
	found = candidate(endpoint, number);
	if (!found)
		return false;
	*ret = *found;
	return true;
}

void endpoint_refresh(struct endpoint *endpoint, nsec_t now)
{
	for (size_t i = 0; i < endpoint->n_specs; i++) {
		struct endpoint_name *name = &endpoint->names[i];

		if (is_name(endpoint, i) && name->ask_at == NSEC_NEVER)
			name->ask_at = MAX(now, name->asked_at + REFRESH_INTERVAL);
	}
}

int endpoint_tick(struct endpoint *endpoint, nsec_t now)
{
	for (size_t i = 0; i < endpoint->n_specs; i++) {
		struct endpoint_name *name = &endpoint->names[i];
		int r;

		if (name->ask_at > now)
			continue;
		r = resolver_ask(endpoint->resolver, i, endpoint->specs[i].host,
				 endpoint->specs[i].port, now);
		if (r == RESOLVER_BUSY)
			return 0;
		/* A lost answer, or a fork that failed, is made good by asking again. */
		name->asked_at = now;
		name->ask_at = now + (r < 0 ? BACKOFF_MAX : RESOLVER_LIMIT + BACKOFF_MAX);
		return r == RESOLVER_NEW_FD ? r : 0;
	}
	return 0;
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
	struct endpoint_name *name;

	if (answer->id >= endpoint->n_specs)
		return;
	name = &endpoint->names[answer->id];
	if (answer->error) {
		report_trouble(report, REPORT_NAME, now,
			       "cannot resolve the Endpoint %s: %s; asking again until it works",
			       endpoint->specs[answer->id].host,
			       resolver_error_text(answer->error));
		name->ask_at = now + name->backoff;
		name->backoff = MIN(name->backoff * 6 / 5, BACKOFF_MAX);
		return;
	}
	name->n_addrs = answer->n_addrs;
	memcpy(name->addrs, answer->addrs, answer->n_addrs * sizeof(name->addrs[0]));
	name->ask_at = NSEC_NEVER;
	name->backoff = BACKOFF_FIRST;
}
