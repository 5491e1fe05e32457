/* Exchanging what others use; see exchange.h. */
#include "daemon/core/exchange.h"

#include <errno.h>
#include <stdlib.h>

#include "common/defs.h"

struct exchange_old {
	struct exchange_old *next;
	uint64_t number; /* of the exchange that replaced it */
	struct allowedips *allowed;
};

int exchange_make_allowed(const struct prefix *prefixes, size_t n, struct allowedips **ret)
{
	struct allowedips *allowed = calloc(1, sizeof(*allowed));

	*ret = NULL;
	if (!allowed)
		return -ENOMEM;
	if (allowedips_init(allowed, prefixes, n) < 0) {
		free(allowed);
		return -ENOMEM;
	}
	*ret = allowed;
	return 0;
}

void exchange_free_allowed(struct allowedips *allowed)
{
	if (allowed)
		allowedips_deinit(allowed);
	free(allowed);
}

int exchange_keep(struct exchange *exchange, struct allowedips *allowed)
{
	struct exchange_old *old = calloc(1, sizeof(*old));

	if (!old)
		return -ENOMEM;
	old->allowed = allowed;
	old->number = ++exchange->n_exchanges;
	old->next = exchange->olds;
	exchange->olds = old;
	return 0;
}

/* Frees what all exchanges up to `number` have replaced. */
static void free_up_to(struct exchange *exchange, uint64_t number)
{
	struct exchange_old **at = &exchange->olds;
	struct exchange_old *old;

	while ((old = *at)) {
		if (old->number > number) {
			at = &old->next;
			continue;
		}
		*at = old->next;
		exchange_free_allowed(old->allowed);
		free(old);
	}
}

void exchange_answered(struct exchange *exchange, enum exchange_loop loop, uint64_t n_exchanges)
{
	if (n_exchanges <= exchange->answered[loop])
		return;
	exchange->answered[loop] = n_exchanges;
	free_up_to(exchange, MIN(exchange->answered[EXCHANGE_TX], exchange->answered[EXCHANGE_RX]));
}

void exchange_end(struct exchange *exchange)
{
	free_up_to(exchange, UINT64_MAX);
}
