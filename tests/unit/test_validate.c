/*
 * Tests of conf/validate.c on values that no file was read for; what it says about files is in
 * the table of test_link_file.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "conf/validate.h"

static struct conf_link link_conf;
static struct validate_lines lines;
static struct diag diag = DIAG_NULL("x");

/* A link that breaks no rule: both sections, a private key, another public key, AllowedIPs. */
static int set_up(void **state)
{
	static const uint8_t scalar[KEY_LEN] = { 8, 1 };

	(void)state;
	memset(&lines, 0, sizeof(lines));
	if (conf_link_init(&link_conf) != 0)
		return -1;
	memset(&link_conf.secrets->private_key, 0x11, KEY_LEN);
	crypto_scalarmult_base(link_conf.peer_key.bytes, scalar);
	lines.sections[KEYS_INTERFACE] = 1;
	lines.keys[KEYS_PRIVATE_KEY].line = 2;
	lines.keys[KEYS_PRIVATE_KEY].parsed = true;
	lines.has_private_key = true;
	lines.sections[KEYS_PEER] = 3;
	lines.keys[KEYS_PUBLIC_KEY].line = 4;
	lines.keys[KEYS_PUBLIC_KEY].parsed = true;
	lines.keys[KEYS_ALLOWED_IPS].line = 5;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEYS_N; i++)
		free(lines.keys[i].lines);
	conf_link_deinit(&link_conf);
	diag_deinit(&diag);
	return 0;
}

static void validate(void)
{
	validate_link(&link_conf, &lines, &diag);
}

/* Puts prefixes into AllowedIPs, the first in line 10, the next in line 11, and so on. */
static void add_allowed(const char *const *texts, size_t n)
{
	const char *reason = NULL;

	link_conf.allowed_ips.items = calloc(n, sizeof(struct prefix));
	lines.keys[KEYS_ALLOWED_IPS].lines = calloc(n, sizeof(unsigned int));
	assert_non_null(link_conf.allowed_ips.items);
	assert_non_null(lines.keys[KEYS_ALLOWED_IPS].lines);
	for (size_t i = 0; i < n; i++) {
		assert_true(prefix_parse(texts[i], &link_conf.allowed_ips.items[i], &reason));
		lines.keys[KEYS_ALLOWED_IPS].lines[i] = (unsigned int)(10 + i);
	}
	link_conf.allowed_ips.n = n;
	lines.keys[KEYS_ALLOWED_IPS].n_entries = n;
}

static void good_link_passes_and_gets_its_public_key(void **state)
{
	struct key expected;

	(void)state;
	validate();
	assert_int_equal(diag.n_items, 0);
	crypto_scalarmult_base(expected.bytes, link_conf.secrets->private_key.bytes);
	assert_true(key_equal(&expected, &link_conf.public_key));
}

static void repeated_prefixes_go_and_order_stays(void **state)
{
	static const char *const texts[] = { "10.0.0.0/8",   "::/0", "10.1.0.0/16", "10.9.9.9/8",
					     "192.0.2.0/24", "::/0", "10.0.0.0/9" };
	static const char *const kept[] = { "10.0.0.0/8", "::/0", "10.1.0.0/16", "192.0.2.0/24",
					    "10.0.0.0/9" };
	static const unsigned int left[] = { 10, 11, 12, 14, 16 };
	char text[PREFIX_TEXT_MAX];

	(void)state;
	add_allowed(texts, ARRAY_SIZE(texts));
	validate();
	assert_int_equal(diag.n_errors, 0);
	assert_int_equal(diag.n_items, 3); /* host bits, and two repeated */
	assert_int_equal(link_conf.allowed_ips.n, ARRAY_SIZE(kept));
	assert_int_equal(lines.keys[KEYS_ALLOWED_IPS].n_entries, ARRAY_SIZE(kept));
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		assert_string_equal(prefix_format(&link_conf.allowed_ips.items[i], text), kept[i]);
		assert_int_equal(lines.keys[KEYS_ALLOWED_IPS].lines[i], left[i]);
	}
}

/* All points of low order on the curve and its twist, and one that wraps around the field. */
static void points_of_low_order_are_refused(void **state)
{
	static const char *const points[] = {
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000080",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		assert_int_equal(sodium_hex2bin(link_conf.peer_key.bytes, KEY_LEN, points[i], 64,
						NULL, NULL, NULL),
				 0);
		validate();
		assert_int_equal(diag.n_errors, 1);
		assert_non_null(strstr(diag.items[0].text, "low order"));
		diag_deinit(&diag);
	}
}

static void values_known_to_be_wrong_are_not_judged(void **state)
{
	(void)state;
	/* Both keys stood there and were reported; zero is not what they said. */
	memset(&link_conf.peer_key, 0, sizeof(link_conf.peer_key));
	sodium_memzero(link_conf.secrets, sizeof(*link_conf.secrets));
	lines.keys[KEYS_PUBLIC_KEY].parsed = false;
	lines.keys[KEYS_PRIVATE_KEY].parsed = false;
	lines.has_private_key = false;
	validate();
	assert_int_equal(diag.n_items, 0);
	/* Mode was wrong, so nobody knows whether Bridge fits. */
	lines.keys[KEYS_BRIDGE].line = 7;
	lines.keys[KEYS_MODE].line = 6;
	validate();
	assert_int_equal(diag.n_items, 0);
	lines.keys[KEYS_MODE].parsed = true;
	validate();
	assert_int_equal(diag.n_errors, 1);
}

