/* What netup.c, netup_passing.c and netup_bridge.c share; see netup.h. */
#ifndef DAEMON_HOST_NETUP_INTERNAL_H
#define DAEMON_HOST_NETUP_INTERNAL_H

#include "daemon/host/netup.h"

/*! Writes "WHAT: WHY" behind what the text says already; WHY may be NULL. */
void netup_add_text(char text[static NETUP_TEXT_MAX], const char *what, const char *why);

/*! The same with the reason that a negative errno is. */
void netup_add_error(char text[static NETUP_TEXT_MAX], const char *what, int error);

/*!
 * Writes the notes, or removes them when there is nothing to note.
 * \return 0, or a negative errno with a text
 */
int netup_save(struct netup *netup, char text[static NETUP_TEXT_MAX]);

/*! Where the interface is, or was; NULL: in the namespace of this process. */
const char *netup_namespace(const struct netup *netup);

/*! Whether the interface was in a namespace that is not there any more; what was in it is gone with
 * it. */
bool netup_is_gone(const struct netup *netup);

/*!
 * Makes the link's table of the packet filter as the file wants it, or removes it.
 * \return 0, also with a text about what the kernel lacks; a negative errno with a text
 */
int netup_set_filter(struct netup *netup, const struct conf_link *conf, unsigned int ifindex,
		     char text[static NETUP_TEXT_MAX]);

/*! Removes the table; when that fails, there is a text, and it stays in the notes. */
void netup_undo_filter(struct netup *netup, char text[static NETUP_TEXT_MAX]);

/*! Switches forwarding on or back, as the file wants it. Never a reason to give up, because the
 * link itself works without; what is missing is in the text. */
void netup_set_forward(struct netup *netup, const struct conf_link *conf, unsigned int ifindex,
		       char text[static NETUP_TEXT_MAX]);

/*!
 * Finds the bridge of the file, or makes and notes it.
 * \return 0; NETUP_MISSING, or a negative errno, with a text
 */
int netup_claim_bridge(struct netup *netup, const struct conf_link *conf,
		       char text[static NETUP_TEXT_MAX]);

/*! Deletes the bridge that was made for another file, once the interface is in the new one. */
void netup_drop_bridge(struct netup *netup, char text[static NETUP_TEXT_MAX]);

/*! Deletes the bridge that was made for the link, unless others are in it; when that fails, there
 * is a text, and it stays in the notes. */
void netup_undo_bridge(struct netup *netup, char text[static NETUP_TEXT_MAX]);

/*! Switches forwarding back, as far as no other link needs it; when that fails, there is a text,
 * and it stays in the notes. */
void netup_undo_forward(struct netup *netup, char text[static NETUP_TEXT_MAX]);

#endif
