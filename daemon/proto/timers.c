/* The timers of a peer; see timers.h. */
#include "daemon/proto/timers.h"

#include <sodium.h>

#include "common/defs.h"
#include "daemon/proto/messages.h"

static bool is_armed(const struct timers *timers, enum timer timer)
{
	return timers->deadlines[timer] != NSEC_NEVER;
}

static void disarm(struct timers *timers, enum timer timer)
{
	timers->deadlines[timer] = NSEC_NEVER;
}

static nsec_t jitter(void)
{
	return randombytes_uniform((uint32_t)REKEY_JITTER);
}

void timers_init(struct timers *timers, nsec_t persistent_interval)
{
	*timers = (struct timers) { .persistent_interval = persistent_interval };
	for (size_t i = 0; i < N_TIMERS; i++)
		timers->deadlines[i] = NSEC_NEVER;
}

static void postpone_persistent(struct timers *timers, nsec_t now)
{
	if (timers->persistent_interval)
		timers->deadlines[TIMER_PERSISTENT] =
			nsec_add(MAX(MAX(timers->last_sent, timers->last_received), now),
				 timers->persistent_interval);
}

static void expect_answer(struct timers *timers, nsec_t since)
{
	timers->unanswered_since = since;
	timers->deadlines[TIMER_NEW_HANDSHAKE] =
		since + KEEPALIVE_TIMEOUT + REKEY_TIMEOUT + timers->data_jitter;
}

static void owe_keepalive(struct timers *timers, nsec_t since)
{
	timers->owed_since = since;
	timers->deadlines[TIMER_KEEPALIVE] = since + KEEPALIVE_TIMEOUT;
}

void timers_data_sent(struct timers *timers, nsec_t now)
{
	timers->last_data_sent = MAX(timers->last_data_sent, now);
	timers->needs_another_keepalive = false;
	/* Counts from the first packet without an answer, not from the last. */
	if (!is_armed(timers, TIMER_NEW_HANDSHAKE) && now >= timers->last_received)
		expect_answer(timers, now);
}

void timers_keepalive_sent(struct timers *timers, nsec_t now)
{
	if (timers->needs_another_keepalive)
		owe_keepalive(timers, now);
	timers->needs_another_keepalive = false;
}

void timers_data_received(struct timers *timers, nsec_t now)
{
	timers->last_data_received = MAX(timers->last_data_received, now);
	if (now < timers->last_sent)
		return;
	timers->needs_another_keepalive = is_armed(timers, TIMER_KEEPALIVE);
	if (!timers->needs_another_keepalive)
		owe_keepalive(timers, now);
}

void timers_authenticated_sent(struct timers *timers, nsec_t now)
{
	timers->last_sent = MAX(timers->last_sent, now);
	if (now >= timers->owed_since)
		disarm(timers, TIMER_KEEPALIVE);
	if (!is_armed(timers, TIMER_KEEPALIVE) && timers->last_data_received > timers->last_sent)
		owe_keepalive(timers, timers->last_data_received);
	postpone_persistent(timers, now);
}

void timers_authenticated_received(struct timers *timers, nsec_t now)
{
	timers->last_received = MAX(timers->last_received, now);
	if (now >= timers->unanswered_since)
		disarm(timers, TIMER_NEW_HANDSHAKE);
	if (!is_armed(timers, TIMER_NEW_HANDSHAKE) &&
	    timers->last_data_sent > timers->last_received)
		expect_answer(timers, timers->last_data_sent);
	postpone_persistent(timers, now);
}

void timers_initiation_sent(struct timers *timers, nsec_t now)
{
	timers->deadlines[TIMER_RETRANSMIT] = now + REKEY_TIMEOUT + jitter();
}

void timers_initiation_delayed(struct timers *timers, nsec_t earliest)
{
	if (!is_armed(timers, TIMER_RETRANSMIT))
		timers->deadlines[TIMER_RETRANSMIT] = earliest + jitter();
}

bool timers_is_retrying(const struct timers *timers)
{
	return is_armed(timers, TIMER_RETRANSMIT);
}

void timers_handshake_complete(struct timers *timers)
{
	disarm(timers, TIMER_RETRANSMIT);
	timers->n_retries = 0;
}

void timers_session_derived(struct timers *timers, nsec_t now)
{
	timers->deadlines[TIMER_ZERO_KEYS] = now + 3 * REJECT_AFTER_TIME;
	timers->data_jitter = jitter();
}

void timers_gave_up(struct timers *timers, nsec_t now)
{
	disarm(timers, TIMER_KEEPALIVE);
	timers->n_retries = 0;
	if (!is_armed(timers, TIMER_ZERO_KEYS))
		timers_session_derived(timers, now);
}

nsec_t timers_deadline(const struct timers *timers)
{
	nsec_t earliest = NSEC_NEVER;

	for (size_t i = 0; i < N_TIMERS; i++) {
		if (timers->deadlines[i] < earliest)
			earliest = timers->deadlines[i];
	}
	return earliest;
}

unsigned int timers_expire(struct timers *timers, nsec_t now)
{
	unsigned int due = 0;

	for (enum timer timer = 0; timer < N_TIMERS; timer++) {
		if (timers->deadlines[timer] > now)
			continue;
		disarm(timers, timer);
		due |= 1U << timer;
	}
	return due;
}
