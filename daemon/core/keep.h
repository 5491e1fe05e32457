/*
 * What one process of a link leaves to the next: the interface and the UDP sockets, which the
 * service manager keeps while the service restarts (daemon/host/service.h), as it keeps the control
 * sockets (daemon/cli/run_servers.h) and where the peer was (last_seen.h). The interface never
 * vanishes then, so addresses, routes and connections stay, and packets wait in it; the peer finds
 * the same port open. Session keys are never left to anybody: the new process makes a handshake.
 *
 * An interface says nothing of the file that it was set up from. So its descriptor has a name that
 * stands for everything in the file that becomes an address or a route: after a restart with
 * another file the interface is made anew, rather than kept with what the old file wanted. A reload
 * changes it in place.
 *
 * Commands of the administrator's (PreUp, PostUp) expect an interface that nobody has touched, as
 * wg-quick gives them: "ip route add" fails when the route of the process before is still there.
 * So the interface of a link with commands is not kept, whatever the process ends of, and that of a
 * start that fails is given back, because the next one would find it half set up.
 *
 * When the service is stopped and not restarted, the manager closes what it keeps, and the
 * interface vanishes as it does without a manager.
 */
#ifndef CORE_KEEP_H
#define CORE_KEEP_H

#include <sodium.h>

#include "conf/model.h"
#include "daemon/data/tun.h"
#include "daemon/data/udp.h"

/* Bytes of a descriptor's name at the manager, with a NUL. */
#define KEEP_NAME_MAX 32

/*!
 * Makes a name that stands for what it was digested from: a kind, "-", and the digest in hex.
 * \param kind    some letters
 * \param digest  begun with crypto_generichash_BYTES_MIN bytes of output; ended here
 */
void keep_name(const char *kind, crypto_generichash_state *digest, char ret[static KEEP_NAME_MAX]);

/*!
 * Takes what the process before has left and what still fits the file; all else is closed, also at
 * the manager, before this returns. To be called before anything looks for an interface of that
 * name or for leftovers.
 *
 * \param tun  set when there is one: its fd is not -1 then
 * \param udp  set when there are sockets: its port is not 0 then; the mark is to be set anew
 * \param tun_name  gets the name that the interface has at the manager; empty: it has none
 */
void keep_take(const struct conf_link *conf, struct tun *tun, struct udp *udp,
	       char tun_name[static KEEP_NAME_MAX]);

/*!
 * Leaves them to the next process, from now on. To be called again when a reload has changed
 * addresses, routes or sockets: what was left before is replaced.
 *
 * \param tun_name  of keep_take(); becomes the name that the interface has at the manager, or
 *                  empty: it is not left, because there are commands
 * \return 0 or a negative errno: a restart will make the interface anew
 */
int keep_leave(const struct conf_link *conf, const struct tun *tun, const struct udp *udp,
	       char tun_name[static KEEP_NAME_MAX]);

/*!
 * Has the manager close its copy of the interface.
 *
 * \param tun_name  empty: there is none; becomes empty
 */
void keep_take_back(char tun_name[static KEEP_NAME_MAX]);

#endif
