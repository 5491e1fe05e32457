/* Tests of conf/values.c, through the table of conf/keys.c: what each key takes and refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <strings.h>

#include "common/defs.h"
#include "common/keytext.h"
#include "conf/keys.h"

static struct conf_link link_conf;

static int set_up(void **state)
{
	(void)state;
	return conf_link_init(&link_conf);
}

static int tear_down(void **state)
{
	(void)state;
	conf_link_deinit(&link_conf);
	return 0;
}

/* Parses one value of a key; NULL when it is taken. */
static const char *set(enum keys_id id, const char *text)
{
	const struct keys_row *row = &keys_table[id];

	return row->parse(text, strlen(text), &link_conf, keys_field(row, &link_conf));
}

static void take(enum keys_id id, const char *text)
{
	const char *reason = set(id, text);

	if (reason != NULL)
		fail_msg("%s = \"%s\" %s", keys_table[id].name, text, reason);
}

static void refuse(enum keys_id id, const char *text)
{
	const char *reason = set(id, text);

	if (reason == NULL)
		fail_msg("%s = \"%s\" was taken", keys_table[id].name, text);
	/* A sentence goes on with it: it must not begin one or end one. */
	if (reason != NULL) {
		assert_in_range(reason[0], 'a', 'z');
		assert_int_not_equal(reason[strlen(reason) - 1], '.');
	}
}

static void table_is_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEYS_N; i++) {
		const struct keys_row *row = &keys_table[i];

		assert_non_null(row->name);
		assert_non_null(row->parse);
		assert_true(strlen(row->help) > 10);
		assert_true(row->help[strlen(row->help) - 1] != '.');
		assert_int_equal(keys_find(row->section, row->name), i);
		assert_string_equal(keys_nearest(row->section, row->name), row->name);
		assert_int_equal(keys_is_verbatim(row->name), (row->flags & KEYS_VERBATIM) != 0);
		/* Lists are repeatable: their lines add up. */
		if ((row->flags & (KEYS_LIST | KEYS_WORDS)) != 0)
			assert_true((row->flags & KEYS_REPEATABLE) != 0);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(strcasecmp(row->name, keys_table[j].name), 0);
	}
	assert_int_equal(keys_find(KEYS_PEER, "PrivateKey"), KEYS_NONE);
	assert_int_equal(keys_find(KEYS_PEER, "allowedips"), KEYS_ALLOWED_IPS);
	assert_int_equal(keys_section_find("PEER"), KEYS_PEER);
	assert_int_equal(keys_section_find("Peers"), KEYS_N_SECTIONS);
	assert_string_equal(keys_section_nearest("Peers"), "Peer");
	assert_null(keys_section_nearest("Relay"));
}

static void keys_and_files(void **state)
{
	static const char key[] = "EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8=";

	(void)state;
	take(KEYS_PRIVATE_KEY, key);
	assert_int_equal(link_conf.secrets->private_key.bytes[31], 0x2f);
	take(KEYS_PRESHARED_KEY, key);
	take(KEYS_PUBLIC_KEY, key);
	assert_int_equal(link_conf.peer_key.bytes[0], 0x10);
	refuse(KEYS_PRIVATE_KEY, "x");
	refuse(KEYS_PUBLIC_KEY, "");
	take(KEYS_PRIVATE_KEY_FILE, "keys/site-a.key");
	take(KEYS_PRIVATE_KEY_FILE, "/etc/vpnd/site-a.key");
	assert_string_equal(link_conf.private_key_file, "/etc/vpnd/site-a.key");
	refuse(KEYS_PRIVATE_KEY_FILE, key);
	take(KEYS_PRESHARED_KEY_FILE, "psk");
	refuse(KEYS_PRESHARED_KEY_FILE, key);
}

static void numbers(void **state)
{
	(void)state;
	take(KEYS_LISTEN_PORT, "0");
	take(KEYS_LISTEN_PORT, "65535");
	assert_int_equal(link_conf.listen_port, 65535);
	/* As `wg` takes it. */
	take(KEYS_LISTEN_PORT, "domain");
	assert_int_equal(link_conf.listen_port, 53);
	refuse(KEYS_LISTEN_PORT, "no-such-service");
	refuse(KEYS_LISTEN_PORT, "-1");
	take(KEYS_ENDPOINT, "[2001:db8::1]:domain");
	take(KEYS_ENDPOINT, "example.com:domain");
	assert_int_equal(link_conf.endpoints[0].port, 53);
	assert_int_equal(link_conf.endpoints[1].port, 53);
	assert_string_equal(link_conf.endpoints[1].host, "example.com");
	refuse(KEYS_ENDPOINT, "example.com:no-such-service");
	refuse(KEYS_LISTEN_PORT, "65536");
	refuse(KEYS_LISTEN_PORT, "0x1");
	take(KEYS_FWMARK, "0xFFFFFFFF");
	assert_true(link_conf.fwmark == UINT32_MAX);
	take(KEYS_FWMARK, "51820");
	assert_int_equal(link_conf.fwmark, 51820);
	take(KEYS_FWMARK, "OFF");
	assert_int_equal(link_conf.fwmark, 0);
	refuse(KEYS_FWMARK, "4294967296");
	take(KEYS_MTU, "68");
	take(KEYS_MTU, "65475");
	assert_int_equal(link_conf.mtu, 65475);
	refuse(KEYS_MTU, "67");
	refuse(KEYS_MTU, "65476");
	refuse(KEYS_MTU, "auto");
	take(KEYS_PERSISTENT_KEEPALIVE, "65535");
	assert_int_equal(link_conf.persistent_keepalive, 65535);
	take(KEYS_PERSISTENT_KEEPALIVE, "off");
	assert_int_equal(link_conf.persistent_keepalive, 0);
	refuse(KEYS_PERSISTENT_KEEPALIVE, "-1");
	refuse(KEYS_PERSISTENT_KEEPALIVE, "25s");
}

