/* Lists that grow by doubling; see grow.h. */
#include "common/grow.h"

#include <stdlib.h>
#include <string.h>

void *grow_list(void *items, size_t n, size_t item_size)
{
	if ((n & (n - 1)) != 0)
		return items;
	return reallocarray(items, n == 0 ? 1 : n * 2, item_size);
}

void *grow_list_for(size_t n, size_t item_size)
{
	size_t capacity = 1;
	void *items;

	while (capacity < n)
		capacity *= 2;
	items = reallocarray(NULL, capacity, item_size);
	return items != NULL ? memset(items, 0, capacity * item_size) : NULL;
}
