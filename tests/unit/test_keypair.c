/*
 * Keypairs: the three slots and how keys move through them, sealing and opening, their limits.
 */
#include "tests/unit/keypair_desk.h"

#include "tests/vectors/vectors.h"

#include "tests/vectors/generated.h"

static void initiator_installs_current(void **state)
{
	struct keypair *keypair = install(*state, true, 1);

	assert_slots(*state, 1, 0, 0);
	assert_true(keypair->i_am_initiator);
	assert_true(keypair->birth == START);
	assert_true(keypair->send_counter == 0);
	assert_int_equal(keypair->remote_index, 1);
	assert_int_equal(keypair->send_key.bytes[0], 1);
	install(*state, true, 2);
	assert_slots(*state, 2, 1, 0);
	install(*state, true, 3);
	assert_slots(*state, 3, 2, 0);
	install(*state, true, 4);
	assert_slots(*state, 4, 3, 0);
	assert_null(keypairs_find(*state, 1));
	assert_null(keypairs_find(*state, 2));
}

static void responder_installs_next(void **state)
{
	struct keypair *keypair = install(*state, false, 1);

	assert_slots(*state, 0, 0, 1);
	assert_false(keypair->i_am_initiator);
	/* Unconfirmed ones replace each other. */
	install(*state, false, 2);
	assert_slots(*state, 0, 0, 2);
	assert_true(keypairs_confirm(*state, keypairs_find(*state, 2)));
	assert_slots(*state, 2, 0, 0);
	install(*state, false, 3);
	assert_slots(*state, 2, 0, 3);
}

static void confirmation_moves_all(void **state)
{
	install(*state, true, 1);
	install(*state, false, 2);
	assert_true(keypairs_confirm(*state, keypairs_find(*state, 2)));
	assert_slots(*state, 2, 1, 0);
	install(*state, false, 3);
	assert_slots(*state, 2, 0, 3);
	assert_true(keypairs_confirm(*state, keypairs_find(*state, 3)));
	assert_slots(*state, 3, 2, 0);
}

static void only_next_is_confirmed(void **state)
{
	install(*state, true, 1);
	install(*state, true, 2);
	assert_false(keypairs_confirm(*state, keypairs_find(*state, 1)));
	assert_false(keypairs_confirm(*state, keypairs_find(*state, 2)));
	assert_slots(*state, 2, 1, 0);
	install(*state, false, 3);
	assert_false(keypairs_confirm(*state, keypairs_find(*state, 2)));
	assert_slots(*state, 2, 0, 3);
}

/* Both began at once: the next that the peer may be sending with already is kept as previous. */
static void initiator_with_next_pending(void **state)
{
	install(*state, true, 1);
	install(*state, false, 2);
	install(*state, true, 3);
	assert_slots(*state, 3, 2, 0);
	/* Without a current, too. */
	keypairs_wipe(*state);
	install(*state, false, 4);
	install(*state, true, 5);
	assert_slots(*state, 5, 4, 0);
}

/* Any order of events leaves a pool that has room; ends with all three slots in use. */
static void pool_never_runs_out(void **state)
{
	struct keypairs *keypairs = *state;

	for (unsigned int script = 0; script < 3 * 3 * 3 * 3 * 3 * 3; script++) {
		unsigned int steps = script;

		keypairs_wipe(keypairs);
		for (uint8_t n = 1; n <= 6; n++, steps /= 3) {
			if (steps % 3 == 2) {
				if (keypairs->next)
					assert_true(keypairs_confirm(keypairs, keypairs->next));
			} else {
				assert_non_null(install(keypairs, steps % 3 == 0, n));
			}
			assert_slots(keypairs,
				     keypairs->current ? keypairs->current->local_index : 0,
				     keypairs->previous ? keypairs->previous->local_index : 0,
				     keypairs->next ? keypairs->next->local_index : 0);
		}
	}
}

static void free_places_are_not_found(void **state)
{
	assert_null(keypairs_find(*state, 0));
	install(*state, true, 1);
	assert_null(keypairs_find(*state, 0));
	assert_null(keypairs_find(*state, 2));
}

