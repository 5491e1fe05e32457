/* What cannot wait for control; see latest.h. */
#include "daemon/core/latest.h"

#include <string.h>

void latest_init(struct latest *latest)
{
	memset(latest, 0, sizeof(*latest));
	pthread_mutex_init(&latest->lock, NULL);
	latest->path.remote.sa.sa_family = AF_UNSPEC;
}

void latest_deinit(struct latest *latest)
{
	pthread_mutex_destroy(&latest->lock);
}

/* A new version, under the lock. */
static void publish(struct latest *latest)
{
	unsigned int version = atomic_load_explicit(&latest->version, memory_order_relaxed);

	atomic_store_explicit(&latest->version, version + 1, memory_order_release);
}

void latest_set_path(struct latest *latest, const struct udp_path *path)
{
	pthread_mutex_lock(&latest->lock);
	latest->path = *path;
	publish(latest);
	pthread_mutex_unlock(&latest->lock);
}

bool latest_learn_path(struct latest *latest, const struct udp_path *path, nsec_t when)
{
	bool is_news;

	pthread_mutex_lock(&latest->lock);
	is_news = when >= latest->learned_at;
	if (is_news) {
		latest->path = *path;
		latest->learned_at = when;
		publish(latest);
	}
	pthread_mutex_unlock(&latest->lock);
	return is_news;
}

void latest_forget_source(struct latest *latest, const union netaddr *remote)
{
	pthread_mutex_lock(&latest->lock);
	if (netaddr_equal(&latest->path.remote, remote)) {
		latest->path.has_source = false;
		latest->path.source_if = 0;
		publish(latest);
	}
	pthread_mutex_unlock(&latest->lock);
}

void latest_get_path(struct latest *latest, unsigned int *version, struct udp_path *path)
{
	if (atomic_load_explicit(&latest->version, memory_order_acquire) == *version)
		return;
	pthread_mutex_lock(&latest->lock);
	*path = latest->path;
	*version = atomic_load_explicit(&latest->version, memory_order_relaxed);
	pthread_mutex_unlock(&latest->lock);
}
