/*
 * Tests of daemon/core/helper_serve.c, helper_work.c and helper_wire.c: what a link that somebody
 * has taken over may say to its helper. The helper's side runs in this process; nothing of what is
 * asked for here may reach the host.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/secret.h"
#include "daemon/core/helper_serve.h"
#include "tests/unit/helper_file.h"

static struct helper_server server;
static int link_fd = -1;

static int set_up(void **state)
{
	int fds[2];

	(void)state;
	reset_file();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	link_fd = fds[0];
	helper_server_init(&server, fds[1], &env);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	helper_server_deinit(&server);
	close(server.fd);
	if (link_fd >= 0)
		close(link_fd);
	return 0;
}

/* Sends bytes as they are, lets the helper serve them, and takes the answer. */
static int32_t say(const void *bytes, size_t len, int fd)
{
	struct helper_answer answer = { .result = 12345 };
	struct helper_parcel parcel = { .rest = NULL, .head_len = len, .fds = { fd, -1 } };
	struct conf_secrets *secrets = secret_alloc(sizeof(*secrets));

	memcpy(&parcel.head, &bytes, sizeof(bytes));
	assert_int_equal(helper_send(link_fd, &parcel, 0), 0);
	assert_false(helper_serve_one(&server, false));
	parcel = (struct helper_parcel) { .head = &answer,
					  .head_len = sizeof(answer),
					  .rest = secrets,
					  .rest_len = sizeof(*secrets) };
	assert_int_equal(helper_receive(link_fd, &parcel, MSG_DONTWAIT), 0);
	helper_close_fds(&parcel);
	secret_free(secrets);
	return answer.result;
}

static int32_t ask(enum helper_request request, uint32_t argument)
{
	const struct helper_message message = { .request = (uint32_t)request,
						.id = 1,
						.argument.conf = argument };

	return say(&message, HELPER_HEAD_LEN + helper_table[request].argument_len, -1);
}

static int32_t offer(const struct conf_link *conf)
{
	const struct helper_message message = { .request = HELPER_OFFER, .id = 2 };
	int fd = helper_pack(conf);
	int32_t result;

	assert_true(fd >= 0);
	result = say(&message, HELPER_HEAD_LEN, fd);
	close(fd);
	return result;
}

static void test_no_such_request(void **state)
{
	struct helper_message message = { .id = 9 };

	(void)state;
	for (uint32_t request = HELPER_N_REQUESTS; request < HELPER_N_REQUESTS + 300; request++) {
		message.request = request;
		assert_int_equal(say(&message, HELPER_HEAD_LEN, -1), -EPROTO);
		assert_int_equal(say(&message, sizeof(message), -1), -EPROTO);
	}
	message.request = UINT32_MAX;
	assert_int_equal(say(&message, HELPER_HEAD_LEN, -1), -EPROTO);
}

/* An argument of another length than the request's, or descriptors where there must be none. */
static void test_wrong_size(void **state)
{
	const struct helper_message message = { .id = 9 };
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	for (uint32_t request = 0; request < HELPER_N_REQUESTS; request++) {
		struct helper_message one = message;
		size_t right = HELPER_HEAD_LEN + helper_table[request].argument_len;

		one.request = request;
		if (request == HELPER_CANCEL)
			continue;
		for (size_t len = 1; len <= sizeof(one); len++) {
			if (len != right)
				assert_int_equal(say(&one, len, -1), -EPROTO);
		}
		if (helper_table[request].n_fds_max == 0)
			assert_int_equal(say(&one, right, null_fd), -EPROTO);
	}
	close(null_fd);
}

