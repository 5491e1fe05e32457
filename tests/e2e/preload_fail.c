/*
 * Makes system calls of a program fail the way that other kernels, cards and moments make them
 * fail; see preload.h. $PRELOAD_FAIL has names of the table below, with commas between them. The
 * counter of a failure is how often it was caused, in the order of the table.
 *
 * What vpnd tries by itself before it begins (daemon/data/probe.h) is not made to fail, but for
 * what comes when descriptors are opened: the trouble begins with the data. So runs to loopback
 * pass, and superpackets until the interface has taken a packet.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define PRELOAD_WITH_CHILDREN
#include "preload.h"

/* The calls of sendmmsg() from one that fails now and then to the next, and how many fail there. */
#define EVERY   8
#define AT_ONCE 3
/* Offload header of the interface: flags, kind of superpacket, … */
#define VNET_HEADER_MIN 10
/* Newer than Debian 12's headers. */
#define OFFLOAD_USO 0x60u

enum failure {
	NO_UDP_SEGMENT, /* Linux before 4.18: no such option, so no runs either */
	NO_UDP_GRO,     /* Linux before 5.0 */
	NO_TUN_OFFLOAD, /* the interface hands over no superpackets */
	NO_TUN_HEADER,  /* it has no room for the header either */
	NO_USO,         /* Linux before 6.2 */
	RUN_EIO,        /* the card has no checksum offload */
	RUN_EMSGSIZE,   /* the path is too narrow for the datagrams of a run */
	RUN_EINVAL,     /* the same before Linux 6.14 */
	MERGED_EINVAL,  /* the interface refuses superpackets that are written to it */
	SEND_EAGAIN,    /* now and then: the socket is full */
	SEND_REFUSED,   /* now and then: ICMP messages about earlier datagrams */
	N_FAILURES,
};

static const char *const names[N_FAILURES] = {
	"no_udp_segment", "no_udp_gro",  "no_tun_offload", "no_tun_header",
	"no_uso",         "run_eio",     "run_emsgsize",   "run_einval",
	"merged_einval",  "send_eagain", "send_refused",
};

static bool has_failure(enum failure failure)
{
	static int asked[N_FAILURES]; /* 0: not yet, 1: no, 2: yes */
	const char *text = getenv("PRELOAD_FAIL");
	size_t len = strlen(names[failure]);

	if (asked[failure])
		return asked[failure] == 2;
	asked[failure] = 1;
	for (; text; text = strchr(text, ',') ? strchr(text, ',') + 1 : NULL) {
		if (strncmp(text, names[failure], len) == 0 && (!text[len] || text[len] == ','))
			asked[failure] = 2;
	}
	return asked[failure] == 2;
}

/* Whether the call in hand shall fail; sets errno. */
static bool fails(enum failure failure, int error)
{
	if (!has_failure(failure))
		return false;
	preload_count(failure);
	errno = error;
	return true;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	static __typeof__(setsockopt) *next;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "setsockopt");
	if (level == IPPROTO_UDP && name == UDP_SEGMENT && fails(NO_UDP_SEGMENT, ENOPROTOOPT))
		return -1;
	if (level == IPPROTO_UDP && name == UDP_GRO && fails(NO_UDP_GRO, ENOPROTOOPT))
		return -1;
	return next(fd, level, name, value, len);
}

/* Which descriptors are interfaces. */
static bool is_interface[1024];

/* What of an interface's set-up this kernel would not do; sets errno. */
static bool fails_ioctl(unsigned long request, void *argument)
{
	unsigned long offloads = (unsigned long)(uintptr_t)argument;

	if (request == TUNSETIFF && (((const struct ifreq *)argument)->ifr_flags & IFF_VNET_HDR))
		return fails(NO_TUN_HEADER, EINVAL);
	if (request == TUNSETOFFLOAD && offloads && fails(NO_TUN_OFFLOAD, EINVAL))
		return true;
	return request == TUNSETOFFLOAD && (offloads & OFFLOAD_USO) && fails(NO_USO, EINVAL);
}

int ioctl(int fd, unsigned long request, ...)
{
	static __typeof__(ioctl) *next;
	va_list arguments;
	void *argument;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "ioctl");
	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == TUNSETIFF && fd >= 0 && fd < (int)(sizeof(is_interface)))
		is_interface[fd] = true;
	return fails_ioctl(request, argument) ? -1 : next(fd, request, argument);
}

static bool is_to_interface(int fd, const struct iovec *iov, int n)
{
	return fd >= 0 && fd < (int)(sizeof(is_interface)) && is_interface[fd] && n > 0 &&
	       iov->iov_len >= VNET_HEADER_MIN;
}

/* A superpacket's offload header says of which kind it is. */
static bool is_merged(const struct iovec *iov)
{
	return ((const unsigned char *)iov->iov_base)[1] != 0;
}

ssize_t writev(int fd, const struct iovec *iov, int n)
{
	static __typeof__(writev) *next;
	static bool has_taken_one;
	bool is_ours = is_to_interface(fd, iov, n);
	ssize_t r;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "writev");
	if (is_ours && is_merged(iov) && __atomic_load_n(&has_taken_one, __ATOMIC_RELAXED) &&
	    fails(MERGED_EINVAL, EINVAL))
		return -1;
	r = next(fd, iov, n);
	if (r > 0 && is_ours && !is_merged(iov))
		__atomic_store_n(&has_taken_one, true, __ATOMIC_RELAXED);
	return r;
}

static bool is_to_loopback(const struct msghdr *header)
{
	const struct sockaddr *to = header->msg_name;

	if (!to)
		return false;
	if (to->sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(
			&((const struct sockaddr_in6 *)header->msg_name)->sin6_addr);
	return ntohl(((const struct sockaddr_in *)header->msg_name)->sin_addr.s_addr) >> 24 ==
	       IN_LOOPBACKNET;
}

static bool is_run(const struct msghdr *header)
{
	for (struct cmsghdr *one = CMSG_FIRSTHDR(header); one;
	     one = CMSG_NXTHDR((struct msghdr *)(uintptr_t)header, one)) {
		if (one->cmsg_level == IPPROTO_UDP && one->cmsg_type == UDP_SEGMENT)
			return true;
	}
	return false;
}

static bool fails_run(void)
{
	return fails(RUN_EIO, EIO) || fails(RUN_EMSGSIZE, EMSGSIZE) || fails(RUN_EINVAL, EINVAL);
}

static bool fails_now_and_then(void)
{
	static unsigned int n_calls;
	unsigned int n = __atomic_add_fetch(&n_calls, 1, __ATOMIC_RELAXED) % EVERY;

	return (n == 0 && fails(SEND_EAGAIN, EAGAIN)) ||
	       (n < AT_ONCE && fails(SEND_REFUSED, ECONNREFUSED));
}

/* As the kernel does it: what stands in front of the refused message is sent, and the next call
 * has it first. */
int sendmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags)
{
	static __typeof__(sendmmsg) *next;
	bool has_bad_runs =
		has_failure(RUN_EIO) || has_failure(RUN_EMSGSIZE) || has_failure(RUN_EINVAL);
	unsigned int n_good = 0;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "sendmmsg");
	if (n > 0 && is_to_loopback(&messages->msg_hdr))
		return next(fd, messages, n, flags);
	if (fails_now_and_then())
		return -1;
	while (n_good < n && !(has_bad_runs && is_run(&messages[n_good].msg_hdr)))
		n_good++;
	if (n_good == 0 && n > 0 && fails_run())
		return -1;
	return next(fd, messages, n_good, flags);
}
