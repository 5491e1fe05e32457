/*
 * Fuzz target: what recvmsg(2) says beside a datagram, or beside an entry of the error queue.
 *
 * Input: one byte of flags (enum flag), the length of the datagram (two bytes, the greater first),
 * the length that the kernel claims for the sender's name, the length of the name that follows (one
 * byte each), the name, and control messages. These come as raw memory, or (MADE) as records:
 * kind of message, what is added to its cmsg_len, bytes of data, the data.
 *
 * Whatever comes, the answer is within its bounds, depends on nothing but the message, and of
 * messages without a lie every one that counts is read.
 */
#include <netinet/udp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h> /* errqueue.h does not include it itself */

#include <linux/errqueue.h>

#include "daemon/data/udp_control.h"

#define NAME_HEADER 5
#define CONTROL_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum flag {
	ERROR_QUEUE = 1,
	MADE = 2,
	TRUNCATED = 4,
	CONTROL_TRUNCATED = 8,
};

/* Kinds of records. The last stands for all that nobody asked for. */
static const struct kind {
	int level, type;
} kinds[] = {
	{ IPPROTO_UDP, UDP_GRO },       { IPPROTO_IP, IP_PKTINFO },    { IPPROTO_IP, IP_TOS },
	{ IPPROTO_IPV6, IPV6_PKTINFO }, { IPPROTO_IPV6, IPV6_TCLASS }, { IPPROTO_IP, IP_RECVERR },
	{ IPPROTO_IPV6, IPV6_RECVERR }, { SOL_SOCKET, SO_TIMESTAMP },
};

/* One message, and what must be found in it where `is_honest`. */
struct input {
	struct msghdr header;
	size_t len;
	uint8_t name[sizeof(union netaddr)];
	uint8_t control[CONTROL_MAX];
	bool is_honest;
	size_t segment_len;
	int error;
};

static struct input input;

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Notes what a well-formed record says. */
static void expect(const struct kind *kind, const uint8_t *data, size_t len)
{
	struct sock_extended_err extended;
	int value;

	if (kind->type == UDP_GRO && kind->level == IPPROTO_UDP && len >= sizeof(value)) {
		memcpy(&value, data, sizeof(value));
		if (value > 0 && (size_t)value <= input.len)
			input.segment_len = (size_t)value;
	}
	if ((kind->type == IP_RECVERR && kind->level == IPPROTO_IP) ||
	    (kind->type == IPV6_RECVERR && kind->level == IPPROTO_IPV6)) {
		if (len < sizeof(extended))
			return;
		memcpy(&extended, data, sizeof(extended));
		if (extended.ee_errno < 4096)
			input.error = (int)extended.ee_errno;
	}
}

/* Makes control messages of records. Returns the bytes that they take. */
static size_t make_control(const uint8_t *data, size_t size)
{
	size_t at = 0;

	input.is_honest = true;
	while (size >= 3) {
		const struct kind *kind = &kinds[data[0] % ARRAY_SIZE(kinds)];
		int lie = (int8_t)data[1];
		size_t len = MIN(data[2], size - 3);
		struct cmsghdr cmsg = { .cmsg_level = kind->level, .cmsg_type = kind->type };

		if (at + CMSG_SPACE(len) > CONTROL_MAX)
			break;
		cmsg.cmsg_len = CMSG_LEN(len) + (size_t)lie;
		memset(input.control + at, 0, CMSG_SPACE(len));
		memcpy(input.control + at, &cmsg, sizeof(cmsg));
		memcpy(input.control + at + CMSG_LEN(0), data + 3, len);
		at += CMSG_SPACE(len);
		if (lie)
			input.is_honest = false;
		else
			expect(kind, data + 3, len);
		data += 3 + len;
		size -= 3 + len;
	}
	return at;
}

static void take_control(unsigned int flags, const uint8_t *data, size_t size)
{
	if (flags & MADE) {
		size = make_control(data, size);
	} else {
		size = MIN(size, CONTROL_MAX);
		memcpy(input.control, data, size);
	}
	input.header.msg_controllen = size;
	/* Exactly as large as its content, so that a sanitizer sees an overrun. */
	input.header.msg_control = malloc(MAX(size, 1));
	if (input.header.msg_control)
		memcpy(input.header.msg_control, input.control, size);
}

