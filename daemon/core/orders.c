/* From control to the data loops; see orders.h. */
#include "daemon/core/orders.h"

#include <errno.h>

#include "common/secret.h"

int orders_init(struct orders *orders, struct ev_loop *loop, void (*on_mail)(void *), void *context)
{
	orders->keypairs = secret_alloc(sizeof(*orders->keypairs));
	if (!orders->keypairs)
		return -ENOMEM;
	mailbox_init(&orders->box, loop, on_mail, context);
	return 0;
}

void orders_deinit(struct orders *orders)
{
	mailbox_deinit(&orders->box);
	secret_free(orders->keypairs);
	orders->keypairs = NULL;
}

void orders_give(struct orders *orders, const struct order_state *state,
		 const struct keypairs *keypairs, unsigned int todo)
{
	struct keypairs told;

	mailbox_begin(&orders->box);
	if (state) {
		orders->state = *state;
		orders->has_state = true;
	}
	if (keypairs) {
		/* Keys that were told and not taken yet are only here. */
		keypairs_copy(&told, keypairs);
		keypairs_follow(orders->keypairs, &told);
		orders->has_keypairs = true;
	}
	orders->todo |= todo;
	mailbox_send(&orders->box);
}

unsigned int orders_take(struct orders *orders, struct order_state *state,
			 struct keypairs *keypairs)
{
	struct keypairs told;
	unsigned int todo;

	mailbox_take(&orders->box);
	if (orders->has_state)
		*state = orders->state;
	orders->has_state = false;
	if (orders->has_keypairs) {
		keypairs_copy(&told, orders->keypairs);
		keypairs_follow(keypairs, &told);
		keypairs_wipe_send_keys(orders->keypairs);
		keypairs_wipe_receive_keys(orders->keypairs);
	}
	orders->has_keypairs = false;
	todo = orders->todo;
	orders->todo = 0;
	mailbox_taken(&orders->box);
	return todo;
}
