/* Tests of daemon/ctl/uapi_allowed.c against a table that follows every line at once, and how
   long a large list takes. */
#include "tests/unit/uapi_fixture.h"

#include "common/nsec.h"
#include "daemon/ctl/uapi_allowed.h"
#include "tests/unit/seed.h"

#define N_PREFIXES 12
#define N_ROUNDS   3000

/* Who has each of a few prefixes, and since when: the rule taken literally. */
struct table {
	int owner[N_PREFIXES]; /* -1: nobody */
	size_t since[N_PREFIXES];
};

static struct prefix numbered(uint64_t i)
{
	struct prefix prefix = { .family = AF_INET, .len = 32 };

	prefix.addr[0] = 10;
	prefix.addr[1] = (uint8_t)(i >> 16);
	prefix.addr[2] = (uint8_t)(i >> 8);
	prefix.addr[3] = (uint8_t)i;
	return prefix;
}

static void one_line(struct seeded *seeded, struct uapi_allowed *allowed, struct table *table,
		     size_t now)
{
	uint8_t peer = (uint8_t)seeded_below(seeded, UAPI_PEERS_MAX);
	size_t i = seeded_below(seeded, N_PREFIXES);
	struct prefix prefix = numbered(i);
	uint64_t kind = seeded_below(seeded, 10);

	if (kind == 0) {
		uapi_allowed_clear(allowed, peer);
		for (size_t k = 0; k < N_PREFIXES; k++)
			table->owner[k] = table->owner[k] == peer ? -1 : table->owner[k];
	} else if (kind < 4) {
		assert_int_equal(uapi_allowed_claim(allowed, peer, &prefix, true), 0);
		table->owner[i] = table->owner[i] == peer ? -1 : table->owner[i];
	} else {
		assert_int_equal(uapi_allowed_claim(allowed, peer, &prefix, false), 0);
		table->owner[i] = peer;
		table->since[i] = now;
	}
}

static void compare(const struct uapi_allowed *allowed, const struct table *table)
{
	for (uint8_t peer = 0; peer < UAPI_PEERS_MAX; peer++) {
		struct conf_prefixes list;
		size_t n = 0, last = 0;

		assert_int_equal(uapi_allowed_judge(allowed, peer, &list), 0);
		for (size_t i = 0; i < N_PREFIXES; i++)
			n += table->owner[i] == peer;
		assert_int_equal(list.n, n);
		for (size_t i = 0; i < n; i++) {
			size_t which = list.items[i].addr[3];

			assert_int_equal(table->owner[which], peer);
			assert_true(i == 0 || table->since[which] > last);
			last = table->since[which];
		}
		free(list.items);
	}
}

static void any_lines_end_as_if_each_acted_at_once(void **state)
{
	struct seeded seeded = seeded_begin("uapi_allowed");

	(void)state;
	for (int round = 0; round < N_ROUNDS; round++) {
		struct prefix items[N_PREFIXES];
		struct conf_prefixes before = { items, seeded_below(&seeded, N_PREFIXES) };
		struct uapi_allowed allowed = { .before = &before };
		size_t n_lines = seeded_below(&seeded, 30);
		struct table table;

		for (size_t i = 0; i < N_PREFIXES; i++) {
			items[i] = numbered(i);
			table.owner[i] = i < before.n ? 0 : -1;
			table.since[i] = i;
		}
		for (size_t i = 0; i < n_lines; i++)
			one_line(&seeded, &allowed, &table, N_PREFIXES + i);
		assert_true(uapi_allowed_is_touched(&allowed) == (n_lines > 0));
		compare(&allowed, &table);
		uapi_allowed_deinit(&allowed);
		uapi_allowed_deinit(&allowed);
	}
}

static void families_and_lengths_are_different_prefixes(void **state)
{
	struct conf_prefixes none = { 0 }, list;
	struct uapi_allowed allowed = { .before = &none };
	struct prefix v4 = { .family = AF_INET }, v6 = { .family = AF_INET6 };
	struct prefix longer = { .family = AF_INET, .len = 1 };

	(void)state;
	assert_int_equal(uapi_allowed_claim(&allowed, 0, &v4, false), 0);
	assert_int_equal(uapi_allowed_claim(&allowed, 0, &v6, false), 0);
	assert_int_equal(uapi_allowed_claim(&allowed, 0, &longer, false), 0);
	assert_int_equal(uapi_allowed_judge(&allowed, 0, &list), 0);
	assert_int_equal(list.n, 3);
	free(list.items);
	uapi_allowed_deinit(&allowed);
}

/* 130,000 and as many again through the whole of uapi_set(): a second would be far too much. */
static void many_take_no_time(void **state)
{
	enum { MANY = 130000, LINE = 64 };
	char *lines = malloc(128 + (size_t)MANY * LINE);
	size_t len = strlen("public_key=" KEY_A "\n");
	struct conf_link conf;
	struct uapi_edit edit;
	nsec_t begun;

	(void)state;
	assert_non_null(lines);
	memcpy(lines, "public_key=" KEY_A "\n", len);
	make_bare(&conf);
	conf.peer_key = key_of(0xa1);
	for (uint32_t i = 0; i < MANY; i++) {
		struct prefix prefix = numbered(i);
		char text[PREFIX_TEXT_MAX];

		len += (size_t)snprintf(lines + len, LINE, "allowed_ip=%s\n",
					prefix_format(&prefix, text));
	}
	begun = nsec_thread_cpu();
	assert_int_equal(uapi_set(lines, len, &conf, &edit), 0);
	assert_int_equal(edit.conf.wg_allowed_ips.n, MANY);
	/* Once more, onto what is there. */
	conf_link_deinit(&conf);
	conf = edit.conf;
	assert_int_equal(uapi_set(lines, len, &conf, &edit), 0);
	assert_int_equal(edit.conf.wg_allowed_ips.n, MANY);
	print_message("%d AllowedIPs set twice: %.0f ms\n", MANY,
		      (double)(nsec_thread_cpu() - begun) / 1e6);
	assert_true(nsec_thread_cpu() - begun < 2 * NSEC_PER_SEC);
	uapi_edit_deinit(&edit);
	conf_link_deinit(&conf);
	free(lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_lines_end_as_if_each_acted_at_once),
		cmocka_unit_test(families_and_lengths_are_different_prefixes),
		cmocka_unit_test(many_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
