/*
 * The TUN interface: its descriptor, one IP packet a read or write.
 *
 * The interface lives as long as its descriptor, so nothing has to be undone when vpnd ends,
 * however it ends: addresses and routes go with the interface.
 */
#ifndef DATA_TUN_H
#define DATA_TUN_H

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TUN_DEVICE "/dev/net/tun"

/*!
 * Makes (or, if it is persistent and free, takes) the interface `name`.
 * \param name  1 to IFNAMSIZ - 1 characters
 * \param fd    set to a non-blocking descriptor, closed on exec, on success
 * \return 0; -ENOENT, -ENODEV, -ENXIO, -EACCES when there is no usable TUN_DEVICE; -EPERM
 *         without CAP_NET_ADMIN; -EBUSY when another process holds the interface; -EINVAL when
 *         an interface of that name is no TUN
 */
int tun_open(const char *name, int *fd);

/*!
 * Reads one packet.
 * \param buf  `size` bytes; a longer packet is cut
 * \return bytes; -EAGAIN when there is none; -EBADFD when the interface was deleted
 */
ssize_t tun_read(int fd, uint8_t *buf, size_t size);

/*!
 * Writes one packet.
 * \return 0; -EIO while the interface is down; -EBADFD when it was deleted; -EAGAIN, -ENOBUFS
 *         when the kernel has no room
 */
int tun_write(int fd, const uint8_t *packet, size_t len);

#endif
