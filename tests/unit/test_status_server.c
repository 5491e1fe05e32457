/*
 * Tests of daemon/ctl/status_server.c, and of daemon/cli/status_ask.c as its client: a server on a
 * loop of the test's own, and a process that asks it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/cli/status_ask.h"
#include "daemon/ctl/status_server.h"
#include "tests/unit/status_example.h"
#include "tests/unit/temp_dir.h"

static char top[TEMP_DIR_LEN];
static char dir[64], conf_dir[64], path[128];
static struct ev_loop *loop;
static struct status_server server;
static unsigned int n_asked;
static bool has_counters; /* that come at once, or never */

static void ask(void *context)
{
	(void)context;
	n_asked++;
	if (has_counters)
		status_server_answer(&server);
}

static void get(void *context, struct link_status *ret)
{
	(void)context;
	*ret = status_example();
}

static const struct status_ops ops = { .ask = ask, .get = get };

static int set_up(void **state)
{
	(void)state;
	if (!make_temp_dir(top))
		return -1;
	snprintf(dir, sizeof(dir), "%s/run", top);
	snprintf(conf_dir, sizeof(conf_dir), "%s/etc", top);
	snprintf(path, sizeof(path), "%s/site-a/status.sock", dir);
	loop = ev_loop_new(EVFLAG_AUTO);
	n_asked = 0;
	has_counters = true;
	status_server_init(&server);
	return loop && mkdir(conf_dir, 0700) == 0 ? 0 : -1;
}

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static int tear_down(void **state)
{
	(void)state;
	status_server_stop(&server);
	ev_loop_destroy(loop);
	return nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void start(void)
{
	assert_int_equal(status_server_start(&server, loop, dir, "site-a", &ops, NULL), 0);
}

static void on_over(struct ev_loop *ev, ev_timer *watcher, int events)
{
	(void)watcher;
	(void)events;
	ev_break(ev, EVBREAK_ALL);
}

/* Lets the loop go on for some time. */
static void serve_for(double seconds)
{
	ev_timer over;

	ev_timer_init(&over, on_over, seconds, 0.0);
	ev_timer_start(loop, &over);
	ev_run(loop, 0);
	ev_timer_stop(loop, &over);
}

/* Another process asks while this one serves. \return what it found: 0, or an errno value */
static int asked(void)
{
	pid_t pid = fork();
	struct status_answer answer;
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		status_ask(dir, "site-a", &answer);
		if (answer.error == 0 &&
		    (strcmp(answer.peer_key, EXAMPLE_PEER_KEY) != 0 || answer.n_lost != 10))
			_exit(255);
		_exit(-answer.error);
	}
	for (int i = 0; i < 100; i++) {
		serve_for(0.05);
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
	}
	return 255;
}

