/*
 * Tests of conf/model.c: a copy owns what it holds, its lists grow like any other, and it ends
 * cleanly when memory runs short at any place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/secret.h"
#include "conf/link_file.h"
#include "tests/unit/whole_file.h"

/* A file that names every key, and lists of lengths that are no powers of two. */
static const char whole_file[] = WHOLE_FILE("blue");

static struct conf_link from, to;

/* Calls that ask for memory: how many were made, and which one fails (0: none). */
static unsigned int n_asked, failing;

static bool is_refused(void)
{
	n_asked++;
	return n_asked == failing;
}

void *__real_reallocarray(void *items, size_t n, size_t size);
void *__wrap_reallocarray(void *items, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
void *__real_secret_alloc(size_t size);
void *__wrap_secret_alloc(size_t size);

void *__wrap_reallocarray(void *items, size_t n, size_t size)
{
	return is_refused() ? NULL : __real_reallocarray(items, n, size);
}

char *__wrap_strdup(const char *text)
{
	return is_refused() ? NULL : __real_strdup(text);
}

void *__wrap_secret_alloc(size_t size)
{
	return is_refused() ? NULL : __real_secret_alloc(size);
}

static int set_up(void **state)
{
	struct diag diag = DIAG_NULL("x");
	size_t n_errors;

	(void)state;
	failing = 0;
	if (conf_link_init(&from) != 0)
		return -1;
	link_file_parse(whole_file, strlen(whole_file), &from, &diag);
	from.masquerades_all = true;
	from.masquerade.items = grow_list(NULL, 0, sizeof(*from.masquerade.items));
	if (from.masquerade.items == NULL)
		return -1;
	from.masquerade.items[from.masquerade.n++] = from.allowed_ips.items[0];
	from.private_key_file = strdup("key");
	from.preshared_key_file = strdup("psk");
	memset(&to, 0xa5, sizeof(to)); /* any bytes will do */
	n_asked = 0;
	if (diag.n_errors != 0)
		diag_print(&diag, stderr);
	n_errors = diag.n_errors;
	diag_deinit(&diag);
	return n_errors == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	conf_link_deinit(&from);
	conf_link_deinit(&to);
	return 0;
}

static void expect_same_strings(const struct conf_strings *a, const struct conf_strings *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_string_equal(a->items[i], b->items[i]);
		assert_ptr_not_equal(a->items[i], b->items[i]);
	}
}

static void expect_same_prefixes(const struct conf_prefixes *a, const struct conf_prefixes *b)
{
	assert_int_equal(a->n, b->n);
	assert_ptr_not_equal(a->items, b->items);
	assert_memory_equal(a->items, b->items, a->n * sizeof(*a->items));
}

static void copies_say_the_same(void **state)
{
	(void)state;
	assert_int_equal(conf_link_copy(&from, &to), 0);
	assert_string_equal(to.private_key_file, "key");
	assert_string_equal(to.preshared_key_file, "psk");
	assert_true(key_equal(&to.public_key, &from.public_key));
	assert_int_equal(to.listen_port, 51820);
	assert_int_equal(to.fwmark, 16);
	expect_same_prefixes(&to.addresses, &from.addresses);
	expect_same_strings(&to.dns, &from.dns);
	assert_int_equal(to.mtu, 1400);
	assert_int_equal(to.table_kind, CONF_TABLE_NAME);
	assert_string_equal(to.table_name, "blue");
	for (size_t i = 0; i < CONF_N_HOOKS; i++)
		expect_same_strings(&to.hooks[i], &from.hooks[i]);
	assert_int_equal(to.mode, CONF_MODE_TAP);
	assert_string_equal(to.bridge, "br0");
	assert_string_equal(to.namespace, "ns");
	assert_true(to.forward);
	assert_true(to.masquerades_all);
	expect_same_prefixes(&to.masquerade, &from.masquerade);
	assert_int_equal(to.mss_clamp, CONF_MSS_NONE);
	assert_int_equal(to.ready_when, CONF_READY_HANDSHAKE);
	assert_true(key_equal(&to.peer_key, &from.peer_key));
	expect_same_prefixes(&to.allowed_ips, &from.allowed_ips);
	assert_int_equal(to.n_endpoints, 3);
	assert_memory_equal(to.endpoints, from.endpoints, 3 * sizeof(*to.endpoints));
	assert_int_equal(to.persistent_keepalive, 25);
	assert_int_equal(to.cipher, CONF_CIPHER_AES256_GCM);
	assert_true(to.given.mtu && to.given.persistent_keepalive && to.given.cipher);
	assert_ptr_not_equal(to.secrets, from.secrets);
	assert_true(key_equal(&to.secrets->private_key, &from.secrets->private_key));
	assert_true(key_equal(&to.secrets->preshared_key, &from.secrets->preshared_key));
}

static void copies_outlive_their_original(void **state)
{
	(void)state;
	assert_int_equal(conf_link_copy(&from, &to), 0);
	conf_link_deinit(&from);
	assert_string_equal(to.hooks[CONF_POST_DOWN].items[0], "f %i # g");
	assert_string_equal(to.dns.items[2], "fd00::53");
	assert_int_equal(to.allowed_ips.items[4].len, 16);
	assert_false(key_is_zero(&to.secrets->private_key));
	assert_false(key_is_zero(&to.secrets->preshared_key));
}

/* Five items leave room for three that grow_list() does not ask for. */
static void lists_of_copies_grow(void **state)
{
	(void)state;
	assert_int_equal(conf_link_copy(&from, &to), 0);
	while (to.allowed_ips.n < 100) {
		struct prefix *items = grow_list(to.allowed_ips.items, to.allowed_ips.n,
						 sizeof(*to.allowed_ips.items));

		assert_non_null(items);
		to.allowed_ips.items = items;
		items[to.allowed_ips.n++] = items[0];
	}
	assert_int_equal(from.allowed_ips.n, 5);
}

static void empty_links_are_copied(void **state)
{
	(void)state;
	conf_link_deinit(&from);
	assert_int_equal(conf_link_init(&from), 0);
	assert_int_equal(conf_link_copy(&from, &to), 0);
	assert_null(to.allowed_ips.items);
	assert_null(to.endpoints);
	assert_null(to.table_name);
	assert_non_null(to.secrets);
}

/* With a sanitizer or valgrind, this is also the test that nothing is lost on the way out. */
static void short_memory_leaves_nothing(void **state)
{
	static const struct conf_link empty;
	unsigned int n_needed;

	(void)state;
	assert_int_equal(conf_link_copy(&from, &to), 0);
	n_needed = n_asked;
	assert_in_range(n_needed, 15, 100);
	for (unsigned int i = 1; i <= n_needed; i++) {
		conf_link_deinit(&to);
		memset(&to, 0xa5, sizeof(to));
		n_asked = 0;
		failing = i;
		assert_int_equal(conf_link_copy(&from, &to), -ENOMEM);
		assert_memory_equal(&to, &empty, sizeof(to));
	}
}

static void init_without_memory_fails(void **state)
{
	(void)state;
	failing = 1;
	assert_int_equal(conf_link_init(&to), -ENOMEM);
}

#define WITH_LINK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LINK(copies_say_the_same),         WITH_LINK(copies_outlive_their_original),
		WITH_LINK(lists_of_copies_grow),        WITH_LINK(empty_links_are_copied),
		WITH_LINK(short_memory_leaves_nothing), WITH_LINK(init_without_memory_fails),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
