/* The socket and its conversations; see netlink.h for how a message travels. */
#include "daemon/host/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

enum {
	/* Messages in one send. Each refusal costs the receive buffer about 800 bytes, and the
	 * default buffer of 208 KiB must hold all of them. */
	BATCH_MESSAGES = 64,
	/* The kernel fills at most this much for one read of a dump. */
	RECEIVE_SIZE = 32 * 1024,
	/* Reads in one netlink_drain(): a full routing table that changes must not hold the loop.
	 */
	DRAIN_READS = 512,
	/* The kernel answers at once; this only keeps a wrong assumption from hanging a start. */
	ANSWER_TIMEOUT_SECONDS = 10,
};

/* What one exchange is waiting for. */
struct exchange {
	uint32_t first; /* sequence numbers of our messages */
	uint32_t last;
	netlink_reader reader;             /* NULL: contents do not matter */
	void *context;                     /* for the reader */
	const struct netlink_batch *batch; /* NULL: a single request */
	size_t offset;                     /* index of `first` in the batch */
	bool ends_at_first;                /* a verdict on the first message is the last word */
	bool finished;
	int error; /* the first that counts */
};

/* The part of opening that both kinds share. */
static int open_socket(struct netlink *nl, int bus, int flags)
{
	nl->seq = 0;
	nl->socket = mnl_socket_open2(bus, SOCK_CLOEXEC | flags);
	if (!nl->socket)
		return -errno;
	if (mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int error = -errno;

		netlink_close(nl);
		return error;
	}
	return 0;
}

/* Opens a socket for requests that wait for their answers. */
static int open_requests(struct netlink *nl, int bus)
{
	const struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_SECONDS };
	int error = open_socket(nl, bus, 0);

	if (error < 0)
		return error;
	if (setsockopt(netlink_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0) {
		error = -errno;
		netlink_close(nl);
	}
	return error;
}

