/*
 * The bridge that a TAP link joins: found by its name, made when the link file wants that and there
 * is none, and deleted again when it is one that vpnd has made and nobody else uses it.
 *
 * A bridge that was made is noted by name and index, because another one may bear its name later:
 * that is not ours.
 */
#ifndef DAEMON_HOST_BRIDGE_H
#define DAEMON_HOST_BRIDGE_H

#include "conf/model.h"
#include "daemon/host/nl.h"

/* Bytes of a text, with a NUL. */
#define BRIDGE_TEXT_MAX 256

/* Expected answers. */
enum bridge_answer {
	BRIDGE_MISSING = 1, /* there is no interface of that name */
	BRIDGE_OTHER,       /* there is one, and it is no bridge */
	BRIDGE_MADE,        /* there was none, and now there is */
	BRIDGE_IN_USE,      /* not deleted: it has ports */
};

/* One that was made by a link. ifindex 0: none. */
struct bridge {
	unsigned int ifindex;
	char name[IFNAMSIZ];
};

/*!
 * Looks a bridge up.
 * \param ret  described on success
 * \return 0; BRIDGE_MISSING; BRIDGE_OTHER; a negative errno
 */
int bridge_find(struct netlink *nl, const char *name, struct nl_link *ret);

/*!
 * Finds the bridge of a link file, or makes it, switched on, if the file says BridgeCreate.
 * \param made  filled for BRIDGE_MADE
 * \param text  filled for BRIDGE_MISSING, BRIDGE_OTHER and errors: a sentence without a full stop
 * \return 0; BRIDGE_MADE; BRIDGE_MISSING; BRIDGE_OTHER; a negative errno
 */
int bridge_claim(struct netlink *nl, const struct conf_link *conf, struct bridge *made,
		 char text[static BRIDGE_TEXT_MAX]);

/*!
 * Says what is wrong with a bridge.
 * \param answer  BRIDGE_MISSING, BRIDGE_OTHER or a negative errno
 * \param text    a sentence without a full stop
 */
void bridge_explain(const char *name, int answer, char text[static BRIDGE_TEXT_MAX]);

/*!
 * Makes an interface a port of the bridge of that name; one that it is in already is not left.
 * \return 0; BRIDGE_MISSING; BRIDGE_OTHER; a negative errno
 */
int bridge_join(struct netlink *nl, const char *name, unsigned int ifindex);

/*! Takes an interface out of the bridge that it is in, if any. \return 0 or a negative errno */
int bridge_leave(struct netlink *nl, unsigned int ifindex);

/*!
 * Deletes a bridge that was made, unless it has ports other than one.
 * \param made     its name and index must still belong together
 * \param ifindex  the port that does not count; 0: all do
 * \return 0, also when it is gone; BRIDGE_IN_USE; a negative errno
 */
int bridge_unmake(struct netlink *nl, const struct bridge *made, unsigned int ifindex);

#endif
