/* The page with the peer's address; see last_seen.h. */
#include "daemon/core/last_seen.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/host/service.h"

/* "peer-" and a digest of the peer's key and Endpoint entries. */
static void name_of(const struct conf_link *conf, char ret[static KEEP_NAME_MAX])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, crypto_generichash_BYTES_MIN);
	crypto_generichash_update(&state, conf->peer_key.bytes, sizeof(conf->peer_key.bytes));
	for (size_t i = 0; i < conf->n_endpoints; i++) {
		const struct endpoint_spec *spec = &conf->endpoints[i];

		crypto_generichash_update(&state, (const unsigned char *)spec->host,
					  strlen(spec->host) + 1);
		crypto_generichash_update(&state, (const unsigned char *)&spec->port,
					  sizeof(spec->port));
	}
	keep_name("peer", &state, ret);
}

static bool read_page(int fd, union netaddr *ret)
{
	if (pread(fd, ret, sizeof(*ret), 0) != (ssize_t)sizeof(*ret))
		return false;
	return ret->sa.sa_family == AF_INET || ret->sa.sa_family == AF_INET6;
}

bool last_seen_take(struct last_seen *seen, const struct conf_link *conf, union netaddr *ret)
{
	name_of(conf, seen->name);
	seen->fd = service_take(seen->name);
	if (seen->fd < 0 || !read_page(seen->fd, &seen->noted))
		return false;
	*ret = seen->noted;
	return true;
}

int last_seen_leave(struct last_seen *seen, const struct conf_link *conf)
{
	char name[KEEP_NAME_MAX];
	bool is_new = seen->fd < 0;

	if (!service_is_there())
		return 0;
	name_of(conf, name);
	if (is_new)
		seen->fd = memfd_create("peer", MFD_CLOEXEC);
	if (seen->fd < 0)
		return -errno;
	if (strcmp(name, seen->name) != 0 && !is_new)
		(void)service_unstore(seen->name);
	memcpy(seen->name, name, sizeof(name));
	/* What the manager has already it does not keep twice. */
	return service_store(seen->fd, name);
}

void last_seen_note(struct last_seen *seen, const union netaddr *remote)
{
	if (seen->fd < 0 || netaddr_equal(remote, &seen->noted))
		return;
	seen->noted = *remote;
	(void)!pwrite(seen->fd, remote, sizeof(*remote), 0);
}

void last_seen_close(struct last_seen *seen)
{
	if (seen->fd >= 0)
		close(seen->fd);
	seen->fd = -1;
}
