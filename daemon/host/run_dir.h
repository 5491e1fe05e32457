/*
 * The run directory of a link, /run/vpnd/LINK: where it keeps what must outlive a crash, and whom
 * it believes there.
 *
 * A file says what is to be deleted on this host, so it counts only if nobody could have written it
 * who may not do that himself. That is root; this process's own user; and for root also whom the
 * directory belongs to, if root alone decides about that: systemd gives it to the user of the
 * service, and whoever starts or cleans up the same link by hand finds it so. What is made in a
 * directory belongs to whom the directory does, because the next process may be the service again.
 */
#ifndef HOST_RUN_DIR_H
#define HOST_RUN_DIR_H

#include "common/defs.h"

/*!
 * Makes a run directory (0711), and the one above it (0755), unless they are there. Others may look
 * for the notes in it, by which links of several users get on (undo.h), and for nothing else.
 *
 * \param path  for example "/run/vpnd/site-a"
 * \return 0 or a negative errno
 */
int run_dir_make(const char *path);

/*!
 * Opens it, and judges who may write there.
 *
 * \return a descriptor of open(2) with O_PATH, the caller's; -ENOENT; -EPERM: it belongs to
 *         somebody who is not believed, or others may write there; another negative errno
 */
must_check int run_dir_open(const char *path);

/*!
 * Opens a file in it for reading.
 *
 * \param dir  of run_dir_open()
 * \return a descriptor, close-on-exec; -ENOENT; -EPERM: it is no plain file, or belongs to somebody
 *         else, or others may write it; another negative errno
 */
must_check int run_dir_read(int dir, const char *name);

/*!
 * Makes a new file in it for writing, which belongs to whom the directory does.
 *
 * \param mode  as for chmod(2)
 * \return a descriptor, close-on-exec; -EEXIST; another negative errno
 */
must_check int run_dir_create(int dir, const char *name, unsigned int mode);

#endif