/* Nothing is done before the file was read and the link was locked. */
static void test_too_early(void **state)
{
	(void)state;
	assert_int_equal(ask(HELPER_BEGIN, 0), -EINVAL);
	assert_int_equal(ask(HELPER_ACCEPT, 0), -EINVAL);
	assert_int_equal(ask(HELPER_LOAD, 0), EXIT_DONE);
	assert_int_equal(ask(HELPER_CLAIM, HELPER_IN_FORCE), -EINVAL);
	assert_int_equal(ask(HELPER_APPLY, 1420), -EINVAL);
	assert_int_equal(ask(HELPER_CHANGE, HELPER_OFFERED), -EINVAL);
	assert_int_equal(ask(HELPER_RESTORE, 0), -EINVAL);
	assert_int_equal(ask(HELPER_SET_MTU, 1420), -EINVAL);
	assert_int_equal(ask(HELPER_RULES, HELPER_IN_FORCE), -EINVAL);
	assert_int_equal(ask(HELPER_DNS, HELPER_IN_FORCE), -EINVAL);
	for (uint32_t hook = 0; hook < 300; hook++)
		assert_int_equal(ask(HELPER_HOOK, hook), -EINVAL);
}

static void test_limits(void **state)
{
	(void)state;
	assert_int_equal(ask(HELPER_LOAD, 0), EXIT_DONE);
	server.outside.is_begun = true;
	server.ifindex = 0x7fffffff;
	for (uint32_t which = HELPER_N_CONFS; which < 300; which++) {
		assert_int_equal(ask(HELPER_CLAIM, which), -EINVAL);
		assert_int_equal(ask(HELPER_CHANGE, which), -EINVAL);
		assert_int_equal(ask(HELPER_RULES, which), -EINVAL);
		assert_int_equal(ask(HELPER_DNS, which), -EINVAL);
	}
	assert_int_equal(ask(HELPER_CLAIM, HELPER_OFFERED), -EINVAL);
	assert_int_equal(ask(HELPER_SET_MTU, 0), -EINVAL);
	assert_int_equal(ask(HELPER_SET_MTU, UINT32_MAX), -EINVAL);
	assert_int_equal(ask(HELPER_APPLY, 67), -EINVAL);
	assert_int_equal(ask(HELPER_OPEN_UDP, 65536), -EINVAL);
	assert_int_equal(ask(HELPER_HOOK, CONF_PRE_DOWN), -EINVAL);
	assert_int_equal(ask(HELPER_HOOK, CONF_N_HOOKS), -EINVAL);
	assert_int_equal(ask(HELPER_HOOK, UINT32_MAX), -EINVAL);
	server.outside.is_begun = false;
}

/* What is no configuration, and what is none of ours to read. */
static void test_bad_offers(void **state)
{
	const struct helper_message message = { .request = HELPER_OFFER, .id = 2 };
	int fds[2], fd = memfd_create("x", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ask(HELPER_LOAD, 0), EXIT_DONE);
	assert_int_equal(say(&message, HELPER_HEAD_LEN, fd), -EBADMSG);
	assert_int_equal(write(fd, "nonsense", 8), 8);
	assert_int_equal(say(&message, HELPER_HEAD_LEN, fd), -EBADMSG);
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	assert_int_equal(say(&message, HELPER_HEAD_LEN, fd), -EBADMSG);
	close(fd);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(say(&message, HELPER_HEAD_LEN, fds[0]), -EBADMSG);
	close(fds[0]);
	close(fds[1]);
	fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	assert_int_equal(say(&message, HELPER_HEAD_LEN, fd), -EBADMSG);
	close(fd);
	assert_false(server.has_conf[HELPER_OFFERED]);
}

/* The file decides about these, whatever the link says. */
static void test_fixed(void **state)
{
	struct conf_link conf = {
		.name = "other", .mode = CONF_MODE_TAP, .forward = true, .masquerades_all = true
	};
	char bridge[] = "br-foreign", namespace[] = "foreign", command[] = "touch /tmp/x";
	char *commands[] = { command };
	const struct conf_link *is;

	(void)state;
	file_bridge = "br-file";
	assert_int_equal(ask(HELPER_LOAD, 0), EXIT_DONE);
	conf.bridge = bridge;
	conf.namespace = namespace;
	conf.hooks[CONF_POST_UP] = (struct conf_strings) { commands, 1 };
	conf.fwmark = 77;
	assert_int_equal(offer(&conf), 0);
	assert_int_equal(ask(HELPER_ACCEPT, 0), 0);
	is = &server.confs[HELPER_IN_FORCE];
	assert_string_equal(is->name, "helper-test");
	assert_string_equal(is->bridge, "br-file");
	assert_null(is->namespace);
	assert_int_equal(is->mode, CONF_MODE_TUN);
	assert_false(is->forward);
	assert_false(is->masquerades_all);
	assert_int_equal(is->fwmark, 77);
	assert_null(is->secrets);
	/* Commands are looked up in the file that the helper has read. */
	assert_ptr_equal(server.outside.conf, &server.from_file);
	assert_int_equal(server.from_file.hooks[CONF_POST_UP].n, 0);
}

