/*
 * A load of small UDP packets, and a count of what arrives; it costs so little itself that the
 * tunnel between its two ends is what is measured.
 *
 *   udpload send ADDRESS PORT BYTES RATE SECONDS BURST   RATE 0: as fast as it can
 *       prints: packets sent, seconds it took
 *   udpload receive ADDRESS PORT
 *       for each line on its input prints: number of the newest burst, packets received of it,
 *       seconds between its first and its last; ends with its input
 *
 * BURST is a number that grows from one call to the next; each packet carries it, so that what
 * comes late is not counted for the next burst. Packets go through sendmmsg() and recvmmsg(), each
 * a datagram of its own: no segmentation offload takes part. The sender sleeps while nothing is
 * due, so that the CPUs are left to the tunnel.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = 32,
	BYTES_MIN = 8, /* room for the number of the burst */
	BYTES_MAX = 1472,
	BUFFER_BYTES = 8 << 20,
	SEND_PAUSE_NSEC = 50000,
	RECEIVE_PAUSE_NSEC = 500000,
	SILENCE_SECONDS = 1,
};

static uint8_t payload[BATCH][BYTES_MAX];
static struct iovec pieces[BATCH];
static struct mmsghdr messages[BATCH];

static void die(const char *what)
{
	fprintf(stderr, "udpload: %s: %s\n", what, strerror(errno));
	exit(71);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void prepare(size_t n_bytes)
{
	for (int i = 0; i < BATCH; i++) {
		pieces[i] = (struct iovec) { payload[i], n_bytes };
		messages[i].msg_hdr.msg_iov = &pieces[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
}

static struct sockaddr_in address_of(const char *address, const char *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	in.sin_port = htons((uint16_t)strtod(port, NULL));
	if (inet_pton(AF_INET, address, &in.sin_addr) != 1)
		die(address);
	return in;
}

/* Sends as many as are due, at most one batch; what the socket takes counts as sent. */
static uint64_t send_due(int fd, uint64_t n_due)
{
	unsigned int n = n_due < BATCH ? (unsigned int)n_due : BATCH;
	int n_sent = sendmmsg(fd, messages, n, 0);

	if (n_sent < 0 && errno != ENOBUFS && errno != EAGAIN && errno != ECONNREFUSED)
		die("sendmmsg");
	return n_sent > 0 ? (uint64_t)n_sent : 0;
}

static void send_load(int fd, double rate, double seconds)
{
	const struct timespec pause = { .tv_nsec = SEND_PAUSE_NSEC };
	double begun = now();
	double at = begun;
	uint64_t n_sent = 0;

	prctl(PR_SET_TIMERSLACK, 1);
	for (; at - begun < seconds; at = now()) {
		uint64_t n_wanted = rate > 0 ? (uint64_t)((at - begun) * rate) : UINT64_MAX;

		if (n_wanted > n_sent)
			n_sent += send_due(fd, n_wanted - n_sent);
		else
			nanosleep(&pause, NULL);
	}
	printf("%llu %.6f\n", (unsigned long long)n_sent, at - begun);
}

struct tally {
	uint64_t burst;
	uint64_t n_received;
	double first;
	double last;
};

static void count_packet(struct tally *tally, const uint8_t *bytes, double at)
{
	uint64_t burst;

	memcpy(&burst, bytes, sizeof(burst));
	if (burst > tally->burst)
		*tally = (struct tally) { .burst = burst, .first = at };
	if (burst == tally->burst) {
		tally->n_received++;
		tally->last = at;
	}
}

/* Takes what the socket has; returns whether it had anything. */
static bool receive_batch(int fd, struct tally *tally)
{
	int n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
	double at = now();

	for (int i = 0; i < n; i++)
		if (messages[i].msg_len >= BYTES_MIN)
			count_packet(tally, payload[i], at);
	return n > 0;
}

/* Answers a line of the input, if there is one; returns false when the input has ended. */
static bool answer(const struct tally *tally)
{
	struct pollfd asked = { .fd = 0, .events = POLLIN };
	char line[16];

	if (poll(&asked, 1, 0) <= 0)
		return true;
	if (read(0, line, sizeof(line)) <= 0)
		return false;
	printf("%llu %llu %.6f\n", (unsigned long long)tally->burst,
	       (unsigned long long)tally->n_received, tally->last - tally->first);
	return true;
}

/*
 * While packets come, the socket is emptied once in a while: were the receiver woken for each
 * packet, waking it would be most of what is measured, above all in a virtual machine. It waits for
 * an event only when nothing has come for some time, so that it does not disturb other
 * measurements.
 */
static void receive_load(int fd)
{
	struct pollfd ready[] = { { .fd = fd, .events = POLLIN }, { .fd = 0, .events = POLLIN } };
	const struct timespec pause = { .tv_nsec = RECEIVE_PAUSE_NSEC };
	struct tally tally = { 0 };
	double heard = 0;

	printf("ready\n");
	do {
		if (now() - heard > SILENCE_SECONDS)
			poll(ready, 2, -1);
		else
			nanosleep(&pause, NULL);
		while (receive_batch(fd, &tally))
			heard = now();
	} while (answer(&tally));
}

int main(int argc, char **argv)
{
	const int buffer = BUFFER_BYTES;
	struct sockaddr_in address;
	bool sends = argc == 8 && strcmp(argv[1], "send") == 0;
	int fd;

	if (!sends && (argc != 4 || strcmp(argv[1], "receive") != 0)) {
		fprintf(stderr, "usage: udpload send ADDRESS PORT BYTES RATE SECONDS BURST\n"
				"       udpload receive ADDRESS PORT\n");
		return 64;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	address = address_of(argv[2], argv[3]);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	if (sends) {
		size_t n_bytes = (size_t)strtod(argv[4], NULL);
		uint64_t burst = (uint64_t)strtod(argv[7], NULL);

		if (n_bytes < BYTES_MIN || n_bytes > BYTES_MAX) {
			fprintf(stderr, "udpload: a packet has %d to %d bytes\n", BYTES_MIN,
				BYTES_MAX);
			return 64;
		}
		prepare(n_bytes);
		for (int i = 0; i < BATCH; i++)
			memcpy(payload[i], &burst, sizeof(burst));
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
			die("connect");
		send_load(fd, strtod(argv[5], NULL), strtod(argv[6], NULL));
		return 0;
	}
	prepare(BYTES_MAX);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("bind");
	receive_load(fd);
}
