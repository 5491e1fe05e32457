/* Tests of conf/ini_source.c: what is a section, a key, a value, a comment, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/ini_source.h"
#include "conf/model.h"

/* Everything that the reader is told, as text: "LINE [Section]" and "LINE Section.Key=value". */
struct told {
	char text[4096];
	size_t len;
	size_t longest_value;
	struct diag diag;
};

static void on_section(void *ctx, const char *name, unsigned int line)
{
	struct told *told = ctx;

	told->len += (size_t)snprintf(told->text + told->len, sizeof(told->text) - told->len,
				      "%u [%s]\n", line, name != NULL ? name : "?");
}

static void on_entry(void *ctx, const struct ini_entry *entry)
{
	struct told *told = ctx;
	int len = (int)MIN(entry->len, 100);

	told->longest_value = MAX(told->longest_value, entry->len);
	told->len += (size_t)snprintf(told->text + told->len, sizeof(told->text) - told->len,
				      "%u %s.%s=%.*s\n", entry->line, entry->section, entry->key,
				      len, entry->value);
}

static bool is_verbatim(const char *key)
{
	return strcasecmp(key, "PostUp") == 0;
}

/* Reads from a block of exactly that size, so that ASan sees every byte too many. */
static struct told *read_bytes(const char *text, size_t len)
{
	static const struct ini_events events = { on_section, on_entry, is_verbatim };
	static struct told told;
	char *copy = malloc(len + 1);

	assert_non_null(copy);
	copy = realloc(copy, MAX(len, 1));
	assert_non_null(copy);
	memcpy(copy, text, len);
	diag_deinit(&told.diag);
	memset(&told, 0, sizeof(told));
	told.diag.file = "x";
	ini_source_read(copy, len, &events, &told, &told.diag);
	free(copy);
	return &told;
}

static void check(const char *text, const char *expected)
{
	struct told *told = read_bytes(text, strlen(text));

	assert_string_equal(told->text, expected);
	assert_int_equal(told->diag.n_items, 0);
}

/* One line is refused, with this in the message. */
static void check_refused(const char *text, unsigned int line, const char *message,
			  const char *expected)
{
	struct told *told = read_bytes(text, strlen(text));

	assert_string_equal(told->text, expected);
	assert_int_equal(told->diag.n_items, 1);
	assert_int_equal(told->diag.items[0].line, line);
	assert_non_null(strstr(told->diag.items[0].text, message));
	assert_int_equal(told->diag.code, EXIT_CONFIG);
}

static void keys_know_their_section_and_line(void **state)
{
	(void)state;
	check("", "");
	check("\n\n", "");
	check("a=1\n", "1 .a=1\n");
	check("[A]\nx = 1\n\n# c\ny=2\n[B]\n[A]\nx=3",
	      "1 [A]\n2 A.x=1\n5 A.y=2\n6 [B]\n7 [A]\n8 A.x=3\n");
	check("  [ A ]\t\n\t x\t=\t1 2\t\n", "1 [A]\n2 A.x=1 2\n");
	check("x=1=2=\n", "1 .x=1=2=\n");
	check("x=\n", "1 .x=\n");
	check("x=a: b;c ; d\n", "1 .x=a: b;c ; d\n");
	check("  x = 1\n  y = 2\n", "1 .x=1\n2 .y=2\n");
}

static void line_ends_of_other_systems_are_known(void **state)
{
	(void)state;
	check("[A]\r\nx=1\r\n\r\ny=2\r\n", "1 [A]\n2 A.x=1\n4 A.y=2\n");
	check("\xef\xbb\xbf[A]\nx=1", "1 [A]\n2 A.x=1\n");
	check("\xef\xbb\xbf", "");
	check("x=1\r", "1 .x=1\n");
}

static void comments_end_values_but_not_commands(void **state)
{
	(void)state;
	check("# x=1\n;y=2\n  # z=3\n\t;z\n", "");
	check("x=1# c\ny=2 # c\nz=#\n", "1 .x=1\n2 .y=2\n3 .z=\n");
	check("[A] # c\nx=1", "1 [A]\n2 A.x=1\n");
	check("[A]# ]\nx=1", "1 [A]\n2 A.x=1\n");
	check("postup = a # b ; c = d #\n", "1 .postup=a # b ; c = d #\n");
	check("x=a ; b\n", "1 .x=a ; b\n");
}

