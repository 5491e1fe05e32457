/* Tests of daemon/cli/doctor_session.c: what doctor makes of a running link's status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "daemon/cli/doctor.h"

static struct doctor doctor;

static int set_up(void **state)
{
	(void)state;
	doctor = (struct doctor) {
		.name = "site",
		.is_running = true,
		.check = "session",
		.status = { .state = "no-answer",
			    .state_text = "no answer",
			    .public_key = "OUR-KEY",
			    .peer_key = "THEIR-KEY",
			    .endpoint = "192.0.2.2:51820",
			    .cipher = "aes256-gcm",
			    .json = json_pack("{s:{}, s:{}}", "messages", "drops") },
	};
	return doctor.status.json ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	doctor_findings_deinit(&doctor.findings);
	json_decref(doctor.status.json);
	return 0;
}

static void count(const char *group, const char *key, int n)
{
	json_object_set_new(json_object_get(doctor.status.json, group), key, json_integer(n));
}

/* The last finding. */
static void assert_said(enum doctor_level level, const char *part)
{
	const struct doctor_finding *finding;

	assert_true(doctor.findings.n > 0);
	finding = &doctor.findings.items[doctor.findings.n - 1];
	assert_int_equal(finding->level, level);
	assert_non_null(strstr(finding->text, part));
}

static void silence_names_both_keys(void **state)
{
	static const char *const states[] = { "handshake", "no-answer", "gave-up", "stale" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		doctor.status.state = states[i];
		doctor_check_session(&doctor);
		assert_int_equal(doctor.findings.n, i + 1);
		assert_said(DOCTOR_FAIL, "nothing at all comes back");
		assert_non_null(strstr(doctor.findings.items[i].advice, "PublicKey is OUR-KEY"));
		assert_non_null(strstr(doctor.findings.items[i].advice, "is THEIR-KEY"));
	}
}

static void trouble_tells_more_than_silence(void **state)
{
	(void)state;
	doctor.status.trouble = "no answer from 192.0.2.2:51820 after 3 tries";
	doctor_check_session(&doctor);
	assert_said(DOCTOR_FAIL, "nothing at all comes back");
	doctor.status.trouble = "refused by 192.0.2.2:51820";
	doctor_check_session(&doctor);
	assert_said(DOCTOR_FAIL, "refused by");
	doctor.status.is_trouble_over = true;
	doctor_check_session(&doctor);
	assert_said(DOCTOR_FAIL, "nothing at all comes back");
}

static void messages_tell_more_than_silence(void **state)
{
	static const struct {
		const char *key, *text;
	} cases[] = {
		/* From the weakest sign to the strongest. */
		{ "cookie_stored", "under load" },
		{ "initiation_answered", "confirmed no session" },
		{ "old_timestamp", "older" },
		{ "no_common_cipher", "Cipher" },
		{ "peer_is_tap", "the peer has Mode = tap" },
		{ "peer_is_tun", "the peer has Mode = tun" },
		{ "bad_mac1", "another public key" },
		{ "unknown_key", "not the PublicKey" },
		{ "psk_differs", "PresharedKey differs" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		count("messages", cases[i].key, 1);
		doctor_check_session(&doctor);
		assert_int_equal(doctor.findings.n, i + 1);
		assert_said(DOCTOR_FAIL, cases[i].text);
	}
}

static void a_session_is_fine(void **state)
{
	(void)state;
	doctor.status.state = "up";
	doctor.status.has_handshake = true;
	count("messages", "bad_mac1", 5);
	doctor.status.trouble = "something";
	doctor.status.is_trouble_over = true;
	doctor_check_session(&doctor);
	assert_int_equal(doctor.findings.n, 1);
	assert_said(DOCTOR_OK, "there is a session");
	doctor.status.is_trouble_over = false;
	doctor.status.trouble_age = 100000;
	doctor_check_session(&doctor);
	assert_said(DOCTOR_OK, "there is a session");
	doctor.status.trouble_age = 10;
	doctor_check_session(&doctor);
	assert_said(DOCTOR_FAIL, "10 s ago: something");
}

static void idleness_is_no_failure(void **state)
{
	(void)state;
	doctor.status.state = "idle";
	doctor_check_session(&doctor);
	assert_said(DOCTOR_NOTE, "nobody asked");
	doctor.status.endpoint = NULL;
	doctor_check_session(&doctor);
	assert_said(DOCTOR_SYMPTOM, "never called");
	count("messages", "bad_mac1", 1);
	doctor_check_session(&doctor);
	assert_said(DOCTOR_FAIL, "another public key");
}

static void drops_are_told(void **state)
{
	(void)state;
	doctor_check_drops(&doctor);
	assert_int_equal(doctor.findings.n, 1);
	assert_said(DOCTOR_OK, "no packet was dropped");
	count("drops", "rx_not_allowed", 12);
	doctor_check_drops(&doctor);
	assert_int_equal(doctor.findings.n, 2);
	assert_said(DOCTOR_WARN, "were dropped: 12");
	assert_non_null(strstr(doctor.findings.items[1].advice, "AllowedIPs"));
}

static void who_does_not_run_says_nothing(void **state)
{
	(void)state;
	doctor.is_running = false;
	doctor_check_session(&doctor);
	doctor_check_drops(&doctor);
	assert_int_equal(doctor.findings.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(silence_names_both_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(trouble_tells_more_than_silence, set_up, tear_down),
		cmocka_unit_test_setup_teardown(messages_tell_more_than_silence, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_session_is_fine, set_up, tear_down),
		cmocka_unit_test_setup_teardown(idleness_is_no_failure, set_up, tear_down),
		cmocka_unit_test_setup_teardown(drops_are_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_does_not_run_says_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
