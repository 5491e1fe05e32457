/* What a datagram is: by type and exact size, nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/defs.h"
#include "daemon/proto/messages.h"

static const size_t exact_len[] = {
	[MSG_INITIATION] = 148,
	[MSG_RESPONSE] = 92,
	[MSG_COOKIE] = 64,
};

/* Every type of the first byte with every length: only four combinations are messages. */
static void type_and_length_decide(void **state)
{
	uint8_t datagram[201] = { 0 };

	(void)state;
	for (unsigned int type = 0; type < 256; type++) {
		datagram[0] = (uint8_t)type;
		for (size_t len = 0; len <= sizeof(datagram); len++) {
			enum msg_type expected = MSG_NONE;

			if (type == MSG_DATA && len >= 32)
				expected = MSG_DATA;
			else if (type && type < ARRAY_SIZE(exact_len) && len == exact_len[type])
				expected = (enum msg_type)type;
			assert_int_equal(msg_classify(datagram, len), expected);
		}
	}
}

static void reserved_bytes_must_be_zero(void **state)
{
	uint8_t datagram[148] = { 0 };

	(void)state;
	for (enum msg_type type = MSG_INITIATION; type <= MSG_DATA; type++) {
		size_t len = type == MSG_DATA ? 48 : exact_len[type];

		datagram[0] = (uint8_t)type;
		assert_int_equal(msg_classify(datagram, len), type);
		for (size_t bit = 8; bit < 32; bit++) {
			datagram[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(msg_classify(datagram, len), MSG_NONE);
			datagram[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void data_may_be_long(void **state)
{
	static uint8_t datagram[65535] = { MSG_DATA };

	(void)state;
	assert_int_equal(msg_classify(datagram, sizeof(datagram)), MSG_DATA);
}

/* The places of the fields, as the paper draws them. */
static void fields_are_in_place(void **state)
{
	(void)state;
	assert_int_equal(offsetof(struct msg_initiation, sender), 4);
	assert_int_equal(offsetof(struct msg_initiation, ephemeral), 8);
	assert_int_equal(offsetof(struct msg_initiation, encrypted_static), 40);
	assert_int_equal(offsetof(struct msg_initiation, encrypted_timestamp), 88);
	assert_int_equal(offsetof(struct msg_initiation, macs), 116);
	assert_int_equal(offsetof(struct msg_response, sender), 4);
	assert_int_equal(offsetof(struct msg_response, receiver), 8);
	assert_int_equal(offsetof(struct msg_response, ephemeral), 12);
	assert_int_equal(offsetof(struct msg_response, encrypted_nothing), 44);
	assert_int_equal(offsetof(struct msg_response, macs), 60);
	assert_int_equal(offsetof(struct msg_cookie, receiver), 4);
	assert_int_equal(offsetof(struct msg_cookie, nonce), 8);
	assert_int_equal(offsetof(struct msg_cookie, encrypted_cookie), 32);
	assert_int_equal(offsetof(struct msg_data, receiver), 4);
	assert_int_equal(offsetof(struct msg_data, counter), 8);
}

/* The paper's numbers, section 6. */
static void constants(void **state)
{
	(void)state;
	assert_true(REKEY_AFTER_MESSAGES == 1152921504606846976ULL);
	assert_true(REJECT_AFTER_MESSAGES == 18446744073709543423ULL);
	assert_true(REKEY_AFTER_TIME == 120000000000ULL);
	assert_true(REJECT_AFTER_TIME == 180000000000ULL);
	assert_true(REKEY_ATTEMPT_TIME == 90000000000ULL);
	assert_true(REKEY_TIMEOUT == 5000000000ULL);
	assert_true(KEEPALIVE_TIMEOUT == 10000000000ULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(type_and_length_decide),
		cmocka_unit_test(reserved_bytes_must_be_zero),
		cmocka_unit_test(data_may_be_long),
		cmocka_unit_test(fields_are_in_place),
		cmocka_unit_test(constants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
