/*
 * Tests of daemon/data/udp_control.c: messages as a kernel makes them, cut off, contradictory, and
 * about what nobody asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h> /* errqueue.h does not include it itself */

#include <linux/errqueue.h>

#include "common/defs.h"
#include "daemon/data/udp_control.h"

#define LEN 1000

/* Control messages that are put behind each other, and what is read of them. */
struct message {
	struct msghdr header;
	size_t control_len;
	uint8_t control[512];
};

static struct udp_datagram datagram;
static struct udp_error error;

static void begin(struct message *message)
{
	memset(message, 0, sizeof(*message));
	memset(&datagram, 0xee, sizeof(datagram));
	memset(&error, 0xee, sizeof(error));
	message->header.msg_name = &datagram.path.remote;
}

static void set_sender(struct message *message, const char *text)
{
	union netaddr *remote = message->header.msg_name;

	memset(remote, 0, sizeof(*remote));
	if (inet_pton(AF_INET, text, &remote->in4.sin_addr) == 1) {
		remote->sa.sa_family = AF_INET;
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &remote->in6.sin6_addr), 1);
		remote->sa.sa_family = AF_INET6;
	}
	message->header.msg_namelen = netaddr_len(remote);
}

/* Adds a message that says to be `lie` bytes longer than it is. */
static void add(struct message *message, int level, int type, const void *data, size_t len, int lie)
{
	struct cmsghdr cmsg = { .cmsg_level = level,
				.cmsg_type = type,
				.cmsg_len = CMSG_LEN(len) + (size_t)lie };

	assert_true(message->control_len + CMSG_SPACE(len) <= sizeof(message->control));
	memcpy(message->control + message->control_len, &cmsg, sizeof(cmsg));
	memcpy(message->control + message->control_len + CMSG_LEN(0), data, len);
	message->control_len += CMSG_SPACE(len);
}

static void add_int(struct message *message, int level, int type, int value)
{
	add(message, level, type, &value, sizeof(value), 0);
}

static void add_source6(struct message *message, const char *text)
{
	struct in6_pktinfo info = { .ipi6_ifindex = 7 };

	assert_int_equal(inet_pton(AF_INET6, text, &info.ipi6_addr), 1);
	add(message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info), 0);
}

/* In memory of its own size, so that valgrind and sanitizers see what is read beyond it. */
static void *copy_of(const struct message *message, size_t len)
{
	void *copy = malloc(MAX(len, 1));

	assert_non_null(copy);
	memcpy(copy, message->control, len);
	return copy;
}

/* Reads it with as much of the control messages as `len` says. */
static void read_cut(struct message *message, size_t len)
{
	message->header.msg_control = copy_of(message, len);
	message->header.msg_controllen = len;
	udp_control_read(&message->header, LEN, &datagram);
	free(message->header.msg_control);
	assert_int_equal(datagram.len, LEN);
}

static void read_all(struct message *message)
{
	read_cut(message, message->control_len);
}

static bool read_error(struct message *message, size_t len)
{
	bool is_error;

	message->header.msg_control = copy_of(message, len);
	message->header.msg_controllen = len;
	is_error = udp_control_read_error(&message->header, &error);
	free(message->header.msg_control);
	return is_error;
}

static void test_nothing(void **state)
{
	struct message message;

	(void)state;
	begin(&message);
	set_sender(&message, "192.0.2.1");
	udp_control_read(&message.header, 0, &datagram);
	assert_int_equal(datagram.len, 0);
	assert_int_equal(datagram.segment_len, 1);
	assert_int_equal(datagram.tos, 0);
	assert_false(datagram.path.has_source);
	assert_int_equal(datagram.path.source_if, 0);
	read_all(&message);
	assert_int_equal(datagram.segment_len, LEN);
}

static void test_ipv4(void **state)
{
	struct in_pktinfo info = { .ipi_ifindex = 7, .ipi_spec_dst.s_addr = htonl(0xc0000202) };
	struct message message;

	(void)state;
	begin(&message);
	set_sender(&message, "192.0.2.1");
	add(&message, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info), 0);
	add(&message, IPPROTO_IP, IP_TOS, "\xb9", 1, 0);
	add_int(&message, IPPROTO_UDP, UDP_GRO, 300);
	read_all(&message);
	assert_true(datagram.path.has_source);
	assert_int_equal(datagram.path.source.in4.s_addr, htonl(0xc0000202));
	assert_int_equal(datagram.path.source_if, 0);
	assert_int_equal(datagram.tos, 0xb9);
	assert_int_equal(datagram.segment_len, 300);
}

