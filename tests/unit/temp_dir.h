/* A directory of the test's own. */
#ifndef TESTS_UNIT_TEMP_DIR_H
#define TESTS_UNIT_TEMP_DIR_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TEMP_DIR_LEN 32 /* bytes of its path, with a NUL */

/* False when it cannot be made; removed by the caller. */
static inline bool make_temp_dir(char ret[static TEMP_DIR_LEN])
{
	static const char path[TEMP_DIR_LEN] = "/tmp/vpnd-test-XXXXXX";

	memcpy(ret, path, sizeof(path));
	return mkdtemp(ret) != NULL;
}

#endif
