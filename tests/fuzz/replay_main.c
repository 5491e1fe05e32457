/*
 * Stands in for libFuzzer's main() where no fuzzer is built: hands every file of the directories
 * and every file named on the command line to the target once, and the empty input first. It
 * fails by the target's crash or abort, or when there was nothing to replay.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Runs one file. The copy has exactly the file's size, so that a sanitizer sees an overrun. */
static int replay_file(const char *path, size_t size)
{
	FILE *stream = fopen(path, "rb");
	uint8_t *data = malloc(size > 0 ? size : 1);
	int result = -1;

	if (stream && data && fread(data, 1, size, stream) == size) {
		LLVMFuzzerTestOneInput(data, size);
		result = 0;
	} else {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	}
	free(data);
	if (stream)
		fclose(stream);
	return result;
}

static int replay_dir(const char *path, unsigned int *n_files);

/* Runs a file or all of a directory. Returns 0, or -1 after a message. */
static int replay(const char *path, unsigned int *n_files)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	if (S_ISDIR(st.st_mode))
		return replay_dir(path, n_files);
	(*n_files)++;
	return replay_file(path, (size_t)st.st_size);
}

static int replay_dir(const char *path, unsigned int *n_files)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char child[4096];
	int result = 0;

	if (!dir) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	while ((entry = readdir(dir))) {
		int len = snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);

		if (entry->d_name[0] == '.')
			continue;
		if (len < 0 || (size_t)len >= sizeof(child) || replay(child, n_files) != 0)
			result = -1;
	}
	closedir(dir);
	return result;
}

int main(int argc, char **argv)
{
	static const uint8_t nothing[1];
	unsigned int n_files = 0;
	int result = 0;

	LLVMFuzzerTestOneInput(nothing, 0);
	for (int i = 1; i < argc; i++)
		if (replay(argv[i], &n_files) != 0)
			result = 1;
	printf("%u inputs replayed\n", n_files);
	return n_files == 0 ? 1 : result;
}
