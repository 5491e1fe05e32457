/*
 * The socket's place in the file system: how /run/wireguard/NAME.sock comes to be, how a left-over
 * one is told from one in use, how one notices that somebody removed it, and how it goes.
 *
 * Separate from the server because the socket must be there before a daemon's parent returns: `wg`
 * is often called right after it.
 */
#ifndef CTL_UAPI_LISTEN_H
#define CTL_UAPI_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#include "common/defs.h"
#include "common/run_paths.h"

/* Where `wg` looks; /var/run is the same place. */
#define UAPI_DIR RUN_PATHS_UAPI_DIR

/* Only its owner may use it, as wireguard-go makes it. */
#define UAPI_MODE 0700

/*!
 * Makes the directory (mode 0755) if need be, and a listening socket DIR/NAME.sock in it. A socket
 * on which nobody listens is replaced. To be called while the process has one thread: the umask is
 * another one meanwhile.
 * \param dir        UAPI_DIR, or another one in a test
 * \param name       of the interface
 * \param mode       of the file, whatever the umask is: UAPI_MODE, or another one
 * \param owner_dir  the link's run directory: whom it belongs to, who may be the next to start the
 *                   link, gets what root makes, if that user may make files in `dir`. Only an owner
 *                   can find out that nobody listens any more
 * \return a descriptor, non-blocking and closed on exec; or -EADDRINUSE: another process listens
 *         there; -EPERM: a socket of another user is there, which does not let this one find out
 *         whether somebody listens, or cannot be removed; -ENOTSOCK: the name is taken by something
 *         that is no socket; -ENAMETOOLONG; another negated errno value
 */
must_check int uapi_listen(const char *dir, const char *name, unsigned int mode,
			   const char *owner_dir);

/*!
 * Checks a socket that somebody else opened (WG_UAPI_FD, systemd's store), and makes it
 * non-blocking and closed on exec.
 * \return 0, or -EINVAL: it is not a listening Unix stream socket; or -EBADF
 */
must_check int uapi_listen_adopt(int fd);

/*!
 * Goes on with the socket on which an earlier process has listened at DIR/NAME.sock: who has
 * connected since waits in its queue. One whose file is not there any more is closed, and replaced
 * as uapi_listen() does; the socket of another process that has taken the name stays. Source of how
 * a socket's file is found: SIOCUNIXFILE, Linux net/unix/af_unix.c, which needs CAP_NET_ADMIN;
 * without it the name decides.
 *
 * \param fd         the earlier one, owned from now on, or -1
 * \param mode       of a new one
 * \param owner_dir  whom a new one belongs to
 * \return as uapi_listen(): `fd` or another descriptor
 */
must_check int uapi_listen_again(int fd, const char *dir, const char *name, unsigned int mode,
				 const char *owner_dir);

/*!
 * Removes DIR/NAME.sock when nobody listens there. What is in use, or is no socket, stays.
 * \param is_final  also when the descriptor is still there, but not the process that made it: the
 *                  service manager has it, and is going to close it
 */
void uapi_remove_orphan(const char *dir, const char *name, bool is_final);

/* A listening socket's name. */
struct uapi_place {
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)]; /* "": it has no name */
	int inotify_fd; /* readable when something happened in its directory; -1: it is not watched
			 */
	bool is_gone;
	dev_t dev;
	ino_t ino;
};

#define UAPI_PLACE_NULL                                                                            \
	{                                                                                          \
		.inotify_fd = -1                                                                   \
	}

/*!
 * Finds the name of a listening socket, so that it can be watched or taken away. A socket without a
 * name in the file system is fine.
 * \return 0, or -ENOENT: the name is gone already, or is another socket's; or another negated errno
 *         value; then the place is UAPI_PLACE_NULL
 */
must_check int uapi_place_open(struct uapi_place *place, int fd);

/*!
 * Watches the name. Each user may have 128 such watches by default, so only what must know has one.
 * \return 0, also without a name: then there is no inotify_fd; -ENOENT: the name is gone already;
 * or another negated errno value; close the place then as well
 */
must_check int uapi_place_watch(struct uapi_place *place);

/*! Whether the socket has lost its name; reads what inotify_fd has, so call it when readable. */
bool uapi_place_is_gone(struct uapi_place *place);

/*!
 * Ends the watch; safe twice.
 * \param remove  take the name away, too, if it still is this socket's
 */
void uapi_place_close(struct uapi_place *place, bool remove);

#endif
