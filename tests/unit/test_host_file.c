/*
 * Tests of conf/host_file.c and of the table of its settings: broken files and what is said about
 * each, good ones, files on disk, and the defaults that a link takes from its host.
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
#include <time.h>
#include <unistd.h>

#include "common/parse.h"
#include "conf/host_file.h"
#include "conf/host_keys.h"
#include "conf/link_file.h"
#include "conf/values.h"
#include "tests/unit/findings.h"
#include "tests/unit/host_file_rows.h"

static struct conf_host host;
static struct diag diag = DIAG_NULL("x");
static char path[64];

static int set_up(void **state)
{
	int fd;

	(void)state;
	conf_host_init(&host);
	snprintf(path, sizeof(path), "/tmp/vpnd-test-host.XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	diag_deinit(&diag);
	unlink(path);
	return 0;
}

static void start_again(void)
{
	diag_deinit(&diag);
	conf_host_init(&host);
}

static void expect_said(const char *what, const char *expected)
{
	findings_expect(&diag, what, expected);
}

static void parse(const char *text, size_t len)
{
	char *copy = exact_copy(text, len);

	host_file_parse(copy, len, &host, &diag);
	free(copy);
}

static void parse_good(const char *text)
{
	start_again();
	parse(text, strlen(text));
	expect_said(text, "");
}

static void broken_files_say_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(broken_files); i++) {
		start_again();
		parse(broken_files[i].text, strlen(broken_files[i].text));
		expect_said(broken_files[i].text, broken_files[i].said);
		assert_int_equal(diag.code, EXIT_CONFIG);
	}
}

static void nul_bytes_and_utf16_are_refused(void **state)
{
	static const char inside[] = "log: { }\n\0mtu = 1;";
	static const char utf16[] = "\xff\xfel\0o\0g\0";

	(void)state;
	parse(inside, sizeof(inside) - 1);
	expect_said("NUL", "x:2: error: " CONTROL("0x00"));
	start_again();
	parse(utf16, sizeof(utf16) - 1);
	expect_said("UTF-16", "x:1: error: " CONTROL("0x00"));
}

static void defaults_are_what_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < HOST_KEYS_N; i++) {
		const struct host_keys_row *row = &host_keys_table[i];

		if (row->type != HOST_KEYS_USER)
			assert_int_equal(host_keys_get(row, &host), row->fallback);
	}
	assert_int_equal(host.log.level, LOG_LEVEL_INFO);
	assert_int_equal(host.log.target, LOG_TARGET_AUTO);
	assert_int_equal(host.data.tun_batch, 256);
	assert_int_equal(host.data.udp_send_batch, 64);
	assert_int_equal(host.data.udp_receive_batch, 64);
	assert_int_equal(host.data.udp_send_buffer, 0);
	assert_int_equal(host.data.udp_receive_buffer, 7 * 1024 * 1024);
	assert_true(host.rights.hooks);
	assert_true(host.data.tun_split_tcp && host.data.tun_split_udp && host.data.tun_merge_tcp &&
		    host.data.tun_merge_udp);
	assert_true(host.data.udp_segment && host.data.udp_gro);
	assert_false(host.data.trust_inner_checksum);
	assert_int_equal(host.defaults.mtu, 0);
	assert_int_equal(host.defaults.persistent_keepalive, 0);
	assert_int_equal(host.defaults.cipher, CONF_CIPHER_AUTO);
}

static void good_files_fill_the_host(void **state)
{
	(void)state;
	parse_good("");
	parse_good("# only a comment without an end");
	parse_good("/* @include \"/etc/hostname\" */\n// 4294968796\n");
	parse_good("\xef\xbb\xbflog: { level = \"debug\"; }\r\n");
	assert_int_equal(host.log.level, LOG_LEVEL_DEBUG);
	parse_good("log = { level = \"ERROR\" }");
	assert_int_equal(host.log.level, LOG_LEVEL_ERROR);
	parse_good("data: { tun_split_tcp = false; tun_split_udp = false; tun_merge_tcp = FALSE; "
		   "tun_merge_udp = false;\n"
		   "udp_segment = false, udp_gro = false trust_inner_checksum = True }\n"
		   "defaults : { mtu : 1400; persistent_keepalive = 25L; cipher = \"aes256\"\n"
		   "\"-gcm\"; };\n");
	assert_false(host.data.tun_split_tcp || host.data.tun_split_udp ||
		     host.data.tun_merge_tcp || host.data.tun_merge_udp);
	assert_false(host.data.udp_segment || host.data.udp_gro);
	assert_true(host.data.trust_inner_checksum);
	assert_int_equal(host.defaults.mtu, 1400);
	assert_int_equal(host.defaults.persistent_keepalive, 25);
	assert_int_equal(host.defaults.cipher, CONF_CIPHER_AES256_GCM);
	parse_good("defaults: { mtu = 0; persistent_keepalive = 65535; }");
	assert_int_equal(host.defaults.persistent_keepalive, 65535);
	parse_good("data: { tun_batch = 1; udp_send_batch = 1; udp_receive_batch = 2;\n"
		   "udp_send_buffer = 65536; udp_receive_buffer = 536870912; }\n"
		   "rights: { hooks = false; }\n"
		   "log: { target = \"Journal\"; }\n");
	assert_int_equal(host.data.tun_batch, 1);
	assert_int_equal(host.data.udp_send_batch, 1);
	assert_int_equal(host.data.udp_receive_batch, 2);
	assert_int_equal(host.data.udp_send_buffer, 65536);
	assert_int_equal(host.data.udp_receive_buffer, 512 * 1024 * 1024);
	assert_false(host.rights.hooks);
	assert_int_equal(host.log.target, LOG_TARGET_JOURNAL);
	parse_good("data: { udp_send_buffer = 0; udp_receive_buffer = 0; }");
	assert_int_equal(host.data.udp_receive_buffer, 0);
	parse_good("defaults: { mtu = 65475; }");
	parse_good("defaults: { mtu = 1280; }");
}

