/*
 * Tests of conf/link_file.c: whole files. The broken ones and what is said about each are the
 * table in link_file_rows.h; files on disk are made in a directory of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/keytext.h"
#include "common/nsec.h"
#include "conf/link_file.h"
#include "tests/unit/findings.h"
#include "tests/unit/link_file_rows.h"
#include "tests/unit/temp_dir.h"

static struct conf_link link_conf;
static struct diag diag = DIAG_NULL("x");
static char dir[TEMP_DIR_LEN];

static int set_up(void **state)
{
	(void)state;
	if (!make_temp_dir(dir))
		return -1;
	return conf_link_init(&link_conf);
}

static int tear_down(void **state)
{
	static const char *const names[] = { "a.conf", "private", "psk", "not a name.conf" };
	char path[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	conf_link_deinit(&link_conf);
	diag_deinit(&diag);
	return rmdir(dir);
}

/* Forgets what was read and found: the next file needs an empty link. */
static void start_again(void)
{
	diag_deinit(&diag);
	conf_link_deinit(&link_conf);
	assert_int_equal(conf_link_init(&link_conf), 0);
}

static void expect_said(const char *expected)
{
	findings_expect(&diag, "the file", expected);
}

static void parse(const char *text, size_t len)
{
	char *copy = exact_copy(text, len);

	link_file_parse(copy, len, &link_conf, &diag);
	free(copy);
}

