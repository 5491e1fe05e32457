/*
 * Tests of keys that systemd hands over as credentials: "PrivateKeyFile = credential:NAME" in
 * conf/link_file.c, with the rights that files of credentials have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/keytext.h"
#include "conf/link_file.h"
#include "tests/unit/temp_dir.h"

#define KEY "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
#define PEER                                                                                       \
	"[Peer]\nPublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\nAllowedIPs = "          \
	"10.0.0.0/8\n"

static char dir[TEMP_DIR_LEN];

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static int make_dir(void **state)
{
	(void)state;
	return make_temp_dir(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	static const char *const names[] = { "a.conf", "site.key" };
	char path[64];

	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

/* Loads a file with that PrivateKeyFile; `wanted` is what is said about it, NULL: nothing. */
static void load(const char *private_key_file, const char *wanted)
{
	char path[64], text[300];
	struct conf_link conf;
	struct diag diag = DIAG_NULL("x");
	struct key key;

	snprintf(text, sizeof(text), "[Interface]\nPrivateKeyFile = %s\n" PEER, private_key_file);
	write_file("a.conf", text, 0600);
	snprintf(path, sizeof(path), "%s/a.conf", dir);
	assert_int_equal(conf_link_init(&conf), 0);
	link_file_load(path, &conf, &diag);
	if (wanted) {
		assert_int_equal(diag.n_items, 1);
		assert_string_equal(diag.items[0].text, wanted);
		assert_int_equal(diag.items[0].line, 2);
	} else {
		assert_int_equal(diag.n_items, 0);
		assert_true(keytext_decode(KEY, KEYTEXT_LEN, &key));
		assert_true(key_equal(&key, &conf.secrets->private_key));
	}
	conf_link_deinit(&conf);
	diag_deinit(&diag);
}

static void outside_the_service_there_are_none(void **state)
{
	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	load("credential:site.key", "PrivateKeyFile is a credential, and there are none here: only "
				    "the service gets them, by LoadCredential=NAME:PATH in its "
				    "unit");
}

static void a_key_is_read(void **state)
{
	(void)state;
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	/* With access control lists, and without. */
	write_file("site.key", KEY "\n", 0440);
	load("credential:site.key", NULL);
	write_file("site.key", KEY, 0400);
	load("credential:site.key", NULL);
}

static void a_wrong_name_is_named(void **state)
{
	static const char wrong[] = "PrivateKeyFile names no credential: credential:NAME has a "
				    "name without slashes";

	(void)state;
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	load("credential:none", "PrivateKeyFile: the file does not exist");
	load("credential:", wrong);
	load("credential:../site.key", wrong);
	load("credential:..", wrong);
	load("credential:/etc/passwd", wrong);
}

static void rights_are_judged(void **state)
{
	(void)state;
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	write_file("site.key", KEY, 0444);
	load("credential:site.key",
	     "PrivateKeyFile: everybody has rights on the file (mode 0444), but it holds keys; set "
	     "chmod 600");
}

#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DIR(outside_the_service_there_are_none),
		WITH_DIR(a_key_is_read),
		WITH_DIR(a_wrong_name_is_named),
		WITH_DIR(rights_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
