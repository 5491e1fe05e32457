/* The socket's place in the file system; see uapi_listen.h. */
#include "daemon/ctl/uapi_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG 16

#ifndef SIOCUNIXFILE
/* The kernel's header of it, linux/un.h, does not go with the C library's. */
#define SIOCUNIXFILE (SIOCPROTOPRIVATE + 0)
#endif

static int make_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

static int bind_to(int fd, const struct sockaddr_un *addr)
{
	return bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ? -errno : 0;
}

/* As root for the owner of another directory. The file is born as that one's: afterwards its name
   may stand for another file already. Where that one may make none, it is root's. */
static int bind_for(int fd, const struct sockaddr_un *addr, const struct stat *owner)
{
	int r;

	/* They report no error. */
	setfsgid(owner->st_gid);
	setfsuid(owner->st_uid);
	r = bind_to(fd, addr);
	setfsuid(geteuid());
	setfsgid(getegid());
	return r == -EACCES ? bind_to(fd, addr) : r;
}

/* Makes the file, with the mode of the socket. */
static int make_file(int fd, const struct sockaddr_un *addr, const char *owner_dir)
{
	struct stat owner;
	bool is_other = geteuid() == 0 && stat(owner_dir, &owner) == 0 && owner.st_uid != 0;
	mode_t before = umask(0);
	int r = is_other ? bind_for(fd, addr, &owner) : bind_to(fd, addr);

	umask(before);
	return r;
}

/* Binds and listens. The mode is set beforehand, and the file gets it from the socket: there is no
   moment in which others may connect, and no name that could be made to lead elsewhere. */
static int try_listen(const struct sockaddr_un *addr, unsigned int mode, const char *owner_dir)
{
	int fd = make_socket();
	int r;

	if (fd < 0)
		return fd;
	r = fchmod(fd, mode) < 0 ? -errno : make_file(fd, addr, owner_dir);
	if (r == 0 && listen(fd, BACKLOG) < 0)
		r = -errno;
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

/* Removes a socket on which nobody listens. Who listens but has its queue full says EAGAIN. */
static int remove_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, r = 0;

	if (lstat(addr->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	fd = make_socket();
	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0)
		r = -EADDRINUSE;
	else if (errno != ECONNREFUSED)
		r = errno == EACCES ? -EPERM : -EADDRINUSE;
	else if (unlink(addr->sun_path) < 0 && errno != ENOENT)
		r = errno == EACCES ? -EPERM : -errno;
	close(fd);
	return r;
}

static int set_address(struct sockaddr_un *addr, const char *dir, const char *name)
{
	int n;

	*addr = (struct sockaddr_un) { .sun_family = AF_UNIX };
	n = snprintf(addr->sun_path, sizeof(addr->sun_path), "%s/%s.sock", dir, name);
	return n < 0 || n >= (int)sizeof(addr->sun_path) ? -ENAMETOOLONG : 0;
}

int uapi_listen(const char *dir, const char *name, unsigned int mode, const char *owner_dir)
{
	struct sockaddr_un addr;
	int fd, r = set_address(&addr, dir, name);

	if (r < 0)
		return r;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = try_listen(&addr, mode, owner_dir);
	if (fd != -EADDRINUSE)
		return fd;
	r = remove_stale(&addr);
	return r < 0 ? r : try_listen(&addr, mode, owner_dir);
}

static int socket_option(int fd, int option)
{
	int value;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) < 0 ? -errno : value;
}

int uapi_listen_adopt(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if (socket_option(fd, SO_DOMAIN) != AF_UNIX || socket_option(fd, SO_TYPE) != SOCK_STREAM ||
	    socket_option(fd, SO_ACCEPTCONN) != 1)
		return -EINVAL;
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return 0;
}

/* Looks whether the file of that name is the socket's own, and not one that another process has
   made there since. Without CAP_NET_ADMIN the kernel does not tell, and any socket will do.
   \return 0, -ENOENT: it is not, or another negated errno value */
static int find_file(int fd, const char *path, struct stat *ret)
{
	int file = ioctl(fd, SIOCUNIXFILE);
	struct stat own;
	int r = 0;

	if (lstat(path, ret) < 0)
		r = -errno;
	else if (!S_ISSOCK(ret->st_mode) ||
		 (file >= 0 && fstat(file, &own) == 0 &&
		  (own.st_dev != ret->st_dev || own.st_ino != ret->st_ino)))
		r = -ENOENT;
	if (file >= 0)
		close(file);
	return r;
}

