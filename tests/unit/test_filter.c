/*
 * The link's table of the packet filter: filter.c, and the rules of guard.c and nat.c as nft(8)
 * reads them back from the kernel. What they do to packets is tested in test_netup.c and end to
 * end.
 */
#include "tests/unit/full_tunnel.h"

#include "daemon/host/filter.h"
#include "daemon/host/nat.h"

#define TEXT_MAX 16384

static const char *const both[] = { "10.9.0.1/24", "fd00:9::1/64", NULL };
static const char *const none[] = { NULL };

/* What nft(8) prints, without leading tabs and empty lines; skipped where it is not there. */
static const char *listed(const char *command, char text[static TEXT_MAX])
{
	char line[1024];
	FILE *pipe;

	if (access("/usr/sbin/nft", X_OK) != 0) {
		print_message("skipped: /usr/sbin/nft is not there\n");
		skip();
	}
	text[0] = '\0';
	/* NOLINTNEXTLINE(cert-env33-c): a fixed command */
	pipe = popen(command, "re");
	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe)) {
		const char *start = line + strspn(line, "\t");

		if (start[0] != '\n')
			strncat(text, start, TEXT_MAX - strlen(text) - 1);
	}
	pclose(pipe);
	return text;
}

#define LIST "nft list table inet vpnd-vta"

/* A field, netfilter in it, and the table of the link that is to be made there. */
struct table {
	struct field field;
	struct netlink nf;
	struct conf_link conf;
	struct filter filter;
};

/* A test, the addresses of its configuration, and the parts of its table. */
struct table_test {
	void (*run)(struct table *table);
	const char *const *addresses;
	unsigned int parts;
};

/* Not a fixture of cmocka: in one of those a test cannot be skipped. */
static void run_with_table(void **state)
{
	const struct table_test *test = *state;
	struct table table = { .nf = NETLINK_NULL };

	field_open(&table.field);
	assert_int_equal(filter_open(NULL, &table.nf), 0);
	table.conf = (struct conf_link) { .addresses = prefix_list(test->addresses) };
	table.filter = (struct filter) {
		.link = "vta",
		.ifindex = table.field.underlay.ifindex,
		.conf = &table.conf,
		.mark = 7,
		.parts = test->parts,
	};
	test->run(&table);
	netlink_close(&table.nf);
	free(table.conf.addresses.items);
	free(table.conf.masquerade.items);
	field_close(&table.field);
}

#define TABLE_TEST(run, addresses, parts)                                                          \
	{                                                                                          \
		.name = #run, .test_func = run_with_table, .initial_state = &(struct table_test)   \
		{                                                                                  \
			run, addresses, parts                                                      \
		}                                                                                  \
	}

static void assert_table(struct table *table, const char *wanted)
{
	unsigned int made = 0;
	char text[TEXT_MAX];

	assert_int_equal(filter_set(&table->nf, &table->filter, &made), 0);
	assert_int_equal(made, table->filter.parts);
	assert_string_equal(listed(LIST, text), wanted);
}

static void test_guard(struct table *table)
{
	assert_table(table, "table inet vpnd-vta {\n"
			    "chain foreign {\n"
			    "type filter hook prerouting priority raw; policy accept;\n"
			    "iif \"vtb\" accept\n"
			    "iif \"lo\" accept\n"
			    "ip daddr 10.9.0.1 drop\n"
			    "ip6 daddr fd00:9::1 drop\n"
			    "}\n"
			    "chain restore-mark {\n"
			    "type filter hook prerouting priority mangle; policy accept;\n"
			    "meta l4proto udp ct mark 0x00000007 meta mark set 0x00000007\n"
			    "}\n"
			    "chain save-mark {\n"
			    "type filter hook postrouting priority mangle; policy accept;\n"
			    "meta l4proto udp meta mark 0x00000007 ct mark set 0x00000007\n"
			    "}\n"
			    "}\n");
}

#define CHAIN                                                                                      \
	"table inet vpnd-vta {\n"                                                                  \
	"chain masquerade {\n"                                                                     \
	"type nat hook postrouting priority srcnat; policy accept;\n"

static void test_masquerade_all(struct table *table)
{
	static const char *const only4[] = { "10.9.0.1/24", NULL };

	assert_false(nat_is_needed(&table->conf));
	table->conf.masquerades_all = true;
	assert_true(nat_is_needed(&table->conf));
	assert_table(table, CHAIN "oif \"vtb\" ip saddr 10.9.0.0/24 return\n"
				  "oif \"vtb\" ip6 saddr fd00:9::/64 return\n"
				  "oif \"vtb\" ip6 saddr fe80::/10 return\n"
				  "oif \"vtb\" meta nfproto ipv4 masquerade\n"
				  "oif \"vtb\" meta nfproto ipv6 masquerade\n"
				  "}\n}\n");
	/* Without an address of IPv6, its packets would be lost. */
	free(table->conf.addresses.items);
	table->conf.addresses = prefix_list(only4);
	assert_table(table, CHAIN "oif \"vtb\" ip saddr 10.9.0.0/24 return\n"
				  "oif \"vtb\" ip6 saddr fe80::/10 return\n"
				  "oif \"vtb\" meta nfproto ipv4 masquerade\n"
				  "}\n}\n");
	/* A hook may add what the file does not have. */
	table->conf.addresses.n = 0;
	assert_table(table, CHAIN "oif \"vtb\" ip6 saddr fe80::/10 return\n"
				  "oif \"vtb\" meta nfproto ipv4 masquerade\n"
				  "oif \"vtb\" meta nfproto ipv6 masquerade\n"
				  "}\n}\n");
}

