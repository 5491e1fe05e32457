/* The TUN interface; see tun.h. */
#include "daemon/data/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int tun_open(const char *name, int *fd)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int tun = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int r;

	if (tun < 0)
		return -errno;
	memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	if (ioctl(tun, TUNSETIFF, &request) < 0) {
		r = -errno;
		close(tun);
		return r;
	}
	*fd = tun;
	return 0;
}

ssize_t tun_read(int fd, uint8_t *buf, size_t size)
{
	ssize_t n;

	do {
		n = read(fd, buf, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int tun_write(int fd, const uint8_t *packet, size_t len)
{
	ssize_t n;

	do {
		n = write(fd, packet, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}
