/* `vpnd doctor`: the link file, and whether it is what runs. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/diag.h"
#include "conf/host_file.h"
#include "conf/link_file.h"
#include "daemon/cli/doctor.h"
#include "daemon/ctl/changes_json.h"
#include "daemon/ctl/status_server.h"
#include "daemon/host/hooks.h"

/* Findings about one file that are worth repeating; `vpnd check` has all. */
#define FINDINGS_MAX 5

static void repeat(struct doctor *doctor, const struct diag *diag)
{
	size_t n_said = 0;

	for (size_t i = 0; i < diag->n_items && n_said < FINDINGS_MAX; i++) {
		const struct diag_item *item = &diag->items[i];
		bool is_error = item->level == DIAG_ERROR;

		/* What hinders it comes first. */
		if (diag->n_errors > 0 && !is_error)
			continue;
		n_said++;
		if (item->line > 0)
			doctor_say(doctor, is_error ? DOCTOR_FAIL : DOCTOR_WARN, NULL, "%s:%u: %s",
				   diag->file, item->line, item->text);
		else
			doctor_say(doctor, is_error ? DOCTOR_FAIL : DOCTOR_WARN, NULL, "%s: %s",
				   diag->file, item->text);
	}
	if (n_said < diag->n_errors)
		doctor_say(doctor, DOCTOR_NOTE, NULL, "there are more: `vpnd check` has all %zu",
			   diag->n_errors);
}

static void check_host_file(struct doctor *doctor)
{
	struct diag diag = DIAG_NULL(doctor->host_path);

	conf_host_init(&doctor->host);
	host_file_load(doctor->host_path, &doctor->host, &diag);
	repeat(doctor, &diag);
	if (diag.n_errors > 0)
		conf_host_init(&doctor->host);
	diag_deinit(&diag);
}

static void check_commands(struct doctor *doctor)
{
	const char *reason;

	if (hooks_are_used(&doctor->conf) && !hooks_may_run(doctor->path, &reason))
		doctor_say(doctor, DOCTOR_FAIL,
			   "Make file and directory root's, writable by nobody else, or take the "
			   "commands out.",
			   "%s has commands, and %s: it is refused", doctor->path, reason);
}

void doctor_check_file(struct doctor *doctor)
{
	struct diag diag = DIAG_NULL(doctor->path);

	check_host_file(doctor);
	if (doctor->is_running && access(doctor->path, F_OK) < 0 && errno == ENOENT) {
		doctor_say(doctor, DOCTOR_NOTE, NULL,
			   "there is no %s: the link that runs was configured by wg, or from "
			   "another file",
			   doctor->path);
		return;
	}
	/* That this user may not read keys is as it should be. */
	if (!doctor->is_root && access(doctor->path, R_OK) < 0 && errno == EACCES) {
		doctor_say(doctor, DOCTOR_NOTE,
			   "Run `vpnd doctor` as root to see all that it can find.",
			   "you may not read %s: what it says is not looked at", doctor->path);
		return;
	}
	link_file_load(doctor->path, &doctor->conf, &diag);
	conf_host_apply_defaults(&doctor->host, &doctor->conf);
	conf_host_check_link(&doctor->host, &doctor->conf, &diag);
	repeat(doctor, &diag);
	doctor->has_conf = diag.n_errors == 0;
	if (doctor->has_conf)
		check_commands(doctor);
	if (doctor->has_conf && diag.n_items == 0)
		doctor_say(doctor, DOCTOR_OK, NULL, "%s is good", doctor->path);
	diag_deinit(&diag);
}

void doctor_check_reload(struct doctor *doctor)
{
	json_t *answer;
	size_t n_changes;

	if (!doctor->is_running || !doctor->has_conf ||
	    status_ask_json(STATUS_DIR, doctor->name, STATUS_CHANGES_SOCKET, &answer) < 0)
		return;
	n_changes = json_array_size(json_object_get(answer, "changes"));
	if (json_integer_value(json_object_get(answer, "code")) != 0)
		doctor_say(
			doctor, DOCTOR_WARN,
			"`vpnd check --diff` says what the running link finds in it.",
			"the running link cannot use the file as it is now, and goes on with what "
			"it read before");
	else if (n_changes > 0)
		doctor_say(doctor, DOCTOR_WARN,
			   "`vpnd check --diff` shows them, `systemctl reload` applies them.",
			   "what runs is not what the file says: %zu change%s", n_changes,
			   n_changes == 1 ? "" : "s");
	else
		doctor_say(doctor, DOCTOR_OK, NULL, "what runs is what the file says");
	json_decref(answer);
}