static void parse_good(const char *text)
{
	parse(text, strlen(text));
	expect_said("");
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void load(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	link_file_load(path, &link_conf, &diag);
}

static void broken_files_say_what_is_wrong(void **state)
{
	/* Any part of a secret this long would help a thief. */
	static const char *const secrets[] = { "EBESExQV", "GRobHB0e", "JSYnKCkq", "wMHCw8TF",
					       "zM3Oz9DR" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(broken_files); i++) {
		const struct broken_file *row = &broken_files[i];
		char *text;

		parse(row->text, strlen(row->text));
		text = findings_text(&diag);
		if (strcmp(text, row->said) != 0)
			fail_msg("%s:\n%sinstead of\n%s", row->what, text, row->said);
		for (size_t j = 0; j < ARRAY_SIZE(secrets); j++)
			assert_null(strstr(text, secrets[j]));
		free(text);
		start_again();
	}
}

/* Files as wg-quick's manual and common generators write them. */
static void wg_quick_files_work(void **state)
{
	struct key key;

	(void)state;
	parse_good("# site a\n"
		   "[Interface]\n"
		   "Address = 10.200.100.8/24, fd00:1::8/64\n"
		   "DNS = 10.200.100.1, example.com\n"
		   "PrivateKey = " A "\n"
		   "ListenPort = 51820 # the usual\n"
		   "FwMark = 0xca6c\n"
		   "MTU = 1420\n"
		   "Table = off\n"
		   "PreUp = true\n"
		   "PostUp = iptables -A FORWARD -i %i -j ACCEPT; echo '# ;'\n"
		   "PostUp = wg set %i private-key <(cat /etc/key)\n"
		   "PostDown = iptables -D FORWARD -i %i -j ACCEPT\n"
		   "PreDown = true\n"
		   "SaveConfig = false\n"
		   "\n"
		   "[Peer]\n"
		   "PublicKey = " PUB_B "\n"
		   "PresharedKey=" PSK "\n"
		   "AllowedIPs = 0.0.0.0/0,::/0\n"
		   "AllowedIPs = 10.0.0.0/8 , 192.0.2.1 , fd00::/8\n"
		   "Endpoint = demo.example.com:51820\n"
		   "PersistentKeepalive = 25\n");
	assert_true(keytext_decode(A, KEYTEXT_LEN, &key));
	assert_true(key_equal(&key, &link_conf.secrets->private_key));
	assert_true(keytext_decode(PUB_A, KEYTEXT_LEN, &key));
	assert_true(key_equal(&key, &link_conf.public_key));
	assert_true(keytext_decode(PSK, KEYTEXT_LEN, &key));
	assert_true(key_equal(&key, &link_conf.secrets->preshared_key));
	assert_int_equal(link_conf.addresses.n, 2);
	assert_true(prefix_has_host_bits(&link_conf.addresses.items[0]));
	assert_int_equal(link_conf.dns.n, 2);
	assert_int_equal(link_conf.listen_port, 51820);
	assert_int_equal(link_conf.fwmark, 0xca6c);
	assert_int_equal(link_conf.mtu, 1420);
	assert_int_equal(link_conf.table_kind, CONF_TABLE_OFF);
	assert_int_equal(link_conf.hooks[CONF_PRE_UP].n, 1);
	assert_int_equal(link_conf.hooks[CONF_POST_UP].n, 2);
	assert_string_equal(link_conf.hooks[CONF_POST_UP].items[0],
			    "iptables -A FORWARD -i %i -j ACCEPT; echo '# ;'");
	assert_int_equal(link_conf.allowed_ips.n, 5);
	assert_int_equal(link_conf.n_endpoints, 1);
	assert_int_equal(link_conf.persistent_keepalive, 25);
}

static void keys_of_our_own_work(void **state)
{
	(void)state;
	parse_good("[interface]\n"
		   "privatekeyfile = keys/a\n"
		   "MODE = tap\nbridge = br0\nNamespace = blue\nReadyWhen = handshake\n"
		   "[PEER]\n"
		   "PUBLICKEY = " PUB_B "\n"
		   "PresharedKeyFile = /etc/vpnd/psk\n"
		   "Endpoint = [2001:db8::1]:51820\nEndpoint = 192.0.2.1:51820\n"
		   "Endpoint = backup.example.com:51820\n"
		   "Cipher = aes256-gcm\nPersistentKeepalive = off\n");
	assert_string_equal(link_conf.private_key_file, "keys/a");
	assert_string_equal(link_conf.preshared_key_file, "/etc/vpnd/psk");
	assert_int_equal(link_conf.mode, CONF_MODE_TAP);
	assert_string_equal(link_conf.bridge, "br0");
	assert_string_equal(link_conf.namespace, "blue");
	assert_int_equal(link_conf.ready_when, CONF_READY_HANDSHAKE);
	assert_int_equal(link_conf.n_endpoints, 3);
	assert_int_equal(link_conf.endpoints[0].literal.sa.sa_family, AF_INET6);
	assert_int_equal(link_conf.endpoints[2].literal.sa.sa_family, AF_UNSPEC);
	assert_int_equal(link_conf.cipher, CONF_CIPHER_AES256_GCM);
}

static void defaults_hold(void **state)
{
	(void)state;
	parse_good(IFACE PEER);
	assert_int_equal(link_conf.listen_port, 0);
	assert_int_equal(link_conf.mtu, 0);
	assert_int_equal(link_conf.table_kind, CONF_TABLE_AUTO);
	assert_int_equal(link_conf.mode, CONF_MODE_TUN);
	assert_int_equal(link_conf.ready_when, CONF_READY_INTERFACE);
	assert_int_equal(link_conf.cipher, CONF_CIPHER_AUTO);
	assert_true(key_is_zero(&link_conf.secrets->preshared_key));
}

static void other_shapes_of_text_work(void **state)
{
	(void)state;
	parse_good("\xef\xbb\xbf[Interface]\r\nPrivateKey = " A
		   "\r\n\r\n[Peer]\r\nPublicKey = " PUB_B "\r\nAllowedIPs =");
}

static void empty_lists_are_lists(void **state)
{
	(void)state;
	parse_good(IFACE "Address =\nDNS = # none\n[Peer]\nAllowedIPs = \nPublicKey = " PUB_B);
	assert_int_equal(link_conf.allowed_ips.n, 0);
	assert_int_equal(link_conf.addresses.n, 0);
}

/* wg removes all white space before it reads a list; wg-quick splits addresses at it. */
static void white_space_in_lists_means_what_it_means_elsewhere(void **state)
{
	(void)state;
	parse_good(IFACE "Address = 10.0.0.1/24 10.0.0.2/24,\t10.0.0.3/24\n" PEER
			 "AllowedIPs = 192.0.2.0 / 24 ,\t198.51.100.0/ 24\n");
	assert_int_equal(link_conf.addresses.n, 3);
	assert_int_equal(link_conf.allowed_ips.n, 3);
}

static void line_of_4000_characters_works(void **state)
{
	char text[8192];
	size_t len = (size_t)snprintf(text, sizeof(text), IFACE PEER "AllowedIPs = ");
	size_t start = len;
	size_t n = 0;

	(void)state;
	while (len - start < 4000) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s172.16.%zu.0/24",
					n == 0 ? "" : ", ", n);
		n++;
	}
	assert_true(n > 200);
	parse_good(text);
	assert_int_equal(link_conf.allowed_ips.n, n + 1);
}

