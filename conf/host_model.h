/*
 * What the host file says, as plain values: what one host decides for all its links.
 *
 * conf_host is filled by conf/host_file.c and read by the daemon. It owns nothing, so it may be
 * copied and needs no end.
 */
#ifndef CONF_HOST_MODEL_H
#define CONF_HOST_MODEL_H

#include <stdbool.h>

#include "common/diag.h"
#include "common/log_level.h"
#include "conf/model.h"

/* What becomes of a system call that the process of a link has no need of. */
enum conf_sandbox {
	CONF_SANDBOX_OFF,    /* nothing: it is not watched, and may open files */
	CONF_SANDBOX_REFUSE, /* it fails */
	CONF_SANDBOX_KILL,   /* the process ends at once */
};

/* Without the option of the build. */
#ifndef CONF_SANDBOX_DEFAULT
#define CONF_SANDBOX_DEFAULT CONF_SANDBOX_REFUSE
#endif

/* Limits of what a host file may ask for. */
enum conf_host_limits {
	CONF_TUN_BATCH_MAX = 256,                   /* reads from the interface */
	CONF_UDP_BATCH_MAX = 64,                    /* messages of one system call */
	CONF_BROADCAST_LIMIT_MAX = 1000000,         /* frames a second */
	CONF_SOCKET_BUFFER_MIN = 65536,             /* one datagram of the largest kind */
	CONF_SOCKET_BUFFER_MAX = 512 * 1024 * 1024, /* the kernel counts twice that, in an int */
	CONF_USER_MAX = 33,                         /* bytes of a user's name, with a NUL */
};

/* The host file. Start with conf_host_init(). */
struct conf_host {
	struct {
		enum log_level level; /* least important that is printed */
		enum log_target target;
	} log;

	/* What the data path may use, each only where the kernel can do it. */
	struct {
		bool tun_split_tcp; /* superpackets from the interface */
		bool tun_split_udp;
		bool tun_merge_tcp;          /* TCP segments joined on their way to the interface */
		bool tun_merge_udp;          /* the same for UDP datagrams */
		bool udp_segment;            /* UDP_SEGMENT when sending */
		bool udp_gro;                /* UDP_GRO when receiving */
		bool trust_inner_checksum;   /* do not verify what the cipher has authenticated */
		unsigned int tun_batch;      /* reads from the interface before sending */
		unsigned int udp_send_batch; /* messages of one sendmmsg(2) */
		unsigned int udp_receive_batch;   /* messages of one recvmmsg(2) */
		unsigned int udp_send_buffer;     /* bytes; 0: as the kernel has it */
		unsigned int udp_receive_buffer;  /* bytes; 0: as the kernel has it */
		unsigned int tap_broadcast_limit; /* frames a second; 0: no limit */
	} data;

	/* What links may do on this host. */
	struct {
		bool hooks;               /* whether PreUp to PostDown may run */
		char user[CONF_USER_MAX]; /* that the link becomes when it is started as root */
		enum conf_sandbox sandbox;
	} rights;

	/* Used where a link file is silent; see conf_host_apply_defaults(). */
	struct {
		unsigned int mtu;                  /* 0: what fits the path */
		unsigned int persistent_keepalive; /* seconds, 0: off; at most 65535 */
		enum conf_cipher cipher;
	} defaults;
};

/*! Sets what holds without a host file, as the table of settings says. */
void conf_host_init(struct conf_host *host);

/*!
 * Fills MTU, PersistentKeepalive and Cipher of a link from the host's defaults where the link's
 * own file does not name them (conf_link.given). Call it once the link file is read without an
 * error, and again for each file that is read anew.
 */
void conf_host_apply_defaults(const struct conf_host *host, struct conf_link *link);

/*!
 * Finds what a link asks for and its host forbids: commands, where rights.hooks is off. They are
 * refused and not left out, because a firewall rule or a route may depend on them.
 *
 * \param link  read without an error
 * \param diag  findings, about the link's file
 */
void conf_host_check_link(const struct conf_host *host, const struct conf_link *link,
			  struct diag *diag);

#endif
