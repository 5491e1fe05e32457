/*
 * Agreeing on a suite: every pair of preferences, what is refused, and data under each cipher
 * between two peers. Only with the suites that this processor and this libsodium have.
 */
#include "tests/unit/peer_pair.h"

static struct peer *const a = &pair.a, *const b = &pair.b;

/* The suites beside the baseline that can be used here. */
static size_t usable(enum cipher_suite *ret)
{
	size_t n = 0;

	for (enum cipher_suite suite = 1; suite < N_CIPHERS; suite++) {
		if (cipher_get(suite)->is_available())
			ret[n++] = suite;
	}
	return n;
}

struct preference {
	enum cipher_suite items[N_CIPHERS];
	size_t n;
	bool is_forced;
};

#define N_PREFERENCES_MAX 24

/* Every list without repetition, and each suite and the baseline forced. */
static size_t all_preferences(struct preference *ret)
{
	enum cipher_suite suites[N_CIPHERS];
	size_t n_suites = usable(suites), n = 2;

	memset(ret, 0, 2 * sizeof(*ret));
	ret[1].is_forced = true;
	for (size_t i = 0; i < n_suites; i++) {
		ret[n++] = (struct preference) { { suites[i] }, 1, true };
		ret[n++] = (struct preference) { { suites[i] }, 1, false };
		for (size_t j = 0; j < n_suites; j++) {
			if (j == i)
				continue;
			ret[n++] = (struct preference) { { suites[i], suites[j] }, 2, false };
			for (size_t k = 0; k < n_suites; k++) {
				if (k != i && k != j)
					ret[n++] = (struct preference) {
						{ suites[i], suites[j], suites[k] }, 3, false
					};
			}
		}
	}
	assert_true(n <= N_PREFERENCES_MAX);
	return n;
}

static void prefer(struct peer *peer, const struct preference *preference)
{
	memcpy(peer->suites, preference->items, sizeof(peer->suites));
	peer->n_suites = preference->n;
	peer->is_suite_forced = preference->is_forced;
}

static void begin(const struct preference *of_a, const struct preference *of_b)
{
	pair_init(0, 7, 7);
	prefer(a, of_a);
	prefer(b, of_b);
}

static struct preference one(enum cipher_suite suite, bool is_forced)
{
	return (struct preference) { { suite }, suite != CIPHER_CHACHA20_POLY1305, is_forced };
}

static void end(void)
{
	peer_deinit(a);
	peer_deinit(b);
}

/* One beside the baseline; the test is skipped where there is none. */
static enum cipher_suite any_suite(void)
{
	enum cipher_suite suites[N_CIPHERS];

	if (usable(suites) == 0)
		skip();
	return suites[0];
}

/* What b reads in an initiation of a, without answering it. */
static struct noise_opened_initiation read_by_b(const struct msg_initiation *initiation)
{
	struct noise_opened_initiation opened;

	assert_int_equal(noise_consume_initiation(&b->secrets->identity, initiation, &opened),
			 NOISE_DONE);
	return opened;
}

static bool has(const struct preference *preference, enum cipher_suite suite)
{
	for (size_t i = 0; i < preference->n; i++) {
		if (preference->items[i] == suite)
			return true;
	}
	return suite == CIPHER_CHACHA20_POLY1305;
}

/* The responder's first that the initiator has. */
static enum cipher_suite expected_suite(const struct preference *init,
					const struct preference *resp)
{
	for (size_t i = 0; i < resp->n; i++) {
		if (has(init, resp->items[i]))
			return resp->items[i];
	}
	return CIPHER_CHACHA20_POLY1305;
}

static bool accepts(const struct preference *preference, enum cipher_suite suite)
{
	return !preference->is_forced ||
	       suite == (preference->n ? preference->items[0] : CIPHER_CHACHA20_POLY1305);
}

static bool has_no_session(const struct peer *peer)
{
	const struct keypairs *keypairs = &peer->secrets->keypairs;

	return !keypairs->current && !keypairs->next && !keypairs->previous;
}

/* Data of all lengths of padding, both ways, and keepalives. */
static void exchange(enum cipher_suite suite)
{
	size_t tag_len = cipher_get(suite)->tag_len;

	assert_ptr_equal(a->secrets->keypairs.current->cipher, cipher_get(suite));
	assert_ptr_equal(b->secrets->keypairs.current->cipher, cipher_get(suite));
	for (size_t len = 0; len <= 64; len += 16) {
		enum peer_verdict expected = len ? PEER_DATA : PEER_KEEPALIVE;
		struct packet to_b = send_packet(a, len), to_a = send_packet(b, len);

		assert_int_equal(to_b.len, DATA_HEADER_LEN + len + tag_len);
		assert_int_equal(to_a.len, to_b.len);
		receive_packet(b, to_b, expected);
		receive_packet(a, to_a, expected);
		receive_packet(a, to_a, PEER_REPLAYED);
	}
}

