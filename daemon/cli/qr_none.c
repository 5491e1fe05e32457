/* QR codes where libqrencode was not there at build time: none. */
#include "daemon/cli/qr.h"

#include <errno.h>

bool qr_is_available(void)
{
	return false;
}

int qr_print(const char *text, FILE *stream, bool colours)
{
	(void)text;
	(void)stream;
	(void)colours;
	return -ENOTSUP;
}
