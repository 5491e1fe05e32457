/* Tests of daemon/ctl/uapi_server.c and uapi_client.c: clients of every kind on a loop that must
   never wait for any of them. */
#include "common/grow.h"
#include "tests/unit/uapi_fake.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/defs.h"
#include "common/nsec.h"
#include "tests/unit/temp_dir.h"

#define GET "get=1\n\n"

static char dir[TEMP_DIR_LEN];
static char path[96];
static struct ev_loop *loop;
static struct uapi_server server;
static struct fake fake;

static int set_up(void **state)
{
	int fd;

	(void)state;
	if (!make_temp_dir(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/site-a.sock", dir);
	fd = uapi_listen(dir, "site-a", UAPI_MODE, dir);
	loop = ev_loop_new(EVFLAG_NOENV);
	memset(&fake, 0, sizeof(fake));
	make_full(&fake.conf);
	fake.port = fake.conf.listen_port;
	uapi_server_init(&server);
	return uapi_server_start(&server, loop, fd, &fake_ops, &fake);
}

static int tear_down(void **state)
{
	(void)state;
	uapi_server_stop(&server, false);
	uapi_server_stop(&server, false);
	ev_loop_destroy(loop);
	conf_link_deinit(&fake.conf);
	return rmdir(dir);
}

/* Turns the loop until nothing is left to do. */
static void turn(void)
{
	for (int i = 0; i < 20; i++)
		ev_run(loop, EVRUN_NOWAIT);
}

static int client(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	memcpy(addr.sun_path, path, strlen(path));
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void say_bytes(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0)
			assert_int_equal(errno, EAGAIN);
		else {
			text += n;
			len -= (size_t)n;
		}
		ev_run(loop, EVRUN_NOWAIT);
	}
	turn();
}

static void say(int fd, const char *text)
{
	say_bytes(fd, text, strlen(text));
}

/* What has come from the server. */
static const char *hear(int fd)
{
	static char text[4096];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* Whether the server has closed the connection, and nothing is left to hear. */
static bool is_closed(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) == 0;
}

static size_t n_clients(void)
{
	size_t n = 0;

	for (size_t i = 0; i < UAPI_CLIENTS_MAX; i++)
		n += server.clients[i] != NULL;
	return n;
}

static void requests_in_a_row(void **state)
{
	int fd = client();

	(void)state;
	say(fd, "set=1\nfwmark=9\n\n");
	assert_string_equal(hear(fd), "errno=0\n\n");
	assert_int_equal(fake.conf.fwmark, 9);
	say(fd, GET);
	assert_non_null(strstr(hear(fd), "\nfwmark=9\n"));
	say(fd, "set=1\n\n");
	assert_string_equal(hear(fd), "errno=0\n\n");
	/* All at once, and the last one half. */
	say(fd, "set=1\nfwmark=1\n\nset=1\nfwmark=\n\nset=1\nfwmark=2\n\nset=1\nfwm");
	assert_string_equal(hear(fd), "errno=0\n\nerrno=-22\n\nerrno=0\n\n");
	assert_int_equal(fake.conf.fwmark, 2);
	say(fd, "ark=3\n\n");
	assert_string_equal(hear(fd), "errno=0\n\n");
	assert_int_equal(fake.conf.fwmark, 3);
	assert_int_equal(fake.n_sets, 5);
	assert_int_equal(fake.n_refused, 1);
	close(fd);
	turn();
	assert_int_equal(n_clients(), 0);
}

static void byte_by_byte(void **state)
{
	static const char text[] = "set=1\nfwmark=10\n\n" GET "set=1\n\n";
	int fd = client();
	const char *heard;

	(void)state;
	for (const char *c = text; *c; c++) {
		assert_int_equal(send(fd, c, 1, 0), 1);
		turn();
	}
	heard = hear(fd);
	assert_ptr_equal(strstr(heard, "errno=0\n\nprivate_key="), heard);
	assert_non_null(strstr(heard, "\nfwmark=10\n"));
	assert_non_null(strstr(heard, "errno=0\n\nerrno=0\n\n"));
	close(fd);
}

/* Negative in the answer to a set, as `wg` reads it; nothing else is changed. */
static void errors_are_told_and_logged(void **state)
{
	int fd = client();

	(void)state;
	say(fd, "set=1\nfwmark=1\npublic_key=" KEY_B "\n\n");
	assert_string_equal(hear(fd), "errno=-87\n\n");
	assert_int_equal(fake.last_error, -EUSERS);
	assert_non_null(strstr(fake.last_reason, "more than one peer"));
	say(fd, "set=1\nrubbish\n\n");
	assert_string_equal(hear(fd), "errno=-71\n\n");
	assert_int_equal(fake.n_sets, 0);
	assert_int_equal(fake.conf.fwmark, 7);
	/* What the link itself refuses it logs itself. */
	fake.set_result = -EADDRINUSE;
	say(fd, "set=1\nlisten_port=53\n\n");
	assert_string_equal(hear(fd), "errno=-98\n\n");
	assert_int_equal(fake.n_refused, 2);
	assert_int_equal(fake.conf.listen_port, 51820);
	close(fd);
}

static void other_operations_end_the_connection(void **state)
{
	static const char *const lines[] = {
		"GET / HTTP/1.1\r\n\r\n", "set=2\n", "get\n", "\n", "set=1\r\n", "x"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		int fd = client();

		say(fd, lines[i]);
		assert_true(is_closed(fd));
		assert_int_equal(fake.n_refused, i + 1);
		assert_int_equal(fake.last_error, -EPROTO);
		close(fd);
	}
	assert_int_equal(fake.n_gets + fake.n_sets, 0);
}

/* Positive in the answer to a get. */
static void a_get_with_lines_is_refused(void **state)
{
	int fd = client();

	(void)state;
	say(fd, "get=1\nfwmark\n\n");
	assert_string_equal(hear(fd), "errno=22\n\n");
	assert_true(is_closed(fd));
	assert_int_equal(fake.n_gets, 0);
	close(fd);
}

static void half_a_request_is_none(void **state)
{
	int fd = client();

	(void)state;
	say(fd, "get=1\n");
	close(fd);
	turn();
	assert_int_equal(fake.n_gets, 0);
	fd = client();
	say(fd, "set=1");
	close(fd);
	turn();
	assert_int_equal(fake.n_sets, 0);
	fd = client();
	turn();
	close(fd); /* as `wg` does to see who is there */
	turn();
	assert_int_equal(fake.n_refused, 0);
	assert_int_equal(n_clients(), 0);
	/* One that will say nothing more still hears its answer. */
	fd = client();
	assert_int_equal(send(fd, GET, strlen(GET), 0), strlen(GET));
	shutdown(fd, SHUT_WR);
	turn();
	assert_non_null(strstr(hear(fd), "errno=0\n\n"));
	assert_true(is_closed(fd));
	close(fd);
}

/* As wireguard-go has it: a set may end with what the client says. But half a line is none. */
static void the_end_of_input_ends_a_set(void **state)
{
	static const struct {
		const char *request, *answer;
		uint32_t mark;
	} cases[] = {
		{ "set=1\nfwmark=5\n", "errno=0\n\n", 5 },
		{ "set=1\n", "errno=0\n\n", 5 },
		{ "set=1\nfwmark=x\n", "errno=-22\n\n", 5 },
		{ "set=1\nfwmark=6", "errno=-71\n\n", 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = client();

		say(fd, cases[i].request);
		assert_int_equal(fake.n_sets, MIN(i, 2));
		shutdown(fd, SHUT_WR);
		turn();
		assert_string_equal(hear(fd), cases[i].answer);
		assert_true(is_closed(fd));
		close(fd);
		assert_int_equal(fake.conf.fwmark, cases[i].mark);
	}
	assert_int_equal(n_clients(), 0);
}

static void fill(uint32_t n)
{
	struct conf_prefixes *list = &fake.conf.allowed_ips;

	for (uint32_t i = 0; i < n; i++) {
		struct prefix *items = grow_list(list->items, list->n, sizeof(*items));

		assert_non_null(items);
		list->items = items;
		items[list->n] = (struct prefix) { .family = AF_INET, .len = 32 };
		memcpy(items[list->n++].addr, &i, sizeof(i));
	}
}

/* An answer of megabytes to somebody who does not read: others are served meanwhile, what he
   asks in between waits, and in the end he has it all. */
static void a_slow_reader_holds_nobody(void **state)
{
	int slow = client(), other = client();
	char buf[8192];
	size_t n_heard = 0;
	ssize_t n;

	(void)state;
	fill(130000);
	say(slow, GET "set=1\nfwmark=77\n\n");
	assert_int_equal(fake.n_gets, 1);
	assert_int_equal(fake.conf.fwmark, 7);
	say(other, "set=1\nfwmark=78\n\n");
	assert_string_equal(hear(other), "errno=0\n\n");
	assert_int_equal(fake.conf.fwmark, 78);
	do {
		n = recv(slow, buf, sizeof(buf), 0);
		n_heard += n > 0 ? (size_t)n : 0;
		ev_run(loop, EVRUN_NOWAIT);
	} while (n > 0 || fake.n_sets < 2);
	while ((n = recv(slow, buf, sizeof(buf), 0)) > 0)
		n_heard += (size_t)n;
	assert_true(n_heard > 130000 * strlen("allowed_ip=0.0.0.0/32\n"));
	assert_int_equal(fake.conf.fwmark, 77);
	close(slow);
	close(other);
}

static void a_reader_who_leaves(void **state)
{
	int fd = client();

	(void)state;
	fill(130000);
	say(fd, GET GET GET);
	close(fd);
	turn();
	assert_int_equal(n_clients(), 0);
}

static void on_tick(struct ev_loop *own, ev_timer *watcher, int events)
{
	(void)own;
	(void)watcher;
	(void)events;
}

static void who_stands_still_is_dropped(void **state)
{
	ev_timer tick;
	int silent, busy;

	(void)state;
	ev_timer_init(&tick, on_tick, 0.05, 0.05);
	ev_timer_start(loop, &tick);
	server.idle = 0.5;
	silent = client();
	busy = client();
	turn();
	assert_int_equal(n_clients(), 2);
	while (n_clients() == 2) {
		say(busy, GET);
		hear(busy);
		ev_run(loop, EVRUN_ONCE);
	}
	assert_true(is_closed(silent));
	say(busy, GET);
	assert_non_null(strstr(hear(busy), "errno=0"));
	ev_timer_stop(loop, &tick);
	close(silent);
	close(busy);
}

static void a_crowd_waits_its_turn(void **state)
{
	int fds[UAPI_CLIENTS_MAX + 4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = client();
		say(fds[i], GET);
	}
	assert_int_equal(n_clients(), UAPI_CLIENTS_MAX);
	assert_int_equal(fake.n_gets, UAPI_CLIENTS_MAX);
	assert_string_equal(hear(fds[UAPI_CLIENTS_MAX]), "");
	for (size_t i = 0; i < 4; i++)
		close(fds[i]);
	turn();
	assert_int_equal(fake.n_gets, UAPI_CLIENTS_MAX + 4);
	assert_non_null(strstr(hear(fds[UAPI_CLIENTS_MAX + 3]), "errno=0"));
	for (size_t i = 4; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	turn();
	assert_int_equal(n_clients(), 0);
}

static void too_long_a_request_is_read_to_its_end(void **state)
{
	static const char line[] = "allowed_ip=192.0.2.1/32\n";
	size_t n_lines = (size_t)UAPI_REQUEST_MAX / (sizeof(line) - 1) + 5000;
	size_t len = n_lines * (sizeof(line) - 1);
	char *lines = malloc(len + 1);
	int fd = client();

	(void)state;
	assert_non_null(lines);
	for (size_t i = 0; i < n_lines; i++)
		memcpy(lines + i * (sizeof(line) - 1), line, sizeof(line));
	say(fd, "set=1\npublic_key=" KEY_A "\n");
	say_bytes(fd, lines, len);
	say(fd, "\n");
	assert_string_equal(hear(fd), "errno=-90\n\n");
	assert_int_equal(fake.last_error, -EMSGSIZE);
	assert_int_equal(fake.n_sets, 0);
	/* The connection goes on, and so does what fits. */
	say(fd, "set=1\npublic_key=" KEY_A "\nreplace_allowed_ips=true\n");
	say_bytes(fd, lines, (sizeof(line) - 1) * 130000);
	say(fd, "\n");
	assert_string_equal(hear(fd), "errno=0\n\n");
	assert_int_equal(fake.conf.wg_allowed_ips.n, 1);
	free(lines);
	close(fd);
}

/* accept() without a descriptor left must neither spin nor give up. */
static void it_tells_when_its_file_is_removed(void **state)
{
	(void)state;
	assert_int_equal(chmod(path, 0600), 0);
	turn();
	assert_int_equal(fake.n_gone, 0);
	unlink(path);
	turn();
	assert_int_equal(fake.n_gone, 1);
}

static void a_successor_takes_over(void **state)
{
	int kept = dup(server.fd), fd = client();

	(void)state;
	say(fd, "set=1\n");
	uapi_server_stop(&server, true);
	assert_true(is_closed(fd));
	close(fd);
	assert_int_equal(access(path, F_OK), 0);
	fd = client(); /* waits in the queue */
	assert_int_equal(uapi_listen_adopt(kept), 0);
	uapi_server_init(&server);
	assert_int_equal(uapi_server_start(&server, loop, kept, &fake_ops, &fake), 0);
	say(fd, GET);
	assert_non_null(strstr(hear(fd), "errno=0"));
	close(fd);
	uapi_server_stop(&server, false);
	assert_int_not_equal(access(path, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_in_a_row),
		TEST(byte_by_byte),
		TEST(errors_are_told_and_logged),
		TEST(other_operations_end_the_connection),
		TEST(a_get_with_lines_is_refused),
		TEST(half_a_request_is_none),
		TEST(the_end_of_input_ends_a_set),
		TEST(a_slow_reader_holds_nobody),
		TEST(a_reader_who_leaves),
		TEST(who_stands_still_is_dropped),
		TEST(a_crowd_waits_its_turn),
		TEST(too_long_a_request_is_read_to_its_end),
		TEST(it_tells_when_its_file_is_removed),
		TEST(a_successor_takes_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
