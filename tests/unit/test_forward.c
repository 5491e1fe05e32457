/* Forwarding: lists of what was changed, and the kernel's switches: forward.c and nl_conf.c. */
#include "tests/unit/net_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon/host/forward.h"

#define CONF "/proc/sys/net/"

static char get(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char value = '?';

	assert_true(fd >= 0);
	assert_int_equal(read(fd, &value, 1), 1);
	close(fd);
	return value;
}

/* The test is skipped where that is not allowed. */
static void set(const char *path, char value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		print_message("skipped: %s cannot be written: %s\n", path, strerror(errno));
		skip();
	}
	assert_int_equal(write(fd, &value, 1), 1);
	close(fd);
}

/* "00 00 0 12": forwarding of vta and vtb for IPv4, of default and all, of all for IPv6, and
 * accept_ra of vta and vtb. */
static const char *settings(void)
{
	static char text[16];

	snprintf(text, sizeof(text), "%c%c %c%c %c %c%c", get(CONF "ipv4/conf/vta/forwarding"),
		 get(CONF "ipv4/conf/vtb/forwarding"), get(CONF "ipv4/conf/default/forwarding"),
		 get(CONF "ipv4/conf/all/forwarding"), get(CONF "ipv6/conf/all/forwarding"),
		 get(CONF "ipv6/conf/vta/accept_ra"), get(CONF "ipv6/conf/vtb/accept_ra"));
	return text;
}

/* A world in which nothing is forwarded, and vtb listens to a router. */
static void open_quiet(struct world *world)
{
	setup(world);
	set(CONF "ipv6/conf/all/forwarding", '0');
	set(CONF "ipv4/conf/all/forwarding", '0');
	set(CONF "ipv6/conf/default/accept_ra", '0');
	set(CONF "ipv6/conf/vta/accept_ra", '0');
	set(CONF "ipv6/conf/vtb/accept_ra", '1');
	assert_string_equal(settings(), "00 00 0 01");
}

static struct prefix anything[] = { { .family = AF_INET }, { .family = AF_INET6 } };

static struct conf_link carrying(struct prefix *first, size_t n)
{
	return (struct conf_link) { .allowed_ips = { first, n } };
}

static void apply(struct world *world, struct forward *list)
{
	struct forward_failure failure;

	forward_apply(&world->nl, NULL, list, &failure);
	assert_int_equal(failure.ipv4, 0);
	assert_int_equal(failure.later, 0);
	assert_int_equal(failure.ipv6, 0);
}

static void test_both(struct world *world)
{
	const struct conf_link conf = carrying(anything, 2);
	struct forward list = { .n = 0 };

	assert_int_equal(forward_survey(&world->nl, &conf, world->own, &list), 0);
	/* Both interfaces and what comes later, not the loopback. */
	assert_int_equal(list.n, 3);
	assert_true(list.is_ipv6);
	assert_string_equal(settings(), "00 00 0 01");
	apply(world, &list);
	assert_string_equal(settings(), "11 10 1 02");
	/* A second time there is nothing to add and nothing to do. */
	assert_int_equal(forward_survey(&world->nl, &conf, world->own, &list), 0);
	assert_int_equal(list.n, 3);
	apply(world, &list);
	assert_string_equal(settings(), "11 10 1 02");
	assert_int_equal(forward_undo(&world->nl, NULL, &list), 0);
	assert_string_equal(settings(), "00 00 0 01");
}

static void test_one_version(struct world *world)
{
	struct conf_link conf = carrying(&anything[0], 1);
	struct forward list = { .n = 0 };

	assert_int_equal(forward_survey(&world->nl, &conf, world->own, &list), 0);
	apply(world, &list);
	assert_string_equal(settings(), "11 10 0 01");
	assert_int_equal(forward_undo(&world->nl, NULL, &list), 0);
	conf = carrying(&anything[1], 1);
	list = (struct forward) { .n = 0 };
	assert_int_equal(forward_survey(&world->nl, &conf, world->own, &list), 0);
	apply(world, &list);
	assert_string_equal(settings(), "00 00 1 02");
	assert_int_equal(forward_undo(&world->nl, NULL, &list), 0);
	assert_string_equal(settings(), "00 00 0 01");
	/* Frames may hold both. */
	conf.mode = CONF_MODE_TAP;
	list = (struct forward) { .n = 0 };
	assert_int_equal(forward_survey(&world->nl, &conf, world->own, &list), 0);
	assert_int_equal(list.n, 3);
}

/* What was on before is not ours, and neither is what somebody else switches on. */
static void test_others(struct world *world)
{
	const struct conf_link conf = carrying(anything, 2);
	struct forward list = { .n = 0 };

	set(CONF "ipv4/conf/vtb/forwarding", '1');
	assert_int_equal(forward_survey(&world->nl, &conf, world->own, &list), 0);
	apply(world, &list);
	assert_string_equal(settings(), "11 10 1 02");
	assert_int_equal(forward_undo(&world->nl, NULL, &list), 0);
	assert_string_equal(settings(), "01 00 0 01");
	apply(world, &list);
	set(CONF "ipv4/ip_forward", '1');
	assert_int_equal(forward_undo(&world->nl, NULL, &list), 0);
	assert_string_equal(settings(), "11 11 0 01");
	/* A host that is a router anyway. */
	set(CONF "ipv6/conf/all/forwarding", '1');
	list = (struct forward) { .n = 0 };
	assert_int_equal(forward_survey(&world->nl, &conf, world->own, &list), 0);
	assert_true(forward_is_empty(&list));
}

