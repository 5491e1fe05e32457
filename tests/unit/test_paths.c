/* Tests of conf/paths.c: names of links. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "conf/paths.h"

static void link_names_become_paths(void **state)
{
	char path[PATH_MAX];
	const char *reason = NULL;
	char long_path[PATH_MAX + 10];

	(void)state;
	assert_true(paths_link_file("site-a", path, &reason));
	assert_string_equal(path, "/etc/vpnd/site-a.conf");
	assert_true(paths_link_file("./x.conf", path, &reason));
	assert_string_equal(path, "./x.conf");
	assert_true(paths_link_file("/a/b c", path, &reason));
	assert_string_equal(path, "/a/b c");
	memset(long_path, '/', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_false(paths_link_file(long_path, path, &reason));
	assert_non_null(strstr(reason, "too long"));
}

static void other_names_never_become_paths(void **state)
{
	static const char *const wrong[] = { "",      ".",    "..",  "sixteen-letters-",
					     "a b",   "a\nb", "a%b", "\xc3\xbc",
					     "-\x1b", "a:b" };
	char path[PATH_MAX] = "untouched";
	const char *reason = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_false(paths_link_file(wrong[i], path, &reason));
		assert_non_null(strstr(reason, "is not the name of a link"));
	}
	assert_false(paths_link_file("site-a.conf", path, &reason));
	assert_non_null(strstr(reason, "without \".conf\""));
	assert_string_equal(path, "untouched");
}

static void paths_give_link_names(void **state)
{
	static const struct {
		const char *path;
		const char *name; /* NULL: refused */
	} rows[] = {
		{ "/etc/vpnd/site-a.conf", "site-a" },
		{ "a.conf", "a" },
		{ "./fifteen-letters.conf", "fifteen-letters" },
		{ "a.conf.conf", "a.conf" },
		{ "/x/_=+.-9.conf", "_=+.-9" },
		{ "sixteen-letters-.conf", NULL },
		{ "/etc/vpnd/.conf", NULL },
		{ "...conf", NULL },
		{ "/etc/vpnd/", NULL },
		{ "", NULL },
		{ "site-a", NULL },
		{ "site-a.CONF", NULL },
		{ "a b.conf", NULL },
		{ "\x1b.conf", NULL },
		{ "/etc/vpnd/lo.conf", NULL },
		{ "/etc/vpnd/all.conf", NULL },
		{ "default.conf", NULL },
		{ "default0.conf", "default0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char name[IFNAMSIZ] = "";
		const char *reason = NULL;
		bool ok = paths_link_name(rows[i].path, name, &reason);

		assert_int_equal(ok, rows[i].name != NULL);
		assert_string_equal(name, ok ? rows[i].name : "");
		if (!ok)
			assert_non_null(reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_names_become_paths),
		cmocka_unit_test(other_names_never_become_paths),
		cmocka_unit_test(paths_give_link_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
