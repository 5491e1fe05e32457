/* Tests of daemon/cli/export_writer.c: a link seen from its far end, and what stays open in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "conf/link_file.h"
#include "daemon/cli/export_writer.h"
#include "daemon/cli/host_arg.h"

#define KEYS_HERE   "[Interface]\nPrivateKey = dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n"
#define PUBLIC_HERE "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
#define PEER        "[Peer]\nPublicKey = 3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=\n"

static struct conf_link conf;
static struct secret_text text;

static int tear_down(void **state)
{
	(void)state;
	conf_link_deinit(&conf);
	secret_text_deinit(&text);
	return 0;
}

/* What is exported for a link file; bits of what is open. */
static unsigned int export(const char *file, const char *here, const struct key *private_key,
			   bool has_comments)
{
	struct diag diag = DIAG_NULL("site.conf");
	struct endpoint_spec address;
	struct export_writer writer = {
		.link = &conf,
		.private_key = private_key,
		.has_comments = has_comments,
	};
	const char *reason;

	tear_down(NULL);
	assert_int_equal(conf_link_init(&conf), 0);
	link_file_parse(file, strlen(file), &conf, &diag);
	assert_int_equal(diag.n_errors, 0);
	diag_deinit(&diag);
	if (here != NULL) {
		assert_true(host_arg_parse(here, conf.listen_port, &address, &reason));
		writer.address = &address;
	}
	assert_int_equal(secret_text_init(&text, EXPORT_WRITER_SIZE), 0);
	return export_writer_file(&writer, &text);
}

static void assert_has(const char *line)
{
	char whole[256];

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (strstr(text.bytes, whole) == NULL)
		fail_msg("no line \"%s\" in:\n%s", line, text.bytes);
}

static void assert_lacks(const char *part)
{
	if (strstr(text.bytes, part) != NULL)
		fail_msg("\"%s\" in:\n%s", part, text.bytes);
}

static void swaps_the_roles(void **state)
{
	static const char file[] =
		KEYS_HERE "Address = 10.9.0.1/24, fd09::1/64\nListenPort = 4000\nMTU = 1400\n" PEER
			  "PresharedKey = AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\n"
			  "AllowedIPs = 10.9.0.2/32, fd09::2/128, 192.168.7.0/24, 192.168.9.9/32\n"
			  "Endpoint = west.example.net:5000\nPersistentKeepalive = 7\n";

	(void)state;
	assert_int_equal(export(file, "east.example.net", NULL, true), EXPORT_WRITER_NO_KEY);
	assert_has("Address = 10.9.0.2/24, fd09::2/64");
	assert_has("ListenPort = 5000");
	assert_has("MTU = 1400");
	assert_has("PublicKey = " PUBLIC_HERE);
	assert_has("PresharedKey = AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=");
	assert_has("AllowedIPs = 10.9.0.1/32, fd09::1/128");
	assert_has("Endpoint = east.example.net:4000");
	assert_has("# PrivateKey = ");
	assert_lacks("\nPrivateKey");
	/* Its own secret and its own affairs are nobody's business. */
	assert_lacks("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=");
	assert_lacks("PersistentKeepalive");
	assert_lacks("192.168");
}

static void without_comments_every_line_counts(void **state)
{
	static const struct key private_key = { { 1, 2, 3 } };
	static const char file[] =
		KEYS_HERE "Address = 10.9.0.1/24\nListenPort = 1\n" PEER "AllowedIPs = 10.9.0.2\n";

	(void)state;
	assert_int_equal(export(file, "[2001:db8::1]", &private_key, false), 0);
	assert_string_equal(text.bytes,
			    "[Interface]\n"
			    "PrivateKey = AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
			    "Address = 10.9.0.2/24\n"
			    "\n[Peer]\n"
			    "PublicKey = " PUBLIC_HERE "\n"
			    "AllowedIPs = 10.9.0.1/32\n"
			    "Endpoint = [2001:db8::1]:1\n"
			    "PersistentKeepalive = 25\n");
}

