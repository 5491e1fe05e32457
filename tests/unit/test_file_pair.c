/* Tests of daemon/cli/file_pair.c: two files or none, and never somebody else's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "daemon/cli/file_pair.h"
#include "tests/unit/temp_dir.h"

struct fixture {
	char dir[TEMP_DIR_LEN];
	struct file_pair pair;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_true(make_temp_dir(f->dir));
	for (size_t i = 0; i < FILE_PAIR_N; i++) {
		snprintf(f->pair.paths[i], sizeof(f->pair.paths[i]), "%s/%zu.conf", f->dir, i);
		assert_int_equal(secret_text_init(&f->pair.texts[i], 64), 0);
		secret_text_add(&f->pair.texts[i], "text %zu\n", i);
	}
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < FILE_PAIR_N; i++) {
		unlink(f->pair.paths[i]);
		secret_text_deinit(&f->pair.texts[i]);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static int n_files(const struct fixture *f)
{
	DIR *dir = opendir(f->dir);
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

static void assert_holds(const char *path, const char *wanted)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	assert_string_equal(text, wanted);
}

static void writes_both_for_the_owner_only(void **state)
{
	const struct fixture *f = *state;
	mode_t before = umask(0777);
	size_t failed;
	struct stat st;

	assert_int_equal(file_pair_write(&f->pair, &failed), 0);
	umask(before);
	assert_holds(f->pair.paths[0], "text 0\n");
	assert_holds(f->pair.paths[1], "text 1\n");
	for (size_t i = 0; i < FILE_PAIR_N; i++) {
		assert_int_equal(stat(f->pair.paths[i], &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_int_equal(st.st_nlink, 1);
	}
	assert_int_equal(n_files(f), 2);
	file_pair_remove(&f->pair);
	assert_int_equal(n_files(f), 0);
}

static void keeps_what_is_there(void **state)
{
	const struct fixture *f = *state;

	for (size_t i = 0; i < FILE_PAIR_N; i++) {
		size_t failed = FILE_PAIR_N;
		int fd = open(f->pair.paths[i], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

		assert_int_equal(write(fd, "old", 3), 3);
		close(fd);
		assert_int_equal(file_pair_write(&f->pair, &failed), -EEXIST);
		assert_int_equal(failed, i);
		assert_holds(f->pair.paths[i], "old");
		assert_int_equal(n_files(f), 1);
		unlink(f->pair.paths[i]);
	}
}

static void keeps_links_and_what_they_point_to(void **state)
{
	const struct fixture *f = *state;
	size_t failed;

	assert_int_equal(symlink("elsewhere", f->pair.paths[0]), 0);
	assert_int_equal(file_pair_write(&f->pair, &failed), -EEXIST);
	assert_int_equal(n_files(f), 1);
}

static void leaves_nothing_when_a_directory_is_missing(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < FILE_PAIR_N; i++) {
		char good[PATH_MAX];
		size_t failed = FILE_PAIR_N;

		memcpy(good, f->pair.paths[i], PATH_MAX);
		snprintf(f->pair.paths[i], PATH_MAX, "%s/nowhere/x.conf", f->dir);
		assert_int_equal(file_pair_write(&f->pair, &failed), -ENOENT);
		assert_int_equal(failed, i);
		assert_int_equal(n_files(f), 0);
		memcpy(f->pair.paths[i], good, PATH_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writes_both_for_the_owner_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keeps_what_is_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keeps_links_and_what_they_point_to, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(leaves_nothing_when_a_directory_is_missing, set_up,
						tear_down),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
