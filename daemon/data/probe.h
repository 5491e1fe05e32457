/*
 * Probes: what the kernel can really do of the offloads, found out at start-up and before any of
 * them is used. A kernel's word alone (a setsockopt(2) that succeeds, an ioctl(2) that is taken)
 * has been wrong before, and a virtual machine's or an emulation's even more often.
 *
 * probe_tun() writes merged packets to the interface while it is still down: the kernel checks
 * their headers, says EINVAL if it does not know that kind, and otherwise refuses them because the
 * interface is down (EIO). probe_udp() sends runs over loopback from one temporary socket to
 * another and compares what arrives. Neither needs anything from the network, and nothing of either
 * leaves this host; neither can fail a start: what could not be found out stays PROBE_UNKNOWN, and
 * is used with the fall-back that the data path has anyway, when a run or a write is refused.
 *
 * What this does not find out: a device on the way that cuts up runs in a wrong way, or not at all.
 */
#ifndef DATA_PROBE_H
#define DATA_PROBE_H

#include <stdbool.h>

#include "common/nsec.h"
#include "daemon/data/tun.h"
#include "daemon/data/udp.h"

/* Each offload that can be there or not. */
enum probe_offload {
	PROBE_TUN_READ_TCP,   /* TCP superpackets from the interface */
	PROBE_TUN_READ_UDP,   /* UDP superpackets from the interface */
	PROBE_TUN_WRITE_CSUM, /* packets to it whose checksum the kernel finishes, as merged ones */
	PROBE_TUN_WRITE_TCP,  /* merged TCP to the interface, IPv4 and IPv6 */
	PROBE_TUN_WRITE_UDP,  /* merged UDP to the interface, IPv4 and IPv6 */
	PROBE_UDP_SEGMENT,    /* runs sent */
	PROBE_UDP_GRO,        /* runs received */
	PROBE_N_OFFLOADS,
};

enum probe_answer {
	PROBE_UNKNOWN = 0, /* could not be probed */
	PROBE_WORKS,       /* of reading from the interface: the kernel has promised it */
	PROBE_REFUSED,     /* the kernel does not do it, or does it wrong */
};

/* What is known. All zero bits: nothing yet. */
struct probe {
	enum probe_answer answers[PROBE_N_OFFLOADS];
};

/* What probe_udp() may take of a start; it needs a tenth of that on an idle machine. */
#define PROBE_BUDGET (12 * NSEC_PER_MSEC)

/* Longest text that probe_format() writes, with its NUL. */
#define PROBE_TEXT_MAX 256

/*!
 * Finds out what may be read from and written to an interface. Takes some 0.1 ms, and counts up to
 * seven packets as dropped on the interface. An interface that is up already (a persistent one) is
 * not written to, and what it takes stays PROBE_UNKNOWN.
 * Source of the rule: kernel drivers/net/tun.c, tun_get_user(), where the header is looked at
 * before IFF_UP is; that this kernel keeps that order is part of what is probed.
 * \param tun    as tun_open() left it, before its interface is set up
 * \param probe  all PROBE_TUN_… are set, the others stay
 */
void probe_tun(const struct tun *tun, struct probe *probe);

/*!
 * Finds out whether runs can be sent and received: runs of 2 and of 64 datagrams, equally long and
 * with a shorter last one, for each family that `udp` has. Opens sockets of its own on loopback
 * addresses, so `udp` itself carries nothing. Where loopback is down, filtered or has no address,
 * and where the machine is too busy for the time that is given, the answers are PROBE_UNKNOWN.
 * \param udp     as udp_open() left it
 * \param budget  the time after which it gives up, on the whole; a third of it is what is waited
 *                for one run
 * \param probe   PROBE_UDP_SEGMENT and PROBE_UDP_GRO are set, the others stay
 */
void probe_udp(const struct udp *udp, nsec_t budget, struct probe *probe);

/*! Whether an offload may be used: it works, or nobody could find out. */
static inline bool probe_allows(const struct probe *probe, enum probe_offload offload)
{
	return probe->answers[offload] != PROBE_REFUSED;
}

/*!
 * Writes what is in use and what not, as one sentence without an end: "offloads in use: TCP
 * superpackets read, TCP merged; switched off in the host file: runs sent; refused by the kernel:
 * UDP merged; in use, but could not be probed: runs received".
 * \param switched_off  bits 1 << enum probe_offload of those that the host file switches off
 * \return `text`
 */
const char *probe_format(const struct probe *probe, unsigned int switched_off,
			 char text[static PROBE_TEXT_MAX]);

#endif
