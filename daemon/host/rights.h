/*
 * Giving up rights, for good: those of the user, capabilities, the file system. What the process
 * has open by then it keeps; it can open nothing more. See sandbox.h for the system calls.
 *
 * Rights belong to a thread, so this is done while there is only one.
 */
#ifndef DAEMON_HOST_RIGHTS_H
#define DAEMON_HOST_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"

/* Bytes of a text, with a NUL. */
#define RIGHTS_TEXT_MAX 256

/* Expected answer of rights_drop(). */
enum rights_answer {
	RIGHTS_NO_USER = 1, /* done; but there is no such user, and another one was taken */
};

/*!
 * Becomes a user without rights: no supplementary group, no capability in any set, and no way to
 * get any by running a program (PR_SET_NO_NEW_PRIVS). Started as another user than root, it stays
 * that one. What it may not take out of the bounding set stays there, and counts for nothing.
 * Afterwards it looks whether all that is so.
 * Sources: setresuid(2), capabilities(7), "Capability bounding set" and "Ambient".
 * \param user  to become when started as root; where there is none of that name, `nobody`
 * \param text  RIGHTS_TEXT_MAX bytes: what failed or is not as wished, no full stop; "" when all is
 * \return 0; RIGHTS_NO_USER; a negative errno: the process must not go on
 */
int rights_drop(const char *user, char text[static RIGHTS_TEXT_MAX]);

/*!
 * Looks whether rights_drop() could become a user that somebody has asked for by name.
 * \param text  RIGHTS_TEXT_MAX bytes: why not, no full stop
 * \return 0; -ENOENT: there is none of that name; -EPERM: it is root under that name
 */
int rights_check_user(const char *user, char text[static RIGHTS_TEXT_MAX]);

/*!
 * Gives up the file system where the kernel has Landlock: no file is opened, made, removed or run
 * any more. From Linux 6.7 on also no TCP connection is made, from 6.12 on no signal is sent to
 * processes outside, and no abstract socket of theirs is connected to. To be called behind
 * rights_drop(). Source: landlock(7).
 * \return 0; -ENOSYS or -EOPNOTSUPP: this kernel has it not, or it is switched off; another
 *         negative errno
 */
int rights_close_files(void);

/*!
 * The same for what needs to read some files: those below the given paths can be read, nothing else
 * can be opened, and nothing changed or run. TCP connections stay possible.
 * \param paths  files and directories; links are followed now, and what is not there is left out
 * \param n      how many
 * \return as rights_close_files()
 */
int rights_limit_files(const char *const *paths, size_t n);

#endif