int netlink_open(struct netlink *nl)
{
	int on = 1;
	int error = open_requests(nl, NETLINK_ROUTE);

	if (error < 0)
		return error;
	/* Both only save work, and kernels before 4.20 may refuse: short refusals, and dumps that
	 * are filtered by the kernel. */
	(void)mnl_socket_setsockopt(nl->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(nl->socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	return 0;
}

int netlink_open_netfilter(struct netlink *nl)
{
	return open_requests(nl, NETLINK_NETFILTER);
}

static int open_events(struct netlink *nl, int bus, const unsigned int *groups, size_t n_groups)
{
	int error = open_socket(nl, bus, SOCK_NONBLOCK);

	if (error < 0)
		return error;
	for (size_t i = 0; i < n_groups; i++) {
		unsigned int group = groups[i];

		if (mnl_socket_setsockopt(nl->socket, NETLINK_ADD_MEMBERSHIP, &group,
					  sizeof(group)) < 0) {
			error = -errno;
			netlink_close(nl);
			return error;
		}
	}
	return 0;
}

int netlink_open_events(struct netlink *nl, const unsigned int *groups, size_t n_groups)
{
	return open_events(nl, NETLINK_ROUTE, groups, n_groups);
}

int netlink_open_netfilter_events(struct netlink *nl, const unsigned int *groups, size_t n_groups)
{
	return open_events(nl, NETLINK_NETFILTER, groups, n_groups);
}

void netlink_close(struct netlink *nl)
{
	if (nl->socket)
		mnl_socket_close(nl->socket);
	nl->socket = NULL;
}

int netlink_fd(const struct netlink *nl)
{
	return nl->socket ? mnl_socket_get_fd(nl->socket) : -1;
}

static int send_bytes(const struct netlink *nl, const void *bytes, size_t len)
{
	if (!nl->socket)
		return -EBADF;
	return mnl_socket_sendto(nl->socket, bytes, len) < 0 ? -errno : 0;
}

/*
 * One read. Returns bytes, 0 for something that is not from the kernel, or a negative errno;
 * -ENOBUFS stands for everything that got lost, a message that was cut short included.
 */
static ssize_t receive(const struct netlink *nl, void *buffer, size_t size)
{
	struct sockaddr_nl from = { .nl_family = AF_NETLINK };
	struct iovec iov = { .iov_base = buffer, .iov_len = size };
	struct msghdr header = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
	};
	ssize_t len;

	do {
		len = recvmsg(netlink_fd(nl), &header, 0);
	} while (len < 0 && errno == EINTR);
	if (len < 0)
		return -errno;
	if (header.msg_flags & MSG_TRUNC)
		return -ENOBUFS;
	return from.nl_pid == 0 ? len : 0;
}

/* The number that ends an answer: of an acknowledgement, a refusal, or the end of a dump. */
static int verdict(const struct nlmsghdr *message)
{
	int error;

	/* nlmsgerr and the end of a dump both begin with the number. */
	if (mnl_nlmsg_get_payload_len(message) < sizeof(error))
		return message->nlmsg_type == NLMSG_DONE ? 0 : -EBADMSG;
	memcpy(&error, mnl_nlmsg_get_payload(message), sizeof(error));
	return error <= 0 ? error : -EBADMSG;
}

static void note_verdict(struct exchange *exchange, const struct nlmsghdr *message)
{
	int error = verdict(message);

	if (error < 0 && exchange->batch) {
		size_t i = exchange->offset + (message->nlmsg_seq - exchange->first);

		error = exchange->batch->refused(i, error, exchange->batch->context);
	}
	if (exchange->error == 0)
		exchange->error = error;
	if (message->nlmsg_seq == exchange->last ||
	    (exchange->ends_at_first && message->nlmsg_seq == exchange->first))
		exchange->finished = true;
}

static void note_message(struct exchange *exchange, const struct nlmsghdr *message)
{
	/* What is left of an earlier exchange that timed out. */
	if (message->nlmsg_seq - exchange->first > exchange->last - exchange->first)
		return;
	if ((message->nlmsg_flags & NLM_F_DUMP_INTR) && exchange->error == 0)
		exchange->error = -EINTR;
	if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE)
		note_verdict(exchange, message);
	else if (message->nlmsg_type >= NLMSG_MIN_TYPE && exchange->reader)
		exchange->reader(message, exchange->context);
}

/* Reads until the exchange is finished. */
static int finish(struct netlink *nl, struct exchange *exchange)
{
	alignas(struct nlmsghdr) char buffer[RECEIVE_SIZE];

	while (!exchange->finished) {
		const struct nlmsghdr *message = (const void *)buffer;
		ssize_t len = receive(nl, buffer, sizeof(buffer));
		int left = (int)len;

		if (len < 0)
			return len == -EAGAIN ? -ETIMEDOUT : (int)len;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
			note_message(exchange, message);
	}
	return exchange->error;
}

int netlink_query(struct netlink *nl, struct nlmsghdr *request, netlink_reader reader,
		  void *context)
{
	struct exchange exchange = { .reader = reader, .context = context };
	int error;

	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	request->nlmsg_seq = ++nl->seq;
	exchange.first = exchange.last = request->nlmsg_seq;
	error = send_bytes(nl, request, request->nlmsg_len);
	return error < 0 ? error : finish(nl, &exchange);
}

/* Sends messages `offset` to `offset + n - 1` in one system call and hears what became of them. */
static int send_part(struct netlink *nl, size_t offset, size_t n, const struct netlink_batch *batch)
{
	alignas(struct nlmsghdr) char buffer[BATCH_MESSAGES * NETLINK_MESSAGE_MAX];
	struct exchange exchange = { .first = nl->seq + 1, .batch = batch, .offset = offset };
	size_t used = 0;
	int error;

	for (size_t i = 0; i < n; i++) {
		struct nlmsghdr *message = batch->write(buffer + used, offset + i, batch->context);

		message->nlmsg_flags |= NLM_F_REQUEST;
		if (i == n - 1)
			message->nlmsg_flags |= NLM_F_ACK;
		message->nlmsg_seq = ++nl->seq;
		used += NLMSG_ALIGN(message->nlmsg_len);
	}
	exchange.last = nl->seq;
	error = send_bytes(nl, buffer, used);
	return error < 0 ? error : finish(nl, &exchange);
}

