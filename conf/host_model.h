/*
 * What the host file says, as plain values: what one host decides for all its links.
 *
 * conf_host is filled by conf/host_file.c and read by the daemon. It owns nothing, so it may be
 * copied and needs no end.
 */
#ifndef CONF_HOST_MODEL_H
#define CONF_HOST_MODEL_H

#include <stdbool.h>

#include "conf/model.h"

/* The values are syslog's and those of the log. */
enum conf_log_level {
	CONF_LOG_ERROR = 3,
	CONF_LOG_WARNING = 4,
	CONF_LOG_NOTICE = 5,
	CONF_LOG_INFO = 6,
	CONF_LOG_DEBUG = 7,
};

/* The host file. Start with conf_host_init(). */
struct conf_host {
	struct {
		enum conf_log_level level; /* least important that is printed */
	} log;

	/* What the data path may use, each only where the kernel can do it. */
	struct {
		bool tun_offload;          /* superpackets from the interface */
		bool tun_merge_tcp;        /* TCP segments joined on their way to the interface */
		bool tun_merge_udp;        /* the same for UDP datagrams */
		bool udp_segment;          /* UDP_SEGMENT when sending */
		bool udp_gro;              /* UDP_GRO when receiving */
		bool trust_inner_checksum; /* do not verify what the cipher has authenticated */
	} data;

	/* Used where a link file is silent; see host_apply_defaults(). */
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
void host_apply_defaults(const struct conf_host *host, struct conf_link *link);

#endif
