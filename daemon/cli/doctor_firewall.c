/* `vpnd doctor`: this host's packet filter, asked by nft(8). */
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/cli/doctor.h"
#include "daemon/cli/doctor_ruleset.h"
#include "daemon/host/program.h"

/* A larger one is not looked at. */
#define RULESET_MAX ((size_t)8 * 1024 * 1024)

/* Everything that is read from a descriptor. \return bytes; negative: an error, or too much */
static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, text + len, size - len);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0 && len < size);
	return n < 0 || len == size ? -1 : (ssize_t)len;
}

/* Runs a program for its output. \return bytes, or negative when it failed */
static ssize_t output_of(char *const *argv, char *text, size_t size)
{
	char environment[] = "LC_ALL=C";
	char *const envp[] = { environment, NULL };
	posix_spawn_file_actions_t actions;
	ssize_t len = -1;
	int pipes[2], status;
	pid_t pid = -1;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (posix_spawn(&pid, argv[0], &actions, NULL, argv, envp) != 0)
		pid = -1;
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[1]);
	if (pid > 0)
		len = read_all(pipes[0], text, size);
	close(pipes[0]);
	if (pid > 0 && (waitpid(pid, &status, 0) != pid || status != 0))
		len = -1;
	return len;
}

static json_t *read_ruleset(void)
{
	char path[PATH_MAX];
	char json[] = "-j", list[] = "list", what[] = "ruleset";
	char *const argv[] = { path, json, list, what, NULL };
	json_t *ruleset = NULL;
	char *text;
	ssize_t len;

	if (!program_find(PROGRAM_PATH, "nft", path, sizeof(path)))
		return NULL;
	text = malloc(RULESET_MAX);
	len = text ? output_of(argv, text, RULESET_MAX) : -1;
	if (len > 0)
		ruleset = json_loadb(text, (size_t)len, 0, NULL);
	free(text);
	return ruleset;
}

static void judge(struct doctor *doctor, const json_t *ruleset, const char *hook, uint16_t port)
{
	bool is_input = strcmp(hook, "input") == 0;
	const char *what = is_input ? "arrives at" : "leaves for";
	char place[RULESET_PLACE_MAX], advice[DOCTOR_ADVICE_MAX];

	snprintf(advice, sizeof(advice),
		 "Let it pass: a rule `udp dport %u accept` in front there.", port);
	switch (ruleset_judge(ruleset, hook, port, place)) {
	case RULESET_DROPPED:
		doctor_say(doctor, DOCTOR_FAIL, advice,
			   "this host's firewall drops what %s UDP port %u (%s)", what, port,
			   place);
		break;
	case RULESET_SOMETIMES:
		doctor_say(doctor, DOCTOR_WARN, advice,
			   "this host's firewall drops some of what %s UDP port %u (%s)", what,
			   port, place);
		break;
	case RULESET_CLOSED:
		doctor_say(
			doctor, DOCTOR_WARN, advice,
			"this host's firewall drops what it is not told to let pass, and no rule "
			"names UDP port %u (%s)",
			port, place);
		break;
	case RULESET_OPAQUE:
		doctor_say(doctor, DOCTOR_NOTE, NULL,
			   "whether this host's firewall lets UDP port %u pass cannot be told (%s)",
			   port, place);
		break;
	case RULESET_OPEN:
		doctor_say(doctor, DOCTOR_OK, NULL,
			   "this host's firewall lets what %s UDP port %u pass", what, port);
		break;
	}
}

void doctor_check_firewall(struct doctor *doctor)
{
	long long port = doctor->is_running ? doctor->status.listen_port
			 : doctor->has_conf ? doctor->conf.listen_port
					    : 0;
	json_t *ruleset;

	if (!doctor->is_root) {
		doctor_say(doctor, DOCTOR_NOTE, NULL, "the firewall can be looked at by root only");
		return;
	}
	ruleset = read_ruleset();
	if (!ruleset) {
		doctor_say(doctor, DOCTOR_NOTE, NULL,
			   "nft(8) tells nothing, so the firewall was not looked at");
		return;
	}
	if (port > 0)
		judge(doctor, ruleset, "input", (uint16_t)port);
	if (doctor->n_remotes > 0)
		judge(doctor, ruleset, "output", netaddr_port(&doctor->remotes[0]));
	json_decref(ruleset);
}
