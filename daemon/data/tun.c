/* The TUN interface; see tun.h. */
#include "daemon/data/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/data/vnet.h"

/* Newer than Debian 12's headers, but not than its successors' kernels. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/* Either needs TUN_F_CSUM. */
#define OFFLOAD_TCP (TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)
/* The kernel takes both families of USO or none. */
#define OFFLOAD_UDP (TUN_F_USO4 | TUN_F_USO6)

/* An interface that exists without headers cannot get them: then it is used as it is. */
static int attach(int fd, const char *name, bool is_tap, bool *has_vnet)
{
	const int kind = is_tap ? IFF_TAP : IFF_TUN;
	const int flags[] = { kind | IFF_NO_PI | IFF_VNET_HDR, kind | IFF_NO_PI };
	struct ifreq request;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		memset(&request, 0, sizeof(request));
		memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
		request.ifr_flags = (short)flags[i];
		if (ioctl(fd, TUNSETIFF, &request) == 0) {
			*has_vnet = (flags[i] & IFF_VNET_HDR) != 0;
			return 0;
		}
		if (errno != EINVAL)
			break;
	}
	return -errno;
}

static bool offer(const struct tun *tun, unsigned int kinds)
{
	return ioctl(tun->fd, TUNSETOFFLOAD, kinds ? TUN_F_CSUM | kinds : 0) == 0;
}

/* Asks for superpackets. A refused request leaves the one before in force. */
static void ask_for_offloads(struct tun *tun)
{
	int header_len = VNET_HDR_LEN;

	if (ioctl(tun->fd, TUNSETVNETHDRSZ, &header_len) < 0)
		return;
	tun->has_tso = offer(tun, OFFLOAD_TCP);
	tun->has_uso = tun->has_tso && offer(tun, OFFLOAD_TCP | OFFLOAD_UDP);
}

int tun_open(const char *name, bool is_tap, struct tun *tun)
{
	int r;

	*tun = (struct tun)TUN_NULL;
	tun->fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tun->fd < 0)
		return -errno;
	tun->is_tap = is_tap;
	r = attach(tun->fd, name, is_tap, &tun->has_vnet);
	if (r < 0)
		tun_close(tun);
	else if (tun->has_vnet)
		ask_for_offloads(tun);
	return r;
}

int tun_adopt(int fd, const char *name, bool is_tap, struct tun *tun)
{
	const int flags = (is_tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI;
	const int irrelevant = IFF_VNET_HDR | IFF_PERSIST;
	struct ifreq request;

	memset(&request, 0, sizeof(request));
	if (ioctl(fd, TUNGETIFF, &request) < 0 || strncmp(request.ifr_name, name, IFNAMSIZ) != 0 ||
	    (request.ifr_flags & ~irrelevant) != flags)
		return -ENXIO;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return -ENXIO;
	*tun = (struct tun)TUN_NULL;
	tun->fd = fd;
	tun->is_tap = is_tap;
	tun->has_vnet = (request.ifr_flags & IFF_VNET_HDR) != 0;
	if (tun->has_vnet)
		ask_for_offloads(tun);
	return 0;
}

int tun_get_name(int fd, char ret[static IFNAMSIZ])
{
	struct ifreq request;

	memset(&request, 0, sizeof(request));
	if (ioctl(fd, TUNGETIFF, &request) < 0)
		return -errno;
	memcpy(ret, request.ifr_name, IFNAMSIZ);
	ret[IFNAMSIZ - 1] = '\0';
	return 0;
}

int tun_set_address(const struct tun *tun, const uint8_t *address)
{
	struct ifreq request;

	memset(&request, 0, sizeof(request));
	if (ioctl(tun->fd, TUNGETIFF, &request) < 0)
		return -errno;
	if (request.ifr_flags & IFF_PERSIST)
		return 0;
	memset(&request.ifr_hwaddr, 0, sizeof(request.ifr_hwaddr));
	request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(request.ifr_hwaddr.sa_data, address, IFHWADDRLEN);
	return ioctl(tun->fd, SIOCSIFHWADDR, &request) < 0 ? -errno : 0;
}

void tun_limit_offloads(struct tun *tun, bool may_tso, bool may_uso)
{
	tun->has_tso = tun->has_tso && may_tso;
	tun->has_uso = tun->has_uso && may_uso;
	/* Less than was accepted before is accepted as well. */
	(void)offer(tun, (tun->has_tso ? OFFLOAD_TCP : 0U) | (tun->has_uso ? OFFLOAD_UDP : 0U));
}

void tun_close(struct tun *tun)
{
	if (tun->fd >= 0)
		close(tun->fd);
	*tun = (struct tun)TUN_NULL;
}

ssize_t tun_read(const struct tun *tun, uint8_t *buf, size_t size)
{
	ssize_t n;

	do {
		n = read(tun->fd, buf, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int tun_write(const struct tun *tun, const struct iovec *iov, size_t n)
{
	ssize_t written;

	do {
		written = writev(tun->fd, iov, (int)n);
	} while (written < 0 && errno == EINTR);
	return written < 0 ? -errno : 0;
}
