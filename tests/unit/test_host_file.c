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

#define SYNTAX                                                                                     \
	"the syntax is wrong here or just before; a setting is written name = value; and words "   \
	"stand in quotation marks (what follows is not checked yet)\n"
#define TWICE                                                                                      \
	"a name is given twice in its group; keep one of them (what follows is not checked yet)\n"
#define INCLUDED                                                                                   \
	"@include is not allowed; all settings of the host stand in this one file (what follows "  \
	"is not checked yet)\n"
#define SWITCH    "true or false, without quotation marks\n"
#define OPEN      "the file ends inside a comment; one that opens with \"/*\" needs \"*/\"\n"
#define MTU       "defaults.mtu is not 0 (what fits the path) or a number from 1280 to 65475\n"
#define KEEPALIVE "defaults.persistent_keepalive is not a number of seconds from 0 (off) to 65535\n"
#define LEVEL                                                                                      \
	"log.level is not one of \"error\", \"warning\", \"notice\", \"info\", \"debug\", in "     \
	"quotation marks\n"
#define CIPHER                                                                                     \
	"defaults.cipher is not one of \"auto\", \"chacha20-poly1305\", \"aes256-gcm\", "          \
	"\"aegis128l\", \"aegis256\", in quotation marks\n"
#define CONTROL(code) "there is a control character (" code "); a host file is plain text\n"
#define IN_LINE       "a carriage return stands inside the line; lines end in LF or CR LF\n"

struct broken_file {
	const char *text;
	const char *said; /* as diag_print() writes it for the file x */
};

/* libconfig loses the memory of a string where its grammar expects none: such a text would be a
   leak under valgrind, so they are left to the fuzzer. */
