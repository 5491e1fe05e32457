/* Asks the links of this host for their status; see status_ask.h. */
#include "daemon/cli/status_ask.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/grow.h"
#include "conf/model.h"
#include "conf/paths.h"
#include "daemon/ctl/status_json.h"
#include "daemon/ctl/status_server.h"

/* More than any link has to say. */
#define ANSWER_MAX      ((size_t)256 * 1024)
#define TIMEOUT_SECONDS 2
#define CONF_SUFFIX     ".conf"

/* \return a connected descriptor or a negated errno value */
static int connect_to(const char *dir, const char *name, const char *socket_name)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT_SECONDS };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int n = snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s/%s.sock", dir, name,
			 socket_name);
	int fd, r = 0;

	if (n < 0 || n >= (int)sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* The first bounds connect(), which waits while the queue is full. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		r = errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

/* Reads to the end of the stream. \return bytes or a negated errno value */
static ssize_t read_all(int fd, char *text)
{
	size_t len = 0;

	while (len < ANSWER_MAX) {
		ssize_t n = recv(fd, text + len, ANSWER_MAX - len, 0);

		if (n == 0)
			return (ssize_t)len;
		if (n < 0 && errno != EINTR)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (n > 0)
			len += (size_t)n;
	}
	return -EPROTO;
}

int status_ask_json(const char *dir, const char *name, const char *socket_name, json_t **ret)
{
	int fd = connect_to(dir, name, socket_name);
	char *text;
	ssize_t len;

	*ret = NULL;
	if (fd < 0)
		return fd;
	text = malloc(ANSWER_MAX);
	len = text ? read_all(fd, text) : -ENOMEM;
	close(fd);
	*ret = len > 0 ? json_loadb(text, (size_t)len, 0, NULL) : NULL;
	free(text);
	if (len < 0)
		return (int)len;
	return *ret ? 0 : -EPROTO;
}

/* A member, or a member of a member; what is not there is NULL, of which jansson makes zero. */
static const json_t *at(const json_t *json, const char *name, const char *inner)
{
	json_t *member = json_object_get(json, name);

	return inner ? json_object_get(member, inner) : member;
}

static const char *text_at(const json_t *json, const char *name, const char *inner)
{
	return json_string_value(at(json, name, inner));
}

/* Where there is no key (null), no text. */
static const char *key_at(const json_t *json, const char *name, const char *inner)
{
	return json_is_null(at(json, name, inner)) ? "" : text_at(json, name, inner);
}

static long long number_at(const json_t *json, const char *name, const char *inner)
{
	return json_integer_value(at(json, name, inner));
}

static double seconds_at(const json_t *json, const char *name, const char *inner)
{
	return json_number_value(at(json, name, inner));
}

/* What the object says. */
static void understand(struct status_answer *ret)
{
	const json_t *json = ret->json;
	const char *mode;

	ret->state = text_at(json, "state", NULL);
	ret->state_text = text_at(json, "state_text", NULL);
	ret->state_seconds = seconds_at(json, "state_seconds", NULL);
	ret->public_key = key_at(json, "public_key", NULL);
	ret->peer_key = key_at(json, "peer", "public_key");
	ret->endpoint = text_at(json, "peer", "endpoint");
	ret->mtu = number_at(json, "interface", "mtu");
	mode = text_at(json, "interface", "mode");
	ret->is_tap = mode && strcmp(mode, "tap") == 0;
	ret->listen_port = number_at(json, "listen_port", NULL);
	ret->cipher = text_at(json, "cipher", NULL);
	ret->has_handshake = json_is_object(at(json, "handshake", NULL));
	ret->handshake_time = number_at(json, "handshake", "time");
	ret->handshake_age = seconds_at(json, "handshake", "age");
	ret->handshake_duration = seconds_at(json, "handshake", "duration");
	ret->rx_bytes = number_at(json, "traffic", "rx_bytes");
	ret->tx_bytes = number_at(json, "traffic", "tx_bytes");
	ret->rx_packets = number_at(json, "traffic", "rx_packets");
	ret->tx_packets = number_at(json, "traffic", "tx_packets");
	ret->n_received = number_at(json, "loss", "received");
	ret->n_lost = number_at(json, "loss", "lost");
	ret->drops = at(json, "drops", NULL);
	ret->messages = at(json, "messages", NULL);
	ret->trouble = text_at(json, "trouble", "text");
	ret->advice = text_at(json, "trouble", "advice");
	ret->trouble_age = seconds_at(json, "trouble", "age");
	ret->is_trouble_over = json_is_true(at(json, "trouble", "over"));
}

void status_ask(const char *dir, const char *name, struct status_answer *ret)
{
	memset(ret, 0, sizeof(*ret));
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	ret->error = status_ask_json(dir, name, STATUS_SOCKET, &ret->json);
	if (ret->error == 0 && !json_is_integer(at(ret->json, "version", NULL)))
		ret->error = -EPROTO;
	if (ret->error == 0 && number_at(ret->json, "version", NULL) != STATUS_JSON_VERSION)
		ret->error = -EPROTONOSUPPORT;
	if (ret->error == 0) {
		understand(ret);
		if (!ret->state || !ret->state_text || !ret->public_key || !ret->peer_key)
			ret->error = -EPROTO;
	}
	if (ret->error < 0) {
		json_decref(ret->json);
		ret->json = NULL;
	}
}

static bool add_name(struct conf_strings *names, const char *name)
{
	char **items;
	char *copy;

	for (size_t i = 0; i < names->n; i++) {
		if (strcmp(names->items[i], name) == 0)
			return true;
	}
	items = grow_list(names->items, names->n, sizeof(*items));
	if (!items)
		return false;
	names->items = items;
	copy = strdup(name);
	if (!copy)
		return false;
	names->items[names->n++] = copy;
	return true;
}

/* The link that an entry of a directory belongs to. */
static bool link_of(const char *dir, const struct dirent *entry, bool is_conf,
		    char name[static IFNAMSIZ])
{
	size_t len = strlen(entry->d_name), suffix_len = strlen(CONF_SUFFIX);
	char path[PATH_MAX];
	const char *reason;
	bool has_suffix =
		len > suffix_len && strcmp(entry->d_name + len - suffix_len, CONF_SUFFIX) == 0;
	int n;

	if (entry->d_name[0] == '.' || (is_conf && !has_suffix))
		return false;
	/* What is left of a link that has ended has no socket. */
	n = snprintf(path, sizeof(path), "%s/%s/" STATUS_SOCKET ".sock", dir, entry->d_name);
	if (n < 0 || n >= (int)sizeof(path) ||
	    (!is_conf && access(path, F_OK) < 0 && errno == ENOENT))
		return false;
	n = snprintf(path, sizeof(path), "%s/%s%s", dir, entry->d_name, is_conf ? "" : CONF_SUFFIX);
	return n > 0 && n < (int)sizeof(path) && paths_link_name(path, name, &reason);
}

/* Adds the links of a directory. \return 0 or a negated errno value */
static int add_names(const char *path, bool is_conf, struct conf_strings *names)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	char name[IFNAMSIZ];
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		if (link_of(path, entry, is_conf, name) && !add_name(names, name))
			r = -ENOMEM;
	}
	closedir(dir);
	return r;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(struct conf_strings *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->items[i]);
	free(names->items);
}

