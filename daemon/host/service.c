/* Messages to the service manager; see service.h. */
#include "daemon/host/service.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/parse.h"

#define NSEC_PER_USEC 1000ULL
/* Descriptors that are handed over begin behind standard input, output and errors. */
#define FIRST_FD 3
/* What is waited for a manager that does not read, and for one that has to act. */
#define SEND_LIMIT_MS    1000
#define BARRIER_LIMIT_MS 500
#define MESSAGE_MAX      (SERVICE_STATUS_MAX + SERVICE_NAME_MAX + 64)

/* One that was handed over. */
struct passed {
	int fd; /* -1: taken */
	char name[SERVICE_NAME_MAX];
};

static struct {
	int fd; /* of the socket; -1: no manager */
	struct sockaddr_un address;
	socklen_t address_len;
	nsec_t watchdog;
	struct passed passed[SERVICE_FDS_MAX];
	size_t n_passed;
	bool keeps; /* stored descriptors, for the next process */
} service = { .fd = -1 };

/* A variable of the environment as a number; 0 when it is none. */
static uint64_t number_of(const char *name)
{
	const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): before any thread */
	uint64_t number;

	return text && parse_number(text, UINT64_MAX, &number) ? number : 0;
}

/* Whether what a variable speaks of is meant for this process and not for its parent. */
static bool is_for_us(const char *name)
{
	return number_of(name) == (uint64_t)getpid();
}

/* A path, or with "@" a name in the abstract namespace; other kinds are for other machines. */
static int set_address(const char *text)
{
	size_t len = strlen(text);

	if (text[0] != '/' && text[0] != '@')
		return -EAFNOSUPPORT;
	if (len >= sizeof(service.address.sun_path))
		return -ENAMETOOLONG;
	service.address.sun_family = AF_UNIX;
	memcpy(service.address.sun_path, text, len + 1);
	service.address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (text[0] == '@')
		service.address.sun_path[0] = '\0';
	else
		service.address_len++;
	return 0;
}

