/* Marks and rules of full tunnels in a namespace: policy.c and nl_rule.c. */
#include "tests/unit/full_tunnel.h"

#include "daemon/host/policy.h"

static const char *const addresses_a[] = { "10.9.0.1/24", "fd00:9::1/64", NULL };
static const char *const addresses_b[] = { "10.8.0.1/24", "fd00:8::1/64", NULL };
static const char *const everything[] = { "0.0.0.0/0", "::/0", "192.0.2.0/24", NULL };
static const char *const only_ipv4[] = { "0.0.0.0/0", NULL };
static const char *const only_ipv6[] = { "::/0", NULL };

static void start(struct field *field, struct side *side, struct policy *policy)
{
	struct nl_route_failure failure;

	*policy = (struct policy) { .mark = 0 };
	assert_int_equal(policy_claim(&field->nl, &side->conf, policy), 0);
	assert_int_equal(
		policy_apply(&field->nl, &side->conf, side->port.ifindex, policy, &failure), 0);
}

static void test_needed(void **state)
{
	static const char *const some[] = { "10.0.0.0/8", "0.0.0.0/1", NULL };
	struct conf_link conf = { .allowed_ips = prefix_list(everything) };
	char namespace[] = "blue";

	(void)state;
	assert_true(policy_is_needed(&conf));
	conf.table_kind = CONF_TABLE_OFF;
	assert_false(policy_is_needed(&conf));
	conf.table_kind = CONF_TABLE_ID;
	assert_false(policy_is_needed(&conf));
	conf.table_kind = CONF_TABLE_AUTO;
	conf.namespace = namespace;
	assert_false(policy_is_needed(&conf));
	conf.namespace = NULL;
	free(conf.allowed_ips.items);
	conf.allowed_ips = prefix_list(some);
	assert_false(policy_is_needed(&conf));
	free(conf.allowed_ips.items);
}

static void test_rules(void **state)
{
	struct nl_rule rule = { .family = AF_INET,
				.protocol = 118,
				.priority = 1000,
				.mark = 7,
				.table = 99,
				.suppress_len = -1 };
	struct field field;

	(void)state;
	field_open(&field);
	assert_int_equal(nl_rule_add(&field.nl, &rule), 0);
	assert_int_equal(nl_rule_add(&field.nl, &rule), -EEXIST);
	assert_int_equal(n_rules(&field, AF_INET), 1);
	assert_int_equal(n_rules(&field, AF_INET6), 0);
	rule.mark = 8;
	assert_int_equal(nl_rule_del(&field.nl, &rule), -ENOENT);
	rule.mark = 7;
	rule.protocol = 119;
	assert_int_equal(nl_rule_del(&field.nl, &rule), -ENOENT);
	rule.protocol = 118;
	assert_int_equal(nl_rule_del(&field.nl, &rule), 0);
	assert_int_equal(n_rules(&field, AF_INET), 0);
	/* Going backwards makes no sense to the kernel. */
	rule.table = 0;
	rule.target = 999;
	assert_int_equal(nl_rule_add(&field.nl, &rule), -EINVAL);
	rule.family = AF_UNIX;
	assert_int_equal(nl_rule_add(&field.nl, &rule), -EAFNOSUPPORT);
	field_close(&field);
}

static void test_one(void **state)
{
	struct policy policy;
	struct field field;
	struct side side;

	(void)state;
	field_open(&field);
	side_open(&field, &side, "vta", addresses_a, everything);
	assert_int_equal(way_to(&field, "198.51.100.1", 0), field.underlay.ifindex);
	start(&field, &side, &policy);
	assert_int_equal(policy.mark, 51820);
	/* Everybody's packets go into the tunnel, vpnd's own do not. */
	assert_int_equal(way_to(&field, "198.51.100.1", 0), side.port.ifindex);
	assert_int_equal(way_to(&field, "2001:db8::1", 0), side.port.ifindex);
	assert_int_equal(way_to(&field, "198.51.100.1", 99), side.port.ifindex);
	assert_int_equal(way_to(&field, "198.51.100.1", 51820), field.underlay.ifindex);
	assert_int_equal(way_to(&field, "2001:db8::1", 51820), field.underlay.ifindex);
	/* What main knows better stays: neighbours on the underlay, and the link's other routes. */
	assert_int_equal(way_to(&field, "10.7.0.9", 0), field.underlay.ifindex);
	assert_int_equal(way_to(&field, "fd00:7::9", 0), field.underlay.ifindex);
	assert_int_equal(way_to(&field, "192.0.2.1", 0), side.port.ifindex);
	assert_int_equal(n_rules(&field, AF_INET), 3);
	assert_int_equal(n_rules(&field, AF_INET6), 3);
	/* Once more changes nothing. */
	start(&field, &side, &(struct policy) { .mark = 0 });
	side_close(&side);
	assert_int_equal(policy_remove(&field.nl, &policy), 0);
	assert_int_equal(policy_remove(&field.nl, &policy), 0);
	assert_int_equal(way_to(&field, "198.51.100.1", 0), field.underlay.ifindex);
	field_close(&field);
}

