/*
 * The name servers and search domains of a link file, told to whoever keeps this host's.
 *
 * That is systemd-resolved where it runs, by `resolvectl`: the servers belong to the interface,
 * and "~." sends every name there that no other interface claims. Else it is resolvconf(8), of
 * whatever make, as wg-quick calls it: metric 0 and exclusive. Where there is neither, or both
 * fail, the link works all the same, and a sentence says what is missing.
 *
 * Only root may use resolvconf. systemd-resolved asks polkit about other users, and the rule that
 * comes with vpnd (systemd/polkit.rules) answers for user vpnd.
 *
 * Both are programs, and not a D-Bus call, so that nothing of D-Bus is in the process.
 */
#ifndef DAEMON_HOST_DNS_H
#define DAEMON_HOST_DNS_H

#include "common/defs.h"
#include "common/nsec.h"
#include "conf/model.h"
#include "daemon/host/program.h"
#include "daemon/host/undo.h"

/* Characters of a warning, with a NUL. */
#define DNS_TEXT_MAX 480

/* Where resolvconf(8) lists interfaces by rank, if it is Debian's. */
#define DNS_ORDER_FILE "/etc/resolvconf/interface-order"

/* Expected answer of dns_set(). */
enum dns_answer {
	DNS_NOT_SET = 1, /* the warning says why */
};

/* Whom to ask. All zero: what is usual. */
struct dns_tools {
	const char *path;                  /* directories with the programs; NULL: PROGRAM_PATH */
	const char *order_file;            /* NULL: DNS_ORDER_FILE */
	nsec_t limit;                      /* for each program; 0: five seconds */
	const struct program_watch *watch; /* says when vpnd is to end; or NULL */
};

/*!
 * Announces the servers and domains of an interface; what was announced for it before is replaced.
 * Blocks until the programs have ended.
 * \param link    the interface, which exists
 * \param dns     as written in the link file, checked by conf
 * \param undo    gets `dns` and `record`; to be saved by the caller
 * \param text    DNS_TEXT_MAX bytes: a warning, or ""
 * \return 0, also when there is nothing to announce; DNS_NOT_SET
 */
int dns_set(const struct dns_tools *tools, const char *link, const struct conf_strings *dns,
	    struct undo *undo, char text[static DNS_TEXT_MAX]);

/*!
 * Takes back what dns_set() did according to the notes, and clears them.
 * \param link  the interface; it may be gone
 * \param text  DNS_TEXT_MAX bytes: a warning, or ""
 * \return 0; DNS_NOT_SET when that failed
 */
int dns_unset(const struct dns_tools *tools, const char *link, struct undo *undo,
	      char text[static DNS_TEXT_MAX]);

#endif
