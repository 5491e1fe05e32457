/*
 * What goes over the socket pair between a link and its helper; see helper.h. Only the two ends
 * include this; what a link may ask for is in helper_request.h.
 *
 * Each request is one message: a head that says which it is, and an argument whose size belongs to
 * the request. Each gets one answer with the same number, but HELPER_CANCEL, which gets none. What
 * is long travels in a memory file whose descriptor goes with the message, and what has only a
 * meaning as a descriptor goes as one. Both ends are the same program, so structs go over as they
 * are; whoever receives them checks them.
 */
#ifndef CORE_HELPER_WIRE_H
#define CORE_HELPER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/diag.h"
#include "conf/model.h"
#include "daemon/core/helper_request.h"

/* Arguments. */
union helper_argument {
	uint32_t is_quiet; /* LOAD: 0, or 1: only to look, with the findings */
	uint32_t conf;     /* CLAIM, RULES, DNS: enum helper_conf; CHANGE: that it goes to */
	uint32_t hook;     /* HOOK: enum conf_hook */
	uint32_t mtu;      /* APPLY, SET_MTU */
	uint32_t port;     /* OPEN_UDP: host order */
	uint32_t is_left;  /* LEAVE: 0 or 1 */
	struct helper_file sockets[HELPER_N_SOCKETS];
};

struct helper_message {
	uint32_t request; /* enum helper_request */
	uint32_t id;
	union helper_argument argument;
};

/* What the message with no argument is long. */
#define HELPER_HEAD_LEN offsetof(struct helper_message, argument)

/* Descriptors that go with one message. */
#define HELPER_FDS_MAX 2

/* One message, for sending or as it came. */
struct helper_parcel {
	void *head; /* helper_message or helper_answer */
	size_t head_len;
	void *rest; /* what follows it, in memory that is wiped; or NULL */
	size_t rest_len;
	int fds[HELPER_FDS_MAX]; /* -1: none */
};

/*!
 * Sends one message.
 * \param flags  MSG_DONTWAIT or 0
 * \return 0 or a negative errno; -EPIPE when the other end is gone
 */
int helper_send(int fd, const struct helper_parcel *parcel, int flags);

/*!
 * Receives one, straight into `head` and `rest`; descriptors are the caller's, close-on-exec.
 * \param parcel  head_len and rest_len: the room; head_len becomes what came, both parts together
 * \param flags   MSG_DONTWAIT or 0
 * \return 0; -EPIPE: the other end is gone; -EAGAIN; -EMSGSIZE: it is too long, nothing is left of
 *         it; another negative errno
 */
int helper_receive(int fd, struct helper_parcel *parcel, int flags);

/*! Closes what came with a message. */
void helper_close_fds(struct helper_parcel *parcel);

/*!
 * Puts a configuration without its secrets into a memory file.
 *
 * \return a descriptor or a negative errno
 */
int helper_pack(const struct conf_link *conf);

/*!
 * Reads one. The file may be changed by the other end at any time: it is copied first.
 * \return 0; -EBADMSG: it is none; another negative errno; `ret` is as of pack_read_link()
 */
int helper_unpack(int fd, struct conf_link *ret);

/*! Puts findings about a file into a memory file. \return a descriptor or a negative errno */
int helper_pack_findings(const struct diag *diag);

/*! Adds findings that another process has made. \return 0 or a negative errno */
int helper_unpack_findings(int fd, struct diag *diag);

#endif
