/* Names of routing tables, in files under a root of the test's own: conf/rt_tables.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/rt_tables.h"
#include "tests/unit/temp_dir.h"

static const char *const dirs[] = {
	"etc",
	"etc/iproute2",
	"etc/iproute2/rt_tables.d",
	"usr",
	"usr/share",
	"usr/share/iproute2",
	"usr/share/iproute2/rt_tables.d",
	"usr/lib",
	"usr/lib/iproute2",
};

static const char *const files[] = {
	"etc/iproute2/rt_tables",
	"etc/iproute2/rt_tables.d/a.conf",
	"etc/iproute2/rt_tables.d/b.conf.bak",
	"usr/share/iproute2/rt_tables",
	"usr/share/iproute2/rt_tables.d/a.conf",
	"usr/share/iproute2/rt_tables.d/c.conf",
	"usr/lib/iproute2/rt_tables",
};

static char root[TEMP_DIR_LEN];

static const char *under_root(const char *name)
{
	static char path[128];

	assert_true(snprintf(path, sizeof(path), "%s/%s", root, name) < (int)sizeof(path));
	return path;
}

static int setup(void **state)
{
	(void)state;
	assert_true(make_temp_dir(root));
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		assert_int_equal(mkdir(under_root(dirs[i]), 0755), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlink(under_root(files[i]));
	for (size_t i = ARRAY_SIZE(dirs); i > 0; i--)
		assert_int_equal(rmdir(under_root(dirs[i - 1])), 0);
	return rmdir(root);
}

static void write_file(size_t i, const char *text)
{
	FILE *file = fopen(under_root(files[i]), "we");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* The number of a name, or 0. */
static uint32_t number_of(const char *name)
{
	uint32_t table = 0;
	bool found = rt_tables_find(root, name, &table);

	assert_true(found == (table != 0));
	return table;
}

static void test_lines(void **state)
{
	(void)state;
	write_file(0, "#\n# reserved\n255\tlocal\n 100 \t uplink # second\n0x65 hex\n\n"
		      "-1 minus\n4294967296 large\n4294967295 largest\n0 zero\n200\nwords only\n"
		      "12x letters\n#103 comment\n300 twice\n301 twice\n104 crlf\r\n105 last");
	assert_int_equal(number_of("uplink"), 100);
	assert_int_equal(number_of("hex"), 101);
	assert_int_equal(number_of("largest"), 4294967295U);
	assert_int_equal(number_of("twice"), 300);
	assert_int_equal(number_of("crlf"), 104);
	assert_int_equal(number_of("last"), 105);
	assert_int_equal(number_of("minus"), 0);
	assert_int_equal(number_of("large"), 0);
	assert_int_equal(number_of("zero"), 0);
	assert_int_equal(number_of("only"), 0);
	assert_int_equal(number_of("letters"), 0);
	assert_int_equal(number_of("comment"), 0);
	assert_int_equal(number_of("second"), 0);
	assert_int_equal(number_of("Uplink"), 0);
	assert_int_equal(number_of("up"), 0);
	assert_int_equal(number_of(""), 0);
}

static void test_without_files(void **state)
{
	uint32_t table = 7;

	(void)state;
	assert_int_equal(number_of("main"), 254);
	assert_int_equal(number_of("default"), 253);
	assert_int_equal(number_of("local"), 255);
	assert_false(rt_tables_find(root, "uplink", &table));
	assert_int_equal(table, 7);
	assert_false(rt_tables_find("/nonexistent", "uplink", &table));
	assert_true(rt_tables_find("/nonexistent", "main", &table));
	assert_int_equal(table, 254);
}

/* What is in /etc counts instead of what is in /usr under the same name. */
static void test_places(void **state)
{
	(void)state;
	write_file(6, "13 lib\n");
	assert_int_equal(number_of("lib"), 13);
	write_file(3, "12 share\n");
	assert_int_equal(number_of("share"), 12);
	assert_int_equal(number_of("lib"), 0);
	write_file(0, "10 etc\n");
	assert_int_equal(number_of("etc"), 10);
	assert_int_equal(number_of("share"), 0);

	write_file(4, "21 shipped\n");
	write_file(5, "22 other\n");
	assert_int_equal(number_of("shipped"), 21);
	write_file(1, "20 own\n");
	assert_int_equal(number_of("own"), 20);
	assert_int_equal(number_of("shipped"), 0);
	assert_int_equal(number_of("other"), 22);
	write_file(2, "23 backup\n");
	assert_int_equal(number_of("backup"), 0);
	/* The list itself comes before its additions. */
	write_file(0, "10 own\n");
	assert_int_equal(number_of("own"), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_places, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