/* Whether it has that name, and its file is there. */
static bool is_at(int fd, const struct sockaddr_un *addr)
{
	struct sockaddr_un own = { .sun_family = AF_UNSPEC };
	socklen_t len = sizeof(own);
	struct stat st;

	return getsockname(fd, (struct sockaddr *)&own, &len) == 0 &&
	       strncmp(own.sun_path, addr->sun_path, sizeof(own.sun_path)) == 0 &&
	       find_file(fd, addr->sun_path, &st) == 0;
}

int uapi_listen_again(int fd, const char *dir, const char *name, unsigned int mode,
		      const char *owner_dir)
{
	struct sockaddr_un addr;

	if (fd >= 0 && set_address(&addr, dir, name) == 0 && uapi_listen_adopt(fd) == 0 &&
	    is_at(fd, &addr))
		return fd;
	if (fd >= 0)
		close(fd);
	return uapi_listen(dir, name, mode, owner_dir);
}

/* Of a socket that is connected the kernel tells who has called listen(2). */
static bool is_maker_gone(int fd)
{
	struct ucred maker;
	socklen_t len = sizeof(maker);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &maker, &len) == 0 && maker.pid > 0 &&
	       kill(maker.pid, 0) < 0 && errno == ESRCH;
}

void uapi_remove_orphan(const char *dir, const char *name, bool is_final)
{
	struct sockaddr_un addr;
	struct stat st;
	bool is_orphan;
	int fd;

	if (set_address(&addr, dir, name) < 0 || lstat(addr.sun_path, &st) < 0 ||
	    !S_ISSOCK(st.st_mode))
		return;
	fd = make_socket();
	if (fd < 0)
		return;
	is_orphan = connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0
			    ? errno == ECONNREFUSED
			    : is_final && is_maker_gone(fd);
	close(fd);
	if (is_orphan)
		(void)unlink(addr.sun_path);
}

static const char *name_of(const struct uapi_place *place)
{
	const char *slash = strrchr(place->path, '/');

	return slash ? slash + 1 : place->path;
}

/* The directory tells when the name goes. The socket itself does not: it lives on, and to ask how
   many names it has takes a system call that could as well ask about any file. */
static int watch_directory(const struct uapi_place *place)
{
	char directory[sizeof(place->path)];
	size_t len = (size_t)(name_of(place) - place->path);

	memcpy(directory, place->path, len);
	directory[len] = '\0';
	return inotify_add_watch(place->inotify_fd, len > 0 ? directory : ".",
				 IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO);
}

int uapi_place_open(struct uapi_place *place, int fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNSPEC };
	socklen_t len = sizeof(addr);
	struct stat st;
	int r;

	*place = (struct uapi_place)UAPI_PLACE_NULL;
	if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
		return -errno;
	if (len <= offsetof(struct sockaddr_un, sun_path) || addr.sun_path[0] == '\0')
		return 0;
	/* The kernel's length says where a name of full length ends. */
	len = MIN(len - (socklen_t)offsetof(struct sockaddr_un, sun_path),
		  (socklen_t)sizeof(place->path) - 1);
	memcpy(place->path, addr.sun_path, len);
	r = find_file(fd, place->path, &st);
	if (r < 0) {
		*place = (struct uapi_place)UAPI_PLACE_NULL;
		return r;
	}
	place->dev = st.st_dev;
	place->ino = st.st_ino;
	return 0;
}

/* Whether the name is still this socket's. */
static bool is_there(const struct uapi_place *place)
{
	struct stat st;

	return place->path[0] != '\0' && lstat(place->path, &st) == 0 && st.st_dev == place->dev &&
	       st.st_ino == place->ino;
}

int uapi_place_watch(struct uapi_place *place)
{
	if (place->path[0] == '\0')
		return 0;
	place->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (place->inotify_fd < 0 || watch_directory(place) < 0)
		return -errno;
	return is_there(place) ? 0 : -ENOENT;
}

bool uapi_place_is_gone(struct uapi_place *place)
{
	char events[256] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	if (place->inotify_fd < 0)
		return false;
	while ((n = read(place->inotify_fd, events, sizeof(events))) > 0) {
		const struct inotify_event *event;

		for (ssize_t at = 0; at < n; at += (ssize_t)(sizeof(*event) + event->len)) {
			event = (const void *)(events + at);
			if (event->len > 0 && strcmp(event->name, name_of(place)) == 0)
				place->is_gone = true;
		}
	}
	return place->is_gone;
}

void uapi_place_close(struct uapi_place *place, bool remove)
{
	if (remove && is_there(place))
		unlink(place->path);
	if (place->inotify_fd >= 0)
		close(place->inotify_fd);
	*place = (struct uapi_place)UAPI_PLACE_NULL;
}
