/*
 * Tests of conf/diff.c: each key that changes is found, told in a sentence, and has the effect
 * that the table promises; what means the same is no change; secrets stay out of the sentences.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/nsec.h"
#include "conf/diff.h"
#include "conf/link_file.h"

/* Keys, made up. */
#define KEY_A "EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8="
#define KEY_B "wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t8="
#define PUB_A "2J47rXlDfb7Z+ENBgwT0YP8Fx/6B/kqVd6gEy5Nn/2Y=" /* of KEY_A */
#define PUB_B "ST6C/HRGSlkmiBdiPSBTxeuOLMSpiLT+4XnsawENUx0="
#define PUB_C "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="

#define LIVE    "; applied at once\n"
#define SESSION "; needs a new session, which begins at once\n"
#define RESTART "; needs a restart of the link\n"

/* A change of lines in [Interface] or in [Peer], and all that is printed about it. */
struct change_row {
	enum keys_id key;
	enum conf_effect effect;
	const char *old;
	const char *new;
	const char *said;
};

static const struct change_row change_rows[] = {
	{ KEYS_LISTEN_PORT, CONF_EFFECT_LIVE, "ListenPort = 51820", "ListenPort = 51821",
	  "ListenPort changes from 51820 to 51821" LIVE },
	{ KEYS_LISTEN_PORT, CONF_EFFECT_LIVE, "", "ListenPort = 1",
	  "ListenPort changes from any to 1" LIVE },
	{ KEYS_LISTEN_PORT, CONF_EFFECT_LIVE, "ListenPort = 1", "",
	  "ListenPort changes from 1 to any" LIVE },
	{ KEYS_FWMARK, CONF_EFFECT_LIVE, "FwMark = 0x10", "FwMark = 32",
	  "FwMark changes from 0x10 to 0x20" LIVE },
	{ KEYS_FWMARK, CONF_EFFECT_LIVE, "FwMark = 1", "FwMark = off",
	  "FwMark changes from 0x1 to off" LIVE },
	{ KEYS_ADDRESS, CONF_EFFECT_LIVE, "Address = 10.0.0.1/24", "Address = 10.0.0.2/24",
	  "Address: added 1 (10.0.0.2/24), removed 1 (10.0.0.1/24)" LIVE },
	{ KEYS_ADDRESS, CONF_EFFECT_LIVE, "Address = 10.0.0.1/24", "Address = 10.0.0.1/16",
	  "Address: added 1 (10.0.0.1/16), removed 1 (10.0.0.1/24)" LIVE },
	{ KEYS_ADDRESS, CONF_EFFECT_LIVE, "Address = 10.0.0.1, fd00::1/64", "Address = 10.0.0.1",
	  "Address: removed 1 (fd00::1/64)" LIVE },
	{ KEYS_DNS, CONF_EFFECT_LIVE, "", "DNS = 10.0.0.53, example.net",
	  "DNS changes from none to 10.0.0.53, example.net" LIVE },
	{ KEYS_DNS, CONF_EFFECT_LIVE, "DNS = 10.0.0.53, 10.0.0.54", "DNS = 10.0.0.54, 10.0.0.53",
	  "DNS changes from 10.0.0.53, 10.0.0.54 to 10.0.0.54, 10.0.0.53" LIVE },
	{ KEYS_MTU, CONF_EFFECT_LIVE, "MTU = 1400", "MTU = 1380",
	  "MTU changes from 1400 to 1380" LIVE },
	{ KEYS_MTU, CONF_EFFECT_LIVE, "MTU = 1400", "",
	  "MTU changes from 1400 to what fits the path" LIVE },
	{ KEYS_TABLE, CONF_EFFECT_LIVE, "", "Table = off", "Table changes from auto to off" LIVE },
	{ KEYS_TABLE, CONF_EFFECT_LIVE, "Table = 7", "Table = 8",
	  "Table changes from 7 to 8" LIVE },
	{ KEYS_TABLE, CONF_EFFECT_LIVE, "Table = 0x7", "Table = blue",
	  "Table changes from 7 to blue (0)" LIVE },
	{ KEYS_PRE_UP, CONF_EFFECT_LATER, "PreUp = a", "",
	  "PreUp changes, from 1 to 0 commands; runs at the next start\n" },
	{ KEYS_POST_UP, CONF_EFFECT_LATER, "", "PostUp = a",
	  "PostUp changes, from 0 to 1 command; runs at the next start\n" },
	{ KEYS_PRE_DOWN, CONF_EFFECT_LATER, "PreDown = a\nPreDown = b", "PreDown = b\nPreDown = a",
	  "PreDown changes, from 2 to 2 commands; runs at the next stop\n" },
	{ KEYS_POST_DOWN, CONF_EFFECT_LATER, "PostDown = a", "PostDown = A",
	  "PostDown changes, from 1 to 1 command; runs at the next stop\n" },
	{ KEYS_SAVE_CONFIG, CONF_EFFECT_LATER, "", "SaveConfig = true",
	  "SaveConfig changes from false to true; has no effect\n" },
	{ KEYS_MODE, CONF_EFFECT_RESTART, "", "Mode = tap",
	  "Mode changes from tun to tap" RESTART },
	{ KEYS_BRIDGE, CONF_EFFECT_LIVE, "Mode = tap", "Mode = tap\nBridge = br0",
	  "Bridge changes from none to br0" LIVE },
	{ KEYS_BRIDGE, CONF_EFFECT_LIVE, "Mode = tap\nBridge = br1", "Mode = tap\nBridge = br0",
	  "Bridge changes from br1 to br0" LIVE },
	{ KEYS_BRIDGE_CREATE, CONF_EFFECT_LIVE, "Mode = tap\nBridge = br0",
	  "Mode = tap\nBridge = br0\nBridgeCreate = yes",
	  "BridgeCreate changes from no to yes" LIVE },
	{ KEYS_NAMESPACE, CONF_EFFECT_RESTART, "Namespace = a", "",
	  "Namespace changes from a to none" RESTART },
	{ KEYS_FORWARD, CONF_EFFECT_LIVE, "", "Forward = yes",
	  "Forward changes from no to yes" LIVE },
	{ KEYS_MASQUERADE, CONF_EFFECT_LIVE, "Forward = no", "Forward = no\nMasquerade = yes",
	  "Masquerade changes from no to yes" LIVE },
	{ KEYS_MASQUERADE, CONF_EFFECT_LIVE, "Masquerade = fd00::/8, 10.0.0.0/8",
	  "Masquerade = 10.0.0.0/8",
	  "Masquerade changes from fd00::/8, 10.0.0.0/8 to 10.0.0.0/8" LIVE },
	{ KEYS_MSS_CLAMP, CONF_EFFECT_LIVE, "", "MssClamp = no",
	  "MssClamp changes from auto to no" LIVE },
	{ KEYS_MSS_CLAMP, CONF_EFFECT_LIVE, "MssClamp = 1300", "MssClamp = auto",
	  "MssClamp changes from 1300 to auto" LIVE },
	{ KEYS_READY_WHEN, CONF_EFFECT_LATER, "", "ReadyWhen = handshake",
	  "ReadyWhen changes from interface to handshake; counts at the next start\n" },
	{ KEYS_PRESHARED_KEY, CONF_EFFECT_LIVE, "", "PresharedKey = " KEY_A,
	  "PresharedKey is set; used from the next handshake on\n" },
	{ KEYS_PRESHARED_KEY, CONF_EFFECT_LIVE, "PresharedKey = " KEY_A, "PresharedKey = " KEY_B,
	  "PresharedKey changes; used from the next handshake on\n" },
	{ KEYS_PRESHARED_KEY, CONF_EFFECT_LIVE, "PresharedKey = " KEY_B, "",
	  "PresharedKey is removed; used from the next handshake on\n" },
	{ KEYS_ALLOWED_IPS, CONF_EFFECT_LIVE, "", "AllowedIPs = 10.0.0.0/8",
	  "AllowedIPs: added 1 (10.0.0.0/8)" LIVE },
	{ KEYS_ALLOWED_IPS, CONF_EFFECT_LIVE, "AllowedIPs = 10.3.0.0/16, 10.9.0.0/16",
	  "AllowedIPs = 10.4.0.0/16, 10.3.0.0/16, fd00::/8, 10.1.0.0/16, 10.2.0.0/16",
	  "AllowedIPs: added 4 (10.1.0.0/16, 10.2.0.0/16, 10.4.0.0/16, fd00::/8), "
	  "removed 1 (10.9.0.0/16)" LIVE },
	{ KEYS_ALLOWED_IPS, CONF_EFFECT_LIVE,
	  "AllowedIPs = 1.0.0.0, 2.0.0.0, 3.0.0.0, 4.0.0.0, "
	  "5.0.0.0",
	  "", "AllowedIPs: removed 5 (1.0.0.0/32, 2.0.0.0/32, 3.0.0.0/32 and 2 more)" LIVE },
	{ KEYS_ENDPOINT, CONF_EFFECT_LIVE, "", "Endpoint = a.example.net:1",
	  "Endpoint changes from none to a.example.net:1" LIVE },
	{ KEYS_ENDPOINT, CONF_EFFECT_LIVE, "Endpoint = [2001:db8::1]:1",
	  "Endpoint = 192.0.2.1:2\nEndpoint = b:3",
	  "Endpoint changes from [2001:db8::1]:1 to 192.0.2.1:2, b:3" LIVE },
	{ KEYS_ENDPOINT, CONF_EFFECT_LIVE, "Endpoint = a:1\nEndpoint = b:1",
	  "Endpoint = b:1\nEndpoint = a:1", "Endpoint changes from a:1, b:1 to b:1, a:1" LIVE },
	{ KEYS_PERSISTENT_KEEPALIVE, CONF_EFFECT_LIVE, "PersistentKeepalive = 25",
	  "PersistentKeepalive = off", "PersistentKeepalive changes from 25 s to off" LIVE },
	{ KEYS_CIPHER, CONF_EFFECT_SESSION, "", "Cipher = aes256-gcm",
	  "Cipher changes from auto to aes256-gcm" SESSION },
};