static const struct broken_file broken_files[] = {
	/* Names. */
	{ "lgo: { level = \"info\"; }",
	  "x:1: error: unknown group \"lgo\"; did you mean \"log\"?\n" },
	{ "Data: { }", "x:1: error: unknown group \"Data\"; did you mean \"data\"?\n" },
	{ "\nnetwork: { a: { b: { c = 1; } } }",
	  "x:2: error: unknown group \"network\"; a host file has log, data and defaults\n" },
	{ "whatever = 5;",
	  "x:1: error: unknown group \"whatever\"; a host file has log, data and defaults\n" },
	{ "a_name_that_is_much_too_long_to_be_repeated_here = 1;",
	  "x:1: error: unknown group; a host file has log, data and defaults\n" },
	{ "mtu = 1400;", "x:1: error: mtu belongs in a group: defaults: { mtu = ...; }\n" },
	{ "log: {\n\tlevle = \"info\";\n}",
	  "x:2: error: unknown setting \"levle\" in log; did you mean \"level\"?\n" },
	{ "data: { TUN_OFFLOAD = true; }",
	  "x:1: error: unknown setting \"TUN_OFFLOAD\" in data; did you mean \"tun_offload\"?\n" },
	{ "data: { mtu = 1400; }", "x:1: error: mtu belongs in the group defaults, not in data\n" },
	{ "defaults: { xyzzy: { mtu = 1; } }",
	  "x:1: error: unknown setting \"xyzzy\" in defaults; known there are mtu, "
	  "persistent_keepalive, cipher\n" },
	{ "log: { a_name_that_is_much_too_long_to_be_repeated_here = 1; }",
	  "x:1: error: unknown setting in log; known there are level\n" },

	/* Types. */
	{ "log = \"info\";", "x:1: error: log is a group of settings: log: { ... }\n" },
	{ "log = ( );", "x:1: error: log is a group of settings: log: { ... }\n" },
	{ "data = [ true, false ];", "x:1: error: data is a group of settings: data: { ... }\n" },
	{ "log: { level = 6; }", "x:1: error: " LEVEL },
	{ "log: { level: { } }", "x:1: error: " LEVEL },
	{ "log: { level = \"loud\"; }", "x:1: error: " LEVEL },
	{ "log: { level = \"\"; }", "x:1: error: " LEVEL },
	{ "data: { tun_offload = 1; }", "x:1: error: data.tun_offload is not " SWITCH },
	{ "data: { udp_gro = \"true\"; }", "x:1: error: data.udp_gro is not " SWITCH },
	{ "data: { udp_gro = ( true ); }", "x:1: error: data.udp_gro is not " SWITCH },
	{ "defaults: { mtu = \"1400\"; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 1400.0; }", "x:1: error: " MTU },
	{ "defaults: { mtu = true; }", "x:1: error: " MTU },
	{ "defaults: { mtu = [ 1400 ]; }", "x:1: error: " MTU },
	{ "defaults: { cipher = true; }", "x:1: error: " CIPHER },
	{ "defaults: { cipher = \"rot13\"; }", "x:1: error: " CIPHER },

	/* Numbers. */
	{ "defaults: { mtu = 1279; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 65476; }", "x:1: error: " MTU },
	{ "defaults: { mtu = -1400; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 0x578; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 0x1000005DC; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 4294968796; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 4294968796L; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 18446744073709553116; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 99999999999999999999999999999999; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 1e3; }", "x:1: error: " MTU },
	{ "defaults: { persistent_keepalive = 65536; }", "x:1: error: " KEEPALIVE },
	{ "defaults: { persistent_keepalive = -1; }", "x:1: error: " KEEPALIVE },
	{ "defaults: { persistent_keepalive = -4294967271; }", "x:1: error: " KEEPALIVE },
	{ "defaults: { persistent_keepalive = \"off\"; }", "x:1: error: " KEEPALIVE },

	/* Syntax, and what stands in front of it. */
	{ "log: { level = info; }", "x:1: error: " SYNTAX },
	{ "log: {\n\tlevel = \"info\";\n\n", "x:3: error: " SYNTAX },
	{ "log: { }\n}\n", "x:2: error: " SYNTAX },
	{ "log", "x:1: error: " SYNTAX },
	{ "data: { udp_gro = ; }", "x:1: error: " SYNTAX },
	{ "[Interface]\nMTU = 1400\n", "x:1: error: " SYNTAX },
	{ "log.level = 1;", "x:1: error: " SYNTAX },
	{ "/* no end\nlog: { }\n", "x:2: error: " OPEN },
	{ "/* a */ log: { level = 6; } /* b\n", "x:1: error: " LEVEL "x:1: error: " OPEN },
	{ "log: { /* }", "x:1: error: " SYNTAX },
	{ "\xc3\xa4 = 1;", "x:1: error: " SYNTAX },
	{ "defaults: {\n\tmtu = 1;\n\tcipher = 2;\n\t=\n",
	  "x:2: error: " MTU "x:3: error: " CIPHER "x:4: error: " SYNTAX },
	{ "log: { level = 6;\n level = \"info\"; }", "x:1: error: " LEVEL "x:2: error: " TWICE },
	{ "log: { }\ndata: { }\nlog: { }\n", "x:3: error: " TWICE },

	/* Directives. */
	{ "@include \"/etc/hostname\"\n", "x:1: error: " INCLUDED },
	{ "log: {\n\t @include \"/etc/hostname\"\n}\n", "x:2: error: " INCLUDED },
	{ "/* */ @include \"/etc/hostname\"\n", "x:1: error: " INCLUDED },
	{ "@@include\n", "x:1: error: " INCLUDED },

	/* Bytes. */
	{ "# a\001\n", "x:1: error: " CONTROL("0x01") },
	{ "\n\n# \033[2J\n", "x:3: error: " CONTROL("0x1b") },
	{ "# \177", "x:1: error: " CONTROL("0x7f") },
	{ "# old\rlog: { }\r", "x:1: error: " IN_LINE },

	/* All at once. */
	{ "log: { level = 1; }\r\ndata: { udp_gor = true;\r\n udp_segment = 1; }\r\nlinks: { }\r\n",
	  "x:1: error: " LEVEL
	  "x:2: error: unknown setting \"udp_gor\" in data; did you mean \"udp_gro\"?\n"
	  "x:3: error: data.udp_segment is not " SWITCH
	  "x:4: error: unknown group \"links\"; a host file has log, data and defaults\n" },
};

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
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	diag_print(&diag, stream);
	fclose(stream);
	if (strcmp(text, expected) != 0)
		fail_msg("%s\n%sinstead of\n%s", what, text, expected);
	free(text);
}

