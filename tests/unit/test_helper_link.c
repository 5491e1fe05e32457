/*
 * Tests of daemon/core/helper.c, helper_call.c and helper_queue.c: the link's side, with a helper
 * that is a process: it works, it is killed, it hangs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/helper_file.h"

static struct helper helper;

static int set_up(void **state)
{
	(void)state;
	reset_file();
	helper = (struct helper)HELPER_NULL;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	helper_stop(&helper);
	return 0;
}

static enum helper_request done[HELPER_QUEUE_MAX];
static enum exit_code done_with;
static size_t n_done;

static void on_done(void *context, enum helper_request request, enum exit_code result)
{
	(void)context;
	done[n_done++] = request;
	done_with = result;
}

/* What was queued has failed when the helper is gone. */
static void test_lost_queue(void **state)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);

	(void)state;
	n_done = 0;
	helper = (struct helper)HELPER_NULL;
	assert_int_equal(helper_start(&helper, &env), 0);
	helper_watch(&helper, loop, on_done, NULL);
	kill(helper.pid, SIGSTOP);
	helper_queue(&helper, HELPER_DNS, HELPER_IN_FORCE);
	helper_queue(&helper, HELPER_HOOK, CONF_POST_UP);
	kill(helper.pid, SIGKILL);
	while (helper_is_there(&helper))
		ev_run(loop, EVRUN_ONCE);
	assert_int_equal(n_done, 2);
	assert_int_equal(done_with, EXIT_UNAVAILABLE);
	helper_queue(&helper, HELPER_HOOK, CONF_POST_UP);
	assert_int_equal(n_done, 3);
	helper_unwatch(&helper);
	helper_stop(&helper);
	ev_loop_destroy(loop);
}

/* One that does not answer is given up, and its end is not waited for. */
static void test_hanging_helper(void **state)
{
	pid_t pid;

	(void)state;
	helper = (struct helper)HELPER_NULL;
	assert_int_equal(helper_start(&helper, &env), 0);
	pid = helper.pid;
	kill(pid, SIGSTOP);
	assert_int_equal(helper_set_mtu(&helper, 1420), -EPIPE);
	assert_false(helper_is_there(&helper));
	helper_end_rules(&helper, 0);
	helper_end(&helper, 0);
	helper_stop(&helper);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Nothing that the link has open stays open in the helper. */
static void test_descriptors(void **state)
{
	int fds[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	helper = (struct helper)HELPER_NULL;
	assert_int_equal(helper_start(&helper, &env), 0);
	assert_int_equal(helper_set_mtu(&helper, 1420), -EINVAL);
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 0);
	close(fds[0]);
	helper_stop(&helper);
}

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
	helper_end(&helper, 0);
	helper_stop(&helper);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lost_queue),    TEST(test_hanging_helper), TEST(test_descriptors),
		TEST(test_load_and_look), TEST(test_sockets),        TEST(test_killed_helper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
