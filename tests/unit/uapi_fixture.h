/* What the tests of daemon/ctl/uapi_* share: keys that are easy to read, and a running link. */
#ifndef TESTS_UNIT_UAPI_FIXTURE_H
#define TESTS_UNIT_UAPI_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "conf/model.h"
#include "daemon/ctl/uapi_set.h"

/* 64 hexadecimal digits that say the same byte again and again. */
#define HEX4(x) x x x x
#define HEX(x)  HEX4(x) HEX4(x) HEX4(x) HEX4(x) HEX4(x) HEX4(x) HEX4(x) HEX4(x)
#define KEY_A   HEX("a1")
#define KEY_B   HEX("b2")
#define KEY_C   HEX("c3")
#define SECRET  HEX("48") /* is a clamped scalar as it stands */
#define PSK     HEX("77")
#define NO_KEY  HEX("00")

static inline struct key key_of(uint8_t byte)
{
	struct key key;

	memset(key.bytes, byte, sizeof(key.bytes));
	return key;
}

static inline struct key public_of(uint8_t byte)
{
	struct key secret = key_of(byte);
	struct key public;

	crypto_scalarmult_base(public.bytes, secret.bytes);
	return public;
}

static inline void add_allowed(struct conf_link *conf, const char *text)
{
	struct prefix *items =
		grow_list(conf->allowed_ips.items, conf->allowed_ips.n, sizeof(*items));
	const char *reason;

	assert_non_null(items);
	conf->allowed_ips.items = items;
	assert_true(prefix_parse(text, &items[conf->allowed_ips.n], &reason));
	conf->allowed_ips.n++;
}

/* Neither key nor peer, as `vpnd run --uapi` begins. */
static inline void make_bare(struct conf_link *conf)
{
	assert_int_equal(conf_link_init(conf), 0);
	snprintf(conf->name, sizeof(conf->name), "bare");
}

/* A link with everything that the protocol knows, and something that it does not. */
static inline void make_full(struct conf_link *conf)
{
	const char *reason;

	make_bare(conf);
	conf->secrets->private_key = key_of(0x48);
	conf->public_key = public_of(0x48);
	conf->secrets->preshared_key = key_of(0x77);
	conf->private_key_file = strdup("/etc/vpnd/key");
	conf->preshared_key_file = strdup("/etc/vpnd/psk");
	conf->listen_port = 51820;
	conf->fwmark = 7;
	conf->mtu = 1380;
	conf->peer_key = key_of(0xa1);
	conf->persistent_keepalive = 25;
	conf->endpoints = grow_list(NULL, 0, sizeof(*conf->endpoints));
	assert_non_null(conf->endpoints);
	assert_true(endpoint_spec_parse("far.example:51820", conf->endpoints, &reason));
	conf->n_endpoints = 1;
	add_allowed(conf, "10.1.0.0/16");
	add_allowed(conf, "fd00::/64");
}

/* Runs a request against a link. */
static inline int try_set(const struct conf_link *conf, const char *lines, struct uapi_edit *edit)
{
	return uapi_set(lines, strlen(lines), conf, edit);
}

/* Runs a request that must succeed. */
static inline void do_set(const struct conf_link *conf, const char *lines, struct uapi_edit *edit)
{
	int r = try_set(conf, lines, edit);

	if (r != 0)
		fail_msg("%d %s:\n%s", r, edit->reason, lines);
	assert_string_equal(edit->reason, "");
}

/* The AllowedIPs in one text. */
static inline const char *allowed_text(const struct conf_link *conf)
{
	const struct conf_prefixes *list = conf_link_accepted(conf);
	static char text[1024];
	char one[PREFIX_TEXT_MAX];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < list->n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? " " : "",
					prefix_format(&list->items[i], one));
	return text;
}

#endif
