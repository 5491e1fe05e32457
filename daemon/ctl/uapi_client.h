/* One connection to the server of WireGuard's text protocol. Only uapi_server.c includes this. */
#ifndef CTL_UAPI_CLIENT_H
#define CTL_UAPI_CLIENT_H

#include "daemon/ctl/uapi_server.h"

/*!
 * Begins to serve a connection.
 * \param slot  where the server keeps the client; is NULL again once the client is gone, by
 *              itself or by uapi_client_close()
 * \param fd    connected and non-blocking; owned by the client, closed when this fails
 * \return 0 or -ENOMEM
 */
must_check int uapi_client_open(struct uapi_server *server, struct uapi_client **slot, int fd);

/*! Closes the connection, wipes and frees all it has, and empties its slot. */
void uapi_client_close(struct uapi_client *client);

#endif
