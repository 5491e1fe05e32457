/* Findings of `vpnd doctor`; see doctor.h. */
#include "daemon/cli/doctor.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "daemon/cli/terminal.h"

#define DOCTOR_JSON_VERSION 1
/* Where the text of a finding begins, and its longest line. */
#define TEXT_INDENT 16
#define COLUMNS     96

static const struct level {
	const char *word;   /* for people */
	const char *key;    /* for programs */
	const char *colour; /* on a terminal */
} levels[DOCTOR_N_LEVELS] = {
	[DOCTOR_OK] = { "ok", "ok", "\033[32m" },
	[DOCTOR_NOTE] = { "note", "note", "" },
	[DOCTOR_WARN] = { "warn", "warning", "\033[33m" },
	[DOCTOR_SYMPTOM] = { "FAIL", "failure", "\033[31m" },
	[DOCTOR_FAIL] = { "FAIL", "failure", "\033[31m" },
};

/* Nothing to be done when memory is short: a finding less. */
static void add(struct doctor_findings *findings, const struct doctor_finding *finding)
{
	struct doctor_finding *items =
		grow_list(findings->items, findings->n, sizeof(*findings->items));

	if (items)
		findings->items = items;
	if (items && finding->text) {
		findings->items[findings->n++] = *finding;
		return;
	}
	free(finding->text);
	free(finding->advice);
}

void doctor_say(struct doctor *doctor, enum doctor_level level, const char *advice,
		const char *format, ...)
{
	bool is_demoted = doctor->is_only_suspect && level == DOCTOR_FAIL;
	struct doctor_finding finding = {
		.check = doctor->check,
		.level = is_demoted ? DOCTOR_WARN : level,
	};
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&finding.text, format, arguments) < 0)
		finding.text = NULL;
	va_end(arguments);
	finding.advice = advice ? strdup(advice) : NULL;
	add(&doctor->findings, &finding);
}

static const struct doctor_finding *first_of(const struct doctor_findings *findings,
					     enum doctor_level level)
{
	for (size_t i = 0; i < findings->n; i++) {
		if (findings->items[i].level == level)
			return &findings->items[i];
	}
	return NULL;
}

const struct doctor_finding *doctor_verdict(const struct doctor_findings *findings)
{
	const struct doctor_finding *found = NULL;

	for (int level = DOCTOR_FAIL; !found && level >= DOCTOR_WARN; level--)
		found = first_of(findings, (enum doctor_level)level);
	return found;
}

const struct doctor_finding *doctor_suspect(const struct doctor_findings *findings)
{
	const struct doctor_finding *verdict = doctor_verdict(findings);

	return verdict && verdict->level > DOCTOR_WARN ? first_of(findings, DOCTOR_WARN) : NULL;
}

static void print_finding(const struct doctor_finding *finding, bool is_first, bool has_colours,
			  FILE *stream)
{
	const struct level *level = &levels[finding->level];

	fprintf(stream, "%s%-4s%s %-10s ", has_colours ? level->colour : "", level->word,
		has_colours && level->colour[0] ? "\033[0m" : "", is_first ? finding->check : "");
	terminal_wrap(stream, COLUMNS, TEXT_INDENT, finding->text);
	if (finding->advice) {
		fprintf(stream, "%*s", TEXT_INDENT, "");
		terminal_wrap(stream, COLUMNS, TEXT_INDENT, finding->advice);
	}
}

static void print_sentence(const char *text, FILE *stream)
{
	size_t len = strlen(text);

	fprintf(stream, "%s%s", text, len && text[len - 1] == '.' ? "" : ".");
}

static void write_verdict(const struct doctor *doctor, FILE *stream)
{
	const struct doctor_finding *verdict = doctor_verdict(&doctor->findings);
	const struct doctor_finding *suspect = doctor_suspect(&doctor->findings);

	fprintf(stream, "%s: ", doctor->name);
	if (!verdict) {
		fputs(doctor->is_running ? "nothing is wrong that can be seen from here."
					 : "nothing is wrong that can be seen without asking the "
					   "link itself.",
		      stream);
		return;
	}
	if (verdict->level == DOCTOR_WARN)
		fputs("nothing is broken, but look at this: ", stream);
	print_sentence(verdict->text, stream);
	if (verdict->advice) {
		fputc(' ', stream);
		print_sentence(verdict->advice, stream);
	}
	if (suspect) {
		fputs(" It may have to do with this: ", stream);
		print_sentence(suspect->text, stream);
	}
}

static void print_verdict(const struct doctor *doctor, FILE *stream)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	write_verdict(doctor, out);
	fputc('\n', stream);
	if (fclose(out) == 0)
		terminal_wrap(stream, COLUMNS, 0, text);
	free(text);
}

void doctor_print(const struct doctor *doctor, bool has_colours, FILE *stream)
{
	const char *last = "";

	for (size_t i = 0; i < doctor->findings.n; i++) {
		const struct doctor_finding *finding = &doctor->findings.items[i];

		print_finding(finding, strcmp(finding->check, last) != 0, has_colours, stream);
		last = finding->check;
	}
	print_verdict(doctor, stream);
}

static json_t *text_or_null(const char *text)
{
	json_t *json = text ? json_string(text) : NULL;

	return json ? json : json_null();
}

void doctor_print_json(const struct doctor *doctor, FILE *stream)
{
	const struct doctor_finding *verdict = doctor_verdict(&doctor->findings);
	json_t *findings = json_array(), *json;

	for (size_t i = 0; i < doctor->findings.n; i++) {
		const struct doctor_finding *finding = &doctor->findings.items[i];

		json_array_append_new(findings,
				      json_pack("{s:s, s:s, s:o, s:o}", "check", finding->check,
						"level", levels[finding->level].key, "text",
						text_or_null(finding->text), "advice",
						text_or_null(finding->advice)));
	}
	json = json_pack("{s:i, s:s, s:b, s:o, s:o}", "version", DOCTOR_JSON_VERSION, "link",
			 doctor->name, "running", doctor->is_running, "verdict",
			 text_or_null(verdict ? verdict->text : NULL), "findings", findings);
	json_dumpf(json, stream, JSON_INDENT(2));
	fputc('\n', stream);
	json_decref(json);
}

void doctor_findings_deinit(struct doctor_findings *findings)
{
	for (size_t i = 0; i < findings->n; i++) {
		free(findings->items[i].text);
		free(findings->items[i].advice);
	}
	free(findings->items);
	*findings = (struct doctor_findings) { 0 };
}

long long doctor_count(const struct status_answer *status, const char *group, const char *key)
{
	return json_integer_value(json_object_get(json_object_get(status->json, group), key));
}

struct netlink *doctor_inner_nl(struct doctor *doctor)
{
	return doctor->has_conf && doctor->conf.namespace ? &doctor->inner_nl : &doctor->nl;
}

const char *doctor_interface_name(struct netlink *nl, unsigned int ifindex,
				  char name[static IFNAMSIZ])
{
	struct nl_link link;

	snprintf(name, IFNAMSIZ, "?");
	if (nl_link_get(nl, ifindex, &link) == 0)
		snprintf(name, IFNAMSIZ, "%s", link.name);
	return name;
}