static struct conf_link old_conf, new_conf;
static struct conf_changes changes;

/* Calls that ask for memory: how many were made, and which one fails (0: none). */
static unsigned int n_asked, failing;

static bool is_refused(void)
{
	n_asked++;
	return n_asked == failing;
}

void *__real_reallocarray(void *items, size_t n, size_t size);
void *__wrap_reallocarray(void *items, size_t n, size_t size);
FILE *__real_open_memstream(char **text, size_t *size);
FILE *__wrap_open_memstream(char **text, size_t *size);

void *__wrap_reallocarray(void *items, size_t n, size_t size)
{
	return is_refused() ? NULL : __real_reallocarray(items, n, size);
}

FILE *__wrap_open_memstream(char **text, size_t *size)
{
	return is_refused() ? NULL : __real_open_memstream(text, size);
}

static int set_up(void **state)
{
	(void)state;
	failing = 0;
	memset(&changes, 0, sizeof(changes));
	return conf_link_init(&old_conf) == 0 && conf_link_init(&new_conf) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	conf_link_deinit(&old_conf);
	conf_link_deinit(&new_conf);
	conf_changes_deinit(&changes);
	return 0;
}

static void parse(const char *text, struct conf_link *link_conf)
{
	struct diag diag = DIAG_NULL("x");

	conf_link_deinit(link_conf);
	assert_int_equal(conf_link_init(link_conf), 0);
	link_file_parse(text, strlen(text), link_conf, &diag);
	if (diag.n_errors > 0)
		diag_print(&diag, stderr);
	assert_int_equal(diag.n_errors, 0);
	diag_deinit(&diag);
}