int netlink_batch(struct netlink *nl, size_t n, const struct netlink_batch *batch)
{
	for (size_t offset = 0; offset < n; offset += BATCH_MESSAGES) {
		int error = send_part(nl, offset, MIN(n - offset, BATCH_MESSAGES), batch);

		if (error < 0)
			return error;
	}
	return 0;
}

int netlink_transact(struct netlink *nl, void *messages, size_t len)
{
	struct exchange exchange = { .first = nl->seq + 1, .ends_at_first = true };
	struct nlmsghdr *message = messages, *before = messages;
	int left = (int)len;
	int error;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		message->nlmsg_flags |= NLM_F_REQUEST;
		message->nlmsg_seq = ++nl->seq;
		if (left > (int)NLMSG_ALIGN(message->nlmsg_len))
			before = message;
	}
	before->nlmsg_flags |= NLM_F_ACK;
	exchange.last = before->nlmsg_seq;
	error = send_bytes(nl, messages, len);
	return error < 0 ? error : finish(nl, &exchange);
}

int netlink_send(struct netlink *nl, struct nlmsghdr *request)
{
	request->nlmsg_flags |= NLM_F_REQUEST;
	request->nlmsg_seq = ++nl->seq;
	return send_bytes(nl, request, request->nlmsg_len);
}

int netlink_drain(struct netlink *nl, netlink_reader reader, void *context, bool *ret_lost)
{
	alignas(struct nlmsghdr) char buffer[RECEIVE_SIZE];

	for (int reads = 0; reads < DRAIN_READS; reads++) {
		const struct nlmsghdr *message = (const void *)buffer;
		ssize_t len = receive(nl, buffer, sizeof(buffer));
		int left = (int)len;

		if (len == -EAGAIN)
			return 0;
		if (len == -ENOBUFS) {
			*ret_lost = true;
			continue;
		}
		if (len < 0)
			return (int)len;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
			reader(message, context);
	}
	return 0;
}

/*
 * Fills the table from a run of attributes; what does not fit its own length ends the run. Done by
 * hand because libmnl rounds the end of the message up before it compares.
 */
static void index_attrs(const char *bytes, size_t len, const struct nlattr **table, size_t n)
{
	for (size_t i = 0; i < n; i++)
		table[i] = NULL;
	while (len >= sizeof(struct nlattr)) {
		const struct nlattr *attr = (const void *)bytes;
		size_t type = attr->nla_type & NLA_TYPE_MASK;
		size_t step;

		if (attr->nla_len < sizeof(*attr) || attr->nla_len > len)
			return;
		if (type < n)
			table[type] = attr;
		step = MIN((size_t)NLA_ALIGN(attr->nla_len), len);
		bytes += step;
		len -= step;
	}
}

bool netlink_attrs(const struct nlmsghdr *message, size_t header_size, const struct nlattr **table,
		   size_t n)
{
	size_t len = mnl_nlmsg_get_payload_len(message);
	size_t skip = MIN(NLMSG_ALIGN(header_size), len);

	index_attrs((const char *)mnl_nlmsg_get_payload(message) + skip, len - skip, table, n);
	return len >= header_size;
}

void netlink_attrs_nested(const struct nlattr *attr, const struct nlattr **table, size_t n)
{
	if (attr)
		index_attrs(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr), table, n);
	else
		index_attrs(NULL, 0, table, n);
}

uint32_t netlink_attr_u32(const struct nlattr *attr, uint32_t otherwise)
{
	return attr && mnl_attr_get_payload_len(attr) >= sizeof(uint32_t) ? mnl_attr_get_u32(attr)
									  : otherwise;
}
