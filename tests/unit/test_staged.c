/* Staged packets: order, the oldest going first, and nothing left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/proto/staged.h"

static int setup(void **state)
{
	static struct staged staged;

	*state = &staged;
	return staged_init(&staged);
}

static int teardown(void **state)
{
	staged_deinit(*state);
	return 0;
}

/* A packet that says which it is, of a length that does too. */
static bool push(struct staged *staged, size_t i)
{
	uint8_t packet[2000];

	memset(packet, (int)(i & 0xff), sizeof(packet));
	return staged_push(staged, packet, i + 1);
}

static void pop_expect(struct staged *staged, size_t i)
{
	size_t len;
	const uint8_t *packet = staged_pop(staged, &len);

	assert_non_null(packet);
	assert_int_equal(len, i + 1);
	for (size_t j = 0; j < len; j++)
		assert_int_equal(packet[j], i & 0xff);
}

static void pop_nothing(struct staged *staged)
{
	size_t len = 77;

	assert_null(staged_pop(staged, &len));
	assert_int_equal(len, 0);
}

static void first_in_first_out(void **state)
{
	pop_nothing(*state);
	for (size_t i = 0; i < 3; i++)
		assert_true(push(*state, i));
	for (size_t i = 0; i < 3; i++)
		pop_expect(*state, i);
	pop_nothing(*state);
}

static void oldest_goes_first(void **state)
{
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(push(*state, i), i < STAGED_MAX);
	for (size_t i = 300 - STAGED_MAX; i < 300; i++)
		pop_expect(*state, i);
	pop_nothing(*state);
}

/* The ring turns: pushes and pops mixed for longer than it is. */
static void ring_turns(void **state)
{
	size_t n_pushed = 0, n_popped = 0;

	while (n_pushed < 1000) {
		for (size_t i = 0; i < 7; i++)
			assert_true(push(*state, n_pushed++));
		for (size_t i = 0; i < 6 && n_pushed - n_popped > 20; i++)
			pop_expect(*state, n_popped++);
		if (n_pushed - n_popped > 100) {
			while (n_popped < n_pushed)
				pop_expect(*state, n_popped++);
		}
	}
}

static void largest_packet_fits_everywhere(void **state)
{
	static uint8_t packet[STAGED_PACKET_MAX];
	size_t len;

	for (size_t i = 0; i < STAGED_MAX; i++) {
		memset(packet, (int)i, sizeof(packet));
		assert_true(staged_push(*state, packet, sizeof(packet)));
	}
	for (size_t i = 0; i < STAGED_MAX; i++) {
		const uint8_t *popped = staged_pop(*state, &len);

		memset(packet, (int)i, sizeof(packet));
		assert_int_equal(len, sizeof(packet));
		assert_memory_equal(popped, packet, sizeof(packet));
	}
}

static void clear_drops_and_wipes(void **state)
{
	struct staged *staged = *state;

	assert_int_equal(staged_clear(staged), 0);
	for (size_t i = 0; i < 5; i++)
		push(staged, 1500);
	pop_expect(staged, 1500);
	assert_int_equal(staged_clear(staged), 4);
	assert_int_equal(staged_clear(staged), 0);
	pop_nothing(staged);
	for (size_t i = 0; i < 5 * (size_t)STAGED_PACKET_MAX; i++)
		assert_int_equal(staged->memory[i], 0);
	/* And it works on. */
	assert_true(push(staged, 3));
	pop_expect(staged, 3);
}

/* After the last pop nothing is counted, but the plaintext must go too. */
static void clear_wipes_what_was_popped(void **state)
{
	struct staged *staged = *state;

	push(staged, 99);
	pop_expect(staged, 99);
	assert_int_equal(staged_clear(staged), 0);
	assert_int_equal(staged->memory[0], 0);
}

static void deinit_is_safe_twice(void **state)
{
	struct staged never = { 0 };

	(void)state;
	staged_deinit(&never);
	assert_int_equal(staged_init(&never), 0);
	staged_deinit(&never);
	staged_deinit(&never);
	assert_null(never.memory);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(first_in_first_out, setup, teardown),
		cmocka_unit_test_setup_teardown(oldest_goes_first, setup, teardown),
		cmocka_unit_test_setup_teardown(ring_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(largest_packet_fits_everywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(clear_drops_and_wipes, setup, teardown),
		cmocka_unit_test_setup_teardown(clear_wipes_what_was_popped, setup, teardown),
		cmocka_unit_test(deinit_is_safe_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
