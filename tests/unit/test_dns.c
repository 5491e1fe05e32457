/* Name servers: dns.c against resolvectl and resolvconf that only write down how they are called.
 */
#include "tests/unit/host_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon/host/dns.h"
#include "tests/unit/temp_dir.h"

/* A directory of fake programs, and what they have noted. */
struct desk {
	char dir[TEMP_DIR_LEN];
	char order_file[64];
	char *words[CONF_DNS_MAX];
	struct conf_strings dns;
	struct dns_tools tools;
	struct undo undo;
	char text[DNS_TEXT_MAX];
};

static void setup(struct desk *desk, const char *const *words)
{
	*desk = (struct desk) { .dir = "" };
	assert_true(make_temp_dir(desk->dir));
	snprintf(desk->order_file, sizeof(desk->order_file), "%s/order", desk->dir);
	desk->tools = (struct dns_tools) { .path = desk->dir, .order_file = desk->order_file };
	desk->dns.items = desk->words;
	for (; *words; words++) {
		desk->words[desk->dns.n] = strdup(*words);
		assert_non_null(desk->words[desk->dns.n++]);
	}
}

static void teardown(struct desk *desk)
{
	static const char *const files[] = { "resolvectl", "resolvconf", "calls", "order" };
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", desk->dir, files[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(desk->dir), 0);
	for (size_t i = 0; i < desk->dns.n; i++)
		free(desk->words[i]);
}

static void write_file(struct desk *desk, const char *name, const char *format, const char *word)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", desk->dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	/* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): the tests' own */
	fputs(format, file);
	fputs(word, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0755), 0);
}

/* A program that notes its arguments and its input, and goes on as told. */
static void fake(struct desk *desk, const char *name, const char *end)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "#!/bin/sh\nexec 3>>%s/calls\necho \"%s:$(for i; do printf ' <%%s>' \"$i\"; "
		 "done)\" "
		 ">&3\nsed 's/^/  /' >&3\n",
		 desk->dir, name);
	write_file(desk, name, text, end);
}

/* What has been noted since the last time. */
static const char *calls(struct desk *desk)
{
	static char text[2048];
	char path[64];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/calls", desk->dir);
	file = fopen(path, "re");
	if (!file)
		return "";
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	unlink(path);
	return text;
}

static int set(struct desk *desk)
{
	return dns_set(&desk->tools, "site-a", &desk->dns, &desk->undo, desk->text);
}

static int unset(struct desk *desk)
{
	return dns_unset(&desk->tools, "site-a", &desk->undo, desk->text);
}

static const char *const both[] = { "10.9.0.53", "example.net", "fd00::53", "example.org", NULL };
static const char *const domains[] = { "example.net", NULL };
static const char *const nothing[] = { NULL };

static void test_resolved(void **state)
{
	struct desk desk;

	(void)state;
	setup(&desk, both);
	fake(&desk, "resolvectl", "");
	fake(&desk, "resolvconf", "");
	assert_int_equal(set(&desk), 0);
	assert_string_equal(desk.text, "");
	assert_int_equal(desk.undo.dns, UNDO_DNS_RESOLVED);
	assert_string_equal(calls(&desk),
			    "resolvectl: <dns> <site-a> <10.9.0.53> <fd00::53>\n"
			    "resolvectl: <domain> <site-a> <example.net> <example.org> <~.>\n");
	assert_int_equal(unset(&desk), 0);
	assert_int_equal(desk.undo.dns, UNDO_DNS_NONE);
	assert_string_equal(calls(&desk), "resolvectl: <revert> <site-a>\n");
	/* Nothing is left to be taken back. */
	assert_int_equal(unset(&desk), 0);
	assert_string_equal(calls(&desk), "");
	teardown(&desk);

	setup(&desk, domains);
	fake(&desk, "resolvectl", "");
	assert_int_equal(set(&desk), 0);
	assert_string_equal(calls(&desk), "resolvectl: <dns> <site-a> <>\n"
					  "resolvectl: <domain> <site-a> <example.net>\n");
	teardown(&desk);
}

