/*
 * The probe of the sockets; see probe.h.
 *
 * For each family there is a stage: two sockets on loopback, of which the far one takes nothing but
 * what the near one sends. Behind each run goes a marker, a single datagram of a length of its own.
 * Loopback keeps the order, so when the marker has come the run has come, or never will, and
 * nothing has to be waited for but the marker. Only if not even a marker arrives the stage is
 * useless: then loopback is filtered, or this machine too busy.
 */
#include "daemon/data/probe.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/defs.h"
#include "common/nsec.h"

/* Of one datagram of a run: short, so that every MTU lets it through. */
#define SEGMENT_LEN 512
#define MARKER_LEN  (SEGMENT_LEN + 1)
#define RUN_LEN_MAX ((size_t)UDP_RUN_MAX * SEGMENT_LEN)
/* Room for one received run cut up into datagrams, as the kernel books it. */
#define RECEIVE_BUFFER_BYTES (512 * 1024)
#define N_SLOTS              8
/* Another try with new sockets, before something is held to be broken. */
#define N_TRIES 2

struct stage {
	nsec_t deadline;
	nsec_t patience; /* with one run; loopback itself takes microseconds */
	struct udp near;
	struct udp_path path; /* to the far end */
	int far_fd;
	bool is_joined; /* a run has come as one */
	struct udp_datagram slots[N_SLOTS];
	uint8_t sent[RUN_LEN_MAX + MARKER_LEN];
	uint8_t memory[N_SLOTS][UDP_DATAGRAM_MAX];
};

/* What is found out with one family. */
struct answers {
	enum probe_answer segment, gro;
};

static const struct {
	size_t n_datagrams, missing; /* bytes that the last datagram is shorter */
} runs[] = { { 2, 0 }, { 2, 100 }, { UDP_RUN_MAX, 0 }, { UDP_RUN_MAX, 100 } };

static union netaddr loopback(int family)
{
	union netaddr address;

	memset(&address, 0, sizeof(address));
	address.sa.sa_family = (sa_family_t)family;
	if (family == AF_INET)
		address.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		address.in6.sin6_addr = in6addr_loopback;
	return address;
}

/* Opens a socket on a free port of loopback. Returns -1 where that cannot be. */
static int open_end(union netaddr *address)
{
	socklen_t len = netaddr_len(address);
	int fd = socket(address->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, &address->sa, len) == 0 && getsockname(fd, &address->sa, &len) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A run must not be refused for its length alone: then the marker, which is longer, is, too. */
static bool forbid_fragments(int fd, int family)
{
	int policy4 = IP_PMTUDISC_DO, policy6 = IPV6_PMTUDISC_DO;

	if (family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &policy4, sizeof(policy4)) == 0;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &policy6, sizeof(policy6)) == 0;
}

