/*
 * What is printed for people: lines that fit their terminal, and colours where they are wanted.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/*! Whether stdout is a terminal that shows colours to somebody who wants them: NO_COLOR set and not
 * empty means none (https://no-color.org), and so does TERM=dumb. */
bool terminal_has_colours(void);

/*! Columns of the terminal at stdout; 80 when it is none. */
unsigned int terminal_columns(void);

/*!
 * Prints words into lines of at most `columns`, unless one word is longer, with a newline at the
 * end. What came from outside is shown without control characters.
 * \param indent  columns in front of each line; in front of the first they are printed already
 */
void terminal_wrap(FILE *stream, unsigned int columns, unsigned int indent, const char *text);

#endif
