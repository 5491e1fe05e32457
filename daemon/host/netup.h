/*
 * What a link changes on this host beside its interface, as one thing: the rules of a full tunnel,
 * its table of the packet filter, forwarding, a sysctl, and the name servers. Each is noted in the
 * link's run directory before or as it is done, so that a stop, or the next start after a crash,
 * takes back exactly that.
 *
 * The order of calls is the order below. Texts are sentences for an administrator without the
 * link's name and without a full stop.
 */
#ifndef DAEMON_HOST_NETUP_H
#define DAEMON_HOST_NETUP_H

#include <net/if.h>

#include "conf/model.h"
#include "daemon/host/dns.h"
#include "daemon/host/nl.h"
#include "daemon/host/undo.h"

/* Bytes of a text, with a NUL. */
#define NETUP_TEXT_MAX 512

/* Expected answers. */
enum netup_answer {
	NETUP_WARNING = 1, /* done; the text says what is missing */
	NETUP_CLEANED,     /* leftovers were found and removed */
	NETUP_KEPT,        /* the interface of an earlier process is still there: all was kept */
	NETUP_TAKEN,       /* the FwMark or the routing table is in use */
	NETUP_MISSING,     /* there is no such bridge */
};

/* One link's. Start with netup_init(); it holds no descriptor and needs no end. */
struct netup {
	struct netlink *nl; /* not owned */
	const char *link;   /* not owned */
	const char *run_dir;
	struct dns_tools dns;
	struct undo undo;
	struct policy replaced; /* a claim before the present one, until netup_start() */
	struct bridge replaced_bridge;
};

/*!
 * Prepares the struct; nothing is asked or changed.
 * \param nl       from netns_open_netlink(), in the namespace of the interface
 * \param link     the link's name
 * \param run_dir  for example "/run/vpnd/site-a"; both texts must live as long as the struct
 */
void netup_init(struct netup *netup, struct netlink *nl, const char *link, const char *run_dir);

/*!
 * Removes what an earlier process of this link has left behind: the first step of a start, and all
 * of `vpnd cleanup`. When the interface is still there (systemd holds its descriptor while the
 * service restarts), everything is kept and taken over. The caller must know that no other
 * process of the link runs.
 * \param text  NETUP_TEXT_MAX bytes: filled for NETUP_WARNING and errors
 * \return 0: there was nothing; NETUP_CLEANED; NETUP_KEPT; NETUP_WARNING: cleaned, but not all; a
 *         negative errno: the notes cannot be read
 */
int netup_recover(struct netup *netup, char text[static NETUP_TEXT_MAX]);

/*!
 * Takes the mark for vpnd's socket, before the socket is opened; on a reload before netup_start(),
 * and then the socket's mark is to be changed if it is another.
 * \param ret_mark  FwMark of the file, or for a full tunnel the mark that was chosen; 0: none
 * \return 0; NETUP_TAKEN; NETUP_MISSING; a negative errno; the text is filled for all but 0
 */
int netup_claim(struct netup *netup, const struct conf_link *conf, uint32_t *ret_mark,
		char text[static NETUP_TEXT_MAX]);

/*!
 * Makes default routes, rules, forwarding and packet filter as the file wants them, or takes away
 * what it does not want; serves start and reload. After ifsetup_apply() or ifsetup_change(), with
 * the interface up.
 *
 * \return 0; NETUP_WARNING; NETUP_TAKEN; a negative errno; the text is filled unless 0. After a
 *         failure netup_stop() undoes what was done.
 */
int netup_start(struct netup *netup, const struct conf_link *conf, unsigned int ifindex,
		char text[static NETUP_TEXT_MAX]);

/*!
 * Makes the table of the packet filter again, which somebody has deleted since netup_start().
 * \param conf  that netup_start() had
 * \return 0, also when there is to be none; a negative errno with a text
 */
int netup_repair(struct netup *netup, const struct conf_link *conf, unsigned int ifindex,
		 char text[static NETUP_TEXT_MAX]);

/*!
 * Announces the name servers, or takes them back when the file has none; serves start and reload.
 * Blocks while other programs run, up to some seconds. Never a reason to give up.
 * \return 0 or NETUP_WARNING with a text
 */
int netup_set_dns(struct netup *netup, const struct conf_link *conf,
		  char text[static NETUP_TEXT_MAX]);

/*!
 * Takes the interface out of the bridge of the file: before netup_stop(), because an interface that
 * somebody else has made stays, and because a bridge with ports is not deleted.
 */
void netup_leave_bridge(struct netup *netup, const char *name);

/*!
 * Undoes all of it, while the interface is still there. May be called at any time after
 * netup_init(), and twice.
 * \return 0; NETUP_WARNING with a text when something could not be undone: then the notes stay
 */
int netup_stop(struct netup *netup, char text[static NETUP_TEXT_MAX]);

#endif