static void users_and_the_sandbox_are_named(void **state)
{
	static const char wrong[] = "x:1: error: rights.user is not the name of a user, in "
				    "quotation marks\n";
	static const char *const users[] = {
		"rights: { user = \"\"; }",
		"rights: { user = \"a b\"; }",
		"rights: { user = 7; }",
		"rights: { user = \"-x\"; }",
		"rights: { user = \"a:b\"; }",
		"rights: { user = \"a23456789012345678901234567890123\"; }",
	};

	(void)state;
	assert_string_equal(host.rights.user, "vpnd");
	parse_good("rights: { user = \"_other-user.1\"; sandbox = \"kill\"; }");
	assert_string_equal(host.rights.user, "_other-user.1");
	assert_int_equal(host.rights.sandbox, CONF_SANDBOX_KILL);
	parse_good("rights: { user = \"a2345678901234567890123456789012\"; sandbox = \"off\"; }");
	assert_int_equal(host.rights.sandbox, CONF_SANDBOX_OFF);
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		start_again();
		parse(users[i], strlen(users[i]));
		expect_said(users[i], wrong);
		assert_string_equal(host.rights.user, "vpnd");
	}
}

static void every_row_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < HOST_KEYS_N; i++) {
		const struct host_keys_row *row = &host_keys_table[i];

		assert_int_equal(host_keys_find(row->group, row->name), i);
		assert_int_equal(host_keys_find(NULL, row->name), i);
		assert_non_null(row->help);
		assert_true((row->type == HOST_KEYS_WORD) == (row->words != NULL));
		assert_true((row->type == HOST_KEYS_WORD) == (row->wants == NULL));
	}
}

static void groups_are_those_of_the_table(void **state)
{
	static const char *const groups[] = { "log", "data", "rights", "defaults" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		assert_string_equal(host_keys_group(i), groups[i]);
		assert_true(host_keys_is_group(groups[i]));
	}
	assert_null(host_keys_group(ARRAY_SIZE(groups)));
}

/* A cipher has the same name in both files. */
static void ciphers_are_those_of_a_link_file(void **state)
{
	const struct host_keys_row *row = &host_keys_table[HOST_KEYS_CIPHER];

	(void)state;
	assert_int_equal(row->words->n, CONF_CIPHER_AEGIS256 + 1);
	for (size_t i = 0; i < row->words->n; i++) {
		const struct words_item *item = &row->words->items[i];
		struct conf_link link = { .name = "a" };

		assert_null(values_cipher(item->word, strlen(item->word), &link, &link.cipher));
		assert_int_equal(link.cipher, item->value);
	}
}

static void apply_to(const char *text, struct conf_link *link)
{
	struct diag found = DIAG_NULL("link");

	assert_int_equal(conf_link_init(link), 0);
	link_file_parse(text, strlen(text), link, &found);
	diag_deinit(&found);
	conf_host_apply_defaults(&host, link);
}

static void links_take_defaults_where_they_are_silent(void **state)
{
	struct conf_link link;

	(void)state;
	parse_good("defaults: { mtu = 1300; persistent_keepalive = 25; cipher = \"aegis256\"; }");
	apply_to("[Interface]\n[Peer]\n", &link);
	assert_int_equal(link.mtu, 1300);
	assert_int_equal(link.persistent_keepalive, 25);
	assert_int_equal(link.cipher, CONF_CIPHER_AEGIS256);
	conf_link_deinit(&link);

	apply_to("[Interface]\nMTU = 1500\n[Peer]\nPersistentKeepalive = off\nCipher = auto\n",
		 &link);
	assert_int_equal(link.mtu, 1500);
	assert_int_equal(link.persistent_keepalive, 0);
	assert_int_equal(link.cipher, CONF_CIPHER_AUTO);
	conf_link_deinit(&link);
}