static void test_families(void **state)
{
	struct nl_route_failure failure;
	struct policy policy;
	struct field field;
	struct side side;

	(void)state;
	field_open(&field);
	side_open(&field, &side, "vta", addresses_a, only_ipv6);
	start(&field, &side, &policy);
	assert_int_equal(way_to(&field, "198.51.100.1", 0), field.underlay.ifindex);
	assert_int_equal(way_to(&field, "2001:db8::1", 0), side.port.ifindex);
	/* The file changes: now IPv4 alone. */
	free(side.conf.allowed_ips.items);
	side.conf.allowed_ips = prefix_list(only_ipv4);
	assert_int_equal(policy_apply(&field.nl, &side.conf, side.port.ifindex, &policy, &failure),
			 0);
	assert_int_equal(way_to(&field, "198.51.100.1", 0), side.port.ifindex);
	assert_int_equal(way_to(&field, "2001:db8::1", 0), field.underlay.ifindex);
	assert_int_equal(n_rules(&field, AF_INET), 3);
	assert_int_equal(n_rules(&field, AF_INET6), 1);
	/* Taken again after a restart that kept everything. */
	assert_int_equal(policy_claim(&field.nl, &side.conf, &policy), 0);
	assert_int_equal(policy.mark, 51820);
	assert_int_equal(n_rules(&field, AF_INET), 3);
	assert_int_equal(policy_remove(&field.nl, &policy), 0);
	assert_int_equal(n_rules(&field, AF_INET), 0);
	assert_int_equal(n_rules(&field, AF_INET6), 0);
	side_close(&side);
	field_close(&field);
}

/* Two full tunnels: the later one carries all, nobody carries himself, each stops alone. */
static void test_two(void **state)
{
	struct policy policy_a, policy_b, again;
	struct side a, b;
	struct field field;
	bool has_others = false;

	(void)state;
	field_open(&field);
	side_open(&field, &a, "vta", addresses_a, everything);
	side_open(&field, &b, "vtc", addresses_b, only_ipv4);
	start(&field, &a, &policy_a);
	assert_int_equal(policy_has_others(&field.nl, &policy_a, &has_others), 0);
	assert_false(has_others);
	start(&field, &b, &policy_b);
	assert_int_equal(policy_has_others(&field.nl, &policy_a, &has_others), 0);
	assert_true(has_others);
	assert_int_equal(policy_a.mark, 51820);
	assert_int_equal(policy_b.mark, 51821);
	assert_true(policy_b.priority < policy_a.priority);
	assert_int_equal(way_to(&field, "198.51.100.1", 0), b.port.ifindex);
	assert_int_equal(way_to(&field, "198.51.100.1", policy_a.mark), b.port.ifindex);
	assert_int_equal(way_to(&field, "198.51.100.1", policy_b.mark), field.underlay.ifindex);
	/* By IPv6, where only the first is a tunnel, the second's packets pass it all the same. */
	assert_int_equal(way_to(&field, "2001:db8::1", 0), a.port.ifindex);
	assert_int_equal(way_to(&field, "2001:db8::1", policy_b.mark), field.underlay.ifindex);
	/* The first starts again: now it carries the second. */
	assert_int_equal(policy_remove(&field.nl, &policy_a), 0);
	assert_int_equal(way_to(&field, "198.51.100.1", 0), b.port.ifindex);
	start(&field, &a, &again);
	assert_int_equal(way_to(&field, "198.51.100.1", 0), a.port.ifindex);
	assert_int_equal(way_to(&field, "198.51.100.1", again.mark), field.underlay.ifindex);
	assert_int_equal(way_to(&field, "198.51.100.1", policy_b.mark), a.port.ifindex);
	assert_int_equal(policy_remove(&field.nl, &again), 0);
	assert_int_equal(policy_remove(&field.nl, &policy_b), 0);
	assert_int_equal(way_to(&field, "198.51.100.1", 0), field.underlay.ifindex);
	assert_int_equal(n_rules(&field, AF_INET), 0);
	side_close(&a);
	side_close(&b);
	field_close(&field);
}

/* Marks that are chosen: the port, unless something is there. */
static void test_chosen_marks(void **state)
{
	struct prefix other = prefix_of("203.0.113.0/24");
	struct policy policy = { .mark = 0 }, second = { .mark = 0 };
	struct nl_route_failure failure;
	struct nl_rule foreign = { .family = AF_INET6,
				   .protocol = 3,
				   .priority = 77,
				   .mark = 51821,
				   .table = 51822,
				   .suppress_len = -1 };
	struct field field;
	struct side side;

	(void)state;
	field_open(&field);
	side_open(&field, &side, "vta", addresses_a, everything);
	side.conf.listen_port = 5000;
	assert_int_equal(policy_claim(&field.nl, &side.conf, &policy), 0);
	assert_int_equal(policy.mark, 5000);
	assert_int_equal(
		nl_route_add(&field.nl, field.underlay.ifindex, 51820, &other, 1, &failure), 0);
	assert_int_equal(nl_rule_add(&field.nl, &foreign), 0);
	assert_int_equal(policy_claim(&field.nl, &side.conf, &second), 0);
	assert_int_equal(second.mark, 51823);
	assert_int_equal(policy_remove(&field.nl, &second), 0);
	/* Numbers of tables that every host has are nobody's. */
	side.conf.listen_port = 254;
	second = (struct policy) { .mark = 0 };
	assert_int_equal(policy_claim(&field.nl, &side.conf, &second), 0);
	assert_int_equal(second.mark, 51823);
	policy_remove(&field.nl, &second);
	policy_remove(&field.nl, &policy);
	side_close(&side);
	field_close(&field);
}

