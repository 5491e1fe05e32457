/* Packets that wait for a session; see staged.h. */
#include "daemon/proto/staged.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define MEMORY_LEN ((size_t)STAGED_MAX * STAGED_PACKET_MAX)

int staged_init(struct staged *staged)
{
	void *memory;

	memset(staged, 0, sizeof(*staged));
	/* Not malloc(): the pages must cost nothing until used, and go back when dropped. */
	memory = mmap(NULL, MEMORY_LEN, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return -ENOMEM;
	staged->memory = memory;
	return 0;
}

void staged_deinit(struct staged *staged)
{
	if (staged->memory)
		munmap(staged->memory, MEMORY_LEN);
	memset(staged, 0, sizeof(*staged));
}

static uint8_t *place(const struct staged *staged, size_t i)
{
	return staged->memory + i * STAGED_PACKET_MAX;
}

bool staged_push(struct staged *staged, const uint8_t *packet, size_t len)
{
	bool has_room = staged->n < STAGED_MAX;
	size_t i;

	if (!has_room) {
		staged->first = (staged->first + 1) % STAGED_MAX;
		staged->n--;
	}
	i = (staged->first + staged->n) % STAGED_MAX;
	memcpy(place(staged, i), packet, len);
	staged->len[i] = (uint16_t)len;
	staged->n++;
	staged->is_dirty = true;
	return has_room;
}

uint8_t *staged_first(const struct staged *staged, size_t *len)
{
	*len = staged->n > 0 ? staged->len[staged->first] : 0;
	return staged->n > 0 ? place(staged, staged->first) : NULL;
}

const uint8_t *staged_pop(struct staged *staged, size_t *len)
{
	const uint8_t *packet = staged_first(staged, len);

	if (packet) {
		staged->first = (staged->first + 1) % STAGED_MAX;
		staged->n--;
	}
	return packet;
}

size_t staged_clear(struct staged *staged)
{
	size_t n = staged->n;

	staged->n = 0;
	staged->first = 0;
	if (staged->is_dirty)
		madvise(staged->memory, MEMORY_LEN, MADV_DONTNEED);
	staged->is_dirty = false;
	return n;
}