static void words(void **state)
{
	(void)state;
	take(KEYS_SAVE_CONFIG, "true");
	assert_true(link_conf.save_config);
	take(KEYS_SAVE_CONFIG, "false");
	assert_false(link_conf.save_config);
	refuse(KEYS_SAVE_CONFIG, "1");
	take(KEYS_MODE, "TAP");
	assert_int_equal(link_conf.mode, CONF_MODE_TAP);
	take(KEYS_MODE, "tun");
	assert_int_equal(link_conf.mode, CONF_MODE_TUN);
	refuse(KEYS_MODE, "tunnel");
	take(KEYS_READY_WHEN, "handshake");
	assert_int_equal(link_conf.ready_when, CONF_READY_HANDSHAKE);
	take(KEYS_READY_WHEN, "interface");
	assert_int_equal(link_conf.ready_when, CONF_READY_INTERFACE);
	refuse(KEYS_READY_WHEN, "now");
	take(KEYS_FORWARD, "yes");
	assert_true(link_conf.forward);
	take(KEYS_FORWARD, "no");
	assert_false(link_conf.forward);
	refuse(KEYS_FORWARD, "on");
}

static void mss_clamp(void **state)
{
	(void)state;
	take(KEYS_MSS_CLAMP, "1300");
	assert_int_equal(link_conf.mss_clamp, 1300);
	take(KEYS_MSS_CLAMP, "no");
	assert_int_equal(link_conf.mss_clamp, CONF_MSS_NONE);
	take(KEYS_MSS_CLAMP, "Auto");
	assert_int_equal(link_conf.mss_clamp, CONF_MSS_AUTO);
	take(KEYS_MSS_CLAMP, "536");
	take(KEYS_MSS_CLAMP, "65495");
	refuse(KEYS_MSS_CLAMP, "535");
	refuse(KEYS_MSS_CLAMP, "65496");
	refuse(KEYS_MSS_CLAMP, "yes");
}

static void masquerade(void **state)
{
	(void)state;
	take(KEYS_MASQUERADE, "yes");
	assert_true(link_conf.masquerades_all);
	take(KEYS_MASQUERADE, "no");
	assert_false(link_conf.masquerades_all);
	assert_int_equal(link_conf.masquerade.n, 0);
	take(KEYS_MASQUERADE, "fd50::/64");
	assert_int_equal(link_conf.masquerade.n, 1);
	assert_int_equal(link_conf.masquerade.items[0].len, 64);
	refuse(KEYS_MASQUERADE, "eth0");
	refuse(KEYS_MASQUERADE, "10.0.0.0/33");
}

static void ciphers(void **state)
{
	(void)state;
	take(KEYS_CIPHER, "aes256-gcm");
	assert_int_equal(link_conf.cipher, CONF_CIPHER_AES256_GCM);
	take(KEYS_CIPHER, "ChaCha20-Poly1305");
	assert_int_equal(link_conf.cipher, CONF_CIPHER_CHACHA20_POLY1305);
	take(KEYS_CIPHER, "aegis128l");
	assert_int_equal(link_conf.cipher, CONF_CIPHER_AEGIS128L);
	take(KEYS_CIPHER, "aegis256");
	assert_int_equal(link_conf.cipher, CONF_CIPHER_AEGIS256);
	take(KEYS_CIPHER, "auto");
	assert_int_equal(link_conf.cipher, CONF_CIPHER_AUTO);
	refuse(KEYS_CIPHER, "none");
}

static void tables(void **state)
{
	(void)state;
	take(KEYS_TABLE, "off");
	assert_int_equal(link_conf.table_kind, CONF_TABLE_OFF);
	take(KEYS_TABLE, "Auto");
	assert_int_equal(link_conf.table_kind, CONF_TABLE_AUTO);
	take(KEYS_TABLE, "4294967295");
	assert_int_equal(link_conf.table_kind, CONF_TABLE_ID);
	assert_true(link_conf.table == UINT32_MAX);
	take(KEYS_TABLE, "0x64");
	assert_int_equal(link_conf.table, 100);
	take(KEYS_TABLE, "main");
	take(KEYS_TABLE, "vpn_routes-2");
	assert_int_equal(link_conf.table_kind, CONF_TABLE_NAME);
	assert_string_equal(link_conf.table_name, "vpn_routes-2");
	refuse(KEYS_TABLE, "0");
	refuse(KEYS_TABLE, "4294967296");
	refuse(KEYS_TABLE, "-1");
	refuse(KEYS_TABLE, "a/b");
}

