/*
 * Counts how often a program asks for memory or for a lock, in all its threads; see preload.h.
 *
 * What libc does inside itself is not seen here: its locks show as futex calls where they are
 * contended, its memory as brk and mmap, and strace counts these.
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <semaphore.h>
#include <threads.h>

#include "preload.h"

/* In the order in which the file has them. */
enum counter {
	COUNT_ALLOCATIONS,
	COUNT_FREES,
	COUNT_MAPS, /* mmap, munmap, sbrk: by the program itself */
	COUNT_LOCKS,
};

/* libc's own, by the names under which it lets a replacement find them. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

void *malloc(size_t size)
{
	preload_count(COUNT_ALLOCATIONS);
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	preload_count(COUNT_ALLOCATIONS);
	return __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
	preload_count(COUNT_ALLOCATIONS);
	return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size)
{
	preload_count(COUNT_ALLOCATIONS);
	return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	preload_count(COUNT_ALLOCATIONS);
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	preload_count(COUNT_ALLOCATIONS);
	*ret = __libc_memalign(alignment, size);
	return *ret ? 0 : ENOMEM;
}

void free(void *memory)
{
	if (memory)
		preload_count(COUNT_FREES);
	__libc_free(memory);
}

/* Declares `next`, the next library's function of this name. Two threads that ask at once get the
 * same answer. */
#define NEXT(name)                                                                                 \
	static __typeof__(name) *found;                                                            \
	__typeof__(name) *next = __atomic_load_n(&found, __ATOMIC_RELAXED);                        \
	if (!next) {                                                                               \
		*(void **)&next = dlsym(RTLD_NEXT, #name);                                         \
		__atomic_store_n(&found, next, __ATOMIC_RELAXED);                                  \
	}

void *mmap(void *address, size_t len, int protection, int flags, int fd, off_t offset)
{
	NEXT(mmap)
	preload_count(COUNT_MAPS);
	return next(address, len, protection, flags, fd, offset);
}

/* The name that a program calls which was built with _FILE_OFFSET_BITS=64. */
void *mmap64(void *address, size_t len, int protection, int flags, int fd, off64_t offset)
{
	return mmap(address, len, protection, flags, fd, offset);
}

int munmap(void *address, size_t len)
{
	NEXT(munmap)
	preload_count(COUNT_MAPS);
	return next(address, len);
}

void *sbrk(intptr_t increment)
{
	NEXT(sbrk)
	preload_count(COUNT_MAPS);
	return next(increment);
}

#define LOCK(name, type)                                                                           \
	int name(type *lock)                                                                       \
	{                                                                                          \
		NEXT(name)                                                                         \
		preload_count(COUNT_LOCKS);                                                        \
		return next(lock);                                                                 \
	}

LOCK(pthread_mutex_lock, pthread_mutex_t)
LOCK(pthread_mutex_trylock, pthread_mutex_t)
LOCK(pthread_rwlock_rdlock, pthread_rwlock_t)
LOCK(pthread_rwlock_wrlock, pthread_rwlock_t)
LOCK(pthread_cond_signal, pthread_cond_t)
LOCK(pthread_cond_broadcast, pthread_cond_t)
LOCK(mtx_lock, mtx_t)
LOCK(sem_wait, sem_t)
LOCK(sem_post, sem_t)

int pthread_spin_lock(pthread_spinlock_t *lock)
{
	NEXT(pthread_spin_lock)
	preload_count(COUNT_LOCKS);
	return next(lock);
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock)
{
	NEXT(pthread_cond_wait)
	preload_count(COUNT_LOCKS);
	return next(condition, lock);
}