/* Addresses, the table and name servers are the file's, or those in force. */
static void test_fixed_network(void **state)
{
	struct prefix address = { .family = AF_INET, .len = 24, .addr = { 10, 0, 0, 1 } };
	char word[] = "192.0.2.66", table[] = "main", good[] = "10.0.0.53";
	char *words[] = { word };
	struct conf_link conf = { .name = "helper-test",
				  .addresses = { &address, 1 },
				  .dns = { words, 1 },
				  .table_kind = CONF_TABLE_NAME,
				  .table = 254,
				  .table_name = table };
	const struct conf_link *is = &server.confs[HELPER_IN_FORCE];

	(void)state;
	file_dns = good;
	assert_int_equal(ask(HELPER_LOAD, 0), EXIT_DONE);
	assert_int_equal(offer(&conf), 0);
	assert_int_equal(ask(HELPER_ACCEPT, 0), 0);
	assert_int_equal(is->addresses.n, 0);
	assert_int_equal(is->table_kind, CONF_TABLE_AUTO);
	assert_null(is->table_name);
	assert_int_equal(is->dns.n, 1);
	assert_string_equal(is->dns.items[0], good);
	/* What the file says by now is taken; a step that failed goes back to what is. */
	file_dns = word;
	assert_int_equal(ask(HELPER_LOAD, 0), EXIT_DONE);
	assert_int_equal(offer(&conf), 0);
	assert_int_equal(ask(HELPER_ACCEPT, 0), 0);
	assert_string_equal(is->dns.items[0], word);
}

/* Commands of a file that was read and not accepted are not run. */
static void test_unaccepted_file(void **state)
{
	char command[] = "new";
	char *commands[] = { command };
	struct conf_link conf = { .name = "helper-test" };

	(void)state;
	file_command = "old";
	assert_int_equal(ask(HELPER_LOAD, 0), EXIT_DONE);
	file_command = "new";
	assert_int_equal(ask(HELPER_LOAD, 0), EXIT_DONE);
	assert_string_equal(server.from_file.hooks[CONF_POST_UP].items[0], "old");
	/* Something else is changed meanwhile, by what was in force. */
	assert_int_equal(offer(&conf), 0);
	assert_int_equal(ask(HELPER_ACCEPT, 0), 0);
	assert_string_equal(server.from_file.hooks[CONF_POST_UP].items[0], "old");
	conf.hooks[CONF_POST_UP] = (struct conf_strings) { commands, 1 };
	assert_int_equal(offer(&conf), 0);
	assert_string_equal(server.from_file.hooks[CONF_POST_UP].items[0], "old");
	assert_int_equal(ask(HELPER_ACCEPT, 0), 0);
	assert_string_equal(server.from_file.hooks[CONF_POST_UP].items[0], "new");
	assert_ptr_equal(server.outside.conf, &server.from_file);
	assert_int_equal(server.confs[HELPER_IN_FORCE].hooks[CONF_POST_UP].n, 0);
}

static void test_offer_before_the_file(void **state)
{
	const struct conf_link conf = { .name = "helper-test" };

	(void)state;
	assert_int_equal(offer(&conf), -EINVAL);
	assert_int_equal(ask(HELPER_ACCEPT, 0), -EINVAL);
}

