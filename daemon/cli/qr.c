/*
 * QR codes by libqrencode; see qr.h.
 *
 * A character cell is about twice as high as it is wide, so one line shows two rows of modules. The
 * light modules are drawn and the dark ones left out, because most terminals are dark.
 */
#include "daemon/cli/qr.h"

#include <errno.h>
#include <stdint.h>

#include <qrencode.h>
#include <sodium.h>

#define QUIET_ZONE 4

/* Black background, bright white foreground; and back to what was. */
#define COLOURS_ON  "\033[40;97m"
#define COLOURS_OFF "\033[0m"

bool qr_is_available(void)
{
	return true;
}

/* Whether a module is light; the quiet zone is. */
static bool is_light(const QRcode *code, int row, int column)
{
	row -= QUIET_ZONE;
	column -= QUIET_ZONE;
	if (row < 0 || column < 0 || row >= code->width || column >= code->width)
		return true;
	return (code->data[row * code->width + column] & 1) == 0;
}

static void print_line(const QRcode *code, int row, FILE *stream)
{
	/* Index: upper module light, lower module light. */
	static const char *const cells[2][2] = { { " ", "▄" }, { "▀", "█" } };

	for (int column = 0; column < code->width + 2 * QUIET_ZONE; column++)
		fputs(cells[is_light(code, row, column)][is_light(code, row + 1, column)], stream);
}

int qr_print(const char *text, FILE *stream, bool colours)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);

	if (code == NULL)
		return -errno;
	for (int row = 0; row < code->width + 2 * QUIET_ZONE; row += 2) {
		fputs(colours ? COLOURS_ON : "", stream);
		print_line(code, row, stream);
		fputs(colours ? COLOURS_OFF "\n" : "\n", stream);
	}
	/* The modules are the private key as well as the text is. */
	sodium_memzero(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
	return fflush(stream) == 0 ? 0 : -errno;
}