/* Makes a link of lines that belong into the section of a key. */
static void parse_lines(enum keys_id key, const char *lines, struct conf_link *link_conf)
{
	bool is_peer = keys_table[key].section == KEYS_PEER;
	char text[1024];

	snprintf(text, sizeof(text),
		 "[Interface]\nPrivateKey = " KEY_A "\n%s\n[Peer]\nPublicKey = " PUB_B "\n%s\n",
		 is_peer ? "" : lines, is_peer ? lines : "");
	parse(text, link_conf);
}

static void compare(void)
{
	conf_changes_deinit(&changes);
	assert_int_equal(conf_diff(&old_conf, &new_conf, &changes), 0);
}

static void expect_said(const char *expected)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	conf_changes_print(&changes, stream);
	fclose(stream);
	assert_string_equal(text, expected);
	free(text);
}

/* Both ways: the change, and no change from either side to itself. */
static void each_change_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(change_rows); i++) {
		const struct change_row *row = &change_rows[i];

		parse_lines(row->key, row->old, &old_conf);
		parse_lines(row->key, row->new, &new_conf);
		compare();
		expect_said(row->said);
		assert_int_equal(changes.n_items, 1);
		assert_int_equal(changes.items[0].key, row->key);
		assert_int_equal(changes.effect, row->effect);
		assert_int_equal(changes.keys, UINT32_C(1) << row->key);
		parse_lines(row->key, row->new, &old_conf);
		compare();
		expect_said("nothing changes\n");
		assert_int_equal(changes.keys, 0);
		assert_int_equal(changes.effect, CONF_EFFECT_LATER);
	}
}