static void names(void **state)
{
	(void)state;
	take(KEYS_BRIDGE, "br0");
	assert_string_equal(link_conf.bridge, "br0");
	take(KEYS_BRIDGE, "abc_=+.-1234567");
	refuse(KEYS_BRIDGE, "abc_=+.-12345678");
	refuse(KEYS_BRIDGE, ".");
	refuse(KEYS_BRIDGE, "..");
	refuse(KEYS_BRIDGE, "a/b");
	refuse(KEYS_BRIDGE, "a b");
	take(KEYS_NAMESPACE, "customer_1.blue");
	assert_string_equal(link_conf.namespace, "customer_1.blue");
	refuse(KEYS_NAMESPACE, "../x");
	refuse(KEYS_NAMESPACE, ".x");
	refuse(KEYS_NAMESPACE, "/run/netns/x");
	refuse(KEYS_NAMESPACE, "a b");
	assert_false(values_is_interface(""));
}

static void lists(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 20; i++)
		take(KEYS_ADDRESS, "10.0.0.1/24");
	assert_int_equal(link_conf.addresses.n, 20);
	assert_int_equal(link_conf.addresses.items[19].len, 24);
	assert_int_equal(link_conf.addresses.items[19].addr[3], 1);
	refuse(KEYS_ADDRESS, "10.0.0.1/33");
	assert_int_equal(link_conf.addresses.n, 20);
	take(KEYS_DNS, "10.0.0.53");
	take(KEYS_DNS, "2001:db8::53");
	take(KEYS_DNS, "example.com");
	assert_int_equal(link_conf.dns.n, 3);
	assert_string_equal(link_conf.dns.items[2], "example.com");
	refuse(KEYS_DNS, "a/b");
	refuse(KEYS_DNS, "tls://x");
	assert_true(values_is_address(link_conf.dns.items[0]));
	assert_true(values_is_address(link_conf.dns.items[1]));
	assert_false(values_is_address(link_conf.dns.items[2]));
	take(KEYS_ALLOWED_IPS, "::/0");
	assert_int_equal(link_conf.allowed_ips.n, 1);
	take(KEYS_POST_UP, "echo %i; true # not a comment");
	take(KEYS_POST_UP, "true");
	assert_int_equal(link_conf.hooks[CONF_POST_UP].n, 2);
	assert_string_equal(link_conf.hooks[CONF_POST_UP].items[0],
			    "echo %i; true # not a comment");
	assert_int_equal(link_conf.hooks[CONF_PRE_UP].n, 0);
	take(KEYS_ENDPOINT, "192.0.2.1:51820");
	take(KEYS_ENDPOINT, "vpn.example.com:51820");
	take(KEYS_ENDPOINT, "[fe80::1%lo]:51820");
	assert_int_equal(link_conf.n_endpoints, 3);
	assert_string_equal(link_conf.endpoints[1].host, "vpn.example.com");
	refuse(KEYS_ENDPOINT, "vpn.example.com");
}

/* What is no address counts as a domain, so a mistyped address must be none. */
static void search_domains(void **state)
{
#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	static const char *const good[] = {
		"corp",     "example.com.", "1.example",     "_x.a-b.example",
		"xn--4ca.", LABEL_63,       LABEL_63 ".net", "10.in-addr.arpa",
		"~.",       "~example.com", "~corp.",
	};
	static const char *const bad[] = {
		".",   "..",          "a..b",       ".a",
		"a..", "10.0.0.256",  "10.0.0",     "10.0.0.1.",
		"1",   "fe80::1%lo",  LABEL_63 "a", "a\xc3\xa4",
		"a b", "10.0.0.1:53", "[::1]",      "~",
		"~~.", "~10.0.0.1",   "~a..b",      LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		take(KEYS_DNS, good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(KEYS_DNS, bad[i]);
	assert_int_equal(link_conf.dns.n, ARRAY_SIZE(good));
}

static void deinit_is_safe_twice(void **state)
{
	struct conf_link link = { 0 };

	(void)state;
	conf_link_deinit(&link);
	assert_int_equal(conf_link_init(&link), 0);
	assert_true(key_is_zero(&link.secrets->private_key));
	assert_true(key_is_zero(&link.secrets->preshared_key));
	conf_link_deinit(&link);
	conf_link_deinit(&link);
}

#define WITH_LINK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_complete),
		WITH_LINK(keys_and_files),
		WITH_LINK(numbers),
		WITH_LINK(words),
		WITH_LINK(mss_clamp),
		WITH_LINK(masquerade),
		WITH_LINK(ciphers),
		WITH_LINK(tables),
		WITH_LINK(names),
		WITH_LINK(lists),
		WITH_LINK(search_domains),
		cmocka_unit_test(deinit_is_safe_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
