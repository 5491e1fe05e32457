/*
 * Names, with files and a name server of the test's own: a mount namespace holds /etc/hosts,
 * /etc/resolv.conf and /etc/nsswitch.conf, a network namespace holds the server on 127.0.0.1.
 */
#include "tests/unit/host_env.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "daemon/host/nl.h"
#include "daemon/host/resolver.h"
#include "tests/unit/temp_dir.h"

/* Milliseconds that are never reached unless something is broken. */
#define PATIENCE 20000

static char work_dir[TEMP_DIR_LEN];

static void put_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", work_dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Puts a file of ours over a file in /etc, for this process and its children only. */
static void cover(const char *name)
{
	char source[128];
	char target[128];

	snprintf(source, sizeof(source), "%s/%s", work_dir, name);
	snprintf(target, sizeof(target), "/etc/%s", name);
	if (mount(source, target, "none", MS_BIND, NULL) < 0) {
		print_message("skipped: cannot mount over %s: %s\n", target, strerror(errno));
		skip();
	}
}

/* Once for the whole group: the files. */
static int setup_files(void **state)
{
	(void)state;
	if (!make_temp_dir(work_dir))
		return -1;
	put_file("hosts", "192.0.2.1 one.test\n"
			  "192.0.2.2 two.test\n"
			  "2001:db8::2 two.test\n");
	put_file("resolv.conf", "nameserver 127.0.0.1\noptions timeout:60 attempts:1\n");
	put_file("nsswitch.conf", "hosts: files\n");
	return 0;
}

static int remove_files(void **state)
{
	static const char *const names[] = { "hosts", "resolv.conf", "nsswitch.conf" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", work_dir, names[i]);
		(void)unlink(path);
	}
	return rmdir(work_dir);
}

/* Sees that this process has its own /etc and network; with a loopback that is down. */
static void setup(struct resolver *resolver)
{
	static bool is_private;

	enter_netns();
	if (!is_private) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0) {
			print_message("skipped: unshare(CLONE_NEWNS) says %s\n", strerror(errno));
			skip();
		}
		cover("hosts");
		cover("resolv.conf");
		cover("nsswitch.conf");
		is_private = true;
	}
	put_file("nsswitch.conf", "hosts: files\n");
	*resolver = (struct resolver)RESOLVER_NULL;
	assert_int_equal(resolver_start(resolver), 0);
	assert_true(resolver_fd(resolver) >= 0);
}

/* A name server on 127.0.0.1 that says only what the test makes it say. */
static int make_server(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(53),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct netlink nl = NETLINK_NULL;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(netlink_open(&nl), 0);
	assert_int_equal(nl_link_set_up(&nl, 1), 0);
	netlink_close(&nl);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	put_file("nsswitch.conf", "hosts: dns\n");
	return fd;
}

static void await(int fd)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&readable, 1, PATIENCE), 1);
}

/* Answers the next question with an empty answer and a response code (RFC 1035 4.1.1). */
static void refuse_one(int server, uint8_t code)
{
	uint8_t message[512];
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	ssize_t len;

	await(server);
	len = recvfrom(server, message, sizeof(message), 0, (struct sockaddr *)&from, &from_len);
	assert_true(len >= 12);
	message[2] |= 0x80;                  /* a response */
	message[3] = (uint8_t)(0x80 | code); /* recursion available */
	assert_int_equal(
		sendto(server, message, (size_t)len, 0, (struct sockaddr *)&from, from_len), len);
}

static struct resolver_answer answer(struct resolver *resolver)
{
	struct resolver_answer answer;

	await(resolver_fd(resolver));
	assert_int_equal(resolver_read(resolver, &answer), 0);
	return answer;
}

static struct resolver_answer ask(struct resolver *resolver, const char *host)
{
	static uint64_t id = 1000;
	struct resolver_answer got;