static void wipe_forgets_all(void **state)
{
	install(*state, true, 1);
	install(*state, true, 2);
	install(*state, false, 3);
	keypairs_wipe(*state);
	assert_slots(*state, 0, 0, 0);
	assert_true(sodium_is_zero(*state, offsetof(struct keypairs, n_made)));
}

static void sending_has_limits(void **state)
{
	struct keypair *keypair = install(*state, true, 1);

	assert_false(keypair_can_send(NULL, START));
	assert_true(keypair_can_send(keypair, START));
	assert_true(keypair_can_send(keypair, START + REJECT_AFTER_TIME - 1));
	assert_false(keypair_can_send(keypair, START + REJECT_AFTER_TIME));
	keypair->send_counter = REJECT_AFTER_MESSAGES - 1;
	assert_true(keypair_can_send(keypair, START));
	keypair->send_counter = REJECT_AFTER_MESSAGES;
	assert_false(keypair_can_send(keypair, START));
}

static void padding(void **state)
{
	static const struct {
		size_t len, mtu, padded;
	} rows[] = {
		{ 0, 1420, 0 },       { 1, 1420, 16 },      { 15, 1420, 16 },
		{ 16, 1420, 16 },     { 17, 1420, 32 },     { 1408, 1420, 1408 },
		{ 1409, 1420, 1420 }, { 1420, 1420, 1420 }, { 1421, 1420, 1436 },
		{ 1440, 1420, 1452 }, { 2840, 1420, 2840 }, { 2839, 1420, 2840 },
		{ 1420, 0, 1424 },    { 5, 0, 16 },         { 9000, 9000, 9000 },
		{ 8999, 9000, 9000 }, { 8993, 9000, 9000 }, { 8992, 9000, 8992 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(keypair_padded_len(rows[i].len, rows[i].mtu), rows[i].padded);
	for (size_t len = 0; len <= 1420; len++) {
		size_t padded = keypair_padded_len(len, 1420);

		assert_in_range(padded, len, MIN(len + 15, 1420));
		assert_true(padded % 16 == 0 || padded == 1420);
	}
}

/* The length of the plaintext is what the length of the message says. */
static enum keypair_result open_message(struct keypair *keypair, uint8_t *message, size_t len,
					nsec_t now)
{
	struct sealed_message sealed = { .bytes = message, .len = len };

	keypair_open(keypair, &sealed, 1, now);
	if (sealed.result == KEYPAIR_OPENED)
		assert_int_equal(sealed.plain_len, len - DATA_OVERHEAD);
	return sealed.result;
}

static void seals_as_the_independent_implementation(void **state)
{
	struct noise_session_keys keys = { .suite = CIPHER_CHACHA20_POLY1305 };
	struct keypair *keypair;
	uint8_t message[128], expected[128];

	hex(handshake_psk.to_responder, keys.send, AEAD_KEY_LEN);
	hex(handshake_psk.to_initiator, keys.receive, AEAD_KEY_LEN);
	keypair = keypairs_install(*state, &keys, true, handshake_psk.init_index,
				   handshake_psk.resp_index, START);
	assert_int_equal(keypair_seal(keypair, message, message + DATA_HEADER_LEN, 0),
			 DATA_OVERHEAD);
	assert_int_equal(hex(handshake_psk.keepalive, expected, sizeof(expected)), DATA_OVERHEAD);
	assert_memory_equal(message, expected, DATA_OVERHEAD);
	assert_true(keypair->send_counter == 1);

	/* And opens what that one sealed. */
	assert_int_equal(hex(handshake_psk.data, message, sizeof(message)), 48 + DATA_OVERHEAD);
	assert_int_equal(open_message(keypair, message, 48 + DATA_OVERHEAD, START), KEYPAIR_OPENED);
	fill_counting(expected, 48);
	assert_memory_equal(message + DATA_HEADER_LEN, expected, 48);
}

/* Seals `len` bytes with the counter `n`. */
static size_t seal(struct keypair *keypair, uint64_t n, uint8_t *message, size_t len)
{
	fill_counting(message + DATA_HEADER_LEN, len);
	keypair->send_counter = n;
	return keypair_seal(keypair, message, message + DATA_HEADER_LEN, len);
}

static void counters_go_up(void **state)
{
	struct keypair *keypair = install(*state, true, 1);
	uint8_t message[64];
	struct msg_data header;

	for (uint64_t n = 0; n < 10; n++) {
		keypair_seal(keypair, message, message + DATA_HEADER_LEN, 16);
		memcpy(&header, message, sizeof(header));
		assert_int_equal(le32_load(header.type), MSG_DATA);
		assert_int_equal(le32_load(header.receiver), 1);
		assert_true(le64_load(header.counter) == n);
	}
	assert_true(keypair->send_counter == 10);
}

static void opens_what_was_sealed(void **state)
{
	struct keypair *keypair = install(*state, true, 1);
	uint8_t message[1420 + DATA_OVERHEAD], expected[1420];

	fill_counting(expected, sizeof(expected));
	for (size_t len = 0; len <= 1420; len += 71) {
		size_t message_len = seal(keypair, len, message, len);

		assert_int_equal(message_len, len + DATA_OVERHEAD);
		assert_int_equal(open_message(keypair, message, message_len, START),
				 KEYPAIR_OPENED);
		assert_memory_equal(message + DATA_HEADER_LEN, expected, len);
	}
}

static void opening_has_an_age(void **state)
{
	struct keypair *keypair = install(*state, true, 1);
	uint8_t message[64];

	seal(keypair, 0, message, 16);
	assert_int_equal(open_message(keypair, message, 48, START + REJECT_AFTER_TIME),
			 KEYPAIR_EXPIRED);
	assert_int_equal(open_message(keypair, message, 48, START + REJECT_AFTER_TIME - 1),
			 KEYPAIR_OPENED);
}

static void opening_has_a_counter_limit(void **state)
{
	static const struct {
		uint64_t counter;
		enum keypair_result result;
	} rows[] = {
		{ REJECT_AFTER_MESSAGES, KEYPAIR_EXPIRED },
		{ REJECT_AFTER_MESSAGES + 1, KEYPAIR_EXPIRED },
		{ UINT64_MAX, KEYPAIR_EXPIRED },
		{ 5, KEYPAIR_OPENED },
		{ REJECT_AFTER_MESSAGES - 1, KEYPAIR_OPENED },
		{ REJECT_AFTER_MESSAGES - 1, KEYPAIR_REPLAYED },
		{ 6, KEYPAIR_REPLAYED },
	};
	struct keypair *keypair = install(*state, true, 1);
	uint8_t message[64];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		seal(keypair, rows[i].counter, message, 16);
		assert_int_equal(open_message(keypair, message, 48, START), rows[i].result);
	}
}

/* A forged message with a counter far ahead must not move the window. */
static void forgeries_do_not_move_the_window(void **state)
{
	struct keypair *keypair = install(*state, true, 1);
	struct replay_window before;
	uint8_t message[48], forged[48];

	seal(keypair, 100, message, 16);
	assert_int_equal(open_message(keypair, message, 48, START), KEYPAIR_OPENED);
	before = keypair->replay;

	seal(keypair, 1ULL << 40, message, 16);
	message[DATA_HEADER_LEN] ^= 1;
	assert_int_equal(open_message(keypair, message, 48, START), KEYPAIR_NOT_AUTHENTIC);
	assert_memory_equal(&keypair->replay, &before, sizeof(before));

	/* Each bit of the counter, of the ciphertext and of the tag. */
	seal(keypair, 101, message, 16);
	for (size_t bit = 8 * offsetof(struct msg_data, counter); bit < 8 * sizeof(forged); bit++) {
		enum keypair_result result;

		memcpy(forged, message, 48);
		forged[bit / 8] ^= (uint8_t)(1 << bit % 8);
		result = open_message(keypair, forged, 48, START);
		assert_int_equal(result, KEYPAIR_NOT_AUTHENTIC);
	}
	assert_memory_equal(&keypair->replay, &before, sizeof(before));
	assert_int_equal(open_message(keypair, message, 48, START), KEYPAIR_OPENED);
}

static void replays_are_refused(void **state)
{
	struct keypair *keypair = install(*state, true, 1);
	uint8_t message[64], copy[64];

	seal(keypair, 9000, message, 16);
	memcpy(copy, message, sizeof(copy));
	assert_int_equal(open_message(keypair, message, 48, START), KEYPAIR_OPENED);
	assert_int_equal(open_message(keypair, copy, 48, START), KEYPAIR_REPLAYED);
	seal(keypair, 9000 - REPLAY_WINDOW, message, 16);
	assert_int_equal(open_message(keypair, message, 48, START), KEYPAIR_OPENED);
	seal(keypair, 9000 - REPLAY_WINDOW - 1, message, 16);
	assert_int_equal(open_message(keypair, message, 48, START), KEYPAIR_REPLAYED);
}

/* What loss is told by: the sum of it is what the peer has sealed, whatever came in what order. */
static void counters_that_are_ahead_are_counted(void **state)
{
	static const struct {
		uint64_t counter, n_ahead;
		enum keypair_result result;
	} rows[] = {
		{ 0, 1, KEYPAIR_OPENED },       { 1, 1, KEYPAIR_OPENED },
		{ 5, 4, KEYPAIR_OPENED },       { 3, 0, KEYPAIR_OPENED },
		{ 3, 0, KEYPAIR_REPLAYED },     { 6, 1, KEYPAIR_OPENED },
		{ 9006, 9000, KEYPAIR_OPENED }, { 7, 0, KEYPAIR_REPLAYED },
	};
	struct keypair *keypair = install(*state, true, 1);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t bytes[64];
		struct sealed_message message = { .bytes = bytes, .len = 48 };

		seal(keypair, rows[i].counter, bytes, 16);
		keypair_open(keypair, &message, 1, START);
		assert_int_equal(message.result, rows[i].result);
		assert_int_equal(message.n_ahead, rows[i].n_ahead);
	}
}