/* IPv6 is another's as soon as it has said so, although nothing was left to switch on. */
static void test_others_ipv6(struct world *world)
{
	const struct conf_link conf = carrying(anything, 2);
	struct forward list = { .n = 0 };

	assert_int_equal(forward_survey(&world->nl, &conf, world->own, &list), 0);
	apply(world, &list);
	assert_int_equal(get(CONF "ipv6/conf/default/forwarding"), '0');
	set(CONF "ipv6/conf/all/forwarding", '1');
	/* A reload, and what another link finds, are not to hide it. */
	apply(world, &list);
	assert_int_equal(forward_undo(&world->nl, NULL, &list), 0);
	assert_string_equal(settings(), "00 00 1 02");
	set(CONF "ipv6/conf/all/forwarding", '0');
	assert_int_equal(get(CONF "ipv6/conf/vta/forwarding"), '0');
}

static bool has(const struct forward *list, unsigned int ifindex)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].ifindex == ifindex)
			return list->items[i].is_ipv4;
	}
	return false;
}

/* More interfaces than the list can hold: the link's own is in it, also when it is the last, and
 * so is what comes later. */
static void test_too_many(struct world *world)
{
	const struct conf_link conf = carrying(anything, 2);
	struct forward list = { .n = 0 };
	char name[IFNAMSIZ];
	unsigned int last;

	for (int i = 0; i < FORWARD_ITEMS_MAX; i++) {
		snprintf(name, sizeof(name), "br%d", i);
		if (nl_bridge_add(&world->nl, name) == -EOPNOTSUPP)
			skip();
	}
	assert_int_equal(nl_link_index(&world->nl, name, &last), 0);
	assert_int_equal(forward_survey(&world->nl, &conf, last, &list), FORWARD_TOO_MANY);
	assert_int_equal(list.n, FORWARD_ITEMS_MAX);
	assert_true(has(&list, last) && has(&list, 0));
	assert_false(list.is_ipv6);
	apply(world, &list);
	assert_int_equal(get(CONF "ipv4/conf/default/forwarding"), '1');
	assert_int_equal(get(CONF "ipv4/conf/br255/forwarding"), '1');
	assert_int_equal(get(CONF "ipv6/conf/all/forwarding"), '0');
	assert_int_equal(forward_undo(&world->nl, NULL, &list), 0);
	assert_string_equal(settings(), "00 00 0 01");
}

/* An interface that is gone, and one that another has taken out of the list. */
static void test_gone(struct world *world)
{
	const struct conf_link conf = carrying(anything, 2);
	struct forward list = { .n = 0 };

	assert_int_equal(forward_survey(&world->nl, &conf, world->own, &list), 0);
	assert_int_equal(forward_note(&list, 4711, true, true), 0);
	apply(world, &list);
	assert_int_equal(forward_undo(&world->nl, NULL, &list), 0);
	assert_string_equal(settings(), "00 00 0 01");
	assert_int_equal(nl_conf_set_forwarding(&world->nl, 0, true), -ENODEV);
	assert_int_equal(nl_conf_set_forwarding(&world->nl, 4711, true), -ENODEV);
	assert_int_equal(nl_conf_set_forwarding(&world->nl, world->other, true), 0);
	assert_string_equal(settings(), "01 00 0 01");
}

static int apply_without_rights(void *context)
{
	const struct conf_link conf = carrying(anything, 2);
	struct world *world = context;
	struct forward list = { .n = 0 };
	struct forward_failure failure;

	if (forward_survey(&world->nl, &conf, world->own, &list) != 0 || list.n != 3)
		return 1;
	forward_apply(&world->nl, NULL, &list, &failure);
	if (failure.ipv4 != -EPERM || failure.later == 0 || failure.ipv6 == 0)
		return 2;
	return forward_is_empty(&list) ? 0 : 3;
}

static void test_without_rights(struct world *world)
{
	int status;
	pid_t child;

	/* Root without capabilities may still write its files. */
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(setresuid(65534, 65534, 65534) < 0 ? 4 : apply_without_rights(world));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_string_equal(settings(), "00 00 0 01");
}

static void test_lists(void **state)
{
	struct forward list = { .n = 0 }, other = { .n = 0 };

	(void)state;
	assert_true(forward_is_empty(&list));
	assert_int_equal(forward_note(&list, 3, true, false), 0);
	assert_int_equal(forward_note(&list, 3, false, true), 0);
	assert_int_equal(forward_note(&list, 4, true, false), 0);
	assert_int_equal(list.n, 2);
	assert_true(list.items[0].is_ipv4 && list.items[0].is_ra);
	other.is_ipv6 = true;
	assert_false(forward_is_empty(&other));
	assert_int_equal(forward_note(&other, 3, true, false), 0);
	assert_int_equal(forward_note(&other, 5, true, false), 0);
	assert_int_equal(forward_add(&list, &other), 0);
	assert_int_equal(list.n, 3);
	assert_true(list.is_ipv6);
	assert_int_equal(forward_note(&other, 4, true, false), 0);
	forward_subtract(&list, &other);
	assert_false(list.is_ipv6);
	assert_int_equal(list.n, 1);
	assert_true(list.items[0].ifindex == 3 && !list.items[0].is_ipv4 && list.items[0].is_ra);
	for (unsigned int i = 0; i < FORWARD_ITEMS_MAX - 1; i++)
		assert_int_equal(forward_note(&list, 100 + i, true, false), 0);
	assert_int_equal(forward_note(&list, 1, true, false), -E2BIG);
	assert_int_equal(forward_add(&list, &other), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(open_quiet, test_both),
		WORLD_TEST(open_quiet, test_one_version),
		WORLD_TEST(open_quiet, test_others),
		WORLD_TEST(open_quiet, test_gone),
		WORLD_TEST(open_quiet, test_without_rights),
		cmocka_unit_test(test_lists),
		WORLD_TEST(open_quiet, test_others_ipv6),
		WORLD_TEST(open_quiet, test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