/* What the file says that the servers are for takes the place of "everything". */
static void test_routing_domains(void **state)
{
	static const char *const some[] = { "10.9.0.53", "~corp.example", "example.net", NULL };
	static const char *const all[] = { "10.9.0.53", "~.", NULL };
	struct desk desk;

	(void)state;
	setup(&desk, some);
	fake(&desk, "resolvectl", "");
	assert_int_equal(set(&desk), 0);
	assert_string_equal(calls(&desk),
			    "resolvectl: <dns> <site-a> <10.9.0.53>\n"
			    "resolvectl: <domain> <site-a> <~corp.example> <example.net>\n");
	teardown(&desk);

	setup(&desk, all);
	fake(&desk, "resolvectl", "");
	assert_int_equal(set(&desk), 0);
	assert_string_equal(calls(&desk), "resolvectl: <dns> <site-a> <10.9.0.53>\n"
					  "resolvectl: <domain> <site-a> <~.>\n");
	teardown(&desk);

	setup(&desk, some);
	fake(&desk, "resolvconf", "");
	assert_int_equal(set(&desk), 0);
	assert_string_equal(calls(&desk), "resolvconf: <-a> <site-a> <-m> <0> <-x>\n"
					  "  nameserver 10.9.0.53\n"
					  "  search corp.example example.net\n");
	teardown(&desk);

	setup(&desk, all);
	fake(&desk, "resolvconf", "");
	assert_int_equal(set(&desk), 0);
	assert_string_equal(calls(&desk), "resolvconf: <-a> <site-a> <-m> <0> <-x>\n"
					  "  nameserver 10.9.0.53\n");
	teardown(&desk);
}

static void test_resolvconf(void **state)
{
	struct desk desk;

	(void)state;
	setup(&desk, both);
	fake(&desk, "resolvectl", "echo 'Unit not found.' >&2; exit 1\n");
	fake(&desk, "resolvconf", "");
	assert_int_equal(set(&desk), 0);
	assert_int_equal(desk.undo.dns, UNDO_DNS_RESOLVCONF);
	assert_string_equal(desk.undo.record, "site-a");
	assert_string_equal(calls(&desk), "resolvectl: <dns> <site-a> <10.9.0.53> <fd00::53>\n"
					  "resolvconf: <-a> <site-a> <-m> <0> <-x>\n"
					  "  nameserver 10.9.0.53\n  nameserver fd00::53\n"
					  "  search example.net example.org\n");
	assert_int_equal(unset(&desk), 0);
	assert_string_equal(calls(&desk), "resolvconf: <-d> <site-a> <-f>\n");
	assert_string_equal(desk.undo.record, "");
	teardown(&desk);
}

/* The servers were taken and the domains were not: the servers are taken back. */
static void test_half(void **state)
{
	struct desk desk;

	(void)state;
	setup(&desk, both);
	fake(&desk, "resolvectl", "[ $1 != domain ]\n");
	assert_int_equal(set(&desk), DNS_NOT_SET);
	assert_non_null(strstr(calls(&desk), "resolvectl: <revert> <site-a>\n"));
	assert_int_equal(desk.undo.dns, UNDO_DNS_NONE);
	teardown(&desk);
}

static void test_record_name(void **state)
{
	static const struct {
		const char *list;
		const char *record;
	} cases[] = {
		{ "lo.inet6\nlo.!(pdns)\nlo\ntun*\ntap*\n", "tun.site-a" },
		{ "lo\n*\n@(br)*\ntun*x\n-t*\n", "site-a" },
		{ "", "site-a" },
		{ "vpn*", "vpn.site-a" },
	};
	struct desk desk;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(&desk, both);
		fake(&desk, "resolvconf", "");
		write_file(&desk, "order", cases[i].list, "");
		assert_int_equal(set(&desk), 0);
		assert_string_equal(desk.undo.record, cases[i].record);
		teardown(&desk);
	}
}

/* systemd-resolved has not heard of the interface at once. */
static void test_late(void **state)
{
	struct desk desk;

	(void)state;
	setup(&desk, both);
	fake(&desk, "resolvectl",
	     "[ $1 = domain ] || [ $(grep -c '<dns>' ${0%/*}/calls) -gt 2 ] || "
	     "{ echo 'Link 7 not known'; exit 1; }\n");
	assert_int_equal(set(&desk), 0);
	assert_int_equal(desk.undo.dns, UNDO_DNS_RESOLVED);
	teardown(&desk);
}