/* A mark that the file names is taken as it is, unless it is another link's. */
static void test_marks_of_files(void **state)
{
	struct policy policy = { .mark = 0 }, second = { .mark = 0 };
	struct prefix everywhere = { .family = AF_INET };
	struct nl_route_failure failure;
	struct field field;
	struct side side;

	(void)state;
	field_open(&field);
	side_open(&field, &side, "vta", addresses_a, everything);
	side.conf.listen_port = 5000;
	assert_int_equal(policy_claim(&field.nl, &side.conf, &policy), 0);
	side.conf.fwmark = 5000;
	assert_int_equal(policy_claim(&field.nl, &side.conf, &second), POLICY_TAKEN);
	assert_int_equal(second.mark, 0);
	assert_int_equal(policy_remove(&field.nl, &policy), 0);
	assert_int_equal(policy_claim(&field.nl, &side.conf, &second), 0);
	assert_int_equal(second.mark, 5000);
	/* Somebody else's default route in that table. */
	assert_int_equal(
		nl_route_add(&field.nl, field.underlay.ifindex, 5000, &everywhere, 1, &failure), 0);
	assert_int_equal(policy_apply(&field.nl, &side.conf, side.port.ifindex, &second, &failure),
			 NL_ROUTE_TAKEN);
	assert_int_equal(failure.ifindex, field.underlay.ifindex);
	policy_remove(&field.nl, &second);
	side_close(&side);
	field_close(&field);
}

/* A thousand starts of two links that take turns: places do not run out. */
static void test_places(void **state)
{
	struct policy a = { .mark = 0 }, b = { .mark = 0 };
	struct field field;
	struct side side;

	(void)state;
	field_open(&field);
	side_open(&field, &side, "vta", addresses_a, everything);
	assert_int_equal(policy_claim(&field.nl, &side.conf, &a), 0);
	for (int i = 0; i < 1100; i++) {
		b = (struct policy) { .mark = 0 };
		assert_int_equal(policy_claim(&field.nl, &side.conf, &b), 0);
		assert_int_not_equal(a.mark, b.mark);
		assert_int_not_equal(a.priority, b.priority);
		assert_int_equal(policy_remove(&field.nl, &a), 0);
		a = b;
	}
	assert_int_equal(policy_remove(&field.nl, &a), 0);
	side_close(&side);
	field_close(&field);
}

/* Links that start at the same moment get marks and places of their own. */
static void test_at_once(void **state)
{
	enum { N_LINKS = 8 };
	bool seen[64] = { false };
	pid_t children[N_LINKS];
	struct field field;
	struct side side;
	int fds[2];

	(void)state;
	field_open(&field);
	side_open(&field, &side, "vta", addresses_a, everything);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	for (size_t i = 0; i < N_LINKS; i++) {
		struct policy policy = { .mark = 0 };
		struct netlink nl = NETLINK_NULL;
		char byte;

		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] != 0)
			continue;
		/* All of them wait for the other end to be closed. */
		close(fds[1]);
		if (netlink_open(&nl) != 0 || read(fds[0], &byte, 1) != 0 ||
		    policy_claim(&nl, &side.conf, &policy) != 0)
			_exit(255);
		_exit((int)(policy.mark - POLICY_MARK_FIRST));
	}
	close(fds[1]);
	for (size_t i = 0; i < N_LINKS; i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status));
		assert_in_range(WEXITSTATUS(status), 0, N_LINKS - 1);
		assert_false(seen[WEXITSTATUS(status)]);
		seen[WEXITSTATUS(status)] = true;
	}
	assert_int_equal(n_rules(&field, AF_INET), N_LINKS);
	assert_int_equal(n_rules(&field, AF_INET6), N_LINKS);
	close(fds[0]);
	side_close(&side);
	field_close(&field);
}

static int claim_without_rights(void *context)
{
	const struct side *side = context;
	struct policy policy = { .mark = 0 };
	struct netlink nl = NETLINK_NULL;
	int result = netlink_open(&nl);

	if (result == 0)
		result = policy_claim(&nl, &side->conf, &policy);
	netlink_close(&nl);
	return result == -EPERM && policy.mark == 0 ? 0 : 1;
}

static void test_without_rights(void **state)
{
	struct field field;
	struct side side;

	(void)state;
	field_open(&field);
	side_open(&field, &side, "vta", addresses_a, everything);
	assert_int_equal(without_rights(claim_without_rights, &side), 0);
	side_close(&side);
	field_close(&field);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_needed),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_chosen_marks),
		cmocka_unit_test(test_marks_of_files),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_without_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
