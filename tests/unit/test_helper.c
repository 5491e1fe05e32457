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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/secret.h"
#include "daemon/core/helper_serve.h"

static struct helper_server server;
static struct helper helper;
static struct conf_host host;
static int link_fd = -1;

/* The file, as it is "read". */
static const char *file_bridge;
static bool is_file_bad;

static void load(void *context, struct conf_link *conf, struct diag *diag)
{
	(void)context;
	if (conf_link_init(conf) < 0)
		abort();
	snprintf(conf->name, sizeof(conf->name), "helper-test");
	conf->bridge = file_bridge ? strdup(file_bridge) : NULL;
	memset(conf->secrets->private_key.bytes, 7, 32);
	if (is_file_bad)
		diag_error(diag, 3, "something is wrong");
	diag_warning(diag, 4, "something is odd");
}

static const struct helper_env env = {
	.link = "helper-test", .file = "helper-test.conf", .host = &host, .load = load
};

static int set_up(void **state)
{
	int fds[2];

	(void)state;
	conf_host_init(&host);
	file_bridge = NULL;
	is_file_bad = false;
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

static void test_nested(void **state)
{
	const struct helper_message cancel = { .request = HELPER_CANCEL, .id = 3 };
	struct helper_parcel parcel = { .head_len = HELPER_HEAD_LEN, .fds = { -1, -1 } };
	const void *head = &cancel;

	(void)state;
	assert_int_equal(ask(HELPER_LOAD, 0), EXIT_DONE);
	server.outside.is_begun = server.is_busy = true;
	assert_int_equal(ask(HELPER_DNS, HELPER_IN_FORCE), -EBUSY);
	assert_int_equal(ask(HELPER_HOOK, CONF_POST_UP), -EBUSY);
	assert_int_equal(ask(HELPER_END, 0), -EBUSY);
	/* The file may be read again: what runs keeps the list that it has. */
	assert_int_equal(ask(HELPER_LOAD, 0), EXIT_DONE);
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

/* --- the link's side, with a helper that is a process ---------------------------------------- */

static void test_load_and_look(void **state)
{
	struct diag diag = DIAG_NULL("x");
	struct conf_link conf;

	(void)state;
	helper = (struct helper)HELPER_NULL;
	assert_int_equal(helper_start(&helper, &env), 0);
	assert_int_equal(helper_load(&helper, &conf), EXIT_DONE);
	assert_string_equal(conf.name, "helper-test");
	assert_int_equal(conf.secrets->private_key.bytes[31], 7);
	conf_link_deinit(&conf);
	helper_look(&helper, &conf, &diag);
	assert_int_equal(diag.n_items, 1);
	assert_int_equal(diag.items[0].line, 4);
	assert_string_equal(diag.items[0].text, "something is odd");
	conf_link_deinit(&conf);
	diag_deinit(&diag);
	helper_stop(&helper);
	is_file_bad = true;
	helper = (struct helper)HELPER_NULL;
	assert_int_equal(helper_start(&helper, &env), 0);
	helper_look(&helper, &conf, &diag);
	assert_int_equal(diag.code, EXIT_CONFIG);
	assert_int_equal(diag.n_items, 2);
	conf_link_deinit(&conf);
	diag_deinit(&diag);
	assert_int_equal(helper_load(&helper, &conf), EXIT_CONFIG);
	conf_link_deinit(&conf);
	helper_stop(&helper);
}

static void test_sockets(void **state)
{
	struct udp udp = UDP_NULL;

	(void)state;
	helper = (struct helper)HELPER_NULL;
	assert_int_equal(helper_start(&helper, &env), 0);
	assert_int_equal(helper_open_udp(&helper, 0, &udp), 0);
	assert_true(udp.port != 0 && udp.fd4 >= 0);
	assert_int_equal(helper_mark_udp(&helper, &udp), 0);
	udp_close(&udp);
	helper_stop(&helper);
}

static void test_killed_helper(void **state)
{
	struct conf_link conf;

	(void)state;
	helper = (struct helper)HELPER_NULL;
	assert_int_equal(helper_start(&helper, &env), 0);
	kill(helper.pid, SIGKILL);
	assert_int_equal(helper_load(&helper, &conf), EXIT_UNAVAILABLE);
	assert_false(helper_is_there(&helper));
	assert_int_equal(helper_set_mtu(&helper, 1420), -EPIPE);
	helper_queue(&helper, HELPER_DNS, 0);
	assert_false(helper_is_busy(&helper));
	helper_end(&helper);
	helper_stop(&helper);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_such_request), TEST(test_wrong_size),    TEST(test_too_early),
		TEST(test_limits),          TEST(test_bad_offers),    TEST(test_fixed),
		TEST(test_nested),          TEST(test_gone),          TEST(test_load_and_look),
		TEST(test_sockets),         TEST(test_killed_helper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