/* A replayed counter with a wrong tag is a forgery: the order of checks. */
static void tag_comes_before_replay(void **state)
{
	struct keypair *keypair = install(*state, true, 1);
	uint8_t message[64], copy[64];

	seal(keypair, 7, message, 16);
	memcpy(copy, message, sizeof(copy));
	assert_int_equal(open_message(keypair, message, 48, START), KEYPAIR_OPENED);
	copy[40] ^= 1;
	assert_int_equal(open_message(keypair, copy, 48, START), KEYPAIR_NOT_AUTHENTIC);
}

static void directions_have_their_own_keys(void **state)
{
	struct noise_session_keys keys = keys_of(1);
	struct keypair *keypair;
	uint8_t message[64];

	memset(keys.receive, 2, sizeof(keys.receive));
	keypair = keypairs_install(*state, &keys, true, 1, 1, START);
	seal(keypair, 0, message, 16);
	/* Our own packet, reflected. */
	assert_int_equal(open_message(keypair, message, 48, START), KEYPAIR_NOT_AUTHENTIC);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(initiator_installs_current, setup),
		cmocka_unit_test_setup(responder_installs_next, setup),
		cmocka_unit_test_setup(confirmation_moves_all, setup),
		cmocka_unit_test_setup(only_next_is_confirmed, setup),
		cmocka_unit_test_setup(initiator_with_next_pending, setup),
		cmocka_unit_test_setup(pool_never_runs_out, setup),
		cmocka_unit_test_setup(free_places_are_not_found, setup),
		cmocka_unit_test_setup(wipe_forgets_all, setup),
		cmocka_unit_test_setup(sending_has_limits, setup),
		cmocka_unit_test(padding),
		cmocka_unit_test_setup(seals_as_the_independent_implementation, setup),
		cmocka_unit_test_setup(counters_go_up, setup),
		cmocka_unit_test_setup(opens_what_was_sealed, setup),
		cmocka_unit_test_setup(opening_has_an_age, setup),
		cmocka_unit_test_setup(opening_has_a_counter_limit, setup),
		cmocka_unit_test_setup(forgeries_do_not_move_the_window, setup),
		cmocka_unit_test_setup(replays_are_refused, setup),
		cmocka_unit_test_setup(counters_that_are_ahead_are_counted, setup),
		cmocka_unit_test_setup(tag_comes_before_replay, setup),
		cmocka_unit_test_setup(directions_have_their_own_keys, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