/* Parses from a block of exactly that size, so that ASan sees every byte too many. */
static void parse(const char *text, size_t len)
{
	char *copy = malloc(MAX(len, 1));

	assert_non_null(copy);
	memcpy(copy, text, len);
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
	for (size_t i = 0; i < HOST_KEYS_N; i++)
		assert_int_equal(host_keys_get(&host_keys_table[i], &host),
				 host_keys_table[i].fallback);
	assert_int_equal(host.log.level, CONF_LOG_INFO);
	assert_true(host.data.tun_offload && host.data.tun_merge_tcp && host.data.tun_merge_udp);
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
	assert_int_equal(host.log.level, CONF_LOG_DEBUG);
	parse_good("log = { level = \"ERROR\" }");
	assert_int_equal(host.log.level, CONF_LOG_ERROR);
	parse_good("data: { tun_offload = false; tun_merge_tcp = FALSE; tun_merge_udp = false;\n"
		   "udp_segment = false, udp_gro = false trust_inner_checksum = True }\n"
		   "defaults : { mtu : 1400; persistent_keepalive = 25L; cipher = \"aes256\"\n"
		   "\"-gcm\"; };\n");
	assert_false(host.data.tun_offload || host.data.tun_merge_tcp || host.data.tun_merge_udp);
	assert_false(host.data.udp_segment || host.data.udp_gro);
	assert_true(host.data.trust_inner_checksum);
	assert_int_equal(host.defaults.mtu, 1400);
	assert_int_equal(host.defaults.persistent_keepalive, 25);
	assert_int_equal(host.defaults.cipher, CONF_CIPHER_AES256_GCM);
	parse_good("defaults: { mtu = 0; persistent_keepalive = 65535; }");
	assert_int_equal(host.defaults.persistent_keepalive, 65535);
	parse_good("defaults: { mtu = 65475; }");
	parse_good("defaults: { mtu = 1280; }");
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

/* A cipher has the same name in both files. */
static void ciphers_are_those_of_a_link_file(void **state)
{
	const struct host_keys_row *row = &host_keys_table[HOST_KEYS_CIPHER];

	(void)state;
	assert_int_equal(row->n_words, CONF_CIPHER_AEGIS256 + 1);
	for (size_t i = 0; i < row->n_words; i++) {
		struct conf_link link = { .name = "a" };

		assert_null(values_cipher(row->words[i].word, strlen(row->words[i].word), &link,
					  &link.cipher));
		assert_int_equal(link.cipher, row->words[i].value);
	}
}

static void apply_to(const char *text, struct conf_link *link)
{
	struct diag found = DIAG_NULL("link");

	assert_int_equal(conf_link_init(link), 0);
	link_file_parse(text, strlen(text), link, &found);
	diag_deinit(&found);
	host_apply_defaults(&host, link);
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
	assert_int_equal(host.log.level, CONF_LOG_ERROR);
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
	assert_int_equal(host.log.level, CONF_LOG_DEBUG);
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
		cmocka_unit_test(ciphers_are_those_of_a_link_file),
		cmocka_unit_test_setup_teardown(links_take_defaults_where_they_are_silent, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(files_must_be_trusted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_file_means_the_defaults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(large_files_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(random_texts_do_no_harm, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("host_file", tests, NULL, NULL);
}
