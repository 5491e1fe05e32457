/* Tests of daemon/cli/show_text.c: what people read, and that it fits a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/show_text.h"

static const struct show_style plain = { .columns = 80 };
static char *text;
static size_t text_len;

static struct status_answer example(void)
{
	return (struct status_answer) {
		.name = "a-long-name-015",
		.state = "stale",
		.state_text = "nothing comes back",
		.state_seconds = 11520,
		.public_key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
		.peer_key = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
		.endpoint = "[fd00:1111:2222:3333:4444:5555:6666:7777]:51820",
		.mtu = 1420,
		.listen_port = 51820,
		.cipher = "chacha20-poly1305",
		.has_handshake = true,
		.handshake_age = 100,
		.handshake_duration = 0.0013,
		.rx_bytes = 1288490189,
		.tx_bytes = 999999999999,
		.rx_packets = 900123,
		.tx_packets = 900124,
		.n_received = 999,
		.n_lost = 1,
		.trouble = "nothing came back from the peer for 15 seconds although data was sent, "
			   "and so a new session was asked for, which takes a moment",
		.advice = "Have a look at the peer.",
		.trouble_age = 60,
	};
}

/* Whether each line fits; escapes take no place. */
static void assert_fits(const char *lines, size_t columns)
{
	size_t column = 0;

	for (; *lines; lines++) {
		if (*lines == '\033')
			lines += strcspn(lines, "m");
		else
			column = *lines == '\n' ? 0 : column + 1;
		assert_true(column <= columns);
	}
}

typedef void (*printer)(FILE *, const struct show_style *, const struct status_answer *,
			const struct show_rates *);

static const char *printed(printer print, const struct show_style *style,
			   const struct status_answer *link, const struct show_rates *rates)
{
	FILE *stream;

	free(text);
	stream = open_memstream(&text, &text_len);
	assert_non_null(stream);
	print(stream, style, link, rates);
	assert_int_equal(fclose(stream), 0);
	assert_fits(text, 80);
	return text;
}

static int tear_down(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

static void durations_and_amounts(void **state)
{
	char buf[SHOW_TEXT_MAX];

	(void)state;
	assert_string_equal(show_duration(-1, buf), "0 s");
	assert_string_equal(show_duration(59.9, buf), "59 s");
	assert_string_equal(show_duration(60, buf), "1 min 0 s");
	assert_string_equal(show_duration(3599, buf), "59 min 59 s");
	assert_string_equal(show_duration(11520, buf), "3 h 12 min");
	assert_string_equal(show_duration(90000, buf), "1 d 1 h");
	assert_string_equal(show_bytes(0, buf), "0 B");
	assert_string_equal(show_bytes(1023, buf), "1023 B");
	assert_string_equal(show_bytes(1024, buf), "1.00 KiB");
	assert_string_equal(show_bytes(1288490189, buf), "1.20 GiB");
	assert_string_equal(show_bytes(1.8e19, buf), "15.6 EiB");
	assert_string_equal(show_bits(120.4e6, buf), "120 Mbit/s");
	assert_string_equal(show_bits(9, buf), "9 bit/s");
	assert_string_equal(show_bits(2.5e18, buf), "2500000 Tbit/s");
}

static void one_link_has_everything(void **state)
{
	static const char *const parts[] = {
		"a-long-name-015: nothing comes back for 3 h 12 min\n",
		"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
		"at [fd00:1111:2222:3333:4444:5555:6666:7777]:51820\n",
		"chacha20-poly1305, handshake 1 min 40 s ago, took 1.3 ms\n",
		"1.20 GiB, 900123 packets, lost on the way: 1 (0.100 %)\n",
		"MTU 1420, UDP port 51820\n",
		"1 min 0 s ago: nothing came back",
		"Have a look at the peer.\n",
	};
	struct status_answer link = example();
	const char *out = printed(show_link, &plain, &link, NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!strstr(out, parts[i]))
			fail_msg("\"%s\" is not in:\n%s", parts[i], out);
	}
	assert_null(strchr(out, '\033'));
	assert_null(strstr(out, "tap"));
}

static void frames_are_said_to_be_carried(void **state)
{
	struct status_answer link = example();

	(void)state;
	link.is_tap = true;
	assert_non_null(
		strstr(printed(show_link, &plain, &link, NULL), "  tap, for Ethernet frames\n"));
}

static void an_old_trouble_is_said_to_be_over(void **state)
{
	struct status_answer link = example();
	const char *out;

	(void)state;
	link.is_trouble_over = true;
	out = printed(show_link, &plain, &link, NULL);
	assert_non_null(strstr(out, "before the session"));
	assert_null(strstr(out, "Have a look"));
	out = printed(show_row, &plain, &link, NULL);
	assert_null(strstr(out, "nothing came back from"));
}

