/*
 * An endpoint on a desk. The resolver is the real one, but the far end of its socket pair is held
 * by the test instead of a keeper: questions are read and answered here, and the clock is a
 * number. A real keeper is forked only where one must be replaced; it is to be asked for numeric
 * addresses, which need no name server.
 */
#ifndef TESTS_ENDPOINT_DESK_H
#define TESTS_ENDPOINT_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/core/endpoint.h"
#include "daemon/host/resolver_child.h"

#define SEC   NSEC_PER_SEC
#define BEGIN (1000 * SEC)

static struct resolver resolver;
static int keeper_fd; /* the keeper's end */
static struct endpoint_spec specs[CONF_ENDPOINTS_MAX];
static struct conf_link conf;
static struct endpoint endpoint;
static struct report report;
static int saved_stderr, captured_fd;

static inline int set_up(void **state)
{
	int fds[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	resolver = (struct resolver)RESOLVER_NULL;
	resolver.fd = fds[0];
	keeper_fd = fds[1];
	memset(&report, 0, sizeof(report));
	captured_fd = memfd_create("log", MFD_CLOEXEC);
	saved_stderr = dup(STDERR_FILENO);
	if (captured_fd < 0 || saved_stderr < 0 || dup2(captured_fd, STDERR_FILENO) < 0)
		return -1;
	log_init(NULL, LOG_LEVEL_INFO);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	resolver_stop(&resolver);
	if (keeper_fd >= 0)
		close(keeper_fd);
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(captured_fd);
	return 0;
}

/* How many lines were said, all with `what` in them. */
static inline unsigned int n_said(const char *what)
{
	static char text[100000];
	ssize_t len = pread(captured_fd, text, sizeof(text) - 1, 0);
	unsigned int n = 0;

	assert_true(len >= 0);
	text[len] = '\0';
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		assert_non_null(strstr(line, what));
		n++;
	}
	return n;
}

static inline union netaddr addr_of(const char *text)
{
	struct endpoint_spec spec;
	const char *reason = "";

	if (!endpoint_spec_parse(text, &spec, &reason))
		fail_msg("%s: %s", text, reason);
	return spec.literal;
}

/* Begins with the entries of this list, up to NULL. */
static inline void begin(const char *const *entries)
{
	const char *reason = "";

	memset(&conf, 0, sizeof(conf));
	conf.endpoints = specs;
	for (; entries[conf.n_endpoints]; conf.n_endpoints++) {
		assert_true(conf.n_endpoints < ARRAY_SIZE(specs));
		if (!endpoint_spec_parse(entries[conf.n_endpoints], &specs[conf.n_endpoints],
					 &reason))
			fail_msg("%s: %s", entries[conf.n_endpoints], reason);
	}
	memset(&endpoint, 0xaa, sizeof(endpoint));
	endpoint_init(&endpoint, &conf, &resolver, BEGIN);
}

#define BEGIN_WITH(...) begin((const char *const[]) { __VA_ARGS__, NULL })

/* What the keeper was asked, if it was; at most one question can be waiting. */
static inline bool asked(struct resolver_question *ret)
{
	ssize_t len = recv(keeper_fd, ret, sizeof(*ret), MSG_DONTWAIT);

	if (len < 0)
		return false;
	assert_int_equal(len, sizeof(*ret));
	return true;
}

/* Ticks and says which entry was asked for, or -1. */
static inline int tick(nsec_t now)
{
	struct resolver_question question;

	endpoint_tick(&endpoint, now);
	if (!asked(&question))
		return -1;
	assert_true(question.id < conf.n_endpoints);
	assert_string_equal(question.host, specs[question.id].host);
	assert_int_equal(question.port, specs[question.id].port);
	return (int)question.id;
}

static inline int read_answer(const struct resolver_reply *reply, struct resolver_answer *answer)
{
	assert_int_equal(send(keeper_fd, reply, sizeof(*reply), 0), sizeof(*reply));
	return resolver_read(&resolver, answer);
}

/* The keeper's answer for an entry: an error, or addresses up to NULL. */
static inline void answer(uint64_t id, int error, const char *const *addrs, nsec_t now)
{
	struct resolver_reply reply;
	struct resolver_answer found;

	memset(&reply, 0, sizeof(reply));
	reply.id = id;
	reply.error = error;
	for (; addrs && addrs[reply.n_addrs]; reply.n_addrs++)
		reply.addrs[reply.n_addrs] = addr_of(addrs[reply.n_addrs]);
	assert_int_equal(read_answer(&reply, &found), 0);
	endpoint_answer(&endpoint, &found, &report, now);
}

#define ANSWER(id, now, ...) answer(id, 0, (const char *const[]) { __VA_ARGS__, NULL }, now)

/* The candidate after `current`, as text; "(none)" stands for no address at all. */
static inline const char *next_of(const char *current)
{
	static char text[NETADDR_TEXT_MAX];
	union netaddr from, to;

	memset(&from, 0, sizeof(from));
	if (current)
		from = addr_of(current);
	memset(&to, 0xaa, sizeof(to));
	if (!endpoint_next(&endpoint, &from, &to))
		return "(none)";
	return netaddr_format(&to, text);
}

/* Follows the circle along this list, up to NULL; its first follows its last. */
static inline void walk(const char *const *circle)
{
	size_t n = 0;

	while (circle[n])
		n++;
	for (size_t i = 0; i < 2 * n; i++)
		assert_string_equal(next_of(circle[i % n]), circle[(i + 1) % n]);
}

#define WALK(...) walk((const char *const[]) { __VA_ARGS__, NULL })

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