/* What piles up while a program runs has an end. */
static void test_pile(void **state)
{
	const struct conf_link conf = { .name = "helper-test" };
	int32_t result = 0;
	size_t n = 0;

	(void)state;
	file_dns = "10.0.0.53";
	assert_int_equal(ask(HELPER_LOAD, 0), EXIT_DONE);
	server.is_busy = true;
	while (n < 1000 && (result = offer(&conf)) == 0)
		n++;
	assert_int_equal(result, -EBUSY);
	assert_true(n >= 8 && server.n_old_confs == HELPER_OLD_CONFS_MAX);
	server.is_busy = false;
	assert_int_equal(offer(&conf), 0);
	/* Where there is nothing that a program uses, there is no end. */
	file_dns = NULL;
}

/* There is one beginning and one end. */
static void test_once(void **state)
{
	(void)state;
	assert_int_equal(ask(HELPER_LOAD, 0), EXIT_DONE);
	server.has_begun = true;
	assert_int_equal(ask(HELPER_BEGIN, 0), -EINVAL);
	server.has_begun = false;
	assert_int_equal(ask(HELPER_END, 0), EXIT_DONE);
	for (uint32_t request = 0; request < HELPER_N_REQUESTS; request++) {
		if (request == HELPER_OFFER || request == HELPER_MARK_UDP ||
		    request == HELPER_CANCEL)
			continue;
		assert_int_equal(ask(request, 0), -EINVAL);
	}
	assert_false(server.has_begun);
}

/* Whoever wants to be taken for a service of the host must be named by the file. */
static void test_low_ports(void **state)
{
	(void)state;
	file_port = 1023;
	assert_int_equal(ask(HELPER_LOAD, 0), EXIT_DONE);
	for (uint32_t port = 1; port < 1023; port++)
		assert_int_equal(ask(HELPER_OPEN_UDP, port), -EACCES);
	assert_int_not_equal(ask(HELPER_OPEN_UDP, 1023), -EACCES);
}

static void test_nested(void **state)
{
	const struct helper_message cancel = { .request = HELPER_CANCEL, .id = 3 };
	struct helper_parcel parcel = { .head_len = HELPER_HEAD_LEN, .fds = { -1, -1 } };
	const void *head = &cancel;
	char command[] = "true";
	char *commands[] = { command };
	struct conf_link with_command = { .name = "helper-test" };

	(void)state;
	with_command.hooks[CONF_POST_UP] = (struct conf_strings) { commands, 1 };
	file_command = command;
	assert_int_equal(ask(HELPER_LOAD, 0), EXIT_DONE);
	server.outside.is_begun = server.is_busy = true;
	assert_int_equal(ask(HELPER_DNS, HELPER_IN_FORCE), -EBUSY);
	assert_int_equal(ask(HELPER_HOOK, CONF_POST_UP), -EBUSY);
	assert_int_equal(ask(HELPER_END, 0), -EBUSY);
	/* The file may be read again: what runs keeps the list that it has. */
	assert_int_equal(ask(HELPER_LOAD, 0), EXIT_DONE);
	assert_int_equal(offer(&with_command), 0);
	assert_int_equal(ask(HELPER_ACCEPT, 0), 0);
	assert_non_null(server.old_confs);
	memcpy(&parcel.head, &head, sizeof(head));
	assert_int_equal(helper_send(link_fd, &parcel, 0), 0);
	assert_true(helper_serve_one(&server, true));
	assert_int_equal(helper_send(link_fd, &parcel, 0), 0);
	assert_false(helper_serve_one(&server, false));
	server.outside.is_begun = server.is_busy = false;
}

static void test_gone(void **state)
{
	(void)state;
	close(link_fd);
	link_fd = -1;
	assert_true(helper_serve_one(&server, false));
	assert_true(server.is_alone);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_such_request),
		TEST(test_wrong_size),
		TEST(test_too_early),
		TEST(test_limits),
		TEST(test_bad_offers),
		TEST(test_fixed),
		TEST(test_fixed_network),
		TEST(test_unaccepted_file),
		TEST(test_pile),
		TEST(test_once),
		TEST(test_low_ports),
		TEST(test_offer_before_the_file),
		TEST(test_nested),
		TEST(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
