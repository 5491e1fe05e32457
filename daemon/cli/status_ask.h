/*
 * Asks the links of this host for their status, through their control sockets, and says in plain
 * values what they answer (daemon/ctl/status_json.h).
 */
#ifndef CLI_STATUS_ASK_H
#define CLI_STATUS_ASK_H

#include <jansson.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "common/err.h"

/* One link and what it said. Texts belong to `json`; NULL: it said nothing about that. */
struct status_answer {
	char name[IFNAMSIZ];
	int error; /* 0; -ENOENT: there is no socket; -ECONNREFUSED: nobody listens; -ETIMEDOUT;
		      -EPROTO: no status; -EPROTONOSUPPORT: of another version; or another errno */
	bool has_handshake;
	bool is_trouble_over;
	bool is_tap;
	json_t *json; /* owned; NULL after an error */

	const char *state, *state_text;
	double state_seconds;
	const char *public_key, *peer_key, *endpoint;
	long long mtu, listen_port;
	const char *cipher;
	long long handshake_time;                 /* Unix */
	double handshake_age, handshake_duration; /* seconds; duration 0: not known */
	long long rx_bytes, tx_bytes, rx_packets, tx_packets;
	long long n_received, n_lost;
	const json_t *drops, *messages;
	const char *trouble, *advice;
	double trouble_age;
};

struct status_answers {
	struct status_answer *items; /* owned */
	size_t n;
};

/*!
 * Asks one link, waiting for it two seconds at most.
 * \param dir   of the sockets: STATUS_DIR
 * \param name  of the link
 * \param ret   any bytes; status_answer_deinit() frees it, also after an error
 */
void status_ask(const char *dir, const char *name, struct status_answer *ret);

/*!
 * Asks all links: those that have a socket, and those that have a link file, in the order of their
 * names.
 * \param conf_dir  of the link files; one that cannot be read has none
 * \param ret       any bytes; for status_answers_deinit()
 * \return 0, or a negated errno value: `dir` cannot be read, or memory is short
 */
must_check int status_ask_all(const char *dir, const char *conf_dir, struct status_answers *ret);

/*!
 * Asks any socket of a link that answers with JSON, waiting two seconds at most.
 * \param socket_name  STATUS_SOCKET or STATUS_CHANGES_SOCKET
 * \param ret          the object, owned by the caller; NULL after an error
 * \return 0 or a negated errno value, as status_answer.error
 */
must_check int status_ask_json(const char *dir, const char *name, const char *socket_name,
			       json_t **ret);

/*! Frees what an answer owns. */
void status_answer_deinit(struct status_answer *answer);

/*! Frees all; safe twice. */
void status_answers_deinit(struct status_answers *answers);

/*! The state in one word, of a fixed list: what the link says, or "not-running", or "unknown" when
 * it may not be asked or says nothing of use. */
const char *status_ask_state(const struct status_answer *answer);

/*!
 * The exit code that answers stand for: the worst of all.
 * \param is_all  all links were asked, of which one that is not started is no mistake; but one that
 *                was killed is
 */
enum exit_code status_ask_code(const struct status_answers *answers, bool is_all);

/*! What an error means, as a word or two for the place of a state: "not running". */
const char *status_ask_error(int error);

#endif
