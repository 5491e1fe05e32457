/*
 * Two files that belong together: after any return both are there and complete, or neither is.
 */
#ifndef CLI_FILE_PAIR_H
#define CLI_FILE_PAIR_H

#include <limits.h>
#include <stddef.h>

#include "daemon/cli/secret_text.h"

#define FILE_PAIR_N 2

/* What to write where. */
struct file_pair {
	char paths[FILE_PAIR_N][PATH_MAX];
	struct secret_text texts[FILE_PAIR_N];
};

/*!
 * Writes both files with mode 0600, and to the disk before they get their names. A file that is
 * there already is never touched: then nothing is written. Only SIGKILL or a power cut in the
 * instant between the two names can leave one file, and that is the second.
 * \param ret_failed  on failure which of the two could not be written
 * \return 0, or the negated errno: -EEXIST when a file of this name is there
 */
must_check int file_pair_write(const struct file_pair *pair, size_t *ret_failed);

/*! Takes back what file_pair_write() has written. */
void file_pair_remove(const struct file_pair *pair);

#endif