/* The table above has each key of a file, or a test of its own has it. */
static void every_key_has_a_row(void **state)
{
	(void)state;
	for (size_t key = 0; key < KEYS_N; key++) {
		bool is_file = key == KEYS_PRIVATE_KEY_FILE || key == KEYS_PRESHARED_KEY_FILE;
		bool is_tested = key == KEYS_PRIVATE_KEY || key == KEYS_PUBLIC_KEY || is_file;
		enum conf_effect effect;
		const char *how = NULL;

		assert_true(conf_diff_effect((enum keys_id)key, &effect, &how) != is_file);
		assert_true(is_file == (how == NULL));
		for (size_t i = 0; i < ARRAY_SIZE(change_rows); i++)
			is_tested = is_tested || change_rows[i].key == key;
		if (!is_tested)
			fail_msg("no test of %s", keys_table[key].name);
	}
}

static void keys_are_compared_by_what_they_are(void **state)
{
	(void)state;
	parse("[Interface]\nPrivateKey = " KEY_B "\n[Peer]\nPublicKey = " PUB_B "\n", &old_conf);
	parse("[Interface]\nPrivateKey = " KEY_A "\n[Peer]\nPublicKey = " PUB_B "\n", &new_conf);
	compare();
	expect_said("PrivateKey changes; the far end must have the public key " PUB_A SESSION);
	assert_int_equal(changes.keys, UINT32_C(1) << KEYS_PRIVATE_KEY);
	assert_int_equal(changes.effect, CONF_EFFECT_SESSION);

	/* Bits that X25519 does not look at make no other key. */
	parse("[Interface]\nPrivateKey = " KEY_A "\n[Peer]\nPublicKey = " PUB_B "\n", &old_conf);
	parse("[Interface]\nPrivateKey = EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLq8=\n[Peer]\n"
	      "PublicKey = " PUB_B "\n",
	      &new_conf);
	compare();
	expect_said("nothing changes\n");

	memset(&new_conf.public_key, 0, sizeof(new_conf.public_key));
	compare();
	expect_said("PrivateKey is removed" SESSION);

	parse("[Interface]\nPrivateKey = " KEY_A "\n[Peer]\nPublicKey = " PUB_C "\n", &new_conf);
	compare();
	expect_said("PublicKey changes" SESSION);
	assert_int_equal(changes.effect, CONF_EFFECT_SESSION);
}

static void names_of_key_files_are_no_change(void **state)
{
	(void)state;
	parse_lines(KEYS_MTU, "", &old_conf);
	parse_lines(KEYS_MTU, "", &new_conf);
	new_conf.private_key_file = strdup("elsewhere");
	new_conf.preshared_key_file = strdup("elsewhere");
	compare();
	expect_said("nothing changes\n");
}

static void order_and_spelling_are_no_change(void **state)
{
	(void)state;
	parse("[Interface]\nPrivateKey = " KEY_A "\nAddress = 10.0.0.1/24, fd00::1/64\n"
	      "FwMark = 0x10\nTable = AUTO\n[Peer]\nPublicKey = " PUB_B "\n"
	      "AllowedIPs = 10.0.0.0/8, fd00::/8\n",
	      &old_conf);
	parse("[interface]\nprivatekey = " KEY_A "\nAddress = fd00:0::1/64\nAddress = 10.0.0.1/24\n"
	      "FwMark = 16\n[peer]\nPublicKey = " PUB_B "\nAllowedIPs = fd00::/8, 10.0.0.0/8, "
	      "10.0.0.0/8\n",
	      &new_conf);
	compare();
	expect_said("nothing changes\n");
}

