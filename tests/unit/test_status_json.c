/* Tests of daemon/ctl/status_json.c and of the names in daemon/core/status.c: what programs read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>

#include "daemon/ctl/status_json.h"
#include "tests/unit/status_example.h"

static json_t *parsed(const struct link_status *status)
{
	char *text = status_json(status);
	json_t *json;

	assert_non_null(text);
	assert_null(strchr(text, '\n'));
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	free(text);
	return json;
}

static const json_t *at(const json_t *json, const char *name, const char *inner)
{
	json_t *member = json_object_get(json, name);

	return inner ? json_object_get(member, inner) : member;
}

static void assert_text(const json_t *json, const char *name, const char *inner, const char *text)
{
	assert_non_null(json_string_value(at(json, name, inner)));
	assert_string_equal(json_string_value(at(json, name, inner)), text);
}

static void assert_number(const json_t *json, const char *name, const char *inner, json_int_t n)
{
	assert_true(json_is_integer(at(json, name, inner)));
	assert_int_equal(json_integer_value(at(json, name, inner)), n);
}

static void assert_real(const json_t *json, const char *name, const char *inner, double value)
{
	double difference = json_real_value(at(json, name, inner)) - value;

	assert_true(json_is_real(at(json, name, inner)));
	assert_true(difference < 1e-9 && difference > -1e-9);
}

static void everything_is_there(void **state)
{
	struct link_status status = status_example();
	json_t *json = parsed(&status);

	(void)state;
	assert_number(json, "version", NULL, 1);
	assert_text(json, "link", NULL, "site-a");
	assert_text(json, "state", NULL, "up");
	assert_text(json, "state_text", NULL, "up");
	assert_number(json, "state_since", NULL, 1699999997);
	assert_real(json, "state_seconds", NULL, 3.5);
	assert_text(json, "public_key", NULL, EXAMPLE_PUBLIC_KEY);
	assert_text(json, "interface", "name", "site-a");
	assert_number(json, "interface", "index", 7);
	assert_number(json, "interface", "mtu", 1420);
	assert_text(json, "interface", "mode", "tun");
	assert_number(json, "listen_port", NULL, 51820);
	assert_number(json, "fwmark", NULL, 4000000000);
	assert_text(json, "peer", "public_key", EXAMPLE_PEER_KEY);
	assert_text(json, "peer", "endpoint", "192.0.2.2:51821");
	assert_number(json, "peer", "persistent_keepalive", 25);
	assert_number(json, "peer", "allowed_ips", 2);
	assert_text(json, "cipher", NULL, "aes256-gcm");
	assert_number(json, "handshake", "time", 1699999955);
	assert_real(json, "handshake", "age", 45);
	assert_real(json, "handshake", "duration", 0.001234);
	assert_number(json, "traffic", "rx_bytes", 100 + COUNT_RX_BYTES);
	assert_number(json, "traffic", "tx_bytes", 100 + COUNT_TX_BYTES);
	assert_number(json, "traffic", "rx_packets", 100 + COUNT_RX_PACKETS);
	assert_number(json, "traffic", "tx_packets", 100 + COUNT_TX_PACKETS);
	assert_number(json, "loss", "received", 990);
	assert_number(json, "loss", "lost", 10);
	assert_real(json, "loss", "ratio", 0.01);
	assert_number(json, "waits", NULL, 100 + COUNT_TX_BLOCKED);
	assert_text(json, "trouble", "text", "it broke");
	assert_text(json, "trouble", "advice", "Do \"this\".");
	assert_number(json, "trouble", "time", 1699999910);
	assert_real(json, "trouble", "age", 90);
	assert_true(json_is_false(at(json, "trouble", "over")));
	assert_int_equal(json_array_size(at(json, "offloads", NULL)), 2);
	json_decref(json);
}

static void what_is_not_there_is_null(void **state)
{
	struct link_status status = status_example();
	json_t *json;

	(void)state;
	status.remote.sa.sa_family = AF_UNSPEC;
	status.cipher = NULL;
	status.had_session = false;
	status.trouble.when = 0;
	status.n_received = status.n_lost = 0;
	status.n_offloads = 0;
	memset(&status.public_key, 0, sizeof(status.public_key));
	memset(&status.peer_key, 0, sizeof(status.peer_key));
	status.is_tap = true;
	json = parsed(&status);
	assert_text(json, "interface", "mode", "tap");
	assert_true(json_is_null(at(json, "public_key", NULL)));
	assert_true(json_is_null(at(json, "peer", "public_key")));
	assert_true(json_is_null(at(json, "peer", "endpoint")));
	assert_true(json_is_null(at(json, "cipher", NULL)));
	assert_true(json_is_null(at(json, "handshake", NULL)));
	assert_true(json_is_null(at(json, "trouble", NULL)));
	assert_real(json, "loss", "ratio", 0);
	assert_true(json_is_array(at(json, "offloads", NULL)));
	json_decref(json);

	status = status_example();
	status.handshake_time = 0;
	status.trouble.advice = NULL;
	status.is_trouble_over = true;
	json = parsed(&status);
	assert_true(json_is_null(at(json, "handshake", "duration")));
	assert_true(json_is_null(at(json, "trouble", "advice")));
	assert_true(json_is_true(at(json, "trouble", "over")));
	json_decref(json);
}

/* Names for programs are words, and each names one thing. */
static void assert_word(const char *word)
{
	assert_true(strlen(word) > 0);
	for (; *word; word++)
		assert_true(islower((unsigned char)*word) || isdigit((unsigned char)*word) ||
			    *word == '_');
}

static void each_counter_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (enum counter i = 0; i < N_COUNTERS; i++) {
		assert_word(status_counter_key(i));
		assert_true(strlen(status_counter_text(i)) > 0);
		for (enum counter j = 0; j < i; j++)
			assert_string_not_equal(status_counter_key(i), status_counter_key(j));
	}
	for (enum peer_verdict i = 0; i < PEER_N_VERDICTS; i++) {
		assert_word(peer_verdict_key(i));
		for (enum peer_verdict j = 0; j < i; j++)
			assert_string_not_equal(peer_verdict_key(i), peer_verdict_key(j));
	}
}

static void drops_and_messages_are_named(void **state)
{
	struct link_status status = status_example();
	json_t *json = parsed(&status);
	size_t n_drops = 0;

	(void)state;
	for (enum counter i = 0; i < N_COUNTERS; i++) {
		if (!status_is_drop(i)) {
			assert_null(at(json, "drops", status_counter_key(i)));
			continue;
		}
		assert_number(json, "drops", status_counter_key(i), 100 + i);
		n_drops++;
	}
	assert_int_equal(json_object_size(at(json, "drops", NULL)), n_drops);
	for (enum peer_verdict i = 0; i < PEER_N_VERDICTS; i++)
		assert_number(json, "messages", peer_verdict_key(i), 200 + i);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_there),
		cmocka_unit_test(what_is_not_there_is_null),
		cmocka_unit_test(each_counter_has_a_name_of_its_own),
		cmocka_unit_test(drops_and_messages_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