static void what_is_not_known_is_said(void **state)
{
	struct status_answer link = example();
	const char *out;

	(void)state;
	link.endpoint = NULL;
	link.cipher = NULL;
	out = printed(show_link, &plain, &link, NULL);
	assert_non_null(strstr(out, "keys erased"));
	assert_non_null(strstr(out, "an address not known yet"));
	link.peer_key = "";
	out = printed(show_link, &plain, &link, NULL);
	assert_non_null(strstr(out, "no peer"));
	assert_null(strstr(out, "an address not known yet"));
	link.has_handshake = false;
	link.n_received = link.n_lost = 0;
	out = printed(show_link, &plain, &link, NULL);
	assert_non_null(strstr(out, "no handshake yet"));
	assert_non_null(strstr(out, "(-)"));
	link.n_lost = 1;
	link.n_received = 1000000;
	out = printed(show_link, &plain, &link, NULL);
	assert_non_null(strstr(out, "(<0.001 %)"));
}

static void drops_are_named(void **state)
{
	struct status_answer link = example();
	json_t *drops = json_pack("{s:i, s:i, s:i}", "tx_no_session", 3, "rx_not_ip", 0,
				  "tx_not_allowed", 12);
	const char *out;

	(void)state;
	link.drops = drops;
	out = printed(show_link, &plain, &link, NULL);
	assert_non_null(strstr(out, "12 to send, not in AllowedIPs; 3 packets dropped while"));
	json_decref(drops);
}

static void rates_take_the_place_of_amounts(void **state)
{
	const struct show_rates rates = { .rx_bits = 2e9, .tx_bits = 5e3, .is_known = true };
	struct status_answer link = example();
	const char *out;

	(void)state;
	out = printed(show_link, &plain, &link, &rates);
	assert_non_null(strstr(out, "1.20 GiB, 2.00 Gbit/s, 900123 packets"));
	out = printed(show_row, &plain, &link, &rates);
	assert_non_null(strstr(out, "2.00 Gbit/s 5.00 kbit/s"));
}

static void errors_say_what_to_do(void **state)
{
	static const struct {
		int error;
		const char *word, *advice;
	} rows[] = {
		{ -ENOENT, "not running", "systemctl start vpnd@a-long-name-015" },
		{ -ECONNREFUSED, "not running", "it was killed" },
		{ -EACCES, "not for you", "only root" },
		{ -ETIMEDOUT, "does not answer", "timed out" },
		{ -EPROTONOSUPPORT, "another version", "restart it" },
		{ -EPROTO, "answers nonsense", "" },
	};
	struct status_answer link = example();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *out;

		link.error = rows[i].error;
		out = printed(show_link, &plain, &link, NULL);
		assert_non_null(strstr(out, rows[i].word));
		assert_non_null(strcasestr(out, rows[i].advice));
		assert_non_null(strstr(printed(show_row, &plain, &link, NULL), rows[i].word));
	}
}

static void colours_are_taken_back(void **state)
{
	const struct show_style colourful = { .columns = 80, .has_colours = true };
	struct status_answer link = example();
	const char *out = printed(show_row, &colourful, &link, NULL);
	const char *last = strrchr(out, '\033');

	(void)state;
	assert_non_null(strstr(out, "\033[33mnothing comes back"));
	assert_int_equal(strncmp(last, "\033[0m", 4), 0);
}

static void no_control_character_reaches_the_terminal(void **state)
{
	struct status_answer link = example();
	const char *out;

	(void)state;
	link.trouble = "a\033[2Jb\nc\177";
	out = printed(show_link, &plain, &link, NULL);
	assert_non_null(strstr(out, "a?[2Jb c?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_and_amounts),
		cmocka_unit_test_teardown(one_link_has_everything, tear_down),
		cmocka_unit_test_teardown(frames_are_said_to_be_carried, tear_down),
		cmocka_unit_test_teardown(an_old_trouble_is_said_to_be_over, tear_down),
		cmocka_unit_test_teardown(what_is_not_known_is_said, tear_down),
		cmocka_unit_test_teardown(drops_are_named, tear_down),
		cmocka_unit_test_teardown(rates_take_the_place_of_amounts, tear_down),
		cmocka_unit_test_teardown(errors_say_what_to_do, tear_down),
		cmocka_unit_test_teardown(colours_are_taken_back, tear_down),
		cmocka_unit_test_teardown(no_control_character_reaches_the_terminal, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