static void test_ipv6(void **state)
{
	static const struct {
		const char *source;
		bool has_source;
		unsigned int source_if;
	} cases[] = { { "fd00::2", true, 0 }, { "fe80::2", true, 7 }, { "ff02::2", false, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct message message;

		begin(&message);
		set_sender(&message, "fd00::1");
		add_source6(&message, cases[i].source);
		add_int(&message, IPPROTO_IPV6, IPV6_TCLASS, 0xb9);
		read_all(&message);
		assert_int_equal(datagram.path.has_source, cases[i].has_source);
		assert_int_equal(datagram.path.source_if, cases[i].source_if);
		assert_int_equal(datagram.tos, 0xb9);
		assert_int_equal(datagram.segment_len, LEN);
	}
}

/* Sizes that a run cannot have: then it is taken for one datagram. */
static void test_segment_len(void **state)
{
	static const struct {
		int said;
		size_t segment_len;
	} cases[] = {
		{ 0, LEN },           { -1, LEN },  { INT32_MIN, LEN }, { 1, 1 },
		{ LEN - 1, LEN - 1 }, { LEN, LEN }, { LEN + 1, LEN },   { INT32_MAX, LEN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct message message;

		begin(&message);
		add_int(&message, IPPROTO_UDP, UDP_GRO, cases[i].said);
		read_all(&message);
		assert_int_equal(datagram.segment_len, cases[i].segment_len);
	}
}

/* Wherever the messages are cut off, what is whole before is read and nothing else. */
static void test_cut(void **state)
{
	struct message message;

	(void)state;
	for (size_t len = 0; len <= 2 * CMSG_SPACE(sizeof(int)); len++) {
		begin(&message);
		set_sender(&message, "fd00::1");
		message.header.msg_flags = MSG_CTRUNC;
		add_int(&message, IPPROTO_IPV6, IPV6_TCLASS, 3);
		add_int(&message, IPPROTO_UDP, UDP_GRO, 300);
		read_cut(&message, len);
		assert_int_equal(datagram.tos, len >= CMSG_LEN(sizeof(int)) ? 3 : 0);
		assert_int_equal(datagram.segment_len,
				 len >= CMSG_SPACE(sizeof(int)) + CMSG_LEN(sizeof(int)) ? 300
											: LEN);
	}
}

/* A message that is too short for its kind, as the kernel leaves the last one when room ends. */
static void test_short(void **state)
{
	static const struct {
		int level, type;
		size_t len_min;
	} kinds[] = {
		{ IPPROTO_UDP, UDP_GRO, sizeof(int) },
		{ IPPROTO_IP, IP_TOS, 1 },
		{ IPPROTO_IP, IP_PKTINFO, sizeof(struct in_pktinfo) },
		{ IPPROTO_IPV6, IPV6_TCLASS, sizeof(int) },
		{ IPPROTO_IPV6, IPV6_PKTINFO, sizeof(struct in6_pktinfo) },
	};
	static const uint8_t data[64] = { 1, 1, 1, 1, 1, 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (size_t len = 0; len < kinds[i].len_min; len++) {
			struct message message;

			begin(&message);
			set_sender(&message,
				   kinds[i].level == IPPROTO_IP ? "192.0.2.1" : "fd00::1");
			add(&message, kinds[i].level, kinds[i].type, data, len, 0);
			read_all(&message);
			assert_int_equal(datagram.segment_len, LEN);
			assert_int_equal(datagram.tos, 0);
			assert_false(datagram.path.has_source);
		}
	}
}

/* A length that cannot be ends the reading: where the next one begins is not known. */
static void test_lies(void **state)
{
	static const int lies[] = { -21, -20, -19, -5, 30, 100, INT32_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct message message;
		int value = 3;

		begin(&message);
		set_sender(&message, "fd00::1");
		add_int(&message, IPPROTO_IPV6, IPV6_TCLASS, 9);
		add(&message, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof(value), lies[i]);
		add_int(&message, IPPROTO_UDP, UDP_GRO, 300);
		read_all(&message);
		assert_int_equal(datagram.tos, 9);
		assert_int_equal(datagram.segment_len, LEN);
	}
}

static void test_unknown(void **state)
{
	struct timeval now = { 1, 1 };
	struct message message;

	(void)state;
	begin(&message);
	set_sender(&message, "fd00::1");
	add(&message, SOL_SOCKET, SO_TIMESTAMP, &now, sizeof(now), 0);
	add_int(&message, IPPROTO_TCP, UDP_GRO, 100);
	add_int(&message, IPPROTO_UDP, UDP_GRO, 300);
	add_int(&message, -1, -1, 1);
	read_all(&message);
	assert_int_equal(datagram.segment_len, 300);
	assert_int_equal(datagram.tos, 0);
}

/* A source of the other family would be read as one of this. */
static void test_mixed_families(void **state)
{
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(0xc0000202) };
	struct message message;

	(void)state;
	begin(&message);
	set_sender(&message, "192.0.2.1");
	add_source6(&message, "fe80::2");
	read_all(&message);
	assert_false(datagram.path.has_source);
	assert_int_equal(datagram.path.source_if, 0);
	begin(&message);
	set_sender(&message, "fd00::1");
	add(&message, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info), 0);
	read_all(&message);
	assert_false(datagram.path.has_source);
}

