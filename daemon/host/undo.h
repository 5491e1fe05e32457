/*
 * What a link has changed on this host that does not vanish with its interface: noted in a small
 * file, so that a later process can take it back when this one is killed.
 *
 * The file is RUNDIR/undo, lines of "KEY VALUE". It is replaced as a whole, lies in a directory
 * that only root or the service may write (run_dir.h), and is as short-lived as the kernel's tables
 * themselves, because /run is gone after a boot. Everybody may read it, so that links of several
 * users leave each other what they need.
 */
#ifndef DAEMON_HOST_UNDO_H
#define DAEMON_HOST_UNDO_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "daemon/host/bridge.h"
#include "daemon/host/forward.h"
#include "daemon/host/policy.h"

/* Characters of a record's name at resolvconf(8), with a NUL. */
#define UNDO_RECORD_MAX 64

/* Bytes of the name of a namespace, with a NUL. */
#define UNDO_NAMESPACE_MAX 256

/* Who was told about name servers; the numbers are in the file. */
enum undo_dns { UNDO_DNS_NONE = 0, UNDO_DNS_RESOLVED = 1, UNDO_DNS_RESOLVCONF = 2 };

/* Expected answer of undo_load(). */
enum undo_answer {
	UNDO_NOTHING = 1, /* there is no file: nothing was changed */
};

/* All zero: nothing was changed. */
struct undo {
	uint64_t netns;                     /* inode of the network namespace where it was */
	char namespace[UNDO_NAMESPACE_MAX]; /* its name; empty: the one of the process */
	unsigned int ifindex;               /* the interface at that time; 0: not known yet */
	struct policy policy;
	bool has_filter;         /* a table of the packet filter */
	struct forward forward;  /* interfaces that forward since then */
	struct bridge bridge;    /* that was made for the link */
	bool has_set_valid_mark; /* it was 0 before the first of our links came */
	enum undo_dns dns;
	char record[UNDO_RECORD_MAX]; /* UNDO_DNS_RESOLVCONF: under which name */
};

/*!
 * Reads the notes of an earlier process. Keys from another version are skipped; a file that
 * run_dir.h does not believe is not read.
 * \param run_dir  directory of the link, for example "/run/vpnd/site-a"
 * \param ret      zeroed unless the result is 0
 * \return 0; UNDO_NOTHING; -EPERM: whose file is it?; another negative errno
 */
int undo_load(const char *run_dir, struct undo *ret);

/*!
 * Writes the notes, in place of those before. The directory is made when it is not there.
 * \return 0 or a negative errno; the notes before are then untouched
 */
int undo_save(const char *run_dir, const struct undo *undo);

/*! Removes the file; 0 also when there is none. */
int undo_forget(const char *run_dir);

/*!
 * Keeps every other link of this host out of what begins with looking at the others' notes: two
 * that stop at once would each leave to the other what both have changed. To be held from the look
 * until one's own notes are saved, and for nothing that may wait; not twice at once by one process.
 *
 * It is a lock on the file ".lock" above the run directory, whose name is no link's, and it ends
 * with its process. Whoever gets it not within two seconds goes on without: a stop must not hang.
 * \return a descriptor for undo_unlock(), close-on-exec, or -1
 */
must_check int undo_lock(const char *run_dir);

/*! Lets others in again. \param lock  from undo_lock(), -1 included */
void undo_unlock(int lock);

/*!
 * Whether another link of this namespace has set src_valid_mark and will want it reset: looks into
 * the files of the directories beside `run_dir`, as far as they may be read.
 */
must_check bool undo_others_set_valid_mark(const char *run_dir, uint64_t netns);

/*!
 * Collects what the other links of a namespace have switched on, from the same files.
 * \param ret  all zero when there is nothing
 */
void undo_others_forward(const char *run_dir, uint64_t netns, struct forward *ret);

/*! Whether another link of a namespace has noted that it deletes a bridge; from the same files. */
must_check bool undo_others_bridge(const char *run_dir, uint64_t netns, unsigned int ifindex);

/*!
 * The inode of a network namespace.
 * \param namespace  as in a link file; NULL or empty: the one of this process
 * \return 0 when there is no such namespace, or the kernel does not tell
 */
uint64_t undo_netns(const char *namespace);

#endif