static void try_preferences(const struct preference *of_a, const struct preference *of_b)
{
	enum cipher_suite suite = expected_suite(of_a, of_b);
	struct msg_initiation initiation;
	struct peer_reply reply;

	begin(of_a, of_b);
	initiation = initiate(a);
	if (!accepts(of_b, suite)) {
		hand_initiation(b, &initiation, PEER_NO_SUITE);
		assert_true(has_no_session(b));
		end();
		return;
	}
	reply = hand_initiation(b, &initiation, PEER_RESPONDED);
	if (!accepts(of_a, suite)) {
		hand_reply(a, &reply, PEER_NO_SUITE);
		assert_true(has_no_session(a));
		assert_null(b->secrets->keypairs.current);
		end();
		return;
	}
	hand_reply(a, &reply, PEER_ESTABLISHED);
	receive_packet(b, send_packet(a, 0), PEER_KEEPALIVE);
	exchange(suite);
	end();
}

static void every_pair_of_preferences(void **state)
{
	struct preference all[N_PREFERENCES_MAX];
	size_t n = all_preferences(all);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++)
			try_preferences(&all[i], &all[j]);
	}
	print_message("%zu pairs\n", n * n);
}

/* Both initiate at once, with whatever preferences that fit: one session, one suite. */
static void crossed_initiations(void **state)
{
	struct preference all[N_PREFERENCES_MAX];
	size_t n = all_preferences(all);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			struct msg_initiation from_a, from_b;
			struct peer_reply by_a, by_b;

			if (all[i].is_forced || all[j].is_forced)
				continue;
			begin(&all[i], &all[j]);
			from_a = initiate(a);
			from_b = initiate(b);
			by_a = hand_initiation(a, &from_b, PEER_RESPONDED);
			by_b = hand_initiation(b, &from_a, PEER_RESPONDED);
			hand_reply(a, &by_b, PEER_ESTABLISHED);
			hand_reply(b, &by_a, PEER_ESTABLISHED);
			for (size_t k = 0; k < 3; k++) {
				receive_packet(b, send_packet(a, 16), PEER_DATA);
				receive_packet(a, send_packet(b, 16), PEER_DATA);
			}
			assert_int_equal(a->secrets->keypairs.current->local_index,
					 b->secrets->keypairs.current->remote_index);
			assert_ptr_equal(a->secrets->keypairs.current->cipher,
					 b->secrets->keypairs.current->cipher);
			end();
		}
	}
}

/* What a stock peer sees of an end that offers nothing. */
static void no_suites_make_a_stock_stamp(void **state)
{
	static const struct preference nothing[] = { { .n = 0 }, { .n = 0, .is_forced = true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++) {
		struct noise_opened_initiation opened;
		struct msg_initiation initiation;

		begin(&nothing[i], &nothing[i]);
		pair.now += 123456789;
		initiation = initiate(a);
		opened = read_by_b(&initiation);
		assert_int_equal(be32_load(opened.timestamp.nanoseconds) % TAI64N_STEP_NS, 0);
		end();
	}
}

static void the_offer_is_in_the_stamp(void **state)
{
	struct preference all[N_PREFERENCES_MAX];
	size_t n = all_preferences(all);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct noise_opened_initiation opened;
		struct msg_initiation initiation;
		offer_t offer;

		begin(&all[i], &all[0]);
		initiation = initiate(a);
		opened = read_by_b(&initiation);
		offer = offer_read(&opened.timestamp);
		for (enum cipher_suite suite = 1; suite < N_CIPHERS; suite++)
			assert_int_equal((offer >> suite) & 1, has(&all[i], suite));
		end();
	}
}

/* Refused as responder: no answer, nothing kept, but the timestamp counts as seen. */
static void a_forced_responder_is_silent(void **state)
{
	struct preference nothing = one(CIPHER_CHACHA20_POLY1305, false), forced;
	struct msg_initiation initiation;
	struct peer_reply reply;

	(void)state;
	forced = one(any_suite(), true);
	begin(&nothing, &forced);
	initiation = initiate(a);
	reply = hand_initiation(b, &initiation, PEER_NO_SUITE);
	assert_int_equal(reply.len, 0);
	assert_true(has_no_session(b));
	assert_int_equal(take_actions(b), 0);
	assert_true(b->last_handshake_sent == 0);
	hand_initiation(b, &initiation, PEER_OLD_TIMESTAMP);
	/* A session that there is stays untouched by a peer that offers less. */
	prefer(a, &forced);
	pair.now += SECONDS(1);
	connect_pair(a, b);
	prefer(a, &nothing);
	pair.now += SECONDS(10);
	initiation = initiate(a);
	hand_initiation(b, &initiation, PEER_NO_SUITE);
	assert_non_null(b->secrets->keypairs.current);
	assert_null(b->secrets->keypairs.next);
	exchange(forced.items[0]);
	end();
}