int status_ask_all(const char *dir, const char *conf_dir, struct status_answers *ret)
{
	struct conf_strings names = { 0 };
	int r = add_names(dir, false, &names);

	*ret = (struct status_answers) { 0 };
	if (r == -ENOENT)
		r = 0;
	if (r == 0 && add_names(conf_dir, true, &names) == -ENOMEM)
		r = -ENOMEM;
	if (r == 0 && names.n > 0) {
		qsort(names.items, names.n, sizeof(*names.items), compare);
		ret->items = calloc(names.n, sizeof(*ret->items));
		r = ret->items ? 0 : -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < names.n; i++)
		status_ask(dir, names.items[i], &ret->items[ret->n++]);
	free_names(&names);
	return r;
}

void status_answer_deinit(struct status_answer *answer)
{
	json_decref(answer->json);
	answer->json = NULL;
}

void status_answers_deinit(struct status_answers *answers)
{
	for (size_t i = 0; i < answers->n; i++)
		status_answer_deinit(&answers->items[i]);
	free(answers->items);
	*answers = (struct status_answers) { 0 };
}

const char *status_ask_error(int error)
{
	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		return "not running";
	case -EACCES:
	case -EPERM:
		return "not for you to see";
	case -ETIMEDOUT:
		return "does not answer";
	case -EPROTONOSUPPORT:
		return "another version";
	default:
		return "answers nonsense";
	}
}

const char *status_ask_state(const struct status_answer *answer)
{
	bool is_ended = answer->error == -ENOENT || answer->error == -ECONNREFUSED;

	if (answer->error == 0)
		return answer->state;
	return is_ended ? "not-running" : "unknown";
}

static enum exit_code code_of(int error, bool is_all)
{
	static const struct {
		int error;
		enum exit_code code, among_all;
	} codes[] = {
		{ 0, EXIT_DONE, EXIT_DONE },
		{ -ENOENT, EXIT_UNAVAILABLE, EXIT_DONE },
		{ -EACCES, EXIT_PERMISSION, EXIT_PERMISSION },
		{ -EPERM, EXIT_PERMISSION, EXIT_PERMISSION },
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		if (codes[i].error == error)
			return is_all ? codes[i].among_all : codes[i].code;
	}
	return EXIT_UNAVAILABLE;
}

enum exit_code status_ask_code(const struct status_answers *answers, bool is_all)
{
	enum exit_code worst = EXIT_DONE;

	for (size_t i = 0; i < answers->n; i++) {
		enum exit_code code = code_of(answers->items[i].error, is_all);

		worst = MAX(worst, code);
	}
	return worst;
}
