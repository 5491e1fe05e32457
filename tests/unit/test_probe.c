/* Tests of daemon/data/probe.c: how answers are told, and what they allow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/data/probe.h"

static const struct probe works = { {
	PROBE_WORKS,
	PROBE_WORKS,
	PROBE_WORKS,
	PROBE_WORKS,
	PROBE_WORKS,
	PROBE_WORKS,
	PROBE_WORKS,
} };

static void test_all_in_use(void **state)
{
	char text[PROBE_TEXT_MAX];

	(void)state;
	assert_string_equal(probe_format(&works, 0, text),
			    "offloads in use: TCP superpackets read, UDP superpackets read, "
			    "checksums left to the kernel, TCP merged, UDP merged, runs sent, "
			    "runs received");
}

static void test_one_of_each(void **state)
{
	struct probe probe = works;
	char text[PROBE_TEXT_MAX];

	(void)state;
	probe.answers[PROBE_TUN_WRITE_CSUM] = PROBE_REFUSED;
	probe.answers[PROBE_TUN_WRITE_UDP] = PROBE_REFUSED;
	probe.answers[PROBE_UDP_GRO] = PROBE_UNKNOWN;
	/* What is switched off is not the kernel's fault, whatever it says. */
	probe.answers[PROBE_UDP_SEGMENT] = PROBE_REFUSED;
	assert_string_equal(
		probe_format(&probe, 1U << PROBE_UDP_SEGMENT | 1U << PROBE_TUN_WRITE_TCP, text),
		"offloads in use: TCP superpackets read, UDP superpackets read; switched off in "
		"the host file: TCP merged, runs sent; refused by the kernel: checksums left to "
		"the kernel, UDP merged; in use, but could not be probed: runs received");
}

static void test_none(void **state)
{
	struct probe probe = { 0 };
	char text[PROBE_TEXT_MAX];

	(void)state;
	assert_string_equal(probe_format(&works, (1U << PROBE_N_OFFLOADS) - 1, text) +
				    strlen("offloads in use: "),
			    "none; switched off in the host file: TCP superpackets read, UDP "
			    "superpackets read, checksums left to the kernel, TCP merged, UDP "
			    "merged, runs sent, runs received");
	for (size_t i = 0; i < PROBE_N_OFFLOADS; i++)
		probe.answers[i] = PROBE_REFUSED;
	assert_non_null(strstr(probe_format(&probe, 0, text), "none; refused by the kernel: TCP"));
}

/* Every combination fits, and ends where its last word does. */
static void test_fits(void **state)
{
	char text[PROBE_TEXT_MAX];
	size_t longest = 0;

	(void)state;
	for (unsigned int i = 0; i < 1U << 2 * PROBE_N_OFFLOADS; i++) {
		struct probe probe = works;
		unsigned int switched_off = 0;

		for (unsigned int k = 0; k < PROBE_N_OFFLOADS; k++) {
			unsigned int what = i >> 2 * k & 3;

			if (what == 3)
				switched_off |= 1U << k;
			else
				probe.answers[k] = (enum probe_answer)what;
		}
		longest = strlen(probe_format(&probe, switched_off, text)) > longest ? strlen(text)
										     : longest;
	}
	print_message("longest text: %zu\n", longest);
	assert_true(longest < PROBE_TEXT_MAX - 1);
}

static void test_allows(void **state)
{
	struct probe probe = { 0 };

	(void)state;
	assert_true(probe_allows(&probe, PROBE_UDP_GRO));
	probe.answers[PROBE_UDP_GRO] = PROBE_WORKS;
	assert_true(probe_allows(&probe, PROBE_UDP_GRO));
	probe.answers[PROBE_UDP_GRO] = PROBE_REFUSED;
	assert_false(probe_allows(&probe, PROBE_UDP_GRO));
	assert_true(probe_allows(&probe, PROBE_UDP_SEGMENT));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_in_use), cmocka_unit_test(test_one_of_each),
		cmocka_unit_test(test_none),       cmocka_unit_test(test_fits),
		cmocka_unit_test(test_allows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
