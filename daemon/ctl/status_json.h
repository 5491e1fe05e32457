/*
 * A link's status as JSON, for `vpnd show --json` and every other program.
 *
 * The object has "version": 1. Within a version members may be added, and none changes its
 * meaning or goes away. What is not known or not there is null. Times are whole seconds of Unix
 * time, ages and durations are seconds with a fraction.
 *
 *   version            1
 *   link               name of link and interface
 *   state              idle, handshake, up, stale, no-answer or gave-up
 *   state_text         the same for people
 *   state_since        when the state was entered; state_seconds: how long ago
 *   public_key         our own
 *   interface          { name, index, mtu, mode (tun or tap) }
 *   listen_port, fwmark (0: none)
 *   peer               { public_key, endpoint ("192.0.2.1:51820"), persistent_keepalive (0: off),
 *                      allowed_ips (how many prefixes) }
 *   cipher             of the session
 *   handshake          the last one that was completed: { time, age, duration (null: the peer began
 *                      it) }
 *   traffic            { rx_bytes, tx_bytes (UDP payload), rx_packets, tx_packets (inner) }
 *   loss               towards us, by the counters in the peer's messages: { received, lost,
 *                      ratio (0 to 1) }
 *   drops              packets or messages that went nowhere, by reason
 *   waits              how often the UDP socket was full
 *   messages           what came, by what it turned out to be
 *   trouble            the last one: { text, advice, time, age, over (a session began since) }
 *   offloads           names of those in use
 */
#ifndef CTL_STATUS_JSON_H
#define CTL_STATUS_JSON_H

#include "daemon/core/status.h"

#define STATUS_JSON_VERSION 1

/*!
 * Writes the status as this object.
 *
 * \return the object as text without a newline at its end, for free(); NULL when memory is short
 */
char *status_json(const struct link_status *status);

#endif
