/* Descriptors for the next process; see keep.h. */
#include "daemon/core/keep.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/host/hooks.h"
#include "daemon/host/netns.h"
#include "daemon/host/service.h"

#define NAME_UDP4 "udp4"
#define NAME_UDP6 "udp6"
/* Enough that no two files of one link ever get the same name. */
#define DIGEST_LEN 12

void keep_name(const char *kind, crypto_generichash_state *digest, char ret[static KEEP_NAME_MAX])
{
	unsigned char bytes[crypto_generichash_BYTES_MIN];
	char hex[DIGEST_LEN * 2 + 1];

	crypto_generichash_final(digest, bytes, sizeof(bytes));
	sodium_bin2hex(hex, sizeof(hex), bytes, DIGEST_LEN);
	snprintf(ret, KEEP_NAME_MAX, "%s-%s", kind, hex);
}

static void add(crypto_generichash_state *state, const void *bytes, size_t len)
{
	crypto_generichash_update(state, bytes, len);
}

/* A list with its length before it, so that no two different rows of lists look the same. */
static void add_prefixes(crypto_generichash_state *state, const struct conf_prefixes *prefixes)
{
	uint64_t n = prefixes->n;

	add(state, &n, sizeof(n));
	for (size_t i = 0; i < prefixes->n; i++) {
		const struct prefix *prefix = &prefixes->items[i];

		add(state, &prefix->family, sizeof(prefix->family));
		add(state, &prefix->len, sizeof(prefix->len));
		add(state, prefix->addr, sizeof(prefix->addr));
	}
}

static void add_string(crypto_generichash_state *state, const char *text)
{
	add(state, text ? text : "", text ? strlen(text) + 1 : 1);
}

/* "tun-" and a digest of what becomes an address or a route. */
static void name_of(const struct conf_link *conf, char ret[static KEEP_NAME_MAX])
{
	const uint32_t numbers[] = { (uint32_t)conf->mode, (uint32_t)conf->table_kind,
				     conf->table };
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, crypto_generichash_BYTES_MIN);
	add(&state, numbers, sizeof(numbers));
	add_string(&state, conf->bridge);
	add_string(&state, conf->namespace);
	add_prefixes(&state, &conf->addresses);
	add_prefixes(&state, &conf->allowed_ips);
	keep_name("tun", &state, ret);
}

/* Somebody may have moved the interface to another network namespace: there it is lost to us. */
static bool is_here(const struct conf_link *conf)
{
	return netns_has_interface(conf->namespace, conf->name);
}

/* Both return whether something was given back to the manager. */
static bool take_tun(const struct conf_link *conf, struct tun *tun,
		     char tun_name[static KEEP_NAME_MAX])
{
	bool is_tap = conf->mode == CONF_MODE_TAP;
	int fd;

	/* One that was left before there were commands goes with the rest. */
	tun_name[0] = '\0';
	if (hooks_are_used(conf))
		return false;
	name_of(conf, tun_name);
	fd = service_take(tun_name);
	if (fd >= 0 && is_here(conf) && tun_adopt(fd, conf->name, is_tap, tun) == 0)
		return false;
	if (fd >= 0) {
		close(fd);
		(void)service_unstore(tun_name);
	}
	tun_name[0] = '\0';
	return fd >= 0;
}

static bool take_udp(const struct conf_link *conf, struct udp *udp)
{
	int fd4 = service_take(NAME_UDP4), fd6 = service_take(NAME_UDP6);

	if ((fd4 < 0 && fd6 < 0) || udp_adopt(fd4, fd6, conf->listen_port, udp) == 0)
		return false;
	if (fd4 >= 0)
		close(fd4);
	if (fd6 >= 0)
		close(fd6);
	(void)service_unstore(NAME_UDP4);
	(void)service_unstore(NAME_UDP6);
	return true;
}

void keep_take(const struct conf_link *conf, struct tun *tun, struct udp *udp,
	       char tun_name[static KEEP_NAME_MAX])
{
	bool is_given_back = take_tun(conf, tun, tun_name);

	is_given_back |= take_udp(conf, udp);
	is_given_back |= service_drop_rest() > 0;
	if (is_given_back)
		(void)service_settle();
}

static int leave_tun(const struct conf_link *conf, const struct tun *tun,
		     char tun_name[static KEEP_NAME_MAX])
{
	char name[KEEP_NAME_MAX] = "";

	if (!hooks_are_used(conf))
		name_of(conf, name);
	if (strcmp(tun_name, name) != 0)
		keep_take_back(tun_name);
	memcpy(tun_name, name, sizeof(name));
	return name[0] ? service_store(tun->fd, name) : 0;
}

int keep_leave(const struct conf_link *conf, const struct tun *tun, const struct udp *udp,
	       char tun_name[static KEEP_NAME_MAX])
{
	int r = leave_tun(conf, tun, tun_name);

	/* What was left before may be another socket; while the manager has it, its port is taken.
	 */
	(void)service_unstore(NAME_UDP4);
	(void)service_unstore(NAME_UDP6);
	if (r == 0 && udp->fd4 >= 0)
		r = service_store(udp->fd4, NAME_UDP4);
	if (r == 0 && udp->fd6 >= 0)
		r = service_store(udp->fd6, NAME_UDP6);
	return r;
}

void keep_take_back(char tun_name[static KEEP_NAME_MAX])
{
	if (tun_name[0])
		(void)service_unstore(tun_name);
	tun_name[0] = '\0';
}
