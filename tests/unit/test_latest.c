/* Tests of daemon/core/latest.c: paths have versions, and the last word counts. */
#include "tests/unit/datagrams.h"

#include <pthread.h>
#include <stdatomic.h>

#include "daemon/core/latest.h"

#define N_MOVES 20000

static struct latest latest;

static int set_up(void **state)
{
	(void)state;
	latest_init(&latest);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	latest_deinit(&latest);
	return 0;
}

static void it_begins_without_a_path(void **state)
{
	struct udp_path path = path_to("192.0.2.9", 9);
	unsigned int version = 0;

	(void)state;
	latest_get_path(&latest, &version, &path);
	/* No news: what the reader has stays. */
	assert_int_equal(version, 0);
	assert_int_equal(netaddr_port(&path.remote), 9);
	assert_int_equal(latest.path.remote.sa.sa_family, AF_UNSPEC);
	assert_int_equal(latest_confirmed(&latest), 0);
}

static void each_change_is_news_once(void **state)
{
	struct udp_path one = path_to("192.0.2.1", 1), two = path_to("fd00::2", 2), path = one;
	unsigned int version = 0, before;

	(void)state;
	latest_set_path(&latest, &one);
	latest_set_path(&latest, &two);
	latest_get_path(&latest, &version, &path);
	assert_true(udp_path_equal(&path, &two));
	assert_int_equal(version, 2);
	/* Not asked for again: the reader's own changes stay. */
	before = version;
	path = one;
	latest_get_path(&latest, &version, &path);
	assert_true(udp_path_equal(&path, &one));
	assert_int_equal(version, before);
	/* The same path again is news all the same: a reader may have another one by now. */
	latest_set_path(&latest, &two);
	latest_get_path(&latest, &version, &path);
	assert_true(udp_path_equal(&path, &two));
}

static void each_reader_has_its_own_version(void **state)
{
	struct udp_path one = path_to("192.0.2.1", 1), first = { 0 }, second = { 0 };
	unsigned int first_version = 0, second_version = 0;

	(void)state;
	latest_set_path(&latest, &one);
	latest_get_path(&latest, &first_version, &first);
	latest_get_path(&latest, &second_version, &second);
	assert_true(udp_path_equal(&first, &one));
	assert_true(udp_path_equal(&second, &one));
}

static void the_source_is_forgotten_only_for_its_remote(void **state)
{
	struct udp_path pinned = path_to("192.0.2.1", 1), path = { 0 };
	union netaddr other_address = address_of("192.0.2.2", 1);
	union netaddr other_port = address_of("192.0.2.1", 2);
	union netaddr other_family = address_of("fd00::1", 1);
	unsigned int version = 0, before;

	(void)state;
	pin(&pinned, "192.0.2.7");
	pinned.source_if = 3;
	latest_set_path(&latest, &pinned);
	latest_get_path(&latest, &version, &path);
	before = version;
	latest_forget_source(&latest, &other_address);
	latest_forget_source(&latest, &other_port);
	latest_forget_source(&latest, &other_family);
	latest_get_path(&latest, &version, &path);
	assert_int_equal(version, before);
	assert_true(udp_path_equal(&path, &pinned));
	latest_forget_source(&latest, &pinned.remote);
	latest_get_path(&latest, &version, &path);
	assert_int_not_equal(version, before);
	assert_false(path.has_source);
	assert_int_equal(path.source_if, 0);
	assert_true(netaddr_equal(&path.remote, &pinned.remote));
}

/* A handshake message may wait for control while data of a newer path is opened. */
static void of_two_messages_the_later_one_counts(void **state)
{
	struct udp_path older = path_to("192.0.2.1", 1), newer = path_to("192.0.2.2", 2), path;
	unsigned int version = 0, before;

	(void)state;
	assert_true(latest_learn_path(&latest, &newer, 20));
	latest_get_path(&latest, &version, &path);
	before = version;
	assert_false(latest_learn_path(&latest, &older, 19));
	latest_get_path(&latest, &version, &path);
	assert_int_equal(version, before);
	assert_true(udp_path_equal(&path, &newer));
	/* At the same moment, and later. */
	assert_true(latest_learn_path(&latest, &older, 20));
	assert_true(latest_learn_path(&latest, &newer, 21));
}

