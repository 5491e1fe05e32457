/* `vpnd doctor`: what a link needs of this host before there is any network. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "conf/words.h"
#include "daemon/cli/doctor.h"
#include "daemon/core/suites.h"
#include "daemon/data/tun.h"
#include "daemon/host/program.h"

/* 2026-01-01: no host that has this program lives before that. */
#define CLOCK_MIN 1767225600
/* By how much a file may be younger than now: other hosts' clocks, copied with the file. */
#define CLOCK_TOLERANCE 3600

void doctor_check_device(struct doctor *doctor)
{
	static const char advice[] =
		"Load the kernel's module with `modprobe tun`; a container must be given the "
		"device.";
	int fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0) {
		doctor_say(doctor, DOCTOR_OK, NULL, "%s can be opened", TUN_DEVICE);
		close(fd);
	} else if (errno == EACCES && !doctor->is_root) {
		doctor_say(doctor, DOCTOR_NOTE, NULL, "you may not open %s, so it was not tried",
			   TUN_DEVICE);
	} else {
		doctor_say(doctor, doctor->is_running ? DOCTOR_WARN : DOCTOR_FAIL, advice,
			   "%s cannot be opened: %s", TUN_DEVICE, strerror(errno));
	}
}

void doctor_check_cipher(struct doctor *doctor)
{
	enum conf_cipher wanted = doctor->has_conf ? doctor->conf.cipher : CONF_CIPHER_AUTO;
	struct suites suites;

	if (!suites_choose(wanted, true, &suites)) {
		doctor_say(doctor, DOCTOR_FAIL,
			   "`vpnd speed` lists those that there are; Cipher = auto finds one that "
			   "both ends have.",
			   "Cipher = %s: this processor or this libsodium does not have it",
			   words_name(&words_cipher, wanted));
		return;
	}
	doctor_say(doctor, DOCTOR_OK, NULL, "libsodium %s; Cipher = %s can be done",
		   sodium_version_string(), words_name(&words_cipher, wanted));
}

/* A peer that has heard from us believes no initiation that is older. */
void doctor_check_clock(struct doctor *doctor)
{
	static const char advice[] =
		"Set the clock (`timedatectl`): the peer ignores initiations that are older than "
		"the newest it has seen.";
	struct timex state = { .modes = 0 };
	time_t now = time(NULL);
	struct stat st;

	if (now < CLOCK_MIN)
		doctor_say(doctor, DOCTOR_FAIL, advice, "the clock of this host is years behind");
	else if (stat(doctor->path, &st) == 0 && st.st_mtime > now + CLOCK_TOLERANCE)
		doctor_say(doctor, DOCTOR_WARN, advice,
			   "the link file was written in the future: the clock of this host may be "
			   "behind");
	else if (adjtimex(&state) == TIME_ERROR)
		doctor_say(doctor, DOCTOR_NOTE, NULL,
			   "nobody keeps the clock of this host; that matters only when it is set "
			   "back");
	else
		doctor_say(doctor, DOCTOR_OK, NULL, "the clock is kept in time");
}

/* What systemd knows of the unit. */
struct unit {
	char state[32];
	char result[32];
	char code[16]; /* exit code of the last run */
};

static void read_property(void *context, const char *line)
{
	struct unit *unit = context;
	const struct {
		const char *name;
		char *to;
		size_t size;
	} properties[] = {
		{ "ActiveState=", unit->state, sizeof(unit->state) },
		{ "Result=", unit->result, sizeof(unit->result) },
		{ "ExecMainStatus=", unit->code, sizeof(unit->code) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
		size_t len = strlen(properties[i].name);

		if (strncmp(line, properties[i].name, len) == 0)
			snprintf(properties[i].to, properties[i].size, "%s", line + len);
	}
}

static bool ask_systemd(const char *link, struct unit *ret)
{
	char path[PATH_MAX], name[IFNAMSIZ + 16];
	const char *const argv[] = { path, "show", "--property=ActiveState,Result,ExecMainStatus",
				     name, NULL };
	const char *const envp[] = { "LC_ALL=C", NULL };
	const struct program_job job = {
		.argv = argv,
		.envp = envp,
		.limit = 5 * NSEC_PER_SEC,
		.say = read_property,
		.context = ret,
	};
	struct program_result result;

	memset(ret, 0, sizeof(*ret));
	snprintf(name, sizeof(name), "vpnd@%s.service", link);
	return access("/run/systemd/system", F_OK) == 0 &&
	       program_find(PROGRAM_PATH, "systemctl", path, sizeof(path)) &&
	       program_run(&job, &result) == 0 && result.end == PROGRAM_EXITED &&
	       result.status == 0 && ret->state[0];
}

static void say_stopped(struct doctor *doctor)
{
	char advice[DOCTOR_ADVICE_MAX];
	struct unit unit;

	if (!ask_systemd(doctor->name, &unit)) {
		snprintf(advice, sizeof(advice),
			 "Start it: `systemctl start vpnd@%s`, or by hand `vpnd run %s`.",
			 doctor->name, doctor->name);
		doctor_say(doctor, DOCTOR_SYMPTOM, advice, "the link is not running");
	} else if (strcmp(unit.state, "inactive") == 0) {
		snprintf(advice, sizeof(advice),
			 "Start it, now and at every boot: `systemctl enable --now vpnd@%s`.",
			 doctor->name);
		doctor_say(doctor, DOCTOR_SYMPTOM, advice, "the link is not running");
	} else {
		snprintf(advice, sizeof(advice), "`journalctl -u vpnd@%s -n 20` says why.",
			 doctor->name);
		doctor_say(doctor, DOCTOR_SYMPTOM, advice,
			   "the link is not running: its unit is %s (%s), with exit code %s last",
			   unit.state, unit.result, unit.code);
	}
}

void doctor_check_service(struct doctor *doctor)
{
	char age[64];

	switch (doctor->status.error) {
	case 0:
		snprintf(age, sizeof(age), "%.0f s", doctor->status.state_seconds);
		doctor_say(doctor, DOCTOR_OK, NULL, "the link runs and answers; \"%s\" for %s",
			   doctor->status.state_text, age);
		break;
	case -ENOENT:
		say_stopped(doctor);
		break;
	case -ECONNREFUSED:
		doctor_say(doctor, DOCTOR_SYMPTOM,
			   "`journalctl -u` with its unit says more; start it again.",
			   "the link is not running: it was killed, and its socket is left");
		break;
	case -EACCES:
	case -EPERM:
		doctor_say(doctor, DOCTOR_NOTE,
			   "Run `vpnd doctor` as root to see all that it can find.",
			   "the running link may be asked by root and its own user only");
		break;
	case -ETIMEDOUT:
		doctor_say(doctor, DOCTOR_FAIL,
			   "Restart it; under systemd that happens by itself within 30 seconds.",
			   "the link has a process, but that does not answer: it hangs");
		break;
	default:
		doctor_say(doctor, DOCTOR_FAIL,
			   "Restart the link, so that both are of one version.",
			   "the link is asked for its status, and %s",
			   doctor->status.error == -EPROTONOSUPPORT
				   ? "is another version of vpnd than this program"
				   : strerror(-doctor->status.error));
	}
}
