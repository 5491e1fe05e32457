/*
 * Tests of daemon/core/rx.c: what must be known before a packet is written, and what a datagram
 * may change. The socket and the interface are the test's.
 */
#include "tests/unit/rx_desk.h"

static const char *address_text(const union netaddr *address)
{
	static char text[NETADDR_TEXT_MAX];

	return netaddr_format(address, text);
}

static void pass_time(void)
{
	clock_now += 30 * NSEC_PER_MSEC;
}

/* An answer must not seem older than what it answers, however late this thread gets its turn. */
static void time_is_read_after_receiving(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	while_receiving = pass_time;
	arrive(desk.far.current, 1, "192.0.2.1", PORT);
	run();
	assert_true(desk_facts()->last == START + 30 * NSEC_PER_MSEC);
}

static void packets_are_written_in_order(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	for (uint32_t i = 1; i <= 3; i++)
		arrive(desk.far.current, i, "192.0.2.1", PORT);
	run();
	assert_int_equal(n_written, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(written[i], i + 1);
	assert_int_equal(desk_count(COUNT_RX_PACKETS), 3);
	assert_int_equal(desk_count(COUNT_RX_BYTES), 3 * SEALED_LEN);
	assert_int_equal(desk_facts()->first_data, START);
}

/* Nobody hears of a key before it is used: whoever answers to the packet must find it confirmed. */
static void a_keypair_is_confirmed_before_its_packet_is_written(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_rekey(false, 2);
	desk_tell(0);
	arrive(desk.far.next, 7, "192.0.2.1", PORT);
	run();
	assert_int_equal(n_written, 1);
	assert_int_equal(confirmed_then, 2);
	assert_int_equal(desk_facts()->n_confirmed, 1);
	assert_int_equal(desk.facts.confirmed[0], 2);
	/* Once. */
	arrive(desk.far.next, 8, "192.0.2.1", PORT);
	run();
	assert_int_equal(desk_facts()->n_confirmed, 0);
	assert_int_equal(n_written, 2);
}

static void tell_now(void)
{
	desk_tell(0);
	while_receiving = NULL;
}

/* Control tells of a key and answers the peer, which sends with it, while rx sleeps: the mail is
 * there when the packet is. */
static void keys_that_came_before_the_packet_open_it(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_rekey(false, 2);
	arrive(desk.far.next, 7, "192.0.2.1", PORT);
	while_receiving = tell_now;
	run();
	assert_int_equal(n_written, 1);
	/* And without them it is counted, no more. */
	desk_rekey(false, 3);
	arrive(desk.far.next, 8, "192.0.2.1", PORT);
	run();
	assert_int_equal(n_written, 1);
	assert_int_equal(worker_counters(&desk.worker)->verdicts[PEER_UNKNOWN_INDEX], 1);
}

static void the_path_is_known_before_the_packet_is_written(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	arrive(desk.far.current, 1, "203.0.113.5", OTHER_PORT);
	run();
	assert_int_equal(n_written, 1);
	assert_true(udp_path_equal(
		&path_then,
		&(struct udp_path) { .remote = address_of("203.0.113.5", OTHER_PORT) }));
	assert_true(desk_facts()->is_way_stale);
}

/* Control has moved on to another address meanwhile: the peer's own word counts again. */
static void the_peer_corrects_a_guess(void **state)
{
	struct udp_path guess = path_to("198.51.100.1", PORT);

	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	latest_set_path(&desk.latest, &guess);
	arrive(desk.far.current, 1, "192.0.2.1", PORT);
	run();
	assert_true(netaddr_equal(&path_then.remote, &desk.wire.path.remote));
}

static void what_is_not_authentic_changes_nothing(void **state)
{
	unsigned int version = desk.latest.version;

	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	arrive(desk.far.current, 1, "203.0.113.5", OTHER_PORT)[SEALED_LEN - 1] ^= 1;
	arrive(desk.far.current, 2, "203.0.113.5", OTHER_PORT)[4] ^= 1;
	queue[0].bytes[DATA_HEADER_LEN] ^= 1;
	run();
	assert_int_equal(n_written, 0);
	assert_int_equal(desk.latest.version, version);
	assert_int_equal(latest_confirmed(&desk.latest), 0);
	assert_int_equal(desk_facts()->last, 0);
	assert_int_equal(worker_counters(&desk.worker)->verdicts[PEER_FORGED], 1);
	assert_int_equal(worker_counters(&desk.worker)->verdicts[PEER_UNKNOWN_INDEX], 1);
}

static void a_replay_changes_nothing(void **state)
{
	unsigned int version;

	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	arrive(desk.far.current, 1, "192.0.2.1", PORT);
	run();
	version = desk.latest.version;
	desk.far.current->send_counter--;
	arrive(desk.far.current, 1, "203.0.113.5", OTHER_PORT);
	run();
	assert_int_equal(n_written, 1);
	assert_int_equal(desk.latest.version, version);
	assert_int_equal(worker_counters(&desk.worker)->verdicts[PEER_REPLAYED], 1);
}

/* From behind the link itself: answers would go round for ever. */
static void a_way_through_the_link_is_not_taken(void **state)
{
	unsigned int version = desk.latest.version;

	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	arrive(desk.far.current, 1, "10.0.0.2", PORT);
	set_way(0, &queue[0].path, LOOP_INDEX);
	run();
	assert_int_equal(n_written, 1);
	assert_int_equal(desk.latest.version, version);
}

static void what_allowedips_forbid_is_not_written(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	desk.forbids = true;
	arrive(desk.far.current, 1, "192.0.2.1", PORT);
	run();
	assert_int_equal(n_written, 0);
	assert_int_equal(desk_count(COUNT_RX_NOT_ALLOWED), 1);
	/* Authentic all the same. */
	assert_int_equal(desk_facts()->last, START);
}

static void handshake_messages_go_to_control(void **state)
{
	struct handshake_message messages[4];

	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	arrive_message(1, 148);
	arrive(desk.far.current, 1, "192.0.2.1", PORT);
	arrive_message(2, 92);
	arrive_message(3, 64);
	arrive_message(1, 147);
	arrive_message(9, 64);
	run();
	/* Data between them was not held up. */
	assert_int_equal(n_written, 1);
	assert_int_equal(desk_count(COUNT_RX_INVALID), 2);
	assert_int_equal(handshakes_take(&handshakes, messages, ARRAY_SIZE(messages)), 3);
	assert_int_equal(messages[0].type, MSG_INITIATION);
	assert_int_equal(messages[1].type, MSG_RESPONSE);
	assert_int_equal(messages[2].type, MSG_COOKIE);
	assert_int_equal(netaddr_port(&messages[0].path.remote), OTHER_PORT);
	/* A stranger's messages lead nowhere. */
	assert_int_equal(netaddr_port(&desk.latest.path.remote), PORT);
}

/* It waits for control, and what rx opens meanwhile is newer. */
static void a_handshake_message_knows_when_it_came(void **state)
{
	struct udp_path old = path_to("198.51.100.9", OTHER_PORT);
	struct handshake_message message;
	struct troubles troubles = { 0 };

	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	arrive_message(1, 148);
	run();
	clock_now += NSEC_PER_SEC;
	arrive(desk.far.current, 1, "203.0.113.5", OTHER_PORT);
	run();
	assert_int_equal(handshakes_take(&handshakes, &message, 1), 1);
	assert_int_equal(message.when, START);
	/* Control finds it authentic, too late. */
	wire_follow(&desk.wire);
	desk.wire.ways = &ways;
	desk.wire.troubles = &troubles;
	set_way(1, &old, 2);
	wire_roam(&desk.wire, &message.path, message.when);
	assert_string_equal(address_text(&desk.latest.path.remote), "203.0.113.5:7777");
	wire_roam(&desk.wire, &message.path, clock_now);
	assert_string_equal(address_text(&desk.latest.path.remote), "198.51.100.9:7777");
}

static void a_flood_is_counted_and_data_goes_on(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	for (size_t i = 0; i < HANDSHAKES_MAX / 4 + 1; i++) {
		for (size_t j = 0; j < 4; j++)
			arrive_message(1, 148);
		run();
	}
	arrive(desk.far.current, 1, "192.0.2.1", PORT);
	run();
	assert_int_equal(desk_count(COUNT_RX_FLOOD), 4);
	assert_int_equal(n_written, 1);
}

/* The interface is gone: said at once, and nothing more is written. */
static void a_deleted_interface_ends_the_batch(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	arrive(desk.far.current, 1, "192.0.2.1", PORT);
	arrive(desk.far.current, 2, "192.0.2.1", PORT);
	write_error = -EBADFD;
	assert_int_equal(rx_run(&rx, -1), -EBADFD);
	assert_int_equal(desk_count(COUNT_RX_PACKETS), 0);
	/* One that is down only loses packets. */
	arrive(desk.far.current, 3, "192.0.2.1", PORT);
	write_error = -EIO;
	run();
	assert_int_equal(desk_count(COUNT_RX_WRITE_FAILED), 1);
}

static void keys_end_by_their_age(void **state)
{
	(void)state;
	desk_rekey(true, 1);
	desk_tell(0);
	arrive(desk.far.current, 1, "192.0.2.1", PORT);
	/* No message from control retires them; their birth does. */
	clock_now = START + 181 * NSEC_PER_SEC;
	assert_int_equal(rx_run(&rx, -1), 0);
	assert_int_equal(n_written, 0);
	assert_int_equal(worker_counters(&desk.worker)->verdicts[PEER_EXPIRED], 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(time_is_read_after_receiving),
		TEST(packets_are_written_in_order),
		TEST(a_keypair_is_confirmed_before_its_packet_is_written),
		TEST(keys_that_came_before_the_packet_open_it),
		TEST(the_path_is_known_before_the_packet_is_written),
		TEST(the_peer_corrects_a_guess),
		TEST(what_is_not_authentic_changes_nothing),
		TEST(a_replay_changes_nothing),
		TEST(a_way_through_the_link_is_not_taken),
		TEST(what_allowedips_forbid_is_not_written),
		TEST(handshake_messages_go_to_control),
		TEST(a_flood_is_counted_and_data_goes_on),
		TEST(a_deleted_interface_ends_the_batch),
		TEST(a_handshake_message_knows_when_it_came),
		TEST(keys_end_by_their_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