static bool open_stage(struct stage *stage, int family)
{
	union netaddr near = loopback(family);
	int size = RECEIVE_BUFFER_BYTES;
	int fd = open_end(&near);

	stage->is_joined = false;
	stage->near = (struct udp)UDP_NULL;
	*(family == AF_INET ? &stage->near.fd4 : &stage->near.fd6) = fd;
	memset(&stage->path, 0, sizeof(stage->path));
	stage->path.remote = loopback(family);
	stage->far_fd = open_end(&stage->path.remote);
	if (fd < 0 || stage->far_fd < 0 || !forbid_fragments(fd, family) ||
	    connect(stage->far_fd, &near.sa, netaddr_len(&near)) < 0)
		return false;
	if (setsockopt(stage->far_fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(stage->far_fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return true;
}

static void close_stage(struct stage *stage)
{
	udp_close(&stage->near);
	if (stage->far_fd >= 0)
		close(stage->far_fd);
}

/* Whether something is there to be received, at once or before patience ends. */
static bool await(const struct stage *stage, nsec_t until)
{
	struct pollfd pollfd = { .fd = stage->far_fd, .events = POLLIN };
	nsec_t now = nsec_boottime();

	if (now >= until)
		return false;
	return poll(&pollfd, 1, (int)((until - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC)) > 0;
}

/* Whether a datagram, or several as one, goes on where the run is. */
static bool fits(const struct stage *stage, const struct udp_datagram *piece, size_t done,
		 size_t run_len)
{
	return piece->len > 0 && piece->len <= run_len - done &&
	       piece->segment_len == MIN(SEGMENT_LEN, run_len - done) &&
	       (piece->len % SEGMENT_LEN == 0 || done + piece->len == run_len) &&
	       memcmp(piece->data, stage->sent + done, piece->len) == 0;
}

/* Receives a run and the marker behind it. */
static enum probe_answer receive_run(struct stage *stage, size_t run_len)
{
	nsec_t until = MIN(nsec_boottime() + stage->patience, stage->deadline);
	size_t done = 0;

	while (await(stage, until)) {
		int n = udp_receive(stage->far_fd, stage->slots, N_SLOTS);

		for (int i = 0; i < n; i++) {
			const struct udp_datagram *piece = &stage->slots[i];

			if (piece->len == MARKER_LEN)
				return done == run_len ? PROBE_WORKS : PROBE_REFUSED;
			if (!fits(stage, piece, done, run_len))
				return PROBE_REFUSED;
			if (piece->len > piece->segment_len)
				stage->is_joined = true;
			done += piece->len;
		}
		if (n < 0 && n != -EAGAIN)
			break;
	}
	return PROBE_UNKNOWN;
}

/* What a failure to send a run says. The rest (EPERM of a filter, ENOBUFS, …) says nothing of it.
 */
static enum probe_answer judge(int r)
{
	switch (r) {
	case -EIO:
	case -EINVAL:
	case -ENOPROTOOPT:
	case -EOPNOTSUPP:
		return PROBE_REFUSED;
	default:
		return PROBE_UNKNOWN;
	}
}

/* Sends a run, or nothing where `n_datagrams` is 0, and a marker. */
static enum probe_answer try_run(struct stage *stage, size_t n_datagrams, size_t missing)
{
	size_t run_len = n_datagrams * SEGMENT_LEN - missing;
	struct udp_message messages[] = {
		{ .data = stage->sent, .len = run_len, .segment_len = SEGMENT_LEN },
		{ .data = stage->sent + RUN_LEN_MAX, .len = MARKER_LEN, .segment_len = MARKER_LEN },
	};
	size_t skipped = n_datagrams == 0 ? 1 : 0;
	int r = udp_send(&stage->near, &stage->path, messages + skipped, 2 - skipped);

	if (r < 0)
		return skipped ? PROBE_UNKNOWN : judge(r);
	return receive_run(stage, run_len);
}

static enum probe_answer try_runs(struct stage *stage)
{
	enum probe_answer answer = PROBE_WORKS;

	for (size_t i = 0; i < ARRAY_SIZE(runs) && answer == PROBE_WORKS; i++)
		answer = try_run(stage, runs[i].n_datagrams, runs[i].missing);
	return answer;
}

/* Runs that come whole. That they come as datagrams is allowed, but tells nothing. */
static enum probe_answer try_gro(struct stage *stage)
{
	enum probe_answer answer;
	int one = 1;

	if (setsockopt(stage->far_fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one)) < 0)
		return PROBE_REFUSED;
	answer = try_runs(stage);
	return answer == PROBE_WORKS && !stage->is_joined ? PROBE_UNKNOWN : answer;
}

/* What can be found out with one family, from what its sockets took when they were opened. */
static struct answers try_family(struct stage *stage, int family, struct answers answers)
{
	if (open_stage(stage, family) && try_run(stage, 0, 0) == PROBE_WORKS) {
		/* First to a socket that wants datagrams: only runs that are sent right can prove
		 * anything about receiving. */
		if (answers.segment != PROBE_REFUSED)
			answers.segment = try_runs(stage);
		if (answers.segment == PROBE_WORKS && answers.gro != PROBE_REFUSED)
			answers.gro = try_gro(stage);
	}
	close_stage(stage);
	return answers;
}

static struct stage *make_stage(nsec_t budget)
{
	struct stage *stage = malloc(sizeof(*stage));

	if (!stage)
		return NULL;
	stage->deadline = nsec_boottime() + budget;
	stage->patience = budget / 3;
	for (size_t i = 0; i < sizeof(stage->sent); i++)
		stage->sent[i] = (uint8_t)(i * 7 + i / 251);
	for (size_t i = 0; i < N_SLOTS; i++)
		stage->slots[i].data = stage->memory[i];
	return stage;
}

/* Whether something is held to be broken that had not been known to be. */
static bool is_worse(struct answers found, struct answers known)
{
	return (found.segment == PROBE_REFUSED && known.segment != PROBE_REFUSED) ||
	       (found.gro == PROBE_REFUSED && known.gro != PROBE_REFUSED);
}

_Static_assert(PROBE_UNKNOWN < PROBE_WORKS && PROBE_WORKS < PROBE_REFUSED, "both()");

/* Both families share their switch: one that does wrong is enough to do without. */
static enum probe_answer both(enum probe_answer a, enum probe_answer b)
{
	return MAX(a, b);
}

void probe_udp(const struct udp *udp, nsec_t budget, struct probe *probe)
{
	const struct answers known = {
		.segment = udp->has_segment ? PROBE_UNKNOWN : PROBE_REFUSED,
		.gro = udp->has_gro ? PROBE_UNKNOWN : PROBE_REFUSED,
	};
	const int families[] = { udp->fd4 >= 0 ? AF_INET : AF_UNSPEC,
				 udp->fd6 >= 0 ? AF_INET6 : AF_UNSPEC };
	struct answers all = known;
	struct stage *stage = make_stage(budget);

	for (size_t i = 0; stage && i < ARRAY_SIZE(families); i++) {
		struct answers found = known;

		if (families[i] == AF_UNSPEC)
			continue;
		for (int tries = 0; tries < N_TRIES; tries++) {
			found = try_family(stage, families[i], known);
			if (!is_worse(found, known))
				break;
		}
		all.segment = both(all.segment, found.segment);
		all.gro = both(all.gro, found.gro);
	}
	free(stage);
	probe->answers[PROBE_UDP_SEGMENT] = all.segment;
	probe->answers[PROBE_UDP_GRO] = all.gro;
}