static void forbidden_commands_are_refused(void **state)
{
	struct conf_link link;

	(void)state;
	parse_good("rights: { hooks = false; }");
	apply_to("[Interface]\nPostUp = a\nPreDown = b\n[Peer]\n", &link);
	conf_host_check_link(&host, &link, &diag);
	expect_said("hooks", "x: error: PostUp is given, but the host file forbids commands with "
			     "rights.hooks = false; take it out or change that\n"
			     "x: error: PreDown is given, but the host file forbids commands with "
			     "rights.hooks = false; take it out or change that\n");
	parse_good("rights: { hooks = true; }");
	conf_host_check_link(&host, &link, &diag);
	expect_said("hooks", "");
	conf_link_deinit(&link);
	parse_good("rights: { hooks = false; }");
	apply_to("[Interface]\n[Peer]\n", &link);
	conf_host_check_link(&host, &link, &diag);
	expect_said("no hooks", "");
	conf_link_deinit(&link);
}

static void write_file(const char *text, mode_t mode)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void load(const char *name, enum exit_code code)
{
	start_again();
	host_file_load(name, &host, &diag);
	assert_int_equal(diag.code, code);
	assert_int_equal(diag.n_errors, code == EXIT_DONE ? 0 : 1);
}

static void files_must_be_trusted(void **state)
{
	char link_path[sizeof(path) + 8];

	(void)state;
	write_file("log: { level = \"error\"; }\n", 0644);
	load(path, EXIT_DONE);
	assert_int_equal(host.log.level, LOG_LEVEL_ERROR);
	write_file("", 0664);
	load(path, EXIT_PERMISSION);
	write_file("", 0646);
	load(path, EXIT_PERMISSION);
	write_file("log = 1;\n", 0600);
	load(path, EXIT_CONFIG);
	load("/tmp", EXIT_CONFIG);
	load("/dev/null", EXIT_CONFIG);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 1, 1), 0);
		load(path, EXIT_PERMISSION);
		assert_int_equal(chown(path, 0, 0), 0);
	}
	snprintf(link_path, sizeof(link_path), "%s.l", path);
	write_file("log: { level = \"debug\"; }\n", 0644);
	assert_int_equal(symlink(path, link_path), 0);
	load(link_path, EXIT_DONE);
	assert_int_equal(host.log.level, LOG_LEVEL_DEBUG);
	assert_int_equal(unlink(path), 0);
	load(link_path, EXIT_CONFIG);
	unlink(link_path);
	assert_int_equal(mkfifo(path, 0600), 0);
	load(path, EXIT_CONFIG);
}

static void no_file_means_the_defaults(void **state)
{
	(void)state;
	assert_int_equal(unlink(path), 0);
	load(path, EXIT_DONE);
	load("/nowhere/at/all/vpnd.cfg", EXIT_DONE);
	defaults_are_what_the_table_says(state);
}

static void large_files_are_refused(void **state)
{
	static char text[HOST_FILE_MAX + 1];

	(void)state;
	memset(text, '\n', sizeof(text));
	parse(text, HOST_FILE_MAX);
	expect_said("just fits", "");
	parse(text, sizeof(text));
	expect_said("too large", "x: error: the file is larger than 65535 bytes\n");
	start_again();
	memset(text, '(', sizeof(text));
	memcpy(text, "log=", 4);
	parse(text, HOST_FILE_MAX);
	assert_int_equal(diag.code, EXIT_CONFIG);
}

/* VPND_SEED repeats a run. Quotation marks are left to the fuzzer; see broken_files. */
static void random_texts_do_no_harm(void **state)
{
	static const char *const parts[] = { "log",  "data",     "defaults", "level", "mtu", "{",
					     "}",    "(",        ")",        "[",     "]",   "=",
					     ":",    ";",        ",",        "1",     "0x",  "9999",
					     "true", "#",        "/*",       "*/",    "\n",  "\r\n",
					     " ",    "@include", "\xff" };
	const char *given = getenv("VPND_SEED"); /* NOLINT(concurrency-mt-unsafe) */
	uint64_t seed = (uint64_t)time(NULL);

	(void)state;
	if (given != NULL)
		assert_true(parse_number(given, UINT64_MAX, &seed));
	print_message("VPND_SEED=%llu\n", (unsigned long long)seed);
	for (unsigned int run = 0; run < 5000; run++) {
		char text[512] = "";
		size_t len = 0;

		while (len < 400) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s",
						parts[(seed >> 33) % ARRAY_SIZE(parts)]);
			if ((seed >> 58) == 0)
				break;
		}
		start_again();
		parse(text, len);
		assert_true(host.defaults.mtu == 0 || (host.defaults.mtu >= CONF_MTU_MIN_IPV6 &&
						       host.defaults.mtu <= CONF_MTU_MAX));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(broken_files_say_what_is_wrong, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nul_bytes_and_utf16_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(defaults_are_what_the_table_says, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(good_files_fill_the_host, set_up, tear_down),
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(groups_are_those_of_the_table),
		cmocka_unit_test(ciphers_are_those_of_a_link_file),
		cmocka_unit_test_setup_teardown(links_take_defaults_where_they_are_silent, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(forbidden_commands_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(users_and_the_sandbox_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files_must_be_trusted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_file_means_the_defaults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(large_files_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(random_texts_do_no_harm, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("host_file", tests, NULL, NULL);
}
