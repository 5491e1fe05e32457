/* The clocks that vpnd reads; see nsec.h for which is for what. */
#include "common/nsec.h"

static nsec_t read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (nsec_t)ts.tv_sec * NSEC_PER_SEC + (nsec_t)ts.tv_nsec;
}

nsec_t nsec_boottime(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

nsec_t nsec_thread_cpu(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

struct timespec nsec_wallclock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts;
}