static void tap_needs_no_allowed_ips(void **state)
{
	(void)state;
	lines.keys[KEYS_ALLOWED_IPS].line = 0;
	validate();
	assert_int_equal(diag.n_items, 1);
	assert_int_equal(diag.items[0].level, DIAG_WARNING);
	diag_deinit(&diag);
	link_conf.mode = CONF_MODE_TAP;
	validate();
	assert_int_equal(diag.n_items, 0);
}

static void a_bridge_is_made_only_by_name(void **state)
{
	(void)state;
	link_conf.mode = CONF_MODE_TAP;
	link_conf.bridge_create = true;
	lines.keys[KEYS_BRIDGE_CREATE].line = 8;
	validate();
	assert_int_equal(diag.n_errors, 1);
	assert_int_equal(diag.items[0].line, 8);
	assert_non_null(strstr(diag.items[0].text, "without Bridge"));
	diag_deinit(&diag);
	link_conf.bridge = strdup("br0");
	lines.keys[KEYS_BRIDGE].line = 7;
	lines.keys[KEYS_BRIDGE].parsed = true;
	validate();
	assert_int_equal(diag.n_items, 0);
}

static void addresses_belong_to_the_bridge(void **state)
{
	(void)state;
	link_conf.mode = CONF_MODE_TAP;
	link_conf.bridge = strdup("br0");
	lines.keys[KEYS_BRIDGE].line = 7;
	lines.keys[KEYS_BRIDGE].parsed = true;
	lines.keys[KEYS_ADDRESS].line = 9;
	validate();
	assert_int_equal(diag.n_errors, 0);
	assert_int_equal(diag.n_items, 1);
	assert_int_equal(diag.items[0].line, 9);
	assert_non_null(strstr(diag.items[0].text, "give it to the bridge"));
}

static void nobody_asks_name_servers_in_a_namespace(void **state)
{
	(void)state;
	link_conf.namespace = strdup("blue");
	lines.keys[KEYS_NAMESPACE].line = 6;
	validate();
	assert_int_equal(diag.n_items, 0);
	link_conf.dns.items = calloc(1, sizeof(char *));
	link_conf.dns.items[0] = strdup("10.0.0.53");
	link_conf.dns.n = 1;
	lines.keys[KEYS_DNS].line = 9;
	validate();
	assert_int_equal(diag.n_errors, 0);
	assert_int_equal(diag.n_items, 1);
	assert_int_equal(diag.items[0].line, 9);
}

static void missing_sections_are_not_missed_below_a_broken_heading(void **state)
{
	(void)state;
	memset(&lines, 0, sizeof(lines));
	validate();
	assert_int_equal(diag.n_errors, 2);
	diag_deinit(&diag);
	lines.refused_heading = true;
	validate();
	assert_int_equal(diag.n_errors, 0);
}

/* Masquerade alone means that there is something to forward; Forward = no has the last word. */
static void masquerade_asks_for_forwarding(void **state)
{
	(void)state;
	validate();
	assert_false(link_conf.forward);
	lines.keys[KEYS_MASQUERADE].line = 6;
	validate();
	assert_false(link_conf.forward);
	link_conf.masquerades_all = true;
	validate();
	assert_true(link_conf.forward);
	link_conf.forward = false;
	lines.keys[KEYS_FORWARD].line = 7;
	validate();
	assert_false(link_conf.forward);
	assert_int_equal(diag.n_items, 0);
}

static void no_link_is_its_own_bridge(void **state)
{
	(void)state;
	link_conf.name[0] = 'a';
	link_conf.bridge = strdup("a");
	link_conf.mode = CONF_MODE_TAP;
	lines.keys[KEYS_BRIDGE].line = 7;
	lines.keys[KEYS_BRIDGE].parsed = true;
	validate();
	assert_int_equal(diag.n_errors, 1);
	assert_int_equal(diag.items[0].line, 7);
	assert_non_null(strstr(diag.items[0].text, "own interface"));
	diag_deinit(&diag);
	link_conf.name[0] = 'b';
	validate();
	assert_int_equal(diag.n_items, 0);
}

#define WITH_LINK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LINK(good_link_passes_and_gets_its_public_key),
		WITH_LINK(repeated_prefixes_go_and_order_stays),
		WITH_LINK(points_of_low_order_are_refused),
		WITH_LINK(values_known_to_be_wrong_are_not_judged),
		WITH_LINK(tap_needs_no_allowed_ips),
		WITH_LINK(masquerade_asks_for_forwarding),
		WITH_LINK(no_link_is_its_own_bridge),
		WITH_LINK(a_bridge_is_made_only_by_name),
		WITH_LINK(addresses_belong_to_the_bridge),
		WITH_LINK(nobody_asks_name_servers_in_a_namespace),
		WITH_LINK(missing_sections_are_not_missed_below_a_broken_heading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
