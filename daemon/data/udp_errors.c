/*
 * The error queue of a UDP socket: what ICMP says about datagrams that we sent. It is believed
 * for one thing only, the sentence that tells an administrator why there is no answer; anybody
 * can forge it.
 */
#include <errno.h>
#include <time.h> /* errqueue.h does not include it itself */

#include <linux/errqueue.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/data/udp.h"

bool udp_read_error(int fd, struct udp_error *ret)
{
	union {
		char bytes[512];
		struct cmsghdr align;
	} control;
	struct msghdr header = {
		.msg_name = &ret->remote,
		.msg_namelen = sizeof(ret->remote),
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct sock_extended_err extended;

	memset(ret, 0, sizeof(*ret));
	if (recvmsg(fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header); cmsg;
	     cmsg = CMSG_NXTHDR(&header, cmsg)) {
		if ((cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_RECVERR) ||
		    (cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_RECVERR)) {
			memcpy(&extended, CMSG_DATA(cmsg), sizeof(extended));
			ret->error = (int)extended.ee_errno;
		}
	}
	return true;
}
