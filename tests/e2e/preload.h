/*
 * Counters of a library that a test puts between a program and libc (LD_PRELOAD). They lie in a
 * file, where the test reads them while the program runs: $PRELOAD_COUNTS.PID, one 64-bit number
 * of this machine's byte order for each counter.
 */
#ifndef PRELOAD_H
#define PRELOAD_H

#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	PRELOAD_COUNTERS = 64,
	PRELOAD_BYTES = PRELOAD_COUNTERS * 8,
};

static uint64_t preload_own[PRELOAD_COUNTERS];
static uint64_t *preload_counts = preload_own;

/* A forked child counts for itself: its parent is the one that is watched. Unless the includer says
 * PRELOAD_WITH_CHILDREN: the helper opens sockets for the link. */
static void preload_forget(void)
{
	preload_counts = preload_own;
}

/* Before main(). Without the file everything works, and the test sees that nothing is counted. */
__attribute__((constructor)) static void preload_begin(void)
{
	const char *stem = getenv("PRELOAD_COUNTS");
	char path[512];
	void *memory;
	int fd;

	if (!stem)
		return;
	snprintf(path, sizeof(path), "%s.%d", stem, (int)getpid());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	memory = MAP_FAILED;
	if (ftruncate(fd, PRELOAD_BYTES) == 0)
		memory = mmap(NULL, PRELOAD_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		return;
	preload_counts = memory;
#ifndef PRELOAD_WITH_CHILDREN
	pthread_atfork(NULL, NULL, preload_forget);
#else
	(void)preload_forget;
#endif
}

static inline void preload_count(int counter)
{
	__atomic_fetch_add(&preload_counts[counter], 1, __ATOMIC_RELAXED);
}

#endif
