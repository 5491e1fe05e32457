/*
 * What a link may ask of its helper, and what it is answered: the words that both ends and the link
 * itself use. How they travel is in helper_wire.h.
 */
#ifndef CORE_HELPER_REQUEST_H
#define CORE_HELPER_REQUEST_H

#include <stdint.h>

#include "daemon/data/udp.h"

/* What the helper does; helper_work.c has the table. */
enum helper_request {
	HELPER_LOAD,      /* reads the link file */
	HELPER_OFFER,     /* has a configuration that may come into force */
	HELPER_ACCEPT,    /* it is in force */
	HELPER_BEGIN,     /* lock, leftovers of a crash */
	HELPER_CLAIM,     /* the mark for sockets */
	HELPER_OPEN_UDP,  /* sockets with the mark */
	HELPER_MARK_UDP,  /* sets the mark of sockets that are open */
	HELPER_APPLY,     /* MTU, addresses, up, routes */
	HELPER_CHANGE,    /* addresses and routes to those of the other configuration */
	HELPER_RESTORE,   /* what the kernel drops when the interface is switched off */
	HELPER_SET_MTU,   /* of the interface */
	HELPER_RULES,     /* default routes, rules, packet filter */
	HELPER_DNS,       /* name servers */
	HELPER_HOOK,      /* the administrator's commands */
	HELPER_RESOLVER,  /* another process that resolves names */
	HELPER_SOCKETS,   /* which files are to be removed at the end */
	HELPER_LEAVE,     /* whether another process takes everything over after a crash */
	HELPER_CANCEL,    /* the program that runs is no longer wanted */
	HELPER_END_RULES, /* PreDown, rules and name servers */
	HELPER_END,       /* PostDown, the lock */
	HELPER_N_REQUESTS,
};

/* Which of the helper's two configurations. */
enum helper_conf { HELPER_IN_FORCE, HELPER_OFFERED, HELPER_N_CONFS };

/* A file of ours, by what tells it from another one of the same name. */
struct helper_file {
	uint64_t dev, ino; /* both 0: there is none */
};

/* The control sockets of a link: of its status, of what a reload would change, of wg. */
#define HELPER_N_SOCKETS 3

struct helper_answer {
	uint32_t id;
	int32_t result; /* of the request; -EPROTO: it made no sense, -EBUSY: not now */
	union {
		uint32_t mark;  /* CLAIM */
		struct udp udp; /* OPEN_UDP; its descriptors go with it, fd4 before fd6 */
	} value;
};

#endif