	assert_int_equal(resolver_ask(resolver, ++id, host, 51820, 0), 0);
	got = answer(resolver);
	assert_int_equal(got.id, id);
	return got;
}

/* Whether one of the addresses is that text, with the port asked for. */
static bool has(const struct resolver_answer *got, const char *want)
{
	char text[NETADDR_TEXT_MAX];

	for (size_t i = 0; i < got->n_addrs; i++) {
		if (strcmp(netaddr_format(&got->addrs[i], text), want) == 0)
			return true;
	}
	return false;
}

static void test_names(void **state)
{
	struct resolver resolver;
	struct resolver_answer got;

	(void)state;
	setup(&resolver);
	assert_int_equal(resolver_read(&resolver, &got), RESOLVER_NOTHING);
	got = ask(&resolver, "one.test");
	assert_int_equal(got.error, 0);
	assert_int_equal(got.n_addrs, 1);
	assert_true(has(&got, "192.0.2.1:51820"));
	got = ask(&resolver, "two.test");
	assert_int_equal(got.error, 0);
	assert_int_equal(got.n_addrs, 2);
	assert_true(has(&got, "192.0.2.2:51820"));
	assert_true(has(&got, "[2001:db8::2]:51820"));
	got = ask(&resolver, "198.51.100.7");
	assert_true(has(&got, "198.51.100.7:51820"));
	got = ask(&resolver, "fe80::1%lo");
	assert_int_equal(got.error, 0);
	assert_int_equal(got.addrs[0].in6.sin6_scope_id, 1);
	assert_int_equal(resolver_read(&resolver, &got), RESOLVER_NOTHING);
	resolver_stop(&resolver);
	resolver_stop(&resolver);
	assert_int_equal(resolver_fd(&resolver), -1);
}

static void test_nonexistent(void **state)
{
	struct resolver resolver;
	struct resolver_answer got;

	(void)state;
	setup(&resolver);
	got = ask(&resolver, "nonexistent");
	assert_int_equal(got.error, EAI_NONAME);
	assert_int_equal(got.n_addrs, 0);
	assert_string_equal(resolver_error_text(got.error), "the name does not exist");
	got = ask(&resolver, "no such name; $(reboot)");
	assert_int_equal(got.error, EAI_NONAME);
	resolver_stop(&resolver);
}

static void test_many_addresses(void **state)
{
	struct resolver resolver;
	struct resolver_answer got;
	char hosts[2048] = "";
	size_t used = 0;

	(void)state;
	setup(&resolver);
	for (int i = 1; i <= 40; i++)
		used += (size_t)snprintf(hosts + used, sizeof(hosts) - used,
					 "198.51.100.%d many.test\n", i);
	snprintf(hosts + used, sizeof(hosts) - used, "192.0.2.1 one.test\n");
	put_file("hosts", hosts);
	got = ask(&resolver, "many.test");
	assert_int_equal(got.error, 0);
	assert_int_equal(got.n_addrs, RESOLVER_ADDRS_MAX);
	/* A change of the file is seen at once. */
	put_file("hosts", "192.0.2.99 many.test\n192.0.2.1 one.test\n");
	got = ask(&resolver, "many.test");
	assert_int_equal(got.n_addrs, 1);
	assert_true(has(&got, "192.0.2.99:51820"));
	resolver_stop(&resolver);
}

static void test_bad_questions(void **state)
{
	struct resolver resolver;
	char name[HOST_NAME_LEN + 2];
	struct resolver_answer got;

	(void)state;
	setup(&resolver);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(resolver_ask(&resolver, 1, name, 1, 0), -EINVAL);
	assert_int_equal(resolver_ask(&resolver, 1, "", 1, 0), -EINVAL);
	name[HOST_NAME_LEN] = '\0';
	got = ask(&resolver, name);
	assert_int_not_equal(got.error, 0);
	resolver_stop(&resolver);
}

