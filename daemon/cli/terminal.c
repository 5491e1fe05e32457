/* Lines and colours; see terminal.h. */
#include "daemon/cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define STANDARD_COLUMNS 80

bool terminal_has_colours(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && no_color[0]) &&
	       !(term && strcmp(term, "dumb") == 0);
}

unsigned int terminal_columns(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col
									   : STANDARD_COLUMNS;
}

static void print_word(FILE *stream, const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fputc((unsigned char)word[i] < 0x20 || word[i] == 0x7f ? '?' : word[i], stream);
}

void terminal_wrap(FILE *stream, unsigned int columns, unsigned int indent, const char *text)
{
	size_t column = indent;

	while (*text) {
		size_t len = strcspn(text, " \n");

		if (column > indent && column + 1 + len > columns) {
			fprintf(stream, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', stream);
			column++;
		}
		print_word(stream, text, len);
		column += len;
		text += len;
		text += strspn(text, " \n");
	}
	fputc('\n', stream);
}
