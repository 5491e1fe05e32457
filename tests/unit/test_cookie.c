/*
 * MACs and cookies: against an independent implementation, and who may use which cookie when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "daemon/proto/cookie.h"
#include "tests/unit/fixed_random.h"
#include "tests/vectors/vectors.h"

#include "tests/vectors/generated.h"

#define START (1000 * NSEC_PER_SEC)
#define INDEX 0x1a2b3c4d

/* The responder that is flooded, the initiator that knocks, and a message on the way. */
struct ends {
	struct cookie_checker checker;
	struct cookie_maker maker;
	uint8_t message[sizeof(struct msg_initiation)];
	union netaddr source;
};

static union netaddr address(const char *text, uint16_t port)
{
	union netaddr addr = { .in4 = { .sin_family = AF_INET } };

	if (inet_pton(AF_INET, text, &addr.in4.sin_addr) == 1) {
		addr.in4.sin_port = htons(port);
		return addr;
	}
	addr.in6 = (struct sockaddr_in6) { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	assert_int_equal(inet_pton(AF_INET6, text, &addr.in6.sin6_addr), 1);
	return addr;
}

static int setup(void **state)
{
	static struct ends ends;
	struct key resp_public;

	memset(&ends, 0, sizeof(ends));
	hex(handshake_plain.resp_public, resp_public.bytes, KEY_LEN);
	cookie_checker_init(&ends.checker, &resp_public);
	cookie_maker_init(&ends.maker, &resp_public);
	hex(handshake_plain.initiation, ends.message, sizeof(ends.message));
	ends.source = address("192.0.2.1", 51820);
	*state = &ends;
	return 0;
}

static void add_macs(struct ends *ends, nsec_t now)
{
	cookie_add_macs(&ends->maker, ends->message, sizeof(ends->message), now);
}

static bool check_mac1(struct ends *ends)
{
	return cookie_check_mac1(&ends->checker, ends->message, sizeof(ends->message));
}

static bool check_mac2(struct ends *ends, nsec_t now)
{
	return cookie_check_mac2(&ends->checker, ends->message, sizeof(ends->message),
				 &ends->source, now);
}

static struct msg_cookie make_reply(struct ends *ends, nsec_t now)
{
	struct msg_cookie reply;

	cookie_make_reply(&ends->checker, ends->message, sizeof(ends->message), le32_make(INDEX),
			  &ends->source, now, &reply);
	return reply;
}

/* The maker learns a cookie for the source, and shows it in the message. */
static void learn(struct ends *ends, nsec_t now)
{
	struct msg_cookie reply;

	add_macs(ends, now);
	reply = make_reply(ends, now);
	assert_true(cookie_consume_reply(&ends->maker, &reply, now));
	add_macs(ends, now);
}

static void macs_match(const char *public_key, const char *message, const char *cookie)
{
	uint8_t expected[HANDSHAKE_MAX_LEN], actual[HANDSHAKE_MAX_LEN];
	size_t len = hex(message, expected, sizeof(expected));
	struct cookie_maker maker;
	struct key key;

	hex(public_key, key.bytes, KEY_LEN);
	cookie_maker_init(&maker, &key);
	if (*cookie) {
		hex(cookie, maker.cookie, MAC_LEN);
		maker.has_cookie = true;
		maker.cookie_birth = START;
	}
	memcpy(actual, expected, len);
	memset(actual + len - sizeof(struct msg_macs), 0xee, sizeof(struct msg_macs));
	cookie_add_macs(&maker, actual, len, START);
	assert_memory_equal(actual, expected, len);
}

static void macs_match_independent_implementation(void **state)
{
	(void)state;
	macs_match(handshake_plain.resp_public, handshake_plain.initiation, "");
	macs_match(handshake_plain.init_public, handshake_plain.response, "");
	macs_match(handshake_psk.init_public, handshake_psk.response, "");
	macs_match(handshake_cookie.resp_public, handshake_cookie.initiation,
		   handshake_cookie.cookie);
}

static void replies_match_independent_implementation(void **state)
{
	static const struct {
		const char *source, *reply, *cookie;
	} rows[] = {
		{ "192.0.2.1", cookie_reply_4, cookie_4 },
		{ "2001:db8::1", cookie_reply_6, cookie_6 },
	};
	struct ends *ends = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t nonce[24], expected[sizeof(struct msg_cookie)], cookie[MAC_LEN];
		struct msg_cookie reply;

		fill_counting(ends->checker.secret, HASH_LEN);
		ends->checker.has_secret = true;
		ends->checker.secret_birth = START;
		ends->source = address(rows[i].source, 51820);
		fixed_random_begin();
		fill_counting(nonce, sizeof(nonce));
		fixed_random_push(nonce, sizeof(nonce));
		reply = make_reply(ends, START);
		fixed_random_end();
		hex(rows[i].reply, expected, sizeof(expected));
		assert_memory_equal(&reply, expected, sizeof(expected));

		add_macs(ends, START);
		assert_true(cookie_consume_reply(&ends->maker, &reply, START));
		hex(rows[i].cookie, cookie, MAC_LEN);
		assert_memory_equal(ends->maker.cookie, cookie, MAC_LEN);
		ends->maker.has_cookie = false;
		add_macs(ends, START);
	}
}

