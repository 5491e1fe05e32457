/*
 * Numbered datagrams at a steady rate, and what became of them; cheap enough to run beside a full
 * load. traffic.py does the same with contents.
 *
 *   udp_numbers send ADDRESS PORT RATE SECONDS BYTES
 *       prints: sent N refused N
 *   udp_numbers receive ADDRESS PORT
 *       prints "ready"; ends with SIGTERM, after it has emptied its socket, and prints:
 *       received N distinct N reordered N last N
 *
 * The first datagram has number 1. A number that was refused by the socket is not sent again.
 */
#include <endian.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = 64,
	BYTES_MAX = 1400,
	BUFFER_BYTES = 32 << 20,
	NUMBER_MAX = 1 << 26,
	TICK_NSEC = 1000000,
	SECOND_NSEC = 1000000000,
};

static uint8_t payload[BATCH][BYTES_MAX];
static struct iovec pieces[BATCH];
static struct mmsghdr messages[BATCH];
static uint8_t seen[NUMBER_MAX / 8];
static volatile sig_atomic_t is_ending;

static void die(const char *what)
{
	fprintf(stderr, "udp_numbers: %s: %s\n", what, strerror(errno));
	exit(71);
}

static void on_term(int signal)
{
	(void)signal;
	is_ending = 1;
}

/* A socket that is bound, or connected, to the address. */
static int open_socket(const char *host, const char *port, bool sends)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
					.ai_socktype = SOCK_DGRAM };
	const int size = BUFFER_BYTES;
	struct addrinfo *found;
	int fd, r;

	r = getaddrinfo(host, port, &hints, &found);
	if (r != 0) {
		fprintf(stderr, "udp_numbers: %s: %s\n", host, gai_strerror(r));
		exit(64);
	}
	fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	r = sends ? connect(fd, found->ai_addr, found->ai_addrlen)
		  : bind(fd, found->ai_addr, found->ai_addrlen);
	if (r < 0)
		die(host);
	freeaddrinfo(found);
	return fd;
}

static void prepare(size_t n_bytes)
{
	for (int i = 0; i < BATCH; i++) {
		pieces[i] = (struct iovec) { payload[i], n_bytes };
		messages[i].msg_hdr.msg_iov = &pieces[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
}

/* Sends the numbers that are due, each tick; what was late is caught up with. */
static void send_numbers(int fd, double rate, double seconds)
{
	uint64_t n_all = (uint64_t)(rate * seconds), n = 0, n_refused = 0, n_due;
	struct timespec begun, at;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	for (at = begun; n < n_all;) {
		at.tv_nsec += TICK_NSEC;
		if (at.tv_nsec >= SECOND_NSEC) {
			at.tv_nsec -= SECOND_NSEC;
			at.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		n_due = (uint64_t)(((double)(at.tv_sec - begun.tv_sec) +
				    (double)(at.tv_nsec - begun.tv_nsec) / SECOND_NSEC) *
				   rate);
		for (; n < n_due && n < n_all; n++) {
			uint64_t number = htobe64(n + 1);

			memcpy(payload[0], &number, sizeof(number));
			n_refused += send(fd, payload[0], pieces[0].iov_len, 0) < 0 ? 1 : 0;
		}
	}
	printf("sent %llu refused %llu\n", (unsigned long long)n, (unsigned long long)n_refused);
}

static struct {
	uint64_t n, n_distinct, n_reordered, last;
} tally;

static void take(const uint8_t *bytes)
{
	uint64_t number;

	memcpy(&number, bytes, sizeof(number));
	number = be64toh(number);
	tally.n++;
	if (number >= NUMBER_MAX)
		return;
	tally.n_distinct += seen[number / 8] >> (number % 8) & 1 ? 0 : 1;
	seen[number / 8] |= (uint8_t)(1 << (number % 8));
	tally.n_reordered += number < tally.last ? 1 : 0;
	tally.last = number > tally.last ? number : tally.last;
}

/* The socket is emptied each tick: to be woken for each datagram would cost more than all else. */
static void receive_numbers(int fd)
{
	const struct timespec tick = { .tv_nsec = TICK_NSEC };
	int n;

	printf("ready\n");
	fflush(stdout);
	for (;;) {
		bool was_ending = is_ending;

		while ((n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL)) > 0) {
			for (int i = 0; i < n; i++)
				take(payload[i]);
		}
		if (was_ending)
			break;
		nanosleep(&tick, NULL);
	}
	printf("received %llu distinct %llu reordered %llu last %llu\n",
	       (unsigned long long)tally.n, (unsigned long long)tally.n_distinct,
	       (unsigned long long)tally.n_reordered, (unsigned long long)tally.last);
}

int main(int argc, char **argv)
{
	bool sends = argc == 7 && strcmp(argv[1], "send") == 0;
	size_t n_bytes = sends ? (size_t)strtod(argv[6], NULL) : BYTES_MAX;

	if ((!sends && (argc != 4 || strcmp(argv[1], "receive") != 0)) || n_bytes < 8 ||
	    n_bytes > BYTES_MAX) {
		fprintf(stderr, "usage: udp_numbers send ADDRESS PORT RATE SECONDS BYTES\n"
				"       udp_numbers receive ADDRESS PORT\n");
		return 64;
	}
	prepare(n_bytes);
	if (sends) {
		send_numbers(open_socket(argv[2], argv[3], true), strtod(argv[4], NULL),
			     strtod(argv[5], NULL));
	} else {
		signal(SIGTERM, on_term);
		receive_numbers(open_socket(argv[2], argv[3], false));
	}
	return 0;
}