static void test_name(void **state)
{
	struct message message;

	(void)state;
	for (socklen_t len = 0; len <= sizeof(struct sockaddr_in6); len++) {
		begin(&message);
		set_sender(&message, "fd00::1");
		message.header.msg_namelen = len;
		add_source6(&message, "fd00::2");
		read_all(&message);
		assert_int_equal(datagram.path.remote.sa.sa_family,
				 len < sizeof(struct sockaddr_in6) ? AF_UNSPEC : AF_INET6);
		assert_int_equal(datagram.path.has_source, len == sizeof(struct sockaddr_in6));
	}
	begin(&message);
	set_sender(&message, "192.0.2.1");
	datagram.path.remote.sa.sa_family = AF_UNIX;
	read_all(&message);
	assert_int_equal(datagram.path.remote.sa.sa_family, AF_UNSPEC);
}

static void begin_error(struct message *message, const char *remote, uint32_t number)
{
	bool v6 = strchr(remote, ':') != NULL;
	struct {
		struct sock_extended_err extended;
		union netaddr offender;
	} told = { .extended = { .ee_errno = number, .ee_origin = SO_EE_ORIGIN_ICMP } };

	begin(message);
	message->header.msg_name = &error.remote;
	set_sender(message, remote);
	add(message, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &told,
	    sizeof(told), 0);
}

static void test_errors(void **state)
{
	static const struct {
		uint32_t number;
		bool is_error;
	} cases[] = { { ECONNREFUSED, true }, { 1, true },     { 4095, true },
		      { 0, false },           { 4096, false }, { UINT32_MAX, false } };

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		bool v6 = i % 2;
		struct message message;

		begin_error(&message, v6 ? "fd00::1" : "192.0.2.1", cases[i / 2].number);
		assert_int_equal(read_error(&message, message.control_len), cases[i / 2].is_error);
		if (!cases[i / 2].is_error)
			continue;
		assert_int_equal(error.error, cases[i / 2].number);
		assert_int_equal(error.remote.sa.sa_family, v6 ? AF_INET6 : AF_INET);
	}
}

static void test_error_cut(void **state)
{
	size_t whole = CMSG_LEN(sizeof(struct sock_extended_err));
	struct message message;

	(void)state;
	/* Without the offender, of whom nothing is read. */
	begin(&message);
	message.header.msg_name = &error.remote;
	set_sender(&message, "192.0.2.1");
	add(&message, IPPROTO_IP, IP_RECVERR,
	    &(struct sock_extended_err) { .ee_errno = ECONNREFUSED },
	    sizeof(struct sock_extended_err), 0);
	for (size_t len = 0; len <= whole; len++)
		assert_int_equal(read_error(&message, len), len == whole);
	/* Where it went is not known. */
	message.header.msg_namelen = 0;
	assert_true(read_error(&message, whole));
	assert_int_equal(error.remote.sa.sa_family, AF_UNSPEC);
	/* Something else is in the queue. */
	begin(&message);
	message.header.msg_name = &error.remote;
	add_int(&message, IPPROTO_IP, IP_TTL, 64);
	assert_false(read_error(&message, message.control_len));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_segment_len),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_mixed_families),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_error_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
