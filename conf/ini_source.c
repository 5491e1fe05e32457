/* A link file's text into sections and keys; see ini_source.h for how inih takes part in it. */
#include "conf/ini_source.h"

#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"
#include "conf/model.h"

/* inih keeps 49 characters of a section or key; none of ours is longer than 19. */
#define NAME_MAX_LEN 40

/* Names that no file can hold: the heading that follows cannot be read; a section begins. */
#define BROKEN_SECTION "!"
#define SECTION_MARK   "!"

/* A piece of the text. */
struct span {
	const char *text;
	size_t len;
};

struct source {
	struct span rest;  /* what is not read yet */
	unsigned int line; /* number of the line that was read last */
	struct span value; /* value of the key in that line */
	bool announce;     /* the next line for inih is the mark of a new section */
	const struct ini_events *events;
	void *ctx;
	struct diag *diag;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span trim(struct span span)
{
	while (span.len > 0 && is_blank(span.text[0])) {
		span.text++;
		span.len--;
	}
	while (span.len > 0 && is_blank(span.text[span.len - 1]))
		span.len--;
	return span;
}

/* The part before the first `c`, or all of it. */
static struct span before(struct span span, char c)
{
	const char *end = memchr(span.text, c, span.len);

	if (end != NULL)
		span.len = (size_t)(end - span.text);
	return span;
}

static bool is_name_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '-';
}

/* Copies a section's or key's name; says why it is none. */
static const char *copy_name(struct span span, char ret[static NAME_MAX_LEN + 1])
{
	if (span.len == 0)
		return "is empty";
	if (span.len > NAME_MAX_LEN)
		return "is too long";
	for (size_t i = 0; i < span.len; i++) {
		if (!is_name_char(span.text[i]))
			return "has characters other than letters and digits";
	}
	memcpy(ret, span.text, span.len);
	ret[span.len] = '\0';
	return NULL;
}

/* Takes the next line out of the text, without its end; false when there is none. */
static bool next_line(struct source *source, struct span *ret)
{
	struct span line = before(source->rest, '\n');
	size_t taken = MIN(line.len + 1, source->rest.len);

	if (source->rest.len == 0)
		return false;
	source->rest.text += taken;
	source->rest.len -= taken;
	source->line++;
	if (line.len > 0 && line.text[line.len - 1] == '\r')
		line.len--;
	*ret = line;
	return true;
}

/* "[Name]": writes the line for inih. Of a broken heading BROKEN_SECTION is left, so that its
   keys do not fall to the section before. */
static void read_heading(struct source *source, struct span line, char *out, size_t out_size)
{
	char name[NAME_MAX_LEN + 1];
	const char *reason;
	struct span inside;

	snprintf(out, out_size, "[" BROKEN_SECTION "]\n");
	source->announce = true;
	line = trim(before(line, '#'));
	inside = before(line, ']');
	if (inside.len == line.len) {
		diag_error(source->diag, source->line, "the section heading has no closing \"]\"");
		return;
	}
	if (inside.len + 1 != line.len) {
		diag_error(source->diag, source->line,
			   "something stands behind the \"]\" of the section heading; keys go into "
			   "the lines below it");
		return;
	}
	inside.text++;
	inside.len--;
	reason = copy_name(trim(inside), name);
	if (reason != NULL) {
		diag_error(source->diag, source->line,
			   "the name in the section heading %s; a link file has [Interface] and "
			   "[Peer]",
			   reason);
		return;
	}
	snprintf(out, out_size, "[%s]\n", name);
}