/* Any bit before the second MAC counts; the second MAC itself does not. */
static void mac1_covers_the_message(void **state)
{
	struct ends *ends = *state;

	assert_true(check_mac1(ends));
	for (size_t bit = 0; bit < 8 * sizeof(ends->message); bit++) {
		ends->message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(check_mac1(ends), bit / 8 >= sizeof(ends->message) - MAC_LEN);
		ends->message[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void mac1_is_for_one_public_key(void **state)
{
	struct ends *ends = *state;
	struct key other;

	hex(handshake_plain.init_public, other.bytes, KEY_LEN);
	cookie_checker_init(&ends->checker, &other);
	assert_false(check_mac1(ends));
}

static void mac2_is_zero_without_a_cookie(void **state)
{
	struct ends *ends = *state;

	memset(ends->message, 0xee, sizeof(ends->message));
	add_macs(ends, START);
	assert_true(check_mac1(ends));
	assert_true(sodium_is_zero(ends->message + sizeof(ends->message) - MAC_LEN, MAC_LEN));
	assert_false(check_mac2(ends, START));
}

static void mac2_covers_the_message(void **state)
{
	struct ends *ends = *state;

	learn(ends, START);
	assert_true(check_mac1(ends));
	assert_true(check_mac2(ends, START));
	for (size_t bit = 0; bit < 8 * sizeof(ends->message); bit++) {
		ends->message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(check_mac2(ends, START));
		ends->message[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void cookie_is_for_one_source(void **state)
{
	static const struct {
		const char *owner, *thief;
		uint16_t thief_port;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", 51821 },     { "192.0.2.1", "192.0.2.2", 51820 },
		{ "192.0.2.1", "64.0.2.1", 51820 },      { "192.0.2.1", "c000:201::", 51820 },
		{ "2001:db8::1", "2001:db8::1", 51821 }, { "2001:db8::1", "2001:db8::2", 51820 },
		{ "2001:db8::1", "2001:db9::1", 51820 },
	};
	struct ends *ends = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ends->source = address(rows[i].owner, 51820);
		learn(ends, START);
		assert_true(check_mac2(ends, START));
		ends->source = address(rows[i].thief, rows[i].thief_port);
		assert_false(check_mac2(ends, START));
	}
}

static void secret_lives_two_minutes(void **state)
{
	struct ends *ends = *state;
	uint8_t secret[HASH_LEN];

	learn(ends, START);
	memcpy(secret, ends->checker.secret, HASH_LEN);
	assert_true(check_mac2(ends, START + COOKIE_SECRET_LIFETIME - 1));
	assert_false(check_mac2(ends, START + COOKIE_SECRET_LIFETIME));
	assert_memory_not_equal(secret, ends->checker.secret, HASH_LEN);
	/* It does not come back. */
	assert_false(check_mac2(ends, START + COOKIE_SECRET_LIFETIME + 1));
}

static void secret_is_not_drawn_anew_before(void **state)
{
	struct ends *ends = *state;
	uint8_t secret[HASH_LEN];

	(void)make_reply(ends, START);
	memcpy(secret, ends->checker.secret, HASH_LEN);
	(void)make_reply(ends, START + COOKIE_SECRET_LIFETIME - 1);
	assert_memory_equal(secret, ends->checker.secret, HASH_LEN);
	(void)make_reply(ends, START + COOKIE_SECRET_LIFETIME);
	assert_memory_not_equal(secret, ends->checker.secret, HASH_LEN);
}

/* At a boot time of nothing there must be no all-zero secret in use. */
static void secret_is_drawn_at_once(void **state)
{
	struct ends *ends = *state;

	assert_false(check_mac2(ends, 0));
	assert_false(sodium_is_zero(ends->checker.secret, HASH_LEN));
}

static void cookie_is_shown_for_less(void **state)
{
	struct ends *ends = *state;

	learn(ends, START);
	add_macs(ends, START + COOKIE_LIFETIME - 1);
	assert_true(check_mac2(ends, START + COOKIE_LIFETIME - 1));
	add_macs(ends, START + COOKIE_LIFETIME);
	assert_false(check_mac2(ends, START + COOKIE_LIFETIME));
	assert_true(sodium_is_zero(ends->message + sizeof(ends->message) - MAC_LEN, MAC_LEN));
}

static void replies_have_fresh_nonces(void **state)
{
	struct ends *ends = *state;
	struct msg_cookie a = make_reply(ends, START), b = make_reply(ends, START);

	assert_memory_not_equal(a.nonce, b.nonce, sizeof(a.nonce));
	assert_memory_not_equal(a.encrypted_cookie, b.encrypted_cookie, MAC_LEN);
	assert_int_equal(le32_load(a.type), MSG_COOKIE);
	assert_int_equal(le32_load(a.receiver), INDEX);
}

static void reply_needs_a_message_of_ours(void **state)
{
	struct ends *ends = *state;
	struct msg_cookie reply = make_reply(ends, START);

	assert_false(cookie_consume_reply(&ends->maker, &reply, START));
	assert_false(ends->maker.has_cookie);
}

static void reply_is_used_once(void **state)
{
	struct ends *ends = *state;
	struct msg_cookie reply, second;

	add_macs(ends, START);
	reply = make_reply(ends, START);
	second = make_reply(ends, START);
	assert_true(cookie_consume_reply(&ends->maker, &reply, START));
	assert_false(cookie_consume_reply(&ends->maker, &reply, START + 1));
	assert_false(cookie_consume_reply(&ends->maker, &second, START + 1));
	assert_true(ends->maker.cookie_birth == START);
}

static void reply_flipped_anywhere(void **state)
{
	struct ends *ends = *state;
	struct msg_cookie reply;
	uint8_t *bytes = (uint8_t *)&reply;

	add_macs(ends, START);
	reply = make_reply(ends, START);
	for (size_t bit = 8 * offsetof(struct msg_cookie, nonce); bit < 8 * sizeof(reply); bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(cookie_consume_reply(&ends->maker, &reply, START));
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_false(ends->maker.has_cookie);
	/* A forgery does not use up the chance of the real one. */
	assert_true(cookie_consume_reply(&ends->maker, &reply, START));
}

static void reply_to_another_message(void **state)
{
	struct ends *ends = *state;
	struct msg_cookie reply;

	add_macs(ends, START);
	reply = make_reply(ends, START);
	ends->message[10] ^= 1;
	add_macs(ends, START);
	assert_false(cookie_consume_reply(&ends->maker, &reply, START));
	assert_false(ends->maker.has_cookie);
}

static void reply_by_somebody_else(void **state)
{
	struct ends *ends = *state;
	struct msg_cookie reply;
	struct key other;

	add_macs(ends, START);
	hex(handshake_plain.init_public, other.bytes, KEY_LEN);
	cookie_checker_init(&ends->checker, &other);
	reply = make_reply(ends, START);
	assert_false(cookie_consume_reply(&ends->maker, &reply, START));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(macs_match_independent_implementation),
		cmocka_unit_test_setup(replies_match_independent_implementation, setup),
		cmocka_unit_test_setup(mac1_covers_the_message, setup),
		cmocka_unit_test_setup(mac1_is_for_one_public_key, setup),
		cmocka_unit_test_setup(mac2_is_zero_without_a_cookie, setup),
		cmocka_unit_test_setup(mac2_covers_the_message, setup),
		cmocka_unit_test_setup(cookie_is_for_one_source, setup),
		cmocka_unit_test_setup(secret_lives_two_minutes, setup),
		cmocka_unit_test_setup(secret_is_not_drawn_anew_before, setup),
		cmocka_unit_test_setup(secret_is_drawn_at_once, setup),
		cmocka_unit_test_setup(cookie_is_shown_for_less, setup),
		cmocka_unit_test_setup(replies_have_fresh_nonces, setup),
		cmocka_unit_test_setup(reply_needs_a_message_of_ours, setup),
		cmocka_unit_test_setup(reply_is_used_once, setup),
		cmocka_unit_test_setup(reply_flipped_anywhere, setup),
		cmocka_unit_test_setup(reply_to_another_message, setup),
		cmocka_unit_test_setup(reply_by_somebody_else, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
