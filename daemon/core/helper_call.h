/*
 * How a link asks its helper: one request and its answer. The parts of the link's side that
 * helper.c and helper_queue.c share; nobody else includes this.
 */
#ifndef CORE_HELPER_CALL_H
#define CORE_HELPER_CALL_H

#include "daemon/core/helper.h"
#include "daemon/core/helper_wire.h"

/* One request and its answer. */
struct helper_call {
	struct helper_message message;
	size_t argument_len;
	int fds[HELPER_FDS_MAX]; /* those of the request, then those of the answer */
	struct helper_answer answer;
	void *rest; /* room for what follows the answer, or NULL */
	size_t rest_len;
	nsec_t programs_limit; /* how long the programs may take that the request runs */
	bool is_stoppable;     /* a stop signal ends the one that runs */
};

#define HELPER_CALL(which, argument_size)                                                          \
	{                                                                                          \
		.message.request = (which), .argument_len = (argument_size), .fds = { -1, -1 }     \
	}

/*!
 * Sends a request, and takes the answer.
 * \return 0, then the answer's result is in it, not negative; -EPIPE: there is no helper, or not
 *         any more; another negative errno, which may be the answer's
 */
int helper_call(struct helper *helper, struct helper_call *call);

/*!
 * Sends a request whose answer somebody else takes.
 *
 * \param argument_len  bytes
 * \return 0 or a negative errno
 */
int helper_post(struct helper *helper, struct helper_message *message, size_t argument_len,
		const int fds[static HELPER_FDS_MAX]);

/*! Takes the answer to the request whose number is in `call`. \return as helper_call() */
int helper_await(struct helper *helper, struct helper_call *call);

/*!
 * What an answer means for the link; one that says nothing itself is said here.
 *
 * \param result  an exit code or a negative errno
 */
enum exit_code helper_code_of(const struct helper *helper, enum helper_request request, int result);

/*!
 * There is no helper from now on: what was queued has failed.
 *
 * \param is_hanging  it is there, but does not answer
 */
void helper_lose(struct helper *helper, bool is_hanging);

#endif
