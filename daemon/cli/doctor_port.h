/* What `vpnd doctor` reads of the kernel's list of UDP sockets: pure, so that it can be tested. */
#ifndef CLI_DOCTOR_PORT_H
#define CLI_DOCTOR_PORT_H

#include <stdbool.h>
#include <stdint.h>

/*!
 * Whether a line of /proc/net/udp or udp6 is a socket bound to a port, proc(5).
 * \param ret_inode  of the socket; written on success only
 */
bool port_in_line(const char *line, uint16_t port, unsigned long *ret_inode);

#endif