static bool take(const uint8_t *data, size_t size)
{
	unsigned int flags;
	size_t name_len;

	if (size < NAME_HEADER)
		return false;
	memset(&input, 0, sizeof(input));
	flags = data[0];
	input.len = (size_t)data[1] << 8 | data[2];
	input.segment_len = MAX(input.len, 1);
	input.header.msg_namelen = data[3];
	input.header.msg_flags =
		(flags & TRUNCATED ? MSG_TRUNC : 0) | (flags & CONTROL_TRUNCATED ? MSG_CTRUNC : 0);
	name_len = MIN(data[4], size - NAME_HEADER);
	memcpy(input.name, data + NAME_HEADER, MIN(name_len, sizeof(input.name)));
	take_control(flags, data + NAME_HEADER + name_len, size - NAME_HEADER - name_len);
	return input.header.msg_control != NULL;
}

static void check_name(const union netaddr *remote)
{
	sa_family_t family = remote->sa.sa_family;

	check(family == AF_UNSPEC || family == AF_INET || family == AF_INET6);
	check(netaddr_len(remote) <= input.header.msg_namelen);
	check(family == AF_UNSPEC || memcmp(remote, input.name, netaddr_len(remote)) == 0);
}

/* Whatever was in the place before. */
static struct udp_datagram read_over(uint8_t rubbish)
{
	struct udp_datagram ret;

	memset(&ret, rubbish, sizeof(ret));
	ret.data = input.control;
	memcpy(&ret.path.remote, input.name, sizeof(input.name));
	input.header.msg_name = &ret.path.remote;
	udp_control_read(&input.header, input.len, &ret);
	return ret;
}

static void check_datagram(void)
{
	struct udp_datagram one = read_over(0), two = read_over(0xff);
	const struct udp_path *path = &one.path;

	check(one.data == input.control && one.len == input.len);
	check(one.segment_len >= 1 && one.segment_len <= MAX(one.len, 1));
	check(!input.is_honest || one.segment_len == input.segment_len);
	check_name(&path->remote);
	check(!path->has_source || path->remote.sa.sa_family != AF_UNSPEC);
	if (path->has_source && path->remote.sa.sa_family == AF_INET6) {
		check(!IN6_IS_ADDR_MULTICAST(&path->source.in6));
		check(path->source_if == 0 || IN6_IS_ADDR_LINKLOCAL(&path->source.in6));
	} else if (path->remote.sa.sa_family != AF_INET6) {
		check(path->source_if == 0);
	}
	if (input.header.msg_controllen < CMSG_LEN(1))
		check(!path->has_source && one.tos == 0);
	check(one.tos == two.tos && one.segment_len == two.segment_len);
	check(one.path.remote.sa.sa_family == two.path.remote.sa.sa_family);
	check(path->remote.sa.sa_family == AF_UNSPEC || udp_path_equal(path, &two.path));
}

static bool read_error_over(uint8_t rubbish, struct udp_error *ret)
{
	memset(ret, rubbish, sizeof(*ret));
	memcpy(&ret->remote, input.name, sizeof(input.name));
	input.header.msg_name = &ret->remote;
	return udp_control_read_error(&input.header, ret);
}

static void check_error(void)
{
	struct udp_error one, two;
	bool is_error = read_error_over(0, &one);

	check(read_error_over(0xff, &two) == is_error);
	check(!input.is_honest || is_error == (input.error != 0));
	if (!is_error)
		return;
	check(one.error >= 1 && one.error < 4096 && one.error == two.error);
	check(!input.is_honest || one.error == input.error);
	check_name(&one.remote);
	check(one.remote.sa.sa_family == two.remote.sa.sa_family);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (take(data, size)) {
		if (data[0] & ERROR_QUEUE)
			check_error();
		else
			check_datagram();
		free(input.header.msg_control);
	}
	return 0;
}
