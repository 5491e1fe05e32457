/*
 * Strict numbers and names; see parse.h.
 *
 * The edit distance is the "optimal string alignment" one: three rows of its table are kept, the
 * row of the character before the last being what makes a swap of neighbours cost one.
 */
#include "common/parse.h"

#include <string.h>
#include <strings.h>

/* Longer words are never near to anything we know. */
#define WORD_MAX 63

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	unsigned int base = 10;
	uint64_t value = 0;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		int digit = digit_value(*text);

		if (digit < 0 || (unsigned int)digit >= base)
			return false;
		/* Subtract instead of add, so that nothing wraps: value * base + digit <= max. */
		if ((uint64_t)digit > max || value > (max - (uint64_t)digit) / base)
			return false;
		value = value * base + (uint64_t)digit;
	}
	*ret = value;
	return true;
}

bool parse_decimal(const char *text, uint64_t max, uint64_t *ret)
{
	return text[strspn(text, "0123456789")] == '\0' && parse_number(text, max, ret);
}

int parse_word(const char *text, const char *const *words, size_t n_words)
{
	for (size_t i = 0; i < n_words; i++) {
		if (strcasecmp(text, words[i]) == 0)
			return (int)i;
	}
	return -1;
}

/* Edits that turn `a` into `b`, or WORD_MAX + 1 when one of them is too long to be compared. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *older = rows[0];
	size_t *old = rows[1];
	size_t *row = rows[2];
	size_t len_a = strnlen(a, WORD_MAX + 1);
	size_t len_b = strnlen(b, WORD_MAX + 1);

	if (len_a > WORD_MAX || len_b > WORD_MAX)
		return WORD_MAX + 1;
	memset(rows, 0, sizeof(rows));
	for (size_t j = 0; j <= len_b; j++)
		old[j] = j;
	for (size_t i = 1; i <= len_a; i++) {
		size_t *spare = older;

		row[0] = i;
		for (size_t j = 1; j <= len_b; j++) {
			bool same = lower(a[i - 1]) == lower(b[j - 1]);
			size_t best = MIN(old[j], row[j - 1]) + 1;

			best = MIN(best, old[j - 1] + (same ? 0 : 1));
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]))
				best = MIN(best, older[j - 2] + 1);
			row[j] = best;
		}
		older = old;
		old = row;
		row = spare;
	}
	return old[len_b];
}

const char *parse_nearest(const char *text, const char *const *words, size_t n_words)
{
	const char *nearest = NULL;
	size_t least = WORD_MAX + 1;

	for (size_t i = 0; i < n_words; i++) {
		size_t edits = distance(text, words[i]);

		if (edits < least && edits <= strlen(words[i]) / 3) {
			least = edits;
			nearest = words[i];
		}
	}
	return nearest;
}

const char *parse_escape(const char *text, size_t len, char *buf, size_t buf_size)
{
	static const char hex[] = "0123456789abcdef";
	static const char more[] = "...";
	size_t pos = 0;
	size_t last_fit = 0; /* up to here the text may stay when "..." must follow */

	if (buf_size == 0)
		return buf;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool plain = c >= 0x20 && c < 0x7f;
		size_t need = plain ? 1 : 4;

		if (need > buf_size - 1 - pos) {
			size_t n_more = MIN(sizeof(more) - 1, buf_size - 1);

			pos = MIN(last_fit, buf_size - 1 - n_more);
			memcpy(buf + pos, more, n_more);
			pos += n_more;
			break;
		}
		if (plain) {
			buf[pos++] = (char)c;
		} else {
			buf[pos++] = '\\';
			buf[pos++] = 'x';
			buf[pos++] = hex[c >> 4];
			buf[pos++] = hex[c & 15];
		}
		if (pos + sizeof(more) <= buf_size)
			last_fit = pos;
	}
	buf[pos] = '\0';
	return buf;
}
