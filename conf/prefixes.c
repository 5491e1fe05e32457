/* Lists of prefixes as sets; see prefixes.h. */
#include "conf/prefixes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"

int prefixes_compare(const struct prefix *a, const struct prefix *b)
{
	if (a->family != b->family)
		return a->family - b->family;
	if (a->len != b->len)
		return a->len - b->len;
	/* What stands behind the four bytes of IPv4 is nobody's. */
	return memcmp(a->addr, b->addr, prefix_addr_len(a->family));
}

bool prefixes_has_family(const struct conf_prefixes *list, int family)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].family == family)
			return true;
	}
	return false;
}

bool prefixes_has_default(const struct conf_prefixes *list, int family)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].family == family && list->items[i].len == 0)
			return true;
	}
	return false;
}

static int compare_items(const void *a, const void *b)
{
	return prefixes_compare(a, b);
}

int prefixes_append(struct conf_prefixes *list, const struct prefix *prefix)
{
	struct prefix *items = grow_list(list->items, list->n, sizeof(*items));

	if (items == NULL)
		return -ENOMEM;
	list->items = items;
	items[list->n++] = *prefix;
	return 0;
}

/* A sorted copy; one item is allocated even for an empty list, so that NULL is an error. */
static struct prefix *sorted(const struct conf_prefixes *list)
{
	struct prefix *copy = reallocarray(NULL, MAX(list->n, 1), sizeof(*copy));

	if (copy == NULL || list->n == 0)
		return copy;
	memcpy(copy, list->items, list->n * sizeof(*copy));
	qsort(copy, list->n, sizeof(*copy), compare_items);
	return copy;
}

/* The position behind all items that are the same as that at `i`. */
static size_t skip_same(const struct prefix *items, size_t n, size_t i)
{
	size_t next = i + 1;

	while (next < n && prefixes_compare(&items[i], &items[next]) == 0)
		next++;
	return next;
}

/* Walks two sorted lists side by side. */
static bool merge(const struct prefix *old, size_t n_old, const struct prefix *new, size_t n_new,
		  struct conf_prefixes *added, struct conf_prefixes *removed)
{
	size_t i = 0, j = 0;

	while (i < n_old || j < n_new) {
		int order = 0;

		if (i == n_old)
			order = 1;
		else if (j == n_new)
			order = -1;
		else
			order = prefixes_compare(&old[i], &new[j]);
		if ((order < 0 && prefixes_append(removed, &old[i]) < 0) ||
		    (order > 0 && prefixes_append(added, &new[j]) < 0))
			return false;
		if (order <= 0)
			i = skip_same(old, n_old, i);
		if (order >= 0)
			j = skip_same(new, n_new, j);
	}
	return true;
}

int prefixes_diff(const struct conf_prefixes *old, const struct conf_prefixes *new,
		  struct conf_prefixes *added, struct conf_prefixes *removed)
{
	struct prefix *sorted_old = sorted(old);
	struct prefix *sorted_new = sorted(new);
	int r = -ENOMEM;

	*added = (struct conf_prefixes) { 0 };
	*removed = (struct conf_prefixes) { 0 };
	if (sorted_old != NULL && sorted_new != NULL &&
	    merge(sorted_old, old->n, sorted_new, new->n, added, removed))
		r = 0;
	free(sorted_old);
	free(sorted_new);
	return r;
}
