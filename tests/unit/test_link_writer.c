/* Tests of daemon/cli/link_writer.c: both files of a link are good, and fit each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "conf/link_file.h"
#include "daemon/cli/address_plan.h"
#include "daemon/cli/host_arg.h"
#include "daemon/cli/link_writer.h"
#include "daemon/proto/primitives.h"

static struct link_writer_secrets secrets;

/* A link between two hosts (NULL: roaming), with a network of each family. */
static struct link_writer make_link(const char *here, const char *there, bool is_tap)
{
	const char *hosts[] = { here, there };
	struct link_writer writer = { .link = "site-a", .is_tap = is_tap, .secrets = &secrets };
	struct prefix nets[LINK_WRITER_NETS_MAX] = {
		address_plan_random(),
		{ AF_INET, 30, { 10, 9 } },
	};
	const char *reason;

	for (size_t i = 0; i < LINK_WRITER_N_HOSTS; i++) {
		struct link_writer_end *end = &writer.ends[i];

		end->is_roaming = hosts[i] == NULL;
		if (hosts[i] != NULL)
			assert_true(host_arg_parse(hosts[i], HOST_ARG_PORT, &end->host, &reason));
		prim_dh_generate(&secrets.private_keys[i], end->public_key.bytes);
		end->n_addresses = LINK_WRITER_NETS_MAX;
	}
	randombytes_buf(&secrets.preshared_key, sizeof(secrets.preshared_key));
	for (size_t i = 0; i < LINK_WRITER_NETS_MAX; i++) {
		struct address_plan plan;

		assert_true(address_plan_make(&nets[i], &plan, &reason));
		writer.ends[LINK_WRITER_HERE].addresses[i] = plan.here;
		writer.ends[LINK_WRITER_THERE].addresses[i] = plan.there;
	}
	return writer;
}

/* Reads what is written for a host; nothing in it may be worth a word. */
static void read_back(const struct link_writer *writer, enum link_writer_host host,
		      struct conf_link *ret)
{
	struct secret_text text;
	struct diag diag = DIAG_NULL("site-a.conf");

	assert_int_equal(secret_text_init(&text, LINK_WRITER_SIZE), 0);
	link_writer_file(writer, host, &text);
	assert_false(text.is_cut);
	assert_int_equal(strlen(text.bytes), text.len);
	for (char *line = text.bytes; *line != '\0'; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 400);
	assert_int_equal(conf_link_init(ret), 0);
	link_file_parse(text.bytes, text.len, ret, &diag);
	diag_print(&diag, stderr);
	assert_int_equal(diag.n_items, 0);
	diag_deinit(&diag);
	secret_text_deinit(&text);
}

static void assert_fit(const struct conf_link *own, const struct conf_link *far)
{
	assert_true(key_equal(&own->peer_key, &far->public_key));
	assert_true(key_equal(&own->secrets->preshared_key, &far->secrets->preshared_key));
	assert_false(key_is_zero(&own->secrets->preshared_key));
	assert_int_equal(own->mtu, 0);
	assert_int_equal(own->addresses.n, LINK_WRITER_NETS_MAX);
	if (far->listen_port != 0) {
		assert_int_equal(own->n_endpoints, 1);
		assert_int_equal(own->endpoints[0].port, far->listen_port);
	}
	if (own->mode == CONF_MODE_TAP) {
		assert_int_equal(own->allowed_ips.n, 0);
		return;
	}
	assert_int_equal(own->allowed_ips.n, far->addresses.n);
	for (size_t i = 0; i < far->addresses.n; i++)
		assert_memory_equal(own->allowed_ips.items[i].addr, far->addresses.items[i].addr,
				    16);
}

static void both_files(const struct link_writer *writer, struct conf_link *here,
		       struct conf_link *there)
{
	read_back(writer, LINK_WRITER_HERE, here);
	read_back(writer, LINK_WRITER_THERE, there);
	assert_fit(here, there);
	assert_fit(there, here);
}

static void hosts_that_know_each_other(void **state)
{
	struct link_writer writer = make_link("east.example.net", "[2001:db8::1]:4000", false);
	struct conf_link here, there;

	(void)state;
	both_files(&writer, &here, &there);
	assert_int_equal(here.listen_port, 51820);
	assert_int_equal(there.listen_port, 4000);
	assert_int_equal(here.persistent_keepalive, 0);
	assert_int_equal(there.persistent_keepalive, 0);
	assert_string_equal(there.endpoints[0].host, "east.example.net");
	conf_link_deinit(&here);
	conf_link_deinit(&there);
}

static void a_host_that_roams(void **state)
{
	struct link_writer writers[] = { make_link(NULL, "192.0.2.1", false),
					 make_link("192.0.2.1", NULL, false) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
		struct conf_link links[LINK_WRITER_N_HOSTS];
		struct conf_link *fixed = &links[1 - i], *roaming = &links[i];

		/* The second call has drawn other keys. */
		for (size_t j = 0; j < LINK_WRITER_N_HOSTS; j++)
			prim_dh_generate(&secrets.private_keys[j],
					 writers[i].ends[j].public_key.bytes);
		both_files(&writers[i], &links[0], &links[1]);
		assert_int_equal(roaming->listen_port, 0);
		assert_int_equal(roaming->n_endpoints, 1);
		assert_int_equal(roaming->persistent_keepalive, LINK_WRITER_KEEPALIVE);
		assert_int_equal(fixed->listen_port, 51820);
		assert_int_equal(fixed->n_endpoints, 0);
		assert_int_equal(fixed->persistent_keepalive, 0);
		conf_link_deinit(&links[0]);
		conf_link_deinit(&links[1]);
	}
}

static void frames(void **state)
{
	struct link_writer writer = make_link("a.example", "b.example", true);
	struct conf_link here, there;

	(void)state;
	both_files(&writer, &here, &there);
	assert_int_equal(here.mode, CONF_MODE_TAP);
	assert_int_equal(there.mode, CONF_MODE_TAP);
	conf_link_deinit(&here);
	conf_link_deinit(&there);
}

static void the_longest_names_fit(void **state)
{
	char host[HOST_NAME_LEN + 1];
	struct link_writer writer;
	struct conf_link here, there;

	(void)state;
	memset(host, 'a', HOST_NAME_LEN);
	host[HOST_NAME_LEN] = '\0';
	writer = make_link(host, "b.example", false);
	writer.link = "fifteen-letters";
	both_files(&writer, &here, &there);
	conf_link_deinit(&here);
	conf_link_deinit(&there);
}

static void a_text_that_is_too_short(void **state)
{
	struct link_writer writer = make_link("a.example", "b.example", false);
	struct secret_text text;

	(void)state;
	/* Whatever the last thing is that fits, a key among them. */
	for (size_t size = 1; size < 1200; size++) {
		assert_int_equal(secret_text_init(&text, size), 0);
		link_writer_file(&writer, LINK_WRITER_HERE, &text);
		assert_true(text.is_cut);
		assert_true(text.len < size);
		secret_text_deinit(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_that_know_each_other),
		cmocka_unit_test(a_host_that_roams),
		cmocka_unit_test(frames),
		cmocka_unit_test(the_longest_names_fit),
		cmocka_unit_test(a_text_that_is_too_short),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