static void several_changes_come_in_the_order_of_the_table(void **state)
{
	(void)state;
	parse("[Interface]\nPrivateKey = " KEY_A "\n[Peer]\nPublicKey = " PUB_B "\n", &old_conf);
	parse("[Interface]\nPrivateKey = " KEY_B "\nMTU = 1300\nPostUp = echo " KEY_B "\n"
	      "ListenPort = 9\n[Peer]\nCipher = aegis256\nPublicKey = " PUB_C "\n"
	      "PresharedKey = " KEY_B "\n",
	      &new_conf);
	compare();
	assert_int_equal(changes.n_items, 7);
	for (size_t i = 1; i < changes.n_items; i++)
		assert_true(changes.items[i - 1].key < changes.items[i].key);
	assert_int_equal(changes.effect, CONF_EFFECT_SESSION);
	for (size_t i = 0; i < changes.n_items; i++) {
		assert_null(strstr(changes.items[i].text, KEY_B));
		assert_null(strchr(changes.items[i].text, '\n'));
		assert_null(strstr(changes.items[i].text, "echo"));
	}
}

/* What `wg` sets is accepted and has no routes; the file has both. */
static void routes_are_compared_apart_from_what_is_accepted(void **state)
{
	struct conf_link file = { .secrets = NULL };

	(void)state;
	parse_lines(KEYS_ALLOWED_IPS, "AllowedIPs = 10.1.0.0/16", &old_conf);
	parse_lines(KEYS_ALLOWED_IPS, "AllowedIPs = 10.1.0.0/16", &new_conf);
	parse_lines(KEYS_ALLOWED_IPS, "AllowedIPs = 10.2.0.0/16", &file);
	new_conf.has_wg_allowed_ips = true;
	new_conf.wg_allowed_ips = file.allowed_ips;
	file.allowed_ips = (struct conf_prefixes) { 0 };
	conf_link_deinit(&file);
	compare();
	expect_said("AllowedIPs: added 1 (10.2.0.0/16), removed 1 (10.1.0.0/16)" LIVE);
	assert_int_equal(changes.routed_added.n + changes.routed_removed.n, 0);

	/* The same file again. */
	conf_link_deinit(&old_conf);
	assert_int_equal(conf_link_copy(&new_conf, &old_conf), 0);
	parse_lines(KEYS_ALLOWED_IPS, "AllowedIPs = 10.1.0.0/16", &new_conf);
	compare();
	expect_said("AllowedIPs: added 1 (10.1.0.0/16), removed 1 (10.2.0.0/16)" LIVE);
	assert_int_equal(changes.routed_added.n + changes.routed_removed.n, 0);

	/* The file says now what `wg` has set. */
	parse_lines(KEYS_ALLOWED_IPS, "AllowedIPs = 10.2.0.0/16", &new_conf);
	compare();
	expect_said("routes of AllowedIPs: added 1 (10.2.0.0/16), removed 1 (10.1.0.0/16)" LIVE);
	assert_int_equal(changes.allowed_ips_added.n + changes.allowed_ips_removed.n, 0);
	assert_int_equal(changes.routed_added.n, 1);
	assert_int_equal(changes.routed_removed.n, 1);
}

static void prefixes_to_add_and_remove_are_there(void **state)
{
	static const uint8_t added[] = { 10, 4 };

	(void)state;
	parse_lines(KEYS_ALLOWED_IPS, "AllowedIPs = 10.2.0.0/16, 10.1.0.0/16", &old_conf);
	parse_lines(KEYS_ALLOWED_IPS, "AllowedIPs = 10.4.0.0/16, 10.2.0.0/16", &new_conf);
	compare();
	assert_int_equal(changes.allowed_ips_added.n, 1);
	assert_int_equal(changes.allowed_ips_added.items[0].len, 16);
	assert_memory_equal(changes.allowed_ips_added.items[0].addr, added, sizeof(added));
	assert_int_equal(changes.allowed_ips_removed.n, 1);
	assert_int_equal(changes.allowed_ips_removed.items[0].addr[1], 1);
	assert_int_equal(changes.addresses_added.n, 0);
	assert_int_equal(changes.addresses_removed.n, 0);

	parse_lines(KEYS_ADDRESS, "Address = 10.0.0.1/24", &old_conf);
	parse_lines(KEYS_ADDRESS, "Address = 10.0.0.9/24", &new_conf);
	compare();
	assert_int_equal(changes.addresses_added.n, 1);
	assert_int_equal(changes.addresses_added.items[0].addr[3], 9);
	assert_int_equal(changes.addresses_removed.items[0].addr[3], 1);
}