static int connect_to_it(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(addr.sun_path, path, strlen(path));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void it_answers_and_closes(void **state)
{
	struct stat st;

	(void)state;
	start();
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(asked(), 0);
	assert_int_equal(asked(), 0);
	assert_int_equal(n_asked, 2);
	status_server_stop(&server);
	assert_int_equal(access(path, F_OK), -1);
	*strrchr(path, '/') = '\0';
	assert_int_equal(access(path, F_OK), -1);
}

/* Whoever owns the directory may put a link in the socket's place: nothing is done by its name. */
static void the_mode_is_not_changed_afterwards(void **state)
{
	mode_t before = umask(077);
	char link_dir[96], events[256];
	struct stat st;
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	(void)state;
	snprintf(link_dir, sizeof(link_dir), "%s/site-a", dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(mkdir(link_dir, 0755), 0);
	assert_true(inotify_add_watch(fd, link_dir, IN_ATTRIB) >= 0);
	start();
	umask(before);
	assert_int_equal(read(fd, events, sizeof(events)), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	close(fd);
}

static void it_answers_without_counters_that_do_not_come(void **state)
{
	(void)state;
	has_counters = false;
	start();
	assert_int_equal(asked(), 0);
}

static void what_is_left_over_is_replaced_and_who_lives_is_not(void **state)
{
	struct status_server other;

	(void)state;
	start();
	status_server_init(&other);
	assert_int_equal(status_server_start(&other, loop, dir, "site-a", &ops, NULL), -EADDRINUSE);
	status_server_stop(&other);
	/* As after a kill: the file stays, nobody listens. */
	uapi_place_close(&server.place, false);
	status_server_stop(&server);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(asked(), ECONNREFUSED);
	status_server_init(&server);
	start();
	assert_int_equal(asked(), 0);
}

/* More than it serves at once, of whom none reads: they are dropped, and the next one is served. */
static void a_crowd_that_does_not_read_is_dropped(void **state)
{
	int fds[STATUS_CLIENTS_MAX + 3];

	(void)state;
	start();
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = connect_to_it();
	assert_int_equal(asked(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	assert_int_equal(asked(), 0);
}

static void it_stops_while_clients_wait(void **state)
{
	int fd;

	(void)state;
	has_counters = false;
	start();
	fd = connect_to_it();
	assert_true(fd >= 0);
	serve_for(0.05);
	status_server_stop(&server);
	status_server_stop(&server);
	close(fd);
}

static void a_directory_that_cannot_be_made_is_said(void **state)
{
	FILE *file = fopen(dir, "w");

	(void)state;
	assert_non_null(file);
	fclose(file);
	assert_int_equal(status_server_start(&server, loop, dir, "site-a", &ops, NULL), -ENOTDIR);
}

static char *say(void *context)
{
	(void)context;
	return n_asked++ == 0 ? strdup("{\"it\":\"changes\"}") : NULL;
}

/* A text of its own, on a socket of its own; no text closes the connection. */
static void it_says_something_else(void **state)
{
	static const struct status_ops changes = { .say = say, .socket = STATUS_CHANGES_SOCKET };
	char text[64] = "";
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/site-a/changes.sock", dir);
	assert_int_equal(status_server_start(&server, loop, dir, "site-a", &changes, NULL), 0);
	fd = connect_to_it();
	assert_true(fd >= 0);
	serve_for(0.05);
	assert_int_equal(recv(fd, text, sizeof(text) - 1, 0), 17);
	assert_string_equal(text, "{\"it\":\"changes\"}\n");
	assert_int_equal(recv(fd, text, sizeof(text), 0), 0);
	close(fd);
	fd = connect_to_it();
	serve_for(0.05);
	assert_int_equal(recv(fd, text, sizeof(text), 0), 0);
	close(fd);
}

/* --- the one who asks --- */

static void write_file(const char *name)
{
	char file_path[128];
	FILE *file;

	snprintf(file_path, sizeof(file_path), "%s/%s", conf_dir, name);
	file = fopen(file_path, "w");
	assert_non_null(file);
	fclose(file);
}

static void all_links_are_those_with_a_socket_or_a_file(void **state)
{
	struct status_answers answers;
	char other[128];

	(void)state;
	start();
	uapi_place_close(&server.place, false);
	status_server_stop(&server);
	write_file("site-a.conf");
	write_file("quiet.conf");
	write_file("notes.txt");
	write_file("a-name-that-is-too-long.conf");
	snprintf(other, sizeof(other), "%s/ended", dir);
	assert_int_equal(mkdir(other, 0700), 0);
	assert_int_equal(status_ask_all(dir, conf_dir, &answers), 0);
	assert_int_equal(answers.n, 2);
	assert_string_equal(answers.items[0].name, "quiet");
	assert_int_equal(answers.items[0].error, -ENOENT);
	assert_string_equal(answers.items[1].name, "site-a");
	assert_int_equal(answers.items[1].error, -ECONNREFUSED);
	status_answers_deinit(&answers);
	status_answers_deinit(&answers);

	assert_int_equal(status_ask_all("/nonexistent", "/nonexistent", &answers), 0);
	assert_int_equal(answers.n, 0);
	status_answers_deinit(&answers);
	assert_int_equal(status_ask_all("/dev/null", conf_dir, &answers), -ENOTDIR);
}

/* A server that says one thing to the first who comes. \return what the asker found */
static int found(const char *text)
{
	struct pollfd caller = { .events = POLLIN };
	int fd, client, status;
	pid_t pid;
	struct status_answer answer;
	char link_dir[96];

	snprintf(link_dir, sizeof(link_dir), "%s/site-a", dir);
	mkdir(dir, 0755);
	fd = uapi_listen(link_dir, STATUS_SOCKET, 0660, link_dir);
	assert_true(fd >= 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		caller.fd = fd;
		client = poll(&caller, 1, 10000) == 1 ? accept(fd, NULL, NULL) : -1;
		/* Half of it first: an answer may come in pieces. */
		if (write(client, text, strlen(text) / 2) >= 0)
			usleep(10000);
		text += strlen(text) / 2;
		_exit(write(client, text, strlen(text)) < 0);
	}
	status_ask(dir, "site-a", &answer);
	status_answer_deinit(&answer);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fd);
	unlink(path);
	return answer.error;
}

static void answers_that_make_no_sense_are_told_apart(void **state)
{
	static const char good[] = "{\"version\":1,\"state\":\"up\",\"state_text\":\"up\","
				   "\"public_key\":\"a\",\"peer\":{\"public_key\":\"b\"}}\n";

	(void)state;
	assert_int_equal(found(good), 0);
	assert_int_equal(found(""), -EPROTO);
	assert_int_equal(found("{\"version\":1,"), -EPROTO);
	assert_int_equal(found("[1]"), -EPROTO);
	assert_int_equal(found("{\"version\":\"1\"}"), -EPROTO);
	assert_int_equal(found("{\"version\":2}"), -EPROTONOSUPPORT);
	assert_int_equal(found("{\"version\":1,\"state\":7}"), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_answers_and_closes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_mode_is_not_changed_afterwards, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(it_answers_without_counters_that_do_not_come,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_left_over_is_replaced_and_who_lives_is_not,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_crowd_that_does_not_read_is_dropped, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(it_stops_while_clients_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_directory_that_cannot_be_made_is_said, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(it_says_something_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_links_are_those_with_a_socket_or_a_file, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(answers_that_make_no_sense_are_told_apart, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
