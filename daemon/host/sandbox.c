/* The list of system calls; see sandbox.h. */
#include "daemon/host/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>

#include "common/defs.h"

#define CONTROL (1U << SANDBOX_CONTROL)
#define DATA    (1U << SANDBOX_TX | 1U << SANDBOX_RX)
#define ALL     (CONTROL | DATA)

/* Allowed whatever the arguments are. */
static const struct {
	int number;
	unsigned int threads;
} calls[] = {
	/* Loops. */
	{ SCMP_SYS(epoll_wait), ALL },
	{ SCMP_SYS(epoll_pwait), ALL },
	{ SCMP_SYS(epoll_ctl), ALL },
	{ SCMP_SYS(epoll_create1), ALL }, /* libev, after a socket was replaced under load */
	{ SCMP_SYS(poll), ALL },          /* the log, before it writes */
	{ SCMP_SYS(ppoll), ALL },
	{ SCMP_SYS(timerfd_settime), CONTROL },
	{ SCMP_SYS(clock_gettime), ALL },
	{ SCMP_SYS(clock_nanosleep), ALL },
	{ SCMP_SYS(restart_syscall), ALL },

	/* Bytes and packets, over what is open. */
	{ SCMP_SYS(read), ALL },
	{ SCMP_SYS(write), ALL },
	{ SCMP_SYS(writev), ALL },
	{ SCMP_SYS(sendto), ALL },
	{ SCMP_SYS(sendmsg), ALL },
	{ SCMP_SYS(sendmmsg), ALL },
	{ SCMP_SYS(recvfrom), ALL },
	{ SCMP_SYS(recvmsg), ALL },
	{ SCMP_SYS(recvmmsg), ALL },
	{ SCMP_SYS(pread64), CONTROL },
	{ SCMP_SYS(pwrite64), CONTROL },
	{ SCMP_SYS(close), ALL },

	/* Control sockets, the helper's answers, new sockets in the place of old ones. */
	{ SCMP_SYS(accept4), CONTROL },
	{ SCMP_SYS(getsockopt), ALL },
	{ SCMP_SYS(dup3), CONTROL },
	{ SCMP_SYS(memfd_create), CONTROL },
	/* The size of one. Not fstat(2): libc may ask for that by a path, which cannot be looked
	 * at here. */
	{ SCMP_SYS(lseek), CONTROL },
	{ SCMP_SYS(wait4), CONTROL }, /* libev, when the helper ends */

	/* Memory and threads. */
	{ SCMP_SYS(munmap), ALL },
	{ SCMP_SYS(mremap), ALL },
	{ SCMP_SYS(madvise), ALL },
	{ SCMP_SYS(mlock), CONTROL },
	{ SCMP_SYS(mlock2), CONTROL },
	{ SCMP_SYS(munlock), CONTROL },
	{ SCMP_SYS(brk), ALL },
	{ SCMP_SYS(futex), ALL },
	{ SCMP_SYS(getrandom), ALL },
	{ SCMP_SYS(sysinfo), CONTROL }, /* qsort(3) asks how much it may take */
	{ SCMP_SYS(sched_yield), ALL },
	{ SCMP_SYS(getpid), ALL },
	{ SCMP_SYS(gettid), ALL },

	/* Signals, and the end. */
	{ SCMP_SYS(rt_sigaction), ALL },
	{ SCMP_SYS(rt_sigprocmask), ALL },
	{ SCMP_SYS(rt_sigreturn), ALL },
	{ SCMP_SYS(exit), ALL },
	{ SCMP_SYS(exit_group), ALL },
	{ SCMP_SYS(rseq), ALL },
	{ SCMP_SYS(set_robust_list), ALL },
};

/* Allowed when one argument, less some bits, has a value. */
static const struct {
	int number;
	unsigned int threads;
	unsigned int argument;
	uint64_t mask, value;
} limited_calls[] = {
	/* Memory that is not to be run. */
	{ SCMP_SYS(mmap), ALL, 2, PROT_EXEC, 0 },
	{ SCMP_SYS(mprotect), ALL, 2, PROT_EXEC, 0 },
	{ SCMP_SYS(fcntl), CONTROL, 1, UINT32_MAX, F_GETFL },
	{ SCMP_SYS(fcntl), CONTROL, 1, UINT32_MAX, F_SETFL },
	{ SCMP_SYS(fcntl), CONTROL, 1, UINT32_MAX, F_GETFD },
	{ SCMP_SYS(fcntl), CONTROL, 1, UINT32_MAX, F_SETFD },
	{ SCMP_SYS(fcntl), CONTROL, 1, UINT32_MAX, F_GET_SEALS },
};

/* Options of sockets that are set while a link runs; marks and buffers are the helper's. */
static const struct {
	int level, name;
} options[] = {
	{ IPPROTO_UDP, UDP_GRO },
	{ IPPROTO_IP, IP_MTU_DISCOVER },
	{ IPPROTO_IPV6, IPV6_MTU_DISCOVER },
};

static int add_calls(scmp_filter_ctx filter, unsigned int thread)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(calls) && r == 0; i++) {
		if (calls[i].threads & thread)
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i].number, 0);
	}
	return r;
}

static int add_limited_calls(scmp_filter_ctx filter, unsigned int thread)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(limited_calls) && r == 0; i++) {
		const struct scmp_arg_cmp is =
			SCMP_CMP(limited_calls[i].argument, SCMP_CMP_MASKED_EQ,
				 limited_calls[i].mask, limited_calls[i].value);

		if (limited_calls[i].threads & thread)
			r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, limited_calls[i].number,
						   1, &is);
	}
	return r;
}

static int add_options(scmp_filter_ctx filter)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(options) && r == 0; i++)
		r = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2,
			SCMP_CMP(1, SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint64_t)options[i].level),
			SCMP_CMP(2, SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint64_t)options[i].name));
	return r;
}

int sandbox_enter(enum sandbox_thread thread, enum conf_sandbox mode)
{
	uint32_t action = mode == CONF_SANDBOX_KILL ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM);
	scmp_filter_ctx filter;
	int r;

	if (mode == CONF_SANDBOX_OFF)
		return 0;
	/* Calls by another architecture's numbers, and by x32's, end the process in any case. */
	filter = seccomp_init(action);
	if (!filter)
		return -ENOMEM;
	r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* It is set already; asking again would be a system call more. */
	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	/* A search tree instead of a row of comparisons: every packet's calls go through it. */
	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = add_calls(filter, 1U << thread);
	if (r == 0)
		r = add_limited_calls(filter, 1U << thread);
	if (r == 0 && thread == SANDBOX_CONTROL)
		r = add_options(filter);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}