/* `first` and every `step`th /24 from it. */
static void fill_allowed(struct conf_link *link_conf, size_t n, size_t first, size_t step)
{
	struct prefix *items = calloc(n, sizeof(*items));

	assert_non_null(items);
	for (size_t i = 0; i < n; i++) {
		size_t number = first + (n - 1 - i) * step; /* descending: nothing is sorted yet */

		items[i] = (struct prefix) { .family = AF_INET, .len = 24 };
		items[i].addr[0] = (uint8_t)(1 + (number >> 16));
		items[i].addr[1] = (uint8_t)(number >> 8);
		items[i].addr[2] = (uint8_t)number;
	}
	free(link_conf->allowed_ips.items);
	link_conf->allowed_ips = (struct conf_prefixes) { items, n };
}

static void many_prefixes_are_compared_fast(void **state)
{
	const size_t n = 130000;
	nsec_t start = nsec_boottime();

	(void)state;
	fill_allowed(&old_conf, n, 0, 2);
	fill_allowed(&new_conf, n, 2000, 2);
	compare();
	assert_int_equal(changes.allowed_ips_added.n, 1000);
	assert_int_equal(changes.allowed_ips_removed.n, 1000);
	fill_allowed(&new_conf, n, 1, 2);
	compare();
	assert_int_equal(changes.allowed_ips_added.n, n);
	assert_int_equal(changes.allowed_ips_removed.n, n);
	expect_said(
		"AllowedIPs: added 130000 (1.0.1.0/24, 1.0.3.0/24, 1.0.5.0/24 and 129997 "
		"more), removed 130000 (1.0.0.0/24, 1.0.2.0/24, 1.0.4.0/24 and 129997 more)" LIVE);
	/* A tenth of a second; the bound leaves room for sanitizers and valgrind. */
	assert_true(nsec_boottime() - start < 20 * NSEC_PER_SEC);
}

static void a_copy_is_no_change(void **state)
{
	(void)state;
	parse_lines(KEYS_MTU, "MTU = 1400\nDNS = 10.0.0.53\nPostUp = a\nAddress = 10.0.0.1/24",
		    &old_conf);
	conf_link_deinit(&new_conf);
	assert_int_equal(conf_link_copy(&old_conf, &new_conf), 0);
	compare();
	expect_said("nothing changes\n");
}

/* With a sanitizer or valgrind, this is also the test that nothing is lost on the way out. */
static void short_memory_leaves_no_changes(void **state)
{
	static const struct conf_changes none;
	unsigned int n_needed;

	(void)state;
	parse_lines(KEYS_ADDRESS, "Address = 10.0.0.1/24\nMTU = 1400", &old_conf);
	parse_lines(KEYS_ADDRESS, "Address = 10.0.0.2/24\nMTU = 1300", &new_conf);
	n_asked = 0;
	compare();
	n_needed = n_asked;
	assert_in_range(n_needed, 10, 200);
	for (unsigned int i = 1; i <= n_needed; i++) {
		conf_changes_deinit(&changes);
		n_asked = 0;
		failing = i;
		assert_int_equal(conf_diff(&old_conf, &new_conf, &changes), -ENOMEM);
		assert_memory_equal(&changes, &none, sizeof(none));
	}
}

static void changes_end_twice(void **state)
{
	(void)state;
	parse_lines(KEYS_MTU, "MTU = 1400", &old_conf);
	parse_lines(KEYS_MTU, "MTU = 1401", &new_conf);
	compare();
	conf_changes_deinit(&changes);
	conf_changes_deinit(&changes);
	assert_int_equal(changes.n_items, 0);
	expect_said("nothing changes\n");
}

#define WITH_LINKS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LINKS(each_change_is_told),
		WITH_LINKS(every_key_has_a_row),
		WITH_LINKS(keys_are_compared_by_what_they_are),
		WITH_LINKS(names_of_key_files_are_no_change),
		WITH_LINKS(order_and_spelling_are_no_change),
		WITH_LINKS(several_changes_come_in_the_order_of_the_table),
		WITH_LINKS(routes_are_compared_apart_from_what_is_accepted),
		WITH_LINKS(prefixes_to_add_and_remove_are_there),
		WITH_LINKS(many_prefixes_are_compared_fast),
		WITH_LINKS(a_copy_is_no_change),
		WITH_LINKS(short_memory_leaves_no_changes),
		WITH_LINKS(changes_end_twice),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
