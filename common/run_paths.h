/*
 * Where a link's files are below /run, for those who make them, those who remove them, and those
 * who look for them.
 */
#ifndef COMMON_RUN_PATHS_H
#define COMMON_RUN_PATHS_H

/* One directory for each link: its control sockets, its lock, what a crash must not lose. */
#define RUN_PATHS_DIR "/run/vpnd"

/* Where `wg` looks for LINK.sock; /var/run is the same place. */
#define RUN_PATHS_UAPI_DIR "/run/wireguard"

/* Names of sockets, without ".sock", in the directory of the link: of its status, and of what a
 * reload would change. */
#define RUN_PATHS_STATUS  "status"
#define RUN_PATHS_CHANGES "changes"

#endif