/* What control tries because nothing comes back says nothing about what came when. */
static void a_guess_is_no_message(void **state)
{
	struct udp_path learned = path_to("192.0.2.1", 1), guess = path_to("192.0.2.2", 2), path;
	unsigned int version = 0;

	(void)state;
	assert_true(latest_learn_path(&latest, &learned, 20));
	latest_set_path(&latest, &guess);
	latest_forget_source(&latest, &guess.remote);
	latest_get_path(&latest, &version, &path);
	assert_true(udp_path_equal(&path, &guess));
	assert_false(latest_learn_path(&latest, &learned, 19));
	assert_true(latest_learn_path(&latest, &learned, 20));
}

static void the_last_confirmation_counts(void **state)
{
	(void)state;
	latest_confirm(&latest, 3);
	latest_confirm(&latest, 4);
	assert_int_equal(latest_confirmed(&latest), 4);
	assert_int_equal(latest_confirmed(&latest), 4);
}

/* Versions come round after 2^32 changes. */
static void versions_wrap(void **state)
{
	struct udp_path one = path_to("192.0.2.1", 1), path = { 0 };
	unsigned int version = UINT32_MAX;

	(void)state;
	atomic_store(&latest.version, UINT32_MAX);
	latest_set_path(&latest, &one);
	latest_get_path(&latest, &version, &path);
	assert_int_equal(version, 0);
	assert_true(udp_path_equal(&path, &one));
}

/* --- with threads --------------------------------------------------------------------------- */

static atomic_bool has_ended;

/* Paths whose parts belong together: port, source and interface are one number. */
static struct udp_path numbered(unsigned int n)
{
	struct udp_path path = path_to("192.0.2.1", (uint16_t)n);

	path.has_source = true;
	path.source.in4.s_addr = n;
	path.source_if = n;
	return path;
}

static void *move(void *context)
{
	(void)context;
	for (unsigned int n = 1; n <= N_MOVES; n++) {
		struct udp_path path = numbered(n);

		latest_set_path(&latest, &path);
		latest_confirm(&latest, n);
	}
	atomic_store(&has_ended, true);
	return NULL;
}

/* Counts paths that are a mixture, and steps back. */
static void *follow(void *context)
{
	unsigned int *n_wrong = context;
	unsigned int version = 0, last = 0;
	struct udp_path path = { 0 };
	bool is_last;

	do {
		uint64_t confirmed = latest_confirmed(&latest);

		is_last = atomic_load(&has_ended);
		latest_get_path(&latest, &version, &path);
		if (path.remote.sa.sa_family == AF_UNSPEC)
			continue;
		*n_wrong += netaddr_port(&path.remote) != path.source_if ||
			    path.source.in4.s_addr != path.source_if;
		*n_wrong += path.source_if < last || path.source_if < confirmed;
		last = path.source_if;
	} while (!is_last);
	*n_wrong += last != N_MOVES;
	return NULL;
}

static void readers_see_whole_paths_in_order(void **state)
{
	pthread_t writer, readers[2];
	unsigned int n_wrong[2] = { 0 };

	(void)state;
	atomic_store(&has_ended, false);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		assert_int_equal(pthread_create(&readers[i], NULL, follow, &n_wrong[i]), 0);
	assert_int_equal(pthread_create(&writer, NULL, move, NULL), 0);
	pthread_join(writer, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
		pthread_join(readers[i], NULL);
		assert_int_equal(n_wrong[i], 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_begins_without_a_path, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_change_is_news_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_reader_has_its_own_version, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_source_is_forgotten_only_for_its_remote, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(of_two_messages_the_later_one_counts, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_guess_is_no_message, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_last_confirmation_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(versions_wrap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(readers_see_whole_paths_in_order, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
