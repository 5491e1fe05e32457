/*
 * A kernel for tests of sending, put in place of the real one by --wrap=sendmmsg: it refuses what a
 * case tells it to, in the kernel's manner (messages before the refused one are sent and counted,
 * the error comes with the next call), and writes down every datagram.
 */
#ifndef TESTS_UNIT_FAKE_SENDMMSG_H
#define TESTS_UNIT_FAKE_SENDMMSG_H

#include "tests/unit/wire_batch.h"

#define SENT_MAX 512
#define ALWAYS   1000000

int __wrap_sendmmsg(int fd, struct mmsghdr *headers, unsigned int n, int flags);

/* What is refused. */
static struct {
	int error;           /* errno value; 0: nothing */
	size_t at;           /* from this position in the data on; see `data` */
	size_t until;        /* up to this one */
	bool runs_only;      /* single datagrams pass */
	size_t at_least;     /* datagrams shorter than this pass */
	bool pinned_only;    /* without a pinned source all pass */
	unsigned int n_left; /* so many times */
	unsigned int room;   /* messages until the socket is full: then EAGAIN */
} fault;

/* What was sent, datagram by datagram. */
static struct {
	size_t at, len;
} sent[SENT_MAX];
static size_t n_sent, n_calls, n_runs_sent;

static inline size_t segment_len_of(const struct msghdr *header)
{
	struct msghdr copy = *header;
	uint16_t len;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&copy); cmsg; cmsg = CMSG_NXTHDR(&copy, cmsg)) {
		if (cmsg->cmsg_level == IPPROTO_UDP && cmsg->cmsg_type == UDP_SEGMENT) {
			memcpy(&len, CMSG_DATA(cmsg), sizeof(len));
			return len;
		}
	}
	return 0;
}

static inline bool has_source(const struct msghdr *header)
{
	struct msghdr copy = *header;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&copy); cmsg; cmsg = CMSG_NXTHDR(&copy, cmsg))
		if (cmsg->cmsg_type == IP_PKTINFO && cmsg->cmsg_level == IPPROTO_IP)
			return true;
	return false;
}

/* What the kernel says about one message: 0 or an errno value. */
static inline int judge(const struct msghdr *header)
{
	size_t at = (size_t)((uint8_t *)header->msg_iov->iov_base - data);
	size_t segment_len = segment_len_of(header);
	size_t datagram_len = segment_len ? segment_len : header->msg_iov->iov_len;

	if (fault.room == 0)
		return EAGAIN;
	if (!fault.error || fault.n_left == 0 || at < fault.at || at >= fault.until ||
	    (fault.runs_only && !segment_len) || datagram_len < fault.at_least ||
	    (fault.pinned_only && !has_source(header)))
		return 0;
	fault.n_left--;
	return fault.error;
}

static inline void take(const struct msghdr *header)
{
	size_t at = (size_t)((uint8_t *)header->msg_iov->iov_base - data);
	size_t left = header->msg_iov->iov_len;
	size_t segment_len = segment_len_of(header);

	if (segment_len)
		n_runs_sent++;
	else
		segment_len = left;
	/* What the kernel would refuse: a run has at most 64 datagrams and 65,507 bytes. */
	assert_true(left <= UDP_DATAGRAM_MAX && left <= segment_len * UDP_RUN_MAX);
	for (size_t len; left > 0; at += len, left -= len) {
		len = MIN(left, segment_len);
		assert_true(n_sent < SENT_MAX);
		sent[n_sent].at = at;
		sent[n_sent++].len = len;
	}
}

int __wrap_sendmmsg(int fd, struct mmsghdr *headers, unsigned int n, int flags)
{
	int error = 0;
	unsigned int i;

	(void)fd;
	(void)flags;
	assert_true(n > 0 && n <= UDP_BATCH);
	n_calls++;
	for (i = 0; i < n; i++) {
		error = judge(&headers[i].msg_hdr);
		if (error)
			break;
		take(&headers[i].msg_hdr);
		fault.room--;
	}
	if (i > 0)
		return (int)i;
	errno = error;
	return -1;
}

#endif
