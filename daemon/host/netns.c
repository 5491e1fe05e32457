/* Threads that enter a namespace and end there; see netns.h. */
#include "daemon/host/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/parse.h"

/* Bytes of a path, with a NUL: a name has at most 255. */
#define PATH_LEN_MAX 320

/* What is to be done inside. */
struct call {
	int fd;
	int (*function)(void *context);
	void *context;
	int result;
};

/* The process that a name stands for when it is no file's; 0: none. */
static pid_t pid_of(const char *name)
{
	uint64_t number;

	return strspn(name, "0123456789") == strlen(name) && parse_number(name, INT32_MAX, &number)
		       ? (pid_t)number
		       : 0;
}

/* Opens a file that must be a network namespace, and not any other kind of it. */
static int open_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

int netns_open(const char *name)
{
	char path[PATH_LEN_MAX];
	int fd;

	snprintf(path, sizeof(path), NETNS_DIR "/%s", name);
	fd = open_path(path);
	if (fd != -ENOENT || pid_of(name) == 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid_of(name));
	return open_path(path);
}

static void *run_inside(void *context)
{
	struct call *call = context;

	call->result = setns(call->fd, CLONE_NEWNET) < 0 ? -errno : call->function(call->context);
	return NULL;
}

/* The handlers of signals belong to the caller's loop. */
static int run_in_thread(struct call *call)
{
	sigset_t all, before;
	pthread_t thread;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, NULL, run_inside, call);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		return -error;
	pthread_join(thread, NULL);
	return call->result;
}

int netns_call(const char *name, int (*function)(void *context), void *context)
{
	struct call call = { .function = function, .context = context };
	int result;

	if (!name)
		return function(context);
	call.fd = netns_open(name);
	if (call.fd < 0)
		return call.fd;
	result = run_in_thread(&call);
	close(call.fd);
	return result;
}

static int open_requests(void *context)
{
	return netlink_open(context);
}

int netns_open_netlink(const char *name, struct netlink *nl)
{
	return netns_call(name, open_requests, nl);
}

struct events {
	struct netlink *nl;
	const unsigned int *groups;
	size_t n_groups;
};

static int open_events(void *context)
{
	const struct events *events = context;

	return netlink_open_events(events->nl, events->groups, events->n_groups);
}

int netns_open_events(const char *name, struct netlink *nl, const unsigned int *groups,
		      size_t n_groups)
{
	struct events events = { nl, groups, n_groups };

	return netns_call(name, open_events, &events);
}

static int find_interface(void *context)
{
	return if_nametoindex(context) != 0;
}

bool netns_has_interface(const char *name, const char *interface)
{
	char copy[IFNAMSIZ];

	snprintf(copy, sizeof(copy), "%s", interface);
	return netns_call(name, find_interface, copy) > 0;
}

static int open_watch(struct netns_watch *watch, const char *name)
{
	char path[PATH_LEN_MAX];

	snprintf(path, sizeof(path), NETNS_DIR "/%s", name);
	watch->is_process = pid_of(name) != 0 && access(path, F_OK) < 0;
	if (watch->is_process)
		return (int)syscall(SYS_pidfd_open, pid_of(name), 0);
	return inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

int netns_watch_open(struct netns_watch *watch, const char *name)
{
	int error;

	watch->fd = open_watch(watch, name);
	if (watch->fd >= 0 &&
	    (watch->is_process ||
	     inotify_add_watch(watch->fd, NETNS_DIR, IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR) >= 0))
		return 0;
	error = -errno;
	netns_watch_close(watch);
	return error == -ESRCH ? -ENOENT : error;
}

void netns_watch_close(struct netns_watch *watch)
{
	if (watch->fd >= 0)
		close(watch->fd);
	watch->fd = -1;
}

/* Whether one of the events is about the name. */
static bool has_name(const char *events, size_t len, const char *name)
{
	struct inotify_event event;

	for (size_t i = 0; i + sizeof(event) <= len; i += sizeof(event) + event.len) {
		memcpy(&event, events + i, sizeof(event));
		if (event.len > 0 && strcmp(events + i + sizeof(event), name) == 0)
			return true;
	}
	return false;
}

bool netns_watch_read(const struct netns_watch *watch, const char *name)
{
	struct pollfd poll_fd = { .fd = watch->fd, .events = POLLIN };
	bool is_gone = false;
	char events[4096];
	ssize_t len;

	if (watch->fd < 0 || poll(&poll_fd, 1, 0) <= 0)
		return false;
	/* The descriptor of a process is readable once: at its end. */
	if (watch->is_process)
		return true;
	while ((len = read(watch->fd, events, sizeof(events))) > 0)
		is_gone |= has_name(events, (size_t)len, name);
	return is_gone;
}

static const char *reason(int error, char *buf, size_t size)
{
	switch (-error) {
	case EPERM:
		return "the right CAP_SYS_ADMIN is missing; start as root, or give it to the "
		       "service with a drop-in as vpnd.conf(5) describes it at Namespace";
	case EACCES:
		return "it is the namespace of another user's process, and the right "
		       "CAP_SYS_PTRACE is missing; start as root, or give it a name with `ip netns "
		       "attach NAME PID`";
	case EINVAL:
		return "that file is no network namespace; `ip netns` lists those that there are";
	default:
		return strerror_r(-error, buf, size);
	}
}

void netns_explain(const char *name, int error, char text[static NETNS_TEXT_MAX])
{
	char buf[128];

	if (error == -ENOENT && pid_of(name) != 0)
		snprintf(text, NETNS_TEXT_MAX,
			 "there is no network namespace and no process %s: is the container "
			 "running?",
			 name);
	else if (error == -ENOENT)
		snprintf(text, NETNS_TEXT_MAX,
			 "there is no network namespace called %s: make it with `ip netns add %s`, "
			 "or take Namespace out",
			 name, name);
	else
		snprintf(text, NETNS_TEXT_MAX, "cannot enter the network namespace %s: %s", name,
			 reason(error, buf, sizeof(buf)));
}
