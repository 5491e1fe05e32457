/* Whether somebody answers; see echo.h. */
#include "daemon/cli/echo.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOKEN_LEN 16

/* ICMP and ICMPv6 have the same form for this. */
struct request {
	uint8_t type;
	uint8_t code;
	uint16_t checksum;
	uint16_t id;
	uint16_t sequence;
	uint8_t token[TOKEN_LEN]; /* tells our answer from everybody else's */
};

/* RFC 1071; the kernel makes it for IPv6. */
static uint16_t checksum(const struct request *request)
{
	uint16_t words[sizeof(*request) / 2];
	uint32_t sum = 0;

	memcpy(words, request, sizeof(words));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		sum += words[i];
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return (uint16_t)~sum;
}

/* Mark, device, and that what is told by others on the way becomes an error of the socket. */
static int set_up(int fd, const union netaddr *to, const char *device, uint32_t mark)
{
	bool is_ipv4 = to->sa.sa_family == AF_INET;
	int on = 1;

	if (mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0)
		return -errno;
	if (device &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) < 0)
		return -errno;
	if (setsockopt(fd, is_ipv4 ? IPPROTO_IP : IPPROTO_IPV6, is_ipv4 ? IP_RECVERR : IPV6_RECVERR,
		       &on, sizeof(on)) < 0)
		return -errno;
	return connect(fd, &to->sa, netaddr_len(to)) < 0 ? -errno : 0;
}

/* Waits. \return 0: something is to be read; or a negated errno value */
static int wait_readable(int fd, nsec_t until)
{
	nsec_t now = nsec_boottime();
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	int error = 0;
	socklen_t len = sizeof(error);
	int r;

	if (now >= until)
		return -ETIMEDOUT;
	r = poll(&pollfd, 1, (int)((until - now) / NSEC_PER_MSEC) + 1);
	if (r <= 0)
		return r < 0 && errno != EINTR ? -errno : -ETIMEDOUT;
	if ((pollfd.revents & POLLERR) && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
	    error)
		return -error;
	return 0;
}

/* Whether a packet is the answer; a raw IPv4 socket has the IP header in front. */
static bool is_answer(const uint8_t *packet, size_t len, int family, const struct request *request)
{
	size_t header = len > 0 && family == AF_INET && packet[0] >> 4 == 4
				? (size_t)(packet[0] & 15) * 4
				: 0;
	struct request answer;

	if (len < header + sizeof(answer))
		return false;
	memcpy(&answer, packet + header, sizeof(answer));
	return answer.type == (family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) &&
	       memcmp(answer.token, request->token, TOKEN_LEN) == 0;
}

static int await_answer(int fd, int family, const struct request *request, nsec_t until)
{
	uint8_t packet[512];
	int r;

	for (;;) {
		ssize_t n;

		r = wait_readable(fd, until);
		if (r < 0)
			return r;
		n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);
		if (n >= 0 && is_answer(packet, (size_t)n, family, request))
			return 0;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
	}
}

static int open_socket(int family)
{
	int protocol = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol);
	return fd < 0 ? -errno : fd;
}

int echo_ask(const union netaddr *to, const char *device, uint32_t mark, nsec_t limit, nsec_t *ret)
{
	int family = to->sa.sa_family;
	struct request request = { .type = family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST };
	union netaddr there = *to;
	nsec_t start = nsec_boottime();
	int fd = open_socket(family), r;

	if (fd < 0)
		return fd;
	/* A raw socket takes the port for a protocol. */
	if (family == AF_INET)
		there.in4.sin_port = 0;
	else
		there.in6.sin6_port = 0;
	if (getrandom(request.token, TOKEN_LEN, GRND_NONBLOCK) != TOKEN_LEN)
		memcpy(request.token, &start, sizeof(start));
	if (family == AF_INET)
		request.checksum = checksum(&request);
	r = set_up(fd, &there, device, mark);
	if (r == 0 && send(fd, &request, sizeof(request), MSG_NOSIGNAL) < 0)
		r = -errno;
	if (r == 0)
		r = await_answer(fd, family, &request, start + limit);
	close(fd);
	*ret = nsec_boottime() - start;
	return r;
}

int echo_knock(const union netaddr *to, uint32_t mark, nsec_t limit)
{
	nsec_t until = nsec_boottime() + limit;
	int fd = socket(to->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	r = set_up(fd, to, NULL, mark);
	if (r == 0 && send(fd, "", 0, MSG_NOSIGNAL) < 0)
		r = -errno;
	/* What answers by a datagram is no WireGuard, but somebody is there. */
	if (r == 0)
		r = wait_readable(fd, until);
	close(fd);
	return r < 0 ? r : -ETIMEDOUT;
}