static void line_beyond_the_limit_is_an_error(void **state)
{
	static char text[CONF_LINE_MAX + 1000];
	int len = snprintf(text, sizeof(text), IFACE PEER "AllowedIPs = ");

	(void)state;
	memset(text + len, '1', CONF_LINE_MAX);
	parse(text, (size_t)len + CONF_LINE_MAX);
	expect_said(
		"x:6: error: the line has 16397 characters, but at most 16384 are read; spread a "
		"list over several lines that begin with the same key\n");
}

/* Nothing stands behind the last value, and no look at it may go there. */
static void unknown_keys_may_end_the_file(void **state)
{
	(void)state;
	parse(IFACE PEER "Qwerty =", strlen(IFACE PEER "Qwerty ="));
	assert_int_equal(diag.n_errors, 1);
	assert_null(strstr(diag.items[0].text, "Qwerty"));
	start_again();
	parse(IFACE PEER "Qwerty ===", strlen(IFACE PEER "Qwerty ==="));
	assert_int_equal(diag.n_errors, 1);
	assert_null(strstr(diag.items[0].text, "Qwerty"));
}

static void nul_bytes_are_an_error(void **state)
{
	static const char text[] = IFACE PEER "Cipher = auto\0\n";

	(void)state;
	parse(text, sizeof(text) - 1);
	expect_said("x:6: error: the line holds a NUL byte; a link file is plain text\n");
}

static void many_prefixes_load_fast(void **state)
{
	const size_t n = 130000;
	size_t size = n * 40 + 1000;
	char *text = malloc(size);
	size_t len;
	nsec_t start;

	(void)state;
	assert_non_null(text);
	len = (size_t)snprintf(text, size, IFACE "[Peer]\nPublicKey = " PUB_B "\n");
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%zu.%zu.%zu.0/24%s",
					i % 100 == 0 ? "AllowedIPs = " : ", ", 1 + (i >> 16),
					(i >> 8) & 255, i & 255, i % 100 == 99 ? "\n" : "");
	start = nsec_boottime();
	link_file_parse(text, len, &link_conf, &diag);
	free(text);
	assert_int_equal(diag.n_items, 0);
	assert_int_equal(link_conf.allowed_ips.n, n);
	/* A tenth of a second; the bound leaves room for sanitizers and valgrind. */
	assert_true(nsec_boottime() - start < 20 * NSEC_PER_SEC);
}

static void wrong_lines_without_end_are_survived(void **state)
{
	size_t n = 200000;
	char *text = malloc(n * 2);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < n * 2; i++)
		text[i] = i % 2 == 0 ? 'x' : '\n';
	link_file_parse(text, n * 2, &link_conf, &diag);
	free(text);
	assert_int_equal(diag.n_errors, n + 2);
	assert_true(diag.n_items < 2000);
}

static void files_on_disk_name_their_link(void **state)
{
	(void)state;
	write_file("a.conf", IFACE PEER, 0600);
	load("a.conf");
	expect_said("");
	assert_string_equal(link_conf.name, "a");
	start_again();
	write_file("not a name.conf", IFACE PEER, 0600);
	load("not a name.conf");
	assert_int_equal(diag.n_errors, 1);
	assert_int_equal(diag.code, EXIT_CONFIG);
	assert_non_null(strstr(diag.items[0].text, "names the interface"));
}

static void untrusted_files_are_not_read(void **state)
{
	(void)state;
	load("a.conf");
	expect_said("x: error: the file does not exist\n");
	assert_int_equal(diag.code, EXIT_CONFIG);
	start_again();
	write_file("a.conf", IFACE PEER, 0644);
	load("a.conf");
	expect_said(
		"x: error: everybody has rights on the file (mode 0644), but it holds keys; set "
		"chmod 600\n");
	assert_int_equal(diag.code, EXIT_PERMISSION);
	assert_true(key_is_zero(&link_conf.secrets->private_key));
}