/* Refused as initiator: no session, nothing is sent with it, a stock peer stays unconfirmed. */
static void a_forced_initiator_takes_nothing_else(void **state)
{
	struct preference nothing = one(CIPHER_CHACHA20_POLY1305, false), forced;
	struct msg_initiation initiation;
	struct peer_reply reply;

	(void)state;
	forced = one(any_suite(), true);
	begin(&forced, &nothing);
	initiation = initiate(a);
	reply = hand_initiation(b, &initiation, PEER_RESPONDED);
	hand_reply(a, &reply, PEER_NO_SUITE);
	assert_true(has_no_session(a));
	assert_null(sending_keypair(a));
	assert_false(take_actions(a) & (PEER_SESSION_UP | PEER_FLUSH | PEER_SEND_KEEPALIVE));
	/* The same response again finds nobody waiting. */
	hand_reply(a, &reply, PEER_UNASKED);
	/* When the other end can do it, the next try works. */
	prefer(b, &forced);
	pair.now += SECONDS(6);
	connect_pair(a, b);
	exchange(forced.items[0]);
	end();
}

/* A refused answer is no answer: after 90 seconds the initiator gives up as with a dead peer. */
static void a_forced_initiator_gives_up(void **state)
{
	struct preference nothing = one(CIPHER_CHACHA20_POLY1305, false), forced;
	nsec_t begun;
	bool has_given_up = false;

	(void)state;
	forced = one(any_suite(), true);
	begin(&forced, &nothing);
	begun = pair.now;
	assert_null(sending_keypair(a));
	while (!has_given_up && pair.now - begun < SECONDS(300)) {
		unsigned int actions = take_actions(a);

		if (actions & PEER_INITIATE) {
			struct msg_initiation initiation = initiate(a);
			struct peer_reply reply = hand_initiation(b, &initiation, PEER_RESPONDED);

			hand_reply(a, &reply, PEER_NO_SUITE);
		}
		has_given_up = actions & PEER_GAVE_UP;
		pair.now += 100 * NSEC_PER_MSEC;
	}
	assert_true(has_given_up);
	assert_in_range((pair.now - begun) / NSEC_PER_SEC, 85, 105);
	end();
}

/* A message that is too short for its cipher's tag, though long enough for one of 16 bytes. */
static void too_short_for_its_tag(void **state)
{
	enum cipher_suite suites[N_CIPHERS];
	size_t n = usable(suites);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct preference forced = one(suites[i], true);
		size_t tag_len = cipher_get(suites[i])->tag_len;
		struct packet packet;

		begin(&forced, &forced);
		connect_pair(a, b);
		packet = send_packet(a, 0);
		assert_int_equal(packet.len, DATA_HEADER_LEN + tag_len);
		for (size_t len = DATA_OVERHEAD; len < DATA_HEADER_LEN + tag_len; len++) {
			struct packet cut = packet;

			cut.len = len;
			assert_int_equal(msg_classify(cut.bytes, cut.len), MSG_DATA);
			receive_packet(b, cut, PEER_FORGED);
		}
		/* Longer by what another cipher's tag would have. */
		packet.len += 16;
		receive_packet(b, packet, PEER_FORGED);
		packet.len -= 16;
		receive_packet(b, packet, PEER_KEEPALIVE);
		end();
	}
}

/* A rekey from each suite to each other one: what was under way is still received. */
static void rekey_to_another_suite(void **state)
{
	enum cipher_suite suites[1 + N_CIPHERS] = { CIPHER_CHACHA20_POLY1305 };
	size_t n = 1 + usable(suites + 1);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			struct preference before = one(suites[i], false);
			struct preference after = one(suites[j], false);
			struct packet late_to_a, late_to_b;

			begin(&before, &before);
			connect_pair(a, b);
			exchange(suites[i]);
			late_to_b = send_packet(a, 48);
			late_to_a = send_packet(b, 32);
			pair.now += SECONDS(120);
			prefer(a, &after);
			prefer(b, &after);
			connect_pair(b, a);
			exchange(suites[j]);
			assert_ptr_equal(a->secrets->keypairs.previous->cipher,
					 cipher_get(suites[i]));
			receive_packet(b, late_to_b, PEER_DATA);
			receive_packet(a, late_to_a, PEER_DATA);
			exchange(suites[j]);
			end();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_of_preferences),
		cmocka_unit_test(crossed_initiations),
		cmocka_unit_test(no_suites_make_a_stock_stamp),
		cmocka_unit_test(the_offer_is_in_the_stamp),
		cmocka_unit_test(a_forced_responder_is_silent),
		cmocka_unit_test(a_forced_initiator_takes_nothing_else),
		cmocka_unit_test(a_forced_initiator_gives_up),
		cmocka_unit_test(too_short_for_its_tag),
		cmocka_unit_test(rekey_to_another_suite),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