static void test_name_server(void **state)
{
	struct resolver resolver;
	struct resolver_answer got;
	int server;

	(void)state;
	setup(&resolver);
	/* Nobody there: the loopback is down, then the port is closed. */
	put_file("nsswitch.conf", "hosts: dns\n");
	got = ask(&resolver, "name.test");
	assert_int_equal(got.error, EAI_AGAIN);
	assert_string_equal(resolver_error_text(got.error), "no name server answered");
	server = make_server();

	/* "No such name", and "I failed": the server is asked for A and for AAAA. */
	assert_int_equal(resolver_ask(&resolver, 5, "name.test", 1, 0), 0);
	refuse_one(server, 3);
	refuse_one(server, 3);
	got = answer(&resolver);
	assert_int_equal(got.error, EAI_NONAME);
	assert_int_equal(resolver_ask(&resolver, 6, "name.test", 1, 0), 0);
	refuse_one(server, 0);
	refuse_one(server, 0);
	got = answer(&resolver);
	assert_int_equal(got.error, EAI_NODATA);
	close(server);
	resolver_stop(&resolver);
}

/* A server that says nothing: asking again is refused until the keeper gives up by itself. */
static void test_stall(void **state)
{
	struct resolver resolver;
	struct resolver_answer got;
	int server;

	(void)state;
	setup(&resolver);
	server = make_server();
	resolver_stop(&resolver);
	resolver.limit = 300 * NSEC_PER_MSEC;
	assert_int_equal(resolver_start(&resolver), 0);
	assert_int_equal(resolver_ask(&resolver, 7, "name.test", 1, 0), 0);
	await(server);
	assert_int_equal(resolver_ask(&resolver, 8, "other.test", 1, NSEC_PER_SEC), RESOLVER_BUSY);
	assert_int_equal(resolver_read(&resolver, &got), RESOLVER_NOTHING);
	got = answer(&resolver);
	assert_int_equal(got.id, 7);
	assert_int_equal(got.error, RESOLVER_STALLED);

	/* The same keeper goes on. */
	put_file("nsswitch.conf", "hosts: files\n");
	got = ask(&resolver, "one.test");
	assert_int_equal(got.error, 0);
	close(server);
	resolver_stop(&resolver);
}

/* A keeper that does nothing at all is replaced, and what it was asked is forgotten. */
static void test_stopped_keeper(void **state)
{
	struct resolver resolver;
	struct resolver_answer got;
	nsec_t late = RESOLVER_LIMIT + 5 * NSEC_PER_SEC;
	pid_t keeper;

	(void)state;
	setup(&resolver);
	keeper = resolver.keeper;
	assert_int_equal(kill(keeper, SIGSTOP), 0);
	assert_int_equal(resolver_ask(&resolver, 1, "one.test", 1, 0), 0);
	assert_int_equal(resolver_ask(&resolver, 2, "one.test", 1, late - 1), RESOLVER_BUSY);
	assert_int_equal(resolver_ask(&resolver, 3, "two.test", 1, late), RESOLVER_NEW_FD);
	assert_int_not_equal(resolver.keeper, keeper);
	assert_int_equal(kill(keeper, 0), -1); /* killed and reaped */
	got = answer(&resolver);
	assert_int_equal(got.id, 3);
	resolver_stop(&resolver);
}