/* "Key = value": writes the line for inih and notes the value; false when it is no such line. */
static bool read_entry(struct source *source, struct span line, char *out, size_t out_size)
{
	struct span left = before(line, '=');
	char key[NAME_MAX_LEN + 1];
	const char *reason;

	/* Also "PostUp # a = b": the comment begins before the value. */
	if (left.len == line.len || memchr(left.text, '#', left.len) != NULL) {
		diag_error(source->diag, source->line,
			   "the line has no \"=\"; it must be \"Key = value\", \"[Section]\" or a "
			   "comment that begins with \"#\"");
		return false;
	}
	reason = copy_name(trim(left), key);
	if (reason != NULL) {
		diag_error(source->diag, source->line,
			   "the name of the key before \"=\" %s; the line must be \"Key = value\"",
			   reason);
		return false;
	}
	source->value.text = left.text + left.len + 1;
	source->value.len = line.len - left.len - 1;
	if (!source->events->verbatim(key))
		source->value = before(source->value, '#');
	source->value = trim(source->value);
	snprintf(out, out_size, "%s=%u\n", key, source->line);
	return true;
}

/* Checks a line of the file; true when it put a line for inih into `out`. */
static bool read_line(struct source *source, struct span line, char *out, size_t out_size)
{
	if (line.len > CONF_LINE_MAX) {
		diag_error(
			source->diag, source->line,
			"the line has %zu characters, but at most %d are read; spread a list over "
			"several lines that begin with the same key",
			line.len, CONF_LINE_MAX);
		return false;
	}
	if (memchr(line.text, '\0', line.len) != NULL) {
		diag_error(source->diag, source->line,
			   "the line holds a NUL byte; a link file is plain text");
		return false;
	}
	line = trim(line);
	if (line.len == 0 || line.text[0] == '#' || line.text[0] == ';')
		return false;
	if (line.text[0] == '[') {
		read_heading(source, line, out, out_size);
		return true;
	}
	return read_entry(source, line, out, out_size);
}

/* inih's "fgets": the next line that means something. */
static char *feed(char *out, int out_size, void *stream)
{
	struct source *source = stream;
	struct span line;

	if (source->announce) {
		source->announce = false;
		snprintf(out, (size_t)out_size, SECTION_MARK "=%u\n", source->line);
		return out;
	}
	while (next_line(source, &line)) {
		if (read_line(source, line, out, (size_t)out_size))
			return out;
	}
	return NULL;
}

/* inih's handler: section and key are as inih understood them, the value is a line's number. */
static int handle(void *user, const char *section, const char *name, const char *value)
{
	struct source *source = user;
	uint64_t line;

	/* inih handles a line before it asks for the next, so this is always the same number. */
	if (value == NULL || !parse_number(value, UINT32_MAX, &line) || line != source->line)
		return 0;
	if (strcmp(name, SECTION_MARK) == 0) {
		bool broken = strcmp(section, BROKEN_SECTION) == 0;

		source->events->section(source->ctx, broken ? NULL : section, source->line);
	} else if (strcmp(section, BROKEN_SECTION) != 0) {
		struct ini_entry entry = { section, name, source->value.text, source->value.len,
					   source->line };

		source->events->entry(source->ctx, &entry);
	}
	return 1;
}

/* Editors of other systems put marks in front of a text; one of them means two bytes a letter. */
static bool skip_mark(struct source *source)
{
	static const char utf8[] = "\xef\xbb\xbf";
	struct span *rest = &source->rest;

	if (rest->len >= 2 &&
	    (memcmp(rest->text, "\xff\xfe", 2) == 0 || memcmp(rest->text, "\xfe\xff", 2) == 0)) {
		diag_error(source->diag, 1, "the file is UTF-16 text; save it as UTF-8");
		return false;
	}
	if (rest->len >= 3 && memcmp(rest->text, utf8, 3) == 0) {
		rest->text += 3;
		rest->len -= 3;
	}
	return true;
}

void ini_source_read(const char *text, size_t len, const struct ini_events *events, void *ctx,
		     struct diag *diag)
{
	struct source source = {
		.rest = { text, len },
		.events = events,
		.ctx = ctx,
		.diag = diag,
	};

	if (!skip_mark(&source)) {
		events->section(ctx, NULL, 1);
		return;
	}
	if (ini_parse_stream(feed, &source, handle, &source) != 0)
		diag_error_code(diag, EXIT_SYSTEM,
				"the file could not be taken apart into sections and keys");
}
