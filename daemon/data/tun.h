/*
 * The TUN or TAP interface: its descriptor, and what the kernel offers with it. A TUN interface
 * carries IP packets, a TAP interface Ethernet frames; all else is the same for both.
 *
 * With IFF_VNET_HDR each read and write begins with a header (vnet.h), and may be a superpacket
 * of up to 64 KiB instead of one packet: that saves the kernel and us most of the work.
 *
 * The interface lives as long as its descriptor, so nothing has to be undone when vpnd ends,
 * however it ends: addresses and routes go with the interface.
 */
#ifndef DATA_TUN_H
#define DATA_TUN_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#define TUN_DEVICE "/dev/net/tun"

struct tun {
	int fd;        /* -1: none */
	bool is_tap;   /* Ethernet frames instead of packets */
	bool has_vnet; /* each read and write begins with a VNET_HDR_LEN header */
	bool has_tso;  /* TCP superpackets, IPv4 and IPv6 */
	bool has_uso;  /* UDP superpackets as well; Linux 6.2 */
};

#define TUN_NULL                                                                                   \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/*!
 * Makes (or, if it is persistent and free, takes) the interface `name`.
 * \param name    1 to IFNAMSIZ - 1 characters
 * \param is_tap  of which kind
 * \param tun     on success a non-blocking descriptor, closed on exec, and what it can do
 * \return 0; -ENOENT, -ENODEV, -ENXIO, -EACCES when there is no usable TUN_DEVICE; -EPERM
 *         without CAP_NET_ADMIN; -EBUSY when another process holds the interface; -EINVAL when
 *         an interface of that name is of another kind
 */
int tun_open(const char *name, bool is_tap, struct tun *tun);

/*!
 * Takes over a descriptor that another process has opened with tun_open(), with its interface.
 * \param fd      becomes the struct's on success, non-blocking and closed on exec; else it is
 *                untouched
 * \param name    that the interface must have
 * \param is_tap  of which kind it must be
 * \return 0; -ENXIO when it is no such descriptor: the interface was deleted or renamed, or is of
 *         another kind
 */
int tun_adopt(int fd, const char *name, bool is_tap, struct tun *tun);

/*!
 * Gives a TAP interface that was just made its Ethernet address. A persistent one, which somebody
 * else has made, keeps its own.
 * \param address  6 bytes
 * \return 0 or a negative errno
 */
int tun_set_address(const struct tun *tun, const uint8_t *address);

/*! The name of the interface that a descriptor holds. \return 0, or a negative errno: it is none */
int tun_get_name(int fd, char ret[static IFNAMSIZ]);

/*! Gives up superpackets of TCP, of UDP or of both: single packets are read from here on. */
void tun_limit_offloads(struct tun *tun, bool may_tso, bool may_uso);

/*! Closes it; safe twice. */
void tun_close(struct tun *tun);

/*!
 * Reads one packet or superpacket, with its header where there are headers.
 * \param buf  `size` bytes; a longer packet is cut
 * \return bytes; -EAGAIN when there is none; -EBADFD when the interface was deleted
 */
ssize_t tun_read(const struct tun *tun, uint8_t *buf, size_t size);

/*!
 * Writes one packet or superpacket, with its header where there are headers.
 * \param iov  its parts, `n` of them
 * \return 0; -EIO while the interface is down; -EBADFD when it was deleted; -EAGAIN, -ENOBUFS
 *         when the kernel has no room; -EINVAL when it does not like the header
 */
int tun_write(const struct tun *tun, const struct iovec *iov, size_t n);

#endif
