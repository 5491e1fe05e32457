/*
 * What the kernel says beside a datagram: control messages (ancillary data, cmsg(3)) and the name
 * of the sender, taken apart.
 *
 * Pure functions of what recvmsg(2) filled in. Nothing that is in a message is believed without a
 * look at its length: one that is too short, or that reaches beyond the others, is passed over,
 * one that is not known is, too. A kernel does not make such messages, except the last one when
 * their room was too small (MSG_CTRUNC); but other kernels and emulations of one are about.
 */
#ifndef DATA_UDP_CONTROL_H
#define DATA_UDP_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "daemon/data/udp.h"

/*!
 * Fills what is known of a datagram or run that was received.
 * \param header  as recvmsg(2) left it, with msg_name at ret->path.remote. In a truncated one
 *                (MSG_TRUNC, MSG_CTRUNC) what is there counts
 * \param len     bytes that were received
 * \param ret     all is set but `data`. segment_len is 1 at least and `len` at most (where that is
 *                not 0); path.remote is AF_UNSPEC when the sender's name is none of IPv4 or IPv6; a
 *                source is of the same family
 */
void udp_control_read(const struct msghdr *header, size_t len, struct udp_datagram *ret);

/*!
 * Fills what an entry of the error queue says (ip(7), IP_RECVERR).
 * \param header  as recvmsg(2) with MSG_ERRQUEUE left it, with msg_name at ret->remote
 * \param ret     error is 1 to 4095, as every errno is; remote is AF_UNSPEC when the entry does not
 *                tell where the datagram went
 * \return false when it names no error; `ret` then says nothing
 */
must_check bool udp_control_read_error(const struct msghdr *header, struct udp_error *ret);

#endif
