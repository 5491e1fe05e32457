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

/* Opens a field and netfilter, and a configuration with these addresses. */
static void setup(struct field *field, struct netlink *nf, struct conf_link *conf,
		  const char *const *addresses)
{
	field_open(field);
	*nf = (struct netlink)NETLINK_NULL;
	assert_int_equal(filter_open(NULL, nf), 0);
	*conf = (struct conf_link) { .addresses = prefix_list(addresses) };
}

static void teardown(struct field *field, struct netlink *nf, struct conf_link *conf)
{
	netlink_close(nf);
	free(conf->addresses.items);
	free(conf->masquerade.items);
	field_close(field);
}

static struct filter filter_of(const struct field *field, const struct conf_link *conf,
			       unsigned int parts)
{
	return (struct filter) {
		.link = "vta",
		.ifindex = field->underlay.ifindex,
		.conf = conf,
		.mark = 7,
		.parts = parts,
	};
}

static void assert_table(struct netlink *nf, const struct filter *filter, const char *wanted)
{
	unsigned int made = 0;
	char text[TEXT_MAX];

	assert_int_equal(filter_set(nf, filter, &made), 0);
	assert_int_equal(made, filter->parts);
	assert_string_equal(listed(LIST, text), wanted);
}

static void test_guard(void **state)
{
	struct conf_link conf;
	struct filter filter;
	struct field field;
	struct netlink nf;

	(void)state;
	setup(&field, &nf, &conf, both);
	filter = filter_of(&field, &conf, FILTER_GUARD);
	assert_table(&nf, &filter,
		     "table inet vpnd-vta {\n"
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
	teardown(&field, &nf, &conf);
}

#define CHAIN                                                                                      \
	"table inet vpnd-vta {\n"                                                                  \
	"chain masquerade {\n"                                                                     \
	"type nat hook postrouting priority srcnat; policy accept;\n"

static void test_masquerade_all(void **state)
{
	static const char *const only4[] = { "10.9.0.1/24", NULL };
	struct conf_link conf;
	struct filter filter;
	struct field field;
	struct netlink nf;

	(void)state;
	setup(&field, &nf, &conf, both);
	assert_false(nat_is_needed(&conf));
	conf.masquerades_all = true;
	assert_true(nat_is_needed(&conf));
	filter = filter_of(&field, &conf, FILTER_MASQUERADE);
	assert_table(&nf, &filter,
		     CHAIN "oif \"vtb\" ip saddr 10.9.0.0/24 return\n"
			   "oif \"vtb\" ip6 saddr fd00:9::/64 return\n"
			   "oif \"vtb\" ip6 saddr fe80::/10 return\n"
			   "oif \"vtb\" meta nfproto ipv4 masquerade\n"
			   "oif \"vtb\" meta nfproto ipv6 masquerade\n"
			   "}\n}\n");
	/* Without an address of IPv6, its packets would be lost. */
	free(conf.addresses.items);
	conf.addresses = prefix_list(only4);
	assert_table(&nf, &filter,
		     CHAIN "oif \"vtb\" ip saddr 10.9.0.0/24 return\n"
			   "oif \"vtb\" ip6 saddr fe80::/10 return\n"
			   "oif \"vtb\" meta nfproto ipv4 masquerade\n"
			   "}\n}\n");
	/* A hook may add what the file does not have. */
	conf.addresses.n = 0;
	assert_table(&nf, &filter,
		     CHAIN "oif \"vtb\" ip6 saddr fe80::/10 return\n"
			   "oif \"vtb\" meta nfproto ipv4 masquerade\n"
			   "oif \"vtb\" meta nfproto ipv6 masquerade\n"
			   "}\n}\n");
	teardown(&field, &nf, &conf);
}

static void test_masquerade_list(void **state)
{
	static const char *const list[] = { "10.50.0.0/22", "172.16.0.9/32", "0.0.0.0/0",
					    "fd50::/61",    "fd51::7/128",   NULL };
	struct conf_link conf;
	struct filter filter;
	struct field field;
	struct netlink nf;

	(void)state;
	setup(&field, &nf, &conf, both);
	conf.masquerade = prefix_list(list);
	assert_true(nat_is_needed(&conf));
	filter = filter_of(&field, &conf, FILTER_MASQUERADE);
	assert_table(&nf, &filter,
		     CHAIN "oif \"vtb\" ip saddr 10.50.0.0/22 masquerade\n"
			   "oif \"vtb\" ip saddr 172.16.0.9 masquerade\n"
			   "oif \"vtb\" ip saddr 0.0.0.0/0 masquerade\n"
			   "oif \"vtb\" ip6 saddr fd50::/61 masquerade\n"
			   "oif \"vtb\" ip6 saddr fd51::7 masquerade\n"
			   "}\n}\n");
	teardown(&field, &nf, &conf);
}

/* Whether both directions are there; nft(8) has two ways to write the flags. */
static void assert_clamp(struct netlink *nf, const struct filter *filter, const char *size)
{
	static const char *const flags[] = { "syn / syn,rst", "& (syn | rst) == syn" };
	char text[TEXT_MAX], line[128];
	unsigned int made = 0;
	size_t n_found = 0;

	assert_int_equal(filter_set(nf, filter, &made), 0);
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

static void test_clamp(void **state)
{
	struct conf_link conf;
	struct filter filter;
	struct field field;
	struct netlink nf;
	char text[TEXT_MAX];

	(void)state;
	setup(&field, &nf, &conf, none);
	filter = filter_of(&field, &conf, FILTER_CLAMP);
	assert_clamp(&nf, &filter, "rt mtu");
	conf.mss_clamp = 1300;
	assert_clamp(&nf, &filter, "1300");
	/* All of it at once, and nothing. */
	conf.masquerades_all = true;
	filter.parts = FILTER_GUARD | FILTER_MASQUERADE | FILTER_CLAMP;
	assert_int_equal(filter_set(&nf, &filter, &filter.parts), 0);
	listed(LIST, text);
	assert_non_null(strstr(text, "chain foreign {"));
	assert_non_null(strstr(text, "chain masquerade {"));
	assert_non_null(strstr(text, "chain mss-clamp {"));
	filter.parts = 0;
	assert_int_equal(filter_set(&nf, &filter, &filter.parts), 0);
	assert_string_equal(listed("nft list tables", text), "");
	teardown(&field, &nf, &conf);
}

/* As many prefixes as a file may have, the longest name, and a second removal. */
static void test_many(void **state)
{
	const unsigned int all = FILTER_GUARD | FILTER_MASQUERADE | FILTER_CLAMP;
	unsigned int made = 0;
	struct conf_link conf;
	struct filter filter;
	struct field field;
	struct netlink nf;

	(void)state;
	setup(&field, &nf, &conf, none);
	assert_int_equal(filter_remove(&nf, "vta"), 0);
	free(conf.addresses.items);
	conf.addresses.items = calloc(CONF_ADDRESSES_MAX, sizeof(struct prefix));
	conf.masquerade.items = calloc(CONF_MASQUERADE_MAX, sizeof(struct prefix));
	assert_non_null(conf.addresses.items);
	assert_non_null(conf.masquerade.items);
	for (; conf.addresses.n < CONF_ADDRESSES_MAX; conf.addresses.n++)
		conf.addresses.items[conf.addresses.n] =
			prefix_of(conf.addresses.n % 2 ? "10.9.0.1/23" : "fd00:9::1/63");
	for (; conf.masquerade.n < CONF_MASQUERADE_MAX; conf.masquerade.n++)
		conf.masquerade.items[conf.masquerade.n] = prefix_of("fd00:9::/63");
	conf.masquerades_all = true;
	filter = filter_of(&field, &conf, all);
	filter.link = "a-long-name-000";
	assert_int_equal(filter_set(&nf, &filter, &made), 0);
	assert_int_equal(made, all);
	assert_int_equal(filter_remove(&nf, "a-long-name-000"), 0);
	assert_int_equal(filter_remove(&nf, "a-long-name-000"), 0);
	netlink_close(&nf);
	assert_int_equal(filter_remove(&nf, "vta"), -EBADF);
	assert_int_equal(filter_open("no-such-namespace", &nf), -ENOENT);
	teardown(&field, &nf, &conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_masquerade_all),
		cmocka_unit_test(test_masquerade_list),
		cmocka_unit_test(test_clamp),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