static void says_what_stays_open(void **state)
{
	(void)state;
	assert_int_equal(export(KEYS_HERE PEER "AllowedIPs = 192.168.0.0/16\n", NULL, NULL, true),
			 EXPORT_WRITER_NO_KEY | EXPORT_WRITER_NO_ADDRESS |
				 EXPORT_WRITER_NO_ENDPOINT | EXPORT_WRITER_NO_CALLER);
	assert_has("# Address = ");
	assert_has("# AllowedIPs = ");
	assert_has("# Endpoint = HOST:51820");
	assert_lacks("\nAddress");
	assert_lacks("\nAllowedIPs");
	assert_lacks("\nEndpoint");
	assert_lacks("ListenPort");
	assert_lacks("MTU");
	assert_lacks("PresharedKey");
	/* Who is called needs not call. */
	assert_int_equal(export(KEYS_HERE PEER "Endpoint = west:5\n", NULL, NULL, true),
			 EXPORT_WRITER_NO_KEY | EXPORT_WRITER_NO_ADDRESS |
				 EXPORT_WRITER_NO_ENDPOINT);
	assert_has("ListenPort = 5");
}

static void finds_the_far_address(void **state)
{
	static const struct {
		const char *addresses, *allowed_ips, *wanted;
	} cases[] = {
		/* In the network of this end, whatever else is there. */
		{ "10.9.0.1/24", "192.168.1.1/32, 10.9.0.7/32", "Address = 10.9.0.7/24" },
		{ "10.9.0.1/24", "10.9.0.7/32, 10.9.0.8/32", "Address = 10.9.0.7/24, 10.9.0.8/24" },
		/* The only host. */
		{ "10.9.0.1/32", "10.8.0.1/32, 10.7.0.0/16", "Address = 10.8.0.1/32" },
		{ "10.9.0.1/24", "fd09::2/128", "Address = fd09::2/128" },
		/* Nobody can know which. */
		{ "10.9.0.1/32", "10.8.0.1/32, 10.8.0.2/32", NULL },
		{ "10.9.0.1/24", "0.0.0.0/0, ::/0", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char file[512];
		unsigned int gaps;

		snprintf(file, sizeof(file), KEYS_HERE "Address = %s\n" PEER "AllowedIPs = %s\n",
			 cases[i].addresses, cases[i].allowed_ips);
		gaps = export(file, NULL, NULL, true);
		assert_int_equal((gaps & EXPORT_WRITER_NO_ADDRESS) != 0, cases[i].wanted == NULL);
		if (cases[i].wanted != NULL)
			assert_has(cases[i].wanted);
	}
}

static void knows_what_a_stock_wireguard_lacks(void **state)
{
	const unsigned int limits = EXPORT_WRITER_CIPHER;

	(void)state;
	assert_int_equal(export(KEYS_HERE PEER "Cipher = aes256-gcm\n", NULL, NULL, true) & limits,
			 EXPORT_WRITER_CIPHER);
	assert_int_equal(export(KEYS_HERE PEER "Cipher = chacha20-poly1305\n", NULL, NULL, true) &
				 limits,
			 0);
	assert_int_equal(export(KEYS_HERE PEER "Cipher = auto\n", NULL, NULL, true) & limits, 0);
}

static void the_largest_file_fits(void **state)
{
	char file[CONF_ADDRESSES_MAX * 128 + 1024];
	int len = snprintf(file, sizeof(file), "%s", KEYS_HERE);

	(void)state;
	for (int i = 0; i < CONF_ADDRESSES_MAX; i++)
		len += snprintf(file + len, sizeof(file) - len,
				"Address = fd09:1111:2222:3333:4444:5555:6666:1%03x/64\n", i);
	len += snprintf(file + len, sizeof(file) - len, PEER);
	for (int i = 0; i < CONF_ADDRESSES_MAX + 5; i++)
		len += snprintf(file + len, sizeof(file) - len,
				"AllowedIPs = fd09:1111:2222:3333:4444:5555:6666:2%03x\n", i);
	assert_true((size_t)len < sizeof(file));
	export(file, NULL, NULL, true);
	assert_false(text.is_cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(swaps_the_roles, tear_down),
		cmocka_unit_test_teardown(without_comments_every_line_counts, tear_down),
		cmocka_unit_test_teardown(says_what_stays_open, tear_down),
		cmocka_unit_test_teardown(finds_the_far_address, tear_down),
		cmocka_unit_test_teardown(knows_what_a_stock_wireguard_lacks, tear_down),
		cmocka_unit_test_teardown(the_largest_file_fits, tear_down),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
