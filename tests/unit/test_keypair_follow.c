/*
 * Keypairs in three threads: copies that follow control's with their own progress, and batches that
 * are opened with them.
 */
#include "tests/unit/keypair_desk.h"

#include <sodium.h>

/* What a data thread is told: a copy of control's. */
static void follow(struct keypairs *own, const struct keypairs *control)
{
	struct keypairs told;

	keypairs_copy(&told, control);
	keypairs_follow(own, &told);
	assert_true(sodium_is_zero((uint8_t *)told.pool, sizeof(told.pool)));
}

static void a_copy_follows_with_its_own_progress(void **state)
{
	struct keypairs *control = *state, own = { 0 };

	install(control, true, 1);
	follow(&own, control);
	assert_slots(&own, 1, 0, 0);
	own.current->send_counter = 7;
	assert_true(replay_accept(&own.current->replay, 5));
	install(control, true, 2);
	follow(&own, control);
	assert_slots(&own, 2, 1, 0);
	assert_true(own.current->send_counter == 0);
	assert_true(own.previous->send_counter == 7);
	assert_false(replay_accept(&own.previous->replay, 5));
	/* Control's own copies have not moved. */
	assert_true(control->previous->send_counter == 0);
	assert_true(control->previous->replay.n_end == 0);
}

static void what_control_drops_is_wiped(void **state)
{
	struct keypairs *control = *state, own = { 0 };

	install(control, true, 1);
	install(control, true, 2);
	follow(&own, control);
	keypairs_wipe(control);
	follow(&own, control);
	assert_slots(&own, 0, 0, 0);
	assert_true(sodium_is_zero((uint8_t *)own.pool, sizeof(own.pool)));
}

/* A keypair that was there and is gone would begin at counter zero again. */
static void a_dropped_keypair_never_comes_back(void **state)
{
	struct keypairs *control = *state, own = { 0 }, old;

	install(control, true, 1);
	keypairs_copy(&old, control);
	follow(&own, control);
	keypairs_wipe(control);
	install(control, true, 2);
	follow(&own, control);
	follow(&own, &old);
	assert_slots(&own, 0, 0, 0);
	/* The slots may change places without that. */
	install(control, true, 3);
	memset(&own, 0, sizeof(own));
	follow(&own, control);
	own.current->send_counter = 9;
	keypairs_yield(control);
	assert_false(keypairs_confirm(control, control->previous));
	follow(&own, control);
	assert_slots(&own, 2, 3, 0);
	assert_true(own.previous->send_counter == 9);
	keypairs_yield(control);
	assert_false(keypairs_confirm(control, control->previous));
	follow(&own, control);
	assert_true(own.current->send_counter == 9);
}

static void a_batch_is_opened_by_index(void **state)
{
	struct keypairs *keypairs = *state;
	uint8_t bytes[4][DATA_HEADER_LEN + 16 + TAG_LEN] = { 0 };
	struct sealed_message messages[4];
	struct keypair *one = install(keypairs, true, 1), *two = install(keypairs, true, 2);

	for (size_t i = 0; i < 4; i++)
		messages[i] = (struct sealed_message) {
			.bytes = bytes[i],
			.len = keypair_seal(i == 1 ? two : one, bytes[i],
					    bytes[i] + DATA_HEADER_LEN, 16),
		};
	bytes[2][DATA_HEADER_LEN]++;
	bytes[3][4] = 9;
	keypairs_open(keypairs, messages, 4, START);
	assert_int_equal(messages[0].result, KEYPAIR_OPENED);
	assert_true(messages[0].is_first);
	assert_int_equal(messages[0].plain_len, 16);
	assert_int_equal(messages[0].serial, one->serial);
	assert_int_equal(messages[1].result, KEYPAIR_OPENED);
	assert_true(messages[1].is_first);
	assert_int_equal(messages[2].result, KEYPAIR_NOT_AUTHENTIC);
	assert_false(messages[2].is_first);
	assert_int_equal(messages[3].result, KEYPAIR_UNKNOWN);
	messages[0].len = keypair_seal(one, bytes[0], bytes[0] + DATA_HEADER_LEN, 16);
	keypairs_open(keypairs, messages, 1, START);
	assert_int_equal(messages[0].result, KEYPAIR_OPENED);
	assert_false(messages[0].is_first);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_copy_follows_with_its_own_progress, setup),
		cmocka_unit_test_setup(what_control_drops_is_wiped, setup),
		cmocka_unit_test_setup(a_dropped_keypair_never_comes_back, setup),
		cmocka_unit_test_setup(a_batch_is_opened_by_index, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
