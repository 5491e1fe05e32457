/*
 * Tests of common/secret.c: what guards the memory is the kernel's doing, so it is tried in
 * children that die of it, and read in /proc/self/smaps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/defs.h"
#include "common/secret.h"

static const size_t sizes[] = { 1, 31, 32, 64, 1000, 4079, 4080, 4095, 4096, 4097, 20000 };

/* Runs `body` in a child; its exit code, or the negative number of the signal it died of. */
static int in_child(int (*body)(volatile uint8_t *), volatile uint8_t *at)
{
	const struct rlimit no_core = { 0, 0 };
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		/* A sanitizer or cmocka would make an exit code of it. */
		(void)signal(SIGSEGV, SIG_DFL);
		(void)signal(SIGBUS, SIG_DFL);
		(void)signal(SIGABRT, SIG_DFL);
		(void)setrlimit(RLIMIT_CORE, &no_core);
		_exit(body(at));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int read_there(volatile uint8_t *at)
{
	return *at == 0x5a ? 1 : 2;
}

static int write_there(volatile uint8_t *at)
{
	*at = 0x5a;
	return 1;
}

static void assert_bad_access(int result)
{
	if (result != -SIGSEGV && result != -SIGBUS)
		fail_msg("the access did not fail: %d", result);
}

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static void is_zero_and_writable(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		/* Twice, since the second may get what the first gave back. */
		for (unsigned int round = 0; round < 2; round++) {
			uint8_t *secret = secret_alloc(sizes[i]);

			assert_non_null(secret);
			for (size_t j = 0; j < sizes[i]; j++)
				assert_int_equal(secret[j], 0);
			memset(secret, 0x5a, sizes[i]);
			assert_int_equal(secret[sizes[i] - 1], 0x5a);
			secret_free(secret);
		}
	}
}

/* The guards are there before the fork, so the child is given memory of its own. */
static size_t size_in_child;

static int read_behind(volatile uint8_t *at)
{
	volatile uint8_t *secret = secret_alloc(size_in_child);

	(void)at;
	return secret ? read_there(secret + size_in_child) : 3;
}

static int write_behind(volatile uint8_t *at)
{
	volatile uint8_t *secret = secret_alloc(size_in_child);

	(void)at;
	return secret ? write_there(secret + size_in_child) : 3;
}

/* In front, within the same page, only a canary can be; the page before is a guard. */
static int read_far_in_front(volatile uint8_t *at)
{
	volatile uint8_t *secret = secret_alloc(size_in_child);
	uintptr_t inside = (uintptr_t)secret - 16; /* the canary is on a page that may be read */

	(void)at;
	return secret ? read_there(secret - 16 - inside % page_size() - 1) : 3;
}

static int free_after_underrun(volatile uint8_t *at)
{
	uint8_t *secret = secret_alloc(size_in_child);

	(void)at;
	if (!secret)
		return 3;
	write_there(secret - 1);
	secret_free(secret);
	return 1;
}

static int use_properly(volatile uint8_t *at)
{
	uint8_t *secret = secret_alloc(size_in_child);

	(void)at;
	if (!secret)
		return 3;
	memset(secret, 0x5a, size_in_child);
	secret_free(secret);
	return 7;
}

static void access_outside_dies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_in_child = sizes[i];
		assert_int_equal(in_child(use_properly, NULL), 7);
		assert_bad_access(in_child(read_behind, NULL));
		assert_bad_access(in_child(write_behind, NULL));
		assert_bad_access(in_child(read_far_in_front, NULL));
		assert_true(in_child(free_after_underrun, NULL) < 0);
	}
}

static void forked_child_has_no_secret(void **state)
{
	static uint8_t plain[20000]; /* not malloc: valgrind would miss it in the child */

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint8_t *secret = secret_alloc(sizes[i]);

		assert_non_null(secret);
		memset(secret, 0x5a, sizes[i]);
		memset(plain, 0x5a, sizeof(plain));
		/* The control: ordinary memory is read there. */
		assert_int_equal(in_child(read_there, plain), 1);
		assert_bad_access(in_child(read_there, secret));
		assert_bad_access(in_child(read_there, secret + sizes[i] / 2));
		assert_bad_access(in_child(read_there, secret + sizes[i] - 1));
		for (size_t at = 0; at < sizes[i]; at += page_size())
			assert_bad_access(in_child(read_there, secret + at));
		/* And the parent still has it. */
		assert_int_equal(secret[0], 0x5a);
		assert_int_equal(secret[sizes[i] - 1], 0x5a);
		secret_free(secret);
	}
}

/* The kernel's flags of the mapping with `address`, as proc(5) abbreviates them. */
static void read_flags(const volatile void *address, char flags[static 256])
{
	FILE *file = fopen("/proc/self/smaps", "re");
	bool is_it = false;
	char line[512];

	assert_non_null(file);
	flags[0] = '\0';
	while (flags[0] == '\0' && fgets(line, sizeof(line), file)) {
		uintptr_t first, end;

		/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &first, &end) == 2)
			is_it = (uintptr_t)address >= first && (uintptr_t)address < end;
		else if (is_it && strncmp(line, "VmFlags: ", 9) == 0)
			snprintf(flags, 256, " %.200s", line + 9);
	}
	fclose(file);
	assert_string_not_equal(flags, "");
}

/* Whether mlock(2) does something here: the limit, a sanitizer or the system may be against it. */
static bool can_lock(void)
{
	void *page =
		mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char flags[256];

	assert_ptr_not_equal(page, MAP_FAILED);
	(void)mlock(page, page_size());
	read_flags(page, flags);
	munmap(page, page_size());
	return strstr(flags, " lo ") != NULL;
}

static void kernel_keeps_it_in_memory_and_out_of_dumps(void **state)
{
	bool locks = can_lock();

	(void)state;
	if (!locks)
		print_message("memory cannot be locked here: not tested\n");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint8_t *secret = secret_alloc(sizes[i]);

		assert_non_null(secret);
		for (size_t at = 0; at < sizes[i]; at += MIN(page_size(), sizes[i])) {
			char flags[256];

			read_flags(secret + at, flags);
			assert_non_null(strstr(flags, " dc ")); /* do not copy on fork */
			assert_non_null(strstr(flags, " dd ")); /* do not dump */
			if (locks)
				assert_non_null(strstr(flags, " lo "));
		}
		secret_free(secret);
	}
}

static void freed_memory_is_gone(void **state)
{
	uint8_t *secret = secret_alloc(64);
	uint8_t *page = secret - (uintptr_t)secret % page_size();
	unsigned char resident;

	(void)state;
	assert_non_null(secret);
	assert_int_equal(mincore(page, page_size(), &resident), 0);
	secret_free(secret);
	assert_int_equal(mincore(page, page_size(), &resident), -1);
	assert_int_equal(errno, ENOMEM);
}

static void null_can_be_freed(void **state)
{
	(void)state;
	secret_free(NULL);
}

static void too_much_is_refused(void **state)
{
	(void)state;
	assert_null(secret_alloc(SIZE_MAX));
	assert_null(secret_alloc(SIZE_MAX / 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_zero_and_writable),
		cmocka_unit_test(access_outside_dies),
		cmocka_unit_test(forked_child_has_no_secret),
		cmocka_unit_test(kernel_keeps_it_in_memory_and_out_of_dumps),
		cmocka_unit_test(freed_memory_is_gone),
		cmocka_unit_test(null_can_be_freed),
		cmocka_unit_test(too_much_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