static void lines_that_are_nothing_are_refused(void **state)
{
	(void)state;
	check_refused("[A]\nword\ny=1\n", 2, "no \"=\"", "1 [A]\n3 A.y=1\n");
	check_refused("x # = 1\n", 1, "no \"=\"", "");
	check_refused("PostUp # = 1\n", 1, "no \"=\"", "");
	check_refused("=1\n", 1, "is empty", "");
	check_refused(" = 1\n", 1, "is empty", "");
	check_refused("a b=1\n", 1, "other than", "");
	check_refused("a!=1\n", 1, "other than", "");
	check_refused("\xff=1\n", 1, "other than", "");
	check_refused("a23456789012345678901234567890123456789012345=1\n", 1, "too long", "");
}

static void keys_below_a_broken_heading_belong_nowhere(void **state)
{
	(void)state;
	check_refused("[A]\nx=1\n[B\ny=2\n[C]\nz=3\n", 3, "no closing",
		      "1 [A]\n2 A.x=1\n3 [?]\n5 [C]\n6 C.z=3\n");
	check_refused("[]\ny=2\n", 1, "is empty", "1 [?]\n");
	check_refused("[B]]\ny=2\n", 1, "behind", "1 [?]\n");
	check_refused("[B] x=1\ny=2\n", 1, "behind", "1 [?]\n");
	check_refused("[!]\ny=2\n", 1, "other than", "1 [?]\n");
	check_refused("[\ny=2\n", 1, "no closing", "1 [?]\n");
	check_refused("[a23456789012345678901234567890123456789012345]\n", 1, "too long",
		      "1 [?]\n");
}

static void marks_of_our_own_cannot_be_written(void **state)
{
	(void)state;
	/* These are what the reader tells inih; from a file they are just wrong keys. */
	check_refused("[A]\n!=1\n", 2, "other than", "1 [A]\n");
	check_refused("[A]\n!=2\n", 2, "other than", "1 [A]\n");
}

static void nul_bytes_are_refused(void **state)
{
	struct told *told;

	(void)state;
	told = read_bytes("[A]\nx=1\0 2\ny=2\0", 15);
	assert_string_equal(told->text, "1 [A]\n");
	assert_int_equal(told->diag.n_items, 2);
	assert_int_equal(told->diag.items[0].line, 2);
	assert_non_null(strstr(told->diag.items[0].text, "NUL"));
	assert_int_equal(told->diag.items[1].line, 3);
}

static void utf16_is_named(void **state)
{
	struct told *told;

	(void)state;
	told = read_bytes("\xff\xfe[\0A\0]\0\n\0", 10);
	assert_string_equal(told->text, "1 [?]\n");
	assert_non_null(strstr(told->diag.items[0].text, "UTF-16"));
	assert_int_equal(told->diag.n_items, 1);
}

/* Overwrites a part of a text, without a NUL. */
static void put(char *at, const char *text)
{
	while (*text != '\0')
		*at++ = *text++;
}

static void long_lines_work_up_to_the_limit(void **state)
{
	static char text[CONF_LINE_MAX + 100];
	struct told *told;

	(void)state;
	memset(text, 'v', sizeof(text));
	put(text, "x=");
	put(text + CONF_LINE_MAX, "\r\ny=1\n");
	told = read_bytes(text, CONF_LINE_MAX + 6);
	assert_int_equal(told->diag.n_items, 0);
	assert_int_equal(told->longest_value, CONF_LINE_MAX - 2);
	put(text + CONF_LINE_MAX, "v\ny=1\n");
	told = read_bytes(text, CONF_LINE_MAX + 6);
	assert_string_equal(told->text, "2 .y=1\n");
	assert_int_equal(told->diag.n_items, 1);
	assert_non_null(strstr(told->diag.items[0].text, "16385 characters"));
	assert_non_null(strstr(told->diag.items[0].text, "16384 are read"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_know_their_section_and_line),
		cmocka_unit_test(line_ends_of_other_systems_are_known),
		cmocka_unit_test(comments_end_values_but_not_commands),
		cmocka_unit_test(lines_that_are_nothing_are_refused),
		cmocka_unit_test(keys_below_a_broken_heading_belong_nowhere),
		cmocka_unit_test(marks_of_our_own_cannot_be_written),
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(utf16_is_named),
		cmocka_unit_test(long_lines_work_up_to_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
