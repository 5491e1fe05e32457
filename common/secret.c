/* Memory for keys; see secret.h. */
#include "common/secret.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sodium.h>

/* Marks the pages that `secret` touches: whole pages, so its guard pages stay outside. */
static void keep_from_children(char *secret, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t offset = (uintptr_t)secret % page;

	madvise(secret - offset, offset + size, MADV_DONTFORK);
}

void *secret_alloc(size_t size)
{
	/* Locking is sodium_malloc()'s; that it may fail silently is told by cmd_run. */
	void *secret = sodium_malloc(size);

	if (!secret)
		return NULL;
	memset(secret, 0, size);
	keep_from_children(secret, size);
	return secret;
}

void secret_free(void *secret)
{
	sodium_free(secret);
}