static void test_masquerade_list(struct table *table)
{
	static const char *const list[] = { "10.50.0.0/22", "172.16.0.9/32", "0.0.0.0/0",
					    "fd50::/61",    "fd51::7/128",   NULL };

	table->conf.masquerade = prefix_list(list);
	assert_true(nat_is_needed(&table->conf));
	assert_table(table, CHAIN "oif \"vtb\" ip saddr 10.50.0.0/22 masquerade\n"
				  "oif \"vtb\" ip saddr 172.16.0.9 masquerade\n"
				  "oif \"vtb\" ip saddr 0.0.0.0/0 masquerade\n"
				  "oif \"vtb\" ip6 saddr fd50::/61 masquerade\n"
				  "oif \"vtb\" ip6 saddr fd51::7 masquerade\n"
				  "}\n}\n");
}

/* Whether both directions are there; nft(8) has two ways to write the flags. */
static void assert_clamp(struct table *table, const char *size)
{
	static const char *const flags[] = { "syn / syn,rst", "& (syn | rst) == syn" };
	char text[TEXT_MAX], line[128];
	unsigned int made = 0;
	size_t n_found = 0;

	assert_int_equal(filter_set(&table->nf, &table->filter, &made), 0);
	assert_int_equal(made, FILTER_CLAMP);
	listed(LIST, text);
	assert_non_null(strstr(text, "type filter hook forward priority mangle; policy accept;"));
	for (size_t i = 0; i < 4; i++) {
		snprintf(line, sizeof(line),
			 "\n%cif \"vtb\" tcp flags %s tcp option maxseg size set %s\n", "oi"[i / 2],
			 flags[i % 2], size);
		n_found += strstr(text, line) != NULL;
	}
	assert_int_equal(n_found, 2);
}

static void test_clamp(struct table *table)
{
	char text[TEXT_MAX];

	assert_clamp(table, "rt mtu");
	table->conf.mss_clamp = 1300;
	assert_clamp(table, "1300");
	/* All of it at once, and nothing. */
	table->conf.masquerades_all = true;
	table->filter.parts = FILTER_GUARD | FILTER_MASQUERADE | FILTER_CLAMP;
	assert_int_equal(filter_set(&table->nf, &table->filter, &table->filter.parts), 0);
	listed(LIST, text);
	assert_non_null(strstr(text, "chain foreign {"));
	assert_non_null(strstr(text, "chain masquerade {"));
	assert_non_null(strstr(text, "chain mss-clamp {"));
	table->filter.parts = 0;
	assert_int_equal(filter_set(&table->nf, &table->filter, &table->filter.parts), 0);
	assert_string_equal(listed("nft list tables", text), "");
}

/* As many prefixes as a file may have, the longest name, and a second removal. */
static void test_many(struct table *table)
{
	unsigned int made = 0;

	assert_int_equal(filter_remove(&table->nf, "vta"), 0);
	free(table->conf.addresses.items);
	table->conf.addresses.items = calloc(CONF_ADDRESSES_MAX, sizeof(struct prefix));
	table->conf.masquerade.items = calloc(CONF_MASQUERADE_MAX, sizeof(struct prefix));
	assert_non_null(table->conf.addresses.items);
	assert_non_null(table->conf.masquerade.items);
	for (; table->conf.addresses.n < CONF_ADDRESSES_MAX; table->conf.addresses.n++)
		table->conf.addresses.items[table->conf.addresses.n] =
			prefix_of(table->conf.addresses.n % 2 ? "10.9.0.1/23" : "fd00:9::1/63");
	for (; table->conf.masquerade.n < CONF_MASQUERADE_MAX; table->conf.masquerade.n++)
		table->conf.masquerade.items[table->conf.masquerade.n] = prefix_of("fd00:9::/63");
	table->conf.masquerades_all = true;
	table->filter.link = "a-long-name-000";
	assert_int_equal(filter_set(&table->nf, &table->filter, &made), 0);
	assert_int_equal(made, table->filter.parts);
	assert_int_equal(filter_remove(&table->nf, "a-long-name-000"), 0);
	assert_int_equal(filter_remove(&table->nf, "a-long-name-000"), 0);
	netlink_close(&table->nf);
	assert_int_equal(filter_remove(&table->nf, "vta"), -EBADF);
	assert_int_equal(filter_open("no-such-namespace", &table->nf), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(test_guard, both, FILTER_GUARD),
		TABLE_TEST(test_masquerade_all, both, FILTER_MASQUERADE),
		TABLE_TEST(test_masquerade_list, both, FILTER_MASQUERADE),
		TABLE_TEST(test_clamp, none, FILTER_CLAMP),
		TABLE_TEST(test_many, none, FILTER_GUARD | FILTER_MASQUERADE | FILTER_CLAMP),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