static void key_files_are_read_beside_the_link_file(void **state)
{
	struct key key;

	(void)state;
	write_file("a.conf",
		   "[Interface]\nPrivateKeyFile = private\n" PEER "PresharedKeyFile = psk\n", 0600);
	write_file("private", A "\n", 0600);
	write_file("psk", PSK, 0400);
	load("a.conf");
	expect_said("");
	assert_true(keytext_decode(A, KEYTEXT_LEN, &key));
	assert_true(key_equal(&key, &link_conf.secrets->private_key));
	assert_true(keytext_decode(PUB_A, KEYTEXT_LEN, &key));
	assert_true(key_equal(&key, &link_conf.public_key));
	assert_true(keytext_decode(PSK, KEYTEXT_LEN, &key));
	assert_true(key_equal(&key, &link_conf.secrets->preshared_key));
}

static void key_files_are_checked_like_link_files(void **state)
{
	(void)state;
	write_file("a.conf",
		   "[Interface]\nPrivateKeyFile = private\n" PEER "PresharedKeyFile = psk\n", 0600);
	write_file("private", A "\n", 0604);
	write_file("psk", PSK, 0600);
	load("a.conf");
	expect_said(
		"x:2: error: PrivateKeyFile: everybody has rights on the file (mode 0604), but it "
		"holds keys; set chmod 600\n");
	assert_int_equal(diag.code, EXIT_PERMISSION);
	start_again();

	write_file("private", A "\n\n", 0600);
	write_file("psk", A_HEAD, 0600);
	load("a.conf");
	expect_said("x:2: error: PrivateKeyFile: the file must hold one key of 44 characters and "
		    "nothing else\n"
		    "x:6: error: PresharedKeyFile: the file must hold one key of 44 characters and "
		    "nothing else\n");
	start_again();

	write_file("a.conf", "[Interface]\nPrivateKeyFile = no-such\n" PEER, 0600);
	load("a.conf");
	expect_said("x:2: error: PrivateKeyFile: the file does not exist\n");
	assert_int_equal(diag.code, EXIT_CONFIG);
}

/* "main" is a table everywhere. */
static void names_of_tables_become_numbers(void **state)
{
	(void)state;
	write_file("a.conf", IFACE "Table = main\n" PEER, 0600);
	load("a.conf");
	expect_said("");
	assert_int_equal(link_conf.table_kind, CONF_TABLE_NAME);
	assert_int_equal(link_conf.table, 254);
	assert_string_equal(link_conf.table_name, "main");
	start_again();
	write_file("a.conf", IFACE "Table = no-such-table-anywhere\n" PEER, 0600);
	load("a.conf");
	expect_said("x:3: error: Table is a name that no routing table of this host has; add "
		    "\"NUMBER NAME\" to /etc/iproute2/rt_tables, or give the number here\n");
	start_again();
	write_file("a.conf", IFACE "Table = 7\n" PEER, 0600);
	load("a.conf");
	expect_said("");
	assert_int_equal(link_conf.table, 7);
	assert_null(link_conf.table_name);
}

static void own_public_key_is_seen_with_a_key_file(void **state)
{
	(void)state;
	write_file("a.conf",
		   "[Interface]\nPrivateKeyFile = private\n[Peer]\nPublicKey = " PUB_A
		   "\nAllowedIPs = 10.0.0.0/8\n",
		   0600);
	write_file("private", A "\r\n", 0600);
	load("a.conf");
	expect_said("x:4: error: PublicKey is the public key of this end; the far end's belongs "
		    "here\n");
}

#define WITH_LINK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LINK(broken_files_say_what_is_wrong),
		WITH_LINK(wg_quick_files_work),
		WITH_LINK(keys_of_our_own_work),
		WITH_LINK(defaults_hold),
		WITH_LINK(other_shapes_of_text_work),
		WITH_LINK(empty_lists_are_lists),
		WITH_LINK(white_space_in_lists_means_what_it_means_elsewhere),
		WITH_LINK(line_of_4000_characters_works),
		WITH_LINK(line_beyond_the_limit_is_an_error),
		WITH_LINK(unknown_keys_may_end_the_file),
		WITH_LINK(nul_bytes_are_an_error),
		WITH_LINK(many_prefixes_load_fast),
		WITH_LINK(wrong_lines_without_end_are_survived),
		WITH_LINK(files_on_disk_name_their_link),
		WITH_LINK(untrusted_files_are_not_read),
		WITH_LINK(key_files_are_read_beside_the_link_file),
		WITH_LINK(key_files_are_checked_like_link_files),
		WITH_LINK(names_of_tables_become_numbers),
		WITH_LINK(own_public_key_is_seen_with_a_key_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
