/* A lock and a bell; see mailbox.h. */
#include "daemon/core/mailbox.h"

#include "common/defs.h"

static void on_bell(struct ev_loop *loop, ev_async *bell, int events)
{
	struct mailbox *mailbox = container_of(bell, struct mailbox, bell);

	(void)loop;
	(void)events;
	mailbox->on_mail(mailbox->context);
}

void mailbox_init(struct mailbox *mailbox, struct ev_loop *loop, void (*on_mail)(void *),
		  void *context)
{
	pthread_mutex_init(&mailbox->lock, NULL);
	atomic_init(&mailbox->has_mail, false);
	mailbox->loop = loop;
	mailbox->on_mail = on_mail;
	mailbox->context = context;
	ev_async_init(&mailbox->bell, on_bell);
	ev_set_priority(&mailbox->bell, EV_MAXPRI);
	ev_async_start(loop, &mailbox->bell);
}

void mailbox_deinit(struct mailbox *mailbox)
{
	if (!mailbox->loop)
		return;
	ev_async_stop(mailbox->loop, &mailbox->bell);
	pthread_mutex_destroy(&mailbox->lock);
	mailbox->loop = NULL;
}

void mailbox_begin(struct mailbox *mailbox)
{
	pthread_mutex_lock(&mailbox->lock);
}

void mailbox_send(struct mailbox *mailbox)
{
	atomic_store_explicit(&mailbox->has_mail, true, memory_order_release);
	pthread_mutex_unlock(&mailbox->lock);
	ev_async_send(mailbox->loop, &mailbox->bell);
}

void mailbox_take(struct mailbox *mailbox)
{
	pthread_mutex_lock(&mailbox->lock);
	atomic_store_explicit(&mailbox->has_mail, false, memory_order_relaxed);
}

void mailbox_taken(struct mailbox *mailbox)
{
	pthread_mutex_unlock(&mailbox->lock);
}