static void test_killed_keeper(void **state)
{
	struct resolver resolver;
	struct resolver_answer got;

	(void)state;
	setup(&resolver);

	/* While a question is open. */
	assert_int_equal(kill(resolver.keeper, SIGSTOP), 0);
	assert_int_equal(resolver_ask(&resolver, 1, "one.test", 1, 0), 0);
	assert_int_equal(kill(resolver.keeper, SIGKILL), 0);
	await(resolver_fd(&resolver));
	assert_int_equal(resolver_read(&resolver, &got), RESOLVER_GONE);
	assert_int_equal(resolver_fd(&resolver), -1);
	assert_int_equal(resolver_read(&resolver, &got), RESOLVER_GONE);
	assert_int_equal(resolver_ask(&resolver, 2, "one.test", 1, 0), RESOLVER_NEW_FD);
	got = answer(&resolver);
	assert_int_equal(got.id, 2);
	assert_int_equal(got.error, 0);

	/* Unnoticed, and reaped by somebody else. */
	assert_int_equal(kill(resolver.keeper, SIGKILL), 0);
	assert_int_equal(waitpid(resolver.keeper, NULL, 0), resolver.keeper);
	assert_int_equal(resolver_ask(&resolver, 3, "one.test", 1, 0), RESOLVER_NEW_FD);
	got = answer(&resolver);
	assert_int_equal(got.id, 3);
	resolver_stop(&resolver);
}

/* The keeper holds no descriptor of ours, and signals to the group leave it alone. */
static void test_keeper_is_apart(void **state)
{
	struct resolver resolver;
	struct resolver_answer got;
	char path[64];
	char target[64];
	int extra[2];

	(void)state;
	assert_int_equal(pipe(extra), 0); /* no close-on-exec: only the child's own care helps */
	setup(&resolver);
	assert_int_equal(kill(resolver.keeper, SIGTERM), 0);
	assert_int_equal(kill(resolver.keeper, SIGINT), 0);
	assert_int_equal(kill(resolver.keeper, SIGHUP), 0);
	got = ask(&resolver, "one.test");
	assert_int_equal(got.error, 0);
	for (int fd = 0; fd < 64; fd++) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)resolver.keeper, fd);
		len = readlink(path, target, sizeof(target) - 1);
		target[len < 0 ? 0 : len] = '\0';
		if (fd < 3)
			assert_string_equal(target, "/dev/null");
		else if (fd == 3)
			assert_memory_equal(target, "socket:", 7);
		else
			assert_int_equal(len, -1);
	}
	/* The other end closed means that the parent is gone. */
	close(resolver.fd);
	resolver.fd = -1;
	assert_int_equal(waitpid(resolver.keeper, NULL, 0), resolver.keeper);
	resolver.keeper = -1;
	resolver_stop(&resolver);
	close(extra[0]);
	close(extra[1]);
}

/* Stopping does not wait for a lookup, and leaves no process behind. */
static void test_stop_while_busy(void **state)
{
	struct resolver resolver;
	pid_t keeper;
	nsec_t start;
	int server;

	(void)state;
	setup(&resolver);
	server = make_server();
	assert_int_equal(resolver_ask(&resolver, 1, "name.test", 1, 0), 0);
	await(server);
	keeper = resolver.keeper;
	start = nsec_boottime();
	resolver_stop(&resolver);
	assert_true(nsec_boottime() - start < 2 * NSEC_PER_SEC);
	assert_int_equal(kill(keeper, 0), -1);
	close(server);
}

static void test_error_texts(void **state)
{
	static const int errors[] = { EAI_NONAME, EAI_NODATA, EAI_AGAIN,       EAI_FAIL,
				      EAI_SYSTEM, EAI_MEMORY, RESOLVER_STALLED };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		assert_string_not_equal(resolver_error_text(errors[i]),
					resolver_error_text(-12345));
	assert_string_equal(resolver_error_text(-12345), "the name could not be looked up");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),           cmocka_unit_test(test_nonexistent),
		cmocka_unit_test(test_many_addresses),  cmocka_unit_test(test_bad_questions),
		cmocka_unit_test(test_name_server),     cmocka_unit_test(test_stall),
		cmocka_unit_test(test_stopped_keeper),  cmocka_unit_test(test_killed_keeper),
		cmocka_unit_test(test_keeper_is_apart), cmocka_unit_test(test_stop_while_busy),
		cmocka_unit_test(test_error_texts),
	};

	return cmocka_run_group_tests(tests, setup_files, remove_files);
}
