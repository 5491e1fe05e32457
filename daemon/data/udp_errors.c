/*
 * The error queue of a UDP socket: what ICMP says about datagrams that we sent. It is believed
 * for one thing only, the sentence that tells an administrator why there is no answer; anybody
 * can forge it.
 */
#include <string.h>
#include <sys/socket.h>

#include "daemon/data/udp_control.h"

bool udp_read_error(int fd, struct udp_error *ret)
{
	union {
		char bytes[512];
		struct cmsghdr align;
	} control;
	struct msghdr header;

	/* What is no error (nobody asked for timestamps here) is passed over. */
	do {
		memset(ret, 0, sizeof(*ret));
		header = (struct msghdr) {
			.msg_name = &ret->remote,
			.msg_namelen = sizeof(ret->remote),
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		if (recvmsg(fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return false;
	} while (!udp_control_read_error(&header, ret));
	return true;
}