static void test_nobody(void **state)
{
	struct desk desk;

	(void)state;
	setup(&desk, both);
	assert_int_equal(set(&desk), DNS_NOT_SET);
	assert_string_equal(desk.text,
			    "the name servers of the link file are not used (resolvectl: it is not "
			    "installed; resolvconf: it is not installed): install systemd-resolved "
			    "or resolvconf, or take DNS out and set them yourself");
	fake(&desk, "resolvconf", "echo broken; exit 4\n");
	assert_int_equal(set(&desk), DNS_NOT_SET);
	assert_non_null(strstr(desk.text, "resolvconf: it ended with exit code 4: broken"));
	assert_int_equal(desk.undo.dns, UNDO_DNS_NONE);
	/* A program that hangs. */
	fake(&desk, "resolvconf", "exec sleep 1234\n");
	desk.tools.limit = 300 * NSEC_PER_MSEC;
	assert_int_equal(set(&desk), DNS_NOT_SET);
	assert_non_null(strstr(desk.text, "resolvconf: it did not end within"));
	/* Taking back may fail, too, and is not tried again. */
	fake(&desk, "resolvconf", "exit 1\n");
	desk.undo.dns = UNDO_DNS_RESOLVCONF;
	memcpy(desk.undo.record, "site-a", 7);
	assert_int_equal(unset(&desk), DNS_NOT_SET);
	assert_string_equal(desk.text, "the name servers of the link were not taken back: "
				       "resolvconf: it ended with exit code 1");
	assert_int_equal(desk.undo.dns, UNDO_DNS_NONE);
	teardown(&desk);
}

/* Both are there, and take nothing from this user. */
static void test_refused(void **state)
{
	static const char *const answers[] = {
		"Failed to set DNS configuration: Interactive authentication required.",
		"Failed to set DNS configuration: Access denied",
		"Failed to set DNS configuration: Access denied as the requested operation "
		"requires interactive authentication. However, interactive authentication has "
		"not been enabled by the calling program.",
		"Failed to set DNS configuration: Unit polkit.service is masked.",
	};
	struct desk desk;
	char end[256];

	(void)state;
	setup(&desk, both);
	fake(&desk, "resolvconf", "echo '/etc/resolv.conf: Permission denied' >&2; exit 1\n");
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		snprintf(end, sizeof(end), "echo '%s' >&2; exit 1\n", answers[i]);
		fake(&desk, "resolvectl", end);
		assert_int_equal(set(&desk), DNS_NOT_SET);
		assert_string_equal(
			desk.text,
			"the name servers of the link file are not used (resolvectl: this user may "
			"not do that; resolvconf: this user may not do that): let polkitd run and "
			"find vpnd.rules, which allows it to user vpnd, or take DNS out and set "
			"them yourself");
		assert_int_equal(desk.undo.dns, UNDO_DNS_NONE);
	}
	/* What runs is not installed again. */
	fake(&desk, "resolvectl",
	     "echo 'Unit dbus-org.freedesktop.resolve1.service not found.'\n"
	     "exit 1\n");
	assert_int_equal(set(&desk), DNS_NOT_SET);
	assert_non_null(strstr(desk.text, "not found.; resolvconf: this user may not do that): see "
					  "to it that systemd-resolved runs, or"));
	teardown(&desk);
}

/* Who is not root is not sent to resolvconf. */
static void test_not_root(void **state)
{
	struct desk desk;

	(void)state;
	if (geteuid() != 0)
		skip();
	setup(&desk, both);
	fake(&desk, "resolvconf", "exit 1\n");
	assert_int_equal(chmod(desk.dir, 0777), 0);
	assert_int_equal(seteuid(65534), 0);
	assert_int_equal(set(&desk), DNS_NOT_SET);
	assert_int_equal(seteuid(0), 0);
	assert_non_null(strstr(desk.text, "): install systemd-resolved and polkitd, or take DNS"));
	assert_int_equal(set(&desk), DNS_NOT_SET);
	assert_non_null(strstr(desk.text, "): mend resolvconf, or install systemd-resolved, or"));
	teardown(&desk);
}

static void test_none(void **state)
{
	struct desk desk;

	(void)state;
	setup(&desk, nothing);
	fake(&desk, "resolvectl", "");
	assert_int_equal(set(&desk), 0);
	assert_string_equal(calls(&desk), "");
	teardown(&desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolved),    cmocka_unit_test(test_routing_domains),
		cmocka_unit_test(test_resolvconf),  cmocka_unit_test(test_half),
		cmocka_unit_test(test_record_name), cmocka_unit_test(test_late),
		cmocka_unit_test(test_nobody),      cmocka_unit_test(test_none),
		cmocka_unit_test(test_refused),     cmocka_unit_test(test_not_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
