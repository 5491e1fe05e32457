/* Tests of daemon/ctl/acceptor.c: how many it takes, when, and what it does in a shortage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/defs.h"
#include "common/nsec.h"
#include "daemon/ctl/acceptor.h"

#define N_PLACES 2

static struct ev_loop *loop;
static struct acceptor acceptor;
static int listener;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static int taken[8];
static size_t n_taken;
static int answer;       /* of take() */
static bool leaves;      /* each client as soon as it is taken */
static int accept_error; /* 0: accept4(2) does its work */
static unsigned int n_accepts;

int __real_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);

int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
	n_accepts++;
	if (accept_error) {
		errno = accept_error;
		return -1;
	}
	return __real_accept4(fd, from, len, flags);
}

static int take(void *context, int fd)
{
	assert_ptr_equal(context, &acceptor);
	if (answer < 0 || leaves)
		close(fd);
	else
		taken[n_taken] = fd;
	if (answer < 0)
		return answer;
	n_taken++;
	if (leaves)
		acceptor_release(&acceptor);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	loop = ev_loop_new(EVFLAG_NOENV);
	/* A name of the kernel's choice, not in the file system. */
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)) < 0 ||
	    listen(listener, 16) < 0)
		return -1;
	n_taken = n_accepts = 0;
	answer = accept_error = 0;
	leaves = false;
	acceptor = (struct acceptor) { .n_clients_max = N_PLACES, .take = take };
	acceptor.context = &acceptor;
	acceptor_start(&acceptor, loop, listener);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	acceptor_stop(&acceptor);
	acceptor_stop(&acceptor);
	for (size_t i = 0; i < n_taken && !leaves; i++)
		close(taken[i]);
	close(listener);
	ev_loop_destroy(loop);
	return 0;
}

static int client(void)
{
	struct sockaddr_un name;
	socklen_t len = sizeof(name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &len), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&name, len), 0);
	return fd;
}

static void turn(void)
{
	for (int i = 0; i < 10; i++)
		ev_run(loop, EVRUN_NOWAIT);
}

static void one_a_turn(void **state)
{
	int clients[N_PLACES] = { client(), client() };

	(void)state;
	ev_run(loop, EVRUN_NOWAIT);
	assert_int_equal(n_taken, 1);
	ev_run(loop, EVRUN_NOWAIT);
	assert_int_equal(n_taken, 2);
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		close(clients[i]);
}

static void no_more_than_there_are_places(void **state)
{
	int clients[N_PLACES + 1] = { client(), client(), client() };

	(void)state;
	turn();
	assert_int_equal(n_taken, N_PLACES);
	assert_int_equal(n_accepts, N_PLACES);
	acceptor_release(&acceptor);
	turn();
	assert_int_equal(n_taken, N_PLACES + 1);
	/* When it has ended, a client that leaves begins nothing. */
	acceptor_stop(&acceptor);
	acceptor_release(&acceptor);
	turn();
	assert_int_equal(n_taken, N_PLACES + 1);
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		close(clients[i]);
}

static void clients_that_leave_at_once_take_no_place(void **state)
{
	(void)state;
	leaves = true;
	for (size_t i = 0; i < 2 * N_PLACES; i++) {
		close(client());
		turn();
	}
	assert_int_equal(n_taken, 2 * N_PLACES);
	assert_int_equal(acceptor.n_clients, 0);
}

/* It waits a second without using the processor, and goes on. */
static void expect_retry(void)
{
	nsec_t cpu = nsec_thread_cpu(), begin = nsec_boottime();

	turn();
	assert_int_equal(n_accepts, 1);
	assert_int_equal(n_taken, 0);
	accept_error = answer = 0;
	while (n_taken == 0 && nsec_boottime() - begin < 10 * NSEC_PER_SEC)
		ev_run(loop, EVRUN_ONCE);
	assert_int_equal(n_taken, 1);
	assert_int_equal(n_accepts, 2);
	assert_true(nsec_thread_cpu() - cpu < NSEC_PER_SEC / 2);
}

static void a_shortage_of_descriptors_passes(void **state)
{
	int fd = client();

	(void)state;
	accept_error = EMFILE;
	expect_retry();
	close(fd);
}

/* The one that there was no memory for is lost, the next one is not. */
static void a_shortage_of_memory_passes(void **state)
{
	int lost = client(), fd = client();

	(void)state;
	answer = -ENOMEM;
	expect_retry();
	assert_int_equal(acceptor.n_clients, 1);
	close(lost);
	close(fd);
}

/* While it waits, a place that becomes free is no reason to go on. */
static void a_place_does_not_end_a_shortage(void **state)
{
	int first = client(), second;

	(void)state;
	turn();
	accept_error = ENFILE;
	second = client();
	turn();
	assert_int_equal(n_accepts, 2);
	acceptor_release(&acceptor);
	turn();
	assert_int_equal(n_accepts, 2);
	close(first);
	close(second);
}

static void a_client_that_is_gone_is_no_trouble(void **state)
{
	int fd = client();

	(void)state;
	accept_error = ECONNABORTED;
	ev_run(loop, EVRUN_NOWAIT);
	accept_error = 0;
	turn();
	assert_int_equal(n_taken, 1);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_a_turn),
		TEST(no_more_than_there_are_places),
		TEST(clients_that_leave_at_once_take_no_place),
		TEST(a_shortage_of_descriptors_passes),
		TEST(a_shortage_of_memory_passes),
		TEST(a_place_does_not_end_a_shortage),
		TEST(a_client_that_is_gone_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
