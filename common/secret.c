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
	void *secret;

	/* Guarded memory exists only after this; a second call does nothing. */
	if (sodium_init() < 0)
		return NULL;
	/* Locks the pages, too, as far as RLIMIT_MEMLOCK goes, and does not tell if not. */
	secret = sodium_malloc(size);
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
