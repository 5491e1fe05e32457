/*
 * One process for each link: a locked file in the link's run directory.
 *
 * Two processes of one link would take back each other's rules. The interface itself excludes the
 * second only when it is opened, which is after the leftovers of an earlier process were removed.
 * The lock belongs to the open file (F_OFD_SETLK of fcntl(2)): it lives as long as anybody has a
 * copy of the descriptor, so that two processes can hold it together, and it ends when the last of
 * them is killed. Programs that they run do not inherit it. Each network namespace has a file of
 * its own: the same name in another namespace is another link.
 */
#ifndef DAEMON_HOST_LOCK_H
#define DAEMON_HOST_LOCK_H

/*!
 * Takes the lock. The run directory is made when it is not there (run_dir.h).
 *
 * \param run_dir  for example "/run/vpnd/site-a"
 * \return a descriptor for lock_release(); -EBUSY: another process has it; -EPERM: the
 *         directory belongs to somebody else, or others may write there; another negative errno:
 *         the directory is of no use
 */
int lock_take(const char *run_dir);

/*!
 * Gives the lock back, and removes the file and the directory if nothing else is in it.
 * \param fd  from lock_take(), or negative: nothing happens
 */
void lock_release(const char *run_dir, int fd);

#endif
