/*
 * The processes behind resolver.h, and what is said over the socket pair. Only resolver.c
 * includes this.
 *
 * Both ends are the same program, so the structs go over as they are; each is one datagram of
 * exactly its size, zeroed before it is filled, and checked by whoever receives it.
 */
#ifndef DAEMON_HOST_RESOLVER_CHILD_H
#define DAEMON_HOST_RESOLVER_CHILD_H

#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>

#include "common/netaddr.h"
#include "daemon/host/resolver.h"

struct resolver_question {
	uint64_t id;
	uint16_t port;                /* host order */
	char host[HOST_NAME_LEN + 1]; /* with a NUL */
};

struct resolver_reply {
	uint64_t id;
	int32_t error;    /* EAI_* or RESOLVER_STALLED */
	uint32_t n_addrs; /* 0 to RESOLVER_ADDRS_MAX */
	union netaddr addrs[RESOLVER_ADDRS_MAX];
};

/*!
 * Becomes the keeper: lives until the other end of the pair is closed. To be called in a fresh
 * child with all signals blocked.
 * \param fd         this end of the pair
 * \param parent     process that must be alive
 * \param limit_ms   for one lookup
 * \param user       as in struct resolver
 */
noreturn void resolver_child_run(int fd, pid_t parent, int limit_ms, const char *user);

#endif
