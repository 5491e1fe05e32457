/* Tests of daemon/cli/metrics_text.c: both formats, figure by figure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/metrics_text.h"

#define LABELS "{interface=\"site-a\",public_key=\"PEER=\""

static char *text;

static const char *printed(enum metrics_format format, struct status_answer *links, size_t n)
{
	const struct status_answers answers = { .items = links, .n = n };
	size_t len;
	FILE *stream;

	free(text);
	stream = open_memstream(&text, &len);
	assert_non_null(stream);
	metrics_print(stream, format, &answers);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static int tear_down(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

static struct status_answer example(void)
{
	return (struct status_answer) {
		.name = "site-a",
		.json = json_pack("{s:{s:i}, s:{s:i}, s:i}", "drops", "tx_not_ip", 4, "messages",
				  "data", 990, "waits", 5),
		.state = "up",
		.peer_key = "PEER=",
		.endpoint = "192.0.2.2:51820",
		.mtu = 1420,
		.has_handshake = true,
		.handshake_time = 1700000000,
		.rx_bytes = 9007199254740991,
		.tx_bytes = 77,
		.n_received = 990,
		.n_lost = 10,
	};
}

static void assert_line(const char *out, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = out; (at = strstr(at, line)); at++) {
		if ((at == out || at[-1] == '\n') && at[len] == '\n')
			return;
	}
	fail_msg("there is no line \"%s\" in:\n%s", line, out);
}

static void openmetrics(void **state)
{
	static const char *const lines[] = {
		"# TYPE wireguard_sent_bytes counter",
		"# UNIT wireguard_sent_bytes bytes",
		"wireguard_sent_bytes_total" LABELS "} 77",
		"wireguard_received_bytes_total" LABELS "} 9007199254740991",
		"# TYPE wireguard_latest_handshake_seconds gauge",
		"wireguard_latest_handshake_seconds" LABELS "} 1700000000",
		"vpnd_received_messages_total" LABELS "} 990",
		"vpnd_lost_messages" LABELS "} 10",
		"vpnd_socket_waits_total" LABELS "} 5",
		"vpnd_dropped_packets_total" LABELS ",reason=\"tx_not_ip\"} 4",
		"vpnd_messages_total" LABELS ",verdict=\"data\"} 990",
		"# TYPE vpnd_link_state stateset",
		"vpnd_link_state{interface=\"site-a\",vpnd_link_state=\"up\"} 1",
		"vpnd_link_state{interface=\"site-a\",vpnd_link_state=\"stale\"} 0",
		"# TYPE vpnd_link info",
		"vpnd_link_info" LABELS ",endpoint=\"192.0.2.2:51820\",cipher=\"\"} 1",
	};
	struct status_answer link = example();
	const char *out = printed(METRICS_OPENMETRICS, &link, 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_line(out, lines[i]);
	/* Nothing is known of it. */
	assert_null(strstr(out, "vpnd_handshake_duration_seconds{"));
	assert_string_equal(out + strlen(out) - 7, "\n# EOF\n");
	status_answer_deinit(&link);
}

static void prometheus(void **state)
{
	static const char *const lines[] = {
		"# TYPE wireguard_sent_bytes_total counter",
		"wireguard_sent_bytes_total" LABELS "} 77",
		"# TYPE vpnd_link_state gauge",
		"# TYPE vpnd_link_info gauge",
	};
	struct status_answer link = example();
	const char *out = printed(METRICS_PROMETHEUS, &link, 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_line(out, lines[i]);
	assert_null(strstr(out, "# UNIT"));
	assert_null(strstr(out, "# EOF"));
	status_answer_deinit(&link);
}

static void a_link_that_does_not_run_has_a_state_only(void **state)
{
	struct status_answer links[] = { { .name = "dead", .error = -ECONNREFUSED }, example() };
	const char *out = printed(METRICS_OPENMETRICS, links, 2);

	(void)state;
	assert_line(out, "vpnd_link_state{interface=\"dead\",vpnd_link_state=\"not-running\"} 1");
	assert_line(out, "vpnd_link_state{interface=\"site-a\",vpnd_link_state=\"not-running\"} 0");
	assert_null(strstr(out, "bytes_total{interface=\"dead\""));
	status_answer_deinit(&links[1]);

	out = printed(METRICS_OPENMETRICS, NULL, 0);
	assert_null(strstr(out, "interface="));
	assert_line(out, "# EOF");
}

static void the_format_is_what_is_asked_for(void **state)
{
	(void)state;
	assert_int_equal(metrics_format_of("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"),
			 METRICS_PROMETHEUS);
	assert_int_equal(metrics_format_of("GET / HTTP/1.1\r\nAccept: text/plain\r\n\r\n"),
			 METRICS_PROMETHEUS);
	assert_int_equal(metrics_format_of("GET / HTTP/1.1\r\nACCEPT: text/plain;q=0.5, "
					   "application/openmetrics-text;version=1.0.0\r\n\r\n"),
			 METRICS_OPENMETRICS);
	/* Of another line. */
	assert_int_equal(metrics_format_of("GET / HTTP/1.1\r\nAccept: text/plain\r\n"
					   "X: application/openmetrics-text\r\n\r\n"),
			 METRICS_PROMETHEUS);
	assert_int_equal(metrics_format_of(""), METRICS_PROMETHEUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(openmetrics, tear_down),
		cmocka_unit_test_teardown(prometheus, tear_down),
		cmocka_unit_test_teardown(a_link_that_does_not_run_has_a_state_only, tear_down),
		cmocka_unit_test(the_format_is_what_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