static int open_socket(const char *text)
{
	const struct timeval limit = { .tv_sec = SEND_LIMIT_MS / 1000 };
	int r = set_address(text);

	if (r < 0)
		return r;
	service.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (service.fd < 0)
		return -errno;
	if (setsockopt(service.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	/* Now, while the process may look for it. */
	if (connect(service.fd, (const struct sockaddr *)&service.address, service.address_len) < 0)
		return -errno;
	return 0;
}

/* The next of the names between colons; `*names` moves on. */
static void next_name(const char **names, char ret[static SERVICE_NAME_MAX])
{
	size_t len = *names ? strcspn(*names, ":") : 0;

	if (len < SERVICE_NAME_MAX) {
		memcpy(ret, *names ? *names : "", len);
		ret[len] = '\0';
	} else {
		ret[0] = '\0';
	}
	if (*names)
		*names = (*names)[len] == ':' ? *names + len + 1 : NULL;
}

static void take_over(void)
{
	const char *names = getenv("LISTEN_FDNAMES"); /* NOLINT(concurrency-mt-unsafe) */
	uint64_t n = is_for_us("LISTEN_PID") ? MIN(number_of("LISTEN_FDS"), 1024) : 0;

	for (int fd = FIRST_FD; fd < FIRST_FD + (int)n; fd++) {
		struct passed *passed = &service.passed[service.n_passed];

		if (service.n_passed == SERVICE_FDS_MAX || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
			close(fd);
			continue;
		}
		passed->fd = fd;
		next_name(&names, passed->name);
		service.n_passed++;
	}
}

int service_init(void)
{
	static const char *const names[] = { "NOTIFY_SOCKET",  "LISTEN_FDS",    "LISTEN_PID",
					     "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID",
					     "VPND_KEEPS" };
	const char *address = getenv(names[0]); /* NOLINT(concurrency-mt-unsafe) */
	int r;

	/* Before a descriptor of ours can get into their row. */
	take_over();
	r = address && address[0] ? open_socket(address) : 0;
	if (r == 0 && service.fd >= 0 && (!getenv("WATCHDOG_PID") || is_for_us("WATCHDOG_PID")))
		service.watchdog =
			MIN(number_of("WATCHDOG_USEC"), UINT64_MAX / 1000) * NSEC_PER_USEC;
	service.keeps = number_of("VPND_KEEPS") == 1;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unsetenv(names[i]); /* NOLINT(concurrency-mt-unsafe) */
	if (r < 0 && service.fd >= 0) {
		close(service.fd);
		service.fd = -1;
	}
	return r;
}

void service_deinit(void)
{
	for (size_t i = 0; i < service.n_passed; i++) {
		if (service.passed[i].fd >= 0)
			close(service.passed[i].fd);
	}
	if (service.fd >= 0)
		close(service.fd);
	memset(&service, 0, sizeof(service));
	service.fd = -1;
}

bool service_is_there(void)
{
	return service.fd >= 0;
}

bool service_keeps(void)
{
	return service.fd >= 0 && service.keeps;
}

/* Sends lines, and a descriptor with them unless it is -1. */
static int send_text(char *text, int fd, int flags)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = text, .iov_len = strlen(text) };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t n;

	if (service.fd < 0)
		return 0;
	if (fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(service.fd, &message, MSG_NOSIGNAL | flags);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static int send_format(int fd, int flags, const char *format, ...) printf_like(3, 4);

static int send_format(int fd, int flags, const char *format, ...)
{
	char text[MESSAGE_MAX];
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return len < (int)sizeof(text) ? send_text(text, fd, flags) : -EMSGSIZE;
}

int service_ready(const char *status)
{
	return send_format(-1, 0, "READY=1\nSTATUS=%s", status);
}

int service_reloading(void)
{
	struct timespec now;

	/* The manager's clock, by which it tells this reload from one that was asked for later. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return send_format(-1, 0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
			   (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

int service_stopping(void)
{
	return send_format(-1, 0, "STOPPING=1\nSTATUS=ending");
}

int service_status(const char *status)
{
	return send_format(-1, MSG_DONTWAIT, "STATUS=%s", status);
}

int service_extend(nsec_t more)
{
	return send_format(-1, 0, "EXTEND_TIMEOUT_USEC=%" PRIu64, (uint64_t)(more / NSEC_PER_USEC));
}

nsec_t service_watchdog(void)
{
	return service.watchdog;
}

int service_feed(void)
{
	return send_format(-1, MSG_DONTWAIT, "WATCHDOG=1");
}

int service_store(int fd, const char *name)
{
	return send_format(fd, 0, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
}

int service_take(const char *name)
{
	for (size_t i = 0; i < service.n_passed; i++) {
		struct passed *passed = &service.passed[i];
		int fd = passed->fd;

		if (fd < 0 || strcmp(passed->name, name) != 0)
			continue;
		passed->fd = -1;
		return fd;
	}
	return -1;
}

int service_unstore(const char *name)
{
	return send_format(-1, 0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

size_t service_drop_rest(void)
{
	size_t n = 0;

	for (size_t i = 0; i < service.n_passed; i++) {
		struct passed *passed = &service.passed[i];

		if (passed->fd < 0)
			continue;
		close(passed->fd);
		passed->fd = -1;
		if (passed->name[0])
			(void)service_unstore(passed->name);
		n++;
	}
	return n;
}

/* The manager closes the pipe that it gets when it has come to that message. */
int service_settle(void)
{
	struct pollfd end = { .events = 0 };
	int fds[2], r;

	if (service.fd < 0)
		return 0;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	r = send_format(fds[1], 0, "BARRIER=1");
	close(fds[1]);
	end.fd = fds[0];
	if (r == 0 && poll(&end, 1, BARRIER_LIMIT_MS) <= 0)
		r = -ETIMEDOUT;
	close(fds[0]);
	return r;
}
